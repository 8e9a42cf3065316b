"""DuckDB's words for types: plain ones are known here, what is nested or rare is read by Ibis."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from types import ModuleType
from typing import Any

from release_gate.contracts.contract import Kind
from release_gate.contracts.found import Type, described
from release_gate.tables.relation import Unanswered

PLAIN = {
    **{f"{sign}{word}": (Kind.INTEGER, f"{sign.lower()}int{bits}")
       for sign in ("", "U") for word, bits in (("TINYINT", 8), ("SMALLINT", 16), ("INTEGER", 32), ("BIGINT", 64))},
    "FLOAT": (Kind.NUMBER, "float"),
    "DOUBLE": (Kind.NUMBER, "double"),
    "BOOLEAN": (Kind.BOOLEAN, "bool"),
    "VARCHAR": (Kind.STRING, "string"),
    "UUID": (Kind.STRING, "uuid"),
    "DATE": (Kind.DATE, "date32[day]"),
    "TIME": (Kind.TIME, "time64[us]"),
    "TIMESTAMP_S": (Kind.TIMESTAMP, "timestamp[s]"),
    "TIMESTAMP_MS": (Kind.TIMESTAMP, "timestamp[ms]"),
    "TIMESTAMP": (Kind.TIMESTAMP, "timestamp[us]"),
    "TIMESTAMP_NS": (Kind.TIMESTAMP, "timestamp[ns]"),
    "BLOB": (None, "binary"),
}  # fmt: skip
"""Logical type and Arrow's word by DuckDB's."""
ZONED = "TIMESTAMP WITH TIME ZONE"
_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")


def compiled() -> ModuleType:
    """What speaks Ibis, imported when something has to be compiled."""
    from release_gate.tables import compiled as module  # noqa: PLC0415 - Ibis, which many a table does not need

    return module


def type_of(word: str) -> Type:
    """The type that DuckDB calls by this word.

    Raises:
        Unanswered: it is nested too deep.
    """
    make = partial(_ibis, word)
    if word in PLAIN:
        return Type(*PLAIN[word], make)
    if word == ZONED:
        return Type(Kind.TIMESTAMP, "timestamp[us, tz=UTC]", make, zone="UTC")
    if match := _DECIMAL.fullmatch(word):
        digits = int(match[1]), int(match[2])
        kind = Kind.INTEGER if digits == (38, 0) else Kind.NUMBER
        return Type(kind, f"decimal128({digits[0]}, {digits[1]})", make, digits)
    made = described(make())
    return replace(made, word=word.lower()) if made.word.startswith("unknown(") else made


def _ibis(word: str) -> Any:
    try:
        return compiled().dtype_of(word)
    except RecursionError as error:
        raise Unanswered("its values are nested too deep", unreadable=True) from error
