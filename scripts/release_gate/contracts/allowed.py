"""Whether a contract allows a value in a column: rule by rule, for one plain Python value.

Dates and times are compared as `datetime` says; a moment with a zone is compared in UTC, as the scan does it.
"""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal

from release_gate.contracts.bounds import is_multiple
from release_gate.contracts.contract import Bound, Column, Kind, OnNull, Rule, RuleKind

Value = str | int | float | bool | Decimal | dt.date | dt.datetime | dt.time | None
"""What a cell holds: moments without a zone are in UTC where the column has zones."""

TEXT_RULES = frozenset(
    {RuleKind.PATTERN, RuleKind.LONGEST, RuleKind.SHORTEST, RuleKind.STARTS_WITH, RuleKind.ENDS_WITH}
)


def allows(column: Column, value: Value) -> bool:
    """Whether the value may stand in the column; NaN is a missing number.

    Raises:
        ValueError: a bound that is no value of the column's type, or a pattern that RE2 does not read.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return column.policy.on_null is OnNull.KEEP
    return all(_keeps(column.kind, rule, value) for rule in column.rules)


def typed(kind: Kind, bound: Bound | bool) -> Value:
    """A bound as it is written, as a value of the column.

    Raises:
        ValueError: it is none.
    """
    if kind is Kind.DATE:
        return dt.datetime.fromisoformat(str(bound)).date()
    if kind is Kind.TIME:
        return dt.time.fromisoformat(str(bound))
    if kind is Kind.TIMESTAMP:
        moment = dt.datetime.fromisoformat(str(bound))
        return moment if moment.tzinfo is None else moment.astimezone(dt.UTC).replace(tzinfo=None)
    if kind in {Kind.INTEGER, Kind.NUMBER} and isinstance(bound, str):
        return float(bound)
    return bound


def _keeps(kind: Kind, rule: Rule, value: Value) -> bool:
    if rule.kind in {RuleKind.ONE_OF, RuleKind.NONE_OF}:
        written = rule.value if isinstance(rule.value, tuple) else (rule.value,)
        return (value in {typed(kind, one) for one in written}) is (rule.kind is RuleKind.ONE_OF)
    if rule.kind in TEXT_RULES:
        return _text(rule, str(value))
    if rule.kind.is_range:
        return _inside(rule.kind, value, typed(kind, rule.value))  # type: ignore[arg-type] # sets are above
    if rule.kind is RuleKind.MULTIPLE_OF:
        return is_multiple(value, rule.value)
    return False  # rules of lists: no single value keeps or breaks them


def _inside(kind: RuleKind, value: Value, bound: Value) -> bool:
    low, high = (value, bound) if kind in {RuleKind.AT_MOST, RuleKind.BELOW} else (bound, value)
    if kind in {RuleKind.AT_MOST, RuleKind.AT_LEAST}:
        return low <= high  # type: ignore[operator] # both are of the column's type
    return low < high  # type: ignore[operator]


def _text(rule: Rule, value: str) -> bool:
    wanted = str(rule.value)
    if rule.kind is RuleKind.LONGEST:
        return len(value) <= int(wanted)
    if rule.kind is RuleKind.SHORTEST:
        return len(value) >= int(wanted)
    if rule.kind is RuleKind.STARTS_WITH:
        return value.startswith(wanted)
    if rule.kind is RuleKind.ENDS_WITH:
        return value.endswith(wanted)
    return found(wanted, value)


def found(pattern: str, text: str) -> bool:
    """Whether RE2 finds the pattern in the text: `^` and `$` mean the text's ends, as in the standard.

    Raises:
        ValueError: RE2 does not read the pattern.
    """
    import pyarrow as pa  # noqa: PLC0415 - takes 0.1 s, and most columns have no pattern
    import pyarrow.compute as pc  # noqa: PLC0415

    return bool(pc.match_substring_regex(pa.array([text]), pattern)[0].as_py())
