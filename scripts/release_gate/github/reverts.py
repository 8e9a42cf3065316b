"""Opens the pull request that reverts a merged one, through the API alone; else the commands by which a person can.

GitHub's REST API has no such call; its GraphQL API has the mutation `revertPullRequest`, which does what the button
on a merged pull request does. Nothing here is fatal: whatever GitHub says comes back as a value.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from release_gate.findings import CannotJudge, finding
from release_gate.github import merged
from release_gate.github.api import Api
from release_gate.github.marker import RevertMarker
from release_gate.github.merged import How, Merged
from release_gate.github.refusals import PermissionMissing, RateLimited, Unreachable
from release_gate.verdict import Finding

NEEDS = ("contents: write", "pull-requests: write")
MUTATION = """\
mutation($input: RevertPullRequestInput!) {
  revertPullRequest(input: $input) {
    revertPullRequest { number url }
  }
}"""
_SETTINGS = "not permitted to create or approve pull requests"
_WORKFLOWS = re.compile(r"\bworkflows?\b.*\bpermission|\bpermission.*\bworkflows?\b|\.github/workflows", re.IGNORECASE)
_CONFLICT = re.compile(
    r"conflict|(could not|couldn't|cannot|can't|unable to) (be )?(automatically )?revert", re.IGNORECASE
)

Why = Literal["", "permission", "settings", "workflow-files", "conflict", "other"]


@dataclass(frozen=True)
class Revert:
    """What became of it. `commands` are for a person, wherever no pull request is open.

    `opened`, `exists` (`state` is `open`, `merged` or `closed`), `refused` (`why`), or `unavailable`: GitHub could
    not be asked, and asking again later may do.
    """

    outcome: Literal["opened", "exists", "refused", "unavailable"]
    finding: Finding
    number: int | None = None
    url: str | None = None
    state: Literal["open", "merged", "closed"] | None = None
    why: Why = ""
    commands: tuple[str, ...] = ()

    @property
    def owed(self) -> bool:
        """Whether the next run should try again."""
        return self.outcome == "unavailable"


def open_revert(api: Api, pull: Merged, *, title: str, body: str) -> Revert:
    """Open the pull request that reverts `pull`, unless there is one; `body` begins with its `RevertMarker`."""
    marker = RevertMarker.of(body)
    if marker is None or marker.pull != pull.number:
        raise ValueError("the description of a revert must begin with its marker")
    try:
        there = existing(api, pull.number)
        if there is not None:
            return replace(there, commands=_commands(api, pull)) if there.state == "closed" else there
        asked = {"pullRequestId": pull.node, "title": title, "body": body, "draft": False}
        data = api.graphql(MUTATION, {"input": asked}, needs=NEEDS)
    except CannotJudge as refusal:
        return _not_opened(api, pull, refusal)
    made = _inside(_inside(data, "revertPullRequest"), "revertPullRequest")
    number, url = made.get("number"), made.get("url")
    if type(number) is not int or not isinstance(url, str):
        strange = Unreachable.because("github-unreachable", "a strange answer to revertPullRequest: no pull request")
        return _not_opened(api, pull, strange)
    message = f"pull request {number} reverts {pull.number}; it waits for review"
    return Revert("opened", finding("revert-opened", message, evidence={"url": url}), number, url, "open")


def existing(api: Api, number: int) -> Revert | None:
    """The pull request that reverts this one, open or not, ours or made by GitHub's button; the newest of several.

    Only branches of the repository itself count: a fork could name its branch as it likes.

    Raises:
        CannotJudge: GitHub could not be asked.
    """
    newest_first = {"state": "all", "sort": "created", "direction": "desc"}
    for one in api.pages("{}/pulls", parameters=newest_first, needs=("pull-requests: read",)):
        if not isinstance(one, dict) or type(one.get("number")) is not int:
            continue
        if one["number"] <= number:
            return None  # a revert is younger than what it reverts
        if not _reverts(one, number):
            continue
        state: Literal["open", "merged", "closed"] = (
            "open" if one.get("state") == "open" else "merged" if one.get("merged_at") else "closed"
        )
        url = one.get("html_url") if isinstance(one.get("html_url"), str) else None
        message = f"pull request {one['number']} ({state}) reverts {number} already"
        found = finding("revert-exists", message, evidence={"url": url or ""})
        return Revert("exists", found, one["number"], url, state)
    return None


def commands(pull: Merged, merged_by: How | None = None, commits: int = 1) -> tuple[str, ...]:
    """The lines a person types to open the revert; `merged_by` None: not known, so that both ways are tried."""
    sha, base, branch = pull.commit, pull.base, f"revert-{pull.number}"
    undo = {
        "merge": f"git revert --no-edit -m 1 {sha}",
        "squash": f"git revert --no-edit {sha}",
        "rebase": f"git revert --no-edit {sha}~{commits}..{sha}",
        None: f"git revert --no-edit -m 1 {sha} || git revert --no-edit {sha}",
    }
    return _typed(base, branch, undo[merged_by])


def commands_without(sha: str, base: str) -> tuple[str, ...]:
    """The lines that revert a commit which no pull request brought."""
    return _typed(base, f"revert-{sha[:10]}", f"git revert --no-edit -m 1 {sha} || git revert --no-edit {sha}")


def _typed(base: str, branch: str, undo: str) -> tuple[str, ...]:
    return (
        "git fetch origin",
        shlex.join(["git", "switch", "--create", branch, f"origin/{base}"]),
        undo,
        shlex.join(["git", "push", "--set-upstream", "origin", branch]),
        shlex.join(["gh", "pr", "create", "--base", base, "--head", branch, "--fill"]),
    )


def _not_opened(api: Api, pull: Merged, refusal: CannotJudge) -> Revert:
    first = refusal.findings[0]
    unavailable = isinstance(refusal, Unreachable | RateLimited)
    why: Why = "" if unavailable else _why(refusal, first.message)
    code = "revert-unavailable" if unavailable else _CODES[why]
    remedy = first.remedy if why in ("permission", "settings") else None
    told = finding(code, f"no pull request reverts {pull.number} yet: {first.message}", remedy=remedy)
    by_hand = commands(pull) if unavailable else _commands(api, pull)
    return Revert("unavailable" if unavailable else "refused", told, why=why, commands=by_hand)


_CODES: dict[Why, str] = {
    "permission": "revert-permission",
    "settings": "revert-settings",
    "workflow-files": "revert-workflow-files",
    "conflict": "revert-conflict",
    "other": "revert-refused",
}


def _why(refusal: CannotJudge, words: str) -> Why:
    if _SETTINGS in words:
        return "settings"
    if _WORKFLOWS.search(words):
        return "workflow-files"
    if isinstance(refusal, PermissionMissing):
        return "permission"
    return "conflict" if _CONFLICT.search(words) else "other"


def _commands(api: Api, pull: Merged) -> tuple[str, ...]:
    try:
        merged_by = merged.how(api, pull)
        return commands(pull, merged_by, merged.count(api, pull) if merged_by == "rebase" else 1)
    except CannotJudge:
        return commands(pull)


def _reverts(one: Mapping[str, Any], number: int) -> bool:
    head, base, body = _inside(one, "head"), _inside(one, "base"), one.get("body")
    origin = _inside(head, "repo").get("id")
    if origin is None or origin != _inside(base, "repo").get("id"):
        return False
    marker = RevertMarker.of(body) if isinstance(body, str) else None
    # GitHub's own name of the branch, by its button and by the mutation; ours when a person followed the commands.
    named = re.fullmatch(r"revert-(\d+)(-.*)?", str(head.get("ref")))
    return (marker is not None and marker.pull == number) or (named is not None and named.group(1) == str(number))


def _inside(fields: Any, name: str) -> Mapping[str, Any]:
    found = fields.get(name) if isinstance(fields, Mapping) else None
    return found if isinstance(found, Mapping) else {}
