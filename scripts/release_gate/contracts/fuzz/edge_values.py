"""Values at the edges of what a column's type and rules leave: candidates, of which some may yet break a rule."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable
from random import Random

from release_gate.contracts.allowed import Value, typed
from release_gate.contracts.contract import Column, Kind, RuleKind
from release_gate.contracts.fuzz.pattern_texts import texts

LONGEST = 1000
"""Characters of the longest text where the contract sets no end."""
INSIDE = 6
"""Values drawn at random from within the bounds, beside the edges."""

ODD_TEXTS = (
    "", " ", "A", "a", "0", "-1", "1e5", "nan", "null", "None", "true", " a ", "a\tb", "a\nb", 'a,"b"', "a'b", "%", "é",
    "e\u0301", "ß", "İ", "中文", "\u202eabc", "👩‍🚀", "\u200b", "never seen before",
)  # fmt: skip
"""Texts that code is often not ready for: empty, blank, like numbers and nulls, with quotes, beyond ASCII."""


def ordinary(column: Column) -> list[Value]:
    """Values as plain as there are, the plainest first: what a row holds where nothing is being tried."""
    sets = _sets(column)
    if sets:
        return sets[:1]
    if column.kind is Kind.STRING:
        return ["a", "ab", "abc", "a" * max(1, _length(column)[0])]
    if column.kind is Kind.BOOLEAN:
        return [True, False]
    if column.kind in {Kind.INTEGER, Kind.NUMBER}:
        return _ordinary_numbers(column)
    if column.kind is Kind.TIME:
        return [dt.time(12)]
    if column.kind in {Kind.DATE, Kind.TIMESTAMP}:
        low, high = _span(column)
        middle = low + (high - low) // 2
        noon = dt.datetime(2023, 5, 10, 12)  # noqa: DTZ001 - without a zone on purpose
        found = [noon, noon.replace(year=max(low.year, 1)), middle.replace(hour=12, minute=0, second=0, microsecond=0)]
        return _moments(column.kind, [*found, middle, low])
    return []


def edges(column: Column, random: Random, wanted: int = INSIDE) -> list[Value]:
    """Edges first, then `wanted` values from within; without nulls."""
    sets = _sets(column)
    if sets:
        return sets
    if column.kind is Kind.STRING:
        return _texts(column, random, wanted)
    if column.kind is Kind.BOOLEAN:
        return [False, True]
    if column.kind in {Kind.INTEGER, Kind.NUMBER}:
        return _numbers(column, random, wanted)
    if column.kind is Kind.TIME:
        bounds = [typed(Kind.TIME, str(one)) for one in _bounds(column)]
        return [*bounds, dt.time(0), dt.time(23, 59, 59, 999999), dt.time(2, 30), dt.time(23, 59)]
    if column.kind in {Kind.DATE, Kind.TIMESTAMP}:
        return _calendar(column, random, wanted)
    return []


def _sets(column: Column) -> list[Value]:
    """The values of a set, all of them: the rarest category is the one that code forgets."""
    values = [rule.value for rule in column.rules if rule.kind is RuleKind.ONE_OF]
    return [typed(column.kind, one) for one in values[0]] if values and isinstance(values[0], tuple) else []


def _bounds(column: Column) -> list[str | int | float]:
    return [rule.value for rule in column.rules if rule.kind.is_range and not isinstance(rule.value, tuple)]


def _limits(column: Column) -> tuple[Value, Value]:
    """The highest lower bound and the lowest upper one as values of the column, None where there is none."""
    lower, upper = (
        [
            typed(column.kind, rule.value)
            for rule in column.rules
            if rule.kind in kinds and not isinstance(rule.value, tuple)
        ]
        for kinds in ({RuleKind.AT_LEAST, RuleKind.ABOVE}, {RuleKind.AT_MOST, RuleKind.BELOW})
    )
    return max(lower, default=None), min(upper, default=None)  # type: ignore[type-var] # bounds have one type


def _ordinary_numbers(column: Column) -> list[Value]:
    low, high = (None if one is None else float(one) for one in _limits(column))  # type: ignore[arg-type]
    step = _step(column)
    middle = (low + high) / 2 if low is not None and high is not None else (low or 0) + 1 if high is None else high - 1
    found = [1.0, float(round(middle)), middle, low if low is not None else 0.0, step, _nearest(middle, step)]
    return _as_numbers(column.kind, found)


def _numbers(column: Column, random: Random, wanted: int) -> list[Value]:
    whole, step = column.kind is Kind.INTEGER, _step(column)
    low, high = (None if one is None else float(one) for one in _limits(column))  # type: ignore[arg-type]
    found: list[float] = []
    for bound, inwards in ((low, math.inf), (high, -math.inf)):
        if bound is not None:
            one = step or 1.0
            beside = bound + math.copysign(one, inwards)
            found += [bound, beside if whole or step else math.nextafter(bound, inwards), _nearest(bound, step), beside]
    found += [0.0, 1.0, -1.0] + ([] if whole else [0.5, -0.5, 1e-9])
    if low is not None and high is not None:
        found += [low + (high - low) * random.random() for _ in range(wanted)]
    else:
        start = low if low is not None else high - 1000.0 if high is not None else 0.0
        found += [start + one for one in range(2, 2 + wanted)]
    if step:
        found += [_nearest(one, step) for one in found]
    return [*_as_numbers(column.kind, found), *_large(whole=whole, low=low, high=high)]


def _large(*, whole: bool, low: float | None, high: float | None) -> list[Value]:
    """Numbers that only a column without bounds allows: beyond 32 bits, beyond a float's whole numbers, infinite."""
    up: list[Value] = [2**31, 2**53 + 1, 2**63 - 1] if whole else [float(2**53 + 2), 1e308, math.inf]
    down: list[Value] = [-(2**31) - 1, -(2**63)] if whole else [-1e308, -math.inf]
    return [*(up if high is None else []), *(down if low is None else [])]


