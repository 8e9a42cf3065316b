"""Where a rollback goes: a pure plan. It fails safe: what speaks against a release never stands in its way.

Without a name it goes to the newest version that proved itself and is not blocked. Asked again after it was done,
it proves once more what it restored instead of going back one version further: a button pressed twice, or a job run
again, must not undo more than the first press. To go further back a person names the version.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from release_gate.findings import finding
from release_gate.lifecycle.state import State
from release_gate.verdict import Finding


@dataclass(frozen=True)
class Restoration:
    """Versions to try, the best first, instead of `replaces`; `repeated`: it was done before, and is proven again."""

    candidates: tuple[str, ...]
    replaces: str | None
    repeated: bool = False
    findings: tuple[Finding, ...] = field(default=())


def restoration(state: State, to: str | None = None) -> Restoration | Finding:
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
        return Restoration((state.production, *others), None, repeated=True)
    good = [one for one in state.restorable if one not in (replaces, first)]
    candidates = tuple(filter(None, (first, *good)))
    if not candidates:
        return finding("rollback-nothing", f"nothing ever proved itself that could take over from {replaces or 'it'}")
    return Restoration(candidates, replaces)


def _named(state: State, to: str, replaces: str | None) -> Restoration | Finding:
    if to not in state.registered:
        return finding("rollback-unknown", f"{to} was never registered")
    if to == replaces and state.rollout is not None:
        return finding("rollback-unknown", f"{to} is the version being rolled out; that is what would be taken back")
    notes = []
    if to in state.blocked:
        notes.append(finding("rollback-to-blocked", f"{to} is blocked; it is restored because a person named it"))
    elif to not in state.proven:
        notes.append(finding("rollback-to-unproven", f"{to} never passed a bake"))
    return Restoration((to,), None if to == replaces else replaces, repeated=to == state.production, findings=(*notes,))
