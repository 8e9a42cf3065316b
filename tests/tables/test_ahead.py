"""What is asked before rules are compiled, against numpy and plain Python; what it leaves unknown is counted."""

from __future__ import annotations

import datetime as dt
import math
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from release_gate.contracts.contract import Column, Contract, Kind, Rule, RuleKind
from release_gate.tables import ahead, repetition
from release_gate.tables.ahead import Ahead, Field, Sought, Text
from release_gate.tables.embedded import Embedded
from release_gate.tables.scan import scan, scanned

CONTRACT = """
apiVersion: v3.1.0
kind: DataContract
id: flights
name: flights
version: 1.0.0
status: active
customProperties: [{property: owner, value: '@octo-air'}]
schema:
- name: flights
  properties:
  - name: id
    logicalType: string
    required: true
    unique: true
    logicalTypeOptions: {pattern: '^[a-z]+$', maxLength: 3}
    customProperties: &said
    - {property: onNull, value: reject}
    - {property: onInvalid, value: reject}
    - {property: backfill, value: Exported again by octo-air}
  - {name: km, logicalType: number, logicalTypeOptions: {minimum: 0, maximum: 10}, customProperties: *said}
  - {name: day, logicalType: date, logicalTypeOptions: {minimum: '2020-01-01'}, customProperties: *said}
"""
WHOLE = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]


def opened(
    path: Path, column: Any, kind: Kind, *rules: Rule, unique: bool = False, memory: int | None = None
) -> Embedded:
    file = path / "t.parquet"
    pq.write_table(pa.table({"a": column}), file, row_group_size=50)
    contract = Contract("made", "1.0.0", (Column("a", kind, rules, unique=unique),))
    return Embedded(memory, contract=contract).parquet({str(file): "t.parquet"})


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
    assert counted == {"c0": len(here)}


KEYS: dict[str, Any] = {
    "sparse": [1, 2**40, None, 1],
    "text": ["a", "A", "", None, "a"],
    "day": [dt.date(2020, 1, 1), None, dt.date(2020, 1, 1)],
    "uuid": pa.array([uuid.UUID(int=1).bytes, uuid.UUID(int=2).bytes, None], pa.uuid()),
    "local moment": [dt.datetime(2020, 1, 1), dt.datetime(2020, 1, 1), None],  # noqa: DTZ001 - no zone meant
    "moment": [dt.datetime(2020, 1, 1, tzinfo=dt.UTC), dt.datetime(2020, 1, 2, tzinfo=dt.UTC)],
    "none": pa.array([None, None], pa.int64()),
}


@pytest.mark.parametrize("memory", [None, 200_000_000], ids=["free", "limited"])
@pytest.mark.parametrize("name", KEYS)
def test_values_of_a_key_of_any_type_are_counted(tmp_path: Path, name: str, memory: int | None) -> None:
    values: Any = pa.array(KEYS[name])
    relation = opened(tmp_path, values, Kind.STRING, unique=True, memory=memory)
    counted = {"c0": len({one for one in values.to_pylist() if one is not None})}
    # Texts may be of any length, so that within a limit of memory they are left to groups that go to disk.
    assert relation.counted().distinct == ({} if memory and name == "text" else counted)
    relation.close()


