"""The rules of a contract as Ibis expressions: true where a value keeps the rule, null where there is none to judge."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from typing import Any

import ibis

from release_gate.contracts.contract import Kind, Rule, RuleKind
from release_gate.contracts.values import Expression, Judged

_COMPARED = {
    RuleKind.AT_LEAST: lambda value, bound: value >= bound,
    RuleKind.ABOVE: lambda value, bound: value > bound,
    RuleKind.AT_MOST: lambda value, bound: value <= bound,
    RuleKind.BELOW: lambda value, bound: value < bound,
}
_MOST_DIGITS = Decimal(10) ** 38
_CLOSE = 1e-9
_FIRST_SIXTY_FOUR, _LAST_SIXTY_FOUR = -(2**63), 2**63 - 1


def holds(rule: Rule, judged: Judged) -> Expression:
    """Whether a value keeps the rule.

    Raises:
        ValueError: the rule makes no sense for the column's type, or its value is none of that type.
    """
    value, kind = judged.value, rule.kind
    if value is None:
        raise ValueError("its values are of a type that no rule judges")
    if kind in _COMPARED:
        return _COMPARED[kind](value, literal(limit(rule, judged), judged))
    if kind in {RuleKind.ONE_OF, RuleKind.NONE_OF}:
        return _member(rule, judged, value)
    if kind is RuleKind.MULTIPLE_OF:
        return _multiple(value, rule.value, judged)
    if kind in {RuleKind.FEWEST_ITEMS, RuleKind.MOST_ITEMS, RuleKind.DISTINCT_ITEMS}:
        return _items(rule, judged, value)
    if judged.column.kind is not Kind.STRING:
        raise ValueError(f"it judges text, and the column holds {judged.column.kind}")
    if kind is RuleKind.PATTERN:
        return value.re_search(str(rule.value))
    if kind is RuleKind.STARTS_WITH:
        return value.startswith(str(rule.value))
    if kind is RuleKind.ENDS_WITH:
        return value.endswith(str(rule.value))
    length = value.length()
    return length >= rule.value if kind is RuleKind.SHORTEST else length <= rule.value


def limit(rule: Rule, judged: Judged) -> Any:
    """The bound of a rule as a value of the column's own type, such that comparing with it is exact.

    A bound is turned into the next value that the column can hold: as floats, large integers would be equal.
    """
    bound = typed(rule.value, judged.column.kind)
    up = rule.kind in {RuleKind.AT_LEAST, RuleKind.BELOW}
    if isinstance(bound, int | float) and math.isfinite(bound):
        places = _places(judged)
        if places == 0 and isinstance(bound, float):
            return math.ceil(bound) if up else math.floor(bound)
        if places:
            step = Decimal(1).scaleb(-places)
            with localcontext(prec=80):
                return Decimal(repr(bound)).quantize(step, ROUND_CEILING if up else ROUND_FLOOR)
    return bound


def storable(value: Any, judged: Judged) -> bool:
    """Whether a column holds a value exactly; of floats what they hold nearest is enough."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return True
    places = _places(judged)
    if places is None:
        return True
    if not math.isfinite(value) or round(Decimal(repr(value)), places) != Decimal(repr(value)):
        return False
    dtype = judged.found.dtype
    if judged.found.text or not dtype.is_integer():
        return True
    bits = 8 * dtype.nbytes
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if dtype.is_signed_integer() else (0, 2**bits - 1)
    return bool(low <= value <= high)


def _places(judged: Judged) -> int | None:
    """Digits behind the point that every value of the column has; None for floats and what is no number."""
    if judged.found.text:
        return 0 if judged.column.kind is Kind.INTEGER else None
    if judged.found.dtype.is_decimal():
        return int(judged.found.dtype.scale)
    return 0 if judged.found.whole else None


def typed(value: Any, kind: Kind) -> Any:
    """A written bound as a Python value of a logical type; moments in UTC without zone.

    Raises:
        ValueError: it is none.
    """
    if kind is Kind.BOOLEAN:
        if isinstance(value, bool):
            return value
    elif kind in {Kind.INTEGER, Kind.NUMBER}:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value
    elif kind is Kind.DATE:
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        return datetime.fromisoformat(str(value)).date()
    elif kind is Kind.TIMESTAMP:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
    elif kind is Kind.TIME:
        return value if isinstance(value, time) else time.fromisoformat(str(value))
    elif isinstance(value, str):
        return value
    raise ValueError(f"{value!r} is no {kind}")


