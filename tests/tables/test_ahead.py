"""What is asked before rules are compiled, against numpy and plain Python; what it leaves unknown is counted."""

from __future__ import annotations

import math
import time
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from release_gate.contracts.contract import Column, Contract, Kind, Rule, RuleKind
from release_gate.tables import ahead
from release_gate.tables.ahead import Ahead, Field, Sought
from release_gate.tables.embedded import Embedded
from release_gate.tables.relation import TIMES
from release_gate.tables.scan import scan, scanned

WHOLE = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]


def opened(path: Path, column: Any, kind: Kind, *rules: Rule, unique: bool = False) -> Embedded:
    file = path / "t.parquet"
    pq.write_table(pa.table({"a": column}), file, row_group_size=50)
    contract = Contract("made", "1.0.0", (Column("a", kind, rules, unique=unique),))
    return Embedded(contract=contract).parquet({str(file): "t.parquet"})


def edges(kind: pa.DataType) -> tuple[int, int]:
    bits = kind.bit_width
    return (0, 2**bits - 1) if pa.types.is_unsigned_integer(kind) else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


@settings(max_examples=50)
@given(
    kind=st.sampled_from(WHOLE),
    place=st.sampled_from(["least", "middle", "most"]),
    drawn=st.lists(st.none() | st.integers(0, 120), min_size=1, max_size=300),
)
def test_unique_numbers_are_counted_at_every_end_of_their_type(
    tmp_path_factory: pytest.TempPathFactory, kind: pa.DataType, place: str, drawn: list[int | None]
) -> None:
    least, most = edges(kind)
    first = {"least": least, "middle": max(least, -60), "most": most - 120}[place]
    values = [None if one is None else first + one for one in drawn]
    relation = opened(tmp_path_factory.mktemp("t"), pa.array(values, kind), Kind.INTEGER, unique=True)
    here = {one for one in values if one is not None}
    counted = relation.counted().distinct
    relation.close()
    sparse = here and max(here) - min(here) >= 16 * len(values)
    assert counted == ({} if sparse else {"c0": len(here)})


@pytest.mark.parametrize(
    ("values", "sure"),
    [
        ([1.5, None, 0.5], True),
        ([math.inf, 0.5], True),
        ([None, None], True),
        ([1.5, math.nan], False),
        ([math.nan], False),
        ([math.inf, -math.inf], False),  # their sum is NaN: not known, and so counted
    ],
)
@pytest.mark.parametrize("kind", [pa.float64(), pa.float32()], ids=str)
def test_a_look_shows_whether_floats_hold_nan(
    tmp_path: Path, kind: pa.DataType, values: list[float | None], sure: bool
) -> None:
    relation = opened(tmp_path, pa.array(values, kind), Kind.NUMBER, Rule(RuleKind.AT_LEAST, 0))
    (column,) = relation.shape.columns
    here = [one for one in values if one is not None]
    assert column.uncertain is not sure
    assert relation.shape.ends == ({"c0": (min(here), max(here)) if here else (None, None)} if sure else {})
    relation.close()


def test_a_float_without_nan_is_proven_and_with_one_it_is_counted(tmp_path: Path) -> None:
    contract = Contract("made", "1.0.0", (Column("a", Kind.NUMBER, (Rule(RuleKind.AT_LEAST, 0),)),))
    for values, proven, nulls in (([1.5, None], 1, 1), ([1.5, math.nan], 0, 1)):
        pq.write_table(pa.table({"a": pa.array(values, pa.float64())}), tmp_path / "t.parquet")
        found = scan(tmp_path / "t.parquet", contract, shown="t")
        found.close()
        assert found.counts.effort is not None
        assert (found.counts.effort.proven, found.counts.columns[0].nulls) == (proven, nulls)
        assert found.counts.columns[0].broken == ()


