"""A declared column as its contract reads it: what counts as missing, as unreadable, and the value to be judged.

Everything here is an Ibis expression or a decision about types: nothing is read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from release_gate.contracts.bounds import NO_NUMBER
from release_gate.contracts.contract import Column, Kind
from release_gate.contracts.counts import Fit
from release_gate.contracts.found import Found
from release_gate.contracts.narrowing import unfit
from release_gate.on_demand import ibis

Expression = Any
"""An Ibis value; the library carries no types that a checker reads."""

_LIKE = {
    Kind.VECTOR: {Kind.ARRAY, Kind.VECTOR},
    Kind.ARRAY: {Kind.ARRAY, Kind.VECTOR},
    Kind.NUMBER: {Kind.NUMBER, Kind.INTEGER},
}
_BY_VALUES = {(Kind.INTEGER, Kind.NUMBER), (Kind.DATE, Kind.TIMESTAMP)}
"""pandas writes integers with gaps as floats and days as moments: no wrong type where each value is a whole one."""
JUDGED = {Kind.STRING, Kind.INTEGER, Kind.NUMBER, Kind.BOOLEAN, Kind.DATE, Kind.TIMESTAMP, Kind.TIME}
"""Logical types whose values rules can judge; of nested ones only the number of items."""
_NO_NUMBER = f"^({'|'.join(sorted(NO_NUMBER))})$"
"""No set: engines make a join of each set in a filter, which for many columns takes minutes to plan."""
_ZONED = r":.*(Z|[+-][0-9]{2}(:?[0-9]{2})?)$"
_TEXTS = {
    Kind.INTEGER: r"^[+-]?[0-9]{1,38}$",
    Kind.NUMBER: r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$",
    Kind.BOOLEAN: r"^(?i:true|false)$",
    Kind.DATE: r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    Kind.TIMESTAMP: (
        r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
        r"([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?( ?(Z|[+-][0-9]{2}(:?[0-9]{2})?))?)?$"
    ),
    Kind.TIME: r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?$",
}


@dataclass(frozen=True)
class Expressions:
    """The expressions of a column; see `Judged`."""

    value: Expression | None
    missing: Expression
    unreadable: Expression | None = None
    misfit: Expression | None = None


@dataclass(frozen=True)
class Judged:
    """A declared column that is there. Types decide first; expressions are made when they are asked for.

    Attributes:
        column: what is promised.
        found: what is there.
        fit: how the type fits, as far as the type alone says.
        judgeable: whether any rule can be judged.
    """

    column: Column
    found: Found
    fit: Fit
    judgeable: bool
    make: Callable[[], Expressions] = field(repr=False, compare=False)

    @cached_property
    def _made(self) -> Expressions:
        return self.make()

    @property
    def value(self) -> Expression | None:
        """Null where it is missing or can't be read; None where no rule can be judged."""
        return self._made.value if self.judgeable else None

    @property
    def missing(self) -> Expression:
        """Whether a row has no value."""
        return self._made.missing

    @property
    def unreadable(self) -> Expression | None:
        """Whether a text is none of the promised type; None where there is no text to read."""
        return self._made.unreadable if self.found.text else None

    @property
    def misfit(self) -> Expression | None:
        """Whether a value tells that the type is wrong (a fraction among integers); None where none can."""
        return self._made.misfit if self.fit is Fit.STORAGE else None

    @property
    def plain(self) -> bool:
        """Whether the value is the stored column itself, so that a file's own statistics speak of it."""
        return self.judgeable and not (self.found.text or self.found.uncertain) and self.misfit is None


def judged(column: Column, found: Found, table: Callable[[], Any]) -> Judged:
    """The declared column in an Ibis table that holds it."""
    if found.storage == "null":
        return Judged(column, found, Fit.FITS, False, lambda: Expressions(None, table()[found.held].isnull()))
    if found.text:
        return _of_text(column, found, table)
    fit = _fit(column, found)
    judgeable = fit is not Fit.WRONG and column.kind in JUDGED | {Kind.ARRAY, Kind.VECTOR}
    return Judged(column, found, fit, judgeable, lambda: _read(column, found, fit, table()[found.held]))


