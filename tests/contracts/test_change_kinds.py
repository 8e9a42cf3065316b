"""Every documented kind of change has a pair of contracts that shows it and nothing else, wherever it happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.change_kinds import KINDS
from release_gate.contracts.comparison.changes import changes
from release_gate.contracts.contract import (
    Backfill,
    Bounds,
    Column,
    Contract,
    Custom,
    Kind,
    Measure,
    Metric,
    OnInvalid,
    OnNull,
    Policy,
    Rule,
    RuleKind,
)

Pair = tuple[Column, Column]
Columns = Callable[[str], Pair]


def kinds(old: Contract, new: Contract) -> list[str]:
    return [one.kind for one in changes(old, new)]


def table(*columns: Column, **rest: Any) -> Contract:
    return Contract("rides", "1.0.0", columns, **rest)


def rules(kind: Kind, old: list[Rule], new: list[Rule]) -> Columns:
    return lambda name: (Column(name, kind, tuple(old)), Column(name, kind, tuple(new)))


def policies(old: Policy, new: Policy) -> Columns:
    return lambda name: (Column(name, Kind.NUMBER, policy=old), Column(name, Kind.NUMBER, policy=new))


def columns(old: dict[str, Any], new: dict[str, Any]) -> Columns:
    base: dict[str, Any] = {"kind": Kind.TIMESTAMP}
    return lambda name: (Column(name, **{**base, **old}), Column(name, **{**base, **new}))


def least(value: Any) -> Rule:
    return Rule(RuleKind.AT_LEAST, value)


def most(value: Any) -> Rule:
    return Rule(RuleKind.AT_MOST, value)


def pattern(value: str) -> Rule:
    return Rule(RuleKind.PATTERN, value)


def among(*values: Any) -> Rule:
    return Rule(RuleKind.ONE_OF, values)


TEXT, NUMBER, WHOLE, DATE, LIST = Kind.STRING, Kind.NUMBER, Kind.INTEGER, Kind.DATE, Kind.ARRAY
WARNING = replace(most(9), warns=True)
KEEP, IMPUTE = Policy(on_null=OnNull.KEEP), Policy(on_null=OnNull.IMPUTE, impute=0)
CLIP, QUARANTINE = Policy(on_invalid=OnInvalid.CLIP), Policy(on_invalid=OnInvalid.QUARANTINE, share=0.05)

OF_A_COLUMN: dict[str, list[Columns]] = {
    "column-required": [columns({"required": False}, {})],
    "column-optional": [columns({}, {"required": False})],
    "type-widened": [columns({"kind": WHOLE}, {"kind": NUMBER})],
    "type-changed": [columns({"kind": NUMBER}, {"kind": WHOLE}), columns({"kind": TEXT}, {"kind": DATE})],
    "storage-demanded": [columns({}, {"storage": "timestamp[us]"})],
    "storage-freed": [columns({"storage": "timestamp[us]"}, {})],
    "storage-changed": [columns({"storage": "timestamp[us]"}, {"storage": "timestamp[ns]"})],
    "zone-demanded": [columns({}, {"zone": False})],
    "zone-freed": [columns({"zone": True}, {})],
    "zone-changed": [columns({"zone": True}, {"zone": False})],
    "range-narrowed": [
        rules(NUMBER, [], [least(0)]),
        rules(NUMBER, [most(9)], [most(8.5)]),
        rules(NUMBER, [least(0)], [Rule(RuleKind.ABOVE, 0)]),
        rules(NUMBER, [most(9)], [most(9), Rule(RuleKind.BELOW, 9)]),
        rules(DATE, [most("2026-10-01")], [most("2026-09-30")]),
        rules(Kind.TIME, [least("09:00")], [least("10:00:00")]),
    ],
    "range-widened": [
        rules(NUMBER, [most(9)], []),
        rules(WHOLE, [most(9)], [Rule(RuleKind.BELOW, 11)]),
        rules(Kind.TIMESTAMP, [least("2026-01-01T00:00:00+01:00")], [least("2025-12-31T22:00:00Z")]),
    ],
    "range-changed": [
        rules(Kind.TIMESTAMP, [least("2026-01-01T00:00:00")], [least("2026-01-01T00:00:00Z")]),
        rules(TEXT, [least("a")], [least(1)]),
    ],
    "set-narrowed": [
        rules(TEXT, [], [among("a")]),
        rules(TEXT, [among("a", "b")], [among("a")]),
        rules(TEXT, [Rule(RuleKind.NONE_OF, ("a",))], [Rule(RuleKind.NONE_OF, ("a", "b"))]),
    ],
    "set-widened": [
        rules(TEXT, [among("a")], []),
        rules(TEXT, [among("a"), among("b")], [among("b")]),
        rules(TEXT, [Rule(RuleKind.NONE_OF, ("a", "b"))], [Rule(RuleKind.NONE_OF, ("b",))]),
    ],
    "set-changed": [rules(TEXT, [among("a", "b")], [among("b", "c")]), rules(TEXT, [among(1)], [among(True)])],
    "pattern-narrowed": [
        rules(TEXT, [], [pattern("^a")]),
        rules(TEXT, [Rule(RuleKind.STARTS_WITH, "a")], [Rule(RuleKind.STARTS_WITH, "ab")]),
        rules(TEXT, [Rule(RuleKind.ENDS_WITH, "b")], [Rule(RuleKind.ENDS_WITH, "ab")]),
    ],
    "pattern-widened": [
        rules(TEXT, [pattern("^a"), pattern("b")], [pattern("b")]),
        rules(TEXT, [Rule(RuleKind.ENDS_WITH, "ab")], [Rule(RuleKind.ENDS_WITH, "b")]),
    ],
    "pattern-changed": [
        rules(TEXT, [pattern("^a")], [pattern("^ab")]),
        rules(TEXT, [Rule(RuleKind.STARTS_WITH, "a")], [Rule(RuleKind.STARTS_WITH, "b")]),
    ],
    "length-narrowed": [rules(TEXT, [Rule(RuleKind.LONGEST, 5)], [Rule(RuleKind.LONGEST, 4)])],
    "length-widened": [rules(TEXT, [Rule(RuleKind.SHORTEST, 2)], [Rule(RuleKind.SHORTEST, 1)])],
    "items-narrowed": [
        rules(LIST, [Rule(RuleKind.FEWEST_ITEMS, 1)], [Rule(RuleKind.FEWEST_ITEMS, 2)]),
        rules(LIST, [], [Rule(RuleKind.DISTINCT_ITEMS, True)]),
    ],
    "items-widened": [
        rules(LIST, [Rule(RuleKind.MOST_ITEMS, 1)], [Rule(RuleKind.MOST_ITEMS, 2)]),
        rules(LIST, [Rule(RuleKind.DISTINCT_ITEMS, True)], []),
    ],
    "step-narrowed": [rules(NUMBER, [Rule(RuleKind.MULTIPLE_OF, 0.1)], [Rule(RuleKind.MULTIPLE_OF, 0.3)])],
    "step-widened": [rules(NUMBER, [Rule(RuleKind.MULTIPLE_OF, 0.3)], [Rule(RuleKind.MULTIPLE_OF, 0.1)])],
    "step-changed": [rules(NUMBER, [Rule(RuleKind.MULTIPLE_OF, 2)], [Rule(RuleKind.MULTIPLE_OF, 3)])],
    "rule-rewritten": [
        rules(WHOLE, [least(1)], [Rule(RuleKind.ABOVE, 0)]),
        rules(WHOLE, [most(9.5)], [most(9)]),
        rules(NUMBER, [least(1)], [least(0), least(1)]),
        rules(TEXT, [among("a", "b")], [among("b", "a")]),
        rules(DATE, [least("2026-01-01")], [least("20260101")]),
    ],
    "check-softened": [rules(NUMBER, [most(9)], [WARNING])],
    "check-hardened": [rules(NUMBER, [WARNING], [most(9)])],
    "warning-changed": [rules(NUMBER, [WARNING], []), rules(NUMBER, [WARNING], [replace(WARNING, value=8)])],
    "null-allowed": [policies(Policy(), KEEP), policies(Policy(on_null=OnNull.REJECT), KEEP)],
    "null-rejected": [policies(KEEP, Policy())],
    "null-handling-changed": [policies(KEEP, Policy(on_null=OnNull.DROP_ROW))],
    "null-declared": [policies(Policy(), Policy(on_null=OnNull.REJECT))],
    "impute-changed": [policies(IMPUTE, replace(IMPUTE, impute=1)), policies(IMPUTE, replace(IMPUTE, impute=False))],
    "null-drift-tightened": [
        policies(Policy(), Policy(drift=0.1)),
        policies(Policy(drift=0.1), Policy(drift=0.05)),
    ],
    "null-drift-loosened": [policies(Policy(drift=0.1), Policy()), policies(Policy(drift=0.1), Policy(drift=0.2))],
    "invalid-allowed": [policies(Policy(), CLIP)],
    "invalid-rejected": [policies(QUARANTINE, Policy(on_invalid=OnInvalid.REJECT))],
    "invalid-handling-changed": [policies(CLIP, QUARANTINE)],
    "invalid-share-lowered": [
        policies(CLIP, replace(CLIP, share=0.5)),
        policies(QUARANTINE, replace(QUARANTINE, share=0.01)),
    ],
    "invalid-share-raised": [policies(QUARANTINE, replace(QUARANTINE, share=0.1))],
    "invalid-declared": [policies(Policy(on_invalid=OnInvalid.REJECT), Policy())],
    "sensitive-marked": [policies(Policy(), Policy(sensitive=True))],
    "sensitive-unmarked": [policies(Policy(sensitive=True), Policy())],
    "backfill-changed": [policies(Policy(), Policy(backfill=Backfill("load it again", "the data team", "2026-01-01")))],
    "description-changed": [columns({}, {"description": "when it left"})],
    "since-changed": [columns({}, {"since": "1.1.0"})],
}

A, B, C = (Column(name, Kind.STRING) for name in "abc")
NULLS = Measure(Metric.NULLS, Bounds(most=5), share=True, columns=("a",))
ROWS = Measure(Metric.ROWS, Bounds(least=1, most=9))
CHECK = Custom("is sane", 0, "a")


def measured(old: Measure | None, new: Measure | None) -> tuple[Contract, Contract]:
    return table(A, measures=(old,) if old else ()), table(A, measures=(new,) if new else ())


def checked(old: Custom | None, new: Custom | None) -> tuple[Contract, Contract]:
    return table(A, custom=(old,) if old else ()), table(A, custom=(new,) if new else ())


OF_A_TABLE: dict[str, list[tuple[Contract, Contract]]] = {
    "column-removed": [(table(A, B), table(A))],
    "column-removed-from-closed": [(table(A, B, closed=True), table(A, closed=True))],
    "column-added": [(table(A), table(A, B)), (table(A, ordered=True), table(A, B, ordered=True))],
    "column-added-optional": [(table(A), table(A, replace(B, required=False)))],
    "table-closed": [(table(A), table(A, closed=True))],
    "table-opened": [(table(A, closed=True), table(A))],
    "order-demanded": [(table(A, B), table(B, A, ordered=True))],
    "order-freed": [(table(A, B, ordered=True), table(B, A))],
    "order-changed": [(table(A, B, ordered=True), table(B, A, ordered=True))],
    "unique-added": [
        (table(A), table(replace(A, unique=True))),
        (table(A), table(A, key=("a",))),
        (table(A, B), table(A, B, unique_together=(("a", "b"),))),
    ],
    "unique-removed": [(table(replace(A, unique=True)), table(A)), (table(A, B, key=("a", "b")), table(A, B))],
    "key-named": [(table(replace(A, unique=True)), table(replace(A, unique=True), key=("a",)))],
    "key-changed": [
        (
            table(replace(A, unique=True), replace(B, unique=True), key=("a",)),
            table(replace(A, unique=True), replace(B, unique=True), key=("b",)),
        )
    ],
    "rule-rewritten": [
        (table(A, B, key=("a", "b")), table(A, B, key=("b", "a"))),
        (table(A, B, key=("a",)), table(A, B, key=("a",), unique_together=(("a", "b"),))),
        (table(A, B, key=("a",), unique_together=(("a", "b"),)), table(A, B, key=("a",))),
    ],
    "rows-narrowed": [(table(A), table(A, rows_least=1)), (table(A, rows_most=9), table(A, rows_most=8))],
    "rows-widened": [(table(A, rows_most=9), table(A)), (table(A, rows_least=9), table(A, rows_least=8))],
    "measure-added": [measured(None, NULLS)],
    "measure-removed": [measured(NULLS, None)],
    "measure-tightened": [
        measured(NULLS, replace(NULLS, bounds=Bounds(most=4))),
        measured(NULLS, replace(NULLS, bounds=Bounds(most=5, most_excluded=True))),
        measured(ROWS, replace(ROWS, bounds=Bounds(least=2, most=9))),
    ],
    "measure-loosened": [
        measured(NULLS, replace(NULLS, bounds=Bounds(most=6))),
        measured(ROWS, replace(ROWS, bounds=Bounds(least=1))),
        measured(
            replace(ROWS, bounds=Bounds(least=1, most=9, outside=True)),
            replace(ROWS, bounds=Bounds(least=2, most=8, outside=True)),
        ),
    ],
    "measure-changed": [
        measured(ROWS, replace(ROWS, bounds=Bounds(least=2, most=10))),
        measured(ROWS, replace(ROWS, bounds=Bounds(least=1, most=9, outside=True))),
    ],
    "measure-renamed": [measured(NULLS, replace(NULLS, name="few nulls"))],
    "check-softened": [measured(NULLS, replace(NULLS, warns=True)), checked(CHECK, replace(CHECK, warns=True))],
    "check-hardened": [measured(replace(NULLS, warns=True), NULLS), checked(replace(CHECK, warns=True), CHECK)],
    "warning-changed": [
        measured(replace(NULLS, warns=True), replace(NULLS, warns=True, bounds=Bounds(most=1))),
    ],
    "custom-check-added": [checked(None, CHECK)],
    "custom-check-removed": [checked(CHECK, None)],
    "reference-changed": [(table(A, reference="m:Old"), table(A, reference="m:New"))],
    "name-changed": [(table(A), replace(table(A), name="trips"))],
    "table-renamed": [(table(A), table(A, table="trips"))],
    "owner-changed": [(table(A), table(A, owner="@octo-air"))],
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_documented_kind_of_change_is_found_alone(kind: str) -> None:
    pairs = OF_A_TABLE.get(kind, []) + [
        (table(old), table(new)) for old, new in (one("a") for one in OF_A_COLUMN.get(kind, []))
    ]
    assert pairs, f"no pair of contracts shows {kind}"
    assert [kinds(old, new) for old, new in pairs] == [[kind]] * len(pairs)


CASES = [(kind, one) for kind, several in OF_A_COLUMN.items() for one in several]
NAMES = st.text(min_size=1, max_size=6)
SHAPES = st.fixed_dictionaries(
    {"closed": st.booleans(), "ordered": st.booleans(), "rows_least": st.none() | st.just(1)}
)


@given(st.lists(st.tuples(NAMES, st.sampled_from(CASES)), min_size=1, max_size=8, unique_by=lambda one: one[0]), SHAPES)
def test_changes_of_many_columns_are_all_found_each_at_its_column(
    drawn: list[tuple[str, tuple[str, Columns]]], shape: dict[str, Any]
) -> None:
    pairs = [(name, kind, *make(name)) for name, (kind, make) in drawn]
    old, new = table(*(pair[2] for pair in pairs), **shape), table(*(pair[3] for pair in pairs), **shape)
    assert sorted((one.column or "", one.kind) for one in changes(old, new)) == sorted(
        (name, kind) for name, kind, _, _ in pairs
    )
    assert changes(old, old) == changes(new, new) == ()


@given(st.lists(st.tuples(NAMES, st.sampled_from(CASES)), max_size=6, unique_by=lambda one: one[0]), st.data())
def test_a_column_that_comes_or_goes_is_found_among_others(
    drawn: list[tuple[str, tuple[str, Columns]]], data: st.DataObject
) -> None:
    whole = table(A, *(replace(make(name)[0], name=f"x{name}") for name, (_, make) in drawn))
    place = data.draw(st.integers(0, len(whole.columns) - 1))
    name = whole.columns[place].name
    without = replace(whole, columns=(*whole.columns[:place], *whole.columns[place + 1 :]))
    (gone,), (come,) = changes(whole, without), changes(without, whole)
    assert (gone.kind, gone.column) == ("column-removed", name)
    assert (come.kind, come.column) == (
        "column-added" if whole.columns[place].required else "column-added-optional",
        name,
    )


def test_tighter_and_looser_are_the_two_sides_of_one_change() -> None:
    for kind, other in (("narrowed", "widened"), ("tightened", "loosened"), ("added", "removed")):
        for name in KINDS:
            if name.endswith(kind) and name != "column-added":
                turned = KINDS[name.removesuffix(kind) + other]
                assert (KINDS[name].readers, KINDS[name].writers) == (turned.writers, turned.readers), name


def test_a_column_under_a_new_name_is_suspected() -> None:
    old = table(Column("dep_delay", NUMBER), Column("code", TEXT, (pattern("^x"),)), Column("note", TEXT))
    new = table(Column("departure_delay", NUMBER), Column("kind", TEXT, (pattern("^x"),)), Column("carrier", TEXT))
    gone = {one.column: one.what for one in changes(old, new) if one.kind == "column-removed"}
    assert gone == {
        "dep_delay": "the column is removed (renamed to 'departure_delay'?)",
        "code": "the column is removed (renamed to 'kind'?)",
        "note": "the column is removed",
    }


def test_what_goes_with_a_column_is_not_told_twice() -> None:
    old = table(A, B, measures=(replace(NULLS, columns=("b",)),), custom=(replace(CHECK, column="b"),), key=("a", "b"))
    assert kinds(old, table(A)) == ["column-removed"]
    assert kinds(table(A), old) == ["unique-added", "column-added"]


def test_a_new_column_before_others_moves_them_where_order_is_promised() -> None:
    found = changes(table(A, B, ordered=True), table(A, C, B, ordered=True))
    assert sorted(one.kind for one in found) == ["column-added", "order-changed"]
    assert next(one.what for one in found if one.kind == "order-changed").startswith("where 'b' stood")
    assert kinds(table(A, B), table(B, A)) == []
