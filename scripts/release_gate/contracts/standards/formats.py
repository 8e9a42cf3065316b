"""What the standard's `format` demands of values: texts by pattern, integers by size, times in ISO 8601."""

from __future__ import annotations

import re

from release_gate.contracts.contract import Kind, Rule, RuleKind

_HEX = "[0-9A-Fa-f]"
_GROUP = f"{_HEX}{{1,4}}"
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = rf"{_OCTET}(?:\.{_OCTET}){{3}}"
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_LAST = f"(?:{_GROUP}:{_GROUP}|{_IPV4})"
"""The last 32 bits of an IPv6 address (RFC 4291, 2.2)."""
_IPV6 = "|".join(
    [
        f"(?:{_GROUP}:){{6}}{_LAST}",
        f"::(?:{_GROUP}:){{5}}{_LAST}",
        *(
            f"(?:(?:{_GROUP}:){{0,{before}}}{_GROUP})?::(?:{_GROUP}:){{{after}}}{_LAST}"
            for before, after in ((0, 4), (1, 3), (2, 2), (3, 1), (4, 0))
        ),
        f"(?:(?:{_GROUP}:){{0,5}}{_GROUP})?::{_GROUP}",
        f"(?:(?:{_GROUP}:){{0,6}}{_GROUP})?::",
    ]
)
_PATTERNS = {
    "email": rf"^[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{_LABEL}(?:\.{_LABEL})*$",
    "uuid": f"^{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}$",
    "uri": r"^[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+$",
    "hostname": rf"^{_LABEL}(?:\.{_LABEL})*$",
    "ipv4": f"^{_IPV4}$",
    "ipv6": f"^(?:{_IPV6})$",
    "byte": r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
}
_FREE = frozenset({"password", "binary"})
"""Formats that say what a text is for, and nothing of its letters."""
_ISO = re.compile(r"[yu]{4}-MM-dd(?:(?:'T'|T| )HH:mm(?::ss(?:\.S{1,9})?)?)?\s?(?:Z|X{1,3}|x{1,3}|VV|'Z')?")
_ISO_TIME = re.compile(r"HH:mm(?::ss(?:\.S{1,9})?)?\s?(?:Z|X{1,3}|x{1,3}|'Z')?")
_SIZES = {
    **{f"i{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64, 128)},
    **{f"u{bits}": (0, 2**bits - 1) for bits in (8, 16, 32, 64, 128)},
}
_FLOATS = {"f32": "float", "f64": "double"}
KNOWN = {
    Kind.STRING: sorted({*_PATTERNS, *_FREE}),
    Kind.INTEGER: list(_SIZES),
    Kind.NUMBER: list(_FLOATS),
    Kind.DATE: ["yyyy-MM-dd"],
    Kind.TIMESTAMP: ["yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ssXXX"],
    Kind.TIME: ["HH:mm", "HH:mm:ss"],
}
"""Formats that are judged, for messages; of dates and times every one that ISO 8601 reads."""


def demanded(kind: Kind, format_: str) -> list[Rule] | None:
    """The rules that a format stands for, none where it says nothing of the value; None for one that is not judged."""
    if kind is Kind.STRING:
        if format_ in _FREE:
            return []
        return [Rule(RuleKind.PATTERN, _PATTERNS[format_])] if format_ in _PATTERNS else None
    if kind is Kind.INTEGER and format_ in _SIZES:
        least, most = _SIZES[format_]
        # Nothing that is read here is wider than 64 bits, so a bound of 128 demands nothing but the sign.
        rules = [Rule(RuleKind.AT_LEAST, least)] if least > -(2**64) else []
        return [*rules, *([Rule(RuleKind.AT_MOST, most)] if most < 2**64 else [])]
    if kind is Kind.NUMBER and format_ in _FLOATS:
        return []
    if kind in {Kind.DATE, Kind.TIMESTAMP} and _ISO.fullmatch(format_):
        return []
    return [] if kind is Kind.TIME and _ISO_TIME.fullmatch(format_) else None


def stored(kind: Kind, format_: str) -> str | None:
    """The exact type that a format of numbers names, in Arrow's words."""
    return _FLOATS.get(format_) if kind is Kind.NUMBER else None


def secret(kind: Kind, format_: str) -> bool:
    """Whether the format says that nobody should see the values."""
    return kind is Kind.STRING and format_ == "password"
