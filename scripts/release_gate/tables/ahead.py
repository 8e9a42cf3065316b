"""What is asked of Parquet files before a rule is compiled, in SQL of our own and beside the imports of what compiles.

Footers prove most ranges; of floats one look shows that there is no NaN, which footers leave out. Whole numbers that
must be unique are counted as bits of words. Texts that repeat, as the sizes in footers tell, are grouped: rules then
judge each text once.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from release_gate.contracts.contract import Column, Contract, Kind
from release_gate.contracts.proof import provable
from release_gate.tables.relation import TIMES, End
from release_gate.tables.stored import Footer

SPARSEST = 16
"""Integers of a span for each row: beyond it words of 64 hold so few each that they are as many as the values."""
FEWEST_ROWS = 100_000
"""In smaller tables texts are judged row by row in less time than their groups are planned."""
MOST_TEXTS = 32
"""Columns of texts that are grouped; the plan of more takes longer than it saves."""
LIKELY_FEW = 64 << 10
"""Bytes, as stored, of a part's dictionary beyond which its texts are too many to be grouped."""
PLAIN = 4
"""Bytes a value, unpacked, from which a dictionary has overflowed: a code of two bytes, or a text of five at least."""
GROUPED = "grouped"
"""The name of the table of texts."""
PLACE, TEXT = "place", "text"
"""Its columns, beside `TIMES`."""
_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_FLOATING = ("FLOAT", "DOUBLE")
_ORDERED = (*_WHOLE, *_FLOATING, "HUGEINT", "UHUGEINT", "DECIMAL", "DATE", "TIME", "TIMESTAMP")
_WAIT = 0.01
_REFUSED = (duckdb.Error, RuntimeError, MemoryError, ValueError, OverflowError)
"""What an engine says that can't answer: then nothing is known ahead, and the count says what is wrong."""


@dataclass(frozen=True)
class Field:
    """A column as a file has it: its name, the name it is held under, and DuckDB's word for its type."""

    name: str
    held: str
    type: str


@dataclass(frozen=True)
class Sought:
    """Columns by the names they are held under, for what is worth knowing of them before rules are compiled."""

    ends: tuple[Field, ...] = ()
    floats: tuple[str, ...] = ()
    spans: tuple[Field, ...] = ()
    texts: tuple[str, ...] = ()


def sought(contract: Contract, columns: Sequence[Field], footers: Mapping[str, Footer]) -> Sought:
    """What a contract makes worth asking of a table of these columns."""
    names = [one.name for one in columns]
    declared = [(column, columns[names.index(column.name)]) for column in contract.columns if column.name in names]
    here = [(column, one) for column, one in declared if names.count(column.name) == 1]
    spans = tuple(one for column, one in here if one.type in _WHOLE and (column.name,) in contract.unique_sets)
    ranged = [one for column, one in here if _ranged(column) and _ordered(one.type)]
    floats = tuple(one.held for one in ranged if one.type in _FLOATING)
    texts = tuple(
        one.held
        for column, one in here
        if one.type == "VARCHAR" and column.kind is Kind.STRING and column.rules and _few(footers.get(one.held))
    )
    return Sought(tuple(dict.fromkeys([*ranged, *spans])), floats, spans, texts)


def _ranged(column: Column) -> bool:
    return any(provable(rule, column.kind) for rule in column.rules)


def _ordered(kind: str) -> bool:
    return kind.startswith(_ORDERED) and not kind.endswith("]")


def _few(footer: Footer | None) -> bool:
    """Whether every part of a column has a dictionary, small and used throughout."""
    if footer is None or footer.largest is None or footer.nulls is None:
        return False
    return footer.largest <= LIKELY_FEW and footer.unpacked <= PLAIN * footer.values


@dataclass(frozen=True)
class Known:
    """The number of rows, the least and greatest value by column, and the columns of floats that hold no NaN."""

    rows: int | None = None
    ends: Mapping[str, End] = field(default_factory=dict)
    sure: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Numbers:
    """How many different values a column has, and the columns whose texts stand in the table of texts."""

    distinct: Mapping[str, int] = field(default_factory=dict)
    texts: tuple[str, ...] = ()


