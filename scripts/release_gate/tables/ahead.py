"""What is asked of Parquet files before a rule is compiled, in SQL of our own and beside everything else.

Footers prove most ranges; of floats one look shows that there is no NaN, which footers leave out. Where a column must
be unique its values are counted, whole numbers as bits of words. Rules judge texts row by row, or each text once where
texts repeat, as the sizes in footers tell, or two looks before a regular expression. Where that answers all, nothing is
compiled, and what compiles is never imported.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import duckdb

from release_gate.contracts.contract import Column, Contract, Kind, Rule
from release_gate.contracts.proof import provable
from release_gate.tables import repetition
from release_gate.tables.relation import End
from release_gate.tables.stored import Footer
from release_gate.tables.text_rules import answerable, said, slow

SPARSEST = 16
"""Integers of a span for each row: beyond it words of 64 hold so few each that they are as many as the values."""
FEWEST_ROWS = 100_000
"""In smaller tables texts are judged row by row in less time than their groups are planned."""
SMALL = 100_000
"""Rows of which the different numbers or moments of a column fit into any limit of memory."""
MOST_TEXTS = 32
"""Columns of texts that are grouped; the plan of more takes longer than it saves."""
LIKELY_FEW = 64 << 10
"""Bytes, as stored, of a part's dictionary beyond which its texts are too many to be grouped."""
PLAIN = 4
"""Bytes a value, unpacked, from which a dictionary has overflowed: a code of two bytes, or a text of five at least."""
_PLACE, _TEXT, _TIMES = "place", "text", "times"
_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_FLOATING = ("FLOAT", "DOUBLE")
_KEYS = (*_WHOLE, "VARCHAR", "UUID", "DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE")
_ORDERED = (*_WHOLE, *_FLOATING, "HUGEINT", "UHUGEINT", "DECIMAL", "DATE", "TIME", "TIMESTAMP")
_WAIT = 0.01
Key = tuple[str, int]
"""A rule by the name of its column and its place there."""
_REFUSED = (duckdb.Error, RuntimeError, MemoryError, ValueError, OverflowError)
"""What an engine says that can't answer: then nothing is known ahead, and the count says what is wrong."""


@dataclass(frozen=True)
class Field:
    """A column as a file has it: its name, the name it is held under, and DuckDB's word for its type."""

    name: str
    held: str
    type: str


@dataclass(frozen=True)
class Text:
    """A column of texts by the name it is held under, its rules by their keys, and whether its texts repeat.

    `few` by what its footers tell; where they leave it `open`, it is worth looking, since a rule takes long.
    """

    held: str
    rules: tuple[tuple[Key, Rule], ...]
    few: bool = False
    open: bool = False


@dataclass(frozen=True)
class Sought:
    """Columns by the names they are held under, for what is worth knowing of them before rules are compiled."""

    ends: tuple[Field, ...] = ()
    floats: tuple[str, ...] = ()
    keys: tuple[Field, ...] = ()
    texts: tuple[Text, ...] = ()


def sought(contract: Contract, columns: Sequence[Field], footers: Mapping[str, Footer]) -> Sought:
    """What a contract makes worth asking of a table of these columns."""
    names = [one.name for one in columns]
    declared = [(column, columns[names.index(column.name)]) for column in contract.columns if column.name in names]
    here = [(column, one) for column, one in declared if names.count(column.name) == 1]
    keys = tuple(one for column, one in here if one.type in _KEYS and (column.name,) in contract.unique_sets)
    ranged = [one for column, one in here if _ranged(column) and _ordered(one.type)]
    floats = tuple(one.held for one in ranged if one.type in _FLOATING)
    texts = tuple(
        _text(one, rules, footers.get(one.held))
        for column, one in here
        if one.type == "VARCHAR" and column.kind is Kind.STRING and (rules := tuple(_said(column)))
    )
    spans = [one for one in keys if one.type in _WHOLE]
    return Sought(tuple(dict.fromkeys([*ranged, *spans])), floats, keys, texts)


def _ranged(column: Column) -> bool:
    return any(provable(rule, column.kind) for rule in column.rules)


def _said(column: Column) -> Iterator[tuple[Key, Rule]]:
    for place, rule in enumerate(column.rules):
        if answerable(rule):
            yield (column.name, place), rule


def _ordered(kind: str) -> bool:
    return kind.startswith(_ORDERED) and not kind.endswith("]")


