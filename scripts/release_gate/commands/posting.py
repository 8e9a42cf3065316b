"""Brings comments to the pull request an event belongs to; what stands in the way is told, and decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_gate.commands.context import Context
from release_gate.findings import CannotJudge, Refused, finding
from release_gate.verdict import Finding, Severity

if TYPE_CHECKING:
    from release_gate.github.api import Api
    from release_gate.github.comments import Posted
    from release_gate.github.event import Event

NEEDED = "pull-requests: write"
"""The permission that a comment takes."""


def event_of(context: Context) -> Event | None:
    """The event that started the workflow; None outside of one.

    Raises:
        EventUnreadable: there is one, and its description can't be used.
    """
    from pathlib import Path

    from release_gate.github import event

    if not context.on_github:
        return None
    path = context.environment.get("GITHUB_EVENT_PATH", "")
    try:
        payload = Path(path).read_text(encoding="utf-8") if path else ""
    except (OSError, UnicodeDecodeError) as error:
        raise event.EventUnreadable.because("event-unreadable", f"GITHUB_EVENT_PATH can't be read: {error}") from error
    return event.read(context.environment.get("GITHUB_EVENT_NAME", ""), payload, context.environment)


def api_of(context: Context, event: Event, token: str) -> Api:
    """The API of the repository in which the workflow runs."""
    from release_gate.github.api import Api

    url = context.environment.get("GITHUB_API_URL") or "https://api.github.com"
    return Api(event.repository, token, context.clock, url)


def post(context: Context, event: Event, token: str | None, bodies: list[str]) -> list[Finding]:
    """Post from the run of the pull request itself: a refusal never changes what was judged."""
    if event.pull_request is None:
        return [finding("comment-none", f"an event {event.name} has no pull request to comment on")]
    if not token:
        return [finding("comment-none", "no token was given", severity=Severity.WARNING)]
    from release_gate.github.comments import post as bring
    from release_gate.github.refusals import PermissionMissing

    api = api_of(context, event, token)
    try:
        return _told(bring(api, event.pull_request, bodies))
    except PermissionMissing as refusal:
        if event.fork or context.environment.get("GITHUB_ACTOR") == "dependabot[bot]":
            words = "GitHub refused the comment, as it does in runs of forks and of Dependabot: comment.yml posts it"
            return [finding("comment-left-to-workflow-run", words)]
        # Whichever call was refused first, reading is not enough to comment.
        told = {"remedy": f"Add to the job:\n  permissions:\n    {NEEDED}", "evidence": {"permission": NEEDED}}
        return [found.model_copy(update=told) for found in as_warnings(refusal)]
    except CannotJudge as refusal:
        return as_warnings(refusal)


def post_for(api: Api, event: Event, number: int, bodies: list[str]) -> list[Finding]:
    """Post from the workflow that follows a run, where posting is all there is to do.

    Raises:
        CannotJudge: GitHub could not be asked, or refused.
    """
    from release_gate.github.comments import post as bring

    return _told(bring(api, number, bodies, in_place_of_run=not event.fork))


def _told(posted: list[Posted]) -> list[Finding]:
    told = []
    for one in posted:
        if one.what == "closed":
            told.append(finding("comment-none", "the pull request is closed"))
        if one.what == "superseded":
            told.append(finding("comment-superseded", "a newer commit or run already stands for the pull request"))
        if one.duplicates:
            told.append(finding("comment-duplicate", f"{one.duplicates} more comments of ours stand for this model"))
    return told


def as_warnings(refusal: Refused) -> list[Finding]:
    """What a refusal says, where it must not decide."""
    return [found.model_copy(update={"severity": Severity.WARNING}) for found in refusal.findings]
