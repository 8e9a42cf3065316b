"""Whether a value that a contract writes is one of its column's type, and whether it keeps a rule: no table is read."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from fractions import Fraction
from typing import Any

from release_gate.contracts.contract import Kind, Rule, RuleKind

_PARSED = {Kind.DATE: date.fromisoformat, Kind.TIME: time.fromisoformat, Kind.TIMESTAMP: datetime.fromisoformat}
_SIZES = {RuleKind.SHORTEST, RuleKind.LONGEST, RuleKind.FEWEST_ITEMS, RuleKind.MOST_ITEMS}
_TEXTS = {RuleKind.PATTERN, RuleKind.STARTS_WITH, RuleKind.ENDS_WITH}

NO_NUMBER = frozenset({"NA", "N/A", "NaN", "nan", "NULL", "null"})
"""What files write for a number that is missing; the values of a column are read by the same words."""

DOUBLE, SINGLE = 2.0**-50, 2.0**-21
"""A few units in the last place of a float of 64 and of 32 bits: what a value and its step lose by being stored."""


def is_number(value: object) -> bool:
    """Whether it is a number that compares: no truth value, no NaN, nothing beyond the largest float."""
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)
    except OverflowError:
        return False


def is_whole(value: object) -> bool:
    """Whether it is an integer and no truth value."""
    return isinstance(value, int) and not isinstance(value, bool)


def bad_bound(kind: Kind, rule: RuleKind, value: object) -> str | None:
    """What is wrong with the value of a rule on a column of this kind, None where it is right."""
    if rule in _SIZES:
        return None if is_whole(value) and value >= 0 else "must be a whole number from 0"  # type: ignore[operator]
    if rule in _TEXTS:
        return None if isinstance(value, str) else "must be text"
    if rule is RuleKind.MULTIPLE_OF:
        right = is_number(value) and math.isfinite(value) and value > 0  # type: ignore[arg-type, operator]
        return None if right else "must be a number above 0"
    if kind in {Kind.INTEGER, Kind.NUMBER}:
        return None if is_number(value) else "must be a number"
    if kind in _PARSED:
        return None if fits(kind, value) else f"must be a {kind.value} in ISO 8601, in quotes"
    return f"is no bound of a column of type {kind.value}"


def fits(kind: Kind, value: object) -> bool:
    """Whether a value as it is written is one of the kind; of nested kinds nothing is known."""
    if kind is Kind.BOOLEAN:
        return isinstance(value, bool)
    if kind is Kind.INTEGER:
        return is_whole(value) or (isinstance(value, float) and value.is_integer())
    if kind is Kind.NUMBER:
        return is_number(value)
    if kind is Kind.STRING:
        return isinstance(value, str)
    if kind not in _PARSED:
        return True
    try:
        comparable(kind, value)
    except (TypeError, ValueError):
        return False
    return True


def possible(kind: Kind, values: Iterable[Any]) -> tuple[Any, ...]:
    """Of values that must not be, those that a column of the kind can hold: `N/A` is no number to look for."""
    return tuple(value for value in values if value is None or fits(kind, value))


def is_absent(kind: Kind, value: object) -> bool:
    """Whether a value, as it is written, is none of the kind but what is read as null: `NaN` or nothing at all."""
    if kind in {Kind.INTEGER, Kind.NUMBER} and ((isinstance(value, str) and value in NO_NUMBER) or value != value):  # noqa: PLR0124 - NaN
        return True
    return value is None or (value == "" and kind is not Kind.STRING)


def comparable(kind: Kind, value: Any) -> Any:
    """A bound as Python compares it: times in UTC, those without a zone taken for UTC as the standard has it.

    Raises:
        TypeError, ValueError: it is no value of the kind.
    """
    if kind not in _PARSED:
        return value
    if kind is Kind.DATE and len(value) > len("2013-01-01"):
        value = value[:10] if re.fullmatch(r"[T ]00:00(:00(\.0+)?)?Z?", value[10:]) else value
    parsed = _PARSED[kind](value)
    if isinstance(parsed, datetime):
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    return parsed.replace(tzinfo=None) if isinstance(parsed, time) else parsed


def keeps(kind: Kind, rule: Rule, value: Any) -> bool:
    """Whether a value of the kind keeps a rule; what can't be told without an engine counts as kept."""
    limit = rule.value
    if rule.kind in {RuleKind.ONE_OF, RuleKind.NONE_OF}:
        listed = [_plain(kind, one) for one in (limit if isinstance(limit, tuple) else (limit,))]
        return (_plain(kind, value) in listed) is (rule.kind is RuleKind.ONE_OF)
    if rule.kind is RuleKind.MULTIPLE_OF:
        return is_multiple(value, limit)
    if rule.kind in {RuleKind.SHORTEST, RuleKind.LONGEST} and isinstance(value, str):
        return len(value) >= limit if rule.kind is RuleKind.SHORTEST else len(value) <= limit  # type: ignore[operator]
    if rule.kind is RuleKind.STARTS_WITH and isinstance(value, str):
        return value.startswith(str(limit))
    if rule.kind is RuleKind.ENDS_WITH and isinstance(value, str):
        return value.endswith(str(limit))
    if rule.kind is RuleKind.PATTERN and isinstance(value, str):
        return _found(str(limit), value)
    if not rule.kind.is_range:
        return True
    one, other = comparable(kind, value), comparable(kind, limit)
    return bool(
        {
            RuleKind.AT_LEAST: one >= other,
            RuleKind.ABOVE: one > other,
            RuleKind.AT_MOST: one <= other,
            RuleKind.BELOW: one < other,
        }[rule.kind]
    )


def is_multiple(value: Any, step: Any) -> bool:
    """Whether a number is so many whole steps: an integer or decimal exactly, a float up to its own rounding."""
    if isinstance(value, float):
        steps = value / float(step)
        return math.isfinite(steps) and abs(steps - round(steps)) <= DOUBLE * max(1.0, abs(steps))
    return (Fraction(value) / Fraction(Decimal(str(step)))).denominator == 1


def _plain(kind: Kind, value: Any) -> Any:
    """A value of a set in a form in which equal ones are equal; True is not 1."""
    try:
        return (isinstance(value, bool), comparable(kind, value))
    except (TypeError, ValueError):
        return (isinstance(value, bool), value)


def _found(pattern: str, text: str) -> bool:
    """Python's own search stands in for the engine's; where it can't read the pattern nothing is told."""
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return True
