"""Partitions of what is scored: which files they are, what `predict` gets of them, and what can't be used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from release_gate.findings import CannotJudge
from release_gate.tables.partitions import Partition, partitions, rows_of, scores


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
