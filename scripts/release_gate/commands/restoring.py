"""Brings an earlier version back: traffic, smoke, record, and only then everything else.

It needs no GitHub, no monitoring and no valid configuration of today. Where the ledger can't be reached it goes by
what the target itself keeps, and what is owed to the ledger stays with the target until somebody can pay it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from release_gate.commands.boundary import refused
from release_gate.commands.hands import Hands
from release_gate.findings import BadInput, CannotJudge, Refused, finding
from release_gate.lifecycle.events import Draft, Event
from release_gate.lifecycle.restoration import Restoration, restoration
from release_gate.lifecycle.state import State, fold
from release_gate.serving.targets.target import Fenced
from release_gate.verdict import Finding, Outcome, Scalar, Severity

FENCED = 20
AWAY = (Refused, OSError)
"""What a ledger says that can't be used: it does not answer, it is broken, its disk is full."""


@dataclass
class Told:
    """What a rollback has to say at its end. `state` is None where the ledger could not be read."""

    outcome: Outcome = Outcome.ERROR
    findings: list[Finding] = field(default_factory=list)
    tried: list[list[Scalar]] = field(default_factory=list)
    restored: str | None = None
    replaced: str | None = None
    state: State | None = None
    owing: str | None = None
    """The event that this rollback left owed to the ledger."""


class Overtaken(Exception):
    """Another rollback was begun after this one: the newer decision of a person stands."""


class Nowhere(Exception):
    """There is no version to go back to; `finding` says why."""

    def __init__(self, found: Finding) -> None:
        super().__init__(found.message)
        self.finding = found


def restore(hands: Hands, *, to: str | None, because: str) -> Told:
    """Bring the last known good version back, or the one named."""
    told = Told()
    # Until it is paid the target takes no decision of the ledger's; where it can't be, this one goes without it, too.
    with suppress(*AWAY):
        pay(hands)
    try:
        plan, told.state = _intended(hands, to, because, told)
    except Nowhere as nowhere:
        told.findings.append(nowhere.finding)
        return told
    told.findings.extend(plan.findings)
    told.replaced = plan.replaces
    try:
        told.restored = next((one for one in plan.candidates if _serves(hands, one, plan, told, because)), None)
    except Overtaken:
        message = "another rollback was begun after this one, and it decides what serves"
        told.findings.append(finding("rollback-overtaken", message))
        told.outcome = Outcome.INCONCLUSIVE
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
    # What was wrong with a version that was tried before it fails nothing any more.
    told.findings = [_softened(one) for one in told.findings]
    _recorded(hands, plan, told, because)
    try:
        if plan.replaces is not None and plan.replaces != told.restored:
            hands.target.forget(plan.replaces)
        hands.target.keep(told.restored)
    except (Refused, OSError) as refusal:
        hands.say(f"the target does not remember {told.restored} as good: {refusal}")
    return told


def _softened(one: Finding) -> Finding:
    return one.model_copy(update={"severity": Severity.WARNING}) if one.severity is Severity.ERROR else one


def _intended(hands: Hands, to: str | None, because: str, told: Told) -> tuple[Restoration, State | None]:
    """The plan, with the intent in the ledger where it can be reached: no rollout goes on from there.

    The plan is made inside the append, on the history as it stands at that moment.
    """
    plans: list[Restoration] = []

    def decide(events: Sequence[Event]) -> Draft:
        if not events and hands.target.kept():
            raise _lost()
        plan = restoration(fold(events), to)
        if isinstance(plan, Finding):
            raise Nowhere(plan)
        plans.append(plan)
        return _draft(hands, "rolling-back", plan.candidates[0], plan, because)

    try:
        event, before = hands.ledger.append(decide)
    except AWAY as error:
        told.findings.append(finding("rollback-unrecorded", f"the ledger can't be used now: {refused(error)}"))
        return _without_ledger(hands, to), None
    return plans[-1], fold([*before, *([event] if event else [])])


def _lost() -> CannotJudge:
    """A folder that was not mounted, or a checkout without it, looks like a history in which nothing ever happened."""
    message = "the ledger holds no event at all, though the target keeps versions that were released"
    return CannotJudge.because("ledger-unreachable", message)


def _without_ledger(hands: Hands, to: str | None) -> Restoration:
    kept = hands.target.kept()
    routed = _routed(hands)
    owed = _last_owed(hands)
    if owed is not None and owed.package in routed:
        # A rollback was done since the ledger went away: pressed again it goes no further, and blames the same version.
        return Restoration((to or owed.package or "",), owed.replaces, repeated=to in (None, owed.package))
    losing = next((one for one in routed if one not in kept), None)
    if to is not None:
        return Restoration((to,), losing if losing != to else None)
    good = [one for one in kept if one != losing]
    if len(routed) == 1 and routed[0] in good and len(good) > 1:
        # All traffic is on a version that was good once: it is what people complain about now.
        losing = routed[0]
        good = [one for one in good if one != losing]
    if not good:
        raise Nowhere(finding("rollback-nothing", "the ledger can't be read, and the target keeps no version"))
    return Restoration(tuple(good), losing)


