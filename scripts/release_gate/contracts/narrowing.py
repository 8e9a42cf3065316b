"""Values that a promised exact type could not hold: too large for it, or finer than its unit."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Any

from release_gate.contracts.bounds import DOUBLE
from release_gate.contracts.storage import limits
from release_gate.on_demand import ibis

Expression = Any

NANOSECONDS = (
    datetime(1677, 9, 21, 0, 12, 43, 145225),  # noqa: DTZ001 - UTC, as every moment here
    datetime(2262, 4, 11, 23, 47, 16, 854775),  # noqa: DTZ001
)
"""The first and the last microsecond that 64 bits of nanoseconds hold."""
_OVERFLOWS = {"float": 2.0**128 - 2.0**103, "halffloat": 65520.0}
"""From here on a number becomes infinite (IEEE 754, rounding to nearest)."""
_DIGITS = {"s": 0, "ms": 3, "us": 6, "ns": 9}


def unfit(promised: str, value: Expression) -> Expression | None:
    """Whether a value is none of the promised exact type; None where each one is, or nothing can tell."""
    if value.type().is_decimal() and value.type().precision is None:
        return None  # of databases whose numbers have no end
    if (ends := limits(promised)) is not None:
        return _outside(value, *ends)
    if match := re.fullmatch(r"decimal128\((\d+), (\d+)\)", promised):
        return _no_decimal(value, int(match[1]), int(match[2]))
    if promised in _OVERFLOWS:
        size = value.cast("float64").abs()
        return (size >= _OVERFLOWS[promised]) & ~size.isinf()
    if match := re.match(r"(timestamp|time32|time64)\[(s|ms|us|ns)", promised):
        return _finer(value, _DIGITS[match[2]])
    return None


def _outside(value: Expression, low: int, high: int) -> Expression | None:
    """Beyond two integers, as far as the stored type goes beyond them at all."""
    least, most = _reach(value.type())
    below = [value < _literal(value, low)] if least < low else []
    # With the integer above, since as a float the largest one of 64 bits would be it.
    return _any([*below, value >= _literal(value, high + 1)] if most > high else below)


def _no_decimal(value: Expression, precision: int, scale: int) -> Expression | None:
    edge, dtype = 10 ** (precision - scale), value.type()
    least, most = _reach(dtype)
    found = [value >= _literal(value, edge)] if most >= edge else []
    if least <= -edge:
        found.append(value <= _literal(value, -edge))
    if dtype.is_decimal() and dtype.scale > scale:
        unit = ibis.literal(Decimal(1).scaleb(-scale), type=f"decimal(38, {dtype.scale})")
        found.append(value % unit != 0)
    elif dtype.is_floating():
        units = value.cast("float64").abs() * float(10**scale)
        beyond = units % 1
        found.append(ibis.least(beyond, 1 - beyond) > ibis.greatest(units, ibis.literal(1.0)) * DOUBLE)
    return _any(found)


def _finer(value: Expression, digits: int) -> Expression | None:
    dtype = value.type()
    found = [value.microsecond() % 10 ** (6 - digits) != 0] if digits < 6 else []
    if dtype.is_timestamp() and digits < 9 and dtype.scale == 9:
        found.append(value != value.cast("timestamp(6)"))
    elif dtype.is_timestamp() and digits == 9 and dtype.scale != 9:
        first, last = (ibis.literal(end, type="timestamp") for end in NANOSECONDS)
        found += [value < first, value > last]
    return _any(found)


def _reach(dtype: Any) -> tuple[float, float]:
    """About how far the stored type goes: exactly for integers."""
    if dtype.is_integer():
        bits = 8 * dtype.nbytes
        return (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if dtype.is_signed_integer() else (0, 2**bits - 1)
    if dtype.is_decimal():
        # The digits before the point are as many as a literal of the same scale can have.
        most = 10 ** (dtype.precision - dtype.scale) - 1
        return -most, most
    return float("-inf"), float("inf")


def _literal(value: Expression, number: int) -> Expression:
    dtype = value.type()
    if dtype.is_floating():
        return ibis.literal(float(number), type="float64")
    if dtype.is_decimal():
        return ibis.literal(Decimal(number), type=f"decimal(38, {dtype.scale})")
    if number >= 2**63:
        return ibis.literal(Decimal(number), type="decimal(38, 0)")
    return ibis.literal(number)


def _any(conditions: Iterable[Expression]) -> Expression | None:
    """Whether one of them is true; None where there is none."""
    found = list(conditions)
    return reduce(or_, found) if found else None
