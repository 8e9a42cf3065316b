"""Fetches the first few failing rows of every check that fails, all in one query, without sensitive values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from release_gate.contracts.contract import Contract, OnNull
from release_gate.contracts.counts import Example
from release_gate.contracts.examples import file_names
from release_gate.contracts.found import Found
from release_gate.on_demand import ibis
from release_gate.tables.checks import ColumnChecks, moved
from release_gate.tables.keys import Keys
from release_gate.tables.relation import FILE, ROW, Relation

EXAMPLES = 5
"""Failing rows shown for each check."""
MOST = 200
"""Checks of which rows are fetched: each is a pass over its column; with so many failing no one reads them all."""
_LONGEST = 80


def samples(
    relation: Relation, contract: Contract, checks: Sequence[ColumnChecks], keys: Keys, known: Mapping[Any, Any]
) -> dict[Any, tuple[Example, ...]]:
    """Failing rows by the key of what fails: rows in their order, or in that of the key where they have no number."""
    names = [name for name in contract.key if name in keys.found and name not in contract.sensitive]
    wanted = list(_failing(contract, checks, keys, known))[:MOST]
    if not wanted:
        return {}
    table = relation.numbered if relation.numbered is not None else relation.table
    sampler = _Sampler(relation, table, keys, [keys.found[name] for name in names])
    branches = [sampler.branch(place, *how) for place, (_, how) in enumerate(wanted)]
    together = ibis.union(*branches) if len(branches) > 1 else branches[0]
    found: dict[Any, list[Example]] = defaultdict(list)
    files = file_names(relation.shape.files, contract.sensitive)
    for row in sorted(relation.rows(together), key=_order):
        key = ", ".join(f"{name}={value}" for name, value in zip(names, row[4:], strict=True)) or None
        found[wanted[row[0]][0]].append(_example(files, row, key))
    return {key: tuple(examples) for key, examples in found.items()}


def _order(row: tuple[Any, ...]) -> Any:
    """By check, file and row; then by value and key, of which any may be missing."""
    return (row[0], row[1] or 0, row[2] or 0, [(text is not None, text or "") for text in row[3:]])


def _example(files: Sequence[str], row: tuple[Any, ...], key: str | None) -> Example:
    file = files[row[1]] if len(files) > 1 else None
    return Example(row[2], key, row[3], file)


def _failing(
    contract: Contract, checks: Sequence[ColumnChecks], keys: Keys, known: Mapping[Any, Any]
) -> Iterator[tuple[Any, tuple[Any, Found | None]]]:
    """What fails: its key, and the condition (or the number of a key) with the column whose value may be shown."""
    for one in checks:
        shown = None if one.judged.column.policy.sensitive else one.judged.found
        if known.get((one.name, "nulls")) and one.judged.column.policy.on_null in {OnNull.REJECT, None}:
            yield (one.name, "nulls"), (one.judged.missing, None)
        if known.get((one.name, "unreadable")):
            yield (one.name, "unreadable"), (one.judged.unreadable, shown)
        if known.get((one.name, "misfit")):
            yield (one.name, "misfit"), (one.judged.misfit, shown)
            continue
        for check in one.checks:
            if known.get(check.key):
                yield check.key, (check.fails, shown)
    for place, columns in enumerate(keys.sets):
        if known.get(("key", place, "shared")):
            secret = bool(contract.sensitive.intersection(columns))
            yield ("key", place), (place, None if secret else keys.found[columns[0]])


class _Sampler:
    """Makes one branch of the query a check."""

    def __init__(self, relation: Relation, table: Any, keys: Keys, key: Sequence[Found]) -> None:
        self.relation = relation
        self.table = table
        self.keys = keys
        self.key = key
        self.numbered = relation.numbered is not None

    def branch(self, place: int, condition: Any, shown: Found | None) -> Any:
        """The first rows that fail; a condition given as a number means the rows that share that key."""
        rows = self._rows(condition)
        order = [rows[FILE], rows[ROW]] if self.numbered else [rows[one.held] for one in self.key]
        first = rows.order_by(*order).limit(EXAMPLES) if order else rows.limit(EXAMPLES)
        nothing = ibis.null("int64")
        return first.select(
            place=ibis.literal(place, "int64"),
            file=first[FILE] if self.numbered else nothing,
            row=first[ROW] if self.numbered else nothing,
            value=_shown(first[shown.held]) if shown is not None else ibis.null("string"),
            **{f"k{number}": _shown(first[one.held]) for number, one in enumerate(self.key)},
        )

    def _rows(self, condition: Any) -> Any:
        if isinstance(condition, int):
            return self.keys.among_shared(condition, self.table)
        return self.table.filter(moved(condition, self.relation.table, self.table))


def _shown(value: Any) -> Any:
    return value.cast("string").substr(0, _LONGEST)
