"""Reads what a contract declares about nulls, invalid values, backfill and sensitivity, and finds what it omits."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter, ValidationError

from release_gate.contracts.contract import (
    Backfill,
    Bound,
    Column,
    Contract,
    Kind,
    OnInvalid,
    OnNull,
    Policy,
    Version,
)
from release_gate.documents import Share
from release_gate.findings import finding
from release_gate.verdict import Finding

NULL_WORDS = ", ".join(f"`{word.value}`" for word in OnNull)
INVALID_WORDS = "`reject`, `clip`, `set null` (both may be limited: `clip up to 5%`), `quarantine up to 5%`"
_SHARE: TypeAdapter[float] = TypeAdapter(Share)
_LIMITED = re.compile(r"(quarantine|clip|set null)(?: up to)? ([0-9]+(?:\.[0-9]+)?) ?%")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)
_BACKFILL = ("how", "who", "since")
_FIRST = (Version(0, 0, 1), Version(0, 1, 0), Version(1, 0, 0))
"""Versions that contracts begin with."""


def on_null(value: object, kind: Kind = Kind.STRING) -> tuple[OnNull, Bound | bool | None]:
    """Read a declared null behaviour and the value that is imputed, None where none is named.

    `impute 0`, or as a mapping `{impute: 0}`; the text after `impute` is read as the column's kind.

    Raises:
        ValueError: it is none of the known words.
    """
    if isinstance(value, dict) and len(value) == 1 and _words_or_none(next(iter(value))) == OnNull.IMPUTE.value:
        given = next(iter(value.values()))
        if not isinstance(given, str | int | float):
            raise ValueError(f"the value to impute must be text, a number, true or false (it is {given!r})")
        return OnNull.IMPUTE, given
    if isinstance(value, str) and (match := re.fullmatch(r"\s*impute\s+(\S.*?)\s*", value, re.I | re.S)):
        return OnNull.IMPUTE, _typed(match[1], kind)
    try:
        return OnNull(_words(value)), None
    except ValueError as error:
        raise ValueError(f"null behaviour must be one of {NULL_WORDS} (it is {value!r})") from error


def on_invalid(value: object) -> tuple[OnInvalid, float]:
    """Read a declared invalid behaviour and the share it may reach, 0 where none is named.

    `quarantine up to 5%`, or as a mapping `{quarantine: 5%}`; the same for `clip` and `set null`.

    Raises:
        ValueError: it is none of the known words, or a quarantine without its share.
    """
    if isinstance(value, dict) and len(value) == 1:
        behaviour, given = next(iter(value.items()))
        words, share = _words(behaviour), _share(given)
    else:
        words, share = _words(value), 0.0
        if match := _LIMITED.fullmatch(words):
            words, share = match[1], _share(match[2] + "%")
    try:
        read = OnInvalid(words)
    except ValueError as error:
        raise ValueError(f"invalid behaviour must be one of {INVALID_WORDS} (it is {value!r})") from error
    if read is OnInvalid.QUARANTINE and not share:
        raise ValueError("a quarantine needs the share it may reach: `quarantine up to 5%`")
    if read is OnInvalid.REJECT and share:
        raise ValueError("`reject` takes no share; `quarantine up to 5%` does")
    return read, share


def backfill(value: object) -> Backfill | None:
    """Read a declared backfill: a sentence, or a mapping of how, who and since; None where the text is empty.

    Raises:
        ValueError: it is neither, or lacks how.
    """
    if isinstance(value, str):
        return Backfill(value.strip()) if value.strip() else None
    if not isinstance(value, dict):
        raise ValueError("backfill must be a sentence, or a mapping of how, who and since")  # noqa: TRY004 - one kind of error for a wrong value
    said = {str(key): str(given).strip() for key, given in value.items() if given is not None}
    if unknown := sorted(set(said) - set(_BACKFILL)):
        raise ValueError(f"backfill holds how, who and since, not '{unknown[0]}'")
    if not said.get("how"):
        raise ValueError("backfill needs `how`: the way in which missing history is filled")
    return Backfill(said["how"], said.get("who") or None, said.get("since") or None)


def policy(declared: dict[str, Any], kind: Kind = Kind.STRING) -> tuple[Policy, dict[str, str]]:
    """The policy of one column and what is wrong with it, by key.

    `declared` holds `on_null`, `on_invalid`, `backfill`, `sensitive`, `null_share_drift`, each where it is declared.
    """
    wrong: dict[str, str] = {}

    def taken(key: str, read: Callable[[Any], Any]) -> Any:
        if declared.get(key) is None:
            return None
        try:
            return read(declared[key])
        except ValueError as error:
            wrong[key] = str(error)
            return None

    null = taken("on_null", lambda value: on_null(value, kind)) or (None, None)
    invalid = taken("on_invalid", on_invalid) or (None, 0.0)
    return Policy(
        on_null=null[0],
        on_invalid=invalid[0],
        share=invalid[1],
        backfill=taken("backfill", backfill),
        sensitive=taken("sensitive", _truth) or False,
        impute=null[1],
        drift=taken("null_share_drift", _drift),
    ), wrong


def since(value: object) -> str | None:
    """The contract's version that brought a column, None where none is declared.

    Raises:
        ValueError: it is no semantic version.
    """
    if value is not None and Version.parse(str(value)) is None:
        raise ValueError(f"since must be a version of three numbers, such as 1.2.0 (it is {value!r})")
    return None if value is None else str(value)


def with_default(said: Policy, default: Bound | bool) -> Policy:
    """The policy where the format itself names the value that takes a missing one's place."""
    impute = said.on_null is OnNull.IMPUTE and said.impute is None
    return replace(said, impute=default) if impute else said