def literal(value: Any, judged: Judged) -> Expression:
    """A value as a literal of the column's type, so that the engine compares without losing digits.

    Raises:
        ValueError: no engine has a number of so many digits.
    """
    dtype = judged.found.dtype
    if isinstance(value, bool | str | time):
        return ibis.literal(value)
    if isinstance(value, datetime):
        return ibis.literal(value, type="timestamp")
    if isinstance(value, date):
        moments = not judged.found.text and judged.found.kind is Kind.TIMESTAMP
        midnight = datetime(value.year, value.month, value.day)  # noqa: DTZ001 - a day has no zone
        return ibis.literal(midnight, type="timestamp") if moments else ibis.literal(value)
    if judged.found.floating:
        return ibis.literal(float(value), type=dtype)
    if judged.found.text and judged.column.kind is Kind.NUMBER:
        return ibis.literal(float(value))
    if isinstance(value, float) and not math.isfinite(value):
        return ibis.literal(value)
    return _exact(value, _places(judged) or 0)


def _exact(value: float | Decimal, places: int) -> Expression:
    """An integer of 64 bits, or a decimal of as many places as the column's."""
    if isinstance(value, int) and places == 0 and _FIRST_SIXTY_FOUR <= value <= _LAST_SIXTY_FOUR:
        return ibis.literal(value)
    number = value if isinstance(value, Decimal) else Decimal(repr(value))
    with localcontext(prec=80):
        if abs(number).scaleb(places) >= _MOST_DIGITS:
            raise ValueError(f"{value} has more than 38 digits")
        return ibis.literal(number.quantize(Decimal(1).scaleb(-places)), type=f"decimal(38, {places})")


def _member(rule: Rule, judged: Judged, value: Expression) -> Expression:
    """Values of another type, or finer than the column, are in no set: 1 is not the word `1`."""
    members = []
    for one in rule.value if isinstance(rule.value, tuple) else (rule.value,):
        try:
            known = typed(one, judged.column.kind)
        except ValueError:
            continue
        places = _places(judged)
        if (
            isinstance(known, float)
            and places is not None
            and round(Decimal(repr(known)), places) != Decimal(repr(known))
        ):
            continue  # the column can't hold it
        whole = isinstance(known, float) and places == 0
        members.append(literal(int(known) if whole else known, judged))
    if not members:
        # Null in, null out: what is missing is judged apart.
        return ibis.ifelse(value.notnull(), rule.kind is RuleKind.NONE_OF, ibis.null("boolean"))
    return value.isin(members) if rule.kind is RuleKind.ONE_OF else value.notin(members)


def _multiple(value: Expression, step: Any, judged: Judged) -> Expression:
    """Multiples up to rounding: 0.3 is a multiple of 0.1; of integers exactly."""
    if judged.column.kind not in {Kind.INTEGER, Kind.NUMBER}:
        raise ValueError(f"it judges numbers, and the column holds {judged.column.kind}")
    if isinstance(step, int) and (judged.found.whole or (judged.found.text and judged.column.kind is Kind.INTEGER)):
        return value % step == 0
    # Ibis rounds to 64 bits, which large numbers don't fit; what is left behind the point does.
    steps = (value.cast("float64") / float(step)).abs()
    beyond = steps % 1
    allowed = ibis.greatest(steps, ibis.literal(1.0)) * _CLOSE
    return ~steps.isinf() & (ibis.least(beyond, 1 - beyond) <= allowed)


def _items(rule: Rule, judged: Judged, value: Expression) -> Expression:
    if judged.column.kind not in {Kind.ARRAY, Kind.VECTOR}:
        raise ValueError(f"it judges lists, and the column holds {judged.column.kind}")
    if rule.kind is RuleKind.DISTINCT_ITEMS:
        return value.unique().length() == value.length()
    return value.length() >= rule.value if rule.kind is RuleKind.FEWEST_ITEMS else value.length() <= rule.value
