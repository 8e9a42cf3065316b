"""Rows of a contract: every one allowed, the edges among them, the same for the same seed."""

from __future__ import annotations

import datetime as dt
import math
import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.contracts.allowed import Value, allows
from release_gate.contracts.contract import Column, Contract, Kind, OnNull, Policy, Rule, RuleKind
from release_gate.contracts.fuzz.fuzzing import domains, rows
from release_gate.contracts.fuzz.pattern_texts import texts

REJECT, KEEP = Policy(on_null=OnNull.REJECT), Policy(on_null=OnNull.KEEP)


def contract(*columns: Column, key: tuple[str, ...] = ()) -> Contract:
    return Contract(name="c", version="1.0.0", columns=columns, key=key)


def column(kind: Kind, *rules: Rule, name: str = "x", policy: Policy = REJECT, unique: bool = False) -> Column:
    return Column(name, kind, rules=rules, policy=policy, unique=unique)


def tried(one: Column, number: int = 200, seed: int = 0) -> list[Value]:
    whole = contract(one)
    return [row[0] for row in rows(whole, domains(whole, seed, number), seed, number)]


def rule(kind: RuleKind, value: object) -> Rule:
    return Rule(kind, value)  # type: ignore[arg-type]


def test_bounds_are_tried_inclusive_and_just_inside_exclusive() -> None:
    closed = tried(column(Kind.INTEGER, rule(RuleKind.AT_LEAST, 3), rule(RuleKind.AT_MOST, 9)))
    assert {3, 9} <= set(closed)
    half_open = tried(column(Kind.NUMBER, rule(RuleKind.ABOVE, 3), rule(RuleKind.BELOW, 9)))
    assert {math.nextafter(3, 9), math.nextafter(9, 3)} <= set(half_open)
    assert not {3.0, 9.0} & set(half_open)
    whole = tried(column(Kind.INTEGER, rule(RuleKind.ABOVE, 3), rule(RuleKind.BELOW, 9)))
    assert (min(whole), max(whole)) == (4, 8)  # type: ignore[type-var]


def test_a_step_leaves_only_its_multiples() -> None:
    found = tried(
        column(Kind.INTEGER, rule(RuleKind.MULTIPLE_OF, 5), rule(RuleKind.AT_LEAST, 7), rule(RuleKind.AT_MOST, 31))
    )
    assert {10, 30} <= set(found) <= {10, 15, 20, 25, 30}


def test_infinity_and_numbers_beyond_a_float_are_tried_only_without_bounds() -> None:
    assert {math.inf, -math.inf} <= set(tried(column(Kind.NUMBER)))
    assert {2**63 - 1, -(2**63), 2**53 + 1} <= set(tried(column(Kind.INTEGER)))
    bounded = tried(column(Kind.NUMBER, rule(RuleKind.AT_MOST, 9), rule(RuleKind.AT_LEAST, 0)))
    assert all(isinstance(value, float) and math.isfinite(value) for value in bounded)


def test_nulls_come_only_where_they_are_kept_and_what_is_imputed_in_their_place() -> None:
    bounds = rule(RuleKind.AT_LEAST, 0), rule(RuleKind.AT_MOST, 999)
    assert None in tried(column(Kind.NUMBER, *bounds, policy=KEEP))
    for policy in (REJECT, Policy(), Policy(on_null=OnNull.DROP_ROW)):
        assert None not in tried(column(Kind.NUMBER, *bounds, policy=policy))
    imputed = tried(column(Kind.NUMBER, *bounds, policy=Policy(on_null=OnNull.IMPUTE, impute=77.25)))
    assert None not in imputed
    assert 77.25 in imputed


def test_every_category_is_tried_and_without_a_set_one_never_seen() -> None:
    assert set(tried(column(Kind.STRING, rule(RuleKind.ONE_OF, ("a", "b", "rare"))))) == {"a", "b", "rare"}
    free = set(tried(column(Kind.STRING)))
    assert {"", "never seen before", "👩‍🚀"} <= free
    assert not {"", "a"} & set(tried(column(Kind.STRING, rule(RuleKind.NONE_OF, ("", "a")))))


def test_the_longest_and_the_shortest_text_are_tried() -> None:
    found = tried(column(Kind.STRING, rule(RuleKind.LONGEST, 12), rule(RuleKind.SHORTEST, 2)))
    assert {len(str(value)) for value in found} >= {2, 12}
    assert all(2 <= len(str(value)) <= 12 for value in found)
    headed = tried(column(Kind.STRING, rule(RuleKind.STARTS_WITH, "id-"), rule(RuleKind.ENDS_WITH, "/")))
    assert len(set(headed)) > 5
    assert all(str(value).startswith("id-") and str(value).endswith("/") for value in headed)


