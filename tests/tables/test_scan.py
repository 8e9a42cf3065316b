"""The counts of single columns and tables; at random and against pandera they are compared in test_oracle.py."""

from __future__ import annotations

import datetime as dt
import math
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from release_gate.contracts.bounds import is_multiple
from release_gate.contracts.contract import Bounds, Column, Contract, Kind, Measure, Metric, Rule, RuleKind
from release_gate.contracts.counts import ColumnCount, Fit
from release_gate.contracts.judgement import data_findings
from release_gate.contracts.reading import read as read_contract
from release_gate.data_places import Connection
from release_gate.documents import parse
from release_gate.tables.connected import open_connection
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


@pytest.mark.parametrize(
    ("promised", "kind", "stored", "fits", "broken"),
    [
        ("int32", "integer", pa.int64(), [2**31 - 1, -(2**31)], [2**31, -(2**31) - 1]),
        ("uint8", "integer", pa.int64(), [0, 255], [-7, 256]),
        ("int64", "integer", pa.uint64(), [2**63 - 1], [2**63]),
        ("int8", "integer", pa.float64(), [-128.0, 127.0], [128.0, -129.0, 1.5]),
        ("int8", "integer", pa.decimal128(38, 10), [Decimal(127)], [Decimal(128)]),
        ("decimal(10,2)", "number", pa.float64(), [1.23, 99999999.99, math.nan], [1.23456, 1e8, math.inf]),
        ("decimal(10,2)", "number", pa.decimal128(20, 5), [Decimal("1.25")], [Decimal("1.234"), Decimal(10**8)]),
        ("decimal(10,2)", "number", pa.int64(), [10**8 - 1], [10**8, -(10**8)]),
        ("float32", "number", pa.float64(), [3.4e38, math.inf], [3.5e38]),
        ("timestamp[s]", "timestamp", pa.timestamp("us"), [0, 10**6], [1, 999_999]),
        ("timestamp[us]", "timestamp", pa.timestamp("ns"), [1000], [1]),
        ("timestamp[ns]", "timestamp", pa.timestamp("us"), [1000], [2**60]),
        ("time32[s]", "time", pa.time64("us"), [10**6], [1_500_000]),
    ],
)
def test_of_a_promised_exact_type_every_value_must_fit(
    promised: str, kind: str, stored: pa.DataType, fits: list[Any], broken: list[Any]
) -> None:
    described = column("a", kind, physicalType=promised)
    for value in fits:
        assert one(pa.array([value, None], stored), described).fit is Fit.STORAGE, value
    for value in broken:
        assert one(pa.array([value, None], stored), described).fit is Fit.WRONG, value


def test_values_that_tell_a_wrong_type_are_counted_and_shown() -> None:
    rides = contract(column("seats", "integer"))
    table = pa.table({"seats": pa.array([1.0, 2.5, 3.0, 4.0, math.inf])})
    scanned_ = scanned(Embedded().arrow(table, ["t"], table.schema), rides, "rides.parquet")
    (wrong,) = data_findings(rides, scanned_.counts)
    scanned_.close()
    assert wrong.code == "column-type"
    said = "holds double, the contract says integer: 2 rows (40.00%) do not fit, such as '2.5' in row 2, 'inf' in row 5"
    assert wrong.message == said
    assert wrong.evidence["rows"] == 2


def test_a_text_that_the_promised_exact_type_can_not_hold_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a\n7\n1000000000000\n")
    described = contract(column("a", "integer", physicalType="int32"))
    with closing(scan(tmp_path / "t.csv", described, shown="t.csv")) as found:
        assert [(broken.rule, broken.rows) for broken in found.counts.columns[0].broken] == [(None, 1)]


