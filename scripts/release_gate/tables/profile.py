"""Profiles a table for a drafted contract: types, nulls, ranges, sets, codes and keys, read as the contract reads."""

from __future__ import annotations

import glob
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Any

from release_gate.contracts.contract import Column, Kind
from release_gate.contracts.found import Found
from release_gate.contracts.infer import SET_SIZE, ColumnProfile, Profile, omissions
from release_gate.contracts.personal import by_values
from release_gate.contracts.shapes import pattern
from release_gate.contracts.values import JUDGED, Expression, Judged, judged
from release_gate.findings import BadInput
from release_gate.tables.asking import Asking
from release_gate.tables.opening import format_of, open_files, unreadable
from release_gate.tables.relation import Relation, Unanswered
from release_gate.verdict import Where

SAMPLE = 2_000
"""Different values of which the look of a text is judged; a pattern is then proven on all."""
FEWEST_ROWS = 20
"""In a smaller table two columns name the rows by chance."""
MOST_PAIRED = 10
"""Columns that are tried as halves of a key."""
FIRST = 10_000
"""Rows that are looked at first, since they tell most pairs from a key."""

_GUESSED = (Kind.BOOLEAN, Kind.INTEGER, Kind.NUMBER, Kind.DATE, Kind.TIMESTAMP, Kind.TIME)
"""What a column of texts may hold, the narrowest first."""
_HALVES = (Kind.DATE, Kind.TIMESTAMP, Kind.STRING, Kind.INTEGER)
"""Types of a key's halves, the likeliest first."""
_NO_NUMBER = r"^[+-]?0[0-9]"
"""A number that starts so is a word of digits: 007 is not 7."""
_STORED = {Kind.INTEGER, Kind.NUMBER, Kind.TIMESTAMP}
_CARD = 10**12
"""The least number that is as long as a card's."""


def profile(path: Path, shown: str, *, memory: int | None = None) -> Profile:
    """What the file or files of a path or a pattern hold; `shown` is its name in messages, `memory` in bytes.

    Raises:
        BadInput: the data is missing, can't be read, is empty, or has no column that a contract can describe: there
            is nothing to learn from.
    """
    relation = open_files(path, shown, memory=memory)
    try:
        return _profiled(relation, _named(path), shown)
    except Unanswered as refusal:
        raise unreadable(shown, format_of(path.name, shown), str(refusal), [path]) from refusal
    finally:
        relation.close()


def _named(path: Path) -> str:
    """The name of a file without its endings; of a pattern, of the folder it starts in."""
    plain = [part for part in path.parts if not glob.has_magic(part)]
    return Path(plain[-1].removesuffix(".gz")).stem if plain else "table"


def _profiled(relation: Relation, name: str, shown: str) -> Profile:
    if relation.shape.delimiter is not None:
        message = f"the file is not parted by commas: its only column holds {relation.shape.delimiter!r}"
        raise BadInput.because("table-delimiter", message, where=Where(table=shown))
    columns = relation.shape.columns
    times = Counter(one.name for one in columns if one.name)
    rows, kinds = _kinds(relation, [one for one in columns if times[one.name] == 1])
    if rows == 0:
        raise BadInput.because("table-empty", "the table has no rows to learn from", where=Where(table=shown))
    read = [judged(Column(one.name, kind), one, lambda: relation.table) for one, kind in kinds]
    described = tuple(_described(relation, read))
    known = {one.name for one in described}
    whole = Profile(
        name,
        rows,
        described,
        left_out=tuple(one for one, often in times.items() if often == 1 and one not in known),
        repeated=tuple(one for one, often in times.items() if often > 1),
        nameless=tuple(place for place, one in enumerate(columns, 1) if not one.name),
    )
    if not described:
        message = f"the table has no column to draft a contract of; left out, {'; '.join(omissions(whole))}"
        remedy = "Give a table with columns of other types, each with a name of its own."
        raise BadInput.because("table-empty", message, where=Where(table=shown), remedy=remedy)
    return whole if whole.keys else replace(whole, pairs=_pairs(relation, whole, read))


def _kinds(relation: Relation, columns: Sequence[Found]) -> tuple[int, list[tuple[Found, Kind]]]:
    """How many rows there are, and the type of each column; of texts the narrowest that all of them can be read as."""
    table = relation.table
    asking = Asking(relation)
    asking.ask("rows", table.count())
    for one in columns:
        for kind in _GUESSED if one.text else ():
            as_kind = judged(Column(one.name, kind), one, lambda: table)
            asking.count((one.name, kind, "wrong"), as_kind.unreadable)
            asking.count((one.name, kind, "right"), as_kind.value.notnull())  # type: ignore[union-attr] # each is read
        if one.text:
            asking.count((one.name, "word"), table[one.held].re_search(_NO_NUMBER))
    known = asking.answers()

    def guessed(one: Found) -> Kind:
        for kind in _GUESSED:
            number = kind in {Kind.INTEGER, Kind.NUMBER}
            right = known[one.name, kind, "right"] and not known[one.name, kind, "wrong"]
            if right and not (number and known[one.name, "word"]):
                return kind
        return Kind.STRING

    kinds = [(one, guessed(one) if one.text else Kind.STRING if one.storage == "null" else one.kind) for one in columns]
    return int(known["rows"]), [(one, kind) for one, kind in kinds if kind is not None]


