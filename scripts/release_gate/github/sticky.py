"""Comments of ours on a pull request that are found again by their hidden marker, and written only if they differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, TypeVar

from release_gate.github.api import Api
from release_gate.github.refusals import NotFound, PermissionMissing

ACTIONS = "github-actions[bot]"


class Marked(Protocol):
    """A marker of any kind: each model has a comment of its own."""

    @property
    def model(self) -> str:
        """The model it is about."""
        ...


Kind = TypeVar("Kind", bound=Marked)


@dataclass(frozen=True)
class Comment(Generic[Kind]):
    """A comment that is ours: its number, text and marker."""

    identity: int
    body: str
    marker: Kind


@dataclass(frozen=True)
class Posted:
    """What became of a comment, its number, and how many others of ours stand beside it."""

    what: Literal["created", "updated", "unchanged", "superseded", "closed"]
    url: str | None = None
    duplicates: int = 0
    identity: int | None = None


def ours(api: Api, number: int, parse: Callable[[str], Kind | None]) -> dict[str, list[Comment[Kind]]]:
    """Comments with a marker of one kind by the token's own author, oldest first, by model."""
    marked = []
    for one in api.pages(f"{{}}/issues/{number}/comments"):
        body = one.get("body") if isinstance(one, dict) else None
        marker = parse(body) if isinstance(body, str) else None
        if marker is not None and isinstance(one.get("id"), int):
            marked.append((one, Comment(one["id"], str(body), marker)))
    if not marked:
        return {}
    author = _login(api)
    found: dict[str, list[Comment[Kind]]] = {}
    for one, comment in sorted(marked, key=lambda pair: pair[1].identity):
        if _written_by(one, author):
            found.setdefault(comment.marker.model, []).append(comment)
    return found


def bring(
    api: Api,
    number: int,
    there: list[Comment[Kind]],
    wanted: tuple[Kind, str],
    stands: Callable[[Kind, Kind], bool],
) -> Posted:
    """Write the comment, or bring the oldest of those there up to date, unless a newer one stands."""
    marker, body = wanted
    more = max(len(there) - 1, 0)
    if there and stands(there[0].marker, marker):
        return Posted("superseded", duplicates=more)
    if not there:
        made = api.ask("POST", f"{{}}/issues/{number}/comments", body={"body": body})
        return Posted("created", _url(made), identity=_identity(made))
    first = there[0]
    if _same(first.body, body):
        return Posted("unchanged", duplicates=more, identity=first.identity)
    try:
        changed = api.ask("PATCH", f"{{}}/issues/comments/{first.identity}", body={"body": body})
    except NotFound:
        # Somebody deleted it between our look and our write.
        made = api.ask("POST", f"{{}}/issues/{number}/comments", body={"body": body})
        return Posted("created", _url(made), more, _identity(made))
    return Posted("updated", _url(changed), more, first.identity)


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


def _identity(answer: object) -> int | None:
    identity = answer.get("id") if isinstance(answer, dict) else None
    return identity if type(identity) is int else None


def _url(answer: object) -> str | None:
    url = answer.get("html_url") if isinstance(answer, dict) else None
    return url if isinstance(url, str) else None
