"""Brings an earlier version back: traffic, smoke, record, and only then everything else.

It needs no GitHub, no monitoring and no valid configuration of today. Where the ledger can't be reached it goes by
what the target itself keeps, and what is owed to the ledger stays with the target until somebody can pay it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from release_gate.commands.boundary import refused
from release_gate.commands.giving_back import given_back
from release_gate.commands.hands import Hands
from release_gate.commands.outbox import known, pay
from release_gate.findings import BadInput, Refused, finding
from release_gate.lifecycle.events import Draft, Event
from release_gate.lifecycle.restoration import Restoration, Stuck, given_up, restoration, unrecorded
from release_gate.lifecycle.state import State, fold
from release_gate.serving.targets.target import Fenced
from release_gate.verdict import Finding, Outcome, Scalar, Severity

FENCED = 20
AWAY = (Refused, OSError)
"""What a ledger says that can't be used: it does not answer, it is broken, its disk is full."""


@dataclass
class Told:
    """What a rollback has to say at its end. `state` is None where the ledger could not be read."""

    because: str
    outcome: Outcome = Outcome.ERROR
    findings: list[Finding] = field(default_factory=list)
    tried: list[list[Scalar]] = field(default_factory=list)
    restored: str | None = None
    replaced: str | None = None
    had: bool = False
    """Whether what is replaced had traffic still."""
    state: State | None = None
    owing: str | None = None
    """The event that this rollback left owed to the ledger."""
    intent: int = 0
    """The number of the event by which this rollback began; 0 where the ledger does not have it."""


class Overtaken(Exception):
    """Another rollback was begun after this one: the newer decision of a person stands."""


class Nowhere(Exception):
    """There is no version to go back to; `stuck` says why."""

    def __init__(self, stuck: Stuck) -> None:
        super().__init__(stuck.finding.message)
        self.stuck = stuck


def restore(hands: Hands, *, to: str | None, because: str) -> Told:
    """Bring the last known good version back, or the one named."""
    told = Told(because=because)
    # Until it is paid the target takes no decision of the ledger's; where it can't be, this one goes without it, too.
    with suppress(*AWAY):
        pay(hands)
    try:
        plan = _intended(hands, to, told)
    except Nowhere as nowhere:
        told.findings.append(nowhere.stuck.finding)
        if nowhere.stuck.stays is not None:
            _stays(hands, nowhere.stuck.stays, told)
        return told
    return _carried_out(hands, plan, told)


def _stays(hands: Hands, serves: str, told: Told) -> None:
    """Nothing is older: what serves is at least seen to, started where it does not run, and asked its smoke checks."""
    try:
        fence = max(len(hands.ledger.read()), hands.target.obeyed())
    except AWAY:
        fence = hands.target.obeyed()
    try:
        problems = given_back(hands, serves, fence)
    except (*AWAY, Fenced) as error:
        problems = list(refused(error).findings)
    told.findings.extend(problems)
    if not any(one.severity is Severity.ERROR for one in problems):
        told.findings.append(finding("rollback-stays", f"{serves} takes all traffic still, and passed its smoke test"))
        told.outcome = Outcome.INCONCLUSIVE


def give_back(hands: Hands, because: str) -> Told | None:
    """Take back the rollout that the target shows, when the ledger can't be reached; None where it shows none.

    Nothing is blocked: that nobody could go on says nothing against the candidate.
    """
    plan = given_up(hands.target.kept(), _routed(hands))
    return None if plan is None else _carried_out(hands, plan, Told(because=because))


