"""Where a rollback goes: a pure plan. It fails safe: what speaks against a release never stands in its way.

Without a name it goes to the newest version that proved itself and is not blocked. Asked again after it was done,
it proves once more what it restored instead of going back one version further: a button pressed twice, or a job run
again, must not undo more than the first press. To go further back a person names the version.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from release_gate.findings import finding
from release_gate.lifecycle.state import State
from release_gate.verdict import Finding, Value


@dataclass(frozen=True)
class Restoration:
    """Versions to try, the best first, instead of `replaces`, None where nothing loses its traffic.

    `blames`: what is replaced is at fault, and may not serve again.
    """

    candidates: tuple[str, ...]
    replaces: str | None
    blames: bool = True
    findings: tuple[Finding, ...] = field(default=())


@dataclass(frozen=True)
class Stuck:
    """Why there is nowhere to go; `stays` is what serves and may go on, so that it is at least seen to."""

    finding: Finding
    stays: str | None = None


class Restored(Value):
    """What a rollback gave all traffic to, what lost it by that, where something did, and whether it proved itself."""

    package: str
    replaces: str | None = None
    proven: bool = False


def restoration(state: State, to: str | None = None) -> Restoration | Stuck:
    """Where a rollback goes from this state, or why there is nowhere to go."""
    if state.restoring is not None:
        # Another rollback was killed, or runs at this moment: the same end is right for both.
        replaces = state.restoring.replaces
        # One that was blocked since then is no place to go to, unless a person names it.
        first = state.restoring.package if state.restoring.package not in state.blocked else None
    else:
        replaces = state.rollout.package if state.rollout is not None else state.production
        first = None
    if to is not None:
        return _named(state, to, replaces)
    serves = state.production is not None and state.production not in state.blocked
    if state.restored and state.restoring is None and state.production is not None and serves:
        others = [one for one in state.restorable if one != state.production]
        return Restoration((state.production, *others), None)
    good = [one for one in state.restorable if one not in (replaces, first)]
    candidates = tuple(filter(None, (first, *good)))
    if not candidates:
        return Stuck(_nothing(state, replaces), state.production if serves else None)
    return Restoration(candidates, replaces)


def _nothing(state: State, replaces: str | None) -> Finding:
    """Nothing to go back to, with what a person could name all the same."""
    if replaces is None:
        return finding("rollback-nothing", "no version serves, and none ever proved itself")
    blocked = [one for one in reversed(state.proven) if one in state.blocked and one != replaces]
    message = f"no version that proved itself and is not blocked could take over from {replaces}"
    also = f"; blocked, but good once: {', '.join(blocked)}" if blocked else ""
    return finding("rollback-nothing", f"{message}{also}")


def _named(state: State, to: str, replaces: str | None) -> Restoration | Stuck:
    if to not in state.registered:
        return Stuck(finding("rollback-unknown", f"{to} was never registered"))
    if to == replaces and state.rollout is not None:
        message = f"{to} is the version being rolled out; that is what would be taken back"
        return Stuck(finding("rollback-unknown", message))
    notes = []
    if to in state.blocked:
        notes.append(finding("rollback-to-blocked", f"{to} is blocked; it is restored because a person named it"))
    elif to not in state.proven:
        notes.append(finding("rollback-to-unproven", f"{to} never passed a bake"))
    return Restoration((to,), None if to == replaces else replaces, findings=(*notes,))


def unrecorded(
    kept: Sequence[str], routed: Sequence[str], before: Restored | None, to: str | None
) -> Restoration | Stuck:
    """The same where the ledger can't be read: by what the target keeps as good, routes, and restored before.

    `kept`: the latest first; `routed`: the largest share first.
    """
    if before is not None and to in (None, before.package):
        # Pressed again it goes no further back, and blames the same version.
        others = [one for one in kept if one not in (before.package, before.replaces)] if to is None else []
        return Restoration((before.package, *others), before.replaces)
    losing = _losing(kept, routed)
    if before is not None and not before.proven:
        losing = before.replaces  # a rollback was begun and never proven: what it began for is at fault still
    if to is not None:
        return Restoration((to,), losing if losing != to else None)
    good = tuple(one for one in kept if one != losing)
    if not good:
        message = "the ledger can't be read, and the target keeps no other version that was good"
        return Stuck(finding("rollback-nothing", message), losing if losing in kept else None)
    return Restoration(good, losing)


def given_up(kept: Sequence[str], routed: Sequence[str]) -> Restoration | None:
    """Where the traffic of a rollout goes that nobody watches, by what the target shows; None where it shows none."""
    losing = _losing(kept, routed)
    good = tuple(one for one in kept if one != losing)
    if losing is None or not good or (len(routed) == 1 and losing in kept):
        return None
    return Restoration(good, losing, blames=False)


def _losing(kept: Sequence[str], routed: Sequence[str]) -> str | None:
    """What people complain about: the candidate where one shares the traffic, else what has all of it."""
    if len(routed) < 2:
        return routed[0] if routed else None
    return next((one for one in routed if one not in kept), None) or next(one for one in routed if one != kept[0])
