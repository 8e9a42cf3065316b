"""Writes a table for the caller's Python: the values that the contract's own checks judge, each of its type."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from release_gate.files import file_whole
from release_gate.tables.checks import ColumnChecks, under_names
from release_gate.tables.cleaning import stored
from release_gate.tables.relation import Unanswered
from release_gate.tables.scan import Scanned


def as_it_lies(scanned: Scanned) -> bool:
    """Whether the file itself tells the values: none is text that only the contract reads, none a folder's name."""
    shape = scanned.relation.shape
    return not shape.partitions and not any(column.text for column in shape.columns)


def write_typed(path: Path, scanned: Scanned) -> int:
    """Write every row under the columns' own names, text as the type that is declared; returns how many rows.

    Another reader of the same text would guess: `007` a number, `NA` nothing, `false` a text that is true.

    Raises:
        Unanswered: the engine refuses, a name stands there twice, or a value is too large for its column.
    """
    relation, declared = scanned.relation, {one.name: one for one in scanned.checks}
    columns = relation.shape.columns
    if len({one.name for one in columns}) != len(columns):
        raise Unanswered("a column stands there more than once")
    values = {one.name: _value(relation.table[one.held], declared.get(one.name)) for one in columns}
    with file_whole(path) as written:
        return relation.write(under_names(relation.table, values), str(written))


def _value(held: Any, one: ColumnChecks | None) -> Any:
    if one is None or one.judged.value is None or not one.judged.found.text:
        return held
    return one.judged.value.cast(stored(one.judged))
