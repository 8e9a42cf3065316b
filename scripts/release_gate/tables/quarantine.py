"""Writes the rows that a contract sends to quarantine, each with its reasons, without sensitive columns."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from release_gate.contracts.contract import Contract
from release_gate.contracts.examples import file_names
from release_gate.files import file_whole
from release_gate.on_demand import ibis
from release_gate.tables.checks import ColumnChecks, moved, once, under_names
from release_gate.tables.relation import FILE, ROW
from release_gate.tables.scan import Scanned

NUMBER, FILE_NAME, REASONS = "_row", "_file", "_reasons"


def write(path: Path, scanned: Scanned, contract: Contract, columns: Iterable[str]) -> int:
    """Write the rows that break the rules of `columns`; returns how many. Nothing is written for none.

    The file holds the declared columns that are not sensitive, the row's number from 1 (and of several files the
    file's name) where rows have one, and the reasons.

    Raises:
        Unanswered: the engine refuses.
    """
    wanted = set(columns)
    chosen = [one for one in scanned.checks if one.name in wanted and conditions(one)]
    counted = {count.name: count.invalid for count in scanned.counts.columns}
    if not any(counted[one.name] for one in chosen):
        path.unlink(missing_ok=True)
        return 0
    relation = scanned.relation
    table = relation.numbered if relation.numbered is not None else relation.table
    failing = once(condition for one in chosen for condition, _ in conditions(one))
    rows = table.filter(moved(failing, relation.table, table))
    rows = rows.order_by(rows[FILE], rows[ROW]) if relation.numbered is not None else rows
    kept = [one for one in scanned.checks if one.name not in contract.sensitive]
    shown: dict[str, Any] = {one.name: rows[one.judged.found.held] for one in kept}
    taken = {one.name.casefold() for one in relation.shape.columns}
    if relation.numbered is not None:
        shown[_free(NUMBER, taken)] = rows[ROW]
    files = file_names(relation.shape.files, contract.sensitive)
    if len(files) > 1:
        shown[_free(FILE_NAME, taken)] = rows[FILE].cases(*enumerate(files), else_="")
    reasons = [
        ibis.ifelse(moved(condition, relation.table, rows), ibis.literal(why), ibis.null("string"))
        for one in chosen
        for condition, why in conditions(one)
    ]
    shown[_free(REASONS, taken)] = ibis.literal("; ").join(reasons)
    with file_whole(path) as written:
        return relation.write(under_names(rows, shown), str(written))


def _free(name: str, taken: Collection[str]) -> str:
    """The name, or one with more underscores where the data has such a column itself."""
    while name.casefold() in taken:
        name = f"_{name}"
    return name


def conditions(one: ColumnChecks) -> list[tuple[Any, str]]:
    """What a row of this column may break, and the words for it."""
    unreadable = one.judged.unreadable
    found = [] if unreadable is None else [(unreadable, f"{one.name}: not a {one.judged.column.kind}")]
    return found + [(check.fails, f"{one.name}: {check.rule.breach}") for check in one.checks if not check.rule.warns]
