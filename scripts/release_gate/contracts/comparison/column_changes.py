"""What changed in the promise of one column: its type, its rules, what happens to bad values, its words."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from release_gate.contracts.comparison.change import Change
from release_gate.contracts.comparison.rule_changes import rule_changes
from release_gate.contracts.contract import Column, Contract, Kind, OnInvalid, OnNull

Difference = tuple[str, str]
"""The id of a kind of change, and what changed in words."""

_ZONES = {None: "may or may not", True: "must", False: "must not"}
_ALIKE = 0.6
"""From this likeness of two names a plain column of the same type is thought to be renamed."""


def column_changes(old: Column, new: Column) -> list[Change]:
    """Every difference between two columns of one name."""
    found = [
        *_type(old, new),
        *rule_changes(old.rules, new.rules, new.kind),
        *_nulls(old, new),
        *_invalid(old, new),
        *_told(old, new),
    ]
    return [Change(kind, what, new.name, new.where) for kind, what in found]


def renamed(old: Contract, new: Contract) -> dict[str, str]:
    """Columns that are gone → new ones of the same type and rules that look like them; each is named once."""
    gone = [column for column in old.columns if new.column(column.name) is None]
    come = [column for column in new.columns if old.column(column.name) is None]
    pairs: dict[str, str] = {}
    for column in gone:
        same = [one.name for one in come if _same(column, one) and one.name not in pairs.values()]
        # Rules tell columns apart; of those without any only the names do.
        alike = 0.0 if column.rules or column.unique else _ALIKE
        if near := difflib.get_close_matches(column.name, same, n=1, cutoff=alike):
            pairs[column.name] = near[0]
    return pairs


def _same(old: Column, new: Column) -> bool:
    def promise(column: Column) -> object:
        return column.kind, column.rules, column.unique, column.storage, column.zone

    return promise(old) == promise(new)


def _type(old: Column, new: Column) -> Iterator[Difference]:
    if old.required != new.required:
        yield ("column-required", "it must be there now") if new.required else ("column-optional", "it may be absent")
    widened = (old.kind, new.kind) == (Kind.INTEGER, Kind.NUMBER)
    if old.kind is not new.kind:
        yield "type-widened" if widened else "type-changed", f"the type changes from {old.kind} to {new.kind}"
    # An integer is a number still, yet not in every exact type; another type says already that nothing is the same.
    if old.storage != new.storage and (widened or old.kind is new.kind):
        kind = f"storage-{_turn(old.storage, new.storage)}"
        yield kind, f"the exact type changes from {old.storage or 'any'} to {new.storage or 'any'}"
    if old.zone != new.zone:
        yield f"zone-{_turn(old.zone, new.zone)}", f"times {_ZONES[new.zone]} carry a time zone now"


def _turn(old: object, new: object) -> str:
    return "demanded" if old is None else "freed" if new is None else "changed"


def _nulls(old: Column, new: Column) -> Iterator[Difference]:
    before, after = old.policy, new.policy
    if before.on_null is not after.on_null:
        # Undeclared counts as `reject`: that is how the data was judged.
        was, now = before.on_null in {OnNull.REJECT, None}, after.on_null in {OnNull.REJECT, None}
        kind = "null-declared" if was and now else "null-allowed" if was else "null-rejected" if now else None
        words = f"a missing value: `{before.on_null or 'not declared'}` → `{after.on_null or 'not declared'}`"
        yield kind or "null-handling-changed", words
    if (type(before.impute), before.impute) != (type(after.impute), after.impute):
        yield "impute-changed", f"a missing value becomes {_named(after.impute)}, not {_named(before.impute)}"
    if before.drift != after.drift:
        tighter = after.drift is not None and (before.drift is None or after.drift < before.drift)
        words = f"the share of missing values may move by {_share(after.drift)}, not {_share(before.drift)}"
        yield "null-drift-tightened" if tighter else "null-drift-loosened", words


def _invalid(old: Column, new: Column) -> Iterator[Difference]:
    before, after = old.policy, new.policy
    if (before.on_invalid, before.share) == (after.on_invalid, after.share):
        return
    was, now = before.on_invalid in {OnInvalid.REJECT, None}, after.on_invalid in {OnInvalid.REJECT, None}
    kind = "invalid-declared" if was and now else "invalid-allowed" if was else "invalid-rejected" if now else None
    if kind is None and before.on_invalid is after.on_invalid:
        kind = "invalid-share-lowered" if after.limit < before.limit else "invalid-share-raised"
    words = f"an invalid value: `{before.invalid_words}` → `{after.invalid_words}`"
    yield kind or "invalid-handling-changed", words


def _told(old: Column, new: Column) -> Iterator[Difference]:
    if old.policy.sensitive != new.policy.sensitive:
        marked = new.policy.sensitive
        words = "the column is sensitive now" if marked else "the column is no longer sensitive"
        yield "sensitive-marked" if marked else "sensitive-unmarked", words
    if old.policy.backfill != new.policy.backfill:
        yield "backfill-changed", "the backfill changes"
    if old.description != new.description:
        yield "description-changed", "the description changes"
    if old.since != new.since:
        yield "since-changed", f"it is there since {new.since or 'no named version'}, not {old.since or 'no named one'}"


def _named(value: object) -> str:
    return "what its readers choose" if value is None else f"`{value}`"


def _share(share: float | None) -> str:
    return "as much as it likes" if share is None else f"{share * 100:g}%"
