"""Names, texts and paths as DuckDB's SQL writes them, and the columns that the names of folders hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from release_gate.tables.relation import Unanswered


def as_text(value: str) -> str:
    """A text."""
    return "'" + value.replace("'", "''") + "'"


def as_name(value: str) -> str:
    """A name."""
    return '"' + value.replace('"', '""') + '"'


def texts(values: Iterable[str]) -> str:
    """A list of texts."""
    return "[" + ", ".join(map(as_text, values)) + "]"


def globs(files: Iterable[str]) -> str:
    """A list of paths, none of which is taken for a pattern."""
    return texts(escaped(files))


def escaped(files: Iterable[str]) -> list[str]:
    """Paths that as patterns name themselves alone."""
    return [re.sub(r"([*?\[])", r"[\1]", file) for file in files]


def hive(partitions: Sequence[str]) -> str:
    """The options of a reader for columns in folders' names, all text: only the contract knows that 007 is a word."""
    return f"hive_partitioning = {'true' if partitions else 'false'}, hive_types_autocast = false"


def outside(partitions: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """The columns to take from the folders' names; none where the files hold them all themselves.

    Raises:
        Unanswered: the files hold some of them.
    """
    own = {one.casefold() for one in names}
    inside = [one for one in partitions if one.casefold() in own]
    if inside and len(inside) < len(partitions):
        why = f"the column '{inside[0]}' is in the files and in the names of their folders"
        raise Unanswered(why, unreadable=True)
    return () if inside else tuple(partitions)