@pytest.mark.parametrize(
    ("step", "stored", "kept", "broken"),
    [
        (0.01, pa.float64(), [1234567890.12, 0.3, 0.1 + 0.2], [10000000.005, 1234567890.5049, math.inf]),
        (0.01, pa.float32(), [0.1, 7.77], [0.005]),
        (0.01, pa.decimal128(18, 3), [Decimal("10000000.010")], [Decimal("10000000.005"), Decimal("99999999.999")]),
        (2.0, pa.int64(), [4, 2**62], [10000000001, 2**62 + 1]),
        (1.5, pa.int64(), [3, 6], [1, 2, 4]),
        (2, pa.uint64(), [2**64 - 2], [2**64 - 1]),
        (10**40, pa.int64(), [0], [3]),
    ],
)
def test_numbers_far_from_nought_are_multiples_or_not(
    step: float, stored: pa.DataType, kept: list[Any], broken: list[Any]
) -> None:
    described = column("a", "number", logicalTypeOptions={"multipleOf": step})
    found = one(pa.array([*kept, *broken, None], stored), described)
    assert found.unjudgeable == ()
    assert found.invalid == len(broken)
    if not pa.types.is_float32(stored):
        assert [is_multiple(value, step) for value in kept + broken] == [True] * len(kept) + [False] * len(broken)


def judged_alone(stored: Any, kind: Kind, *rules: Rule) -> ColumnCount:
    table = pa.table({"a": stored})
    (count,) = scanned(
        Embedded().arrow(table, ["t"], table.schema), Contract("c", "1.0.0", (Column("a", kind, rules),)), "t"
    ).counts.columns
    return count


@pytest.mark.parametrize("far", ["0001-01-01T00:00:00", "9999-12-31T00:00:00"])
def test_a_moment_that_nanoseconds_can_not_hold_is_a_bound_all_the_same(far: str) -> None:
    stored = pa.array([1000, None], pa.timestamp("ns"))
    low, high = Rule(RuleKind.AT_LEAST, far), Rule(RuleKind.BELOW, far)
    found = judged_alone(stored, Kind.TIMESTAMP, low, high, Rule(RuleKind.NONE_OF, (far,)))
    assert found.unjudgeable == ()
    assert [broken.rule for broken in found.broken] == [low if far.startswith("9") else high]
    assert found.invalid == 1


def test_a_bound_that_the_stored_type_can_not_hold_is_kept_by_all_or_by_none() -> None:
    kept = (Rule(RuleKind.AT_LEAST, -1), Rule(RuleKind.BELOW, 10**40))
    broken = Rule(RuleKind.ABOVE, 2**64)
    found = judged_alone(pa.array([0, 2**64 - 1], pa.uint64()), Kind.INTEGER, *kept, broken)
    assert (found.unjudgeable, [(one.rule, one.rows) for one in found.broken]) == ((), [(broken, 2)])
    wide = judged_alone(pa.array([Decimal("1.5")], pa.decimal128(38, 10)), Kind.NUMBER, Rule(RuleKind.AT_MOST, 1e300))
    assert (wide.unjudgeable, wide.invalid) == ((), 0)


def test_what_is_infinite_or_too_large_is_in_no_set_of_integers() -> None:
    stored = pa.array([1, 2], pa.int64())
    found = judged_alone(stored, Kind.INTEGER, Rule(RuleKind.ONE_OF, (1, math.inf, 1e300, 10**30)))
    assert (found.unjudgeable, found.invalid) == ((), 1)


def test_the_last_nanosecond_of_64_bits_is_a_moment_like_any(tmp_path: Path) -> None:
    last = pa.array([2**63 - 1, -(2**63) + 1, 0], pa.timestamp("ns"))
    pq.write_table(pa.table({"a": last}), tmp_path / "t.parquet")
    described = contract(column("a", "timestamp", logicalTypeOptions={"minimum": "1900-01-01T00:00:00"}))
    with closing(scan(tmp_path / "t.parquet", described, shown="t")) as found:
        (count,) = found.counts.columns
    assert (count.fit, count.invalid) == (Fit.FITS, 1)


