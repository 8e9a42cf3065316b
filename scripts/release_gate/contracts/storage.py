"""Names of exact types (Arrow's, pandas', numpy's) and the logical type that each one stores."""

from __future__ import annotations

import re

from release_gate.contracts.contract import Kind

SEVERAL = frozenset({Kind.INTEGER, Kind.NUMBER, Kind.TIMESTAMP, Kind.TIME})
"""Logical types with several exact ones that differ in what they can hold."""

_ALIASES = {
    "boolean": "bool",
    "float64": "double",
    "float32": "float",
    "float16": "halffloat",
    "date": "date32[day]",
    "date32": "date32[day]",
    "date64": "date64[ms]",
    "str": "string",
    "object": "string",
    "utf8": "string",
    "large_string": "string",
    "string[python]": "string",
    "string[pyarrow_numpy]": "string",
}
_KINDS = {
    **{f"{sign}int{bits}": Kind.INTEGER for sign in ("", "u") for bits in (8, 16, 32, 64)},
    "halffloat": Kind.NUMBER,
    "float": Kind.NUMBER,
    "double": Kind.NUMBER,
    "bool": Kind.BOOLEAN,
    "string": Kind.STRING,
    "date32[day]": Kind.DATE,
    "date64[ms]": Kind.DATE,
}
_PARAMETERS = {"timestamp": Kind.TIMESTAMP, "time32": Kind.TIME, "time64": Kind.TIME, "decimal128": Kind.NUMBER}
_DATETIME = re.compile(r"datetime64\[(s|ms|us|ns)(?:,\s*(?:tz=)?(\S+))?\]")
_POLARS = re.compile(r"Datetime\(time_unit='(ms|us|ns)', time_zone=(?:None|'([^']+)')\)")


def exact(name: str) -> str | None:
    """The one spelling of an exact type (Arrow's own), or None for a name we don't know, such as `VARCHAR(20)`.

    `float` is not taken: it is 32 bits to Arrow and 64 to Python and SQL.
    """
    name = name.strip().removesuffix("[pyarrow]")
    word = name.lower()
    if word == "float":
        return None
    if match := _DATETIME.fullmatch(name) or _POLARS.fullmatch(name):
        return f"timestamp[{match[1]}, tz={match[2]}]" if match[2] else f"timestamp[{match[1]}]"
    if (match := re.fullmatch(r"(timestamp|time32|time64)\[(s|ms|us|ns)(?:,\s*tz=(\S+))?\]", name)) is not None:
        return f"{match[1]}[{match[2]}, tz={match[3]}]" if match[3] else f"{match[1]}[{match[2]}]"
    if match := re.fullmatch(r"decimal(?:128)?\((\d+),\s*(\d+)\)", word):
        return f"decimal128({match[1]}, {match[2]})"
    word = _ALIASES.get(word, word)
    return word if word in _KINDS else None


def kind(name: str) -> Kind | None:
    """The logical type that an exact type stores, None where it is not known."""
    spelled = exact(name)
    if spelled is None:
        return None
    return _KINDS.get(spelled) or _PARAMETERS[re.split(r"[\[(]", spelled)[0]]


def limits(name: str | None) -> tuple[int, int] | None:
    """The least and the greatest value of an exact type of integers, None for any other type."""
    match = re.fullmatch(r"(u?)int(8|16|32|64)", name or "")
    if match is None:
        return None
    bits = int(match[2])
    return (0, 2**bits - 1) if match[1] else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
