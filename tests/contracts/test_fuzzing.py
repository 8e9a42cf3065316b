"""Rows of a contract: every one allowed, the edges among them, the same for the same seed."""

from __future__ import annotations

import datetime as dt
import doctest
import math
import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.contracts.allowed import Value, allows
from release_gate.contracts.contract import Column, Contract, Kind, OnInvalid, OnNull, Policy, Rule, RuleKind
from release_gate.contracts.fuzz import edge_order
from release_gate.contracts.fuzz.edge_order import SHARE_OF_EDGES
from release_gate.contracts.fuzz.fuzzing import Domain, domains, rows, untried
from release_gate.contracts.fuzz.pattern_texts import texts

REJECT, KEEP = Policy(on_null=OnNull.REJECT), Policy(on_null=OnNull.KEEP)


def contract(*columns: Column, key: tuple[str, ...] = ()) -> Contract:
    return Contract(name="c", version="1.0.0", columns=columns, key=key)


def column(kind: Kind, *rules: Rule, name: str = "x", policy: Policy = REJECT, unique: bool = False) -> Column:
    return Column(name, kind, rules=rules, policy=policy, unique=unique)


def tried(one: Column, number: int = 200, seed: int = 0) -> list[Value]:
    whole = contract(one)
    return [row[0] for row in rows(whole, domains(whole, seed, number), seed, number)]


def rule(kind: RuleKind, value: object, *, warns: bool = False) -> Rule:
    return Rule(kind, value, warns)  # type: ignore[arg-type]


def both(whole: Contract, number: int = 200, seed: int = 0) -> tuple[tuple[Domain, ...], list[tuple[Value, ...]]]:
    found = domains(whole, seed, number)
    return found, rows(whole, found, seed, number)


def edgy(row: tuple[Value, ...], found: tuple[Domain, ...]) -> list[str]:
    return [domain.name for value, domain in zip(row, found, strict=True) if repr(value) != repr(domain.plain)]


def of_set(size: int, name: str = "x", policy: Policy = REJECT) -> Column:
    return column(Kind.STRING, rule(RuleKind.ONE_OF, tuple(f"v{one}" for one in range(size))), name=name, policy=policy)


def wide(columns: int) -> Contract:
    """Like a table of weather: numbers that may be missing, a category, a moment, an id."""
    bounds = rule(RuleKind.AT_LEAST, -60), rule(RuleKind.AT_MOST, 130)
    numbers = [column(Kind.NUMBER, *bounds, name=f"n{one}", policy=KEEP) for one in range(columns - 3)]
    return contract(
        column(Kind.STRING, rule(RuleKind.PATTERN, "^[0-9]{8}$"), name="id", unique=True),
        *numbers,
        of_set(16, "carrier"),
        column(Kind.TIMESTAMP, name="at"),
    )


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
    day = Policy(on_null=OnNull.IMPUTE, impute="2013-05-01")
    assert dt.date(2013, 5, 1) in tried(column(Kind.DATE, rule(RuleKind.AT_LEAST, "2013-01-01"), policy=day))


SET_NULL = OnInvalid.SET_NULL


@pytest.mark.parametrize("on_null", [None, OnNull.KEEP, OnNull.REJECT])
def test_what_is_set_to_null_comes_as_a_null(on_null: OnNull | None) -> None:
    least, policy = rule(RuleKind.AT_LEAST, 0), Policy(on_null=on_null, on_invalid=SET_NULL)
    found = tried(column(Kind.NUMBER, least, policy=policy))
    assert None in found
    assert found[0] is not None
    (domain,) = domains(contract(column(Kind.NUMBER, least, policy=policy)), 0, 20)
    assert domain.values.count(None) == 1
    # What storage gives back keeps it too.
    fitted = domain.fitted(lambda value: value)
    assert fitted is not None
    assert fitted.values.count(None) == fitted.edges.count(None) == 1
    assert fitted.plain is not None


def test_what_nothing_sets_to_null_or_what_does_not_stay_null_comes_as_none() -> None:
    least = rule(RuleKind.AT_LEAST, 0)
    assert None not in tried(column(Kind.NUMBER, policy=Policy(on_invalid=SET_NULL)))
    warned = rule(RuleKind.AT_LEAST, 0, warns=True)
    assert None not in tried(column(Kind.NUMBER, warned, policy=Policy(on_invalid=SET_NULL)))
    dropped = Policy(on_null=OnNull.DROP_ROW, on_invalid=SET_NULL)
    assert None not in tried(column(Kind.NUMBER, least, policy=dropped))
    imputed = tried(column(Kind.NUMBER, least, policy=Policy(on_null=OnNull.IMPUTE, impute=7.5, on_invalid=SET_NULL)))
    assert None not in imputed
    assert 7.5 in imputed


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


@pytest.mark.parametrize("columns", [4, 18, 60])
def test_every_edge_of_a_wide_table_is_tried(columns: int) -> None:
    found, made = both(wide(columns))
    assert len(made) == 200
    assert untried(found, made) == {}
    at, carrier = ({row[-1] for row in made}, {row[-2] for row in made})
    assert dt.datetime(2024, 2, 29, 12) in at  # noqa: DTZ001
    assert dt.datetime(2024, 3, 10, 2, 30) in at  # noqa: DTZ001 - does not exist in New York
    assert len(carrier) == 16


