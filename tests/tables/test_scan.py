"""The counts of single columns and tables; at random and against pandera they are compared in test_oracle.py."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from release_gate.contracts.contract import Column, Contract, Kind, Rule, RuleKind
from release_gate.contracts.counts import ColumnCount, Fit
from release_gate.contracts.reading import read as read_contract
from release_gate.documents import parse
from release_gate.tables.embedded import Embedded
from release_gate.tables.scan import Scanned, scan, scanned
from tests.contracts.written import column, odcs, valid


def contract(*columns: dict[str, Any], **rest: Any) -> Contract:
    return read_contract(parse(odcs(*columns, **rest), "c.yml")).contract


def counts_of(table: pa.Table, *columns: dict[str, Any], **rest: Any) -> Scanned:
    return scanned(Embedded().arrow(table, ["t"], table.schema), contract(*columns, **rest), "rides.parquet")


def one(values: Any, described: dict[str, Any]) -> ColumnCount:
    stored = values if isinstance(values, pa.Array) else pa.array(values)
    (count,) = counts_of(pa.table({described["name"]: stored}), described).counts.columns
    return count


@pytest.mark.parametrize(
    ("options", "values", "invalid"),
    [
        ({"minimum": 1}, [0, 1, 2, None], 1),
        ({"exclusiveMinimum": 1}, [0, 1, 2, None], 2),
        ({"maximum": 1}, [0, 1, 2, None], 1),
        ({"exclusiveMaximum": 1}, [0, 1, 2, None], 2),
        ({"multipleOf": 2}, [0, 1, 2, None], 1),
        ({"minimum": 9007199254740993}, [9007199254740992, 9007199254740993, None], 1),
        ({}, [1, None], 0),
    ],
)
def test_integers_with_gaps_are_judged_exactly(options: dict[str, Any], values: list[Any], invalid: int) -> None:
    count = one(values, column("a", "integer", logicalTypeOptions=options))
    assert (count.fit, count.nulls, count.invalid) == (Fit.FITS, 1, invalid)


@pytest.mark.parametrize("arrow", [pa.int8(), pa.uint16(), pa.int32(), pa.int64(), pa.uint64()], ids=str)
def test_every_width_of_integer_is_an_integer(arrow: pa.DataType) -> None:
    count = one(pa.array([1, 2, None], arrow), column("a", "integer", logicalTypeOptions={"minimum": 2}))
    assert (count.fit, count.invalid) == (Fit.FITS, 1)


def test_an_exact_type_that_is_named_is_compared() -> None:
    described = column("a", "integer", physicalType="int64")
    assert one(pa.array([1], pa.int64()), described).fit is Fit.FITS
    assert one(pa.array([1], pa.int32()), described).fit is Fit.STORAGE


@pytest.mark.parametrize(
    ("values", "kind", "fit"),
    [
        ([1.0, 2.0, None], "integer", Fit.STORAGE),
        ([1.0, math.nan], "integer", Fit.STORAGE),
        ([1.5, 2.0], "integer", Fit.WRONG),
        ([math.inf], "integer", Fit.WRONG),
        ([1, 2], "number", Fit.FITS),
        ([Decimal("1.50"), None], "number", Fit.FITS),
        (["1"], "integer", Fit.WRONG),
        ([1], "string", Fit.WRONG),
        ([1], "boolean", Fit.WRONG),
        ([True, None], "boolean", Fit.FITS),
        ([b"x"], "string", Fit.WRONG),
        ([dt.date(2020, 1, 1)], "date", Fit.FITS),
        ([dt.datetime(2020, 1, 1)], "date", Fit.STORAGE),  # noqa: DTZ001 - no zone meant
        ([dt.datetime(2020, 1, 1, 5)], "date", Fit.WRONG),  # noqa: DTZ001
        ([dt.time(5)], "time", Fit.FITS),
        ([[1], None], "array", Fit.FITS),
        ([[1]], "object", Fit.WRONG),
        ([{"x": 1}], "object", Fit.FITS),
        ([None, None], "integer", Fit.FITS),
    ],
)
def test_types_are_judged_by_what_the_values_are(values: list[Any], kind: str, fit: Fit) -> None:
    assert one(values, column("a", kind)).fit is fit


def test_nested_types_are_told_apart() -> None:
    vector = pa.array([[1.0, 2.0]], pa.list_(pa.float32(), 2))
    assert one(vector, column("a", "vector")).fit is Fit.FITS
    assert one(pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())), column("a", "map", map={})).fit is Fit.FITS
    assert one(pa.array([1], pa.duration("s")), column("a", "integer")).fit is Fit.WRONG


def test_text_in_a_dictionary_is_text() -> None:
    stored = pa.array(["Oslo", "Rome", None, "Rome"]).dictionary_encode()
    count = one(stored, column("a", "string", quality=valid("Oslo")))
    assert (count.fit, count.nulls, count.invalid) == (Fit.FITS, 1, 2)


@pytest.mark.parametrize("arrow", [pa.large_string(), pa.string_view()], ids=str)
def test_every_kind_of_text_is_text(arrow: pa.DataType) -> None:
    count = one(pa.array(["Oslo", "Rome"], arrow), column("a", "string", logicalTypeOptions={"pattern": "^O"}))
    assert (count.fit, count.invalid) == (Fit.FITS, 1)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_of_every_unit_meet_their_bounds(unit: Any) -> None:
    values = pa.array([dt.datetime(2019, 12, 31), dt.datetime(2020, 1, 1)], pa.timestamp(unit))  # noqa: DTZ001
    described = column("a", "timestamp", logicalTypeOptions={"minimum": "2020-01-01T00:00:00"})
    assert one(values, described).invalid == 1


def test_times_of_different_zones_are_compared_as_moments() -> None:
    moment = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    values = pa.array([moment, moment - dt.timedelta(seconds=1)], pa.timestamp("us", "America/New_York"))
    described = column("a", "timestamp", logicalTypeOptions={"minimum": "2020-01-01T02:00:00+02:00"})
    assert one(values, described).invalid == 1


def test_a_zone_that_is_asked_for_or_forbidden_is_judged() -> None:
    zoned, naive = pa.array([0], pa.timestamp("us", "UTC")), pa.array([0], pa.timestamp("us"))
    for asked, fits, wrong in ((True, zoned, naive), (False, naive, zoned)):
        described = column("a", "timestamp", logicalTypeOptions={"timezone": asked})
        assert one(fits, described).fit is Fit.FITS
        assert one(wrong, described).fit is Fit.WRONG


def test_days_and_times_of_day_meet_their_bounds() -> None:
    days = column("a", "date", logicalTypeOptions={"maximum": "2020-01-01"})
    assert one([dt.date(2020, 1, 1), dt.date(2020, 1, 2)], days).invalid == 1
    assert one(pa.array([dt.date(2020, 1, 2)], pa.date64()), days).invalid == 1
    for arrow in (pa.time32("s"), pa.time64("us")):
        clock = column("a", "time", logicalTypeOptions={"minimum": "08:30"})
        assert one(pa.array([dt.time(8, 29), dt.time(8, 30)], arrow), clock).invalid == 1


def test_decimals_meet_bounds_and_sets() -> None:
    values = [Decimal("0.10"), Decimal("0.20"), None]
    assert one(values, column("a", "number", logicalTypeOptions={"maximum": 0.1})).invalid == 1
    assert one(values, column("a", "number", quality=valid(0.1))).invalid == 1


def test_a_step_is_judged_up_to_rounding() -> None:
    assert one([0.1, 0.3, 0.7, 0.35], column("a", "number", logicalTypeOptions={"multipleOf": 0.1})).invalid == 1


def test_a_missing_number_is_null_whether_null_or_nan() -> None:
    assert one([1.0, None, math.nan], column("a", "number", logicalTypeOptions={"minimum": 0})).nulls == 2


def test_rows_that_break_several_rules_are_counted_once() -> None:
    described = column("a", "string", logicalTypeOptions={"pattern": "^A", "maxLength": 2})
    count = one(["BBBB", "AB", "A123"], described)
    assert (count.invalid, [(str(b.rule), b.rows) for b in count.broken]) == (
        2,
        [("matching ^A", 1), ("no longer than 2", 2)],
    )


def test_a_pattern_that_cannot_be_judged_is_said_and_hides_no_other_rule() -> None:
    rules = (Rule(RuleKind.PATTERN, "(?=a)"), Rule(RuleKind.LONGEST, 1))
    held = Contract("c", "1.0.0", (Column("a", Kind.STRING, rules),))
    for stored, broken in ((["ab"], [1]), ([None], [])):
        table = pa.table({"a": pa.array(stored, pa.string())})
        (count,) = scanned(Embedded().arrow(table, ["t"], table.schema), held, "t").counts.columns
        assert [rule.kind for rule, _ in count.unjudgeable] == [RuleKind.PATTERN]
        assert [b.rows for b in count.broken] == broken


def test_a_set_of_other_types_is_broken_by_every_value() -> None:
    assert one([1, 2], column("a", "integer", quality=valid("1", "2"))).invalid == 2


def test_keys_of_several_columns_ignore_rows_without_a_whole_key() -> None:
    table = pa.table({"a": ["x", "x", "x", None, None], "b": [1, 1, 2, 1, 1]})
    found = counts_of(
        table, column("a", "string", primaryKey=True), column("b", "integer", primaryKey=True, primaryKeyPosition=1)
    )
    (key,) = found.counts.keys
    frame = table.to_pandas().dropna()
    assert key.rows == int(frame.duplicated(["a", "b"], keep=False).sum()) == 2


def test_missing_undeclared_and_repeated_columns_are_named() -> None:
    table = pa.table([pa.array([1]), pa.array([2]), pa.array([3])], names=["a", "a", "z"])
    counts = counts_of(table, column("a", "integer", unique=True), column("b", "integer")).counts
    assert (counts.missing, counts.undeclared, counts.repeated) == (("b",), ("z",), ("a",))
    assert (counts.columns, counts.keys) == ((), ())


def test_examples_show_row_and_key_and_at_most_five_of_each() -> None:
    table = pa.table({"id": [f"k{n}" for n in range(9)], "a": list(range(9))})
    found = counts_of(
        table, column("id", "string", primaryKey=True), column("a", "integer", logicalTypeOptions={"maximum": 0})
    )
    (broken,) = found.counts.columns[1].broken
    assert broken.rows == 8
    assert len(broken.examples) == 5
    assert (broken.examples[0].row, broken.examples[0].key, broken.examples[0].value) == (2, "id=k1", "1")


def test_no_value_of_a_sensitive_column_is_in_the_counts() -> None:
    table = pa.table({"id": ["secret-1", "secret-1"], "a": ["secret-2", None], "b": [1, 1]})
    found = counts_of(
        table,
        column("id", "string", primaryKey=True, policy={"sensitive": True}),
        column("a", "string", unique=True, quality=valid("x"), policy={"sensitive": True}),
        column("b", "integer", unique=True, logicalTypeOptions={"maximum": 0}),
    )
    assert found.counts.columns[1].broken[0].rows == 1
    assert "secret-" not in repr(found)


def test_a_file_is_read_and_counted(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1, -1]}), tmp_path / "t.parquet")
    found = scan(tmp_path / "t.parquet", contract(column("a", "integer", logicalTypeOptions={"minimum": 0})), shown="t")
    assert (found.counts.rows, found.counts.columns[0].invalid) == (2, 1)


def test_a_frame_written_by_pandas_is_judged_like_any(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"n": pd.array([1, None], dtype="Int64"), "c": pd.Categorical(["x", "y"]), "f": np.array([1.0, np.nan])},
        index=pd.Index(["r1", "r2"], name="row"),
    )
    frame.to_parquet(tmp_path / "t.parquet")
    held = contract(column("row", "string"), column("n", "integer"), column("c", "string"), column("f", "number"))
    counts = scan(tmp_path / "t.parquet", held, shown="t").counts
    assert (counts.missing, counts.undeclared) == ((), ())
    assert [count.fit for count in counts.columns] == [Fit.FITS] * 4
    assert [count.nulls for count in counts.columns] == [0, 1, 0, 1]
