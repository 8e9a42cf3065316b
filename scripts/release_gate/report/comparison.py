"""Which rows and columns of a comparison a reader needs at a glance, and which come first."""

from __future__ import annotations

from release_gate.gates.overall import THRESHOLDS
from release_gate.verdict import Scalar, Table, Verdict

MOST = 12
"""Rows at a glance: what fails, and what holds over all rows."""

GLANCE = ("outcome", "metric", "slice", "candidate", "production", "difference", "interval", "bar")
"""Columns at a glance, the outcome where a narrow screen shows it."""

_BAD = ("fail", "error", "inconclusive")
_WHOLE = (None, "", "all", "all rows")
Grid = tuple[list[str], list[list[Scalar]]]


def is_one(verdict: Verdict, table: Table) -> bool:
    """Whether a table holds thresholds with their outcomes."""
    return verdict.gate == THRESHOLDS and _column(table, "outcome") is not None


def glance(table: Table) -> Grid:
    """The few columns and rows that decide."""
    known = [at for name in GLANCE if (at := _column(table, name)) is not None]
    return _chosen(table, known, _first(table))


def is_whole(table: Table) -> bool:
    """Whether the glance already shows everything."""
    columns, rows = glance(table)
    return len(columns) == len(table.columns) and len(rows) == len(table.rows)


def outcome_first(table: Table, most: int) -> Grid:
    """All columns, and the first rows."""
    at = _column(table, "outcome")
    order = [*([] if at is None else [at]), *(index for index in range(len(table.columns)) if index != at)]
    return _chosen(table, order, table.rows[:most])


def _first(table: Table) -> list[list[Scalar]]:
    outcome, piece = _column(table, "outcome"), _column(table, "slice")
    bad = [row for row in table.rows if _at(row, outcome) in _BAD]
    bad.sort(key=lambda row: _BAD.index(str(_at(row, outcome))))
    whole = [row for row in table.rows if _at(row, outcome) not in _BAD and _at(row, piece) in _WHOLE]
    return (bad + whole)[:MOST] or table.rows[:MOST]


def _chosen(table: Table, order: list[int], rows: list[list[Scalar]]) -> Grid:
    # A row that is short keeps its places.
    return [table.columns[index] for index in order], [[_at(row, index) for index in order] for row in rows]


def _column(table: Table, name: str) -> int | None:
    names = [column.strip().lower() for column in table.columns]
    return names.index(name) if name in names else None


def _at(row: list[Scalar], index: int | None) -> Scalar:
    return row[index] if index is not None and index < len(row) else None
