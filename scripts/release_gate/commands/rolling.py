"""Carries a rollout out: asks the plan what is next, records the intent, acts, records that it is done.

Killed anywhere it is resumed by calling it again. The ledger's last sequence is the fence: an event is appended only
where nobody came first, and the target refuses a route whose fence is older than one it has seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from release_gate.commands.giving_back import given_back
from release_gate.commands.hands import Hands
from release_gate.commands.looking import headline, look
from release_gate.commands.patience import Patience
from release_gate.findings import CannotJudge, Refused, finding
from release_gate.gates.canary import Look, judge_step
from release_gate.lifecycle.events import Event
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
FENCED = 20
"""How often the target may say that somebody newer decided before the ledger shows who."""


@dataclass(frozen=True)
class Closing:
    """How this process wants to end the rollout: true once event number `sequence` is of that kind and its own."""

    sequence: int
    kind: str
    outcome: Outcome
    findings: tuple[Finding, ...]


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
    closing: Closing | None = None
    over: bool = False

    def tell(self, findings: Iterable[Finding]) -> None:
        """Add what was not said before: where the ledger was away, an effect is had again."""
        for one in findings:
            if one not in self.findings:
                self.findings.append(one)


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

    A ledger that does not answer is waited for, up to half of the rollout's lease.

    Raises:
        CannotJudge: ledger or target can't be reached for too long: run again, nothing is lost.
    """
    told, fenced, looked = Told(package, aborts=abort is not None), 0, False
    wishes: dict[str, Any] = {"behind": behind, "again": again, "abort": abort}
    patience = Patience(hands.clock, hands.say, tick=tick)
    while True:
        try:
            action, looks = _planned(hands, told, rollout, wishes)
            if isinstance(action, Ended) or told.over:
                break
            if isinstance(action, Watch) and tick and looked:
                told.findings.append(finding("deploy-under-way", _progress(told.state)))
                told.outcome = Outcome.PASS
                return told
            if isinstance(action, Watch):
                looked = look(hands, _going(told.state), looks, rollout) or looked
            else:
                _carry_out(hands, told, action)
            fenced = 0
            patience.answered()
        except Fenced as newer:
            fenced += 1
            if fenced > FENCED:
                message = f"the target obeys decision {newer.fence}, the ledger ends at {told.state.sequence}"
                raise CannotJudge.because("target-ahead", message) from newer
            hands.clock.sleep(0.2)
        except CannotJudge as refusal:
            # Whether it took what it was last given is found by reading: what is next is planned anew.
            going = told.state.rollout
            patience.wait(refusal, going.schedule.lease if going is not None else rollout.lease)
    return _ended(hands, told, action)


def _planned(hands: Hands, told: Told, rollout: Rollout, wishes: dict[str, Any]) -> tuple[Action, list[Look]]:
    """What is next by the ledger as it is now, and the looks of the step under way."""
    events, told.state = hands.read()
    _closed(hands, told, events)
    watched, looks = _watched(hands, told, rollout)
    return next_action(told.state, told.package, rollout, now=hands.clock.now(), watched=watched, **wishes), looks


def _closed(hands: Hands, told: Told, events: Sequence[Event]) -> None:
    """Tell how the rollout ended once the ledger says so: the answer to the append may have been lost."""
    closing = told.closing
    if told.over or closing is None or len(events) < closing.sequence:
        return
    event = events[closing.sequence - 1]
    ours = (closing.kind, told.package, hands.by.actor, hands.by.run)
    if (event.kind, event.package, event.actor, event.run) == ours:
        told.over, told.outcome = True, closing.outcome
        told.tell(closing.findings)


def _carry_out(hands: Hands, told: Told, action: Begin | Step | Promote | TakeBack) -> None:
    if isinstance(action, Begin):
        hands.record(told.state, "deployed", told.package, schedule=action.schedule)
    elif isinstance(action, Step):
        _step(hands, told, action)
    elif isinstance(action, Promote):
        _promote(hands, told, action)
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


def _step(hands: Hands, told: Told, action: Step) -> None:
    going, state = _going(told.state), told.state
    if not (going.phase == "stepping" and going.step == action.step):
        what = {"step": action.step, "share": action.share, "because": action.because[:2000]}
        recorded = hands.record(state, "stepping", going.package, **what)
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
        told.tell(problems)
        because = f"step {action.step} ({action.share:.0%}): {headline(problems[0].message)}"
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