def _step(column: Column) -> float:
    found = [float(str(rule.value)) for rule in column.rules if rule.kind is RuleKind.MULTIPLE_OF]
    return found[0] if found else 0.0


def _nearest(value: float, step: float) -> float:
    return round(value / step) * step if step else value


def _as_numbers(kind: Kind, found: Iterable[float]) -> list[Value]:
    finite = [one for one in found if math.isfinite(one)]
    if kind is Kind.NUMBER:
        return list(finite)
    return [whole for one in finite for whole in (math.floor(one), math.ceil(one))]


def _length(column: Column) -> tuple[int, int]:
    least = [int(str(rule.value)) for rule in column.rules if rule.kind is RuleKind.SHORTEST]
    most = [int(str(rule.value)) for rule in column.rules if rule.kind is RuleKind.LONGEST]
    return max(least, default=0), min(most, default=LONGEST)


def _texts(column: Column, random: Random, wanted: int) -> list[Value]:
    least, most = _length(column)
    found = [
        text
        for rule in column.rules
        if rule.kind is RuleKind.PATTERN
        for text in texts(str(rule.value), random, wanted)
    ]
    if not any(rule.kind is RuleKind.PATTERN for rule in column.rules):
        found = [*ODD_TEXTS, "x" * most, "é" * most, "x" * least, *(f"value {number}" for number in range(wanted))]
    head, tail = (
        "".join(str(rule.value) for rule in column.rules if rule.kind is kind)
        for kind in (RuleKind.STARTS_WITH, RuleKind.ENDS_WITH)
    )
    if head or tail:
        found += [f"{head}{text}{tail}"[: most or None] for text in found] + [head + tail]
    return [*found, *(text.ljust(least, "x") for text in found if len(text) < least)]


def _span(column: Column) -> tuple[dt.datetime, dt.datetime]:
    """From when to when, as moments; without bounds two centuries."""
    low, high = _limits(column)
    return _moment(low, dt.datetime(1900, 1, 1)), _moment(high, dt.datetime(2100, 1, 1))  # noqa: DTZ001


def _moment(value: Value, default: dt.datetime) -> dt.datetime:
    if isinstance(value, dt.datetime):
        return value
    return dt.datetime.combine(value, dt.time()) if isinstance(value, dt.date) else default


def _calendar(column: Column, random: Random, wanted: int) -> list[Value]:
    """The bounds, leap days, changes of the clock, ends of days and years, and moments from within."""
    low, high = _span(column)
    tick = dt.timedelta(days=1) if column.kind is Kind.DATE else dt.timedelta(microseconds=1)
    bounded = [one for one in _limits(column) if one is not None]
    found = [low, low + tick, high, high - tick] if bounded else []
    years = {low.year, high.year, low.year + (-low.year) % 4, 2024} if bounded else {2023, 2024}
    for year in sorted(years):
        found += _special(year)
    if not bounded:
        found += [dt.datetime(1970, 1, 1), dt.datetime(1969, 12, 31, 23, 59, 59), dt.datetime(2038, 1, 19, 3, 14, 8)]  # noqa: DTZ001
    spread = (high - low).total_seconds()
    found += [low + dt.timedelta(seconds=int(spread * random.random())) for _ in range(wanted)]
    return _moments(column.kind, [one for one in found if low <= one <= high])


def _special(year: int) -> list[dt.datetime]:
    """Moments of a year that calendars stumble over; the changes of the clock as local times and as instants."""
    found = [
        *([dt.datetime(year, 2, 29, 12)] if _leap(year) else []),  # noqa: DTZ001
        dt.datetime(year, 12, 31, 23, 59, 59, 999999),  # noqa: DTZ001
        dt.datetime(year, 1, 1),  # noqa: DTZ001
    ]
    for month, nth, hours in ((3, 2, (2, 7)), (11, 1, (1, 6)), (3, -1, (2, 1)), (10, -1, (2, 1))):
        # America changes on the second Sunday of March and the first of November, Europe on the last of two months.
        day = _sunday(year, month, nth)
        found += [dt.datetime.combine(day, dt.time(hour, 30)) for hour in hours]
    return found


def _leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _sunday(year: int, month: int, nth: int) -> dt.date:
    days = [dt.date(year, month, 1) + dt.timedelta(days=number) for number in range(31)]
    sundays = [day for day in days if day.month == month and day.weekday() == 6]
    return sundays[nth - 1 if nth > 0 else nth]


def _moments(kind: Kind, found: Iterable[dt.datetime]) -> list[Value]:
    return [one.date() if kind is Kind.DATE else one for one in found]
