"""Reads the standard's operators (`mustBe`, `mustBeBetween`, …) of a quality rule into what a number may be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from release_gate.contracts.bounds import is_number
from release_gate.contracts.contract import Bounds

_ONE: Mapping[str, Callable[[float], Bounds]] = {
    "mustBe": lambda value: Bounds(value, value),
    "mustNotBe": lambda value: Bounds(value, value, outside=True),
    "mustBeGreaterThan": lambda value: Bounds(least=value, least_excluded=True),
    "mustBeGreaterOrEqualTo": lambda value: Bounds(least=value),
    "mustBeLessThan": lambda value: Bounds(most=value, most_excluded=True),
    "mustBeLessOrEqualTo": lambda value: Bounds(most=value),
}
_BETWEEN = ("mustBeBetween", "mustNotBeBetween")
OPERATORS = (*_ONE, *_BETWEEN)


def bounds(entry: Mapping[str, Any], *, share: bool, counted: bool = True) -> Bounds:
    """The bounds of an entry; both ends of `mustBeBetween` are included.

    `share` says that they are percent, `counted` that they are a number of rows or a part of them, never below 0.

    Raises:
        ValueError: not exactly one operator, a value that is no number, or bounds that nothing or everything keeps.
    """
    given = [key for key in OPERATORS if entry.get(key) is not None]
    if len(given) != 1:
        how = f"it has {', '.join(given)}" if given else f"it has none of {', '.join(OPERATORS)}"
        raise ValueError(f"a rule needs exactly one operator, and {how}")
    (operator,) = given
    read, written = _read(operator, entry[operator]), entry[operator]
    ends = [end for end in (read.least, read.most) if end is not None]
    if counted and share and any(end > 100 for end in ends):
        raise ValueError(f"`{operator}: {written}` is above 100 percent")
    if (
        counted
        and not share
        and any(not float(end).is_integer() for end in ends)
        and operator in {"mustBe", "mustNotBe"}
    ):
        raise ValueError(f"`{operator}: {written}`: rows come in whole numbers")
    if counted and not read.outside and not _possible(read):
        raise ValueError(f"`{operator}: {written}`: no count is below 0")
    return read


def none_allowed(read: Bounds, *, share: bool) -> bool:
    """Whether the bounds say that not one row may be counted."""
    return read.hold(0) and not read.hold(100 if share else 1) and _nothing_between(read, share=share)


def _nothing_between(read: Bounds, *, share: bool) -> bool:
    """A share has values between 0 and any bound above it; a number of rows has none below 1."""
    return not read.hold(1e-9) if share else not any(read.hold(rows) for rows in (1, 2, 10**6, 10**12))


def _possible(read: Bounds) -> bool:
    return read.most is None or read.most > 0 or (read.most == 0 and not read.most_excluded)


def _read(operator: str, value: Any) -> Bounds:
    if operator in _BETWEEN:
        if not (isinstance(value, list) and len(value) == 2 and all(map(is_number, value))):
            raise ValueError(f"`{operator}` takes two numbers, such as [10, 20] (it is {value!r})")
        low, high = value
        if low > high:
            raise ValueError(f"`{operator}: {value}` has its larger number first, so no number is between them")
        return Bounds(low, high, outside=operator == "mustNotBeBetween")
    if isinstance(value, bool) and operator in {"mustBe", "mustNotBe"}:
        value = int(value)
    if not is_number(value):
        raise ValueError(f"`{operator}` takes a number (it is {value!r})")
    return _ONE[operator](value)
