"""What pydantic found wrong with a document, told as people need it: every cause once, in words, with its place."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from release_gate.findings import finding
from release_gate.verdict import Finding, Where

Path_ = tuple[str | int, ...]

UNDECIDED = "<decide>"
"""Stands in a draft where nothing could be found; the configuration refuses it, so an unfinished draft never passes."""
_OPEN = re.compile(r"<decide\b[^>]*>")
_CREDENTIALS = re.compile(r"(?:(?<=//)|(?<=:))\S*@|(?<=\?)\S+")
"""Of an address: user and password, and a query, which may be a signature."""
_NUMBERS = {"float_parsing", "float_type", "int_parsing", "int_type", "int_from_float"}


def is_open(value: object) -> bool:
    """Whether a text still holds a placeholder of a draft."""
    return isinstance(value, str) and _OPEN.search(value) is not None


def undecided(value: Any, where: Callable[[Path_], Where], path: Path_ = ()) -> list[Finding]:
    """Each placeholder of a draft below a path, told by its key; a key that is one itself stands for its value too."""
    if isinstance(value, dict):
        found = []
        for key, inner in value.items():
            inside = (*path, key)
            found += [_undecided(path, where(inside))] if is_open(key) else undecided(inner, where, inside)
        return found
    if isinstance(value, list):
        return [one for index, inner in enumerate(value) for one in undecided(inner, where, (*path, index))]
    return [_undecided(path, where(path))] if is_open(value) else []


def told(model: type[BaseModel], error: ValidationError, where: Callable[[Path_], Where], at: Path_) -> list[Finding]:
    """What pydantic found below the path `at`, as findings with places, sorted by place."""
    found = []
    for one in _causes(model, error):
        path = (*at, *one["loc"])
        if is_open(one["input"]):
            found.append(_undecided(path, where(path)))
        elif one["type"] == "extra_forbidden":
            near, known = _suggested(model, one["loc"]), ", ".join(sorted(_keys(model, one["loc"][:-1])))
            hint = f"did you mean '{near}'?" if near else f"known here: {known}"
            found.append(finding("config-unknown-key", f"unknown key '{_named(path)}'; {hint}", where=where(path)))
        else:
            given = _without_credentials(one["input"])
            shown = f" (it is {given!r:.80})" if isinstance(given, str | int | float) else ""
            found.append(finding("config-invalid", f"'{_named(path)}': {_words(one)}{shown}", where=where(path)))
    return sorted(found, key=lambda one: (one.where.line or 0, str(one.where)))


def _without_credentials(given: Any) -> Any:
    """A value as it may be quoted: this text reaches logs and comments."""
    if not isinstance(given, str) or ":" not in given:
        return given
    return _CREDENTIALS.sub(lambda found: "…@" if found[0].endswith("@") else "…", given)


def _undecided(path: Path_, where: Where) -> Finding:
    return finding("config-undecided", f"still to be decided: '{_named(path)}'", where=where)


def _named(path: Path_) -> str:
    return ".".join(str(part) for part in path) or "the document"


def _words(one: Any) -> str:
    """A cause in words that fit a file instead of a program."""
    given = one["input"]
    if one["type"] in _NUMBERS and isinstance(given, str):
        if share := re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*%\s*", given):
            return f"a number is expected here, not a percentage: write {float(share[1]) / 100:g}"
        return "a number is expected here, such as 0.8 or 30"
    if one["type"] == "missing":
        return "this key is needed, and is not given"
    if one["type"] == "too_short":
        held, least = one["ctx"]["actual_length"], one["ctx"]["min_length"]
        return f"it holds {held}, and must hold at least {least}" if held else "this is empty: write at least one"
    if one["type"] in {"tuple_type", "list_type"}:
        return "a list is expected here"
    if one["type"] in {"model_type", "dict_type"}:
        return "a mapping of keys is expected here"
    cause = str(one["msg"]).removeprefix("Value error, ")
    cause = cause[:1].lower() + cause[1:]
    if one["type"] in {"literal_error", "enum"}:
        known = re.findall(r"'([^']+)'", str(one["ctx"]["expected"]))
        if near := difflib.get_close_matches(str(given).lower(), known, n=1):
            return f"did you mean '{near[0]}'? It {cause.removeprefix('input ')}"
    return cause


def _causes(model: type[BaseModel], error: ValidationError) -> list[Any]:
    """What pydantic reports, without what only follows from another cause.

    A list counts as too short when its items are refused, and a key as missing when it is there, misspelt.
    """
    every = error.errors(include_url=False)
    inner = {one["loc"][:length] for one in every for length in range(len(one["loc"]))}
    misspelt = {
        (*one["loc"][:-1], near)
        for one in every
        if one["type"] == "extra_forbidden" and (near := _suggested(model, one["loc"])) is not None
    }
    return [
        one
        for one in every
        if not (one["type"] == "too_short" and one["loc"] in inner)
        and not (one["type"] == "missing" and one["loc"] in misspelt)
    ]


def _suggested(model: type[BaseModel], path: Path_) -> str | None:
    """The key that an unknown one at `path` was most likely meant to be."""
    return next(iter(difflib.get_close_matches(str(path[-1]), _keys(model, path[:-1]), n=1)), None)


def _keys(model: type[BaseModel], path: Path_) -> list[str]:
    """The keys a record takes at a path below `model`; none where the path leads to no record."""
    current: Any = model
    for part in path:
        names = {info.alias or name: info.annotation for name, info in current.model_fields.items()}
        inside = _record(names[part]) if part in names else (current if isinstance(part, int) else None)
        if inside is None:
            continue  # an index, a mapping's key, or the tag of a union: the record stays the same
        current = inside
    return [info.alias or name for name, info in current.model_fields.items()]


def _record(annotation: Any) -> type[BaseModel] | None:
    """The record inside an annotation such as `tuple[Threshold, ...] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((inside for part in get_args(annotation) if (inside := _record(part)) is not None), None)