def undeclared(column: Column, names: tuple[str, str, str]) -> list[Finding]:
    """What a column must declare and does not; `names` are the keys in the file's own spelling."""
    said, at = column.policy, column.where
    found = []
    if said.on_null is None:
        message = f"column '{column.name}' does not say what happens to a missing value"
        found.append(finding("contract-null-undeclared", message, where=at, remedy=f"Add {names[0]}: {NULL_WORDS}."))
    if said.on_invalid is None:
        message = f"column '{column.name}' does not say what happens to an invalid value"
        remedy = f"Add {names[1]}: {INVALID_WORDS}."
        found.append(finding("contract-invalid-undeclared", message, where=at, remedy=remedy))
    if said.backfill is None:
        message = f"column '{column.name}' does not say how its history is filled or repaired"
        remedy = f"Add {names[2]}: one sentence that says how, who, and from when; or a mapping of how, who, since."
        found.append(finding("contract-backfill-undocumented", message, where=at, remedy=remedy))
    return found


def newcomers(contract: Contract) -> list[Finding]:
    """Columns that came with a later version, must have a value, and whose backfill lacks how, who or since."""
    begun = [version for column in contract.columns if (version := Version.parse(column.since or ""))]
    first = {*_FIRST, min(begun)} if begun and len(begun) == len(contract.columns) else set(_FIRST)
    found = []
    for column in contract.columns:
        came, said = Version.parse(column.since or ""), column.policy.backfill
        if came is None:
            continue
        if contract.semantic is not None and came > contract.semantic:
            message = f"column '{column.name}' came with {came}, and the contract is only {contract.version}"
            found.append(finding("contract-contradictory", message, where=column.where))
        must = column.required and column.policy.on_null is OnNull.REJECT
        lacking = [name for name in ("who", "since") if said is not None and getattr(said, name) is None]
        if must and came not in first and lacking:
            message = f"column '{column.name}' came with {came} and must have a value; its backfill does not say "
            found.append(finding("contract-backfill-missing", message + " and ".join(lacking), where=column.where))
    return found


def _typed(text: str, kind: Kind) -> Bound | bool:
    """A value out of words, as the column's kind reads it; what is none stays text, and is refused as such later."""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    if kind in {Kind.INTEGER, Kind.NUMBER} and _NUMBER.fullmatch(text):
        return int(text) if re.fullmatch(r"[-+]?\d+", text, re.ASCII) else float(text)
    if kind is Kind.BOOLEAN and text.lower() in {"true", "false"}:
        return text.lower() == "true"
    return text


def _words(value: object) -> str:
    """`setNull`, `set_null`, `set-null` and `Set Null` mean the same."""
    if not isinstance(value, str):
        raise ValueError(f"it must be words such as `reject` or `quarantine up to 5%`, not {value!r}")  # noqa: TRY004 - one kind of error for a wrong word
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", value.strip())
    return re.sub(r"[\s_-]+", " ", spaced).lower()


def _words_or_none(value: object) -> str | None:
    return _words(value) if isinstance(value, str) else None


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("sensitive must be true or false")  # noqa: TRY004 - one kind of error for a wrong value
    return value


def _drift(value: object) -> float:
    try:
        return _SHARE.validate_python(value)
    except ValidationError as error:
        raise ValueError(f"how far the share of nulls may move is written 5% or 0.05 (it is {value!r})") from error


def _share(value: object) -> float:
    try:
        number = _SHARE.validate_python(value)
    except ValidationError as error:
        raise ValueError(f"a share is written 5% or 0.05, and is no more than 100% (it is {value!r})") from error
    if not 0 < number < 1:
        raise ValueError(f"a share that may be invalid is above 0% and below 100% (it is {value!r})")
    return number
