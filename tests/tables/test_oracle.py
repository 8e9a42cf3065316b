"""The scan against pandera on pandas: schemas and tables at random, compared check by check and row by row."""

from __future__ import annotations

import datetime as dt
import math
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from release_gate.contracts.contract import Column, Contract, Kind, OnInvalid, OnNull, Policy, Rule, RuleKind
from release_gate.contracts.counts import Counts, Fit
from release_gate.tables import ahead, repetition
from release_gate.tables.embedded import Embedded
from release_gate.tables.opening import open_files
from release_gate.tables.samples import EXAMPLES
from release_gate.tables.scan import scanned
from tests.tables import as_pandera

NAMES = (
    "a",
    "A",
    'quo"te',
    "o'neill",
    "",
    " blank ",
    "ä",
    "select",
    "c0",
    "row_number_in_file",
    "{table}",
    "x;y",
    "日本",
)
RANGES = (RuleKind.AT_LEAST, RuleKind.ABOVE, RuleKind.AT_MOST, RuleKind.BELOW)
SETS = (RuleKind.ONE_OF, RuleKind.NONE_OF)
TEXTS = ["", "a", "A", "ab", "abc", "AB\n", "ÆØ", "e\u0301", "🛫", "a b", "%", "_", "\\", "'", '"', "NULL", "nan", "7"]
PATTERNS = ["^[A-Z]{2}$", "b", "^a", "c$", "^$", "[ab]+", "^.$", r"^\\$", "ø|Ø"]
BIG = [-(2**63), -(2**53) - 1, -1, 0, 1, 2, 7, 2**53, 2**53 + 1, 2**63 - 1]
FLOATS = [-math.inf, -1e308, -1.5, -0.0, 0.0, 0.1, 0.3, 1.0, 1.5, 2.0**53, 1e308, math.inf]
DAYS = ["1900-02-28", "1999-12-31", "2000-02-29", "2020-01-01", "2038-01-19"]
MOMENTS = [f"{day}T{clock}" for day in DAYS[1:] for clock in ("00:00:00", "02:30:00", "23:59:59.999999")]
ZONED = [f"{one}+00:00" for one in MOMENTS]
CLOCKS = ["00:00:00", "00:00:01", "12:30:00", "23:59:59.999999"]
DECIMALS = ["-1.50", "0.00", "0.10", "0.20", "0.30", "12345678901234.56"]


@dataclass(frozen=True)
class Sort:
    """One kind of column: how it is stored, the values it may hold, and the bounds rules take."""

    kind: Kind
    stored: pa.DataType
    values: list[Any]
    bounds: list[Any]
    rules: tuple[RuleKind, ...] = RANGES + SETS


def moment(text: str, zone: dt.tzinfo | None = None) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=zone)


SORTS = [
    Sort(Kind.STRING, pa.string(), TEXTS, TEXTS, (*SETS, RuleKind.STARTS_WITH, RuleKind.ENDS_WITH)),
    Sort(Kind.STRING, pa.large_string(), TEXTS, PATTERNS, (RuleKind.PATTERN,)),
    Sort(Kind.STRING, pa.dictionary(pa.int32(), pa.string()), TEXTS, TEXTS, SETS),
    Sort(Kind.STRING, pa.string(), TEXTS, [0, 1, 2, 3], (RuleKind.SHORTEST, RuleKind.LONGEST)),
    Sort(Kind.INTEGER, pa.int64(), BIG, BIG),
    Sort(Kind.INTEGER, pa.int8(), [-128, -1, 0, 1, 127], [-128, -1, 0, 1, 127]),
    Sort(Kind.INTEGER, pa.uint64(), [0, 1, 2**53 + 1, 2**64 - 1], [0, 1, 2**53, 2**53 + 1]),
    Sort(Kind.NUMBER, pa.int32(), [-5, 0, 5], [-5, -0.5, 0, 0.5, 5]),
    Sort(Kind.NUMBER, pa.float64(), [*FLOATS, math.nan], [bound for bound in FLOATS if math.isfinite(bound)]),
    Sort(Kind.NUMBER, pa.float32(), [-1.5, 0.0, 0.5, math.inf, math.nan], [-1.5, 0.0, 0.5, 1.0]),
    Sort(Kind.NUMBER, pa.decimal128(16, 2), [Decimal(one) for one in DECIMALS], [-1.5, 0, 0.1, 0.3]),
    Sort(Kind.BOOLEAN, pa.bool_(), [True, False], [True, False], SETS),
    Sort(Kind.DATE, pa.date32(), [dt.date.fromisoformat(day) for day in DAYS], DAYS),
    Sort(Kind.TIMESTAMP, pa.timestamp("us"), [moment(text) for text in MOMENTS], MOMENTS),
    Sort(Kind.TIMESTAMP, pa.timestamp("ns"), [moment(text) for text in MOMENTS], MOMENTS),
    Sort(Kind.TIMESTAMP, pa.timestamp("ms", "UTC"), [moment(text, dt.UTC) for text in MOMENTS], ZONED),
    Sort(Kind.TIME, pa.time64("us"), [dt.time.fromisoformat(clock) for clock in CLOCKS], CLOCKS),
]  # fmt: skip


