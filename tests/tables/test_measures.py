"""Measures over whole tables, held against pandas; the author's own SQL, which can read the table and nothing else."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from release_gate.contracts.contract import Bounds, Column, Contract, Kind, Measure, Metric, Policy, Rule, RuleKind
from release_gate.contracts.counts import Measured
from release_gate.contracts.standards.quality_arguments import missing
from release_gate.tables.embedded import Embedded
from release_gate.tables.opening import open_files
from release_gate.tables.scan import scanned

NOW = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
NONE = Bounds(most=0)
COLUMNS = (Column("a", Kind.INTEGER), Column("b", Kind.STRING), Column("at", Kind.TIMESTAMP))
SET = (Rule(RuleKind.ONE_OF, ("x", "y")),)


def measured(table: pa.Table, *measures: Measure) -> list[Measured]:
    columns = tuple(column for column in COLUMNS if column.name in table.schema.names)
    opened = Embedded().arrow(table, ["t"], table.schema)
    return list(scanned(opened, Contract("c", "1.0.0", columns, measures=measures), "t", now=NOW).counts.measures)


def value(table: pa.Table, metric: Metric, **rest: Any) -> float | None:
    (found,) = measured(table, Measure(metric, NONE, **rest))
    return found.value


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.none() | st.integers(0, 3), st.none() | st.sampled_from(["x", "y", "z", ""])), max_size=12)
)
def test_measures_are_what_pandas_counts(rows: list[tuple[Any, Any]]) -> None:
    table = pa.table(
        {"a": pa.array([a for a, _ in rows], pa.int64()), "b": pa.array([b for _, b in rows], pa.string())}
    )
    frame = table.to_pandas().astype({"a": "Int64"})
    nulls, pairs = int(frame["b"].isna().sum()), frame.dropna()
    assert value(table, Metric.ROWS) == len(frame)
    assert value(table, Metric.NULLS, columns=("b",)) == nulls
    if len(frame):
        assert value(table, Metric.NULLS, columns=("b",), share=True) == pytest.approx(100 * nulls / len(frame))
    missing = int((frame["b"].isna() | frame["b"].isin(["", "z"])).sum())
    assert value(table, Metric.MISSING, columns=("b",), values=(None, "", "z")) == missing
    invalid = int((frame["b"].notna() & ~frame["b"].isin(["x", "y"])).sum())
    assert value(table, Metric.INVALID, columns=("b",), rules=SET) == invalid
    absent = 2 - frame["b"][frame["b"].isin(["x", "z"])].nunique()
    assert value(table, Metric.ABSENT, columns=("b",), values=("x", "z")) == absent
    present = frame["a"].dropna()
    assert value(table, Metric.DUPLICATES, columns=("a",)) == len(present) - present.nunique()
    assert value(table, Metric.DUPLICATES, columns=("a", "b")) == int(pairs.duplicated().sum())


def test_the_age_is_that_of_the_newest_row() -> None:
    moments = [dt.datetime(2026, 1, 1, 12), None, dt.datetime(2025, 1, 1)]  # noqa: DTZ001 - no zone meant
    for kind in (pa.timestamp("us"), pa.timestamp("ns"), pa.timestamp("s", "Europe/Oslo")):
        assert value(pa.table({"at": pa.array(moments, kind)}), Metric.AGE, columns=("at",)) == 12 * 3600
    (found,) = measured(
        pa.table({"at": pa.array([None], pa.timestamp("us"))}), Measure(Metric.AGE, NONE, columns=("at",))
    )
    assert (found.value, found.cause) == (None, "not one row has a time")
    (found,) = measured(pa.table({"a": [1]}), Measure(Metric.AGE, NONE, columns=("a",)))
    assert found.value is None


def test_a_measure_of_a_column_that_is_not_there_has_no_number() -> None:
    (found,) = measured(pa.table({"a": [1]}), Measure(Metric.NULLS, NONE, columns=("b",)))
    assert (found.value, found.cause) == (None, "the table has no column 'b', or has it twice")


def queried(tmp_path: Path, text: str, **rest: Any) -> Measured:
    pq.write_table(pa.table({"a": [1, 2, None], 'b"c': ["x", "y", "z"]}), tmp_path / "t.parquet")
    measure = Measure(Metric.QUERY, NONE, query=text, **rest)
    opened = open_files(tmp_path / "t.parquet", "t.parquet")
    columns = (Column("a", Kind.INTEGER), Column('b"c', Kind.STRING))
    (found,) = scanned(opened, Contract("c", "1.0.0", columns, measures=(measure,)), "t").counts.measures
    opened.close()
    return found


def test_a_query_of_the_author_gives_one_number(tmp_path: Path) -> None:
    assert queried(tmp_path, "SELECT count(*) FROM {table} WHERE a > 1").value == 1
    assert queried(tmp_path, "SELECT count({column}) FROM {table}", columns=("a",)).value == 2
    assert queried(tmp_path, "SELECT count({column}) FROM {table}", columns=('b"c',)).value == 3
    for text in ("SELECT a FROM {table}", "SELECT 'x'", "SELECT a, 1 FROM {table} LIMIT 1", "SELECT nothing"):
        found = queried(tmp_path, text)
        assert found.value is None
        assert found.cause


@pytest.mark.parametrize(
    "text", ["SELECT 0.0 / 0", "SELECT 'nan'::FLOAT", "SELECT a - a FROM (SELECT 'inf'::DOUBLE a)"]
)
def test_a_query_that_gives_nan_gives_no_number(tmp_path: Path, text: str) -> None:
    found = queried(tmp_path, f"{text} + 0 * count(*) FROM {{table}}" if "FROM" not in text else text)
    assert (found.value, found.cause) == (None, "it gives no number")


def test_missing_values_of_which_none_can_be_looked_for_have_no_number() -> None:
    (found,) = measured(pa.table({"a": [1]}), Measure(Metric.MISSING, NONE, columns=("a",)))
    assert (found.value, found.cause) == (None, "there is no value to look for")


def test_words_for_no_number_are_counted_where_a_file_writes_them(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,x\nN/A,y\nNaN,z\nnan,z\nNA,z\nNULL,z\nnull,z\n,z\n")
    for words in (["N/A"], ["NA", "NULL", "null", "NaN", "nan", ""]):
        values = missing({"missingValues": words}, Kind.INTEGER)
        measure = Measure(Metric.MISSING, NONE, columns=("a",), values=tuple(values))
        opened = open_files(tmp_path / "t.csv", "t.csv")
        (found,) = scanned(opened, Contract("c", "1.0.0", COLUMNS[:2], measures=(measure,)), "t").counts.measures
        opened.close()
        assert found.value == 7


@pytest.mark.parametrize("sensitive", [False, True])
def test_what_the_engine_says_of_a_query_quotes_no_value_where_a_column_is_sensitive(
    tmp_path: Path, *, sensitive: bool
) -> None:
    pq.write_table(pa.table({"mail": ["ann@example.org"]}), tmp_path / "t.parquet")
    columns = (Column("mail", Kind.STRING, policy=Policy(sensitive=sensitive)),)
    texts = ("SELECT sum(mail::INTEGER) FROM {table}", "COPY {table} TO 'x.csv'", "SELECT mail FROM {table} WHERE 1=0")
    measures = tuple(Measure(Metric.QUERY, NONE, query=text) for text in texts)
    opened = open_files(tmp_path / "t.parquet", "t.parquet")
    failing, writing, none = scanned(opened, Contract("c", "1.0.0", columns, measures=measures), "t").counts.measures
    opened.close()
    assert ("ann@example.org" in (failing.cause or "")) is not sensitive
    assert ("ConversionException" in (failing.cause or "")) is sensitive
    # What no value can be in is told either way.
    assert writing.cause == "it is not one SELECT, and a contract only reads"
    assert none.cause == "it gives 0 rows, and one value is needed"


def test_a_query_sees_text_as_the_contract_reads_it(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("km,day,name\n9.99,2024-01-01,b\n34.24,2024-01-02,a\n,2023-12-31,NA\n")
    columns = (Column("km", Kind.NUMBER), Column("day", Kind.DATE), Column("name", Kind.STRING))
    asked = {
        "SELECT max(km) FROM {table}": 34.24,
        "SELECT avg(km) FROM {table}": (9.99 + 34.24) / 2,
        "SELECT count(*) FROM {table} WHERE day >= DATE '2024-01-01'": 2,
        "SELECT count(*) FROM {table} WHERE name = 'NA'": 1,
    }
    measures = tuple(Measure(Metric.QUERY, NONE, query=text) for text in asked)
    opened = open_files(tmp_path / "t.csv", "t.csv")
    found = scanned(opened, Contract("c", "1.0.0", columns, measures=measures), "t").counts.measures
    opened.close()
    assert [one.value for one in found] == pytest.approx([*asked.values()])


@pytest.mark.parametrize(
    "text",
    [
        "SELECT count(*) FROM read_csv('{folder}/secret.csv')",
        "SELECT count(*) FROM read_text('/etc/hostname')",
        "SELECT count(*) FROM '{folder}/secret.csv'",
        "COPY (SELECT 1) TO '{folder}/out.csv'",
        "ATTACH '{folder}/x.db'",
        "SET enable_external_access = true",
        "INSTALL httpfs",
        "CREATE TABLE x AS SELECT 1",
    ],
)
def test_a_query_reads_the_table_and_nothing_else(tmp_path: Path, text: str) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n")
    found = queried(tmp_path, text.replace("{folder}", str(tmp_path)))
    assert found.value is None
    assert sorted(one.name for one in tmp_path.iterdir()) == ["secret.csv", "t.parquet"]


def test_a_share_of_nothing_is_no_number() -> None:
    (found,) = measured(
        pa.table({"b": pa.array([], pa.string())}), Measure(Metric.NULLS, NONE, columns=("b",), share=True)
    )
    assert found.value is not None
    assert not math.isnan(found.value)


@pytest.mark.parametrize("kind", [pa.timestamp("us"), pa.timestamp("ns"), pa.timestamp("s", "UTC")])
def test_rows_from_the_future_tell_no_age(kind: pa.DataType) -> None:
    moments = [dt.datetime(2199, 1, 1), dt.datetime(2026, 1, 1), None]  # noqa: DTZ001 - no zone meant
    age = Measure(Metric.AGE, NONE, columns=("at",))
    (found,) = measured(pa.table({"at": pa.array(moments, kind)}), age)
    assert (found.value, found.ahead) == (86_400, 1)
    (found,) = measured(pa.table({"at": pa.array(moments[:1], kind)}), age)
    assert (found.value, found.cause, found.ahead) == (None, "no row's time has come yet", 1)


def test_a_clock_a_little_ahead_and_a_day_that_began_in_the_east_are_now() -> None:
    (found,) = measured(
        pa.table({"at": pa.array([dt.datetime(2026, 1, 2, 0, 59)], pa.timestamp("us"))}),  # noqa: DTZ001
        Measure(Metric.AGE, NONE, columns=("at",)),
    )
    assert (found.value, found.ahead) == (-59 * 60, 0)
    table = pa.table({"day": [dt.date(2026, 1, 3), dt.date(2026, 1, 2)]})
    described = Contract(
        "c", "1.0.0", (Column("day", Kind.DATE),), measures=(Measure(Metric.AGE, NONE, columns=("day",)),)
    )
    for now, ahead in ((NOW.replace(hour=9), 1), (NOW.replace(hour=11), 0)):
        opened = Embedded().arrow(table, ["t"], table.schema)
        (found,) = scanned(opened, described, "t", now=now).counts.measures
        assert found.ahead == ahead


def test_the_age_of_moments_without_zone_is_told_in_theirs() -> None:
    table = pa.table({"at": [dt.datetime(2026, 1, 2, 8)]})  # noqa: DTZ001 - no zone meant
    for zone, hours in (("Asia/Tokyo", 1), ("Europe/Oslo", -7), (None, -8)):
        (found,) = measured(table, Measure(Metric.AGE, NONE, columns=("at",), zone=zone))
        if hours > 0:
            assert found.value == hours * 3600
        else:
            assert (found.value, found.ahead) == (None, 1)


def test_a_name_that_a_query_has_wrong_is_told_though_a_column_is_sensitive(tmp_path: Path) -> None:
    pq.write_table(pa.table({"b": ["secret@example.com"]}), tmp_path / "t.parquet")
    secret = Contract(
        "c", "1.0.0", (Column("b", Kind.STRING, policy=Policy(sensitive=True)),),
        measures=(Measure(Metric.QUERY, NONE, query="SELECT max(nosuch) FROM {table}"),),
    )  # fmt: skip
    found = scanned(open_files(tmp_path / "t.parquet", "t.parquet"), secret, "t")
    found.close()
    (measure,) = found.counts.measures
    assert measure.cause is not None
    assert "nosuch" in measure.cause
    assert "secret" not in measure.cause
