"""The sticky comment: one for each model and pull request, found again, updated, never set back by an older run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from release_gate.github.api import Api
from release_gate.github.marker import Marker
from release_gate.github.refusals import NotFound, PermissionMissing

ACTIONS = "github-actions[bot]"


@dataclass(frozen=True)
class Comment:
    """A comment that is ours: its number, text and marker."""

    identity: int
    body: str
    marker: Marker


@dataclass(frozen=True)
class Posted:
    """What became of a comment, and how many others of ours stand beside it."""

    what: Literal["created", "updated", "unchanged", "superseded", "closed"]
    url: str | None = None
    duplicates: int = 0


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
    ours = _ours(api, number)
    return [_bring(api, number, ours.get(pair[0].model, []), pair, in_place_of_run=in_place_of_run) for pair in pairs]


def stands(existing: Marker, wanted: Marker, *, in_place_of_run: bool = False) -> bool:
    """Whether what stands was judged later, on the same commit; another commit is not the head any more."""
    later = existing.run > wanted.run or (in_place_of_run and existing.run == wanted.run)
    return existing.head == wanted.head and later


def _bring(api: Api, number: int, ours: list[Comment], wanted: tuple[Marker, str], *, in_place_of_run: bool) -> Posted:
    marker, body = wanted
    more = max(len(ours) - 1, 0)
    if ours and stands(ours[0].marker, marker, in_place_of_run=in_place_of_run):
        return Posted("superseded", duplicates=more)
    if not ours:
        made = api.ask("POST", f"{{}}/issues/{number}/comments", body={"body": body})
        return Posted("created", _url(made))
    first = ours[0]
    if _same(first.body, body):
        return Posted("unchanged", duplicates=more)
    try:
        changed = api.ask("PATCH", f"{{}}/issues/comments/{first.identity}", body={"body": body})
    except NotFound:
        # Somebody deleted it between our look and our write.
        made = api.ask("POST", f"{{}}/issues/{number}/comments", body={"body": body})
        return Posted("created", _url(made), more)
    return Posted("updated", _url(changed), more)


def _current_head(api: Api, number: int) -> str | None:
    pull = api.ask("GET", f"{{}}/pulls/{number}")
    head = pull.get("head") if isinstance(pull, dict) else None
    sha = head.get("sha") if isinstance(head, dict) else None
    return sha if isinstance(sha, str) and pull.get("state") == "open" else None


def _ours(api: Api, number: int) -> dict[str, list[Comment]]:
    """Comments with a marker by the token's own author, oldest first, by model."""
    marked = []
    for one in api.pages(f"{{}}/issues/{number}/comments"):
        body = one.get("body") if isinstance(one, dict) else None
        marker = Marker.of(body) if isinstance(body, str) else None
        if marker is not None and isinstance(one.get("id"), int):
            marked.append((one, Comment(one["id"], str(body), marker)))
    if not marked:
        return {}
    author = _login(api)
    found: dict[str, list[Comment]] = {}
    for one, comment in sorted(marked, key=lambda pair: pair[1].identity):
        if _written_by(one, author):
            found.setdefault(comment.marker.model, []).append(comment)
    return found


def _login(api: Api) -> str | None:
    """The login the token writes as. An installation's token, as GITHUB_TOKEN is one, may not ask: None."""
    try:
        user = api.ask("GET", "/user")
    except (PermissionMissing, NotFound):
        return None
    login = user.get("login") if isinstance(user, dict) else None
    return login if isinstance(login, str) else None


def _written_by(comment: Mapping[str, Any], author: str | None) -> bool:
    user = comment.get("user")
    if not isinstance(user, dict):
        return False
    if author is not None:
        return user.get("login") == author
    # Which app the token is of can't be asked. A person can't write as a bot, so a bot's comment that begins with
    # our marker is an app's; a bot that repeats what people write puts it behind something of its own.
    return user.get("login") == ACTIONS or user.get("type") == "Bot"


def _same(one: str, other: str) -> bool:
    # GitHub stores what a form sent, with its line ends, and strips the blanks at the end.
    return one.replace("\r\n", "\n").rstrip() == other.replace("\r\n", "\n").rstrip()


def _url(answer: object) -> str | None:
    url = answer.get("html_url") if isinstance(answer, dict) else None
    return url if isinstance(url, str) else None
