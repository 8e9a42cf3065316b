"""`deploy`: roll a registered version out in steps, watch it, promote it or take it back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from release_gate.commands.context import Context, Place
from release_gate.commands.emit import Asked, run_gate
from release_gate.commands.options import gate_options, option
from release_gate.config import ModelConfig
from release_gate.findings import BadInput
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
    from release_gate.commands.releasing import declared, hands_for
    from release_gate.commands.restoring import pay
    from release_gate.commands.rolling import roll
    from release_gate.commands.telling import Telling
    from release_gate.findings import Refused, finding

    started = context.clock.now()
    if model.rollout is None:
        message = f"{model.model} declares no `rollout`: registering a version is all that releases it"
        notes = [finding("not-deployed", message)]
        return Verdict(gate=GATE, model=model.model, outcome=Outcome.SKIPPED, findings=notes, started=started)
    rollout = declared(model)
    hands = hands_for(context, model, place.root, config=place.config)
    telling = Telling(context, model, hands.ledger, hands.looks)
    hands = replace(hands, follow=telling.follow)
    try:
        pay(hands)
        _, state = hands.read()
        digest = _chosen(state, version)
        # A rollback must find its way when the configuration of that day can't be read.
        hands.target.remember((place.root / place.config).read_bytes())
        behind = _behind(hands, state, digest, place.root)
        told = roll(hands, digest, rollout, behind=behind, again=again, abort=abort, tick=tick)
        told.findings.extend(hands.target.problems)
        try:
            telling.settle(told.findings)
        except Refused as refusal:
            # How the rollout ended is known and recorded: what can't be told stays owed.
            told.findings.append(finding("owed", str(refusal)))
        if told.state.production is not None and told.state.restoring is None and abort is None:
            hands.afterwards(told.state.production)
        return _concluded(model, digest, told, hands.aside, started)
    finally:
        hands.target.close()


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