def test_single_values_of_a_list_are_judged_by_no_rule_and_no_measure() -> None:
    known = [{"type": "library", "metric": "invalidValues", "arguments": {"validValues": ["a"]}, "mustBe": 0}]
    none = [{"type": "library", "metric": "missingValues", "arguments": {"missingValues": ["a"]}, "mustBe": 0}]
    table = pa.table({"a": [["a"], ["b"]], "b": [["a"], ["b"]]})
    counts = counts_of(table, column("a", "array", quality=known), column("b", "array", quality=none)).counts
    causes = [cause for one in counts.columns for _, cause in one.unjudgeable]
    causes += [one.cause or "" for one in counts.measures]
    assert causes == ["it judges single values, and the column holds array"] * 2


@pytest.mark.parametrize("exact", [True, False])
def test_a_nanosecond_beyond_a_bound_is_beyond_it(tmp_path: Path, exact: bool) -> None:
    midnight = 1_704_067_200 * 10**9
    pq.write_table(pa.table({"a": pa.array([midnight + 1], pa.timestamp("ns"))}), tmp_path / "t.parquet")
    options = {"maximum": "2024-01-01T00:00:00"}
    described = contract(column("a", "timestamp", logicalTypeOptions=options))
    with closing(scan(tmp_path / "t.parquet", described, shown="t", exact=exact)) as found:
        assert found.counts.columns[0].invalid == 1


@pytest.mark.parametrize(
    ("kind", "texts", "shared"),
    [
        ("integer", ["1", "01", "+1", "2"], 3),
        ("integer", ["1", "NA", "NA", "x", "x"], 0),
        ("timestamp", ["2024-01-01", "2024-01-01 00:00:00+00", "2024-01-02"], 2),
        ("string", ["1", "01"], 0),
    ],
)
def test_a_key_of_texts_is_compared_by_value(tmp_path: Path, kind: str, texts: list[str], shared: int) -> None:
    (tmp_path / "t.csv").write_text("\n".join(["a", *texts]) + "\n")
    with closing(scan(tmp_path / "t.csv", contract(column("a", kind, unique=True)), shown="t.csv")) as found:
        (key,) = found.counts.keys
        assert key.rows == shared
        assert [example.row for example in key.examples] == list(range(1, shared + 1))


@pytest.mark.filterwarnings("ignore")  # Ibis asks pandas in ways that it calls old
def test_rows_of_a_database_are_shown_in_order_though_a_part_of_their_key_is_missing(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "t.db")) as database:
        database.execute("CREATE TABLE t (a INTEGER, k INTEGER)")
        database.executemany("INSERT INTO t VALUES (?, ?)", [(-1, 7), (-1, None), (-1, 3)])
        database.commit()
    described = contract(
        column("a", "integer", logicalTypeOptions={"minimum": 0}), column("k", "integer", primaryKey=True)
    )
    opened = open_connection(Connection("sqlite://t.db", "t"), tmp_path)
    with closing(scanned(opened, described, "t")) as found:
        (broken,) = found.counts.columns[0].broken
        assert sorted(str(example.key) for example in broken.examples) == ["k=3", "k=7", "k=None"]


