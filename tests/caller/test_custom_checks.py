"""The caller's own checks run by a real second Python, held against pandera on the whole table."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from release_gate.caller import custom_checks
from release_gate.caller.custom_checks import MAXIMUM_BYTES, checked, parsed
from release_gate.caller.environments import given_environment
from release_gate.caller.processes import Processes
from release_gate.contracts.contract import Custom
from release_gate.contracts.counts import CustomCount

CODE = """
import pandera.pandas as pa

schema = pa.DataFrameSchema(
    {
        "a": pa.Column("int64", [
            pa.Check.ge(0),
            pa.Check(lambda v: v % 7 != 0, element_wise=True, name="no seventh"),
            pa.Check(lambda s: s <= s.mean() * 2, name="not far above the mean"),
            pa.Check(lambda s: s.is_unique, name="unique"),
            pa.Check(lambda v: 1 / (v - 50) < 9, element_wise=True, name="raises"),
        ]),
        "b": pa.Column(float, [
            pa.Check(lambda v: v < 1, element_wise=True, name="below one"),
            pa.Check(lambda groups: groups["x"].mean() < groups["y"].mean(), groupby="g", name="x below y"),
            pa.Hypothesis.one_sample_ttest(popmean=5, relationship="greater_than"),
        ], nullable=True),
        "g": pa.Column(str),
        "at": pa.Column("datetime64[ns]", pa.Check(lambda t: t.year == 2024, element_wise=True, name="this year")),
    },
    checks=[
        pa.Check(lambda row: row["a"] != 8, element_wise=True, name="no eight"),
        pa.Check(lambda frame: frame["a"] >= frame["b"].fillna(0), name="a is not below b"),
    ],
)
"""
ROWS = 1000


@pytest.fixture
def frame() -> pd.DataFrame:
    random = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "a": random.integers(0, 100, ROWS),
            "b": np.where(np.arange(ROWS) % 10 == 0, np.nan, random.normal(0, 1, ROWS)),
            "g": random.choice(["x", "y"], ROWS),
            "at": pd.Timestamp("2023-12-30") + pd.to_timedelta(np.arange(ROWS), unit="D"),
        }
    )


def run(
    runner: Processes, root: Path, data: Path, *customs: Custom, limit: float = 120.0, **options: Any
) -> tuple[CustomCount, ...]:
    if not (root / "schemas.py").exists():
        (root / "schemas.py").write_text(CODE)
    environment = given_environment(Path(sys.executable), root)
    return checked(
        "schemas:schema", customs, data, root=root, environment=environment, runner=runner, limit=limit, **options
    )


def test_every_kind_of_check_counts_what_it_counts_on_the_whole_table(
    runner: Processes, tmp_path: Path, frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(custom_checks, "BATCH", 64)
    data = tmp_path / "rides.parquet"
    frame.to_parquet(data, row_group_size=300)
    told = run(
        runner,
        tmp_path,
        data,
        Custom("no seventh", 1, "a"),
        Custom("not far above the mean", 2, "a"),
        Custom("unique", 3, "a"),
        Custom("below one", 0, "b"),
        Custom("x below y", 1, "b"),
        Custom("one_sample_ttest", 2, "b"),
        Custom("this year", 0, "at"),
        Custom("no eight", 0, None),
        Custom("a is not below b", 1, None),
    )
    assert [one.cause for one in told] == [None] * 9
    seventh, mean, unique, below, groups, hypothesis, year, eight, order = told
    wrong = frame.index[frame["a"] % 7 == 0]
    assert (seventh.rows, seventh.whole) == (len(wrong), False)
    assert [one.row for one in seventh.examples] == [int(row) + 1 for row in wrong[:5]]
    assert [one.value for one in seventh.examples] == [str(value) for value in frame["a"].loc[wrong[:5]]]
    assert (mean.rows, mean.whole) == (int((frame["a"] > frame["a"].mean() * 2).sum()), True)
    assert (unique.rows, unique.whole, unique.examples) == (ROWS, True, ())
    assert below.rows == int((frame["b"] >= 1).sum())
    x, y = (frame.loc[frame["g"] == group, "b"].mean() for group in "xy")
    assert (groups.rows, groups.whole) == (0 if x < y else ROWS, True)
    assert hypothesis.rows == ROWS
    assert year.rows == int((frame["at"].dt.year != 2024).sum())
    assert (eight.rows, eight.whole) == (int((frame["a"] == 8).sum()), False)
    assert (order.rows, order.whole) == (int((frame["a"] < frame["b"].fillna(0)).sum()), True)
    assert all(one.value is None for one in eight.examples)


def test_a_check_that_raises_says_so_and_the_others_are_judged(
    runner: Processes, tmp_path: Path, frame: pd.DataFrame
) -> None:
    frame.loc[7, "a"] = 50
    frame.to_parquet(tmp_path / "rides.parquet")
    raised, seventh = run(
        runner, tmp_path, tmp_path / "rides.parquet", Custom("raises", 4, "a"), Custom("no seventh", 1, "a")
    )
    assert raised.cause is not None
    assert "ZeroDivisionError" in raised.cause
    assert (seventh.cause, seventh.rows > 0) == (None, True)


def test_no_value_of_a_sensitive_column_is_told(runner: Processes, tmp_path: Path, frame: pd.DataFrame) -> None:
    frame.loc[7, "a"] = 50
    frame.to_parquet(tmp_path / "rides.parquet")
    raised, seventh = run(
        runner,
        tmp_path,
        tmp_path / "rides.parquet",
        Custom("raises", 4, "a"),
        Custom("no seventh", 1, "a"),
        sensitive={"a"},
    )
    assert raised.cause == "ZeroDivisionError"
    assert [one.value for one in seventh.examples] == [None] * 5


SECRET = """
import os, sys
import pandera.pandas as pa

