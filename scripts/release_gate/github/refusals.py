"""Why GitHub did not do what was asked: an exception for each cause, with the line that mends it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from release_gate.findings import CannotJudge

SCOPES = (
    # what a path ends in, and the permission GitHub wants of it (read, write)
    (re.compile(r"/issues/(\d+/)?comments"), "pull-requests"),
    (re.compile(r"/pulls"), "pull-requests"),
    (re.compile(r"/actions/"), "actions"),
    (re.compile(r"/contents|/git/|/commits"), "contents"),
    (re.compile(r"/deployments"), "deployments"),
    (re.compile(r"/check-"), "checks"),
)
_HEADER = re.compile(r"([a-z_]+)=(read|write)")
_OTHER_REASONS = (
    # a refusal that no permission mends, by GitHub's words, and what does mend it
    (re.compile(r"\blocked\b", re.IGNORECASE), "Unlock the conversation, or have it told elsewhere."),
    (re.compile(r"\barchived\b", re.IGNORECASE), "The repository is archived: nothing can be written to it."),
    (
        re.compile(r"not permitted to create or approve pull requests", re.IGNORECASE),
        "Tick `Allow GitHub Actions to create and approve pull requests` in the settings (Actions, General).",
    ),
)
_GRAPHQL_LIMITS = ("RATE_LIMITED", "RATE_LIMIT")


@dataclass(frozen=True)
class Call:
    """A request: what it is for, the lines of `permissions:` known to be needed, whether it may be sent again."""

    method: str
    path: str
    needs: tuple[str, ...] = ()
    once: bool = False

    def __str__(self) -> str:
        """As messages name it."""
        return f"{self.method} {self.path}"


class PermissionMissing(CannotJudge):
    """GitHub refused a call because the job lacks a permission, or the token is a fork's."""


class TokenRefused(CannotJudge):
    """GitHub does not know the token."""


class RateLimited(CannotJudge):
    """GitHub asks to wait longer than we may."""


class NotFound(CannotJudge):
    """What was asked for does not exist, or is not shown to this token."""


class Unreachable(CannotJudge):
    """No answer, or none that is GitHub's."""


class Unwilling(CannotJudge):
    """GitHub understood, and refused for a reason of its own."""


def other_remedy(words: str) -> str | None:
    """What mends a refusal with status 403 that no permission would mend; None where one would."""
    return next((remedy for shape, remedy in _OTHER_REASONS if shape.search(words)), None)


def permissions(call: Call, headers: Mapping[str, str]) -> tuple[str, ...]:
    """The `permissions:` lines a call needs: as known of it, from GitHub's own header, else from its path."""
    if call.needs:
        return call.needs
    told = _HEADER.search(headers.get("x-accepted-github-permissions", ""))
    if told:
        return (f"{told.group(1).replace('_', '-')}: {told.group(2)}".replace("issues:", "pull-requests:"),)
    level = "read" if call.method == "GET" else "write"
    scope = next((scope for shape, scope in SCOPES if shape.search(call.path)), "contents")
    return (f"{scope}: {level}",)


def missing_permission(call: Call, headers: Mapping[str, str], words: str) -> PermissionMissing:
    """The refusal, naming the exact lines to add."""
    return _missing(permissions(call, headers), f"GitHub refused {call}: {words}", other_remedy(words))


def of_graphql(errors: object, needs: Sequence[str]) -> CannotJudge:
    """The refusal that an answer with status 200 carries in its `errors`, by the first of them."""
    found = errors[0] if isinstance(errors, list) and errors else None
    first = found if isinstance(found, Mapping) else {}
    kind, said = first.get("type"), first.get("message")
    words = said[:500] if isinstance(said, str) and said else "without a reason"
    message = f"GitHub refused POST /graphql: {words}"
    if kind in _GRAPHQL_LIMITS or "rate limit" in words.lower():
        return RateLimited.because("github-rate-limited", message)
    # "Resource not accessible by integration" is what a token without the permission is told, and by a type of its own.
    remedy = other_remedy(words)
    if remedy is None and (kind == "FORBIDDEN" or "not accessible by" in words):
        return _missing(tuple(needs), message)
    if kind == "NOT_FOUND":
        return NotFound.because("github-not-found", message)
    return Unwilling.because("github-refused", message, remedy=remedy)


def _missing(lines: Sequence[str], message: str, remedy: str | None = None) -> PermissionMissing:
    listed = "\n".join(f"    {line}" for line in lines)
    return PermissionMissing.because(
        "github-permission",
        message,
        remedy=remedy or f"Add to the job:\n  permissions:\n{listed}",
        evidence={"permission": ", ".join(lines)},
    )
