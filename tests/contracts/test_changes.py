from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.change_kinds import KINDS, ContractChanges, Weight
from release_gate.contracts.comparison.change import Change
from release_gate.contracts.comparison.changes import changes, owed
from release_gate.contracts.contract import Contract, Version
from release_gate.contracts.reading import read
from release_gate.documents import parse
from tests.contracts.written import column, odcs, valid


def contract(*columns: dict[str, Any], **rest: Any) -> Contract:
    return read(parse(odcs(*columns, **rest), "c.yml")).contract


BASE = {"name": "a", "kind": "number"}


def changed(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [one.weight.value for one in changes(contract(before), contract(after))]


def number(**options: Any) -> dict[str, Any]:
    return column("a", "number", logicalTypeOptions=options)


def policy(**said: Any) -> dict[str, Any]:
    return column("a", "integer", policy=said, logicalTypeOptions={"maximum": 9})


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        (number(maximum=9), number(maximum=8)),
        (number(minimum=1), number(minimum=2)),
        (number(exclusiveMaximum=9), number(exclusiveMaximum=8)),
        (number(), number(minimum=0)),
        (number(multipleOf=2), number(multipleOf=4)),
        (column("a", "string", quality=valid("x", "y")), column("a", "string", quality=valid("x"))),
        (column("a", "string"), column("a", "string", quality=valid("x"))),
        (
            column("a", "string", logicalTypeOptions={"maxLength": 5}),
            column("a", "string", logicalTypeOptions={"maxLength": 4}),
        ),
        (
            column("a", "string", logicalTypeOptions={"minLength": 1}),
            column("a", "string", logicalTypeOptions={"minLength": 2}),
        ),
        (column("a", "string"), column("a", "string", unique=True)),
        (
            column("a", "date", logicalTypeOptions={"minimum": "2020-01-01"}),
            column("a", "date", logicalTypeOptions={"minimum": "2021-01-01"}),
        ),
        (column("a", "integer"), column("a", "integer", physicalType="int64")),
        (column("a", "timestamp"), column("a", "timestamp", logicalTypeOptions={"timezone": True})),
        (policy(onNull="keep"), policy(onNull="reject")),
        (policy(onInvalid="clip"), policy(onInvalid="reject")),
        (policy(onInvalid="quarantine up to 5%"), policy(onInvalid="quarantine up to 4%")),
        (policy(onInvalid="clip"), policy(onInvalid="clip up to 5%")),
        (policy(), policy(sensitive=True)),
    ],
)
def test_promising_more_is_compatible_and_taking_it_back_is_breaking(
    wide: dict[str, Any], narrow: dict[str, Any]
) -> None:
    assert changed(wide, narrow) == ["compatible"]
    assert changed(narrow, wide) == ["breaking"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (column("a", "integer"), column("a", "number")),
        (column("a", "integer", physicalType="int32"), column("a", "integer", physicalType="int64")),
        (policy(onNull="keep"), policy(onNull="impute")),
        (policy(onInvalid="clip"), policy(onInvalid="quarantine up to 5%")),
        (column("a", "string", quality=valid("x")), column("a", "string", quality=valid("y"))),
        (
            column("a", "string", logicalTypeOptions={"pattern": "^a"}),
            column("a", "string", logicalTypeOptions={"pattern": "^b"}),
        ),
        (number(multipleOf=2), number(multipleOf=3)),
    ],
)
def test_what_cannot_be_ordered_breaks_both_ways(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert changed(one, other) == changed(other, one) == ["breaking"]


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        ("int64", "decimal128(3, 0)", {"type-widened", "storage-changed"}),
        ("int64", "halffloat", {"type-widened", "storage-changed"}),
        (None, "double", {"type-widened", "storage-demanded"}),
        ("int64", None, {"type-widened", "storage-freed"}),
        (None, None, {"type-widened"}),
    ],
)
def test_a_wider_type_hides_no_other_exact_type(before: str | None, after: str | None, kinds: set[str]) -> None:
    def typed(kind: str, exact: str | None) -> Contract:
        options: dict[str, Any] = {"physicalType": exact} if exact else {}
        return contract(column("a", kind, **options))

    assert {one.kind for one in changes(typed("integer", before), typed("number", after))} == kinds


