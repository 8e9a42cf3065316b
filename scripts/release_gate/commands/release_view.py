"""A release as its pull request is told of it: a view of the ledger's events and of what was seen of each step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from release_gate.commands.hands import Looks
from release_gate.lifecycle.events import Event
from release_gate.lifecycle.state import State, fold
from release_gate.report.release import Answers, Phase, Release, Standing, Step

TRAFFIC = ("deployed", "stepping", "stepped", "promoted", "taking-back", "taken-back", "rolled-back")
"""Kinds of event that change, or are about to change, who serves."""
EARLIER = 3
"""How many versions before the last are told of at most, where GitHub was not told for long."""


def heard(events: Sequence[Event]) -> list[str]:
    """The versions whose pull requests have something to hear: the last one, and those nobody could be told of."""
    untold: dict[str, None] = {}
    last = None
    for event in events:
        if event.kind == "settled" and "comment" not in (event.owed or ()):
            untold.clear()
        named = _named(event)
        if named is None:
            continue
        last = named
        if "comment" in (event.owed or ()):
            untold.pop(named, None)
            untold[named] = None
    earlier = [one for one in untold if one != last][-EARLIER:]
    return [*earlier, *([last] if last is not None else [])]


def _named(event: Event) -> str | None:
    """The version an event is news of: of a rollback the one that lost its traffic, none where it was done before."""
    if event.kind == "rolled-back":
        return event.replaces
    return event.package if event.kind in (*TRAFFIC, "registered") else None


def at_fault(events: Sequence[Event]) -> tuple[Event | None, str | None]:
    """The last event by which a version lost its traffic and was blocked, and that version."""
    for event in reversed(events):
        if event.blocks and event.kind in ("taken-back", "rolled-back"):
            return event, event.package if event.kind == "taken-back" else event.replaces
    return None, None


def commit_of(events: Sequence[Event], digest: str | None) -> str | None:
    """The commit a version was registered from the last time."""
    return next((one.commit for one in reversed(events) if one.package == digest and one.commit), None)


def release_view(model: str, digest: str, events: Sequence[Event], looks: Looks, run_url: str | None) -> Release:
    """What became of a version, up to the last event that concerns it."""
    own = [one for one in events if digest in (one.package, one.replaces)]
    latest = _latest(own, digest)
    state, last = fold(events), own[-1]
    decisive = next(one for one in reversed(own) if one.kind in (*TRAFFIC, "registered"))
    phase = _phase(decisive, digest)
    share = next((one.share for one in reversed(latest) if one.share is not None), None) or 0.0
    if phase == "rolling-out" and share >= 1:
        phase = "baking"
    person = decisive.actor if decisive.kind == "rolled-back" else ""
    rolled_back = decisive.kind == "rolled-back" and decisive.replaces == digest
    return Release(
        model=model,
        digest=digest,
        commit=commit_of(events, digest) or "",
        phase=phase,
        sequence=last.sequence,
        at=decisive.at,
        replaces=_before(own, digest, state),
        share=share,
        by=person,
        because=decisive.because if decisive.kind in ("taken-back", "taking-back", "rolled-back") else "",
        serves=_serves(state),
        steps=tuple(_steps(latest, digest, looks)),
        to_do=_to_do(state, digest, rolled_back=rolled_back),
        owed=state.owed,
        run_url=run_url or decisive.run,
    )


def _phase(event: Event, digest: str) -> Phase:
    if event.kind == "rolled-back":
        return "rolled-back" if event.replaces == digest else "promoted"
    phases: Mapping[str, Phase] = {
        "registered": "production" if event.serves == "on-registration" else "registered",
        "promoted": "production" if event.serves == "on-registration" else "promoted",
        "taken-back": "taken-back",
        "taking-back": "taken-back",
    }
    return phases.get(event.kind, "rolling-out")


def _before(own: Sequence[Event], digest: str, state: State) -> str | None:
    """The version that served before this one."""
    restored = next((one.package for one in reversed(own) if one.replaces == digest), None)
    if restored is not None:
        return restored
    return state.previous if state.production == digest else state.production


def _serves(state: State) -> tuple[tuple[str, float], ...]:
    going = state.rollout
    if going is None or going.step == 0 or going.phase == "taking-back":
        return ((state.production, 1.0),) if state.production else ()
    share = going.schedule.stages[going.step - 1].share
    rest = ((going.replaces, 1 - share),) if going.replaces and share < 1 else ()
    return ((going.package, share), *rest)


def _latest(own: Sequence[Event], digest: str) -> Sequence[Event]:
    """The events of the latest rollout of a version, and what came after."""
    begins = max((n for n, one in enumerate(own) if one.kind == "deployed" and one.package == digest), default=None)
    return own[begins:] if begins is not None else ()


def _steps(latest: Sequence[Event], digest: str, looks: Looks) -> list[Step]:
    """The steps of a rollout, each with what was answered in it."""
    steps = []
    for number, event in enumerate(latest):
        if event.kind == "stepped" and event.package == digest:
            after = next((one for one in latest[number + 1 :] if one.kind in TRAFFIC), None)
            steps.append(_step(event, after, looks))
    return steps


def _step(event: Event, after: Event | None, looks: Looks) -> Step:
    seen = [one for one in looks.read(event.sequence) if one.counts is not None]
    until = after.at if after is not None else (seen[-1].at if seen else event.at)
    standing: Standing = "watching"
    if after is not None:
        passed = after.kind in ("stepping", "promoted")
        harmful = after.blocks and after.kind != "rolled-back"
        standing = "passed" if passed else "harmful" if harmful else "stopped"
    answers = []
    if len(seen) > 1:
        first, last = seen[0].counts or {}, seen[-1].counts or {}
        for version in sorted(last, key=lambda one: one != event.package):
            now, was = last[version], first.get(version)
            if was is None or now.requests < was.requests or now.errors < was.errors:
                continue
            slow = None if now.slow is None or was.slow is None else max(0, now.slow - was.slow)
            answers.append(Answers(version, now.requests - was.requests, now.errors - was.errors, slow))
    return Step(event.share or 0.0, event.at, _seconds(event.at, until), standing, tuple(answers))


def _seconds(start: datetime, end: datetime) -> float:
    return max(0.0, (end - start).total_seconds())


def _to_do(state: State, digest: str, *, rolled_back: bool) -> str:
    if digest in state.blocked:
        what = "Merge a revert, or mend the cause in a new pull request"
        if state.hold is None:
            return f"{what}."
        return f"{what}. Releases are held until main builds what serves, or the owner runs `release-gate hold --lift`."
    if digest in state.given_up:
        return "Mend what was missing, then run `release-gate deploy --again`."
    return "Nothing." if not rolled_back else "Find out why it was rolled back."
