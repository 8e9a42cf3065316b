from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.contracts.bounds import keeps
from release_gate.contracts.contract import Column, Kind, OnInvalid, OnNull, Policy, Rule, RuleKind
from release_gate.contracts.contradictions import contradictions

REJECT = Policy(OnNull.REJECT, OnInvalid.REJECT)
CLIP = Policy(OnNull.REJECT, OnInvalid.CLIP)
AT_LEAST, ABOVE, AT_MOST, BELOW = RuleKind.AT_LEAST, RuleKind.ABOVE, RuleKind.AT_MOST, RuleKind.BELOW


def causes(
    kind: Kind, *rules: Rule, policy: Policy = REJECT, required: bool = False, default: Any = None, **rest: Any
) -> list[str]:
    column = Column("a", kind, rules, policy, **rest)
    found = contradictions(column, required=required, default=default)
    assert {one.code for one in found} <= {"contract-contradictory"}
    return [one.message.partition("contradicts itself: ")[2] for one in found]


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [
        (Kind.NUMBER, Rule(AT_LEAST, 3), Rule(AT_MOST, 2)),
        (Kind.NUMBER, Rule(ABOVE, 2), Rule(AT_MOST, 2)),
        (Kind.NUMBER, Rule(AT_LEAST, 2), Rule(BELOW, 2)),
        (Kind.INTEGER, Rule(ABOVE, 2), Rule(BELOW, 3)),
        (Kind.INTEGER, Rule(AT_LEAST, 2.2), Rule(AT_MOST, 2.8)),
        (Kind.DATE, Rule(AT_LEAST, "2020-01-02"), Rule(AT_MOST, "2020-01-01")),
        (Kind.DATE, Rule(ABOVE, "2020-01-01"), Rule(BELOW, "2020-01-02")),
        (Kind.TIMESTAMP, Rule(AT_LEAST, "2020-01-01T00:00:01"), Rule(AT_MOST, "2020-01-01")),
        (Kind.TIMESTAMP, Rule(AT_LEAST, "2020-01-01T10:00:00+00:00"), Rule(AT_MOST, "2020-01-01T10:30:00+01:00")),
        (Kind.TIME, Rule(ABOVE, "10:00"), Rule(BELOW, "10:00")),
        (Kind.STRING, Rule(RuleKind.SHORTEST, 3), Rule(RuleKind.LONGEST, 2)),
        (Kind.ARRAY, Rule(RuleKind.FEWEST_ITEMS, 3), Rule(RuleKind.MOST_ITEMS, 2)),
    ],
)
def test_a_range_that_holds_nothing_is_found(kind: Kind, low: Rule, high: Rule) -> None:
    (cause,) = causes(kind, low, high)
    assert str(low) in cause
    assert str(high) in cause
    assert causes(kind, low, Rule(high.kind, high.value, warns=True)) == []


@pytest.mark.parametrize(
    ("kind", "rules"),
    [
        (Kind.NUMBER, (Rule(AT_LEAST, 2), Rule(AT_MOST, 2))),
        (Kind.NUMBER, (Rule(ABOVE, 2), Rule(BELOW, 2.1))),
        (Kind.INTEGER, (Rule(ABOVE, 2), Rule(BELOW, 4))),
        (Kind.DATE, (Rule(ABOVE, "2020-01-01"), Rule(BELOW, "2020-01-03"))),
        (Kind.STRING, (Rule(RuleKind.SHORTEST, 2), Rule(RuleKind.LONGEST, 2))),
        (Kind.STRING, (Rule(RuleKind.ONE_OF, ("a", "bb")), Rule(RuleKind.LONGEST, 1))),
    ],
)
def test_a_range_that_holds_a_value_is_none(kind: Kind, rules: tuple[Rule, ...]) -> None:
    assert causes(kind, *rules) == []


@given(
    st.sampled_from([AT_LEAST, ABOVE]),
    st.integers(-9, 9) | st.floats(-9, 9),
    st.sampled_from([AT_MOST, BELOW]),
    st.integers(-9, 9) | st.floats(-9, 9),
)
def test_of_whole_numbers_a_range_is_empty_just_where_no_whole_number_keeps_it(
    lower: RuleKind, low: float, upper: RuleKind, high: float
) -> None:
    rules = (Rule(lower, low), Rule(upper, high))
    some = any(all(keeps(Kind.INTEGER, rule, value) for rule in rules) for value in range(-20, 21))
    assert bool(causes(Kind.INTEGER, *rules)) is not some


def test_an_empty_set_and_one_whose_values_the_other_rules_exclude_are_found() -> None:
    assert causes(Kind.STRING, Rule(RuleKind.ONE_OF, ())) == ["its set of valid values is empty"]
    (none_left,) = causes(Kind.INTEGER, Rule(RuleKind.ONE_OF, (1, 2)), Rule(AT_LEAST, 3))
    assert "not one of its valid values" in none_left
    assert causes(Kind.STRING, Rule(RuleKind.ONE_OF, ("a",)), Rule(RuleKind.NONE_OF, ("a",)))


