"""Looks at the counters of a rollout that is watched, when it is time."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from release_gate.commands.hands import Hands
from release_gate.findings import Refused
from release_gate.gates.canary import Look
from release_gate.lifecycle.state import Progress

if TYPE_CHECKING:
    from release_gate.rollouts import Rollout

TOLERANCE = 0.01
"""How far the share that a target reads back may be from the one it was given: weights are whole numbers."""
LONGEST = 1900
"""Characters of a message that are kept: with what is said around them as many as an event takes."""


def look(hands: Hands, going: Progress, looks: list[Look], rollout: Rollout) -> bool:
    """Look at the counters if it is time, else wait until it is; whether it was."""
    now = hands.clock.now()
    wait = rollout.look - (now - looks[-1].at).total_seconds() if looks else 0.0
    if 0 < wait <= rollout.look:
        hands.clock.sleep(wait)
        return False
    hands.looks.add(going.sequence, _seen(hands, going, now), len(looks) + 1)
    return True


def _seen(hands: Hands, going: Progress, now: datetime) -> Look:
    versions = [one for one in (going.package, going.replaces) if one is not None]
    share = going.schedule.stages[going.step - 1].share
    try:
        # Totals that stand still look like calm: what is watched must be what the target routes at this moment.
        taken = hands.target.routed().get(going.package, 0.0)
        if abs(taken - share) > TOLERANCE:
            problem = f"the target gives {going.package} {taken:.1%} of the traffic instead of {share:.1%}"
            hands.say(f"no look: {problem}")
            return Look(at=now, problem=problem)
        return Look(at=now, counts=dict(hands.counted(versions)))
    except Refused as refusal:
        hands.say(f"no look: {refusal}")
        return Look(at=now, problem=headline(str(refusal)))


def headline(message: str) -> str:
    """What of a message goes into the ledger, and from there into comments that anyone may read.

    The lines below the first quote what a server or a command printed: those stay in the verdict.
    """
    return message.partition("\n")[0][:LONGEST]