@pytest.fixture
def few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts of small tables are grouped too."""
    monkeypatch.setattr(ahead, "FEWEST_ROWS", 0)


@pytest.mark.usefixtures("few_rows")
def test_texts_that_repeat_are_grouped_with_the_rows_that_have_them(tmp_path: Path) -> None:
    values = [None if row % 7 == 0 else f"{row % 5}é" for row in range(500)]
    relation = opened(tmp_path, pa.array(values), Kind.STRING, Rule(RuleKind.LONGEST, 1))
    grouped = relation.counted().grouped
    assert grouped is not None
    found = dict(relation.rows(grouped.select("c0", TIMES)))
    relation.close()
    assert found == Counter(one for one in values if one is not None)


@pytest.mark.usefixtures("few_rows")
def test_of_many_columns_of_texts_some_are_grouped_and_all_are_judged(tmp_path: Path) -> None:
    names = [f"a{place}" for place in range(ahead.MOST_TEXTS + 8)]
    table = pa.table({name: [f"{'x' * place}{row % 3}" for row in range(200)] for place, name in enumerate(names)})
    pq.write_table(table, tmp_path / "t.parquet")
    rules = (Rule(RuleKind.LONGEST, 35),)
    contract = Contract("made", "1.0.0", tuple(Column(name, Kind.STRING, rules) for name in names))
    relation = Embedded(contract=contract).parquet({str(tmp_path / "t.parquet"): "t"})
    assert len(relation.counted().grouped.columns) == ahead.MOST_TEXTS + 1  # type: ignore[union-attr]
    found = scanned(relation, contract, "t")
    found.close()
    assert [one.invalid for one in found.counts.columns] == [0] * 35 + [200] * (len(names) - 35)


@pytest.mark.usefixtures("few_rows")
def test_one_part_without_a_dictionary_is_enough_not_to_group(tmp_path: Path) -> None:
    contract = Contract("made", "1.0.0", (Column("a", Kind.STRING, (Rule(RuleKind.LONGEST, 3),)),))
    files = {}
    for number, dictionary in enumerate((True, False)):
        file = tmp_path / f"{number}.parquet"
        pq.write_table(pa.table({"a": ["x", "y"] * 50}), file, use_dictionary=dictionary)
        files[str(file)] = file.name
    relation = Embedded(contract=contract).parquet(files)
    assert relation.counted().grouped is None
    relation.close()


@pytest.mark.usefixtures("few_rows")
@pytest.mark.parametrize("dictionary", [True, False])
def test_texts_that_hardly_repeat_are_judged_row_by_row(tmp_path: Path, dictionary: bool) -> None:
    import random

    draw = random.Random(1)
    # So alike that packed they take no room: their dictionary overflows all the same.
    texts = pa.array([f"{draw.getrandbits(200):x}" * 6 for _ in range(5_000)])
    pq.write_table(pa.table({"a": texts}), tmp_path / "t.parquet", use_dictionary=dictionary, compression="zstd")
    rules = (Rule(RuleKind.PATTERN, "^[0-9a-f]+$"), Rule(RuleKind.LONGEST, 10))
    contract = Contract("made", "1.0.0", (Column("a", Kind.STRING, rules),))
    relation = Embedded(contract=contract).parquet({str(tmp_path / "t.parquet"): "t"})
    assert relation.counted().grouped is None
    relation.close()
    found = scan(tmp_path / "t.parquet", contract, shown="t")
    found.close()
    (broken,) = found.counts.columns[0].broken
    assert (broken.rule, broken.rows) == (rules[1], 5_000)


def endless(wanted: Sought) -> Ahead:
    made = Ahead(duckdb.connect(), "(SELECT range AS c0, range / 2 AS c1 FROM range(1000000000000))", wanted)
    made.begin()
    return made


@pytest.mark.parametrize("wanted", [Sought(), Sought(floats=("c1",)), Sought((Field("a", "c0", "BIGINT"),))])
def test_closed_in_the_middle_it_ends_at_once(wanted: Sought) -> None:
    working = endless(wanted)
    time.sleep(0.2)
    began = time.monotonic()
    working.stop()
    assert time.monotonic() - began < 10  # of many minutes


def test_what_the_engine_refuses_is_unknown() -> None:
    with_no_table = Ahead(duckdb.connect(), "nowhere", Sought((Field("a", "c0", "BIGINT"),), ("c0",), (), ("c0",)))
    with_no_table.begin()
    assert (with_no_table.known().rows, with_no_table.known().ends) == (None, {})
    assert (with_no_table.counted().distinct, with_no_table.counted().texts) == ({}, ())
    with_no_table.stop()


def test_closed_before_it_began_it_never_begins() -> None:
    Ahead(duckdb.connect(), "nowhere", Sought()).stop()
