"""What a table turned out to hold, free of the engine that holds it: columns in order, each with its exact type."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from release_gate.contracts.contract import Kind

_SMALL = {
    "Float16": (Kind.NUMBER, "halffloat"),
    "Float32": (Kind.NUMBER, "float"),
    "Float64": (Kind.NUMBER, "double"),
    "Boolean": (Kind.BOOLEAN, "bool"),
    "String": (Kind.STRING, "string"),
    "UUID": (Kind.STRING, "uuid"),
    "Date": (Kind.DATE, "date32[day]"),
    "Time": (Kind.TIME, "time64[us]"),
    "Map": (Kind.MAP, "map"),
    "Struct": (Kind.OBJECT, "struct"),
    "JSON": (Kind.OBJECT, "json"),
    "Binary": (None, "binary"),
    "Null": (None, "null"),
}
_MOMENTS = {Kind.DATE, Kind.TIMESTAMP, Kind.TIME}
_UNITS = {0: "s", 3: "ms", 6: "us", 9: "ns"}


@dataclass(frozen=True)
class Found:
    """One column of a table: `name` as people know it, `held` as the engine's table calls it.

    Attributes:
        dtype: the Ibis data type.
        kind: its logical type; None for one that no contract describes (binary, intervals).
        storage: the exact type in Arrow's words, such as `int64` or `timestamp[us]`.
        text: whether all is text that only the contract can read, as in CSV.
        sure: whether it is known to hold no NaN.
        loose: whether it is text of a format without moments, of which those are read that the contract promises.
    """

    name: str
    held: str
    dtype: Any
    kind: Kind | None
    storage: str
    text: bool = False
    sure: bool = False
    loose: bool = False

    @property
    def floating(self) -> bool:
        """Whether it holds floating-point numbers."""
        return bool(self.dtype.is_floating())

    @property
    def uncertain(self) -> bool:
        """Whether a value may be NaN, which counts as missing."""
        return self.floating and not self.sure

    @property
    def whole(self) -> bool:
        """Whether every value is an integer by its type."""
        return bool(self.dtype.is_integer()) or (bool(self.dtype.is_decimal()) and self.dtype.scale == 0)


def found(name: str, held: str, dtype: Any, storage: str | None = None, *, text: bool = False) -> Found:
    """A column by its Ibis type; `storage` says the exact type where the engine's own is wider than the file's."""
    kind, spelled = described(dtype)
    if storage == "null":
        kind = None
    return Found(name, held, dtype, kind, "text" if text else storage or spelled, text)


def declared(one: Found, kind: Kind) -> Found:
    """A column as a contract that promises this type reads it."""
    return replace(one, text=True, storage="text") if one.loose and kind in _MOMENTS else one


def described(dtype: Any) -> tuple[Kind | None, str]:
    """The logical type and the exact one (Arrow's words) of an Ibis data type."""
    if dtype.is_integer():
        return Kind.INTEGER, type(dtype).__name__.lower()
    if dtype.is_decimal():
        # 38 digits and no fraction is how engines hold integers beyond 64 bits.
        kind = Kind.INTEGER if dtype.scale == 0 and dtype.precision == 38 else Kind.NUMBER
        return kind, f"decimal128({dtype.precision}, {dtype.scale})"
    if dtype.is_timestamp():
        unit = _UNITS.get(6 if dtype.scale is None else dtype.scale, "us")
        return Kind.TIMESTAMP, f"timestamp[{unit}, tz={dtype.timezone}]" if dtype.timezone else f"timestamp[{unit}]"
    if dtype.is_array():
        return (Kind.VECTOR if dtype.length else Kind.ARRAY), "list"
    return _SMALL.get(type(dtype).__name__, (None, str(dtype)))
