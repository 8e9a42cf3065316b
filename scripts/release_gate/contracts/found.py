"""What a table turned out to hold, free of the engine that holds it: columns in order, each with its exact type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from release_gate.contracts.contract import Kind
from release_gate.contracts.storage import limits

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
MOMENTS = {Kind.DATE, Kind.TIMESTAMP, Kind.TIME}
_FLOATING = {"halffloat", "float", "double"}
_UNITS = {0: "s", 3: "ms", 6: "us", 9: "ns"}


@dataclass(frozen=True)
class Type:
    """What an engine holds a column as.

    Attributes:
        kind: its logical type; None for one that no contract describes (binary, intervals).
        word: the exact type in Arrow's words, such as `int64` or `timestamp[us]`.
        ibis: makes the Ibis data type, which only expressions need.
        digits: of a decimal all digits, and those behind the point; None where a database sets them no end.
        zone: of moments the time zone, where they have one.
    """

    kind: Kind | None
    word: str
    ibis: Callable[[], Any] = field(repr=False, compare=False)
    digits: tuple[int, int] | None = None
    zone: str | None = None


@dataclass(frozen=True)
class Found:
    """One column of a table: `name` as people know it, `held` as the engine's table calls it.

    Attributes:
        type: what the engine holds it as.
        kind: its logical type; None for one that no contract describes (binary, intervals).
        storage: the exact type in Arrow's words: the file's own, where the engine holds it wider; `text` for such.
        text: whether all is text that only the contract can read, as in CSV.
        sure: whether it is known to hold no NaN.
        loose: whether it is text of a format without moments, of which those are read that the contract promises.
    """

    name: str
    held: str
    type: Type
    kind: Kind | None
    storage: str
    text: bool = False
    sure: bool = False
    loose: bool = False

    @property
    def dtype(self) -> Any:
        """The Ibis data type."""
        return self.type.ibis()

    @property
    def floating(self) -> bool:
        """Whether it holds floating-point numbers."""
        return self.type.word in _FLOATING

    @property
    def uncertain(self) -> bool:
        """Whether a value may be NaN, which counts as missing."""
        return self.floating and not self.sure

    @property
    def whole(self) -> bool:
        """Whether every value is an integer by its type."""
        return limits(self.type.word) is not None or (self.type.digits is not None and self.type.digits[1] == 0)

    @property
    def nanoseconds(self) -> bool:
        """Whether it holds moments of 64 bits of nanoseconds."""
        return self.type.word.startswith("timestamp[ns")


def found(name: str, held: str, given: Type, storage: str | None = None, *, text: bool = False) -> Found:
    """A column by its type; `storage` says the exact type where the engine's own is wider than the file's."""
    kind = None if storage == "null" else given.kind
    return Found(name, held, given, kind, "text" if text else storage or given.word, text)


def declared(one: Found, kind: Kind) -> Found:
    """A column as a contract that promises this type reads it."""
    return replace(one, text=True, storage="text") if one.loose and kind in MOMENTS else one


def described(dtype: Any) -> Type:
    """The type that an Ibis data type is."""

    def same() -> Any:
        return dtype

    if dtype.is_integer():
        return Type(Kind.INTEGER, type(dtype).__name__.lower(), same)
    if dtype.is_decimal():
        # 38 digits and no fraction is how engines hold integers beyond 64 bits.
        kind = Kind.INTEGER if dtype.scale == 0 and dtype.precision == 38 else Kind.NUMBER
        endless = dtype.precision is None or dtype.scale is None
        digits = None if endless else (dtype.precision, dtype.scale)
        return Type(kind, f"decimal128({dtype.precision}, {dtype.scale})", same, digits)
    if dtype.is_timestamp():
        unit, zone = _UNITS.get(6 if dtype.scale is None else dtype.scale, "us"), dtype.timezone
        return Type(Kind.TIMESTAMP, f"timestamp[{unit}, tz={zone}]" if zone else f"timestamp[{unit}]", same, zone=zone)
    if dtype.is_array():
        return Type(Kind.VECTOR if dtype.length else Kind.ARRAY, "list", same)
    return Type(*_SMALL.get(type(dtype).__name__, (None, str(dtype))), same)
