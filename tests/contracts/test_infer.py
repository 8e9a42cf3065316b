from __future__ import annotations

import math
from typing import Any

import pytest
import yaml
from hypothesis import assume, example, given
from hypothesis import strategies as st

from release_gate.contracts.contract import Backfill, Bounds, Column, Contract, Kind, Metric, Rule, RuleKind
from release_gate.contracts.infer import DRAFT, ColumnProfile, Profile, draft
from release_gate.contracts.reading import read
from release_gate.documents import parse


def drafted(*columns: ColumnProfile, rows: int = 100) -> tuple[dict[str, Column], list[str], str]:
    text = draft(Profile("rides", rows, columns), "data/rides.parquet", "@octo-air")
    reading = read(parse(text.encode(), "draft.yml"))
    return {one.name: one for one in reading.contract.columns}, [one.code for one in reading.findings], text


def test_a_draft_lacks_nothing_but_what_people_must_write() -> None:
    columns, codes, _ = drafted(
        ColumnProfile("id", Kind.STRING, distinct=100), ColumnProfile("a", Kind.NUMBER, nulls=3, least=1.0, most=2.0)
    )
    assert codes == ["contract-backfill-drafted"]
    assert columns["a"].policy.backfill == Backfill(DRAFT)
    assert (columns["id"].policy.on_null, columns["a"].policy.on_null) == ("reject", "keep")


def test_the_first_column_that_names_rows_is_the_key() -> None:
    text = draft(
        Profile("t", 9, (ColumnProfile("x", Kind.NUMBER, distinct=9), ColumnProfile("b", Kind.STRING, distinct=9))), "t"
    )
    assert read(parse(text.encode(), "t")).contract.key == ("b",)


def whole(profile: Profile) -> Contract:
    return read(parse(draft(profile, "t").encode(), "t")).contract


A, B = ColumnProfile("a", Kind.DATE, distinct=3), ColumnProfile("b", Kind.STRING, distinct=4)


def test_where_no_column_names_rows_two_together_may() -> None:
    contract = whole(Profile("t", 12, (A, B), pairs=(("b", "a"),)))
    assert contract.key == ("b", "a")
    assert not any(column.unique for column in contract.columns)
    assert whole(Profile("t", 12, (A, B))).key == ()


def test_other_candidates_for_the_key_are_named_for_people() -> None:
    columns = tuple(ColumnProfile(name, Kind.INTEGER, distinct=9) for name in ("x", "y"))
    assert "# The key is a guess: no two rows of this data share these either: y" in draft(
        Profile("t", 9, columns), "t"
    )


def test_the_share_of_nulls_may_grow_a_little_and_no_more() -> None:
    columns = tuple(ColumnProfile(name, Kind.BOOLEAN, nulls=n) for name, n in (("a", 0), ("b", 61), ("c", 960)))
    found = [(one.metric, one.columns, one.share, one.bounds) for one in whole(Profile("t", 1000, columns)).measures]
    assert found == [(Metric.NULLS, ("b",), True, Bounds(most=12))]


def test_codes_have_their_pattern_and_days_their_first_year() -> None:
    columns, _, _ = drafted(
        ColumnProfile("code", Kind.STRING, distinct=90, pattern="^[A-Z]{3}$"),
        ColumnProfile("few", Kind.STRING, distinct=1, values=("EWR",), pattern="^[A-Z]{3}$"),
        ColumnProfile("day", Kind.DATE, least="2013-05-06"),
    )
    assert columns["code"].rules == (Rule(RuleKind.PATTERN, "^[A-Z]{3}$"),)
    assert columns["few"].rules == (Rule(RuleKind.ONE_OF, ("EWR",)),)
    assert columns["day"].rules == (Rule(RuleKind.AT_LEAST, "2013-01-01"),)