def _carried_out(hands: Hands, plan: Restoration, told: Told) -> Told:
    """Traffic, smoke test, record: with the first candidate that proves itself."""
    told.findings.extend(plan.findings)
    told.replaced, told.had = plan.replaces, plan.replaces in _routed(hands)
    try:
        told.restored = next((one for one in plan.candidates if _serves(hands, one, plan, told)), None)
        if told.restored is not None:
            # What was wrong with a version that was tried before it fails nothing any more.
            told.findings = [_softened(one) for one in told.findings]
            _recorded(hands, plan, told)
    except Overtaken:
        message = "another rollback was begun after this one, and it decides what serves"
        told.findings.append(finding("rollback-overtaken", message))
        told.outcome, told.restored = Outcome.INCONCLUSIVE, None
        return told
    if told.restored is None:
        tried = ", ".join(plan.candidates)
        message = (
            f"none proved itself of what was tried: {tried}; the first of them has the traffic, if it could be given"
        )
        told.findings.append(finding("rollback-unproven", message))
        _leave_best(hands, plan, told)
        return told
    told.outcome = Outcome.PASS
    try:
        hands.target.keep(told.restored)
        for one in told.state.blocked if told.state is not None else ():
            if one != told.restored:
                hands.target.forget(one)
    except AWAY as error:
        hands.say(f"the target does not remember {told.restored} as good: {refused(error)}")
    return told


def _softened(one: Finding) -> Finding:
    return one.model_copy(update={"severity": Severity.WARNING}) if one.severity is Severity.ERROR else one


def _intended(hands: Hands, to: str | None, told: Told) -> Restoration:
    """The plan, with the intent in the ledger where it can be reached: no rollout goes on from there.

    The plan is made inside the append, on the history as it stands at that moment.
    """
    plans: list[Restoration] = []

    def decide(events: Sequence[Event]) -> Draft:
        known(hands, events)
        plan = restoration(fold(events), to)
        if isinstance(plan, Stuck):
            raise Nowhere(plan)
        plans.append(plan)
        return _draft(hands, "rolling-back", plan.candidates[0], plan, told)

    try:
        event, before = hands.ledger.append(decide)
    except AWAY as error:
        told.findings.append(finding("rollback-unrecorded", f"the ledger can't be used now: {refused(error)}"))
        return _without_ledger(hands, to)
    told.state = fold([*before, *([event] if event else [])])
    told.intent = told.state.sequence
    return plans[-1]


def _without_ledger(hands: Hands, to: str | None) -> Restoration:
    """The plan by what the target itself remembers and routes.

    Raises:
        Nowhere: it keeps nothing to go back to.
    """
    plan = unrecorded(hands.target.kept(), _routed(hands), hands.target.restored(), to)
    if isinstance(plan, Stuck):
        raise Nowhere(plan)
    return plan


def _routed(hands: Hands) -> list[str]:
    try:
        shares = hands.target.routed()
    except Refused:
        return []
    return sorted(shares, key=lambda one: -shares[one])


def _serves(hands: Hands, candidate: str, plan: Restoration, told: Told) -> bool:
    """Give it all traffic, ask it the smoke checks; whether it proved itself."""
    problems: list[Finding] = []

    def effect() -> None:
        unchecked = _given(hands, candidate, plan, told)
        if unchecked is None:
            problems[:] = hands.proven(candidate, hands.target.url, {candidate})
        else:
            told.findings.append(finding("rollback-unchecked", f"{candidate} runs and serves: {refused(unchecked)}"))

    try:
        hands.trying(effect)
    except AWAY as error:
        problems[:] = refused(error).findings
    told.tried.append([candidate, "proved itself" if not problems else problems[0].message])
    told.findings.extend(problems)
    return not problems


def _given(hands: Hands, candidate: str, plan: Restoration, told: Told) -> Exception | None:
    """All traffic to a version, started where it does not run; why one that runs could not be checked.

    What runs takes the traffic first: its files are proven and its environment is made whole only then, because that
    may take minutes, and must not stand in the way at all.
    """
    if not hands.target.answers(candidate):
        hands.start(candidate)
        _route(hands, candidate, plan, told)
        return None
    _route(hands, candidate, plan, told)
    try:
        hands.start(candidate)
    except AWAY as error:
        return error
    _route(hands, candidate, plan, told)  # it may have been started anew, elsewhere
    return None