def _promote(hands: Hands, told: Told, action: Promote) -> None:
    going = _going(told.state)
    done = finding("deploy-promoted", f"{going.package} passed its bake and is production")
    told.closing = Closing(told.state.sequence + 1, "promoted", Outcome.PASS, (done,))
    hands.record(told.state, "promoted", going.package, because=action.because[:2000], owed=_owed(hands))


def _take_back(hands: Hands, told: Told, action: TakeBack) -> None:
    going, state = _going(told.state), told.state
    if going.phase != "taking-back":
        why = {"because": action.because[:2000], "blocks": action.blocks}
        recorded = hands.record(state, "taking-back", going.package, **why)
        if recorded is None:
            return
        state = recorded
    hands.say(f"taking back {going.package}: {action.because}")
    if going.replaces is not None and going.step > 0:
        told.tell(given_back(hands, going.replaces, state.sequence))
    told.closing = _taken_back(told, going, action, state.sequence + 1)
    fields = {"because": action.because[:2000], "blocks": action.blocks, "owed": _owed(hands, action.blocks)}
    hands.record(state, "taken-back", going.package, **fields)


def _taken_back(told: Told, going: Progress, action: TakeBack, sequence: int) -> Closing:
    """The end of a rollout whose candidate lost its traffic."""
    code = "deploy-taken-back" if action.blocks else "deploy-given-up"
    severity = Severity.WARNING if told.aborts else None  # it was asked for
    found = [finding(code, f"{going.package} was taken back: {action.because}", severity=severity)]
    if going.replaces is None and going.step > 0:
        message = f"{going.package} was the first version: there is none before it, so it still takes the traffic"
        found.append(finding("deploy-nothing-before", message))
    return Closing(sequence, "taken-back", Outcome.FAIL if action.blocks else Outcome.INCONCLUSIVE, tuple(found))


def _ended(hands: Hands, told: Told, action: Action) -> Told:
    """How it ended. What a kill may have left undone after the last event is done now: it is idempotent."""
    if isinstance(action, Ended) and not told.over:
        told.findings.append(action.finding)
        told.outcome = ENDS.get(action.finding.code, Outcome.FAIL)
    # While a rollback is under way production may be the very version that it takes the traffic from.
    if told.state.production == told.package and told.state.restoring is None:
        told.outcome = Outcome.PASS
        _started_anew(hands, told, told.package)
        if told.package not in told.state.blocked:
            hands.target.keep(told.package, fence=told.state.sequence)
    elif told.outcome is Outcome.PASS and told.over:
        told.findings.append(finding("deploy-overtaken", f"a rollback came right after {told.package} was promoted"))
        told.outcome = Outcome.INCONCLUSIVE
    _forget_blocked(hands, told.state)
    if told.aborts and told.over and told.outcome is Outcome.INCONCLUSIVE:
        told.outcome = Outcome.PASS  # it was taken back, as asked
    told.findings.extend(note for notes in told.notes.values() for note in notes)
    hands.let_go(told.state)
    return told


def _forget_blocked(hands: Hands, state: State) -> None:
    """A rollback without the ledger goes by what the target keeps: it must not find there what may not serve."""
    for digest in hands.target.kept():
        if digest in state.blocked and digest != state.production:  # that one a person named
            hands.target.forget(digest)


def _started_anew(hands: Hands, told: Told, production: str) -> None:
    """Have production serve where it does not: after a restart of the machine nothing runs, and a server may die."""
    taking = {digest for digest, share in hands.target.routed().items() if share > 0}
    down = hands.target.answers(production) is False
    if (taking == {production} and not down) or told.state.rollout is not None or told.state.restoring is not None:
        return

    def effect() -> None:
        hands.start(production)
        hands.target.route({production: 1.0}, fence=told.state.sequence)

    try:
        hands.trying(effect)
    except Fenced:
        return  # somebody newer decides what serves
    others = ", ".join(sorted(taking)) or "nothing"
    why = f"{others} took the traffic" if taking != {production} else "its server did not answer"
    message = f"{production} is production, but {why}; it was started and takes all of it again"
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
