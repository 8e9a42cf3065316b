"""A table that can be asked, wherever it lies: its columns, an Ibis table over it, and the rows of an expression."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from release_gate.contracts.found import Found

End = tuple[Any, Any]
"""The least and the greatest value of a column; None for both where it has none."""
ROW, FILE = "row_number_in_file", "file_number"
"""Columns that a numbered table has beside its own: the row from 1, and which of several files from 0."""


class Unanswered(Exception):
    """The engine refused an expression or could not read the data; the first line says why.

    `unreadable` says that the data is at fault, `full` that the memory was too small.
    """

    def __init__(self, cause: str, *, unreadable: bool = False, full: bool = False) -> None:
        super().__init__(cause)
        self.unreadable = unreadable
        self.full = full


@dataclass(frozen=True)
class Shape:
    """What is known of a table before a row is read.

    Attributes:
        engine: engine and version, for people.
        columns: the columns in order; a name may stand there twice.
        files: names of the files it is made of, as shown to people; empty for a table in a database.
        rows: how many rows there are, where that is known before.
        nulls: how many values are missing, by the name a column is held under, where that is known before.
        ends: the least and the greatest stored value, likewise.
        delimiter: the character that seems to part the columns of a file that came out as one column.
        partitions: the last columns, where the names of folders hold them and not the files.
        memory: the bytes that the engine keeps to, where a limit was asked for.
    """

    engine: str
    columns: tuple[Found, ...]
    files: tuple[str, ...] = ()
    rows: int | None = None
    nulls: Mapping[str, int] = field(default_factory=dict)
    ends: Mapping[str, End] = field(default_factory=dict)
    delimiter: str | None = None
    partitions: tuple[str, ...] = ()
    memory: int | None = None


@dataclass(frozen=True)
class Counted:
    """What was counted of an open table before anything was compiled.

    Attributes:
        distinct: how many different values a column has, by the name that it is held under.
        broken: how many rows break a rule, by the name of its column and its place there.
    """

    distinct: Mapping[str, int] = field(default_factory=dict)
    broken: Mapping[tuple[str, int], int] = field(default_factory=dict)


class Relation(Protocol):
    """An open table."""

    shape: Shape

    @property
    def queries(self) -> int:
        """How many queries were sent so far."""

    @property
    def table(self) -> Any:
        """The Ibis table; its columns carry the names that are held."""

    @property
    def numbered(self) -> Any | None:
        """The same table with `ROW` and `FILE`; None where rows have no number."""

    def counted(self) -> Counted:
        """What was counted since the table was opened; waits for it."""

    def rows(self, expression: Any) -> list[tuple[Any, ...]]:
        """The rows of an Ibis table expression.

        Raises:
            Unanswered: the engine refuses.
        """

    def query(self, text: str, column: str | None, seen: Any | None = None) -> Any:
        """The one value of a read-only SELECT of the contract; `{table}` and `{column}` stand for the data.

        `seen` is the table as the contract reads it, where text has no types of its own.

        Raises:
            Unanswered: the engine refuses, or there is not one value.
        """

    def write(self, expression: Any, path: str) -> int:
        """Write the rows of an expression to a Parquet file; returns how many.

        Raises:
            Unanswered: the engine refuses, or the disk is full.
        """

    def close(self) -> None:
        """Give back what is held."""
