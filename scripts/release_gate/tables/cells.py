"""The cells of an SQLite table: any may hold text or a number, whatever the type of its column says.

Days and moments are text there, which the contract reads as it reads that of a CSV file. Any other column in which a
cell is not of the declared type is no column of that type.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any, TypeVar

import ibis
import ibis.expr.datatypes as dt

from release_gate.contracts.found import Found, described, found
from release_gate.tables.relation import Unanswered

Value = TypeVar("Value")
_INTEGERS: tuple[str, ...] = ("integer",)
_NUMBERS: tuple[str, ...] = ("integer", "real")
_TEXT: tuple[str, ...] = ("text",)
_GREATEST = 2**63 - 1


def columns(backend: Any, source: Any) -> tuple[list[Found], Any]:
    """The columns of an SQLite table as its cells are, and the table with days and moments as text."""
    for name, reader in _READERS.items():
        backend.con.create_function(name, 1, reader, deterministic=True)
    kinds = dict(source.schema().items())
    read = source.mutate(**{name: source[name].cast("string") for name, kind in kinds.items() if kind.is_temporal()})
    others = _others(backend, source, kinds)
    columns = []
    for place, (name, kind) in enumerate(kinds.items()):
        if kind.is_temporal():
            columns.append(found(name, f"c{place}", described(dt.string), text=True))
            continue
        one = found(name, f"c{place}", described(kind))
        mixed = Found(name, one.held, one.type, None, f"{one.storage} and cells of another type")
        columns.append(mixed if others.get(name) else one)
    return columns, read


def _others(backend: Any, source: Any, kinds: dict[str, Any]) -> dict[str, int]:
    """How many cells are of another type than their column's."""
    asked = {name: _other(source[name], kind) for name, kind in kinds.items()}
    counted = {name: condition for name, condition in asked.items() if condition is not None}
    if not counted:
        return {}
    asking = source.aggregate(**{f"n{place}": one.sum() for place, one in enumerate(counted.values())})
    row = backend.con.execute(backend.compile(asking)).fetchone()
    return {name: number or 0 for name, number in zip(counted, row, strict=True)}


def _other(column: Any, kind: Any) -> Any | None:
    if kind.is_boolean():
        return column.notnull() & ~(column.typeof().isin(_INTEGERS) & column.cast("int64").isin((0, 1)))
    if kind.is_integer():
        allowed = _INTEGERS
    elif kind.is_numeric():
        allowed = _NUMBERS
    elif kind.is_string():
        allowed = _TEXT
    else:
        return None
    return column.notnull() & ~column.typeof().isin(allowed)


# Text as a value. SQLite compares days and moments as texts, and so they are written in one way.


def _date(text: str | None) -> str | None:
    return _read(lambda given: date.fromisoformat(given).isoformat(), text)


def _time(text: str | None) -> str | None:
    return _read(lambda given: time.fromisoformat(given).isoformat(), text)


def _moment(text: str | None) -> str | None:
    return _read(_in_utc, text)


def _in_utc(text: str) -> str:
    moment = datetime.fromisoformat(text[:11] + text[11:].replace(" ", ""))
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return moment.isoformat(" ")


def _integer(text: str | None) -> int | None:
    number = _read(int, text)
    return number if number is not None and -_GREATEST <= number <= _GREATEST else None


def _number(text: str | None) -> float | None:
    return _read(float, text)


def _read(reader: Callable[[str], Value], text: str | None) -> Value | None:
    """None for what can't be read: the contract counts it."""
    try:
        return None if text is None else reader(text)
    except (ValueError, OverflowError):
        return None


_READERS: dict[str, Callable[[str | None], Any]] = {
    "gate_date": _date, "gate_time": _time, "gate_moment": _moment, "gate_integer": _integer, "gate_number": _number,
}  # fmt: skip


def reading(node: Any) -> Any:
    """Text read as another type, in the words of SQLite with the functions of ours.

    Raises:
        Unanswered: there is none for the type.
    """
    to = node.to
    name = next((name for name, fits in _TYPES.items() if fits(to)), None)
    if name is None:
        raise Unanswered(f"text is not read as {to} on sqlite")
    function = ibis.udf.scalar.builtin(_READERS[name], name=name, signature=((dt.string,), to))
    return function(node.arg.to_expr()).op()


_TYPES: dict[str, Callable[[Any], bool]] = {
    "gate_date": lambda to: to.is_date(),
    "gate_time": lambda to: to.is_time(),
    "gate_moment": lambda to: to.is_timestamp(),
    "gate_integer": lambda to: to.is_decimal() and to.scale == 0,
    "gate_number": lambda to: to.is_floating(),
}