def test_leap_days_and_changes_of_the_clock_are_tried_within_the_bounds() -> None:
    free = tried(column(Kind.TIMESTAMP))
    assert dt.datetime(2024, 2, 29, 12) in free  # noqa: DTZ001
    assert dt.datetime(2024, 3, 10, 2, 30) in free  # noqa: DTZ001 - does not exist in New York
    assert dt.datetime(2024, 11, 3, 1, 30) in free  # noqa: DTZ001 - exists twice there
    bounds = rule(RuleKind.AT_LEAST, "2013-01-01"), rule(RuleKind.AT_MOST, "2013-12-31")
    days = tried(column(Kind.DATE, *bounds))
    assert {dt.date(2013, 1, 1), dt.date(2013, 12, 31)} <= set(days)
    assert all(isinstance(day, dt.date) and day.year == 2013 for day in days)


@pytest.mark.parametrize(
    "pattern",
    [
        "^[0-9]{8}-[A-Z]{3}$",
        r"^\d+$",
        "a|bc",
        "^[^x]{2,4}$",
        r"^\w+@\w+\.(com|org)$",
        "^(ab)*$",
        "(?i)^yes$",
        "^.{3}$",
        "b+",
    ],
)
def test_texts_of_a_pattern_match_it(pattern: str) -> None:
    found = tried(column(Kind.STRING, rule(RuleKind.PATTERN, pattern)), 60)
    assert found
    assert all(re.search(pattern, str(value)) for value in found)


def test_the_shortest_and_longest_text_of_a_pattern_come_first() -> None:
    assert texts("^a{2,5}$", Random(0), 3)[:2] == ["aa", "aaaaa"]
    assert texts(r"^(?=a)b\1", Random(0), 3) == []


def test_a_pattern_of_which_no_text_can_be_made_leaves_the_column_to_the_data() -> None:
    assert tried(column(Kind.STRING, rule(RuleKind.PATTERN, "^a$"), rule(RuleKind.SHORTEST, 3))) == []
    assert tried(column(Kind.ARRAY)) == []
    assert tried(column(Kind.STRING, rule(RuleKind.PATTERN, "("))) == []


def test_the_same_seed_gives_the_same_rows_and_another_seed_others() -> None:
    free = contract(column(Kind.NUMBER, name="a"), column(Kind.STRING, rule(RuleKind.PATTERN, "^[a-z]{9}$"), name="b"))
    once, again, other = (rows(free, domains(free, seed, 50), seed, 50) for seed in (1, 1, 2))
    assert repr(once) == repr(again)
    assert repr(once) != repr(other)


def test_the_first_row_is_ordinary_and_the_next_hold_one_edge_each() -> None:
    whole = contract(column(Kind.INTEGER, name="a"), column(Kind.STRING, name="b", policy=KEEP))
    made = rows(whole, domains(whole, 0, 50), 0, 50)
    assert made[0] == (1, "a")
    assert all(sum(value != usual for value, usual in zip(row, made[0], strict=True)) == 1 for row in made[1:20])


def test_no_unique_value_and_no_key_comes_twice() -> None:
    single = tried(column(Kind.INTEGER, rule(RuleKind.AT_LEAST, 1), rule(RuleKind.AT_MOST, 9), unique=True))
    assert 3 <= len(single) == len(set(single)) <= 9
    truth = column(Kind.BOOLEAN, name="b")
    whole = contract(column(Kind.STRING, name="a"), truth, key=("a", "b"))
    made = rows(whole, domains(whole, 0, 100), 0, 100)
    assert len(made) == len(set(made)) > 20


def test_what_storage_changes_is_held_to_the_rules_again() -> None:
    whole = contract(column(Kind.NUMBER, rule(RuleKind.BELOW, 1), rule(RuleKind.AT_LEAST, 0)))
    (domain,) = domains(whole, 0, 10)
    coarse = domain.fitted(lambda value: float(round(value)))  # type: ignore[arg-type]
    assert coarse is not None
    assert {coarse.plain, *coarse.values} == {0.0}
    assert domain.fitted(lambda value: float("x")) is None


@given(
    st.sampled_from([Kind.INTEGER, Kind.NUMBER]),
    st.integers(-1000, 1000),
    st.integers(0, 1000),
    st.tuples(st.booleans(), st.booleans()),
    st.integers(0, 3),
)
def test_no_row_breaks_its_contract(kind: Kind, low: int, width: int, opened: tuple[bool, bool], seed: int) -> None:
    lower = rule(RuleKind.ABOVE if opened[0] else RuleKind.AT_LEAST, low)
    upper = rule(RuleKind.BELOW if opened[1] else RuleKind.AT_MOST, low + width)
    one = column(kind, lower, upper, policy=KEEP)
    found = tried(one, 40, seed)
    assert all(allows(one, value) for value in found)
    if not any(opened):
        assert {low, low + width} <= set(found)
