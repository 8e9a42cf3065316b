"""The versions of a model as a list: what each was made from, and what it is now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from release_gate.lifecycle.events import Event
from release_gate.lifecycle.state import State, fold
from release_gate.verdict import Value


class Listed(Value):
    """A registered version; registered several times, time and source are those of the last time.

    `now`: every word that is true of it, the most telling first; `registered` where there is nothing else to say.
    `proven`: it passed its bake, and a rollback can go back to it; `previous`: `rollback --to previous` does.
    """

    digest: str
    registered_at: datetime
    commit: str | None
    tree: str | None
    now: tuple[str, ...]


def listed(events: Sequence[Event]) -> list[Listed]:
    """Every registered version, the one registered last first."""
    state = fold(events)
    newest = {event.package: event for event in _registrations(events)}
    found = []
    for digest in reversed(state.registered):
        event = newest[digest]
        now = tuple(_words(state, digest)) or ("registered",)
        found.append(Listed(digest=digest, registered_at=event.at, commit=event.commit, tree=event.tree, now=now))
    return found


def previous(state: State) -> str | None:
    """What `previous` names: the version that `rollback --to previous` goes to.

    Where nothing ever proved itself, as without rollouts, it is what production replaced. A blocked one is never it.
    """
    if state.proven:
        return next((one for one in state.restorable if one != state.production), None)
    return None if state.previous in state.blocked else state.previous


def released_from(events: Sequence[Event], commit: str | None, tree: str | None) -> str | None:
    """The version that a checkout would only make again: no need to build, judge and register it once more.

    That is one registered from this very commit; or the one registered last, where it was made from the same tree
    (the commits since then changed other folders). An older version of the same tree is not it: who went back to
    that tree means to release it anew, judged against what is production by now. So is one that production overtook
    after it was judged.
    """
    found = _made(events, commit, tree)
    return None if found is None or _overtaken(fold(events), found) else found


def _made(events: Sequence[Event], commit: str | None, tree: str | None) -> str | None:
    registrations = list(_registrations(events))
    for event in reversed(registrations):
        if commit is not None and event.commit == commit:
            return event.package
    last = registrations[-1] if registrations else None
    return last.package if last is not None and tree is not None and last.tree == tree else None


def _overtaken(state: State, digest: str) -> bool:
    """Whether it was judged against another production than today's, and is newer than that one.

    An older one needs no new judgement: `deploy` refuses it, and says so.
    """
    under_way = state.rollout.package if state.rollout is not None else None
    if digest in (state.production, under_way) or state.compared.get(digest, state.production) == state.production:
        return False
    order = state.registered
    return state.production not in order or order.index(digest) > order.index(state.production)


def _registrations(events: Sequence[Event]) -> Iterator[Event]:
    """The events by which a package was published, for the first time or again."""
    for event in events:
        if event.package is not None and (event.kind == "registered" or event.serves == "on-registration"):
            yield event


def _words(state: State, digest: str) -> Iterator[str]:
    rollout = state.rollout.package if state.rollout is not None else None
    blocked, ended = digest in state.blocked, digest in state.given_up
    facts = {
        "production": digest == state.production,
        "in rollout": digest == rollout,
        "blocked": blocked,
        "taken back": blocked and ended,
        "given up": ended and not blocked,  # it lacked proof, and nobody knows of harm
        "last known good": digest == state.last_known_good,
        "previous": digest == previous(state),
        "proven": digest in state.proven and not blocked and digest != state.production,
    }
    return (word for word, true in facts.items() if true)