def test_a_valid_value_of_another_type_is_found() -> None:
    (cause,) = causes(Kind.INTEGER, Rule(RuleKind.ONE_OF, (1, "2")))
    assert "'2'" in cause
    assert causes(Kind.BOOLEAN, Rule(RuleKind.ONE_OF, (True,))) == []
    assert causes(Kind.INTEGER, Rule(RuleKind.ONE_OF, (True,)))


@pytest.mark.parametrize(
    ("storage", "rule", "wrong"),
    [
        ("int8", Rule(AT_MOST, 300), True),
        ("int8", Rule(AT_MOST, 127), False),
        ("uint8", Rule(AT_LEAST, -1), True),
        ("uint64", Rule(AT_MOST, 2**64 - 1), False),
        ("int64", Rule(RuleKind.ONE_OF, (2**63,)), True),
        ("double", Rule(AT_MOST, 1e300), False),
        (None, Rule(AT_MOST, 300), False),
    ],
)
def test_a_bound_outside_the_exact_type_is_found(storage: str | None, rule: Rule, wrong: bool) -> None:
    assert bool(causes(Kind.INTEGER if storage != "double" else Kind.NUMBER, rule, storage=storage)) is wrong


@pytest.mark.parametrize(
    ("kind", "rules", "value"),
    [
        (Kind.INTEGER, (Rule(AT_LEAST, 1),), 0),
        (Kind.INTEGER, (), "none"),
        (Kind.INTEGER, (), 1.5),
        (Kind.INTEGER, (Rule(RuleKind.MULTIPLE_OF, 5),), 3),
        (Kind.STRING, (Rule(RuleKind.ONE_OF, ("x",)),), "y"),
        (Kind.STRING, (Rule(RuleKind.PATTERN, "^[0-9]+$"),), "y"),
        (Kind.STRING, (Rule(RuleKind.LONGEST, 3),), "four"),
        (Kind.STRING, (Rule(RuleKind.STARTS_WITH, "a"),), "b"),
        (Kind.STRING, (), 0),
        (Kind.BOOLEAN, (), 1),
        (Kind.DATE, (Rule(AT_MOST, "2020-01-01"),), "2020-01-02"),
        (Kind.DATE, (), "never"),
    ],
)
def test_a_value_imputed_outside_its_own_rules_is_found(kind: Kind, rules: tuple[Rule, ...], value: Any) -> None:
    policy = Policy(OnNull.IMPUTE, OnInvalid.REJECT, impute=value)
    (cause,) = causes(kind, *rules, policy=policy)
    assert cause.startswith("missing values become")


def test_a_value_imputed_within_its_rules_and_type_is_none() -> None:
    policy = Policy(OnNull.IMPUTE, OnInvalid.REJECT, impute=5)
    assert causes(Kind.INTEGER, Rule(AT_LEAST, 5), Rule(RuleKind.MULTIPLE_OF, 5), policy=policy, storage="int8") == []
    (cause,) = causes(Kind.INTEGER, policy=Policy(OnNull.IMPUTE, OnInvalid.REJECT, impute=300), storage="int8")
    assert "int8" in cause


@pytest.mark.parametrize(
    ("kind", "rules"),
    [
        (Kind.NUMBER, (Rule(ABOVE, 0),)),
        (Kind.TIMESTAMP, (Rule(BELOW, "2020-01-01"),)),
        (Kind.NUMBER, ()),
        (Kind.STRING, (Rule(RuleKind.LONGEST, 3),)),
        (Kind.INTEGER, (Rule(AT_MOST, 10), Rule(RuleKind.MULTIPLE_OF, 3))),
        (Kind.INTEGER, (Rule(AT_MOST, 10), Rule(RuleKind.ONE_OF, (1, 2)))),
    ],
)
def test_clipping_that_ends_on_no_valid_value_is_found(kind: Kind, rules: tuple[Rule, ...]) -> None:
    (cause,) = causes(kind, *rules, policy=CLIP)
    assert "clipped" in cause


def test_clipping_whole_numbers_and_days_to_an_open_bound_ends_on_the_next() -> None:
    assert causes(Kind.INTEGER, Rule(ABOVE, 0), Rule(AT_MOST, 9), policy=CLIP) == []
    assert causes(Kind.DATE, Rule(BELOW, "2020-01-01"), policy=CLIP) == []


def test_what_the_format_says_of_nulls_and_what_the_policy_says_must_agree() -> None:
    keep = Policy(OnNull.KEEP, OnInvalid.REJECT)
    assert causes(Kind.STRING, policy=keep, required=True)
    assert causes(Kind.STRING, policy=keep, default="x")
    assert causes(Kind.STRING, policy=Policy(OnNull.IMPUTE, OnInvalid.REJECT), default="x") == []
    assert causes(Kind.STRING, policy=Policy(OnNull.REJECT, OnInvalid.SET_NULL))
    assert causes(Kind.STRING, policy=Policy()) == []