def _last_owed(hands: Hands) -> Draft | None:
    """The newest event owed to the ledger that can be read, None where there is none."""
    for text in reversed(hands.target.owes()):
        with suppress(ValueError):
            return Draft.model_validate_json(text)
    return None


def _routed(hands: Hands) -> list[str]:
    try:
        shares = hands.target.routed()
    except Refused:
        return []
    return sorted(shares, key=lambda one: -shares[one])


def _serves(hands: Hands, candidate: str, plan: Restoration, told: Told, because: str) -> bool:
    """Start it if it is cold, give it all traffic, ask it the smoke checks; whether it proved itself."""
    problems: list[Finding] = []

    def effect() -> None:
        try:
            hands.start(candidate)
        except (Refused, OSError):
            # It is proven and prepared for a start first; what runs already can take the traffic without.
            if candidate not in hands.target.running():
                raise
        _route(hands, candidate, plan, told, because)
        problems[:] = hands.proven(candidate, hands.target.url, {candidate})

    try:
        hands.trying(effect)
    except Refused as refusal:
        problems[:] = refusal.findings
    except OSError as error:
        problems[:] = refused(error).findings
    told.tried.append([candidate, "proved itself" if not problems else problems[0].message])
    told.findings.extend(problems)
    return not problems


def _route(hands: Hands, candidate: str, plan: Restoration, told: Told, because: str) -> None:
    """All traffic to a version. With the ledger its last sequence is the fence; without, the event is owed first."""
    intent = told.state.sequence if told.state is not None else 0
    for _ in range(FENCED):
        if told.state is None or hands.target.owes():
            break
        try:
            hands.target.route({candidate: 1.0}, fence=told.state.sequence)
        except Fenced:
            hands.clock.sleep(0.1)
            events, told.state = hands.read()
            if any(one.sequence > intent and one.kind in ("rolling-back", "rolled-back") for one in events):
                raise Overtaken from None
        except OSError:
            break
        else:
            return
    # The ledger is away, or the target obeys a decision that it does not know, or it can't remember this one: what
    # restores wins all the same.
    _restore(hands, told, _draft(hands, "rolled-back", candidate, plan, because, done=True))


def _restore(hands: Hands, told: Told, draft: Draft) -> None:
    """All traffic by the target's own memory; of several tries of one rollback the last is owed."""
    before, told.owing = told.owing, draft.model_dump_json(exclude_none=True)
    hands.target.restore(draft.package or "", owes=told.owing, instead=before)


def _recorded(hands: Hands, plan: Restoration, told: Told, because: str) -> None:
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
    draft = _draft(hands, "rolled-back", restored, plan, because, done=True)

    def decide(events: Sequence[Event]) -> Draft | None:
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
        hands.start(plan.candidates[0])
        _route(hands, plan.candidates[0], plan, told, "none of the versions proved itself")
    except Overtaken:
        return
    except AWAY as error:
        told.findings.extend(one for one in refused(error).findings if one not in told.findings)


def _draft(hands: Hands, kind: str, package: str, plan: Restoration, because: str, *, done: bool = False) -> Draft:
    replaces = plan.replaces if plan.replaces != package else None
    return Draft(
        at=hands.clock.now(),
        actor=hands.by.actor,
        run=hands.by.run,
        kind=kind,
        package=package,
        replaces=replaces,
        blocks=True if done and replaces is not None else None,
        because=because[:2000],
        owed=hands.owed if done else None,
    )


def pay(hands: Hands) -> None:
    """Hand to the ledger what the target owes it since rollbacks that could not record: before any release goes on.

    What can't be read stays owed, for a person to look at; what can be is paid all the same.

    Raises:
        CannotJudge: the ledger can't be reached still.
        BadInput: `outbox-broken`: what is owed can't be read.
    """
    unreadable: ValueError | None = None
    for owed in hands.target.owes():
        try:
            draft = Draft.model_validate_json(owed)
        except ValueError as error:
            unreadable = error
            continue
        hands.target.paid(owed, _paid(hands, draft))
    if unreadable is not None:
        message = f"what the target owes to the ledger can't be read: {unreadable}"
        raise BadInput.because("outbox-broken", message) from unreadable


def _paid(hands: Hands, draft: Draft) -> int:
    """The ledger has the event; its sequence, or the last one where it had it before."""

    def decide(events: Sequence[Event]) -> Draft | None:
        if not events:
            raise _lost()
        written = any(one.kind == draft.kind and one.at == draft.at and one.package == draft.package for one in events)
        return None if written else draft

    event, before = hands.ledger.append(decide)
    return event.sequence if event is not None else len(before)
