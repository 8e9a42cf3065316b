"""Carries a rollout out: asks the plan what is next, records the intent, acts, records that it is done.

Killed anywhere it is resumed by calling it again. The ledger's last sequence is the fence: an event is appended only
where nobody came first, and the target refuses a route whose fence is older than one it has seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from release_gate.commands.hands import Hands
from release_gate.findings import CannotJudge, Refused, finding
from release_gate.gates.canary import Look, judge_step
from release_gate.lifecycle.rollout import (
    Action,
    Begin,
    Ended,
    Promote,
    Step,
    TakeBack,
    Watch,
    Watched,
    next_action,
)
from release_gate.lifecycle.state import Progress, State
from release_gate.serving.targets.target import Fenced
from release_gate.verdict import Finding, Outcome, Severity, Table

if TYPE_CHECKING:
    from release_gate.rollouts import Rollout

ENDS = {
    "deploy-overtaken": Outcome.INCONCLUSIVE,
    "deploy-busy": Outcome.INCONCLUSIVE,
    "deploy-given-up-before": Outcome.INCONCLUSIVE,
    "deploy-nothing-under-way": Outcome.PASS,
}
"""Endings that say nothing against the version itself; the others refuse it."""
LOST = ("package-missing", "package-incomplete", "package-corrupt", "package-newer")
"""What is said of a package whose bytes are not what was registered."""
TOLERANCE = 0.01
"""How far the share that a target reads back may be from the one it was given: weights are whole numbers."""
FENCED = 20
"""How often the target may say that somebody newer decided before the ledger shows who."""


@dataclass
class Told:
    """What a rollout has to say at its end."""

    package: str
    outcome: Outcome = Outcome.INCONCLUSIVE
    findings: list[Finding] = field(default_factory=list)
    tables: dict[int, Table] = field(default_factory=dict)
    notes: dict[int, tuple[Finding, ...]] = field(default_factory=dict)
    state: State = field(default_factory=State)
    aborts: bool = False
    over: bool = False


def roll(
    hands: Hands,
    package: str,
    rollout: Rollout,
    *,
    behind: bool = False,
    again: bool = False,
    abort: str | None = None,
    tick: bool = False,
) -> Told:
    """Roll a package out until it is promoted, taken back or overtaken; with `tick` only what is due now.

    Raises:
        CannotJudge: ledger or target can't be reached for too long: run again, nothing is lost.
    """
    told, fenced, looked = Told(package, aborts=abort is not None), 0, False
    wishes: dict[str, Any] = {"behind": behind, "again": again, "abort": abort}
    while True:
        _, told.state = hands.read()
        watched, looks = _watched(hands, told, rollout)
        action = next_action(told.state, package, rollout, now=hands.clock.now(), watched=watched, **wishes)
        if isinstance(action, Ended) or told.over:
            return _ended(hands, told, action, package)
        if isinstance(action, Watch) and tick and looked:
            told.findings.append(finding("deploy-under-way", _progress(told.state)))
            told.outcome = Outcome.PASS
            return told
        try:
            if isinstance(action, Watch):
                looked = _look(hands, told.state, looks, rollout) or looked
            else:
                _carry_out(hands, told, action)
            fenced = 0
        except Fenced as newer:
            fenced += 1
            if fenced > FENCED:
                message = f"the target obeys decision {newer.fence}, the ledger ends at {told.state.sequence}"
                raise CannotJudge.because("target-ahead", message) from newer
            hands.clock.sleep(0.2)


def _carry_out(hands: Hands, told: Told, action: Begin | Step | Promote | TakeBack) -> None:
    if isinstance(action, Begin):
        hands.record(told.state, "deployed", told.package, schedule=action.schedule)
    elif isinstance(action, Step):
        _step(hands, told, action)
    elif isinstance(action, Promote):
        _promote(hands, told)
    else:
        _take_back(hands, told, action)


def _watched(hands: Hands, told: Told, rollout: Rollout) -> tuple[Watched | None, list[Look]]:
    """What the looks of the step under way say, and the looks."""
    going = told.state.rollout
    if going is None or going.package != told.package or going.phase != "stepped":
        return None, []
    looks = hands.looks.read(going.sequence)
    if not looks:
        return None, []
    canary = judge_step(looks, going, rollout, hands.clock.now())
    told.tables[going.step], told.notes[going.step] = canary.table, canary.notes
    return canary.watched, looks


def _look(hands: Hands, state: State, looks: list[Look], rollout: Rollout) -> bool:
    """Look at the counters if it is time, else wait until it is; whether it was."""
    going, now = _going(state), hands.clock.now()
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
        return Look(at=now, problem=str(refusal)[:2000])


def _step(hands: Hands, told: Told, action: Step) -> None:
    going, state = _going(told.state), told.state
    if not (going.phase == "stepping" and going.step == action.step):
        recorded = hands.record(state, "stepping", going.package, step=action.step, share=action.share)
        if recorded is None:
            return
        state = recorded
    try:
        problems = _given(hands, going, action.share, state.sequence)
        harm = bool(problems)
    except Refused as refusal:
        # What the world refused says nothing against the version; what is wrong with the version itself does. Bytes
        # that a registry lost or spoilt are the world's: no revert would bring them back.
        lost = all(one.code in LOST for one in refusal.findings)
        problems, harm = list(refusal.findings), not isinstance(refusal, CannotJudge) and not lost
    if problems:
        told.findings.extend(problems)
        because = f"step {action.step} ({action.share:.0%}): {problems[0].message}"[:2000]
        hands.record(state, "taking-back", going.package, because=because, blocks=harm)
    elif hands.record(state, "stepped", going.package, step=action.step, share=action.share) is not None:
        hands.say(f"{action.share:.0%} of traffic goes to {going.package}")
        hands.follow()


def _given(hands: Hands, going: Progress, share: float, fence: int) -> list[Finding]:
    """Give the candidate its share; what its smoke checks found wrong, before any traffic or under all of it."""
    others = {going.replaces: 1 - share} if going.replaces is not None and share < 1 else {}
    problems: list[Finding] = []

    def effect() -> None:
        # The version that may have to take all traffic back is up before the new one gets any.
        if going.replaces is not None:
            hands.start(going.replaces)
        own = hands.start(going.package)
        problems[:] = hands.proven(going.package, own, {going.package}) if own else []
        if problems:
            return
        hands.target.route({going.package: share, **others}, fence=fence)
        if not others:
            problems[:] = hands.proven(going.package, hands.target.url, {going.package})

    hands.trying(effect)
    return problems


def _promote(hands: Hands, told: Told) -> None:
    going = _going(told.state)
    if hands.record(told.state, "promoted", going.package, owed=_owed(hands)) is None:
        return
    told.outcome, told.over = Outcome.PASS, True
    told.findings.append(finding("deploy-promoted", f"{going.package} passed its bake and is production"))


def _take_back(hands: Hands, told: Told, action: TakeBack) -> None:
    going, state = _going(told.state), told.state
    if going.phase != "taking-back":
        why = {"because": action.because[:2000], "blocks": action.blocks}
        recorded = hands.record(state, "taking-back", going.package, **why)
        if recorded is None:
            return
        state = recorded
    hands.say(f"taking back {going.package}: {action.because}")

    def effect() -> None:
        if going.replaces is not None and going.step > 0:
            hands.start(going.replaces)
            hands.target.route({going.replaces: 1.0}, fence=state.sequence)

    hands.trying(effect)
    if going.replaces is not None and going.step > 0:
        told.findings.extend(hands.proven(going.replaces, hands.target.url, {going.replaces}))
    fields = {"because": action.because[:2000], "blocks": action.blocks, "owed": _owed(hands, action.blocks)}
    if hands.record(state, "taken-back", going.package, **fields) is None:
        return
    told.outcome, told.over = Outcome.FAIL if action.blocks else Outcome.INCONCLUSIVE, True
    code = "deploy-taken-back" if action.blocks else "deploy-given-up"
    severity = Severity.WARNING if told.aborts else None  # it was asked for
    told.findings.append(finding(code, f"{going.package} was taken back: {action.because}", severity=severity))
    if going.replaces is None and going.step > 0:
        message = f"{going.package} was the first version: there is none before it, so it still takes the traffic"
        told.findings.append(finding("deploy-nothing-before", message))


def _ended(hands: Hands, told: Told, action: Action, package: str) -> Told:
    """How it ended. What a kill may have left undone after the last event is done now: it is idempotent."""
    if isinstance(action, Ended) and not told.over:
        told.findings.append(action.finding)
        told.outcome = ENDS.get(action.finding.code, Outcome.FAIL)
    if told.state.production == package:
        told.outcome = Outcome.PASS
        _started_anew(hands, told, package)
        if not hands.target.owes():  # else the ledger does not know yet what serves
            hands.target.keep(package)
    if told.aborts and told.over and told.outcome is Outcome.INCONCLUSIVE:
        told.outcome = Outcome.PASS  # it was taken back, as asked
    told.findings.extend(note for notes in told.notes.values() for note in notes)
    hands.let_go(told.state)
    return told


def _started_anew(hands: Hands, told: Told, production: str) -> None:
    """Give production its traffic where the target has none for it: after a restart of the machine nothing runs."""
    taking = {digest for digest, share in hands.target.routed().items() if share > 0}
    if taking == {production} or told.state.rollout is not None or told.state.restoring is not None:
        return

    def effect() -> None:
        hands.start(production)
        hands.target.route({production: 1.0}, fence=told.state.sequence)

    try:
        hands.trying(effect)
    except Fenced:
        return  # somebody newer decides what serves
    others = ", ".join(sorted(taking)) or "nothing"
    message = f"{production} is production, but {others} took the traffic; it was started and takes all of it again"
    told.findings.append(finding("deploy-restarted", message))


def _owed(hands: Hands, blocks: bool = False) -> tuple[str, ...]:
    """What is owed to GitHub from the moment a rollout ends; a revert only where something is at fault."""
    return tuple(one for one in hands.owed if blocks or one != "revert")


def _going(state: State) -> Progress:
    assert state.rollout is not None  # noqa: S101 - for the type checker: the plan acts on a rollout only
    return state.rollout


def _progress(state: State) -> str:
    going = _going(state)
    return f"{going.package} is at step {going.step} of {len(going.schedule.stages)}"
