"""Puts many questions about one table into one query, and hands each answer back to whoever asked."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import cached_property
from typing import Any

from release_gate.tables.relation import Relation


class Asking:
    """Aggregates of one table, gathered under keys and answered together."""

    def __init__(self, relation: Relation) -> None:
        self.relation = relation
        self.wanted: dict[Hashable, Any] = {}

    @cached_property
    def table(self) -> Any:
        """The table that is asked; it is made for the first question."""
        return self.relation.table

    def ask(self, key: Hashable, expression: Any) -> None:
        """Add one aggregate."""
        self.wanted[key] = expression

    def count(self, key: Hashable, condition: Any) -> None:
        """Add the number of rows for which a condition is true; null is not true."""
        self.wanted[key] = self.table.count(where=condition)

    def answers(self) -> Mapping[Hashable, Any]:
        """Every answer by its key; nothing is sent where nothing was asked.

        Raises:
            Unanswered: the engine refuses.
        """
        if not self.wanted:
            return {}
        (row,) = self.relation.rows(self._together())
        return dict(zip(self.wanted, row, strict=True))

    def answers_on_nothing(self) -> None:
        """Ask all of no rows, which tells whether the engine can.

        Raises:
            Unanswered: it refuses.
        """
        if self.wanted:
            nothing = self.table.limit(0).op()
            self.relation.rows(self._together().op().replace({self.table.op(): nothing}).to_expr())

    def _together(self) -> Any:
        return self.table.aggregate(**{f"a{place}": asked for place, asked in enumerate(self.wanted.values())})
