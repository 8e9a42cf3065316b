"""Compares two versions of a contract: what changed, whether it breaks those who rely on it, and the version owed.

The old contract is a promise to the code that reads the data and a duty of the code that writes it. Every kind of
change and what it means to both stands in `change_kinds`; whether today's data keeps a new promise is judged on the
data itself.
"""

from __future__ import annotations

from dataclasses import replace

from release_gate.change_kinds import ContractChanges, Weight
from release_gate.contracts.comparison.change import Change
from release_gate.contracts.comparison.column_changes import column_changes, renamed
from release_gate.contracts.comparison.table_changes import table_changes
from release_gate.contracts.contract import Contract, Version


def changes(old: Contract, new: Contract, rules: ContractChanges | None = None) -> tuple[Change, ...]:
    """Every difference, breaking ones first, weighed by the configuration; the version is not one of them."""
    known = rules or ContractChanges()
    found = [*table_changes(old, new), *_columns(old, new)]
    weighed = [replace(change, given=known.weight(change.kind)) for change in found]
    return tuple(sorted(weighed, key=lambda change: list(Weight).index(change.weight)))


def owed(old: Version, found: tuple[Change, ...]) -> Version:
    """The least version that the changes ask for (semver.org; before 1.0.0 the minor number carries breaks)."""
    weights = {change.weight for change in found}
    if Weight.BREAKING in weights:
        return Version(0, old.minor + 1, 0) if old.major == 0 else Version(old.major + 1, 0, 0)
    if Weight.COMPATIBLE in weights and old.major > 0:
        return Version(old.major, old.minor + 1, 0)
    return Version(old.major, old.minor, old.patch + 1) if weights else old


def _columns(old: Contract, new: Contract) -> list[Change]:
    found: list[Change] = []
    names = renamed(old, new)
    for column in old.columns:
        after = new.column(column.name)
        if after is not None:
            found += column_changes(column, after)
            continue
        hint = f" (renamed to '{names[column.name]}'?)" if column.name in names else ""
        kind = "column-removed-from-closed" if new.closed else "column-removed"
        found.append(Change(kind, f"the column is removed{hint}", column.name))
    for column in new.columns:
        if old.column(column.name) is None:
            kind, how = ("column-added", "") if column.required else ("column-added-optional", ", and may be absent")
            found.append(Change(kind, f"the column is added{how}", column.name, column.where))
    return found