def _described(relation: Relation, columns: Sequence[Judged]) -> Iterator[ColumnProfile]:
    """Every column: counts and bounds of all in one query, then what each of the texts looks like."""
    asking = Asking(relation)
    for one in columns:
        asking.count((one.column.name, "nulls"), one.missing)
        if one.value is not None and one.column.kind in JUDGED:
            asking.ask((one.column.name, "distinct"), one.value.nunique())
            for what, expression in _ends(one):
                asking.ask((one.column.name, what), expression)
    known = asking.answers()
    looks = _looks(relation, [one for one in columns if _looked_at(one, known)])
    for one in columns:
        name, kind = one.column.name, one.column.kind
        typed = not one.found.text and one.found.storage != "null"
        yield ColumnProfile(
            name=name,
            kind=kind,
            storage=one.found.storage if typed and kind in _STORED else None,
            zone=one.found.type.zone is not None if typed and kind is Kind.TIMESTAMP else None,
            nulls=int(known[name, "nulls"]),
            distinct=int(known.get((name, "distinct"), 0)),
            **_bounds(kind, known, name),
            **looks.get(name, {}),
        )


def _ends(one: Judged) -> Iterator[tuple[str, Expression]]:
    """The least and the greatest value, where a range may come of them, and how many are infinite."""
    value: Any = one.value
    if one.column.kind in {Kind.INTEGER, Kind.NUMBER, Kind.DATE}:
        yield "least", value.min()
        yield "most", value.max()
    if one.column.kind is Kind.NUMBER and value.type().is_floating():
        yield "infinite", value.isinf().sum()


def _bounds(kind: Kind, known: Mapping[Any, Any], name: str) -> dict[str, Any]:
    least, most = known.get((name, "least")), known.get((name, "most"))
    if least is None or most is None or known.get((name, "infinite")):
        return {}
    if kind is Kind.DATE:
        return {"least": least.isoformat()[:10]} if isinstance(least, date) else {}
    plain = int if kind is Kind.INTEGER else float
    bounds = {"least": plain(least), "most": plain(most)}
    return bounds if all(map(math.isfinite, bounds.values())) else {}


@dataclass(frozen=True)
class _Sampled:
    """Different values of a column as texts: all where they are few."""

    one: Judged
    values: tuple[str, ...]


def _looked_at(one: Judged, known: Mapping[Any, Any]) -> bool:
    """Whether the values themselves say more: texts do, and numbers as long as those of cards."""
    name = one.column.name
    if one.value is None or not known.get((name, "distinct")):
        return False
    return one.column.kind is Kind.STRING or (one.column.kind is Kind.INTEGER and known[name, "most"] >= _CARD)


def _looks(relation: Relation, columns: Sequence[Judged]) -> dict[str, dict[str, Any]]:
    """Small sets, what looks personal, and the patterns that all values keep, by name of the column."""
    found: dict[str, dict[str, Any]] = {}
    asking = Asking(relation)
    for one in columns:
        sample = _sample(relation, one)
        name = one.column.name
        found[name] = {"personal": by_values(sample)}
        if one.column.kind is not Kind.STRING:
            continue
        if len(sample) <= SET_SIZE:
            found[name]["values"] = tuple(sorted(sample))
        elif (shape := pattern(sample)) is not None:
            value: Any = one.value
            found[name]["pattern"] = shape
            asking.count(name, value.notnull() & ~value.re_search(shape))
    for column, wrong in asking.answers().items():
        if wrong:
            del found[str(column)]["pattern"]
    return found


def _sample(relation: Relation, one: Judged) -> list[str]:
    """Different values, the same on every run, from anywhere in the column."""
    value: Any = one.value
    different = relation.table.filter(value.notnull()).select(value=value.cast("string")).distinct()
    mixed = different.order_by(different["value"].hash(), different["value"]).limit(SAMPLE)
    return [str(row[0]) for row in relation.rows(mixed)]


def _pairs(relation: Relation, whole: Profile, read: Sequence[Judged]) -> tuple[tuple[str, str], ...]:
    """Two columns each that no two rows share; looked for only among whole columns of types that keys have."""
    if whole.rows < FEWEST_ROWS:
        return ()
    halves = [one for one in whole.columns if one.kind in _HALVES and not one.nulls and one.distinct > 1]
    halves = sorted(halves, key=lambda one: _HALVES.index(one.kind))[:MOST_PAIRED]
    values: dict[str, Any] = {one.column.name: one.value for one in read}
    if len(halves) < 2:
        return ()
    held = relation.table.select(**{f"h{place}": values[one.name] for place, one in enumerate(halves)})
    first = relation.rows(held.limit(FIRST))
    return tuple(
        (halves[one].name, halves[other].name)
        for one, other in combinations(range(len(halves)), 2)
        if halves[one].distinct * halves[other].distinct >= whole.rows
        and len({(row[one], row[other]) for row in first}) == len(first)
        and relation.rows(held[f"h{one}", f"h{other}"].distinct().count().as_table())[0][0] == whole.rows
    )
