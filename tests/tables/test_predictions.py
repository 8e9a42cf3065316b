"""Labels stripped, predictions checked, golden rows chosen: on real Parquet files."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.findings import BadInput
from release_gate.tables.predictions import (
    Rows,
    golden_numbers,
    read_scores,
    records,
    scores_of,
    strip_label,
    take,
    write,
)


def evaluation(folder: Path, rows: int = 100, **columns: Any) -> Path:
    frame = pd.DataFrame({"id": range(rows), "x": [0.5] * rows, "late": [True, False] * (rows // 2), **columns})
    frame.to_parquet(folder / "evaluation.parquet", index=False)
    return folder / "evaluation.parquet"


def stripped(folder: Path, **columns: Any) -> Rows:
    path = evaluation(folder, **columns)
    return strip_label(path, "late", "id", folder / "rows.parquet", shown="evaluation.parquet")


def refusal(folder: Path, path: Path) -> list[str]:
    with pytest.raises(BadInput) as refused:
        strip_label(path, "late", "id", folder / "rows.parquet", shown=path.name)
    return [found.code for found in refused.value.findings]


def test_no_trace_of_the_label_is_left(tmp_path: Path) -> None:
    path = evaluation(tmp_path)
    table = pq.read_table(path)
    notes = {**(table.schema.metadata or {}), b"labels": b"late: 1, 0, 1"}
    pq.write_table(table.replace_schema_metadata(notes), path)
    rows = strip_label(path, "late", "id", tmp_path / "rows.parquet", shown="e")
    assert b"late" not in rows.unlabelled.read_bytes()
    pd.testing.assert_frame_equal(pd.read_parquet(rows.unlabelled), pd.read_parquet(path).drop(columns="late"))


@pytest.mark.parametrize("metadata", [None, {b"pandas": b"{"}, {b"other": b"late"}])
def test_odd_metadata_are_left_out(tmp_path: Path, metadata: dict[bytes, bytes] | None) -> None:
    path = evaluation(tmp_path)
    pq.write_table(pq.read_table(path).replace_schema_metadata(metadata), path)
    rows = strip_label(path, "late", "id", tmp_path / "rows.parquet", shown="e")
    assert not pq.read_schema(rows.unlabelled).metadata


def test_evaluation_data_that_can_not_be_used_are_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, tmp_path / "absent.parquet") == ["file-missing"]
    (tmp_path / "text.parquet").write_text("no")
    assert refusal(tmp_path, tmp_path / "text.parquet") == ["file-unreadable"]
    pd.DataFrame({"id": [1]}).to_parquet(tmp_path / "a.parquet")
    assert refusal(tmp_path, tmp_path / "a.parquet") == ["evaluation-column-missing"]
    pd.DataFrame({"id": [], "late": []}).to_parquet(tmp_path / "b.parquet")
    assert refusal(tmp_path, tmp_path / "b.parquet") == ["evaluation-empty"]
    pd.DataFrame({"id": [1, 1], "late": [1, 0]}).to_parquet(tmp_path / "c.parquet")
    assert refusal(tmp_path, tmp_path / "c.parquet") == ["evaluation-key"]
    pd.DataFrame({"id": [1, None], "late": [1, 0]}).to_parquet(tmp_path / "d.parquet")
    assert refusal(tmp_path, tmp_path / "d.parquet") == ["evaluation-key"]


def predicted(folder: Path, rows: Rows, frame: pd.DataFrame) -> tuple[pa.Table | None, list[str]]:
    frame.to_parquet(folder / "out.parquet", index=False)
    table, problems = read_scores(folder / "out.parquet", rows, key="id", score="score", who="candidate")
    return table, [found.code for found in problems]


def test_predictions_in_any_order_come_out_in_the_order_of_the_rows_as_two_columns(tmp_path: Path) -> None:
    rows = stripped(tmp_path)
    frame = pd.DataFrame({"extra": 1, "score": [number / 100 for number in range(100)], "id": range(100)})
    table, problems = predicted(tmp_path, rows, frame.sample(frac=1, random_state=1).astype({"id": "int32"}))
    assert problems == []
    assert table is not None
    assert table.column_names == ["id", "score"]
    assert table.to_pandas()["score"].tolist() == frame["score"].tolist()
    assert scores_of(table, "score", [3, 99]) == [0.03, 0.99]
    write(table, tmp_path / "kept.parquet")
    assert pq.read_table(tmp_path / "kept.parquet").equals(table)


GOOD = pd.DataFrame({"id": range(100), "score": [0.5] * 100})
ODD: dict[str, tuple[pd.DataFrame, list[str]]] = {
    "a row less": (GOOD[1:], ["prediction-rows-missing"]),
    "a row twice": (pd.concat([GOOD, GOOD[:1]]), ["prediction-rows-duplicated"]),
    "a row too many": (pd.concat([GOOD, pd.DataFrame({"id": [500], "score": [0.5]})]), ["prediction-rows-unknown"]),
    "a key of another kind": (GOOD.assign(id="x" + GOOD["id"].astype(str)), ["prediction-rows-unknown"]),
    "a null": (GOOD.assign(score=pd.Series([None, *[0.5] * 99], dtype="Float64")), ["prediction-not-finite"]),
    "NaN": (GOOD.assign(score=[float("nan")] + [0.5] * 99), ["prediction-not-finite"]),
    "infinity": (GOOD.assign(score=[float("inf")] + [0.5] * 99), ["prediction-not-finite"]),
    "text": (GOOD.assign(score="high"), ["prediction-not-finite"]),
    "another column": (GOOD.rename(columns={"score": "probability"}), ["prediction-column-missing"]),
    "nothing": (GOOD[:0], ["prediction-rows-missing"]),
    "all at once": (
        pd.concat([GOOD[2:], GOOD[-1:], pd.DataFrame({"id": [500], "score": [float("inf")]})]),
        ["prediction-rows-missing", "prediction-rows-duplicated", "prediction-rows-unknown", "prediction-not-finite"],
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_predictions_are_named(tmp_path: Path, name: str) -> None:
    frame, codes = ODD[name]
    assert predicted(tmp_path, stripped(tmp_path), frame) == (None, codes)


def test_no_predictions_are_named(tmp_path: Path) -> None:
    rows = stripped(tmp_path)
    for content, code in (
        (None, "prediction-missing"),
        (b"", "prediction-unreadable"),
        (b"text", "prediction-unreadable"),
    ):
        if content is not None:
            (tmp_path / "o").write_bytes(content)
        table, problems = read_scores(tmp_path / "o", rows, key="id", score="score", who="candidate")
        assert (table, [found.code for found in problems]) == (None, [code])


def test_a_key_column_given_twice_is_no_key(tmp_path: Path) -> None:
    rows = stripped(tmp_path)
    columns: list[Any] = [pa.array(range(100)), pa.array(range(100)), pa.array([0.5] * 100)]
    pq.write_table(pa.Table.from_arrays(columns, names=["id", "id", "score"]), tmp_path / "o")
    assert read_scores(tmp_path / "o", rows, key="id", score="score", who="x")[1][0].code == "prediction-column-missing"


def test_golden_rows_are_spaced_evenly_and_some_hold_nulls(tmp_path: Path) -> None:
    nulls = [1.0] * 100
    nulls[37] = float("nan")
    rows = stripped(tmp_path, humid=nulls)
    numbers = golden_numbers(rows)
    assert len(numbers) == 20
    assert {0, 37, 99} <= set(numbers)
    assert golden_numbers(rows) == numbers


@given(st.integers(1, 60), st.sets(st.integers(0, 59), max_size=20))
def test_golden_rows_are_as_many_as_there_can_be_each_once(count: int, empty: set[int]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        column = pa.array([None if number in empty else 1.0 for number in range(count)])
        pq.write_table(pa.table({"id": pa.array(range(count)), "x": column}), path)
        numbers = golden_numbers(Rows(pa.array(range(count)), path))
    assert len(numbers) == len(set(numbers)) == min(20, count)
    assert all(0 <= number < count for number in numbers)


def test_rows_become_json_records(tmp_path: Path) -> None:
    row = {
        "text": "ü",
        "number": 0.1 + 0.2,
        "nothing": None,
        "not": float("nan"),
        "day": date(2013, 1, 1),
        "time": datetime(2013, 1, 1, 5, 15),  # noqa: DTZ001 - as the flights have it
        "utc": datetime(2013, 1, 1, tzinfo=UTC),
        "money": Decimal("1.50"),
        "list": [1, None],
        "record": {"a": date(2013, 1, 1)},
        "yes": True,
    }
    write(pa.Table.from_pylist([row]), tmp_path / "r.parquet")
    take(tmp_path / "r.parquet", [0], tmp_path / "one.parquet")
    assert records(tmp_path / "one.parquet") == [
        {
            **row,
            "not": None,
            "day": "2013-01-01",
            "time": "2013-01-01T05:15:00",
            "utc": "2013-01-01T00:00:00+00:00",
            "money": 1.5,
            "record": {"a": "2013-01-01"},
        }
    ]
    write(pa.table({"image": [b"\xff"]}), tmp_path / "b.parquet")
    with pytest.raises(BadInput, match=r"column image: golden-row-unfit"):
        records(tmp_path / "b.parquet")