def test_another_type_says_of_the_exact_one_that_it_is_another() -> None:
    whole, moment = column("a", "integer", physicalType="int64"), column("a", "timestamp", physicalType="timestamp[us]")
    assert [one.kind for one in changes(contract(whole), contract(moment))] == ["type-changed"]


def test_in_the_set_of_a_measure_true_is_another_value_than_one() -> None:
    def counted(value: object) -> Contract:
        (rule,) = valid(value)
        share = {**rule, "mustBeLessThan": 5, "unit": "percent"}
        del share["mustBe"]
        return contract(column("a", "boolean", quality=[share]))

    found = changes(counted(1), counted(True))
    assert {one.kind for one in found} == {"measure-removed", "measure-added"}
    for who in ("readers", "writers"):
        weighed = changes(counted(1), counted(True), ContractChanges.model_validate({"for": who}))
        assert weighed[0].weight is KINDS["set-changed"].readers is Weight.BREAKING
    assert changes(counted(True), counted(True)) == ()


@pytest.mark.parametrize(
    "after",
    [
        column("a", "string", description="now told"),
        column("a", "string", policy={"backfill": "Another way; the data team."}),
        column("a", "string", policy={"onNull": None}),
        column("a", "string", policy={"onInvalid": None}),
    ],
)
def test_texts_are_editorial(after: dict[str, Any]) -> None:
    assert changed(column("a", "string"), after) == ["editorial"]
    assert changed(column("a", "string", quality=valid(1, 2)), column("a", "string", quality=valid(2, 1))) == [
        "editorial"
    ]


def test_columns_and_rows_of_the_table() -> None:
    a, b = column("a", "string"), column("b", "string")
    assert [(one.weight, one.column) for one in changes(contract(a, b), contract(a))] == [(Weight.BREAKING, "b")]
    assert [(one.weight, one.column) for one in changes(contract(a), contract(a, b))] == [(Weight.COMPATIBLE, "b")]
    some, more = ([{"metric": "rowCount", "mustBeGreaterOrEqualTo": least}] for least in (1, 2))
    assert [one.weight for one in changes(contract(a, quality=some), contract(a, quality=more))] == [Weight.COMPATIBLE]
    assert [one.weight for one in changes(contract(a, quality=some), contract(a))] == [Weight.BREAKING]
    most = [{"metric": "rowCount", "mustBeLessThan": 9}]
    assert [one.weight for one in changes(contract(a), contract(a, quality=most))] == [Weight.COMPATIBLE]
    assert [one.weight for one in changes(contract(a, name="x"), contract(a, name="y"))] == [Weight.EDITORIAL]
    owner = [{"property": "owner", "value": "@octo-air/data"}]
    assert [one.weight for one in changes(contract(a), contract(a, customProperties=owner))] == [Weight.EDITORIAL]


def test_another_key_is_breaking() -> None:
    one, two = column("a", "string", unique=True), column("b", "string", unique=True)
    found = changes(contract({**one, "primaryKey": True}, two), contract(one, {**two, "primaryKey": True}))
    assert [(change.weight, change.what) for change in found] == [(Weight.BREAKING, "the key changes from (a) to (b)")]


def test_of_two_sets_the_values_that_both_hold_are_compared() -> None:
    twice = column("a", "string", enum=[{"value": "x"}, {"value": "y"}], quality=valid("y", "z"))
    once = column("a", "string", quality=valid("y"))
    assert [one.kind for one in changes(contract(twice), contract(once))] == ["rule-rewritten"]
    found = changes(contract(twice), contract(column("a", "string", quality=valid("y", "z"))))
    assert [(one.weight, one.what) for one in found] == [(Weight.BREAKING, "`one of`: with z")]


