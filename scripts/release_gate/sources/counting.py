"""What a source wrote, held to be totals of known versions: each total a whole number, each version named once."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

from pydantic import ValidationError

from release_gate.counts import Counts
from release_gate.sources.asking import Asked, shown

_HEX = re.compile(r"(?:sha256:)?([0-9a-f]{8,64})")
T = TypeVar("T")
LARGEST = 10**15
NAMED = 5
"""How many of the names a source knows are told."""


def total(value: object, asked: Asked, version: str) -> int:
    """A total: a whole number, 0 or more; sums of floats may be off by their rounding.

    Raises:
        CannotJudge: `source-number`.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise asked.refused("source-number", f"{version} has {shown(value)}, which is no number")
    if not math.isfinite(value) or value < 0 or value > LARGEST:
        raise asked.refused("source-number", f"{version} has {value}, which is no count of answers")
    whole = round(value)
    if abs(value - whole) > 1e-6:
        raise asked.refused("source-number", f"{version} has {value}, which is not whole: that is no running total")
    return whole


def by_version(named: Iterable[tuple[str, T]], versions: Collection[str], asked: Asked) -> dict[str, T]:
    """What belongs to each of the versions, which may be named by the first 8 or more digits of their digest.

    Raises:
        CannotJudge: `source-version-twice`, `source-version-ambiguous`.
    """
    found: dict[str, T] = {}
    for name, content in named:
        start = _HEX.fullmatch(name.strip().lower())
        fits = [one for one in versions if start and one.removeprefix("sha256:").startswith(start[1])]
        if len(fits) > 1:
            raise asked.refused("source-version-ambiguous", f"{name[:80]!r} may be {' or '.join(sorted(fits))}")
        for version in fits:
            if version in found:
                raise asked.refused("source-version-twice", f"several totals are named {version}")
            found[version] = content
    return found


def none_known(names: Iterable[str], versions: Collection[str], asked: Asked, how: str) -> Exception:
    """The refusal of a source that knows no version asked for; `how` says what it should name them by."""
    known = list(dict.fromkeys(names))
    some = ", ".join(repr(name[:80]) for name in known[:NAMED]) + (" …" if len(known) > NAMED else "")
    there = f"it names {some}" if known else "it names none"
    return asked.refused(
        "source-version-missing", f"none of {', '.join(sorted(versions))} is known there: {there} ({how})"
    )


def counts(totals: Mapping[str, int], asked: Asked, version: str) -> Counts:
    """The totals of a version together.

    Raises:
        CannotJudge: `source-inconsistent`.
    """
    try:
        return Counts.model_validate(totals)
    except ValidationError as error:
        told = ", ".join(f"{name} {value}" for name, value in totals.items())
        raise asked.refused("source-inconsistent", f"{version} has {told}") from error
