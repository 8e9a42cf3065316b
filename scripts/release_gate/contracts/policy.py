"""Reads what a contract declares about nulls, invalid values, backfill and sensitivity, and finds what it omits."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter, ValidationError

from release_gate.contracts.contract import Column, Kind, OnInvalid, OnNull, Policy, RuleKind
from release_gate.documents import Share
from release_gate.findings import finding
from release_gate.verdict import Finding, Where

NULL_WORDS = ", ".join(f"`{word.value}`" for word in OnNull)
INVALID_WORDS = "`reject`, `clip`, `set null` (both may be limited: `clip up to 5%`), `quarantine up to 5%`"
_SHARE: TypeAdapter[float] = TypeAdapter(Share)
_LIMITED = re.compile(r"(quarantine|clip|set null)(?: up to)? ([0-9]+(?:\.[0-9]+)?) ?%")


def on_null(value: object) -> OnNull:
    """Read a declared null behaviour.

    Raises:
        ValueError: it is none of the known words.
    """
    try:
        return OnNull(_words(value))
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


def policy(declared: dict[str, Any]) -> tuple[Policy, dict[str, str]]:
    """The policy of one column from `on_null`, `on_invalid`, `backfill`, `sensitive`; and what is wrong, by key."""
    read, wrong = Policy(), {}
    if declared.get("on_null") is not None:
        try:
            read = replace(read, on_null=on_null(declared["on_null"]))
        except ValueError as error:
            wrong["on_null"] = str(error)
    if declared.get("on_invalid") is not None:
        try:
            behaviour, share = on_invalid(declared["on_invalid"])
            read = replace(read, on_invalid=behaviour, share=share)
        except ValueError as error:
            wrong["on_invalid"] = str(error)
    backfill, sensitive = declared.get("backfill"), declared.get("sensitive", False)
    if isinstance(backfill, str | None):
        read = replace(read, backfill=(backfill or "").strip() or None)
    else:
        wrong["backfill"] = "backfill must be a sentence: how, who, from when"
    if isinstance(sensitive, bool):
        read = replace(read, sensitive=sensitive)
    else:
        wrong["sensitive"] = "sensitive must be true or false"
    return read, wrong


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
        remedy = f"Add {names[2]}: one sentence that says how, who, and from when."
        found.append(finding("contract-backfill-undocumented", message, where=at, remedy=remedy))
    return found


def contradictions(column: Column, *, required: bool) -> list[Finding]:
    """Declarations that can't both hold."""
    said, kinds = column.policy, {rule.kind for rule in column.rules}
    causes = []
    if required and said.on_null not in {OnNull.REJECT, None}:
        causes.append(f"it is required, yet its null behaviour is `{said.on_null}`, not `reject`")
    if said.on_invalid is OnInvalid.CLIP and not any(kind.is_range for kind in kinds):
        causes.append("invalid values are clipped, yet it has no range to clip to")
    if said.on_invalid is OnInvalid.SET_NULL and said.on_null is OnNull.REJECT:
        causes.append("invalid values become null, yet nulls are rejected")
    if empty := _empty_range(column):
        causes.append(empty)
    return [_contradiction(column.name, cause, column.where) for cause in causes]


def _empty_range(column: Column) -> str | None:
    low = [rule.value for rule in column.rules if rule.kind in {RuleKind.AT_LEAST, RuleKind.ABOVE}]
    high = [rule.value for rule in column.rules if rule.kind in {RuleKind.AT_MOST, RuleKind.BELOW}]
    if column.kind in {Kind.INTEGER, Kind.NUMBER}:
        for least in low:
            for most in high:
                if isinstance(least, int | float) and isinstance(most, int | float) and least > most:
                    return f"no value is both above {least} and below {most}"
    for rule in column.rules:
        if rule.kind is RuleKind.ONE_OF and rule.value == ():
            return "its set of valid values is empty"
    return None


def _contradiction(name: str, cause: str, where: Where) -> Finding:
    return finding("contract-contradictory", f"column '{name}' contradicts itself: {cause}", where=where)


def _words(value: object) -> str:
    """`setNull`, `set_null`, `set-null` and `Set Null` mean the same."""
    if not isinstance(value, str):
        raise ValueError(f"it must be words such as `reject` or `quarantine up to 5%`, not {value!r}")  # noqa: TRY004 - one kind of error for a wrong word
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", value.strip())
    return re.sub(r"[\s_-]+", " ", spaced).lower()


def _share(value: object) -> float:
    try:
        number = _SHARE.validate_python(value)
    except ValidationError as error:
        raise ValueError(f"a share is written 5% or 0.05 (it is {value!r})") from error
    if not 0 < number < 1:
        raise ValueError(f"a share that may be invalid is above 0% and below 100% (it is {value!r})")
    return number
