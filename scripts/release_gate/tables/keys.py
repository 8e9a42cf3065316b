"""Columns that must name a row at most once: distinct values first, and only where they lack, the rows that share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from release_gate.contracts.contract import Contract
from release_gate.contracts.values import judged
from release_gate.on_demand import ibis
from release_gate.tables.asking import Asking
from release_gate.tables.relation import Counted, Relation


class Keys:
    """The sets of columns of a contract that the table has; rows with a null among them are not compared."""

    def __init__(self, relation: Relation, contract: Contract) -> None:
        self.relation = relation
        self.contract = contract
        names = [one.name for one in relation.shape.columns]
        self.found = {one.name: one for one in relation.shape.columns if names.count(one.name) == 1}
        self.sets = tuple(columns for columns in contract.unique_sets if all(name in self.found for name in columns))

    def ask(self, asking: Asking, known: dict[Any, Any], counted: Counted) -> None:
        """Ask how many rows each set compares, and how many different values they have, where that is not counted."""
        for place, columns in enumerate(self.sets):
            stored = len(columns) == 1 and not self.found[columns[0]].text
            if stored and (columns[0], "nulls") in known and "rows" in known:
                known["key", place, "present"] = known["rows"] - known[columns[0], "nulls"]
            else:
                values = [self._value(name, asking.table) for name in columns]
                asking.ask(("key", place, "present"), asking.table.count(where=present(values)))
            if len(columns) == 1 and (number := counted.distinct.get(self.found[columns[0]].held)) is not None:
                known["key", place, "distinct"] = number
            elif self.relation.shape.memory is None:
                # Within a limit of memory the rows that share are counted: groups with a count go to disk where they
                # don't fit; distinct values alone want all of DuckDB's limit before.
                asking.ask(("key", place, "distinct"), self._distinct(columns, asking.table))

    def count_shared(self, known: dict[Any, Any]) -> None:
        """Count the rows that share their values with another; one query for all sets that have any."""
        parts = []
        for place in range(len(self.sets)):
            if known.get(("key", place, "present"), 0) != known.get(("key", place, "distinct"), 0):
                shared = self.shared(place, self.relation.table)
                total = shared.aggregate(rows=shared.times.sum())
                parts.append(total.select(place=ibis.literal(place, "int64"), rows=total.rows))
        # Within a limit of memory one after the other: each holds a table of its values.
        limited = self.relation.shape.memory is not None
        for asked in [[part] for part in parts] if limited else [parts] if parts else []:
            together = ibis.union(*asked) if len(asked) > 1 else asked[0]
            for place, rows in self.relation.rows(together):
                known["key", int(place), "shared"] = rows or 0

    def shared(self, place: int, table: Any) -> Any:
        """The values of a set that several rows have, as `v0`, `v1`, …, with how many `times`."""
        values = [self._value(name, table) for name in self.sets[place]]
        named = {f"v{number}": value for number, value in enumerate(values)}
        rows = table.filter(present(values))
        grouped = rows.group_by(**named).aggregate(times=rows.count())
        return grouped.filter(grouped.times > 1)

    def among_shared(self, place: int, table: Any) -> Any:
        """The rows of a table whose values of a set several rows have."""
        shared = self.shared(place, table)
        values = [self._value(name, table) for name in self.sets[place]]
        return table.semi_join(shared, [value == shared[f"v{number}"] for number, value in enumerate(values)])

    def _value(self, name: str, table: Any) -> Any:
        """Text as the contract reads it: `1` and `01` are one integer, and what can't be read is no value."""
        found = self.found[name]
        stored = table[found.held]
        column = self.contract.column(name)
        if found.text and column is not None and (value := judged(column, found, lambda: table).value) is not None:
            return value
        return ibis.ifelse(stored.isnan(), ibis.null(found.dtype), stored) if found.uncertain else stored

    def _distinct(self, columns: tuple[str, ...], table: Any) -> Any:
        """How many different values a set has."""
        values = [self._value(name, table) for name in columns]
        if len(values) == 1:
            return values[0].nunique()
        several = ibis.struct({f"v{number}": value for number, value in enumerate(values)})
        return several.nunique(where=present(values))


def present(values: Sequence[Any]) -> Any:
    """Whether not one of the values is null."""
    condition = values[0].notnull()
    for value in values[1:]:
        condition &= value.notnull()
    return condition
