"""What a column's least and greatest value prove of its rules, so that no row need be counted."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from release_gate.contracts.contract import Kind, Rule, RuleKind

_RANGES = {RuleKind.AT_LEAST, RuleKind.ABOVE, RuleKind.AT_MOST, RuleKind.BELOW}


def provable(rule: Rule, kind: Kind) -> bool:
    """Whether the least and the greatest value could prove the rule at all."""
    return kind.ordered and rule.kind in _RANGES


def proven(rule: Rule, bound: Any, least: Any, most: Any) -> bool:
    """Whether no value from `least` to `most` breaks the rule; None for both where there is no value.

    `bound` is the rule's own as a value of the column's type (`expressions.limit`). Where the values can't be
    compared nothing is proven, and rows are counted.
    """
    if least is None or most is None:
        return least is most
    try:
        low, high, edge = _comparable(least), _comparable(most), _comparable(bound)
        if rule.kind is RuleKind.AT_LEAST:
            return bool(low >= edge)
        if rule.kind is RuleKind.ABOVE:
            return bool(low > edge)
        if rule.kind is RuleKind.AT_MOST:
            return bool(high <= edge)
        return rule.kind is RuleKind.BELOW and bool(high < edge)
    except (TypeError, ValueError):
        return False


def _comparable(value: Any) -> Any:
    """Numbers exactly (a decimal as it is written), moments in UTC without zone."""
    if isinstance(value, float):
        if math.isnan(value):
            raise ValueError("NaN is neither least nor greatest")
        return value if math.isinf(value) else Decimal(repr(value))
    if isinstance(value, datetime):
        return value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - a day has no zone
    return value
