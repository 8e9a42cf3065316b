"""Puts many questions about one table into one query, and hands each answer back to whoever asked."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from release_gate.tables.relation import Relation


class Asking:
    """Aggregates of one table, gathered under keys and answered together."""

    def __init__(self, relation: Relation, table: Any, times: Any | None = None) -> None:
        """`times` is the column that says for how many rows each row of the table stands."""
        self.relation = relation
        self.table = table
        self.times = times
        self.wanted: dict[Hashable, Any] = {}

    def ask(self, key: Hashable, expression: Any) -> None:
        """Add one aggregate."""
        self.wanted[key] = expression

    def count(self, key: Hashable, condition: Any) -> None:
        """Add the number of rows for which a condition is true; null is not true."""
        if self.times is None:
            self.wanted[key] = self.table.count(where=condition)
        else:
            self.wanted[key] = self.times.sum(where=condition).fill_null(0)

    def answers(self) -> Mapping[Hashable, Any]:
        """Every answer by its key; nothing is sent where nothing was asked.

        Raises:
            Unanswered: the engine refuses.
        """
        if not self.wanted:
            return {}
        named = {f"a{place}": expression for place, expression in enumerate(self.wanted.values())}
        (row,) = self.relation.rows(self.table.aggregate(**named))
        return dict(zip(self.wanted, row, strict=True))
