"""Partitions of what is scored: which files they are, what `predict` gets of them, and what can't be used."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from release_gate.contracts.contract import Column, Contract, Kind, Policy
from release_gate.findings import BadInput, CannotJudge
from release_gate.tables.opening import open_files, partitions_of
from release_gate.tables.partitions import Partition, partitions, rows_of, scores
from release_gate.tables.relation import Relation, Unanswered


def written(path: Path, **columns: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(columns).to_parquet(path, index=False)
    return path


def partition(path: Path) -> Partition:
    return Partition(path.stem, path, f"rows/{path.name}")


def test_a_file_is_one_partition_and_a_folder_has_one_a_file(tmp_path: Path) -> None:
    for name in ("2026-02", "2026-01"):
        written(tmp_path / "rows" / f"{name}.parquet", id=[1])
    for name in ("_SUCCESS", ".2026-03.parquet.part", "notes.txt"):
        (tmp_path / "rows" / name).write_text("")
    assert [one.name for one in partitions(tmp_path / "rows", "rows/")] == ["2026-01", "2026-02"]
    assert partitions(tmp_path / "rows", "rows/")[0].shown == "rows/2026-01.parquet"
    assert partitions(tmp_path / "rows" / "2026-01.parquet", "x")[0].name == "2026-01"


def test_what_holds_no_partition_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    written(tmp_path / "deep" / "day=1" / "a.parquet", id=[1])
    for name, cause in (("none", "does not exist"), ("empty", "no file with the suffix"), ("deep", "folders")):
        with pytest.raises(CannotJudge, match=cause) as refused:
            partitions(tmp_path / name, name)
        assert refused.value.findings[0].code == "partition-unreadable"


def test_the_label_is_taken_out_where_it_is_known_already(tmp_path: Path) -> None:
    with_label = partition(written(tmp_path / "a.parquet", id=[1, 2], x=[0.5, 1.0], late=[True, False]))
    rows = rows_of(with_label, key="id", label="late", out=tmp_path / "out.parquet")
    assert pq.read_schema(rows.unlabelled).names == ["id", "x"]
    without = partition(written(tmp_path / "b.parquet", id=[1, 2], x=[0.5, 1.0]))
    assert rows_of(without, key="id", label="late", out=tmp_path / "other.parquet").unlabelled == without.file


@pytest.mark.parametrize("label", [{}, {"late": []}], ids=["without label", "with label"])
@pytest.mark.parametrize(
    ("keys", "cause"),
    [([], "no rows"), ([1, 1], "1 repeat another"), ([1, None], r"1 (keys )?are null"), (None, "no column id")],
)
def test_rows_that_can_not_be_named_are_refused(
    tmp_path: Path, keys: list[int] | None, cause: str, label: dict[str, list[bool]]
) -> None:
    columns: dict[str, object] = {"x": [0.5] * len(keys or ())} | ({"id": keys} if keys is not None else {})
    columns |= {name: [True] * len(keys or ()) for name in label}
    path = written(tmp_path / "a.parquet", **columns)
    with pytest.raises(CannotJudge, match=cause):
        rows_of(partition(path), key="id", label="late", out=tmp_path / "out.parquet")


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_text("no")
    with pytest.raises(CannotJudge, match=r"rows/a\.parquet is not readable Parquet"):
        rows_of(partition(tmp_path / "a.parquet"), key="id", label="late", out=tmp_path / "out.parquet")
    with pytest.raises(CannotJudge, match="predictions-unreadable"):
        scores(tmp_path / "a.parquet", key="id", score="score")


def test_scores_come_as_numbers_and_a_null_as_none(tmp_path: Path) -> None:
    path = written(tmp_path / "a.parquet", id=["a", "b"], score=pd.array([1, None], dtype="Int64"))
    keys, values = scores(path, key="id", score="score")
    assert list(keys) == ["a", "b"]
    np.testing.assert_array_equal(values, [1.0, np.nan])


SECRET = "hunter2xyz"


def held(*, sensitive: bool) -> Contract:
    """A contract of data in folders whose column is sensitive or not."""
    return Contract(
        "c", "1.0.0", (Column("id", Kind.STRING), Column("S", Kind.STRING, policy=Policy(sensitive=sensitive)))
    )


def opened(folder: Path, pattern: str, contract: Contract | None) -> Relation:
    return open_files(folder / pattern, pattern, contract=contract)


def broken(folder: Path, kind: str) -> str:
    """Files in folders of a column, the second of which can't be read with the first; the pattern that names them."""
    first, second = folder / "d" / "s=1ok", folder / "d" / f"s={SECRET}"
    if kind == "folders":
        first = folder / "d" / "t=1ok"
    first.mkdir(parents=True)
    second.mkdir()
    if kind in {"types", "cut", "folders"}:
        written(first / "p.parquet", id=["a"])
        written(second / "p.parquet", id=[1] if kind == "types" else ["a"])
        if kind == "cut":
            (second / "p.parquet").write_bytes(b"PAR1")
        return "d/*/*.parquet"
    if kind == "json":
        (first / "p.jsonl").write_text('{"id": 1}\n')
        (second / "p.jsonl").write_text("3\n")
        return "d/*/*.jsonl"
    if kind == "packed":
        (first / "p.csv.gz").write_bytes(gzip.compress(b"id\n1\n"))
        (second / "p.csv.gz").write_bytes(gzip.compress(b"id\n1\n")[:-4])
        return "d/*/*.csv.gz"
    (first / "p.csv").write_text("id\n1\n")
    (second / "p.csv").write_text("no\n1\n")
    return "d/*/*.csv"


