"""Failing rows in words: where to look, and what stands there."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from urllib.parse import unquote

from release_gate.contracts.counts import Example
from release_gate.verdict import Scalar


def shown(examples: Sequence[Example]) -> str:
    """Where to look: up to three rows, of several with one value the first, by number, key and value."""
    first: dict[object, Example] = {}
    for one in examples:
        first.setdefault(one.value if one.value is not None else (one.file, one.row, one.key), one)
    places = []
    for one in list(first.values())[:3]:
        place = _place(one)
        places.append(place if one.value is None else f"{one.value!r} in {place}" if place else repr(one.value))
    return f", such as {', '.join(places)}" if any(places) else ""


def _place(one: Example) -> str:
    """`row 7 of part-2.parquet (id=12)`, or of it what is known."""
    if one.row is None:
        return one.key or ""
    return f"row {one.row}{f' of {one.file}' if one.file else ''}{f' ({one.key})' if one.key else ''}"


def evidence(rows: int, examples: Sequence[Example]) -> dict[str, Scalar | list[Scalar]]:
    """The rows as they stand in a finding's evidence: up to ten."""
    lines: list[Scalar] = []
    for one in examples[:10]:
        number = f"row {one.row}{f' of {one.file}' if one.file else ''}" if one.row is not None else ""
        parts = [number, one.key or "", f"value {one.value}" if one.value is not None else ""]
        lines.append(", ".join(part for part in parts if part))
    return {"rows": rows, "examples": lines}


def file_names(files: Sequence[str], sensitive: Collection[str]) -> tuple[str, ...]:
    """The files as they may be named: by their numbers where folders such as `mail=ann` hold a sensitive column."""
    known = {name.casefold() for name in sensitive}
    folders = (part for name in files for part in name.split("/") if "=" in part)
    secret = any(unquote(part.partition("=")[0]).casefold() in known for part in folders)
    return tuple(f"file {number}" for number in range(1, len(files) + 1)) if secret else tuple(files)
