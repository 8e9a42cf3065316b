"""The pull requests that brought a commit to a branch, and how they were merged."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from release_gate.github.api import Api

NEEDS = ("pull-requests: read",)
_SHA = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")

How = Literal["merge", "squash", "rebase"]


@dataclass(frozen=True)
class Merged:
    """A merged pull request. `commit` is what it left on the branch: a merge, a squash, or the last one rebased."""

    number: int
    node: str
    url: str
    title: str
    author: str
    base: str
    commit: str
    merged_at: str


def brought(api: Api, sha: str, base: str | None = None) -> tuple[Merged, ...]:
    """The merged pull requests by which a commit came to `base`, the default branch where none is named.

    The one that was merged as this very commit stands first, then the latest. Several: a commit that went through
    a branch of its own. None: it was pushed directly.

    Raises:
        PermissionMissing, with `pull-requests: read`; CannotJudge: GitHub could not be asked, or does not know it.
    """
    found = [_read(one, base) for one in api.pages(f"{{}}/commits/{sha}/pulls", needs=NEEDS)]
    merged = [one for one in found if one is not None]
    merged.sort(key=lambda one: one.merged_at, reverse=True)
    return tuple(sorted(merged, key=lambda one: one.commit != sha))


def how(api: Api, pull: Merged) -> How:
    """How it was merged: a merge has two parents; a rebase brought the commit before, too.

    Raises:
        CannotJudge: GitHub could not be asked.
    """
    commit = api.ask("GET", f"{{}}/commits/{pull.commit}", needs=("contents: read",))
    listed = commit.get("parents") if isinstance(commit, dict) else None
    parents = [one["sha"] for one in listed or [] if isinstance(one, dict) and _sha(one.get("sha"))]
    if len(parents) > 1:
        return "merge"
    if count(api, pull) == 1 or not parents:
        return "squash"
    before = brought(api, parents[0], pull.base)
    return "rebase" if any(one.number == pull.number for one in before) else "squash"


def count(api: Api, pull: Merged) -> int:
    """How many commits it had when it was merged.

    Raises:
        CannotJudge: GitHub could not be asked.
    """
    told = api.ask("GET", f"{{}}/pulls/{pull.number}", needs=NEEDS)
    commits = told.get("commits") if isinstance(told, dict) else None
    return commits if type(commits) is int and commits > 0 else 1


def _read(one: Any, base: str | None) -> Merged | None:
    if not isinstance(one, Mapping) or type(one.get("number")) is not int:
        return None
    target = one.get("base")
    target = target if isinstance(target, Mapping) else {}
    branch, origin, author = target.get("ref"), target.get("repo"), one.get("user")
    wanted = base or (origin.get("default_branch") if isinstance(origin, Mapping) else None)
    told = [one.get(name) for name in ("node_id", "html_url", "title", "merged_at")]
    if not isinstance(branch, str) or branch != wanted or not all(isinstance(value, str) for value in told):
        return None  # open, closed without a merge, or merged into another branch
    commit = one.get("merge_commit_sha")
    if not _sha(commit):
        return None
    login = author.get("login") if isinstance(author, Mapping) else None
    node, url, title, merged_at = map(str, told)
    return Merged(one["number"], node, url, title, str(login or "ghost"), branch, str(commit), merged_at)


def _sha(value: object) -> bool:
    return isinstance(value, str) and _SHA.fullmatch(value) is not None