class Ahead:
    """Asks in a thread of its own, on a connection of its own; every answer may be missing, and none is wrong.

    `source` is the table in SQL.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, source: str, wanted: Sought) -> None:
        self._connection = connection
        self._source = source
        self._wanted = wanted
        self._ended, self._looked, self._done = threading.Event(), threading.Event(), threading.Event()
        self._known, self._numbers = Known(), Numbers()
        self._thread = threading.Thread(target=self.ask, name="ahead")
        self.queries = 0

    def begin(self) -> None:
        """Ask beside everything else; for what reads through Python, call `ask` instead, which an end can interrupt."""
        self._thread.start()

    def ask(self) -> None:
        """Ask here and now."""
        try:
            self._known = self._look()
            self._looked.set()
            self._numbers = self._count(self._known)
        finally:
            self._looked.set()
            self._done.set()

    def known(self) -> Known:
        """What footers and one look say; waits for it."""
        self._looked.wait()
        return self._known

    def counted(self) -> Numbers:
        """What was counted; waits for it."""
        self._done.wait()
        return self._numbers

    def stop(self) -> None:
        """End what still runs."""
        self._ended.set()
        # An interruption that comes between two queries stops neither: again, until the thread has seen its end.
        while self._thread.is_alive():
            self._connection.interrupt()
            self._thread.join(_WAIT)
        self._connection.close()

    def _look(self) -> Known:
        asked = ", ".join(f"min({_plain(one)}), max({_plain(one)})" for one in self._wanted.ends)
        row = self._row(f"count(*){', ' if asked else ''}{asked}")
        if row is None:
            return Known()
        ends = dict(zip((one.held for one in self._wanted.ends), zip(row[1::2], row[2::2], strict=True), strict=True))
        # A sum of floats is NaN where one of them is (or both infinities are there, which is as good as not knowing).
        sums = [f"coalesce(isnan(sum({held})), false)" for held in self._wanted.floats]
        seen = self._row(", ".join(sums)) if sums else ()
        doubtful = self._wanted.floats if seen is None else [
            held for held, broken in zip(self._wanted.floats, seen, strict=True) if broken
        ]  # fmt: skip
        sure = frozenset(self._wanted.floats) - frozenset(doubtful)
        known = {held: end for held, end in ends.items() if held not in doubtful}
        return Known(int(row[0]), known, sure)

    def _count(self, known: Known) -> Numbers:
        if known.rows is None:
            return Numbers()
        texts = self._grouped() if known.rows >= FEWEST_ROWS else ()
        return Numbers(dict(self._distinct(known)), texts)

    def _grouped(self) -> tuple[str, ...]:
        """Make the table of texts: the place of the column among these, a text of it, how many rows have that."""
        texts = self._wanted.texts[:MOST_TEXTS]
        if not texts:
            return ()
        parts = [
            f"SELECT {place}::INTEGER AS {PLACE}, {held} AS {TEXT}, count(*)::BIGINT AS {TIMES} "
            f"FROM {self._source} WHERE {held} IS NOT NULL GROUP BY {held}"
            for place, held in enumerate(texts)
        ]
        made = self._asked(f"CREATE TABLE {GROUPED} AS {' UNION ALL '.join(parts)}")
        return () if made is None else texts

    def _distinct(self, known: Known) -> Iterator[tuple[str, int]]:
        for one in self._wanted.spans:
            held = one.held
            if held not in known.ends:
                continue
            least, most = known.ends[held]
            if least is None:
                yield held, 0
            elif most - least < SPARSEST * max(known.rows or 0, 1):
                # In the widest type of its sign, which holds every difference of a narrow span.
                wide = "UBIGINT" if one.type == "UBIGINT" else "BIGINT"
                place = f"({held}::{wide} - ({least})::{wide})::UBIGINT"
                words = (
                    f"SELECT bit_or(1::UBIGINT << ({place} & 63)) AS bits FROM {self._source} "
                    f"WHERE {held} IS NOT NULL GROUP BY {place} >> 6"
                )
                found = self._asked(f"SELECT coalesce(sum(bit_count(bits)), 0)::BIGINT FROM ({words})")
                if found:
                    yield held, int(found[0][0])

    def _row(self, columns: str) -> tuple[Any, ...] | None:
        rows = self._asked(f"SELECT {columns} FROM {self._source}")
        return rows[0] if rows else None

    def _asked(self, text: str) -> list[tuple[Any, ...]] | None:
        if self._ended.is_set():
            return None
        self.queries += 1
        try:
            return self._connection.execute(text).fetchall()
        except _REFUSED:
            return None


def _plain(one: Field) -> str:
    """Moments as they are stored, without their zone."""
    return f"{one.held}::TIMESTAMP" if one.type == "TIMESTAMP WITH TIME ZONE" else one.held
