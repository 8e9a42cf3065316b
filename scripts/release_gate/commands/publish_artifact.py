"""`publish-artifact`: store the sealed package and register it, once all is known of it and every gate passed it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from release_gate.commands.context import Context, Place
from release_gate.commands.emit import Asked, run_gate
from release_gate.commands.options import gate_options, option
from release_gate.config import ModelConfig
from release_gate.verdict import Finding, Outcome, Severity, Verdict

if TYPE_CHECKING:
    from release_gate.gates.overall import Handed
    from release_gate.lifecycle.events import Draft, Event, Judged
    from release_gate.lifecycle.package import Package
    from release_gate.registry.ledger import Ledger
    from release_gate.registry.opened import Registry
    from release_gate.registry.packages import Sealed

GATE = "publish-artifact"


@click.command()
@gate_options
@option("--from", "from_", metavar="NAME=DIR", multiple=True, help="Verdicts of another job: build=DIR or judge=DIR.")
@click.pass_obj
def command(context: Context, /, from_: tuple[str, ...], **asked: Any) -> None:
    """Store the sealed package in the registry and record it in the ledger."""
    from release_gate.commands.gathering import sources

    run_gate(context, Asked(**asked), GATE, partial(gate, sources=sources(from_, context.home)))


def gate(context: Context, model: ModelConfig, place: Place, *, sources: Mapping[str, Path] | None = None) -> Verdict:
    """Publish one model's package, or say everything that speaks against it.

    `sources`: job → folder of the verdicts it left, where each may speak only for its own gates; the run folder's
    verdicts otherwise.
    """
    from release_gate.commands.endpoint_test import sealed_digest
    from release_gate.gates.overall import judge, required
    from release_gate.gates.publish_artifact import (
        compared_with,
        concluded,
        intended_use,
        missing_facts,
        verdict_problems,
    )
    from release_gate.registry.opened import open_registry
    from release_gate.registry.packages import open_package
    from release_gate.registry.repository import is_as_in

    started = context.clock.now()
    # What is large is read once: it is proven while it is stored, before anything names it.
    sealed = open_package(place.build / "package", sealed_digest(place), verify=False)
    package = sealed.package
    card_file = place.root / model.card
    card = card_file.read_text(encoding="utf-8", errors="replace") if card_file.is_file() else None
    # Where git does not know the commit here, the checkout is believed to be it.
    commit = package.source.commit if card is not None else None
    changed = commit is not None and is_as_in(card_file, commit) is False
    data = sorted({*model.contracts.values(), model.evaluation.data})
    handed, known = _handed(model, place, sources or {})
    overall = judge(model.model, required(model), handed, known)
    features = model.transforms.features if model.transforms is not None else None
    contracts = [*sorted(model.contracts), *([features] if features is not None else [])]
    notes = missing_facts(package, card, model.card, data, contracts, changed=changed)
    notes += verdict_problems(package, model, overall)
    if not notes:
        compared = compared_with(overall)
        draft = _draft(context, model, package, _relied_on(handed, overall.verdicts), started)
        draft = draft.model_copy(update={"compared": next(iter(sorted(compared)), None)})
        registry = open_registry(model.registry, root=place.root, environment=context.environment)
        notes = _registered(sealed, model, registry, draft, compared, root=place.root)
        if {"published", "published-again"} & {one.code for one in notes}:
            _told(context, model, registry)
    if any(one.severity is Severity.ERROR for one in notes):
        return Verdict(gate=GATE, model=model.model, outcome=Outcome.FAIL, findings=notes, started=started)
    return concluded(package, str(model.owner), intended_use(card or ""), notes, started)


def _told(context: Context, model: ModelConfig, registry: Registry) -> None:
    """Tell the merged pull request that its version is registered; the rollout tells it again."""
    from release_gate.commands.hands import Looks
    from release_gate.commands.telling import Telling

    looks = Looks(registry.observations(model.model), "looks")
    Telling(context, model, registry.ledger(model.model), looks).follow("comment")


def _registered(
    sealed: Sealed, model: ModelConfig, registry: Registry, draft: Draft, compared: frozenset[str], *, root: Path
) -> list[Finding]:
    """Store first, record second: what the ledger names is there. Twice is once."""
    from release_gate.findings import finding
    from release_gate.gates.publish_artifact import next_event

    digest = sealed.package.digest
    ledger = registry.ledger(model.model)
    # A broken history, and a refusal that is certain already, are found before anything is written.
    history, rollout = ledger.read(), model.rollout is not None
    behind = is_behind(root, history, draft.commit)
    decided = [next_event(history, digest, compared, rollout=rollout, behind=behind)]
    if isinstance(decided[-1], Finding):
        return [decided[-1], *_lifted(ledger, draft, root)]
    registry.store(sealed)

    def decide(events: Sequence[Event]) -> Draft | None:
        """Decide again on what stands in the ledger by now: another publisher may have come first."""
        kind = next_event(events, digest, compared, rollout=rollout, behind=is_behind(root, events, draft.commit))
        decided.append(kind)
        return None if isinstance(kind, Finding) else _of_kind(draft, kind)

    _, before = ledger.append(decide)
    kind = decided[-1]
    if isinstance(kind, Finding):
        return [kind, *_lifted(ledger, draft, root)]
    where = f"{digest} is stored in {registry} and is event {len(before) + 1}"
    if rollout:
        return [finding("published", f"{where}; `release-gate deploy` gives it its traffic")]
    nothing = "not deployed: no rollout declared; the package counts as production from now on"
    return [
        finding("published" if kind == "registered" else "published-again", where),
        finding("not-deployed", nothing),
    ]


def _lifted(ledger: Ledger, draft: Draft, root: Path) -> list[Finding]:
    """Lift a hold whose cause this commit reverts."""
    from release_gate.findings import finding
    from release_gate.gates.publish_artifact import reverted
    from release_gate.registry.repository import is_ancestor

    def decide(events: Sequence[Event]) -> Draft | None:
        at_fault = reverted(events, draft.package or "")
        commit = next((one.commit for one in reversed(events) if one.package == at_fault and one.commit), None)
        if at_fault is None or commit is None or draft.commit in (None, commit):
            return None
        if not is_ancestor(root, commit, draft.commit or ""):
            return None
        because = f"commit {draft.commit} reverts what {at_fault} was built from"
        return draft.model_copy(
            update={"kind": "lifted", "verdicts": (), "serves": None, "compared": None, "because": because}
        )

    event, _ = ledger.append(decide)
    return [finding("hold-lifted", event.because)] if event is not None else []


def _of_kind(draft: Draft, kind: str) -> Draft:
    again = "" if kind == "registered" else " again"
    return draft.model_copy(update={"kind": kind, "because": f"published{again} from {draft.because}"})


def is_behind(root: Path, events: Sequence[Event], commit: str | None) -> bool:
    """Whether a commit is older than the one production was registered from, as far as git knows both here."""
    from release_gate.lifecycle.state import fold
    from release_gate.registry.repository import is_ancestor

    production = fold(events).production
    newest = next((one.commit for one in reversed(events) if one.package == production and one.commit), None)
    if commit is None or newest is None or commit == newest:
        return False
    return bool(is_ancestor(root, commit, newest))


def _draft(context: Context, model: ModelConfig, package: Package, verdicts: tuple[Judged, ...], at: datetime) -> Draft:
    from release_gate.lifecycle.events import Draft

    return Draft(
        at=at,
        actor=actor(context),
        run=run_url(context),
        kind="registered",
        package=package.digest,
        verdicts=verdicts,
        because=f"commit {package.source.commit}",
        commit=package.source.commit,
        tree=package.source.tree,
        serves="on-registration" if model.rollout is None else "after-rollout",
    )


def _handed(model: ModelConfig, place: Place, sources: Mapping[str, Path]) -> tuple[list[Handed], list[Finding]]:
    """What the gates of a pull request left for this model, and what was wrong on the way to it."""
    from release_gate.commands.gathering import Gathered, from_folder
    from release_gate.gates.overall import ORDER

    gathered = Gathered()
    for name, folder in sources.items():
        from_folder(gathered, folder, name, [model.model])
    if not sources:
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
