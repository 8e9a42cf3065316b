"""Texts of a CSV file, read as the contract's types."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from release_gate.contracts.contract import Column, Kind
from release_gate.contracts.counts import Fit
from release_gate.tables import values


def parsed(kind: Kind, texts: list[str | None], zone: bool | None = None) -> values.Values:
    return values.of(Column("a", kind, zone=zone), pa.chunked_array([pa.array(texts, pa.string())]), typed=False)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (Kind.INTEGER, ["7", "-7", "+007"], ["7.0", "x", "1e3", " 7", "7_000"]),
        (Kind.NUMBER, ["7", "-7.5", ".5", "1e-3", "7."], ["1,5", "x", "0x1", "--1"]),
        (Kind.BOOLEAN, ["true", "False", "TRUE"], ["1", "yes", "t"]),
        (Kind.DATE, ["2020-02-29"], ["2021-02-29", "29.2.2020", "2020-02-29T05:00:00", "20200229"]),
        (Kind.TIMESTAMP, ["2020-02-29", "2020-02-29 05:06:07", "2020-02-29T05:06:07.5Z"], ["2020-02-30", "noon"]),
        (Kind.TIME, ["05:06", "23:59:59.5"], ["24:00", "5", "05:60"]),
        (Kind.STRING, ["", "x", "NA"], []),
    ],
)
def test_texts_are_read_as_their_type_or_counted(kind: Kind, good: list[str], bad: list[str]) -> None:
    found = parsed(kind, [*good, *bad, None])
    assert found.fit is Fit.FITS
    assert found.unreadable.tolist() == [False] * len(good) + [True] * len(bad) + [False]
    assert found.nulls.tolist() == [False] * (len(good) + len(bad)) + [True]
    assert found.series is not None
    assert len(found.series) == len(good)


def test_words_for_no_number_are_null_in_numbers_only() -> None:
    texts: list[str | None] = ["NA", "NaN", "null", "1"]
    assert parsed(Kind.NUMBER, texts).nulls.tolist() == [True, True, True, False]
    assert parsed(Kind.STRING, texts).nulls.tolist() == [False] * 4


def test_a_zone_that_is_asked_for_must_be_written() -> None:
    texts: list[str | None] = ["2020-01-01T00:00:00Z", "2020-01-01T00:00:00", "2020-01-01T00:00:00+02:00"]
    assert parsed(Kind.TIMESTAMP, texts, zone=True).unreadable.tolist() == [False, True, False]
    assert parsed(Kind.TIMESTAMP, texts, zone=False).unreadable.tolist() == [True, False, True]


def test_a_nested_type_is_not_read_from_text() -> None:
    assert parsed(Kind.ARRAY, ["[1]"]).fit is Fit.WRONG


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(-(2**62), 2**62), min_size=1))
def test_whole_numbers_are_read_exactly(numbers: list[int]) -> None:
    found = parsed(Kind.INTEGER, [str(number) for number in numbers])
    assert found.series is not None
    assert found.series.tolist() == numbers


@settings(deadline=None, max_examples=50)
@given(st.lists(st.none() | st.text(st.characters(codec="ascii"), max_size=6), min_size=1))
def test_every_text_is_null_unreadable_or_a_value(texts: list[Any]) -> None:
    for kind in (Kind.INTEGER, Kind.NUMBER, Kind.BOOLEAN, Kind.DATE, Kind.TIMESTAMP, Kind.TIME, Kind.STRING):
        found = parsed(kind, texts)
        assert found.series is not None
        counted = set(found.series.index)
        assert not counted & set(pd.Series(found.nulls | found.unreadable)[lambda told: told].index)
        assert int((found.nulls | found.unreadable).sum()) + len(counted) == len(texts)