def test_the_difference_of_sets_is_told() -> None:
    (found,) = changes(
        contract(column("a", "string", quality=valid("x", "y"))),
        contract(column("a", "string", quality=valid("y", "z"))),
    )
    assert found.what == "`one of`: with z, without x"


def test_breaking_changes_come_first_and_nothing_changes_into_itself() -> None:
    before = contract(column("a", "string"), column("b", "string"))
    after = contract(column("a", "string", description="x"), column("c", "string"))
    assert [one.weight.value for one in changes(before, after)] == ["breaking", "compatible", "editorial"]
    assert changes(before, before) == ()


VERSIONS = st.builds(Version, st.integers(0, 3), st.integers(0, 9), st.integers(0, 9))
WEIGHTS = st.lists(st.sampled_from(list(Weight)), max_size=4)


def weighing(weights: list[Weight]) -> tuple[Change, ...]:
    return tuple(Change("owner-changed", "x", given=weight) for weight in weights)


@given(VERSIONS, WEIGHTS)
def test_the_version_owed_grows_with_the_weight_and_never_shrinks(version: Version, weights: list[Weight]) -> None:
    due = owed(version, weighing(weights))
    assert due > version if weights else due == version
    if Weight.BREAKING in weights:
        assert due.major > version.major or (version.major == 0 and due.minor > version.minor)
    elif Weight.COMPATIBLE in weights and version.major:
        assert (due.major, due.minor) == (version.major, version.minor + 1)
    elif weights:
        assert (due.major, due.minor) == (version.major, version.minor)


@given(VERSIONS)
def test_a_version_reads_back_what_it_shows(version: Version) -> None:
    assert Version.parse(str(version)) == version


@given(VERSIONS, WEIGHTS, WEIGHTS)
def test_more_changes_never_owe_a_lower_version(version: Version, some: list[Weight], more: list[Weight]) -> None:
    assert owed(version, weighing(some + more)) >= owed(version, weighing(some))


@pytest.mark.parametrize("kind", KINDS)
def test_a_configuration_asks_readers_writers_or_both_and_has_the_last_word(kind: str) -> None:
    known, order = KINDS[kind], list(Weight)
    readers, writers, both = (ContractChanges.model_validate({"for": who}) for who in ("readers", "writers", "both"))
    assert ContractChanges().weight(kind) is readers.weight(kind) is known.readers
    assert writers.weight(kind) is known.writers
    assert order.index(both.weight(kind)) == min(order.index(known.readers), order.index(known.writers))
    for weight in Weight:
        assert ContractChanges.model_validate({"severities": {kind: weight.value}}).weight(kind) is weight


def test_weights_of_the_configuration_reach_the_changes_and_their_order() -> None:
    before, after = contract(number(), column("b", "string")), contract(number(minimum=0))
    rules = ContractChanges.model_validate({"for": "writers", "severities": {"column-removed": "editorial"}})
    found = changes(before, after, rules)
    assert [(one.kind, one.weight.value) for one in found] == [
        ("range-narrowed", "breaking"),
        ("column-removed", "editorial"),
    ]
    assert [(one.readers.value, one.writers.value) for one in found] == [
        ("compatible", "breaking"),
        ("breaking", "compatible"),
    ]


def test_an_age_that_is_told_in_another_zone_is_another_measure() -> None:
    def aged(zone: str) -> Contract:
        options = {"timezone": False, "defaultTimezone": zone}
        level = {"property": "freshness", "value": 2, "unit": "d", "element": "at"}
        return contract(column("at", "timestamp", logicalTypeOptions=options), slaProperties=[level])

    found = changes(aged("Asia/Tokyo"), aged("America/New_York"))
    assert {one.kind for one in found} == {"measure-removed", "measure-added"}
    assert changes(aged("Asia/Tokyo"), aged("Asia/Tokyo")) == ()
