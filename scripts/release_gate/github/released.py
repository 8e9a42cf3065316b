"""The release's comment: one for each model on the pull request that brought it, never set back by an older event."""

from __future__ import annotations

from release_gate.github.api import Api
from release_gate.github.marker import ReleaseMarker
from release_gate.github.refusals import NotFound
from release_gate.github.sticky import Posted, bring, ours


def post(api: Api, number: int, body: str) -> Posted:
    """Bring the comment up to date; it begins with its marker. A merged pull request is closed, and told all the same.

    Raises:
        PermissionMissing, with `pull-requests: write`: the token may not comment.
        CannotJudge: GitHub could not be asked.
    """
    marker = ReleaseMarker.of(body)
    if marker is None:
        raise ValueError("a comment must begin with its marker")
    there = ours(api, number, ReleaseMarker.of)
    return bring(api, number, there.get(marker.model, []), (marker, body), stands)


def amend(api: Api, identity: int, body: str) -> bool:
    """Write anew what this very run wrote, without looking for it again; whether it is still there.

    Raises:
        PermissionMissing, CannotJudge: as `post`.
    """
    try:
        api.ask("PATCH", f"{{}}/issues/comments/{identity}", body={"body": body})
    except NotFound:
        return False
    return True


def stands(existing: ReleaseMarker, wanted: ReleaseMarker) -> bool:
    """Whether what stands tells of a later event of the ledger."""
    return existing.sequence > wanted.sequence