def _text(one: Field, rules: tuple[tuple[Key, Rule], ...], footer: Footer | None) -> Text:
    few = footer is not None and _few(footer)
    return Text(one.held, rules, few, open=not few and footer is not None and any(slow(rule) for _, rule in rules))


def _few(footer: Footer) -> bool:
    """Whether every part of a column has a dictionary, small and used throughout."""
    if footer.largest is None or footer.nulls is None:
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
    """How many different values a column has, and how many rows break a rule on texts."""

    distinct: Mapping[str, int] = field(default_factory=dict)
    broken: Mapping[Key, int] = field(default_factory=dict)


class Ahead:
    """Asks in a thread of its own, on a connection of its own; every answer may be missing, and none is wrong.

    `source` is the table in SQL, `later` the same from its middle on, where that is found without reading what is
    before. Within a limit of memory (`limited`) values are counted only where they are small.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        source: str,
        wanted: Sought,
        *,
        later: str | None = None,
        limited: bool = False,
    ) -> None:
        self._later = later
        self._limited = limited
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
        few = list(islice(self._few(known.rows), MOST_TEXTS)) if known.rows >= FEWEST_ROWS else []
        broken = self._broken_once(few) | self._broken([one for one in self._wanted.texts if one not in few])
        return Numbers(dict(self._distinct(known)), broken)

    def _few(self, rows: int) -> Iterator[Text]:
        """The columns of which each text is best judged once."""
        for one in self._wanted.texts:
            if one.few or (one.open and rows >= repetition.FEWEST_ROWS and self._repeats(one, rows)):
                yield one

    def _repeats(self, one: Text, rows: int) -> bool:
        if self._later is None:
            return False
        found = self._asked(repetition.question(one.held, self._source, self._later))
        return found is not None and repetition.few(found[0], rows)

    def _broken_once(self, texts: Sequence[Text]) -> dict[Key, int]:
        """How many rows break a rule, of which each text is judged once."""
        if not texts:
            return {}
        parts = [
            f"SELECT {place} AS {_PLACE}, {one.held} AS {_TEXT}, count(*) AS {_TIMES} "
            f"FROM {self._source} WHERE {one.held} IS NOT NULL GROUP BY {one.held}"
            for place, one in enumerate(texts)
        ]
        asked = {
            key: f"coalesce(sum({_TIMES}) FILTER (WHERE {_PLACE} = {place} AND NOT ({said(rule, _TEXT)})), 0)"
            for place, one in enumerate(texts)
            for key, rule in one.rules
        }
        return self._numbers_of(asked, f"({' UNION ALL '.join(parts)})")

    def _broken(self, texts: Sequence[Text]) -> dict[Key, int]:
        """How many rows break a rule, of which each row is judged."""
        asked = {
            key: f"count(*) FILTER (WHERE NOT ({said(rule, one.held)}))" for one in texts for key, rule in one.rules
        }
        return self._numbers_of(asked, self._source) if asked else {}

    def _numbers_of(self, asked: Mapping[Key, str], source: str) -> dict[Key, int]:
        found = self._asked(f"SELECT {', '.join(asked.values())} FROM {source}")
        return dict(zip(asked, map(int, found[0]), strict=True)) if found else {}

    def _distinct(self, known: Known) -> Iterator[tuple[str, int]]:
        rows = known.rows or 0
        for one in self._wanted.keys:
            least, most = known.ends.get(one.held, (None, None)) if one.type in _WHOLE else (None, None)
            if least is not None and most - least < SPARSEST * max(rows, 1):
                asked = self._as_bits(one, least)
            elif not self._limited or (rows <= SMALL and one.type != "VARCHAR"):
                asked = f"SELECT count(DISTINCT {one.held}) FROM {self._source}"
            else:
                continue  # within a limit of memory the rows that share are counted: groups go to disk
            if found := self._asked(asked):
                yield one.held, int(found[0][0])

    def _as_bits(self, one: Field, least: int) -> str:
        # In the widest type of its sign, which holds every difference of a narrow span.
        wide = "UBIGINT" if one.type == "UBIGINT" else "BIGINT"
        place = f"({one.held}::{wide} - ({least})::{wide})::UBIGINT"
        words = (
            f"SELECT bit_or(1::UBIGINT << ({place} & 63)) AS bits FROM {self._source} "
            f"WHERE {one.held} IS NOT NULL GROUP BY {place} >> 6"
        )
        return f"SELECT coalesce(sum(bit_count(bits)), 0)::BIGINT FROM ({words})"

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
