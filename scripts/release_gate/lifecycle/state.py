"""What follows from a model's history: a pure fold of its events.

Last known good is the newest package that proved itself under all traffic (promoted, or restored by a rollback)
and is not blocked. A package that serves because nothing but its registration was asked for has not proved
itself, nor has one that was published again so: it can be production without being known to be good.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from release_gate.lifecycle.events import Event
from release_gate.verdict import Value

PROOFS = ("promoted", "rolled-back")
"""Kinds of event after which a package serves all traffic and, unless registering was enough, proved that it can."""


class Hold(Value):
    """Releases are frozen: since when, by whom, why."""

    since: datetime
    by: str
    because: str


class State(Value):
    """The present of a model. Packages are named by digest."""

    production: str | None = None
    previous: str | None = None
    last_known_good: str | None = None
    blocked: frozenset[str] = frozenset()
    hold: Hold | None = None
    rollout: str | None = None
    owed: tuple[str, ...] = ()
    registered: tuple[str, ...] = ()


def fold(events: Iterable[Event]) -> State:
    """The state after these events, oldest first."""
    state = State()
    proven: tuple[str, ...] = ()  # packages that proved themselves, the newest proof last
    for event in events:
        state = state.model_copy(update={**_of_package(state, event), **_of_model(event)})
        if event.package is not None and proves(event):
            proven = (*(one for one in proven if one != event.package), event.package)
    good = next((one for one in reversed(proven) if one not in state.blocked), None)
    return state.model_copy(update={"last_known_good": good})


def _of_package(state: State, event: Event) -> dict[str, object]:
    """What changes by what happened to the event's package."""
    package = event.package
    if package is None:
        return {}
    change: dict[str, object] = {}
    if event.kind == "registered" and package not in state.registered:
        change["registered"] = (*state.registered, package)
    elif event.kind == "deployed":
        change["rollout"] = package
    elif event.kind in PROOFS:
        change["rollout"] = None
    elif event.kind in ("blocked", "unblocked"):
        change["blocked"] = state.blocked | {package} if event.kind == "blocked" else state.blocked - {package}
    if serves(event) and package != state.production:
        change |= {"production": package, "previous": state.production}
    return change


def _of_model(event: Event) -> dict[str, object]:
    """What changes for the model as a whole."""
    change: dict[str, object] = {}
    if event.kind == "held":
        change["hold"] = Hold(since=event.at, by=event.actor, because=event.because)
    elif event.kind == "lifted":
        change["hold"] = None
    if event.owed is not None:
        change["owed"] = event.owed
    return change


def serves(event: Event) -> bool:
    """Whether the package of this event serves all users from then on."""
    if event.kind == "registered":
        return event.serves == "on-registration"
    return event.kind in PROOFS


def proves(event: Event) -> bool:
    """Whether the package of this event proved itself under all traffic, and was not only put there."""
    return event.kind in PROOFS and event.serves != "on-registration"
