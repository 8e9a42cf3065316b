"""Whether the people a configuration names exist on GitHub: told apart from those at whom this token may not look."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from release_gate.findings import CannotJudge
from release_gate.github.api import Api
from release_gate.github.refusals import NotFound, PermissionMissing, Unwilling


class Known(StrEnum):
    """What GitHub says of a name. An organisation is somebody, but nobody who reads a mention."""

    EXISTS = "exists"
    ORGANISATION = "organisation"
    MISSING = "missing"
    MAY_NOT_LOOK = "may not look"


@dataclass(frozen=True)
class Person:
    """A user or team as it is written, and what is known of it."""

    name: str
    known: Known
    because: str = ""


def look_up(api: Api, names: Iterable[str]) -> list[Person]:
    """Each name once, in order.

    Raises:
        CannotJudge: GitHub could not be asked at all: token, rate limit, network.
    """
    return [_team(api, name) if "/" in name else _user(api, name) for name in dict.fromkeys(names)]


def _user(api: Api, name: str) -> Person:
    login = quote(name.removeprefix("@"), safe="")
    try:
        found = _either(api, f"/users/{login}", f"/orgs/{login}")
    except (PermissionMissing, Unwilling) as refusal:
        return _hidden(name, refusal)
    if found is None:
        return Person(name, Known.MISSING, "GitHub knows no such user")
    person = isinstance(found, dict) and found.get("type") in ("User", "Bot", "Mannequin")
    return Person(name, Known.EXISTS if person else Known.ORGANISATION)


def _either(api: Api, *places: str) -> Any:
    """What the first place that knows something says; None where none does."""
    for place in places:
        try:
            return api.ask("GET", place)
        except NotFound:
            continue
    return None


def _team(api: Api, name: str) -> Person:
    organisation, _, team = (quote(part, safe="") for part in name.removeprefix("@").partition("/"))
    place = f"/orgs/{organisation}/teams"
    try:
        members: Any = api.ask("GET", f"{place}/{team}/members", parameters={"per_page": "1"})
    except PermissionMissing as refusal:
        return _hidden(name, refusal)
    except (NotFound, Unwilling) as refusal:
        # GitHub says "not found" also of what a token may not see: only one that lists teams can tell.
        return _absent_team(api, name, organisation, place, refusal)
    if not members:
        return Person(name, Known.MISSING, "the team has no members")
    return Person(name, Known.EXISTS)


def _absent_team(api: Api, name: str, organisation: str, place: str, refusal: CannotJudge) -> Person:
    try:
        api.ask("GET", place, parameters={"per_page": "1"})
    except (NotFound, PermissionMissing, Unwilling):
        owner = _user(api, f"@{organisation}")
        if owner.known is Known.MISSING:
            return Person(name, Known.MISSING, "GitHub knows no such organisation")
        return _hidden(name, refusal)
    return Person(name, Known.MISSING, "the organisation has no such team")


def _hidden(name: str, refusal: CannotJudge) -> Person:
    return Person(name, Known.MAY_NOT_LOOK, refusal.findings[0].message)
