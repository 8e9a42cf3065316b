"""How tight a bound is: which of two bounds, however they are written, lets less through."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

from release_gate.contracts.contract import Kind, Rule, RuleKind

_OPEN = {RuleKind.ABOVE, RuleKind.BELOW}
_TIMES: dict[Kind, Callable[[str], Any]] = {
    Kind.DATE: date.fromisoformat,
    Kind.TIMESTAMP: datetime.fromisoformat,
    Kind.TIME: time.fromisoformat,
}


class Tightness:
    """How tight a bound is; a bound of another type than the other can't be ordered (TypeError)."""

    def __init__(self, value: Any, *, is_open: bool, upper: bool) -> None:
        self.value, self.is_open, self.upper = value, is_open, upper

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tightness) and (self.value, self.is_open) == (other.value, other.is_open)

    def __hash__(self) -> int:
        return hash((self.value, self.is_open))

    def __gt__(self, other: Tightness) -> bool:
        if self.value == other.value:
            return self.is_open and not other.is_open
        inwards = self.value < other.value if self.upper else self.value > other.value
        return bool(inwards)


def tightness(rule: Rule, kind: Kind, *, upper: bool) -> Tightness:
    """How tight a rule that is a bound is, for a column of this type.

    Raises:
        ValueError: a bound of a time that is none.
    """
    value: Any = rule.value
    is_open = rule.kind in _OPEN
    if isinstance(value, str) and kind in _TIMES:
        value = _TIMES[kind](value)
    if kind is Kind.INTEGER and isinstance(value, int | float) and math.isfinite(value):
        # Among whole numbers `above 0` and `at least 1` are the same.
        whole = math.floor(value) if upper else math.ceil(value)
        step = -1 if upper else 1
        return Tightness(whole + step * (is_open and whole == value), is_open=False, upper=upper)
    return Tightness(value, is_open=is_open, upper=upper)