def _read(column: Column, found: Found, fit: Fit, stored: Expression) -> Expressions:
    value = ibis.ifelse(stored.isnan(), ibis.null(found.dtype), stored) if found.uncertain else stored
    missing = value.isnull()
    misfit = _misfit(column, found, stored) if fit is Fit.STORAGE else None
    if column.storage is not None and fit is Fit.STORAGE and column.kind in JUDGED:
        misfit = _either(misfit, unfit(column.storage, value))
    if found.storage == "uuid":
        value = value.cast("string")
    elif found.kind is Kind.TIMESTAMP and found.type.zone:
        value = value.cast("timestamp")  # every session of ours speaks UTC
    return Expressions(value, missing, misfit=misfit)


def _fit(column: Column, found: Found) -> Fit:
    if found.kind in _LIKE.get(column.kind, {column.kind}):
        if found.kind is Kind.TIMESTAMP and column.zone not in {None, found.type.zone is not None}:
            return Fit.WRONG
        return Fit.FITS if column.storage is None or same(column.storage, found.storage) else Fit.STORAGE
    return Fit.STORAGE if (column.kind, found.kind) in _BY_VALUES else Fit.WRONG


def _misfit(column: Column, found: Found, stored: Expression) -> Expression | None:
    """Of the pairs of `_BY_VALUES`, whether a value tells that the type is wrong."""
    if column.kind is Kind.INTEGER and found.kind is Kind.NUMBER:
        if not found.floating:
            return stored % 1 != 0
        return ~stored.isnan() & (stored.isinf() | (stored.abs() % 1 != 0))
    if column.kind is Kind.DATE and found.kind is Kind.TIMESTAMP:
        return stored != stored.cast("date").cast("timestamp")
    return None


def _either(one: Expression | None, other: Expression | None) -> Expression | None:
    """Whether one of two conditions is true, where there are two."""
    if one is None or other is None:
        return other if one is None else one
    return one | other


def same(promised: str, stored: str) -> bool:
    """Whether two exact types are one; the name of a zone changes no instant."""
    exact = [one.split(", tz=", maxsplit=1) for one in (promised, stored)]
    return exact[0][0] == exact[1][0] and len(exact[0]) == len(exact[1])


def _of_text(column: Column, found: Found, table: Callable[[], Any]) -> Judged:
    judgeable = column.kind in JUDGED
    fit = Fit.FITS if judgeable else Fit.WRONG
    return Judged(column, found, fit, judgeable, lambda: _parsed(column, table()[found.held]))


def _parsed(column: Column, text: Expression) -> Expressions:
    """Text read as the contract's type."""
    missing = text.isnull()
    if column.kind is Kind.STRING or column.kind not in JUDGED:
        return Expressions(text, missing)
    if column.kind in {Kind.INTEGER, Kind.NUMBER}:
        missing |= text.re_search(_NO_NUMBER)
    right = text.re_search(_TEXTS[column.kind])
    if column.kind is Kind.TIMESTAMP and column.zone is not None:
        zoned = text.re_search(_ZONED)
        right &= zoned if column.zone else ~zoned
    value = ibis.ifelse(right & ~missing, _cast(column.kind, text), ibis.null())
    if column.storage is not None and (narrow := unfit(column.storage, value)) is not None:
        value = ibis.ifelse(narrow, ibis.null(), value)
    return Expressions(value, missing, unreadable=~missing & value.isnull())


def _cast(kind: Kind, text: Expression) -> Expression:
    if kind is Kind.INTEGER:
        return text.try_cast("decimal(38, 0)")
    if kind is Kind.NUMBER:
        return text.try_cast("float64")
    if kind is Kind.BOOLEAN:
        return text.lower() == "true"
    if kind is Kind.TIME:
        return ibis.ifelse(text.length() == len("00:00"), text + ":00", text).try_cast("time")
    if kind is Kind.DATE:
        return text.try_cast("date")
    return text.try_cast("timestamp('UTC')").cast("timestamp")