def told(groups):
    raise KeyError(next(iter(groups)))

def lines(frame):
    raise ValueError("not these:\\n" + frame["mail"][0])

def gone(values):
    print(values.iloc[0], file=sys.stderr, flush=True)
    os._exit(3)

schema = pa.DataFrameSchema(
    {
        "mail": pa.Column(str, pa.Check(gone, name="gone")),
        "x": pa.Column("int64", pa.Check(told, groupby="mail", name="told")),
        "extra": pa.Column("int64", pa.Check.ge(0), required=False),
    },
    checks=[pa.Check(lines, name="lines")],
)
"""


def test_no_error_quotes_a_value_where_a_column_is_sensitive(runner: Processes, tmp_path: Path) -> None:
    data = tmp_path / "people.parquet"
    pd.DataFrame({"mail": ["ann@example.org", "bob@example.org"], "x": [1, 2]}).to_parquet(data)
    (tmp_path / "schemas.py").write_text(SECRET)
    told, lines = run(runner, tmp_path, data, Custom("told", 0, "x"), Custom("lines", 0, None), sensitive={"mail"})
    assert (told.cause, lines.cause) == ("KeyError", "ValueError")
    (gone,) = run(runner, tmp_path, data, Custom("gone", 0, "mail"), sensitive={"mail"})
    assert gone.cause is not None
    assert gone.cause.startswith("they ended with status 3 and no result")
    assert "example.org" not in gone.cause
    (gone,) = run(runner, tmp_path, data, Custom("gone", 0, "mail"))
    assert "ann@example.org" in (gone.cause or "")


def test_a_column_that_may_be_absent_fails_nothing_when_it_is(runner: Processes, tmp_path: Path) -> None:
    data = tmp_path / "people.parquet"
    pd.DataFrame({"mail": ["ann@example.org"], "x": [1]}).to_parquet(data)
    (tmp_path / "schemas.py").write_text(SECRET)
    (extra,) = run(runner, tmp_path, data, Custom("extra", 0, "extra"))
    assert (extra.cause, extra.rows) == (None, 0)


def test_a_column_that_is_missing_and_one_that_is_named_by_pandas_index(
    runner: Processes, tmp_path: Path, frame: pd.DataFrame
) -> None:
    frame.drop(columns="b").set_index("a").to_parquet(tmp_path / "rides.parquet")
    seventh, below = run(
        runner, tmp_path, tmp_path / "rides.parquet", Custom("no seventh", 1, "a"), Custom("below one", 0, "b")
    )
    assert (seventh.cause, seventh.rows) == (None, int((frame["a"] % 7 == 0).sum()))
    assert below.cause == "the column 'b' is not in the data"


INTEGERS = """
import pandera.pandas as pa

def even(**options):
    return [
        pa.Check(lambda s: s % 2 == 0, name="even", **options),
        pa.Check(lambda v: v % 2 == 0, element_wise=True, name="each even", **options),
        pa.Check(lambda s: str(s.dtype) == "float64", name="a float"),
    ]

