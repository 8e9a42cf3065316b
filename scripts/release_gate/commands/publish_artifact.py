"""`publish-artifact`: store the sealed package and register it, once all is known of it and every gate passed it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from release_gate.commands.context import Context, Place
from release_gate.commands.emit import Asked, run_gate
from release_gate.commands.options import gate_options
from release_gate.config import ModelConfig
from release_gate.verdict import Finding, Outcome, Severity, Verdict

if TYPE_CHECKING:
    from release_gate.gates.overall import Handed
    from release_gate.lifecycle.events import Draft, Event, Judged
    from release_gate.lifecycle.package import Package
    from release_gate.registry.packages import Sealed

GATE = "publish-artifact"


@click.command()
@gate_options
@click.pass_obj
def command(context: Context, /, **asked: Any) -> None:
    """Store the sealed package in the registry and record it in the ledger."""
    run_gate(context, Asked(**asked), GATE, gate)


def gate(context: Context, model: ModelConfig, place: Place) -> Verdict:
    """Publish one model's package, or say everything that speaks against it."""
    from release_gate.commands.endpoint_test import sealed_digest
    from release_gate.gates.overall import judge, required
    from release_gate.gates.publish_artifact import (
        compared_with,
        concluded,
        intended_use,
        missing_facts,
        verdict_problems,
    )
    from release_gate.registry.packages import open_package

    started = context.clock.now()
    sealed = open_package(place.build / "package", sealed_digest(place))
    package = sealed.package
    card_file = place.root / model.card
    card = card_file.read_text(encoding="utf-8", errors="replace") if card_file.is_file() else None
    data = sorted({*model.contracts.values(), model.evaluation.data})
    handed, known = _handed(model, place)
    overall = judge(model.model, required(model), handed, known)
    notes = missing_facts(package, card, model.card, data, sorted(model.contracts))
    notes += verdict_problems(package, model, overall)
    if not notes:
        draft = _draft(context, package, _relied_on(handed, overall.verdicts), started)
        notes = _registered(sealed, model, place.root / model.registry, draft, compared_with(overall))
    if any(one.severity is Severity.ERROR for one in notes):
        return Verdict(gate=GATE, model=model.model, outcome=Outcome.FAIL, findings=notes, started=started)
    return concluded(package, model.owner, intended_use(card or ""), notes, started)


def _registered(
    sealed: Sealed, model: ModelConfig, registry: Path, draft: Draft, compared: frozenset[str]
) -> list[Finding]:
    """Store first, record second: what the ledger names is there. Twice is once."""
    from release_gate.findings import finding
    from release_gate.gates.publish_artifact import next_event
    from release_gate.registry.ledger import Ledger
    from release_gate.registry.packages import copy
    from release_gate.registry.stores.folder import FolderStore

    digest = sealed.package.digest
    ledger = Ledger(FolderStore(registry), model.model)
    # A broken history, and a refusal that is certain already, are found before anything is written.
    decided = [next_event(ledger.read(), digest, compared)]
    if isinstance(decided[-1], Finding):
        return [decided[-1]]
    copy(sealed, registry / "packages")

    def decide(events: Sequence[Event]) -> Draft | None:
        """Decide again on what stands in the ledger by now: another publisher may have come first."""
        kind = next_event(events, digest, compared)
        decided.append(kind)
        return None if isinstance(kind, Finding) else _of_kind(draft, kind)

    _, before = ledger.append(decide)
    kind = decided[-1]
    if isinstance(kind, Finding):
        return [kind]
    where = f"{digest} is stored in {model.registry} and is event {len(before) + 1}"
    rollout = "not deployed: no rollout declared; the package counts as production from now on"
    return [
        finding("published" if kind == "registered" else "published-again", where),
        finding("not-deployed", rollout),
    ]


def _of_kind(draft: Draft, kind: str) -> Draft:
    again = "" if kind == "registered" else " again"
    return draft.model_copy(update={"kind": kind, "because": f"published{again} from {draft.because}"})


def _draft(context: Context, package: Package, verdicts: tuple[Judged, ...], at: datetime) -> Draft:
    from release_gate.lifecycle.events import Draft

    return Draft(
        at=at,
        actor=actor(context),
        run=run_url(context),
        kind="registered",
        package=package.digest,
        verdicts=verdicts,
        because=f"commit {package.source.commit}",
        # No rollout can be declared yet: registering a package is what brings it to its users.
        serves="on-registration",
    )


def _handed(model: ModelConfig, place: Place) -> tuple[list[Handed], list[Finding]]:
    """What the gates of a pull request left for this model, and what was wrong on the way to it."""
    from release_gate.commands.gathering import Gathered, from_folder
    from release_gate.gates.overall import ORDER

    gathered = Gathered()
    from_folder(gathered, place.run.parent, None, [model.model])
    return [one for one in gathered.handed.get(model.model, []) if one.gate in ORDER], gathered.findings


def _relied_on(handed: Sequence[Handed], verdicts: Sequence[Verdict]) -> tuple[Judged, ...]:
    """The verdicts as the ledger names them, by the bytes that were judged."""
    from release_gate.lifecycle.events import Judged, identity

    content = {one.gate: one.content for one in handed}
    return tuple(Judged(gate=one.gate, outcome=one.outcome, identity=identity(content[one.gate])) for one in verdicts)


def actor(context: Context) -> str:
    """Who does this: the GitHub user of the run, else whom git says, else the user of this machine."""
    from release_gate.registry.repository import identity

    known = context.environment
    return known.get("GITHUB_ACTOR") or identity(context.home) or known.get("USER") or known.get("LOGNAME") or "unknown"


def run_url(context: Context) -> str | None:
    """The page of the workflow run, None elsewhere."""
    parts = [context.environment.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID")]
    return f"{parts[0]}/{parts[1]}/actions/runs/{parts[2]}" if all(parts) else None
