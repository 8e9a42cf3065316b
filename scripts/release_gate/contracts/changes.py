"""Compares two versions of a contract: what changed, whether it breaks those who rely on it, and the version owed.

The old contract is a promise to the code that reads the data. Taking back a part of it is breaking; promising more
is compatible (whether today's data keeps the new promise is judged on the data itself); the rest is editorial.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from release_gate.contracts.contract import NOWHERE, Column, Contract, OnInvalid, OnNull, Rule, RuleKind, Version
from release_gate.verdict import Where


class Weight(StrEnum):
    """What a change means to whoever relies on the old contract."""

    BREAKING = "breaking"
    COMPATIBLE = "compatible"
    EDITORIAL = "editorial"


_ZONES = {None: "may or may not", True: "must", False: "must not"}


@dataclass(frozen=True)
class Change:
    """One difference between two contracts; `column` is None where it concerns the table."""

    weight: Weight
    what: str
    column: str | None = None
    where: Where = NOWHERE


def changes(old: Contract, new: Contract) -> tuple[Change, ...]:
    """Every difference, breaking ones first; the version is not one of them."""
    found = [*_table(old, new)]
    for column in old.columns:
        after = new.column(column.name)
        found += [_removed(column)] if after is None else _column(column, after)
    found += [_added(column) for column in new.columns if old.column(column.name) is None]
    order = list(Weight)
    return tuple(sorted(found, key=lambda change: order.index(change.weight)))


def owed(old: Version, found: tuple[Change, ...]) -> Version:
    """The least version that the changes ask for (semver.org; before 1.0.0 the minor number carries breaks)."""
    weights = {change.weight for change in found}
    if Weight.BREAKING in weights:
        return Version(0, old.minor + 1, 0) if old.major == 0 else Version(old.major + 1, 0, 0)
    if Weight.COMPATIBLE in weights and old.major > 0:
        return Version(old.major, old.minor + 1, 0)
    return Version(old.major, old.minor, old.patch + 1) if weights else old


def _removed(column: Column) -> Change:
    return Change(Weight.BREAKING, "the column is removed", column.name)


def _added(column: Column) -> Change:
    return Change(Weight.COMPATIBLE, "the column is added", column.name, column.where)


def _table(old: Contract, new: Contract) -> Iterator[Change]:
    if old.name != new.name:
        yield Change(Weight.EDITORIAL, f"the name changes from '{old.name}' to '{new.name}'")
    if old.owner != new.owner:
        yield Change(Weight.EDITORIAL, f"the owner changes from {old.owner or 'nobody'} to {new.owner or 'nobody'}")
    yield from _bound("least number of rows", old.rows_least, new.rows_least, tighter_is=1)
    yield from _bound("greatest number of rows", old.rows_most, new.rows_most, tighter_is=-1)
    # A single column's uniqueness is compared with its column, unless it is a key.
    before, after = set(old.unique_sets), set(new.unique_sets)
    for names in sorted(before - after):
        if all(new.column(name) for name in names):
            yield Change(Weight.BREAKING, f"{', '.join(names)} need no longer be unique", names[0])
    for names in sorted(after - before):
        yield Change(Weight.COMPATIBLE, f"{', '.join(names)} must be unique now", names[0])
    if old.key != new.key and set(old.unique_sets) == set(new.unique_sets):
        yield Change(Weight.BREAKING, f"the key changes from ({', '.join(old.key)}) to ({', '.join(new.key)})")


def _bound(what: str, old: int | None, new: int | None, *, tighter_is: int) -> Iterator[Change]:
    if old == new:
        return
    tighter = old is None or (new is not None and (new - old) * tighter_is > 0)
    shown = f"the {what} changes from {'none' if old is None else old} to {'none' if new is None else new}"
    yield Change(Weight.COMPATIBLE if tighter else Weight.BREAKING, shown)


def _column(old: Column, new: Column) -> list[Change]:
    found: list[tuple[Weight, str]] = []
    if old.kind is not new.kind:
        found.append((Weight.BREAKING, f"the type changes from {old.kind} to {new.kind}"))
    elif old.storage != new.storage and old.storage is not None:
        found.append((Weight.BREAKING, f"the exact type changes from {old.storage} to {new.storage or 'any'}"))
    elif old.storage != new.storage:
        found.append((Weight.COMPATIBLE, f"the exact type is {new.storage} now"))
    if old.zone != new.zone:
        weight = Weight.COMPATIBLE if old.zone is None else Weight.BREAKING
        found.append((weight, f"times {_ZONES[new.zone]} carry a time zone now"))
    found += _rules(old.rules, new.rules)
    found += _policy(old, new)
    if old.description != new.description:
        found.append((Weight.EDITORIAL, "the description changes"))
    if old.policy.backfill != new.policy.backfill:
        found.append((Weight.EDITORIAL, "the backfill changes"))
    return [Change(weight, what, new.name, new.where) for weight, what in found]


def _policy(old: Column, new: Column) -> Iterator[tuple[Weight, str]]:
    before, after = old.policy, new.policy
    if before.on_null is not after.on_null:
        # Undeclared counts as `reject`: that is how the data was judged.
        tighter = after.on_null in {OnNull.REJECT, None}
        same = {before.on_null, after.on_null} == {OnNull.REJECT, None}
        weight = Weight.EDITORIAL if same else Weight.COMPATIBLE if tighter else Weight.BREAKING
        yield weight, f"a missing value: `{before.on_null or 'not declared'}` → `{after.on_null or 'not declared'}`"
    if (before.on_invalid, before.share) != (after.on_invalid, after.share):
        tighter = after.on_invalid in {OnInvalid.REJECT, None}
        lower = before.on_invalid is after.on_invalid and after.limit < before.limit
        same = {before.on_invalid, after.on_invalid} == {OnInvalid.REJECT, None}
        weight = Weight.EDITORIAL if same else Weight.COMPATIBLE if tighter or lower else Weight.BREAKING
        yield weight, f"an invalid value: `{before.invalid_words}` → `{after.invalid_words}`"
    if before.sensitive != after.sensitive:
        weight = Weight.COMPATIBLE if after.sensitive else Weight.BREAKING
        yield weight, "the column is sensitive now" if after.sensitive else "the column is no longer sensitive"


def _rules(old: tuple[Rule, ...], new: tuple[Rule, ...]) -> list[tuple[Weight, str]]:
    found = []
    for kind in RuleKind:
        before = [rule for rule in old if rule.kind is kind]
        after = [rule for rule in new if rule.kind is kind]
        if len(before) == len(after) == 1:
            found += _rule(before[0], after[0])
            continue
        found += [(Weight.BREAKING, f"no longer `{rule}`") for rule in before if rule not in after]
        found += [(Weight.COMPATIBLE, f"now `{rule}`") for rule in after if rule not in before]
    return found


def _rule(old: Rule, new: Rule) -> list[tuple[Weight, str]]:
    if old == new:
        return []
    shown = f"`{old}` → `{new}`"
    if old.kind in {RuleKind.ONE_OF, RuleKind.NONE_OF}:
        before, after = _members(old), _members(new)
        if before == after:
            return [(Weight.EDITORIAL, f"the same values in another order: {shown}")]
        tighter = after < before if old.kind is RuleKind.ONE_OF else after > before
        return [(Weight.COMPATIBLE if tighter else Weight.BREAKING, _difference(old, before, after))]
    tighter = _tighter(old, new)
    return [(Weight.COMPATIBLE if tighter else Weight.BREAKING, shown)]


def _members(rule: Rule) -> set[object]:
    return set(rule.value) if isinstance(rule.value, tuple) else {rule.value}


def _difference(rule: Rule, before: set[object], after: set[object]) -> str:
    more, less = (", ".join(sorted(map(str, values))) for values in (after - before, before - after))
    parts = ([f"with {more}"] if more else []) + ([f"without {less}"] if less else [])
    return f"`{rule.kind}`: {', '.join(parts)}"


def _tighter(old: Rule, new: Rule) -> bool:
    """Whether a single bound moved inwards; patterns can't be compared and count as taken back."""
    before, after = old.value, new.value
    if old.kind in {RuleKind.PATTERN, RuleKind.MULTIPLE_OF}:
        multiple = old.kind is RuleKind.MULTIPLE_OF and isinstance(before, int) and isinstance(after, int)
        return multiple and after % before == 0  # type: ignore[operator] # both are numbers here
    upper = old.kind in {RuleKind.AT_MOST, RuleKind.BELOW, RuleKind.LONGEST}
    try:
        return bool(after < before if upper else after > before)  # type: ignore[operator] # one kind of value a column
    except TypeError:
        return False
