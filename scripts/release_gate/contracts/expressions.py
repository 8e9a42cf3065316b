"""The rules of a contract as Ibis expressions: true where a value keeps the rule, null where there is none to judge."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from fractions import Fraction
from typing import Any

from release_gate.contracts.bounds import DOUBLE, SINGLE
from release_gate.contracts.contract import Kind, Rule, RuleKind
from release_gate.contracts.narrowing import NANOSECONDS
from release_gate.contracts.storage import limits
from release_gate.contracts.values import Expression, Judged
from release_gate.on_demand import ibis

_COMPARED = {
    RuleKind.AT_LEAST: lambda value, bound: value >= bound,
    RuleKind.ABOVE: lambda value, bound: value > bound,
    RuleKind.AT_MOST: lambda value, bound: value <= bound,
    RuleKind.BELOW: lambda value, bound: value < bound,
}
_SEVERAL = {Kind.ARRAY, Kind.VECTOR, Kind.MAP, Kind.OBJECT}
_MOST_DIGITS = Decimal(10) ** 38
_LONGEST = 400
"""Digits of the largest float with as many places as a decimal can have."""
_FIRST_SIXTY_FOUR, _LAST_SIXTY_FOUR = -(2**63), 2**63 - 1


def sense(rule: Rule, judged: Judged) -> None:
    """Refuse a rule that the column's type gives no sense.

    Raises:
        ValueError: the rule makes no sense for the column's type, or its value is none of that type.
    """
    kind, column = rule.kind, judged.column.kind
    if not judged.judgeable:
        raise ValueError("its values are of a type that no rule judges")
    if kind in _COMPARED:
        limit(rule, judged)
    elif kind in {RuleKind.ONE_OF, RuleKind.NONE_OF}:
        if column in _SEVERAL:
            raise ValueError(f"it judges single values, and the column holds {column}")
    elif kind is RuleKind.MULTIPLE_OF:
        if column not in {Kind.INTEGER, Kind.NUMBER}:
            raise ValueError(f"it judges numbers, and the column holds {column}")
    elif kind in {RuleKind.FEWEST_ITEMS, RuleKind.MOST_ITEMS, RuleKind.DISTINCT_ITEMS}:
        if column not in {Kind.ARRAY, Kind.VECTOR}:
            raise ValueError(f"it judges lists, and the column holds {column}")
    elif column is not Kind.STRING:
        raise ValueError(f"it judges text, and the column holds {column}")


def holds(rule: Rule, judged: Judged) -> Expression:
    """Whether a value keeps the rule.

    Raises:
        ValueError: as `sense`, or no engine has a number of so many digits.
    """
    sense(rule, judged)
    value: Any = judged.value
    kind = rule.kind
    if kind in _COMPARED:
        return _compared(rule, limit(rule, judged), judged)
    if kind in {RuleKind.ONE_OF, RuleKind.NONE_OF}:
        return _member(rule, judged, value)
    if kind is RuleKind.MULTIPLE_OF:
        return _multiple(value, rule.value, judged)
    if kind is RuleKind.DISTINCT_ITEMS:
        return value.unique().length() == value.length()
    if kind is RuleKind.PATTERN:
        return value.re_search(str(rule.value))
    if kind is RuleKind.STARTS_WITH:
        return value.startswith(str(rule.value))
    if kind is RuleKind.ENDS_WITH:
        return value.endswith(str(rule.value))
    length, edge = value.length(), rule.value
    if isinstance(edge, int):
        edge = min(max(edge, _FIRST_SIXTY_FOUR), _LAST_SIXTY_FOUR)  # beyond it no length is, and no literal
    return length >= edge if kind in {RuleKind.SHORTEST, RuleKind.FEWEST_ITEMS} else length <= edge


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
            with localcontext(prec=_LONGEST):
                return Decimal(repr(bound)).quantize(step, ROUND_CEILING if up else ROUND_FLOOR)
    return bound


def _compared(rule: Rule, bound: Any, judged: Judged) -> Expression:
    """A bound that the stored type can't hold is kept by every value or by none; an engine would refuse to compare."""
    reach, edge = _reach(judged), _moment(bound)
    if reach is None or reach[0] <= edge <= reach[1]:
        return _COMPARED[rule.kind](judged.value, literal(bound, judged))
    return _constant(judged.value, (edge < reach[0]) is (rule.kind in {RuleKind.AT_LEAST, RuleKind.ABOVE}))


