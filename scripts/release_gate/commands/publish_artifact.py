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
from release_gate.verdict import MAXIMUM_BYTES, Finding, Outcome, Verdict, VerdictUnreadable

if TYPE_CHECKING:
    from release_gate.lifecycle.events import Draft, Event
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
    from release_gate.gates.publish_artifact import concluded, intended_use, missing_facts, verdict_problems
    from release_gate.registry.packages import open_package

    started = context.clock.now()
    sealed = open_package(place.build / "package", sealed_digest(place))
    package = sealed.package
    card_file = place.root / model.card
    card = card_file.read_text(encoding="utf-8", errors="replace") if card_file.is_file() else None
    data = sorted({*model.contracts.values(), model.evaluation.data})
    problems = missing_facts(package, card, model.card, data, sorted(model.contracts))
    problems += verdict_problems(package, _verdicts(place))
    if problems:
        return Verdict(gate=GATE, model=model.model, outcome=Outcome.FAIL, findings=problems, started=started)
    notes = _registered(context, sealed, model, place, started)
    return concluded(package, model.owner, intended_use(card or ""), notes, started)


def _registered(context: Context, sealed: Sealed, model: ModelConfig, place: Place, at: datetime) -> list[Finding]:
    """Store first, record second: what the ledger names is there. Twice is once."""
    from release_gate.findings import finding
    from release_gate.lifecycle.state import fold
    from release_gate.registry.ledger import Ledger
    from release_gate.registry.packages import copy
    from release_gate.registry.stores.folder import FolderStore

    registry = place.root / model.registry
    package = sealed.package
    ledger = Ledger(FolderStore(registry), model.model)
    ledger.read()  # a broken history is found before anything is written
    copy(sealed, registry / "packages")
    draft = _draft(context, package, place, at)

    def decide(events: Sequence[Event]) -> Draft | None:
        return None if package.digest in fold(events).registered else draft

    event, _ = ledger.append(decide)
    if event is None:
        return [finding("publish-twice", f"{package.digest} is registered already")]
    return [
        finding("published", f"{package.digest} is stored in {model.registry} and is event {event.sequence}"),
        finding("not-deployed", "not deployed: no rollout declared; the package counts as production from now on"),
    ]


def _draft(context: Context, package: Package, place: Place, at: datetime) -> Draft:
    from release_gate.gates.publish_artifact import GATES
    from release_gate.lifecycle.events import Draft, Judged, identity

    verdicts = []
    for name, verdict in _verdicts(place).items():
        if name in GATES and isinstance(verdict, Verdict):
            content = (place.verdicts / f"{name}.json").read_bytes()
            verdicts.append(Judged(gate=name, outcome=verdict.outcome, identity=identity(content)))
    return Draft(
        at=at,
        actor=actor(context),
        run=run_url(context),
        kind="registered",
        package=package.digest,
        verdicts=tuple(verdicts),
        because=f"published from commit {package.source.commit}",
        # No rollout can be declared yet: registering a package is what brings it to its users.
        serves="on-registration",
    )


def _verdicts(place: Place) -> dict[str, Verdict | VerdictUnreadable]:
    """What the gates left, by file name."""
    found: dict[str, Verdict | VerdictUnreadable] = {}
    for path in sorted(place.verdicts.glob("*.json")):
        try:
            found[path.stem] = Verdict.parse(_limited(path))
        except VerdictUnreadable as error:
            found[path.stem] = error
    return found


def _limited(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAXIMUM_BYTES + 1)


def actor(context: Context) -> str:
    """Who does this: the GitHub user of the run, else the user of this machine."""
    known = context.environment
    return known.get("GITHUB_ACTOR") or known.get("USER") or known.get("LOGNAME") or "unknown"


def run_url(context: Context) -> str | None:
    """The page of the workflow run, None elsewhere."""
    parts = [context.environment.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID")]
    return f"{parts[0]}/{parts[1]}/actions/runs/{parts[2]}" if all(parts) else None
