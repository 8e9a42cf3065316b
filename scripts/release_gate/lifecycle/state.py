"""What follows from a model's history: a pure fold of its events.

Last known good is the newest package that proved itself under all traffic (promoted, or restored by a rollback)
and is not blocked. A package that serves because nothing but its registration was asked for has not proved
itself, nor has one that was published again so: it can be production without being known to be good.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from pydantic import Field

from release_gate.lifecycle.events import Event, Schedule
from release_gate.verdict import Value

PROOFS = ("promoted", "rolled-back")
"""Kinds of event after which a package serves all traffic and, unless registering was enough, proved that it can."""

Phase = Literal["deployed", "stepping", "stepped", "taking-back"]


class Hold(Value):
    """Releases are frozen: since when, by whom, why; `package` is the one at fault, where one was."""

    since: datetime
    by: str
    because: str
    package: str | None = None


class Progress(Value):
    """A rollout that is under way.

    `replaces` was production when it began. `step` counts from 1 (0: nothing is routed yet). `phase`, `since` and
    `sequence` are kind, time and number of its latest event. `because` and `blocks` say why it is being taken back.
    """

    package: str
    replaces: str | None
    schedule: Schedule
    began: datetime
    sequence: int = 0
    step: int = 0
    phase: Phase = "deployed"
    since: datetime
    because: str = ""
    blocks: bool = False


class Restoring(Value):
    """A rollback that was begun and not finished: `package` is about to take the traffic of `replaces`."""

    package: str
    replaces: str | None
    since: datetime


class State(Value):
    """The present of a model. Packages are named by digest; `sequence` is the number of its latest event.

    `restored`: the last thing that happened to its traffic was a way back, and no release has begun since.
    `given_up`: packages whose rollout ended without proof or harm: nothing begins it again by itself.
    `compared` holds, for each package registered for a rollout, the production it was judged against.
    `registered` stands in the order of registration, `proven` in the order of proof, the newest last.
    """

    sequence: int = 0
    production: str | None = None
    previous: str | None = None
    last_known_good: str | None = None
    blocked: frozenset[str] = frozenset()
    hold: Hold | None = None
    rollout: Progress | None = None
    restoring: Restoring | None = None
    restored: bool = False
    given_up: frozenset[str] = frozenset()
    owed: tuple[str, ...] = ()
    registered: tuple[str, ...] = ()
    proven: tuple[str, ...] = ()
    compared: dict[str, str | None] = Field(default_factory=dict)

    @property
    def restorable(self) -> tuple[str, ...]:
        """Packages a rollback can go back to, the best first: proven, not blocked, not the one that loses traffic.

        What loses traffic is the candidate of a rollout, where one is under way; then production itself is the best.
        """
        losing = self.rollout.package if self.rollout is not None else self.production
        good = [one for one in reversed(self.proven) if one not in self.blocked and one != losing]
        if self.rollout is not None and self.production is not None and self.production not in self.blocked:
            good = [self.production, *(one for one in good if one != self.production)]
        return tuple(good)


class _Folding:
    """The state while events are added to it: plain collections, so that a long history costs its length."""

    def __init__(self) -> None:
        self.sequence = 0
        self.production: str | None = None
        self.previous: str | None = None
        self.blocked: set[str] = set()
        self.hold: Hold | None = None
        self.rollout: Progress | None = None
        self.restoring: Restoring | None = None
        self.restored = False
        self.given_up: set[str] = set()
        self.owed: tuple[str, ...] = ()
        self.registered: dict[str, None] = {}
        self.compared: dict[str, str | None] = {}
        self.proven: dict[str, None] = {}  # the newest proof last

    def add(self, event: Event) -> None:
        self.sequence = event.sequence
        if event.package is not None:
            self._package(event, event.package)
        if event.kind == "held":
            self.hold = Hold(since=event.at, by=event.actor, because=event.because, package=event.package)
        elif event.kind == "lifted":
            self.hold = None
        if event.owed is not None:
            self.owed = event.owed

    def _package(self, event: Event, package: str) -> None:
        if event.kind == "registered":
            # Published again from a newer commit it is the newest again: what is older never deploys over it.
            self.registered.pop(package, None)
            self.registered[package] = None
            self.given_up.discard(package)
            if event.serves == "after-rollout":
                self.compared[package] = event.compared
        elif event.kind == "blocked":
            self.blocked.add(package)
        elif event.kind == "unblocked":
            self.blocked.discard(package)
        self._rollout(event, package)
        if event.blocks:
            at_fault = package if event.kind == "taken-back" else event.replaces
            if at_fault is not None:
                self.blocked.add(at_fault)
            self.hold = Hold(since=event.at, by=event.actor, because=event.because, package=at_fault)
        if event.kind in ("deployed", "promoted", "rolled-back", "taken-back") or serves(event):
            self.restored = event.kind in ("rolled-back", "taken-back")
        if serves(event) and package != self.production:
            self.production, self.previous = package, self.production
        if proves(event):
            self.proven.pop(package, None)
            self.proven[package] = None

    def _rollout(self, event: Event, package: str) -> None:
        kind, going = event.kind, self.rollout
        if kind == "deployed" and event.schedule is not None:
            self.given_up.discard(package)
            self.rollout = Progress(
                package=package,
                replaces=self.production,
                schedule=event.schedule,
                began=event.at,
                since=event.at,
                sequence=event.sequence,
            )
        elif kind in ("stepping", "stepped") and going is not None and going.package == package:
            change = {"phase": kind, "since": event.at, "sequence": event.sequence, "step": event.step or going.step}
            self.rollout = going.model_copy(update=change)
        elif kind == "taking-back" and going is not None and going.package == package:
            change = {"phase": kind, "since": event.at, "sequence": event.sequence}
            self.rollout = going.model_copy(update={**change, "because": event.because, "blocks": bool(event.blocks)})
        elif kind == "taken-back" and going is not None and going.package == package:
            self.rollout = None
            self.given_up.add(package)
            if self.restoring is not None and self.restoring.replaces == package:
                self.restoring = None  # its traffic went back; that is what the rollback had begun for
        elif kind == "rolling-back":
            self.restoring = Restoring(package=package, replaces=event.replaces, since=event.at)
        elif kind in PROOFS:
            self.rollout = None
            self.given_up.discard(package)
            if going is not None and event.replaces == going.package and not event.blocks:
                self.given_up.add(going.package)  # nobody could watch it, and it was taken back without the ledger
            if kind == "rolled-back":
                self.restoring = None


def fold(events: Iterable[Event]) -> State:
    """The state after these events, oldest first."""
    folding = _Folding()
    for event in events:
        folding.add(event)
    good = next((one for one in reversed(folding.proven) if one not in folding.blocked), None)
    return State(
        sequence=folding.sequence,
        production=folding.production,
        previous=folding.previous,
        last_known_good=good,
        blocked=frozenset(folding.blocked),
        hold=folding.hold,
        rollout=folding.rollout,
        restoring=folding.restoring,
        restored=folding.restored,
        given_up=frozenset(folding.given_up),
        owed=folding.owed,
        registered=tuple(folding.registered),
        proven=tuple(folding.proven),
        compared=folding.compared,
    )


def serves(event: Event) -> bool:
    """Whether the package of this event serves all users from then on."""
    if event.kind == "registered":
        return event.serves == "on-registration"
    return event.kind in PROOFS


def proves(event: Event) -> bool:
    """Whether the package of this event proved itself under all traffic, and was not only put there."""
    return event.kind in PROOFS and event.serves != "on-registration"
