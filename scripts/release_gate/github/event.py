"""What started a workflow run, read once from what the runner gives, as one frozen value.

The payload of `workflow_run` describes a run of a stranger's branch: every field is checked for type and shape
before it is used, and what it claims about pull requests is not used at all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from release_gate.findings import BadInput

KNOWN = ("pull_request", "merge_group", "push", "workflow_dispatch", "workflow_run", "schedule")
_SHA = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_REPOSITORY = re.compile(r"[A-Za-z0-9-]{1,100}/[A-Za-z0-9._-]{1,100}")
_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,99}(\[bot\])?")
_URL = re.compile(r"https?://[A-Za-z0-9.:-]+/[A-Za-z0-9._~/-]*")


@dataclass(frozen=True)
class Run:
    """A run of a workflow; `identity` grows with time over all workflows of a repository."""

    identity: int
    attempt: int
    url: str

    @property
    def order(self) -> tuple[int, int]:
        """Later runs and attempts compare greater."""
        return (self.identity, self.attempt)


@dataclass(frozen=True)
class Head:
    """The commit that was judged and where it comes from; `repository` is None where a fork was deleted."""

    sha: str
    repository: int | None = None
    owner: str | None = None
    branch: str | None = None


@dataclass(frozen=True)
class Event:
    """An event with all that any command needs of it. For `workflow_run`, run and head are the judged run's."""

    name: str
    repository: str
    run: Run
    head: Head
    pull_request: int | None = None
    base_sha: str | None = None
    fork: bool = False
    of: str | None = None
    conclusion: str | None = None


class EventUnreadable(BadInput):
    """The runner's description of the event is missing, or not what GitHub sends."""


def read(name: str, payload: str, environment: Mapping[str, str]) -> Event:
    """The event `name` with the JSON of its payload and the runner's environment.

    Raises:
        EventUnreadable: an unknown event, or a field that is missing or of the wrong shape.
    """
    if name not in KNOWN:
        raise _unreadable(f"events of the kind '{name[:80]}' are not known; known are {', '.join(KNOWN)}")
    try:
        fields = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise _unreadable(f"the payload of the event is not JSON: {error}") from error
    top = _Fields(fields, name)
    repository = _matching(environment.get("GITHUB_REPOSITORY", ""), _REPOSITORY, "GITHUB_REPOSITORY")
    if name == "workflow_run":
        return _workflow_run(top, repository)
    run = _run(environment, repository)
    if name == "pull_request":
        return _pull_request(top, repository, run)
    if name == "merge_group":
        group = top.inside("merge_group")
        base, head = group.text("base_sha", _SHA), Head(group.text("head_sha", _SHA))
        return Event(name, repository, run, head, base_sha=base)
    sha = _matching(environment.get("GITHUB_SHA", ""), _SHA, "GITHUB_SHA")
    return Event(name, repository, run, Head(sha))


def default_branch(payload: str) -> str | None:
    """The repository's default branch, as the payload of any event names it; None where it does not."""
    try:
        return _Fields(json.loads(payload), "event").inside("repository").branch("default_branch")
    except (EventUnreadable, ValueError, RecursionError):
        return None


def _pull_request(top: _Fields, repository: str, run: Run) -> Event:
    pull = top.inside("pull_request")
    base, head = pull.inside("base"), _head(pull.inside("head"))
    return Event(
        "pull_request",
        repository,
        run,
        head,
        pull_request=pull.number("number"),
        base_sha=base.text("sha", _SHA),
        fork=head.repository != base.inside("repo").number("id"),
    )


def _head(fields: _Fields) -> Head:
    sha, branch = fields.text("sha", _SHA), fields.branch("ref")
    origin = fields.maybe("repo")  # null when the fork was deleted
    if origin is None:
        return Head(sha, branch=branch)
    return Head(sha, origin.number("id"), origin.inside("owner").text("login", _LOGIN), branch)


def _workflow_run(top: _Fields, repository: str) -> Event:
    fields = top.inside("workflow_run")
    if fields.inside("repository").text("full_name", _REPOSITORY).lower() != repository.lower():
        raise _unreadable("workflow_run.repository is another repository than this one")
    origin = fields.maybe("head_repository")
    sha, branch = fields.text("head_sha", _SHA), fields.branch("head_branch")
    head = Head(sha, branch=branch)
    if origin is not None:
        head = Head(sha, origin.number("id"), origin.inside("owner").text("login", _LOGIN), branch)
    return Event(
        "workflow_run",
        repository,
        Run(fields.number("id"), fields.number("run_attempt"), fields.text("html_url", _URL)),
        head,
        fork=head.repository != fields.inside("repository").number("id"),
        of=fields.text("event", re.compile(r"[a-z_]{1,60}")),
        conclusion=fields.text("conclusion", re.compile(r"[a-z_]{1,60}")),
    )


def _run(environment: Mapping[str, str], repository: str) -> Run:
    digits = re.compile(r"[0-9]{1,18}")
    identity = _matching(environment.get("GITHUB_RUN_ID", ""), digits, "GITHUB_RUN_ID")
    attempt = _matching(environment.get("GITHUB_RUN_ATTEMPT", "1"), digits, "GITHUB_RUN_ATTEMPT")
    server = environment.get("GITHUB_SERVER_URL", "https://github.com").rstrip("/")
    url = _matching(f"{server}/{repository}/actions/runs/{identity}", _URL, "GITHUB_SERVER_URL")
    return Run(int(identity), int(attempt), url)


class _Fields:
    """A JSON object of the payload that remembers where it stands."""

    def __init__(self, fields: object, place: str) -> None:
        if not isinstance(fields, dict):
            raise _unreadable(f"{place} must be an object")
        self._fields: dict[str, Any] = fields
        self._place = place

    def inside(self, key: str) -> _Fields:
        return _Fields(self._fields.get(key), f"{self._place}.{key}")

    def maybe(self, key: str) -> _Fields | None:
        return None if self._fields.get(key) is None else self.inside(key)

    def number(self, key: str) -> int:
        value = self._fields.get(key)
        if type(value) is not int or value <= 0:
            raise _unreadable(f"{self._place}.{key} must be a whole number above 0")
        return value

    def text(self, key: str, shape: re.Pattern[str]) -> str:
        return _matching(self._fields.get(key), shape, f"{self._place}.{key}")

    def branch(self, key: str) -> str:
        # Git allows almost any character here; it is only ever sent back to GitHub as a parameter.
        return self.text(key, re.compile(r"[^\x00-\x20\x7f]{1,255}"))


def _matching(value: object, shape: re.Pattern[str], place: str) -> str:
    if not isinstance(value, str) or shape.fullmatch(value) is None:
        raise _unreadable(f"{place} is missing or not of the shape GitHub gives it")
    return value


def _unreadable(why: str) -> EventUnreadable:
    return EventUnreadable.because("event-unreadable", why)
