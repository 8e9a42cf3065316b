"""What changed in the promise of the table as a whole: keys, rows, order, measures, checks in Python, names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from release_gate.contracts.comparison.change import Change
from release_gate.contracts.comparison.measure_changes import measure_changes
from release_gate.contracts.contract import Contract, Custom


def table_changes(old: Contract, new: Contract) -> Iterator[Change]:
    """Every difference that is not one of a single column."""
    yield from _names(old, new)
    yield from _shape(old, new)
    yield from _rows("least", old.rows_least, new.rows_least, tighter_is=1)
    yield from _rows("greatest", old.rows_most, new.rows_most, tighter_is=-1)
    yield from _unique(old, new)
    # What is counted or checked in a column comes and goes with it, without a word of its own.
    gone = {column.name for column in old.columns if new.column(column.name) is None}
    come = {column.name for column in new.columns if old.column(column.name) is None}
    before = [one for one in old.measures if not gone & set(one.columns)]
    after = [one for one in new.measures if not one.columns or not come >= set(one.columns)]
    yield from measure_changes(before, after)
    yield from _custom(
        [one for one in old.custom if one.column not in gone], [one for one in new.custom if one.column not in come]
    )


def _names(old: Contract, new: Contract) -> Iterator[Change]:
    if old.name != new.name:
        yield Change("name-changed", f"the name changes from '{old.name}' to '{new.name}'")
    if old.table != new.table:
        yield Change("table-renamed", f"the table's name changes from '{old.table}' to '{new.table}'")
    if old.owner != new.owner:
        yield Change("owner-changed", f"the owner changes from {old.owner or 'nobody'} to {new.owner or 'nobody'}")
    if old.reference != new.reference:
        words = f"the schema in Python is {new.reference or 'no longer named'}, not {old.reference or 'none'}"
        yield Change("reference-changed", words)


def _shape(old: Contract, new: Contract) -> Iterator[Change]:
    if new.closed and not old.closed:
        yield Change("table-closed", "columns that are not declared are refused now")
    elif old.closed and not new.closed:
        yield Change("table-opened", "columns that are not declared are no longer refused")
    if new.ordered and not old.ordered:
        yield Change("order-demanded", "the columns must stand in the declared order now")
    elif old.ordered and not new.ordered:
        yield Change("order-freed", "the columns may stand in any order now")
    elif new.ordered and (moved := _moved(old, new)):
        yield Change("order-changed", moved)


def _moved(old: Contract, new: Contract) -> str | None:
    """How the order of columns that were there differs; a column that comes after all of them moves none."""
    before = [column.name for column in old.columns if new.column(column.name)]
    after = [column.name for column in new.columns][: len(before)]
    if before == after:
        return None
    place = next(index for index, (one, other) in enumerate(zip(before, after, strict=True)) if one != other)
    return f"where '{before[place]}' stood among the columns that remain, '{after[place]}' stands now"


def _rows(which: str, old: int | None, new: int | None, *, tighter_is: int) -> Iterator[Change]:
    if old == new:
        return
    tighter = old is None or (new is not None and (new - old) * tighter_is > 0)
    shown = ("none" if bound is None else f"{bound:,}" for bound in (old, new))
    yield Change(
        "rows-narrowed" if tighter else "rows-widened", f"the {which} number of rows changes from {' to '.join(shown)}"
    )


def _unique(old: Contract, new: Contract) -> Iterator[Change]:
    """Sets of columns that name a row at most once; what holds for a part of a set holds for all of it."""
    before, after = ({frozenset(names): names for names in one.unique_sets} for one in (old, new))
    for columns, names in before.items():
        if columns in after or not all(new.column(name) for name in names):
            continue
        if any(part < columns for part in after):
            yield Change("rule-rewritten", f"{', '.join(names)} are unique all the same, since a part of them is")
        else:
            yield Change("unique-removed", f"{', '.join(names)} need no longer be unique", names[0])
    for columns, names in after.items():
        if columns in before or not any(old.column(name) for name in names):
            continue
        if any(part < columns for part in before):
            yield Change("rule-rewritten", f"{', '.join(names)} must be unique, as they were since a part of them is")
        else:
            yield Change("unique-added", f"{', '.join(names)} must be unique now", names[0])
    yield from _key(old, new)


def _key(old: Contract, new: Contract) -> Iterator[Change]:
    """Another key among columns that stay unique; of others the uniqueness is told."""
    if old.key == new.key:
        return
    before, after = ({frozenset(names) for names in one.unique_sets} for one in (old, new))
    shown = f"({', '.join(new.key)})" if new.key else "none"
    if set(old.key) == set(new.key):
        yield Change("rule-rewritten", f"the key is the same in another order: {shown}")
    elif not old.key and frozenset(new.key) in before:
        yield Change("key-named", f"the key is {shown} now, which was unique already")
    elif old.key and frozenset(old.key) in after:
        yield Change("key-changed", f"the key changes from ({', '.join(old.key)}) to {shown}")


def _custom(old: Iterable[Custom], new: Iterable[Custom]) -> Iterator[Change]:
    """Checks in Python by name and column; those of one name are told apart by how many there are."""
    left = list(new)
    for check in old:
        same = [one for one in left if (one.name, one.column) == (check.name, check.column)]
        if not same:
            yield Change("custom-check-removed", f"the check in Python `{check.name}` is gone", check.column)
            continue
        found = next((one for one in same if one.warns is check.warns), same[0])
        left.remove(found)
        if found.warns is not check.warns:
            kind, words = ("check-softened", "only warns") if found.warns else ("check-hardened", "blocks now")
            yield Change(kind, f"the check in Python `{check.name}` {words}", check.column)
    for check in left:
        yield Change("custom-check-added", f"the check in Python `{check.name}` is new", check.column)