def test_within_a_limit_many_sparse_values_are_left_to_groups_that_go_to_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "SMALL", 3)
    for memory, found in ((None, {"c0": 4}), (200_000_000, {})):
        relation = opened(tmp_path, pa.array([1, 10**6, 10**9, 10**12]), Kind.INTEGER, unique=True, memory=memory)
        assert relation.counted().distinct == found
        relation.close()


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


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is asked ahead, in SQL."""
    told: list[str] = []

    def ask(self: Ahead, text: str) -> Any:
        told.append(text)
        return unheard(self, text)

    unheard = Ahead._asked
    monkeypatch.setattr(Ahead, "_asked", ask)
    return told


def grouped(asked: list[str]) -> int:
    """How many columns had each of their texts judged once."""
    return max((text.count("GROUP BY c") for text in asked), default=0)


RULES: dict[Rule, Callable[[str], bool]] = {
    Rule(RuleKind.LONGEST, 2): lambda text: len(text) <= 2,
    Rule(RuleKind.SHORTEST, 2): lambda text: len(text) >= 2,
    Rule(RuleKind.ONE_OF, ("1é", "it's", 7)): lambda text: text in {"1é", "it's"},
    Rule(RuleKind.NONE_OF, ("1é", "2é")): lambda text: text not in {"1é", "2é"},
    Rule(RuleKind.PATTERN, "^[0-2]"): lambda text: text[:1] in {"0", "1", "2"},
    Rule(RuleKind.PATTERN, "^[0-9]{1}x$"): lambda text: text in {"3x", "4x"},
    Rule(RuleKind.STARTS_WITH, "it'"): lambda text: text.startswith("it'"),
    Rule(RuleKind.ENDS_WITH, "é"): lambda text: text.endswith("é"),
}


@pytest.mark.parametrize("fewest", [0, 10**6], ids=["each text once", "row by row"])
def test_rules_on_texts_are_judged_ahead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: list[str], fewest: int
) -> None:
    monkeypatch.setattr(ahead, "FEWEST_ROWS", fewest)
    choices = [None, "", "0é", "1é", "2é", "3x", "4x", "it's", "longer"]
    values = [choices[row * row % len(choices)] for row in range(500)] + choices
    relation = opened(tmp_path, pa.array(values), Kind.STRING, *RULES)
    found = relation.counted().broken
    relation.close()
    assert grouped(asked) == (fewest == 0)
    here = [one for one in values if one is not None]
    assert found == {
        ("a", place): sum(1 for text in here if not keeps(text)) for place, keeps in enumerate(RULES.values())
    }


@pytest.mark.usefixtures("few_rows")
def test_of_many_columns_of_texts_some_are_grouped_and_all_are_judged(tmp_path: Path, asked: list[str]) -> None:
    names = [f"a{place}" for place in range(ahead.MOST_TEXTS + 8)]
    table = pa.table({name: [f"{'x' * place}{row % 3}" for row in range(200)] for place, name in enumerate(names)})
    pq.write_table(table, tmp_path / "t.parquet")
    rules = (Rule(RuleKind.LONGEST, 35),)
    contract = Contract("made", "1.0.0", tuple(Column(name, Kind.STRING, rules) for name in names))
    relation = Embedded(contract=contract).parquet({str(tmp_path / "t.parquet"): "t"})
    found = scanned(relation, contract, "t")
    found.close()
    assert grouped(asked) == ahead.MOST_TEXTS
    assert [one.invalid for one in found.counts.columns] == [0] * 35 + [200] * (len(names) - 35)


@pytest.mark.usefixtures("few_rows")
def test_one_part_without_a_dictionary_is_enough_not_to_group(tmp_path: Path, asked: list[str]) -> None:
    contract = Contract("made", "1.0.0", (Column("a", Kind.STRING, (Rule(RuleKind.LONGEST, 3),)),))
    files = {}
    for number, dictionary in enumerate((True, False)):
        file = tmp_path / f"{number}.parquet"
        pq.write_table(pa.table({"a": ["x", "y"] * 50}), file, use_dictionary=dictionary)
        files[str(file)] = file.name
    relation = Embedded(contract=contract).parquet(files)
    assert relation.counted().broken == {("a", 0): 0}
    relation.close()
    assert grouped(asked) == 0


@pytest.mark.usefixtures("few_rows")
@pytest.mark.parametrize("dictionary", [True, False])
def test_texts_that_hardly_repeat_are_judged_row_by_row(tmp_path: Path, asked: list[str], dictionary: bool) -> None:
    import random

    draw = random.Random(1)
    # So alike that packed they take no room: their dictionary overflows all the same.
    texts = pa.array([f"{draw.getrandbits(200):x}" * 6 for _ in range(5_000)])
    pq.write_table(pa.table({"a": texts}), tmp_path / "t.parquet", use_dictionary=dictionary, compression="zstd")
    rules = (Rule(RuleKind.PATTERN, "^[0-9a-f]+$"), Rule(RuleKind.LONGEST, 10))
    contract = Contract("made", "1.0.0", (Column("a", Kind.STRING, rules),))
    found = scan(tmp_path / "t.parquet", contract, shown="t")
    found.close()
    assert grouped(asked) == 0
    (broken,) = found.counts.columns[0].broken
    assert (broken.rule, broken.rows) == (rules[1], 5_000)


@pytest.mark.usefixtures("few_rows")
@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize(("pattern", "different", "once"), [("^a+$", 50, 1), ("^a+$", 5_000, 0), ("^a[0-9]$", 50, 0)])
def test_two_looks_tell_whether_a_regular_expression_judges_each_text_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: list[str], parts: int, pattern: str, *, different: int,
    once: int,
) -> None:  # fmt: skip
    monkeypatch.setattr(repetition, "FEWEST_ROWS", 1)
    draw = np.random.default_rng(1)
    files, broken = {}, 0
    for part in range(parts):
        texts = ["a" if one % 5 else f"a{one:_>40}" for one in draw.integers(0, different, 6_000).tolist()]
        texts = [f"{text}{place}" if different > 50 and text == "a" else text for place, text in enumerate(texts)]
        broken += sum(1 for text in texts if not re.search(pattern, text))
        file = tmp_path / f"{part}.parquet"
        pq.write_table(pa.table({"a": [*texts, None]}), file, use_dictionary=False)
        files[str(file)] = file.name
    contract = Contract("made", "1.0.0", (Column("a", Kind.STRING, (Rule(RuleKind.PATTERN, pattern),)),))
    relation = Embedded(contract=contract).parquet(files)
    assert relation.counted().broken == {("a", 0): broken}
    relation.close()
    assert max((text.count("GROUP BY c0") for text in asked), default=0) == once


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
    texts = tuple(Text("c0", ((("a", 0), Rule(RuleKind.LONGEST, 1)),), few=few) for few in (True, False))
    wanted = Sought((Field("a", "c0", "BIGINT"),), ("c0",), (Field("a", "c0", "BIGINT"),), texts)
    with_no_table = Ahead(duckdb.connect(), "nowhere", wanted)
    with_no_table.begin()
    assert (with_no_table.known().rows, with_no_table.known().ends) == (None, {})
    assert (with_no_table.counted().distinct, with_no_table.counted().broken) == ({}, {})
    with_no_table.stop()


def test_closed_before_it_began_it_never_begins() -> None:
    Ahead(duckdb.connect(), "nowhere", Sought()).stop()


PLAIN = """
import sys
from release_gate.cli import main
try:
    main()
finally:
    print([name for name in ("ibis", "sqlglot", "pyarrow", "pandas", "numpy") if name in sys.modules], file=sys.stderr)
"""


def test_a_table_that_keeps_its_contract_needs_nothing_that_compiles(tmp_path: Path) -> None:
    table = pa.table({"id": ["a", "b"], "km": [1.5, 0.0], "day": [dt.date(2020, 1, 1)] * 2})
    pq.write_table(table, tmp_path / "t.parquet")
    (tmp_path / "t.odcs.yaml").write_text(CONTRACT)
    asked = ["schema-check", "--contract", "t.odcs.yaml", "--data", "t.parquet"]
    done = subprocess.run(
        [sys.executable, "-c", PLAIN, *asked], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr.splitlines()[-1]) == (0, "[]"), done.stdout + done.stderr