def _constant(value: Expression, kept: bool) -> Expression:
    """Null in, null out: what is missing is judged apart."""
    return ibis.ifelse(value.notnull(), kept, ibis.null("boolean"))


def _reach(judged: Judged) -> tuple[Any, Any] | None:
    """The least and the greatest that a stored type of integers, decimals or nanoseconds holds; None for others."""
    kind = judged.found.type
    if judged.found.text:
        return None
    if judged.found.nanoseconds:
        return NANOSECONDS
    if kind.digits is not None:
        with localcontext(prec=80):
            most = Decimal(10 ** kind.digits[0] - 1).scaleb(-kind.digits[1])
        return most.copy_negate(), most
    return limits(kind.word)


def _moment(value: Any) -> Any:
    """A day as its first moment, so that moments compare with it."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - a day has no zone
    return value


def storable(value: Any, judged: Judged) -> bool:
    """Whether a column holds a value exactly; of floats what they hold nearest is enough."""
    reach = _reach(judged)
    if isinstance(value, date):
        return reach is None or bool(reach[0] <= _moment(value) <= reach[1])
    if isinstance(value, bool) or not isinstance(value, int | float):
        return True
    places = _places(judged)
    if places is None:
        return True
    if not math.isfinite(value) or (Fraction(Decimal(repr(value))) * 10**places).denominator != 1:
        return False
    return reach is None or bool(reach[0] <= value <= reach[1])


def _places(judged: Judged) -> int | None:
    """Digits behind the point that every value of the column has; None for floats and what is no number."""
    if judged.found.text:
        return 0 if judged.column.kind is Kind.INTEGER else None
    if (digits := judged.found.type.digits) is not None:
        return int(digits[1])
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
    if isinstance(value, bool | str | time):
        return ibis.literal(value)
    if isinstance(value, datetime):
        return ibis.literal(value, type="timestamp")
    if isinstance(value, date):
        moments = not judged.found.text and judged.found.kind is Kind.TIMESTAMP
        midnight = datetime(value.year, value.month, value.day)  # noqa: DTZ001 - a day has no zone
        return ibis.literal(midnight, type="timestamp") if moments else ibis.literal(value)
    if judged.found.floating:
        return ibis.literal(float(value), type=judged.found.dtype)
    if judged.found.text and judged.column.kind is Kind.NUMBER:
        return ibis.literal(float(value))
    if isinstance(value, float) and not math.isfinite(value):
        return ibis.literal(value)
    places = _places(judged)
    # A decimal without an end is compared with the number as it is written.
    return _exact(value, _written(value) if places is None else places)


def _written(number: float | Decimal) -> int:
    """Digits behind the point of a number as it is written."""
    exponent = Decimal(repr(number) if isinstance(number, float) else number).as_tuple().exponent
    return max(0, -int(exponent))


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
        if not storable(known, judged):
            continue
        whole = isinstance(known, float) and _places(judged) == 0
        members.append(literal(int(known) if whole else known, judged))
    if not members:
        return _constant(value, rule.kind is RuleKind.NONE_OF)
    return value.isin(members) if rule.kind is RuleKind.ONE_OF else value.notin(members)


def _multiple(value: Expression, step: Any, judged: Judged) -> Expression:
    """Integers and decimals exactly; floats up to their own rounding: 0.3 is a multiple of 0.1."""
    if (places := _places(judged)) is not None:
        # Of numbers with so many places, the multiples of 1/2 are those of 1, and of 3/8 those of 3.
        units = (Fraction(Decimal(repr(step))) * 10**places).numerator
        if units >= _MOST_DIGITS:
            return value == literal(0, judged)
        if places == 0:
            return value % literal(units, judged) == 0
        return value % literal(Decimal(units).scaleb(-places), judged) == 0
    # Ibis rounds to 64 bits, which large numbers don't fit; what is left behind the point does.
    steps = (value.cast("float64") / float(step)).abs()
    beyond = steps % 1
    rounding = SINGLE if not judged.found.text and judged.found.type.word == "float" else DOUBLE
    allowed = ibis.greatest(steps, ibis.literal(1.0)) * rounding
    return ~steps.isinf() & (ibis.least(beyond, 1 - beyond) <= allowed)