schema = pa.DataFrameSchema(
    {
        "nullable": pa.Column("Int64", even(), nullable=True),
        "plain": pa.Column("int64", even(), nullable=True),
        "small": pa.Column("int64", even(), nullable=True),
        "real": pa.Column(float, even(), nullable=True),
        "unsigned": pa.Column("UInt64", even(), nullable=True),
    },
    checks=pa.Check(lambda frame: frame["nullable"].fillna(0) % 2 == 0, name="even together"),
)
"""


def test_integers_beside_nulls_keep_their_digits(
    runner: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    big = pa.array([2**53 + 1, None, 4, 2**53 + 2])
    table: dict[str, Any] = dict.fromkeys(("nullable", "plain", "real"), big) | {"small": pa.array([3, None, 4, 6])}
    table["unsigned"] = pa.array([2**64 - 1, None, 4, 2], pa.uint64())
    parquet.write_table(pa.table(table), tmp_path / "big.parquet")
    (tmp_path / "schemas.py").write_text(INTEGERS)
    asked = [Custom(name, place, column) for column in table for place, name in enumerate(("even", "each even"))]
    for batch in (100_000, 2):
        monkeypatch.setattr(custom_checks, "BATCH", batch)
        told = run(runner, tmp_path, tmp_path / "big.parquet", *asked, Custom("even together", 0, None))
        assert [one.cause for one in told] == [None] * len(told)
        odd = {(one.check.column, one.check.name): [example.row for example in one.examples] for one in told}
        # A column that is declared as floats is seen as floats, with and without nulls.
        assert odd == {(one.column, one.name): [] if one.column == "real" else [1] for one in asked} | {
            (None, "even together"): [1]
        }
    # What a column of no nullable dtype showed where floats hold its values, it still shows.
    kinds = run(runner, tmp_path, tmp_path / "big.parquet", *(Custom("a float", 2, name) for name in table))
    assert {one.check.column for one in kinds if not one.rows} == {"small", "real"}


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("import os\nos._exit(4)", "ended with status 4"),
        ("raise ValueError('no')", "ValueError: no"),
        ("while True: pass", "longer than 5 s"),
        ("schema = 3", "not a DataFrameSchema"),
    ],
)
def test_checks_that_cannot_run_say_why_each(
    runner: Processes, tmp_path: Path, frame: pd.DataFrame, code: str, cause: str
) -> None:
    frame.to_parquet(tmp_path / "rides.parquet")
    (tmp_path / "schemas.py").write_text(code)
    told = run(runner, tmp_path, tmp_path / "rides.parquet", Custom("a", 0, "a"), Custom("b", 0, None), limit=5)
    assert len(told) == 2
    assert all(one.cause is not None and cause in one.cause for one in told)


def test_nothing_asked_runs_nothing(runner: Processes, tmp_path: Path) -> None:
    assert run(runner, tmp_path, tmp_path / "absent.parquet") == ()


ONE: dict[str, Any] = {
    "column": "a",
    "place": 1,
    "rows": 3,
    "examples": [{"row": 1, "value": "x"}],
    "failed": None,
    "whole": False,
}
ASKED = Custom("mine", 1, "a")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"x" * (MAXIMUM_BYTES + 1),
        json.dumps({"checks": [ONE]}).encode(),
        json.dumps({"checks": [{**ONE, "rows": -1}], "failed": None}).encode(),
        json.dumps({"checks": [{**ONE, "rows": "many"}], "failed": None}).encode(),
        json.dumps({"checks": [{**ONE, "examples": [{"row": 0, "value": None}]}], "failed": None}).encode(),
        json.dumps({"checks": [{**ONE, "examples": ONE["examples"] * 11}], "failed": None}).encode(),
        json.dumps({"checks": [{**ONE, "examples": [{"row": 1, "value": "x" * 201}]}], "failed": None}).encode(),
        json.dumps({"checks": [{**ONE, "more": 1}], "failed": None}).encode(),
        json.dumps({"checks": [{**ONE, "place": 2}], "failed": None}).encode(),
        json.dumps({"checks": [], "failed": "it went wrong"}).encode(),
    ],
)
def test_a_result_that_is_not_ours_is_no_result(text: bytes) -> None:
    (told,) = parsed(text, [ASKED])
    assert told.cause
    assert (told.rows, told.examples) == (0, ())


def test_a_value_of_a_sensitive_column_is_left_out_whatever_the_process_wrote() -> None:
    text = json.dumps({"checks": [{**ONE, "failed": "KeyError: 'x'"}], "failed": None}).encode()
    (told,) = parsed(text, [ASKED], {"a"})
    assert (told.examples[0].value, told.cause) == (None, "KeyError")
    (beside,) = parsed(text, [ASKED], {"b"})
    assert (beside.examples[0].value, beside.cause) == ("x", "KeyError")
    quoted = json.dumps({"checks": [{**ONE, "failed": "x and y"}], "failed": None}).encode()
    assert "x and y" not in (parsed(quoted, [ASKED], {"b"})[0].cause or "")
    (open_,) = parsed(text, [ASKED])
    assert (open_.examples[0].value, open_.cause) == ("x", "KeyError: 'x'")
