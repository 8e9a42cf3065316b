"""The share of missing values that production's data had: sealed in its package, and compared with by the next data."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from release_gate.commands.accepted import SHARES, sealed
from release_gate.registry.packages import copy, open_package, seal
from tests.commands.test_rollback_readiness import released
from tests.commands.test_schema_check import context
from tests.contracts.written import column, odcs
from tests.registry.making import contents, layers
from tests.tiny.calling import call
from tests.tiny.project import Project

Capture = pytest.CaptureFixture[str]
WATCHED = column("b", "number", policy={"onNull": "keep", "nullShareDrift": "5%"})


def data(path: Path, nulls: int) -> None:
    pq.write_table(pa.table({"a": list(range(20)), "b": [None] * nulls + [1.0] * (20 - nulls)}), path)


def test_only_what_is_watched_is_sealed(tmp_path: Path) -> None:
    data(tmp_path / "t.parquet", 5)
    (tmp_path / "c.yml").write_bytes(odcs(column("a", "integer", primaryKey=True), WATCHED))
    (tmp_path / "plain.yml").write_bytes(odcs(column("a", "integer"), column("b", "number", policy={"onNull": "keep"})))
    assert sealed(context(tmp_path), tmp_path, [("c.yml", "t.parquet"), ("plain.yml", "t.parquet")]) == {
        SHARES: {"c.yml": {"b": 0.25}}
    }
    assert sealed(context(tmp_path), tmp_path, [("plain.yml", "t.parquet")]) is None
    assert sealed(context(tmp_path), tmp_path, [("nowhere.yml", "t.parquet"), ("c.yml", "nowhere.parquet")]) is None


def test_new_data_is_compared_with_that_of_production(project: Project, capsys: Capture) -> None:
    root = project.root
    data(root / "data" / "watched.parquet", 1)
    (root / "contracts").mkdir(exist_ok=True)
    (root / "contracts" / "watched.yml").write_bytes(odcs(column("a", "integer", primaryKey=True), WATCHED))
    watched = "contracts/watched.yml: data/watched.parquet"
    project.replace("release-gate.yml", "contracts/rows.yml: data/rows.parquet", watched)
    said = call(project, capsys, "schema-check")
    assert "null-drift-unknown" in said.notes

    folder = root.parent / "making"
    made = layers(folder)
    profile = sealed(context(root), root, [("contracts/watched.yml", "data/watched.parquet")])
    package = seal(folder / "sealed", made, contents(made, folder, profile=profile), commit=None)
    copy(open_package(folder / "sealed"), root / ".release-gate" / "registry" / "packages")
    released(project, package=package.digest)
    assert "null-drift-unknown" not in call(project, capsys, "schema-check").notes
    data(root / "data" / "watched.parquet", 3)
    assert "null-share-drifted" in call(project, capsys, "schema-check").codes
