"""Texts of a CSV file, read as the contract's types."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from release_gate.contracts.contract import Column, Contract, Kind, Rule, RuleKind
from release_gate.contracts.counts import ColumnCount, Fit
from release_gate.tables.scan import scan


def parsed(
    folder: Path, kind: Kind, texts: list[str | None], zone: bool | None = None, *rules: Rule
) -> ColumnCount:  # fmt: skip
    """What is counted in a file of these texts; None is written as nothing, without quotes."""
    with (folder / "t.csv").open("w", newline="", encoding="utf-8") as file:
        file.write("a,row\n")
        for number, text in enumerate(texts):
            quoted = "" if text is None else '"' + text.replace('"', '""') + '"'
            file.write(f"{quoted},{number}\n")
    contract = Contract("c", "1.0.0", (Column("a", kind, rules, zone=zone),))
    found = scan(folder / "t.csv", contract, shown="t.csv")
    found.close()
    (count,) = found.counts.columns
    assert found.counts.rows == len(texts)
    return count


def unreadable(count: ColumnCount) -> list[int | None]:
    return [one.row for broken in count.broken if broken.rule is None for one in broken.examples]


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
def test_texts_are_read_as_their_type_or_counted(tmp_path: Path, kind: Kind, good: list[str], bad: list[str]) -> None:
    count = parsed(tmp_path, kind, [*good, *bad, None])
    assert count.fit is Fit.FITS
    assert unreadable(count) == list(range(len(good) + 1, len(good) + len(bad) + 1))
    assert (count.nulls, count.invalid) == (1, len(bad))


def test_words_for_no_number_are_null_in_numbers_only(tmp_path: Path) -> None:
    texts: list[str | None] = ["NA", "NaN", "null", "1"]
    assert parsed(tmp_path, Kind.NUMBER, texts).nulls == 3
    assert parsed(tmp_path, Kind.STRING, texts).nulls == 0


def test_a_zone_that_is_asked_for_must_be_written(tmp_path: Path) -> None:
    texts: list[str | None] = ["2020-01-01T00:00:00Z", "2020-01-01T00:00:00", "2020-01-01T00:00:00+02:00"]
    assert unreadable(parsed(tmp_path, Kind.TIMESTAMP, texts, zone=True)) == [2]
    assert unreadable(parsed(tmp_path, Kind.TIMESTAMP, texts, zone=False)) == [1, 3]


def test_moments_of_different_zones_meet_one_bound(tmp_path: Path) -> None:
    rule = Rule(RuleKind.AT_LEAST, "2020-01-01T00:00:00Z")
    texts: list[str | None] = ["2020-01-01T00:00:00", "2020-01-01T01:30:00+02:00", "2020-01-01T02:30:00+02:00"]
    (broken,) = parsed(tmp_path, Kind.TIMESTAMP, texts, None, rule).broken
    assert [one.row for one in broken.examples] == [2]


def test_a_nested_type_is_not_read_from_text(tmp_path: Path) -> None:
    assert parsed(tmp_path, Kind.ARRAY, ["[1]"]).fit is Fit.WRONG


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(-(2**62), 2**62), min_size=1), st.integers(-(2**62), 2**62))
def test_whole_numbers_are_read_exactly(tmp_path: Path, numbers: list[int], bound: int) -> None:
    count = parsed(tmp_path, Kind.INTEGER, [str(number) for number in numbers], None, Rule(RuleKind.AT_MOST, bound))
    assert count.invalid == sum(number > bound for number in numbers)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.none() | st.text(st.characters(codec="ascii", exclude_characters="\0\r"), max_size=6), min_size=1))
def test_every_text_is_null_unreadable_or_a_value(tmp_path: Path, texts: list[Any]) -> None:
    for kind in (Kind.INTEGER, Kind.NUMBER, Kind.BOOLEAN, Kind.DATE, Kind.TIMESTAMP, Kind.TIME, Kind.STRING):
        count = parsed(tmp_path, kind, texts)
        assert count.fit is Fit.FITS
        assert count.nulls + count.invalid <= len(texts)
        if kind is Kind.INTEGER:
            plain = sum(text is not None and re.fullmatch("[+-]?[0-9]+", text) is not None for text in texts)
            assert len(texts) - count.nulls - count.invalid == plain


def test_a_csv_is_what_pythons_own_reader_takes_it_for(tmp_path: Path) -> None:
    rows = [
        ["plain", "1"],
        ["with,comma", "2"],
        ['with "quotes"', "3"],
        ["two\nlines", "4"],
        ["", "5"],
        [" blanks ", "6"],
    ]
    with (tmp_path / "t.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([["a", "n"], *rows])
    wrong = tuple(Rule(RuleKind.NONE_OF, (text,)) for text, _ in rows)
    contract = Contract("c", "1.0.0", (Column("a", Kind.STRING, wrong), Column("n", Kind.INTEGER)))
    found = scan(tmp_path / "t.csv", contract, shown="t.csv")
    assert [(one.rows, one.examples[0].row) for one in found.counts.columns[0].broken] == [(1, n) for n in range(1, 7)]
    assert found.counts.columns[1].invalid == 0


@pytest.mark.parametrize(
    ("written", "zone"),
    [
        ("2020-01-01 00:00:00 America/New_York", None),
        ("2020-01-01 00:00:00Z ", None),
        ("2020-01-01 00:00:00 (BC)", None),
        ("2020-01-01 00:00:00+01", False),
        ("2020-01-01T00:00:00Z", False),
        ("2020-01-01", True),
    ],
)
def test_a_zone_is_written_as_iso_8601_has_it_or_not_at_all(tmp_path: Path, written: str, zone: bool | None) -> None:
    assert unreadable(parsed(tmp_path, Kind.TIMESTAMP, [written], zone=zone)) == [1]


def test_hours_alone_are_a_zone(tmp_path: Path) -> None:
    assert unreadable(parsed(tmp_path, Kind.TIMESTAMP, ["2020-01-01T00:00:00+02"], zone=True)) == []
    assert unreadable(parsed(tmp_path, Kind.TIMESTAMP, ["2020-01-01", "2020-01-01 00:00:00"], zone=False)) == []