def test_in_a_wide_table_edges_come_alone_first_and_then_no_more_in_a_row_than_must() -> None:
    whole = wide(30)
    found, made = both(whole)
    # An id differs in every row: it may not repeat.
    many = [len([name for name in edgy(row, found) if name != "id"]) for row in made]
    alone = sum(one <= 1 for one in many)
    assert alone > 100
    assert max(many) <= SHARE_OF_EDGES * len(found) + 1
    nulls = [row for row in made if None in row]
    assert all(len([name for name in edgy(row, found) if name != "id"]) == 1 for row in nulls[:27])


def test_with_fewer_rows_than_columns_the_nulls_do_not_meet_in_one_row() -> None:
    found, made = both(wide(60), 30)
    assert len(made) == 30
    assert untried(found, made).keys() <= {"at"}  # more moments than rows
    assert max(row.count(None) for row in made) <= 20
    assert sum(row.count(None) for row in made) >= 57


def test_a_set_larger_than_forty_is_tried_whole_where_rows_are_enough() -> None:
    found, made = both(contract(of_set(150), of_set(120, "y")))
    assert untried(found, made) == {}
    exactly = both(contract(of_set(200), column(Kind.NUMBER, name="y", policy=KEEP)))
    assert untried(*exactly) == {}


def test_what_no_rows_could_hold_is_counted_by_column() -> None:
    found, made = both(contract(of_set(500, policy=KEEP), column(Kind.BOOLEAN, name="b")))
    missing = untried(found, made)
    held = {row[0] for row in made} - {found[0].plain}
    assert None in held
    assert missing == {"x": 500 - len(held)}
    assert 250 < missing["x"] < 400
    assert any(edgy(row, found) == ["b"] for row in made), "a column is tried alone beside a set without end"
    assert untried(found, []) == {"x": 500, "b": 1}
    assert untried((), []) == {}


def test_edges_are_told_apart_by_their_type_and_sign() -> None:
    (domain,) = domains(contract(column(Kind.NUMBER)), 0, 10)
    signed = Domain(domain.column, 1.0, (0.0, -0.0, True), (0.0, -0.0, True))
    assert untried([signed], [(0.0,), (1,)]) == {"x": 2}


def test_of_a_column_without_repeats_only_the_edges_must_be_tried() -> None:
    bounds = rule(RuleKind.AT_LEAST, 1), rule(RuleKind.AT_MOST, 10**6)
    found, made = both(contract(column(Kind.INTEGER, *bounds, name="id", unique=True), column(Kind.STRING)), 60)
    assert len(found[0].values) > 60
    assert {1, 2, 10**6, 10**6 - 1} <= {*found[0].edges, found[0].plain}
    assert len(found[0].edges) < 10
    assert untried(found, made) == {}
    # Where a row needs some other value it is one from within: an edge would fail in the place of what is tried.
    edges = set(found[0].edges)
    assert all(len(edgy(row, found)) == 1 for row in made[1:40] if row[0] in edges)


def test_few_rows_of_a_unique_column_hold_the_edges_of_the_others() -> None:
    three = column(Kind.STRING, rule(RuleKind.ONE_OF, tuple("abcdefghi")), name="id", unique=True)
    whole = contract(three, *(of_set(4, f"c{one}", KEEP) for one in range(6)))
    found, made = both(whole)
    assert len(made) == 9
    assert untried(found, made) == {}


def test_infinity_stands_beside_no_other_edge_that_a_request_could_carry() -> None:
    whole = contract(*(column(Kind.NUMBER, name=f"n{one}", policy=KEEP) for one in range(40)))
    found, made = both(whole)
    assert untried(found, made) == {}
    finite = [row for row in made if not any(isinstance(value, float) and math.isinf(value) for value in row)]
    assert {edge for edges in [untried(found, finite)] for edge in edges.values()} == {2}


def test_a_column_that_is_added_changes_no_values_of_the_others() -> None:
    few, more = (domains(wide(columns), 0, 200) for columns in (10, 11))
    values = {domain.name: repr(domain.values) for domain in more}
    assert all(values[domain.name] == repr(domain.values) for domain in few)


def test_wide_tables_too_are_the_same_for_the_same_seed() -> None:
    assert repr(both(wide(40))) == repr(both(wide(40)))
    assert repr(both(wide(40))) != repr(both(wide(40), seed=1))


@given(
    st.lists(st.tuples(st.integers(1, 40), st.booleans()), min_size=1, max_size=12),
    st.integers(1, 120),
    st.integers(0, 3),
)
def test_what_can_be_tried_in_so_many_rows_is_tried(sizes: list[tuple[int, bool]], number: int, seed: int) -> None:
    whole = contract(*(of_set(size, f"c{at}", KEEP if null else REJECT) for at, (size, null) in enumerate(sizes)))
    found, made = both(whole, number, seed)
    assert len(made) == number
    assert edgy(made[0], found) == []
    possible = [domain.name for domain in found if len(domain.edges) < number]
    assert not set(untried(found, made)) & set(possible)
    if number > sum(len(domain.edges) for domain in found):
        assert all(len(edgy(row, found)) == 1 for row in made[1 : 1 + sum(len(domain.edges) for domain in found)])


def test_the_example_of_the_module_runs() -> None:
    assert doctest.testmod(edge_order).failed == 0


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
