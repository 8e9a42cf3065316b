"""Delta and Iceberg tables, written by their own libraries."""

from __future__ import annotations

import importlib.util
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from release_gate.findings import BadInput
from release_gate.tables.places import Data, data_at

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FIRST = pa.table({"a": [1, 2], "y": ["p", "q"]})
SECOND = pa.table({"a": [3], "y": ["z"]})


def delta(root: Path, table: pa.Table) -> None:
    from deltalake import write_deltalake

    write_deltalake(str(root / "t"), table, partition_by=["y"], mode="append")


def iceberg(root: Path, table: pa.Table) -> None:
    from pyiceberg.catalog.sql import SqlCatalog

    catalog = SqlCatalog("test", uri=f"sqlite:///{root}/catalog.db", warehouse=f"file://{root}")
    catalog.create_namespace_if_not_exists("n")
    made = catalog.create_table_if_not_exists("n.t", schema=table.schema, location=f"file://{root}/t")
    made.append(table)
    catalog.close()


def at(root: Path, name: str = "t") -> Data:
    return data_at(root, name, now=NOW, environment={})


def rows_of(place: Data) -> list[tuple[Any, ...]]:
    relation = place.open()
    assert relation.query("SELECT max(a) FROM {table}", None) == max(row[0] for row in relation.rows(relation.table))
    rows = relation.rows(relation.table)
    relation.close()
    return sorted(rows)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("write", [delta, iceberg])
def test_the_newest_version_is_read_and_named(tmp_path: Path, write: Any) -> None:
    write(tmp_path, FIRST)
    place = at(tmp_path)
    before = place.identity()
    assert before.startswith(f"{write.__name__}:")
    assert rows_of(place) == [(1, "p"), (2, "q")]
    assert place.state() == before
    write(tmp_path, SECOND)
    assert place.state() != before
    assert rows_of(at(tmp_path)) == [(1, "p"), (2, "q"), (3, "z")]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("write", [delta, iceberg])
def test_without_the_extra_the_error_names_it(tmp_path: Path, write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, FIRST)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BadInput) as caught:
        at(tmp_path).open()
    (found,) = caught.value.findings
    assert found.code == "data-driver"
    assert found.remedy == f"Install it: pip install 'release-gate[{write.__name__}]'"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("write", [delta, iceberg])
def test_a_table_whose_files_are_gone_is_refused_without_the_machines_path(tmp_path: Path, write: Any) -> None:
    write(tmp_path, FIRST)
    for file in (tmp_path / "t").rglob("*.parquet"):
        file.unlink()
    from release_gate.tables.relation import Unanswered

    place = at(tmp_path)
    try:
        relation = place.open()
        try:
            with pytest.raises(Unanswered) as cause:
                relation.rows(relation.table)
        finally:
            relation.close()
        refusal = place.refusal(cause.value)
    except BadInput as caught:
        refusal = caught
    (found,) = refusal.findings
    assert found.code == "file-unreadable"
    assert str(tmp_path) not in found.message


def test_a_folder_that_is_no_table_asks_for_a_pattern(tmp_path: Path) -> None:
    (tmp_path / "t" / "metadata").mkdir(parents=True)
    with pytest.raises(BadInput) as caught:
        at(tmp_path)
    assert caught.value.findings[0].code == "table-format"
