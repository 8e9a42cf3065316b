"""The gates' comment: one for each model and pull request, updated, never set back by an older run."""

from __future__ import annotations

from collections.abc import Iterable

from release_gate.github.api import Api
from release_gate.github.marker import Marker
from release_gate.github.sticky import Posted, bring, ours

__all__ = ["Posted", "post", "stands"]


def post(api: Api, number: int, bodies: Iterable[str], *, in_place_of_run: bool = False) -> list[Posted]:
    """Bring the comments of a pull request up to date; each body begins with its marker.

    With `in_place_of_run` a comment that the run itself could write is left as it is.

    Raises:
        PermissionMissing: the token may not write, as in a run of a fork.
        CannotJudge: GitHub could not be asked.
    """
    head = _current_head(api, number)
    wanted = [(Marker.of(body), body) for body in bodies]
    if any(marker is None for marker, _ in wanted):
        raise ValueError("a comment must begin with its marker")
    pairs = [(marker, body) for marker, body in wanted if marker is not None]
    if head is None:
        return [Posted("closed") for _ in pairs]
    if any(marker.head != head for marker, _ in pairs):
        return [Posted("superseded") for _ in pairs]  # a run judges one commit, and it is an older one
    there = ours(api, number, Marker.of)

    def older(existing: Marker, wanted: Marker) -> bool:
        return stands(existing, wanted, in_place_of_run=in_place_of_run)

    return [bring(api, number, there.get(pair[0].model, []), pair, older) for pair in pairs]


def stands(existing: Marker, wanted: Marker, *, in_place_of_run: bool = False) -> bool:
    """Whether what stands was judged later, on the same commit; another commit is not the head any more."""
    later = existing.run > wanted.run or (in_place_of_run and existing.run == wanted.run)
    return existing.head == wanted.head and later


def _current_head(api: Api, number: int) -> str | None:
    pull = api.ask("GET", f"{{}}/pulls/{number}")
    head = pull.get("head") if isinstance(pull, dict) else None
    sha = head.get("sha") if isinstance(head, dict) else None
    return sha if isinstance(sha, str) and pull.get("state") == "open" else None