def test_one_word_among_the_moments_of_json_lines_is_unreadable_and_no_wrong_type(tmp_path: Path) -> None:
    lines = ['{"day":"2024-01-01","seats":"7"}', '{"day":"soon","seats":"8"}', '{"day":"2024-01-03","seats":"9"}']
    (tmp_path / "t.jsonl").write_text("\n".join(lines))
    described = contract(
        column("day", "date", unique=True, logicalTypeOptions={"minimum": "2024-01-02"}), column("seats", "integer")
    )
    with closing(scan(tmp_path / "t.jsonl", described, shown="t.jsonl")) as found:
        day, seats = found.counts.columns
    assert (day.fit, day.invalid, [one.row for broken in day.broken for one in broken.examples]) == (
        Fit.FITS,
        2,
        [2, 1],
    )
    assert seats.fit is Fit.WRONG  # a number in quotes is a text


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("name", ["measure", "key", "check", "rows", "nulls"])
def test_a_column_may_be_called_as_anything_that_is_counted(tmp_path: Path, name: str, exact: bool) -> None:
    table = pa.table({name: ["a", "bbb", "cc", "a"], "b": [1, None, None, 4]})
    pq.write_table(table, tmp_path / "t.parquet")
    rules = (Rule(RuleKind.LONGEST, 1), Rule(RuleKind.LONGEST, 2))
    columns = (Column(name, Kind.STRING, rules, unique=True), Column("b", Kind.INTEGER))
    measures = (Measure(Metric.NULLS, Bounds(most=0), columns=("b",)),)
    found = scan(tmp_path / "t.parquet", Contract("c", "1.0.0", columns, measures=measures), shown="t", exact=exact)
    found.close()
    (first, _), (key,), (measure,) = found.counts.columns, found.counts.keys, found.counts.measures
    assert [(one.rule, one.rows, [row.value for row in one.examples]) for one in first.broken] == [
        (rules[0], 2, ["bbb", "cc"]),
        (rules[1], 1, ["bbb"]),
    ]
    assert (key.rows, [row.value for row in key.examples], measure.value) == (2, ["a", "a"], 2)


REFUSED = "^a{1001}$"
"""RE2 repeats nothing more than a thousand times; Python does, so that reading the contract lets it pass."""


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("values", [[], [None, None], ["a", None]], ids=["no row", "nothing", "texts"])
def test_whether_a_rule_can_be_judged_does_not_go_by_the_data(
    tmp_path: Path, values: list[str | None], exact: bool
) -> None:
    pq.write_table(pa.table({"a": pa.array(values, pa.string()), "b": ["x"] * len(values)}), tmp_path / "t.parquet")
    refused, kept = Rule(RuleKind.PATTERN, REFUSED), Rule(RuleKind.LONGEST, 0)
    columns = (Column("a", Kind.STRING, (refused, kept)), Column("b", Kind.STRING, (kept,)))
    found = scan(tmp_path / "t.parquet", Contract("c", "1.0.0", columns), shown="t", exact=exact)
    found.close()
    first, second = found.counts.columns
    assert [rule for rule, _ in first.unjudgeable] == [refused]
    assert (first.invalid, second.invalid) == (sum(one is not None for one in values), len(values))


@pytest.mark.parametrize("exact", [False, True])
def test_a_measure_that_the_engine_refuses_hides_nothing_else(tmp_path: Path, exact: bool) -> None:
    pq.write_table(pa.table({"a": ["x", "yy", None]}), tmp_path / "t.parquet")
    nul, pattern = Rule(RuleKind.ONE_OF, ("x\0",)), Rule(RuleKind.PATTERN, REFUSED)
    measures = tuple(
        Measure(metric, Bounds(most=0), columns=("a",), **rest)
        for metric, rest in (
            (Metric.INVALID, {"rules": (nul,)}), (Metric.INVALID, {"rules": (pattern,)}), (Metric.NULLS, {}),
            (Metric.MISSING, {"values": ("x\0",)}),
        )
    )  # fmt: skip
    columns = (Column("a", Kind.STRING, (Rule(RuleKind.LONGEST, 1),)),)
    found = scan(
        tmp_path / "t.parquet", Contract("c", "1.0.0", columns, measures=measures), shown="t", exact=exact
    ).counts
    assert [one.value for one in found.measures] == [None, None, 1, None]
    assert [one.cause is None for one in found.measures] == [False, False, True, False]
    assert found.columns[0].invalid == 1


@pytest.mark.parametrize("stored", [pa.uint8(), pa.uint64(), pa.int64(), pa.float64()], ids=str)
def test_of_a_promised_decimal_every_number_must_fit(stored: pa.DataType) -> None:
    described = column("a", "integer", physicalType="decimal(2,0)")
    count = one(pa.array([1, 99, 100, None], stored), described)
    assert (count.fit, count.misfits) == (Fit.WRONG, 1)