KINDS = ("types", "cut", "folders", "json", "packed", "header")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("contract", [held(sensitive=True), None], ids=["sensitive", "none at hand"])
def test_a_refusal_names_files_by_number_where_their_folders_may_hold_a_secret(
    tmp_path: Path, kind: str, contract: Contract | None
) -> None:
    pattern = broken(tmp_path, kind)
    with pytest.raises(BadInput) as refused:
        opened(tmp_path, pattern, contract)
    (one,) = refused.value.findings
    assert one.code == "file-unreadable"
    assert SECRET not in f"{one.message} {one.where}"
    assert f"file {'1' if kind == 'folders' else '2'}" in f"{one.message} {one.where}"


@pytest.mark.parametrize("kind", KINDS)
def test_a_refusal_names_files_in_full_where_no_folder_holds_a_secret(tmp_path: Path, kind: str) -> None:
    pattern = broken(tmp_path, kind)
    with pytest.raises(BadInput) as refused:
        opened(tmp_path, pattern, held(sensitive=False))
    assert f"s={SECRET}/p." in f"{refused.value.findings[0].message} {refused.value.findings[0].where}"


def test_what_breaks_while_it_is_read_is_named_by_number_too(tmp_path: Path) -> None:
    (tmp_path / "d" / f"s={SECRET}").mkdir(parents=True)
    (tmp_path / "d" / f"s={SECRET}" / "p.csv").write_text("id\n1\n1,2,3\n")
    (tmp_path / "d" / "s=1ok").mkdir()
    (tmp_path / "d" / "s=1ok" / "p.csv").write_text("id\n1\n")
    relation = opened(tmp_path, "d/*/*.csv", held(sensitive=True))
    with pytest.raises(Unanswered, match=r"^file 2: line 3 has 2 values"):
        relation.rows(relation.table)
    assert relation.shape.files == ("s=1ok/p.csv", f"s={SECRET}/p.csv")  # whoever shows a row looks at the contract
    relation.close()


def test_files_whose_names_for_people_are_not_known_are_numbered() -> None:
    with pytest.raises(Unanswered, match=r"^file 2 and file 1 lie in folders of different columns: t and s$"):
        partitions_of([f"gate://0/s={SECRET}/p.parquet", "gate://1/t=1/p.parquet"])