@st.composite
def rules(draw: st.DrawFn, sort: Sort) -> tuple[Rule, ...]:
    found = []
    for kind in draw(st.lists(st.sampled_from(sort.rules), max_size=4, unique=True)):
        if kind in SETS:
            found.append(Rule(kind, tuple(draw(st.lists(st.sampled_from(sort.bounds), min_size=1, max_size=4)))))
        else:
            found.append(Rule(kind, draw(st.sampled_from(sort.bounds))))
    return tuple(found)


@st.composite
def cases(draw: st.DrawFn) -> tuple[pa.Table, Contract]:
    """A table and a contract on it."""
    rows = draw(st.integers(0, 12))
    sorts = draw(st.lists(st.sampled_from(SORTS), min_size=1, max_size=4))
    names = draw(st.permutations(NAMES))[: len(sorts)]
    columns, stored = [], []
    for name, sort in zip(names, sorts, strict=True):
        held = st.none() | st.sampled_from(sort.values) if draw(st.booleans()) else st.sampled_from(sort.values)
        given_values = draw(st.lists(held, min_size=rows, max_size=rows))
        stored.append(pa.array(given_values, sort.stored))
        on_null = draw(st.sampled_from([OnNull.REJECT, OnNull.KEEP]))
        policy = Policy(on_null, OnInvalid.REJECT)
        columns.append(Column(name, sort.kind, draw(rules(sort)), policy, unique=draw(st.booleans())))
    key = tuple(names[: draw(st.integers(0, min(2, len(names))))])
    table = pa.Table.from_arrays(stored, names=list(names))
    return table, Contract("made", "1.0.0", tuple(columns), key=key)


@pytest.fixture(autouse=True, scope="module")
def texts_are_grouped() -> Iterator[None]:
    """In small tables too, so that they are judged so here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ahead, "FEWEST_ROWS", 0)
        patch.setattr(repetition, "FEWEST_ROWS", 0)
        patch.setattr(repetition, "SHARE", 0.01)
        yield


@contextmanager
def counted(table: pa.Table, contract: Contract, way: str) -> Iterator[Counts]:
    """What the scan counts: of Arrow, of Parquet by its footers, or of Parquet without them."""
    if way == "arrow":
        opened = Embedded().arrow(table, ["t"], table.schema)
        yield scanned(opened, contract, "t").counts
        opened.close()
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.parquet"
        pq.write_table(table, path, row_group_size=5)
        relation = open_files(path, "t", contract=None if way == "exact" else contract)
        yield scanned(relation, contract, "t", exact=way == "exact").counts
        relation.close()


@pytest.mark.parametrize("way", ["arrow", "footers", "exact"])
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(cases())
def test_every_check_fails_on_the_rows_that_pandera_names(way: str, case: tuple[pa.Table, Contract]) -> None:
    table, contract = case
    with counted(table, contract, way) as counts:
        assert counts.rows == table.num_rows
        for count, column in zip(counts.columns, contract.columns, strict=True):
            assert count.fit is Fit.FITS, (count.found, column.kind)
            assert count.unjudgeable == ()
            _agree(counts, count, column, table)
        for key in counts.keys:
            expected = as_pandera.shared_rows(key.columns, table)
            assert (key.rows, [one.row for one in key.examples]) == (len(expected), expected[:EXAMPLES]), key.columns


def _agree(counts: Counts, count: Any, column: Column, table: pa.Table) -> None:
    missing = as_pandera.null_rows(column, table)
    assert count.nulls == len(missing)
    if column.policy.on_null is OnNull.REJECT:
        assert [one.row for one in count.null_examples] == missing[:EXAMPLES]
    broken = {one.rule: one for one in count.broken}
    union: set[int] = set()
    for rule in column.rules:
        expected = as_pandera.failing_rows(column, rule, table)
        union |= set(expected)
        found = broken.pop(rule, None)
        assert (found.rows if found else 0) == len(expected), (str(rule), table.column(column.name))
        assert ([one.row for one in found.examples] if found else []) == expected[:EXAMPLES]
    assert not broken
    assert count.invalid == len(union)
