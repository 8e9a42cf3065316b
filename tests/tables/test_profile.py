"""A drafted contract passes on the data it was drafted from: that is what a profile is for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from release_gate.contracts.contract import Contract, Kind
from release_gate.contracts.infer import ColumnProfile, draft
from release_gate.contracts.judgement import data_findings
from release_gate.contracts.reading import read
from release_gate.documents import parse
from release_gate.findings import BadInput
from release_gate.tables.profile import profile
from release_gate.tables.scan import scan
from release_gate.verdict import Severity


def inferred(path: Path) -> Contract:
    return read(parse(draft(profile(path, path.name), path.name).encode(), "draft.yml")).contract


def blocking(path: Path) -> list[str]:
    contract = inferred(path)
    found = data_findings(contract, scan(path, contract, shown=path.name).counts)
    return [str(one) for one in found if one.severity is not Severity.NOTE]


TABLE = pa.table(
    {
        "id": ["a", "b", "c"],
        "whole": pa.array([1, None, -3], pa.int32()),
        "huge": pa.array([2**63, 1, 2], pa.uint64()),
        "real": [0.5, float("nan"), 1e9],
        "endless": [0.5, float("inf"), 1.0],
        "money": [Decimal("1.50"), None, Decimal("2.00")],
        "yes": [True, False, None],
        "day": [dt.date(2020, 1, 1), None, dt.date(2021, 1, 1)],
        "when": pa.array([0, 1, None], pa.timestamp("ms", "Europe/Oslo")),
        "clock": pa.array([0, 1, None], pa.time64("us")),
        "kind": pa.array(["no", "1e5", "no"]).dictionary_encode(),
        "list": [[1], None, [2]],
        "struct": [{"x": 1}, None, {"x": 2}],
    }
)


def test_a_draft_of_every_type_passes_on_its_data(tmp_path: Path) -> None:
    pq.write_table(TABLE, tmp_path / "t.parquet")
    assert blocking(tmp_path / "t.parquet") == []


def test_types_no_contract_describes_are_left_out_and_said(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1], "raw": [b"x"]}), tmp_path / "t.parquet")
    found = profile(tmp_path / "t.parquet", "t")
    assert ([one.name for one in found.columns], found.left_out) == (["a"], ("raw",))
    assert "# Left out, since no contract describes their types: raw" in draft(found, "t")


def test_a_column_without_any_value_is_text_that_may_be_missing(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1, 2], "none": pa.nulls(2)}), tmp_path / "t.parquet")
    assert profile(tmp_path / "t.parquet", "t").columns[1] == ColumnProfile("none", Kind.STRING, nulls=2)
    assert blocking(tmp_path / "t.parquet") == ["t.parquet, column none: column-all-null: not one row has a value"]


def test_texts_of_a_csv_file_are_profiled_as_they_will_be_read(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("n,r,d,t,b,s,m\n1,1.5,2020-01-01,2020-01-01 05:00:00,true,x,1\n,NA,,,,,2x\n")
    found = {one.name: (one.kind, one.nulls) for one in profile(tmp_path / "t.csv", "t").columns}
    assert found == {
        "n": (Kind.INTEGER, 1),
        "r": (Kind.NUMBER, 1),
        "d": (Kind.DATE, 1),
        "t": (Kind.TIMESTAMP, 1),
        "b": (Kind.BOOLEAN, 1),
        "s": (Kind.STRING, 1),
        "m": (Kind.STRING, 0),
    }
    assert blocking(tmp_path / "t.csv") == []


def test_what_cannot_be_read_as_its_type_makes_the_column_text(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("n\n1\n 2\n")
    assert profile(tmp_path / "t.csv", "t").columns[0].kind is Kind.STRING


def test_a_word_of_digits_is_no_number(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("code,zero,share\n007,0,0.5\n123,1,05.5\n")
    kinds = [one.kind for one in profile(tmp_path / "t.csv", "t").columns]
    assert kinds == [Kind.STRING, Kind.INTEGER, Kind.STRING]
    assert blocking(tmp_path / "t.csv") == []


def test_several_files_of_a_pattern_are_one_table(tmp_path: Path) -> None:
    for day in ("1", "2"):
        (tmp_path / "rides").mkdir(exist_ok=True)
        (tmp_path / "rides" / f"{day}.jsonl").write_text(f'{{"a": {day}, "b": "x"}}\n')
    found = profile(tmp_path / "rides" / "*.jsonl", "rides/*.jsonl")
    assert (found.name, found.rows, [(one.name, one.least, one.most) for one in found.columns]) == (
        "rides",
        2,
        [("a", 1, 2), ("b", None, None)],
    )


@pytest.mark.parametrize(("text", "code"), [("a,b\n", "table-empty"), ("a;b\n1;2\n", "table-delimiter")])
def test_nothing_is_learnt_from_nothing(tmp_path: Path, text: str, code: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(BadInput) as refusal:
        profile(tmp_path / "t.csv", "t")
    assert [one.code for one in refusal.value.findings] == [code]


def profiled(tmp_path: Path, **columns: Sequence[object]) -> dict[str, ColumnProfile]:
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    return {one.name: one for one in profile(tmp_path / "t.parquet", "t").columns}


def test_codes_addresses_and_the_first_day_are_seen(tmp_path: Path) -> None:
    found = profiled(
        tmp_path,
        flight=[f"UA{n:04}" for n in range(5000)],
        spoilt=[f"UA{n:04}" for n in range(4999)] + ["none"],
        contact=[f"person{n}@example.org" for n in range(5000)],
        card=[4111111111111111, 5500000000000004, 340000000000009, 6011000000000004] * 1250,
        day=[dt.date(2020, 5, 6 + n % 9) for n in range(5000)],
    )
    assert (found["flight"].pattern, found["spoilt"].pattern) == ("^[A-Z]{2}[0-9]{4}$", None)
    assert (found["contact"].personal, found["card"].personal) == ("e-mail addresses", "card numbers")
    assert found["day"].least == "2020-05-06"
    assert blocking(tmp_path / "t.parquet") == []


def test_two_columns_that_name_the_rows_together_are_the_key(tmp_path: Path) -> None:
    shops, days = ["north", "south", "east"] * 10, [dt.date(2020, 1, 1 + n // 3) for n in range(30)]
    table: dict[str, Sequence[object]] = {
        "sold": list(range(1, 16)) * 2,
        "shop": shops,
        "day": days,
        "gap": [None, *days[1:]],
    }
    pq.write_table(pa.table(table), tmp_path / "t.parquet")
    assert profile(tmp_path / "t.parquet", "t").pairs[0] == ("day", "shop")
    assert inferred(tmp_path / "t.parquet").key == ("day", "shop")
    pq.write_table(pa.table({**table, "day": [days[0], *days[:-1]]}), tmp_path / "t.parquet")
    assert ("day", "shop") not in profile(tmp_path / "t.parquet", "t").pairs
    assert blocking(tmp_path / "t.parquet") == []


def test_a_small_table_has_no_key_by_chance(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": ["x", "x", "y"], "b": ["x", "y", "y"]}), tmp_path / "t.parquet")
    assert profile(tmp_path / "t.parquet", "t").keys == ()


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=4)
CELLS = st.none() | st.integers(-(10**20), 10**20) | st.floats() | TEXTS | st.booleans() | st.dates()


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=8))
def test_a_draft_of_any_csv_file_passes_on_it(tmp_path: Path, rows: list[tuple[object, object]]) -> None:
    path = tmp_path / "t.csv"
    pd.DataFrame([(n, *row) for n, row in enumerate(rows)], columns=["n", "a", "b"], dtype="object").to_csv(
        path, index=False
    )
    found = [one for one in blocking(path) if "column-all-null" not in one]
    assert found == []


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.none() | st.floats(), min_size=1, max_size=8),
    st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), min_size=8, max_size=8),
)
def test_a_draft_of_any_numbers_passes_on_them(
    tmp_path: Path, reals: list[float | None], whole: list[int | None]
) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": pa.array(reals, pa.float64()), "b": pa.array(whole[: len(reals)], pa.int64())}), path)
    found = [one for one in blocking(path) if "column-all-null" not in one]
    assert found == []


def test_the_index_that_pandas_writes_is_left_out_and_said(tmp_path: Path) -> None:
    pd.DataFrame({"a": [5, 5, 6], "b": ["x", "y", "y"]}).to_csv(tmp_path / "t.csv")
    found = profile(tmp_path / "t.csv", "t")
    assert ([one.name for one in found.columns], found.left_out, found.nameless) == (["a", "b"], (), (1,))
    assert "# Left out, since they have no name (pandas' index, unless written with `index=False`): column 1" in draft(
        found, "t"
    )
    assert inferred(tmp_path / "t.csv").key == ()


def test_a_name_that_stands_twice_is_left_out_for_that(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("qty,a,qty,,\n1,2,3,4,5\n2,3,4,5,6\n")
    found = profile(tmp_path / "t.csv", "t")
    assert [one.name for one in found.columns] == ["a"]
    assert (found.left_out, found.repeated, found.nameless) == ((), ("qty",), (4, 5))


@pytest.mark.parametrize(
    ("names", "cause"),
    [
        (["Raw"], "left out, since no contract describes their types: Raw"),
        (["Raw", "Raw"], "left out, since several columns have the same name: Raw"),
        (["Raw", ""], "their types: Raw; since they have no name"),
    ],
)
def test_a_table_that_leaves_nothing_to_describe_is_refused(tmp_path: Path, names: list[str], cause: str) -> None:
    pq.write_table(pa.table([pa.array([b"x"])] * len(names), names=names), tmp_path / "t.parquet")
    with pytest.raises(BadInput) as refusal:
        profile(tmp_path / "t.parquet", "t")
    (found,) = refusal.value.findings
    assert (found.code, cause in found.message) == ("table-empty", True), found.message


def test_a_draft_of_numbers_at_the_ends_of_their_exact_types_passes_on_them(tmp_path: Path) -> None:
    columns: dict[str, pa.Array[Any]] = {
        "whole": pa.array([-(2**63), 2**63 - 1], pa.int64()),
        "natural": pa.array([0, 2**64 - 1], pa.uint64()),
        "small": pa.array([-128, 127], pa.int8()),
        "single": pa.array([1.5, 3.4e38], pa.float32()),
        "half": pa.array([1.5, 65504.0], pa.float64()).cast(pa.float16()),
    }
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    reading = read(parse(draft(profile(tmp_path / "t.parquet", "t"), "t").encode(), "draft.yml"))
    assert {one.code for one in reading.findings} == {"contract-owner-missing", "contract-backfill-drafted"}
    exact = ["int64", "uint64", "int8", "float", "halffloat"]
    assert [one.storage for one in reading.contract.columns] == exact
    assert blocking(tmp_path / "t.parquet") == []