def _route(hands: Hands, candidate: str, plan: Restoration, told: Told) -> None:
    """All traffic to a version. With the ledger its last sequence is the fence; without, the event is owed first."""
    for _ in range(FENCED):
        if told.state is None or hands.target.owes():
            break
        try:
            hands.target.restore(candidate, replaces=plan.replaces, fence=told.state.sequence)
        except Fenced:
            hands.clock.sleep(0.1)
            events, told.state = hands.read()
            _still_ours(events, told, candidate)
        else:
            return
    # The ledger is away, or the target obeys a decision that it does not know: what restores wins all the same.
    _restore(hands, told, _draft(hands, "rolled-back", candidate, plan, told))


def _still_ours(events: Sequence[Event], told: Told, package: str) -> None:
    """Raises `Overtaken` where another rollback, to another version, was begun after this one."""
    newer = [one for one in events if one.sequence > told.intent and one.kind == "rolling-back"]
    if newer and newer[-1].package != package:
        raise Overtaken


def _restore(hands: Hands, told: Told, draft: Draft) -> None:
    """All traffic by the target's own memory; of several tries of one rollback the last is owed."""
    before, told.owing = told.owing, draft.model_dump_json(exclude_none=True)
    hands.target.restore(draft.package or "", replaces=draft.replaces, owes=told.owing, instead=before)


def _recorded(hands: Hands, plan: Restoration, told: Told) -> None:
    restored = told.restored or ""
    if told.state is None:
        return  # it is owed since the traffic went back; who waited for the ledger once need not wait again
    if told.owing in hands.target.owes():
        # Together with what was owed before it, and after that: the ledger's order is the order of the decisions.
        try:
            with _said(told):
                pay(hands)
            _, told.state = hands.read()
        except AWAY as error:
            told.findings.append(finding("rollback-unrecorded", f"the ledger can't be written now: {refused(error)}"))
        return
    # Made once: where the answer to the append is lost, what is owed is the same event, and is known again.
    draft = _draft(hands, "rolled-back", restored, plan, told)

    def decide(events: Sequence[Event]) -> Draft | None:
        _still_ours(events, told, restored)
        state = fold(events)
        done = state.restoring is None and state.restored and state.production == restored
        return None if done else draft

    try:
        event, before = hands.ledger.append(decide)
    except AWAY as error:
        told.findings.append(finding("rollback-unrecorded", f"the ledger can't be written now: {refused(error)}"))
        with suppress(*AWAY):  # it serves already, and what is owed is kept before anything else
            _restore(hands, told, draft)
        return
    with suppress(OSError):
        hands.target.paid(None, event.sequence if event is not None else 0)
    told.state = fold([*before, *([event] if event else [])])


@contextmanager
def _said(told: Told) -> Iterator[None]:
    """What is wrong with an entry of the outbox is told, and stops nothing."""
    try:
        yield
    except BadInput as refusal:
        told.findings.extend(_softened(one) for one in refusal.findings)


def _leave_best(hands: Hands, plan: Restoration, told: Told) -> None:
    """None proved itself: the newest of them keeps the traffic, and the intent in the ledger stays open."""
    try:
        told.because = "none of the versions proved itself"
        _given(hands, plan.candidates[0], plan, told)
    except Overtaken:
        return
    except AWAY as error:
        told.findings.extend(one for one in refused(error).findings if one not in told.findings)


def _draft(hands: Hands, kind: str, package: str, plan: Restoration, told: Told) -> Draft:
    replaces = plan.replaces if plan.replaces != package else None
    done = kind == "rolled-back"
    # Words that no JSON can hold come from shells with other encodings; they are no reason not to go back.
    because, actor = (text.encode(errors="replace").decode() for text in (told.because, hands.by.actor))
    # Where nothing is at fault now, what an earlier rollback found to revert may be owed still.
    pending = told.state.owed if told.state is not None else ()
    owed = tuple(one for one in hands.owed if replaces is not None or one != "revert" or one in pending)
    return Draft(
        at=hands.clock.now(),
        actor=actor[:200],
        run=hands.by.run,
        kind=kind,
        package=package,
        replaces=replaces,
        blocks=True if done and replaces is not None and plan.blames else None,
        because=because[:2000],
        owed=owed if done else None,
    )
