"""Names, texts and paths as DuckDB's SQL writes them, and the columns that the names of folders hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from release_gate.tables.relation import Unanswered

Partitions = Mapping[str, Sequence[str | None]]
"""Columns that the names of folders hold, each with its value for every file: text, or nothing."""


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


def by_file(values: Sequence[str | None]) -> str:
    """One of several texts or nulls, by which of the files a row is from."""
    listed = ", ".join("NULL" if value is None else as_text(value) for value in values)
    return f"([{listed}]::VARCHAR[])[file_index::BIGINT + 1]"


def outside(partitions: Partitions, names: Sequence[str]) -> Partitions:
    """The columns to take from the folders' names; none where the files hold them all themselves.

    Raises:
        Unanswered: the files hold some of them.
    """
    own = {one.casefold() for one in names}
    inside = [one for one in partitions if one.casefold() in own]
    if inside and len(inside) < len(partitions):
        why = f"the column '{inside[0]}' is in the files and in the names of their folders"
        raise Unanswered(why, unreadable=True)
    return {} if inside else partitions


def first_alike(names: Iterable[str]) -> tuple[str, str] | None:
    """The first two names that are one name to SQL, which looks at no case."""
    seen: dict[str, str] = {}
    for name in names:
        if name.casefold() in seen:
            return seen[name.casefold()], name
        seen[name.casefold()] = name
    return None
