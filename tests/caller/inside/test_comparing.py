"""What counts as equal, and what JSON makes of values: the parts that run inside the caller's Python."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.caller.inside.comparing import equal, missing, plain, shown, table, usual_size
from release_gate.caller.inside.sampling import chosen, spaced

NULLS = [None, math.nan, pd.NaT, pd.NA, np.float64("nan")]


@given(st.floats(allow_nan=False), st.floats(allow_nan=False), st.floats(0, 0.1))
def test_equality_is_symmetric_and_holds_with_itself(one: float, other: float, tolerance: float) -> None:
    assert equal(one, one, tolerance, 0.0)
    assert equal(one, other, tolerance, 0.0) == equal(other, one, tolerance, 0.0)


@given(st.floats(-1e100, 1e100), st.floats(-1e100, 1e100), st.floats(0, 0.1))
def test_numbers_are_compared_as_the_standard_library_does(one: float, other: float, tolerance: float) -> None:
    assert equal(one, other, tolerance, 0.0) == math.isclose(one, other, rel_tol=tolerance)


@pytest.mark.parametrize("null", NULLS)
def test_null_is_equal_to_null_in_any_way_of_saying_it_and_to_nothing_else(null: Any) -> None:
    assert missing(null)
    assert all(equal(null, other, 1.0, 1e9) for other in NULLS)
    assert not any(equal(null, other, 1.0, 1e9) for other in (0, 0.0, "", False, "nan", "None"))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (1, 1.0, True),
        (True, 1, True),
        ("a", "a", True),
        ("1", 1, False),
        ("a", "b", False),
        (math.inf, math.inf, True),
        (math.inf, -math.inf, False),
        (math.inf, 1e308, False),
        (pd.Timestamp("2024-01-01"), pd.Timestamp("2024-01-01"), True),
        (pd.Timestamp("2024-01-01"), "2024-01-01", False),
        ([1, 2], [1, 2], True),
        (np.array([1, 2]), np.array([1, 2]), True),
    ],
)
def test_all_but_numbers_is_compared_exactly(one: Any, other: Any, same: bool) -> None:
    assert equal(one, other, 1e-9, 0.0) is same


def test_a_rounding_residue_beside_zero_is_measured_by_the_usual_size_of_the_column() -> None:
    assert not equal(0.0, 1e-15, 1e-9, 0.0)
    assert equal(0.0, 1e-15, 1e-9, usual_size([0.0, 3.0, 5.0, None, "text"]))
    assert usual_size(["text", None, math.nan]) == 0.0


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text()
        | st.dates()
        | st.datetimes()
        | st.decimals(),
        lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside),
        max_leaves=8,
    )
)
def test_every_value_becomes_strict_json(value: Any) -> None:
    text = json.dumps(plain(value), allow_nan=False)
    assert plain(json.loads(text)) == json.loads(text)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.int32(4), 4),
        (np.bool_(True), True),
        (np.float32(0.5), 0.5),
        (math.inf, None),
        (pd.NaT, None),
        (pd.Timestamp("2024-01-02 03:04"), "2024-01-02T03:04:00"),
        (dt.timedelta(minutes=1), 60.0),
        (decimal.Decimal("1.5"), 1.5),
        (np.array([1, 2]), [1, 2]),
        (b"x", "b'x'"),
    ],
)
def test_values_of_tables_become_those_of_json(value: Any, expected: Any) -> None:
    assert plain(value) == expected
    assert type(plain(value)) is type(expected)


class Frame:
    """A table of another library."""

    def to_pandas(self) -> pd.DataFrame:
        return pd.DataFrame({"a": [1.0], "b": [2.0]})


class Sparse:
    """A sparse matrix, as encoders return it."""

    def toarray(self) -> np.ndarray[Any, Any]:
        return np.array([[1.0, 2.0]])


@pytest.mark.parametrize(
    "made",
    [
        pd.DataFrame({"a": [1.0], "b": [2.0]}),
        pd.Series({"a": 1.0, "b": 2.0}),
        {"a": 1.0, "b": 2.0},
        {"a": [1.0], "b": [2.0]},
        [{"a": 1.0, "b": 2.0}],
        [1.0, 2.0],
        [[1.0, 2.0]],
        np.array([1.0, 2.0]),
        np.array([[1.0, 2.0]]),
        Frame(),
        Sparse(),
    ],
    ids=lambda made: type(made).__name__,
)
def test_whatever_a_transform_returns_becomes_a_table(made: Any) -> None:
    pd.testing.assert_frame_equal(table(made, ["a", "b"]), pd.DataFrame({"a": [1.0], "b": [2.0]}))


def test_a_series_of_numbers_is_one_column() -> None:
    assert table(pd.Series([1.0, 2.0, 3.0], name="x")).shape == (3, 1)


def test_an_array_of_another_width_keeps_numbers_for_names() -> None:
    assert list(table(np.zeros((1, 3)), ["a", "b"]).columns) == ["0", "1", "2"]


def test_shown_values_are_short_and_of_json_types() -> None:
    assert shown(math.inf) == "inf"
    assert shown(math.nan) is None
    assert shown([1] * 100) == str([1] * 100)[:100]
    assert shown("x" * 200) == "x" * 100


@given(st.integers(0, 500), st.integers(1, 50))
def test_spaced_numbers_are_distinct_and_reach_both_ends(total: int, wanted: int) -> None:
    found = spaced(total, wanted)
    assert found == sorted(set(found))
    assert len(found) <= max(wanted, 0)
    assert len(found) == min(total, wanted)
    if total and wanted > 1:
        assert (found[0], found[-1]) == (0, total - 1)


@given(st.integers(0, 200), st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_chosen_rows_are_distinct_and_no_more_than_wanted(rows: int, wanted: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {"x": random.normal(size=rows), "k": random.choice(list("abc"), rows), "l": [[1]] * rows},
        index=random.permutation(rows),
    )
    found = chosen(frame, wanted)
    assert found == sorted(set(found))
    assert all(0 <= position < rows for position in found)
    assert len(found) <= wanted
    assert len(found) >= min(rows, wanted // 2)


def test_a_large_file_is_read_in_part_with_its_own_row_numbers(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from release_gate.caller.inside import sampling

    monkeypatch.setattr(sampling, "WHOLE", 100)
    monkeypatch.setattr(sampling, "GROUPS", 3)
    pd.DataFrame({"x": range(1000)}).to_parquet(tmp_path / "t.parquet", row_group_size=100)
    frame, numbers = sampling.read(str(tmp_path / "t.parquet"))
    assert len(frame) == 300
    assert list(frame["x"]) == numbers
    assert {numbers[0], numbers[-1]} == {0, 999}


LONG = np.zeros(2000)
OTHER = np.where(np.arange(2000) == 1000, 1.0, 0.0)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (LONG, OTHER, False),  # numpy prints both alike
        (LONG, LONG.tolist(), True),
        ([1.0, 2.0], (1.0, 2.0 + 1e-12), True),
        ([1.0, [2.0]], [1.0, [2.1]], False),
        ([1, 2], [1], False),
        ({"a": np.array([1.0, math.nan])}, {"a": [1.0, None]}, True),
        ({"a": 1}, {"b": 1}, False),
        ([1], 1, False),
        (decimal.Decimal("0.1"), 0.1, True),
        (2**60, 2**60 + 1, False),
        (10**12, 10**12 + 1, False),  # within a part in 10⁹, and another number
        (1e12, 1e12 + 1, True),
    ],
)
def test_what_is_nested_is_compared_value_by_value_and_whole_numbers_exactly(one: Any, other: Any, same: bool) -> None:
    assert equal(one, other, 1e-9, 0.0) is same
    assert equal(other, one, 1e-9, 0.0) is same


def test_two_columns_of_one_name_are_no_table() -> None:
    with pytest.raises(ValueError, match="more than one column called 'a'"):
        table(pd.DataFrame([[1, 2]], columns=["a", "a"]))