def test_nothing_is_said_of_values_that_look_personal() -> None:
    columns, _, text = drafted(
        ColumnProfile("contact", Kind.STRING, distinct=90, pattern="^[a-z]@b$", personal="e-mail addresses"),
        ColumnProfile("number", Kind.INTEGER, least=4111, most=4112, personal="card numbers"),
        ColumnProfile("birthday", Kind.DATE, least="1980-05-06"),
    )
    assert all(column.policy.sensitive and column.rules == () for column in columns.values())
    marked = "contact (e-mail addresses), number (card numbers), birthday (by its name)"
    assert f"# Marked sensitive, so that no value of theirs is shown or written here: {marked}" in text


def test_half_of_the_rows_must_come_again() -> None:
    contract = read(parse(draft(Profile("t", 9, (ColumnProfile("x", Kind.BOOLEAN),)), "t").encode(), "t")).contract
    assert (contract.rows_least, contract.rows_most) == (4, None)


@pytest.mark.parametrize(
    ("kind", "least", "most", "low", "high"),
    [
        (Kind.NUMBER, 0.2, 0.7, 0, 1),
        (Kind.INTEGER, 17, 4983, 0, 5500),
        (Kind.INTEGER, -10, 10, -12, 12),
        (Kind.INTEGER, 5, 5, 4, 6),
        (Kind.INTEGER, 0, 1, 0, 1),
        (Kind.INTEGER, 0, 2, 0, 3),
        (Kind.INTEGER, 0, 0, 0, 1),
    ],
)
def test_a_range_gets_slack_and_keeps_its_sign(kind: Kind, least: float, most: float, low: float, high: float) -> None:
    columns, _, _ = drafted(ColumnProfile("a", kind, least=least, most=most))
    assert columns["a"].rules == (Rule(RuleKind.AT_LEAST, low), Rule(RuleKind.AT_MOST, high))


FLOATS = st.floats(allow_nan=False, allow_infinity=False)
NEAR = st.builds(lambda one, more: (one, one + more), FLOATS, st.floats(0, 1e-6))
WHOLE = st.tuples(st.integers(-(2**63), 2**64), st.integers(-(2**63), 2**64))


@example((123456789.1234567, 123456789.1234569), Kind.NUMBER)
@example((5e-324, 1e-323), Kind.NUMBER)
@example((-1.7e308, 1.7e308), Kind.NUMBER)
@given(st.tuples(FLOATS, FLOATS) | NEAR | WHOLE, st.sampled_from([Kind.NUMBER, Kind.INTEGER]))
def test_a_range_always_holds_what_was_seen(seen: tuple[float, float], kind: Kind) -> None:
    least, most = min(seen), max(seen)
    assume(math.isfinite(most))
    columns, _, _ = drafted(ColumnProfile("a", kind, least=least, most=most))
    bounds: Any = [rule.value for rule in columns["a"].rules]
    assert bounds == [] or bounds[0] <= least <= most <= bounds[1]


@pytest.mark.parametrize(
    ("distinct", "rows", "most"),
    [
        (7, 200, 6),  # every weekday, each many times
        (6, 200, 7),  # one between was not met
        (7, 100, 7),  # too few rows to tell
    ],
)
def test_whole_numbers_that_leave_none_out_are_codes(distinct: int, rows: int, most: int) -> None:
    columns, _, _ = drafted(ColumnProfile("day", Kind.INTEGER, least=0, most=6, distinct=distinct), rows=rows)
    assert columns["day"].rules == (Rule(RuleKind.AT_LEAST, 0), Rule(RuleKind.AT_MOST, most))


def test_a_small_set_met_often_is_a_rule_and_a_rare_one_is_not() -> None:
    columns, _, _ = drafted(
        ColumnProfile("often", Kind.STRING, distinct=2, values=("a", "b")),
        ColumnProfile("rare", Kind.STRING, distinct=6, values=tuple("abcdef")),
    )
    assert columns["often"].rules == (Rule(RuleKind.ONE_OF, ("a", "b")),)
    assert columns["rare"].rules == ()


@pytest.mark.parametrize("name", ["email", "customer_email", "phone", "last_name", "home_address", "date_birth_date"])
def test_what_sounds_personal_is_sensitive_and_its_values_are_not_written_down(name: str) -> None:
    columns, _, text = drafted(ColumnProfile(name, Kind.STRING, distinct=1, values=("sekret",)))
    assert columns[name].policy.sensitive
    assert "sekret" not in text


