"""Why GitHub did not do what was asked: an exception for each cause, with the line that mends it."""

from __future__ import annotations

import re
from collections.abc import Mapping

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


def permission(method: str, path: str, headers: Mapping[str, str]) -> str:
    """The `permissions:` line a call needs: from GitHub's own header, else from what the path is about."""
    told = _HEADER.search(headers.get("x-accepted-github-permissions", ""))
    if told:
        return f"{told.group(1).replace('_', '-')}: {told.group(2)}".replace("issues:", "pull-requests:")
    level = "read" if method == "GET" else "write"
    scope = next((scope for shape, scope in SCOPES if shape.search(path)), "contents")
    return f"{scope}: {level}"


def missing_permission(method: str, path: str, headers: Mapping[str, str], words: str) -> PermissionMissing:
    """The refusal, naming the exact line to add."""
    line = permission(method, path, headers)
    return PermissionMissing.because(
        "github-permission",
        f"GitHub refused {method} {path}: {words}",
        remedy=f"Add to the job:\n  permissions:\n    {line}",
        evidence={"permission": line},
    )
