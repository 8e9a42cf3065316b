"""`deploy`: roll a registered version out in steps, watch it, promote it or take it back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from release_gate.commands.context import Context, Place
from release_gate.commands.emit import Asked, run_gate
from release_gate.commands.options import gate_options, option
from release_gate.config import ModelConfig
from release_gate.findings import BadInput, CannotJudge, Refused
from release_gate.verdict import Outcome, Severity, Subject, Verdict

if TYPE_CHECKING:
    from release_gate.commands.hands import Aside, Hands
    from release_gate.commands.rolling import Told
    from release_gate.lifecycle.state import State

GATE = "deploy"


@click.command()
@gate_options
@option("--version", metavar="V", help="`production`, a digest or its beginning; newest registered when absent.")
@option("--tick", is_flag=True, help="Do what is due now and return; run it again within the lease.")
@option("--again", is_flag=True, help="Begin once more a rollout that was given up without proof.")
@option("--abort", is_flag=True, help="Take back the rollout that is under way; nothing is begun.")
@option("--because", metavar="TEXT", default="the rollout was aborted", help="Why it is aborted, for the ledger.")
@click.pass_obj
def command(context: Context, /, version: str | None, because: str, abort: bool, **asked: Any) -> None:
    """Give a registered version its traffic in steps, watched, with a way back."""
    wishes = {"tick": asked.pop("tick"), "again": asked.pop("again"), "abort": because if abort else None}

    def gate(context: Context, model: ModelConfig, place: Place) -> Verdict:
        return deployed(context, model, place, version=version, **wishes)

    run_gate(context, Asked(**asked), GATE, gate)


def deployed(
    context: Context,
    model: ModelConfig,
    place: Place,
    *,
    version: str | None,
    tick: bool = False,
    again: bool = False,
    abort: str | None = None,
) -> Verdict:
    """Roll out one model's version; a model without a rollout is skipped, and that is said."""
    from release_gate.commands.outbox import pay
    from release_gate.commands.releasing import declared, hands_for
    from release_gate.commands.rolling import roll
    from release_gate.commands.telling import Telling
    from release_gate.findings import finding

    started = context.clock.now()
    if model.rollout is None:
        message = f"{model.model} declares no `rollout`: registering a version is all that releases it"
        notes = [finding("not-deployed", message)]
        return Verdict(gate=GATE, model=model.model, outcome=Outcome.SKIPPED, findings=notes, started=started)
    rollout = declared(model)
    hands = hands_for(context, model, place.root, config=place.config, aborting=abort is not None)
    telling = Telling(context, model, hands.ledger, hands.looks)
    hands = replace(hands, follow=telling.follow)
    configuration = (place.root / place.config).read_bytes()
    try:
        pay(hands)
        _, state = hands.read()
        digest = _chosen(state, version)
        if abort is None and hands.target.remembered() is None:
            # A rollback in the middle of the first rollout must find its way, too.
            _remember(hands, configuration)
        behind = _behind(hands, state, digest, place.root)
        told = roll(hands, digest, rollout, behind=behind, again=again, abort=abort, tick=tick)
        serves = told.state.production is not None and told.state.restoring is None and abort is None
        if serves and told.state.production == digest:
            _remember(hands, configuration)
        told.findings.extend(hands.target.problems)
        try:
            telling.settle(told.findings)
        except Refused as refusal:
            # How the rollout ended is known and recorded: what can't be told stays owed.
            told.findings.append(finding("owed", str(refusal)))
        if serves and told.state.production is not None:
            hands.afterwards(told.state.production)
        return _concluded(model, digest, told, hands.aside, started)
    except CannotJudge as refusal:
        if abort is None:
            raise
        return _given_back(hands, model, refusal, abort, started)
    finally:
        hands.target.close()


def _remember(hands: Hands, configuration: bytes) -> None:
    """Have the target keep a configuration that works: for a rollback on a day when that of the repository does not."""
    from release_gate.commands.boundary import refused

    try:
        hands.target.remember(configuration)
    except (Refused, OSError) as error:
        hands.say(f"the target does not keep a copy of the configuration: {refused(error)}")


def _given_back(hands: Hands, model: ModelConfig, refusal: CannotJudge, abort: str, started: datetime) -> Verdict:
    """Take the candidate back without the ledger, which is told later.

    Raises:
        CannotJudge: the refusal itself, where the target shows no rollout or the ledger is not just away.
    """
    from release_gate.commands.patience import AWAY
    from release_gate.commands.restoring import give_back
    from release_gate.findings import finding

    away = all(one.code in AWAY for one in refusal.findings)
    back = give_back(hands, abort) if away else None
    if back is None:
        raise _unaborted(refusal) from refusal
    found = [finding("rollback-unrecorded", f"the ledger can't be used now: {refusal}"), *back.findings]
    if back.restored is not None:
        message = f"{back.replaced} was taken back: {abort}"
        found.append(finding("deploy-given-up", message, severity=Severity.WARNING))
    return Verdict(
        gate=GATE,
        model=model.model,
        outcome=back.outcome,
        findings=[*found, *hands.target.problems, *hands.aside.findings],
        subjects=[Subject(kind="package", name=model.model, identity=back.replaced)] if back.replaced else [],
        started=started,
    )


def _unaborted(refusal: CannotJudge) -> CannotJudge:
    """What else takes a candidate back where the ledger can't be reached."""
    from release_gate.commands.patience import AWAY

    remedy = (
        "The candidate keeps its share until then. Run `release-gate rollback --because TEXT` where the target is: it "
        "goes without the ledger, gives all traffic to the last good version, blocks the candidate and holds releases. "
        "Or run this again once the ledger answers."
    )
    away = [one.model_copy(update={"remedy": remedy}) if one.code in AWAY else one for one in refusal.findings]
    return CannotJudge(*away)


def _chosen(state: State, version: str | None) -> str:
    """The version asked for; without a name the one under way, else the newest registered.

    Raises:
        BadInput: `version-unknown`.
    """
    from release_gate.commands.versions import one_of

    if version == "production" and state.production is not None:
        return state.production
    if version:
        return one_of(state.registered, version)
    if state.rollout is not None:
        return state.rollout.package
    if not state.registered:
        raise BadInput.because("version-unknown", "nothing is registered that could be deployed")
    return state.registered[-1]


def _behind(hands: Hands, state: State, digest: str, root: Path) -> bool:
    """Whether the version's commit is an ancestor of production's: then it would deploy backwards."""
    from release_gate.commands.publish_artifact import is_behind

    if state.production in (None, digest):
        return False
    events = hands.ledger.read()
    commit = next((one.commit for one in reversed(events) if one.package == digest and one.commit), None)
    return is_behind(root, events, commit)


def _concluded(model: ModelConfig, digest: str, told: Told, aside: Aside, started: Any) -> Verdict:
    broken = any(one.severity is Severity.ERROR for one in aside.findings)
    return Verdict(
        gate=GATE,
        model=model.model,
        outcome=Outcome.worst([told.outcome, Outcome.ERROR]) if broken else told.outcome,
        findings=[*told.findings, *aside.findings],
        tables=[*(told.tables[step] for step in sorted(told.tables)), *aside.tables],
        subjects=[Subject(kind="package", name=model.model, identity=digest)],
        started=started,
    )