@given(st.text(min_size=1, max_size=8), st.lists(st.text(max_size=8), min_size=1, max_size=5, unique=True))
def test_any_name_and_any_value_survive_the_file(name: str, values: list[str]) -> None:
    columns, _, _ = drafted(ColumnProfile(name, Kind.STRING, distinct=len(values), values=tuple(values)))
    (column,) = columns.values()
    assert column.name == name
    assert column.policy.sensitive or column.rules == (Rule(RuleKind.ONE_OF, tuple(values)),)


def test_a_name_cannot_leave_its_comment() -> None:
    text = draft(Profile("t", 1, (ColumnProfile("a", Kind.STRING),), left_out=("x\nkind: no",)), "data\nkind: no")
    assert yaml.safe_load(text)["kind"] == "DataContract"


@given(st.text(st.characters(), min_size=1, max_size=4), st.text(st.characters(codec="utf-8"), max_size=4))
@example("\x1b[31m", "\x00")
@example("a\nkind: no", "\u2028\ufeff")
def test_any_name_survives_a_comment(name: str, source: str) -> None:
    columns = (ColumnProfile("a", Kind.STRING),)
    text = draft(Profile("t", 1, columns, left_out=(name,), repeated=(name,)), source)
    assert read(parse(text.encode(), "draft.yml")).contract.columns
    comments = [line for line in text.splitlines() if line.startswith("#")]
    assert all(line.isprintable() for line in comments)
    assert len(comments) == 4


def test_a_control_character_of_a_name_is_written_so_that_people_see_it() -> None:
    columns = (ColumnProfile("x\x1b", Kind.STRING, personal="e-mail addresses"),)
    assert r"written here: x\x1b (e-mail addresses)" in draft(Profile("t", 1, columns), "t")


def test_each_cause_of_a_column_left_out_is_told() -> None:
    columns = (ColumnProfile("a", Kind.STRING),)
    text = draft(Profile("t", 1, columns, left_out=("raw",), repeated=("qty", "id"), nameless=(1, 4)), "t")
    assert "# Left out, since no contract describes their types: raw\n" in text
    assert "# Left out, since several columns have the same name: qty, id\n" in text
    assert "# Left out, since they have no name" in text
    assert ": columns 1, 4\n" in text


@pytest.mark.parametrize(
    ("exact", "least", "most", "low", "high"),
    [
        ("int64", -(2**63), 2**63 - 1, -(2**63), 2**63 - 1),
        ("uint64", 5, 2**64 - 1, 0, 2**64 - 1),
        ("int8", -100, 120, -128, 127),
        ("int16", -100, 120, -130, 150),
        (None, -100, 120, -130, 150),
    ],
)
def test_slack_stays_within_what_the_exact_type_holds(
    exact: str | None, least: int, most: int, low: int, high: int
) -> None:
    columns, codes, _ = drafted(ColumnProfile("a", Kind.INTEGER, storage=exact, least=least, most=most))
    assert columns["a"].rules == (Rule(RuleKind.AT_LEAST, low), Rule(RuleKind.AT_MOST, high))
    assert codes == ["contract-backfill-drafted"]


@pytest.mark.parametrize("exact", ["halffloat", "float", "double"])
def test_the_exact_type_of_floats_is_read_back(exact: str) -> None:
    columns, _, text = drafted(ColumnProfile("a", Kind.NUMBER, storage=exact, least=1.5, most=2.0))
    assert columns["a"].storage == exact
    assert "physicalType: float\n" not in text


def test_numbers_that_name_rows_may_go_on() -> None:
    columns, _, _ = drafted(
        ColumnProfile("id", Kind.INTEGER, distinct=100, least=1, most=100),
        ColumnProfile("load", Kind.INTEGER, distinct=60, least=1, most=100),
    )
    assert [rule.kind for rule in columns["id"].rules] == [RuleKind.AT_LEAST]
    assert [rule.kind for rule in columns["load"].rules] == [RuleKind.AT_LEAST, RuleKind.AT_MOST]
