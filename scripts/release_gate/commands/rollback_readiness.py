"""`rollback-readiness`: gathers ledger, migrations, features, owners and smoke checks, and lets the gate answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from release_gate.commands.context import Context, Place
from release_gate.commands.emit import Asked, run_gate
from release_gate.commands.options import gate_options, option
from release_gate.config import ModelConfig
from release_gate.verdict import Finding, Verdict

if TYPE_CHECKING:
    from release_gate.gates.rollback_readiness import Features, Found, Person, Smoke
    from release_gate.lifecycle.events import Event

GATE = "rollback-readiness"


@click.command()
@gate_options
@option(
    "--token",
    metavar="TOKEN",
    show_default=False,
    help="Token that looks people up on GitHub; GITHUB_TOKEN when absent. An App's that reads members sees teams too.",
)
@click.pass_obj
def command(context: Context, /, token: str | None, **asked: Any) -> None:
    """Could this change be taken back: to what, how, with which data, fed with what, by whom, proven by what?"""
    run_gate(context, Asked(**asked), GATE, lambda *given: gate(*given, token=token))


def gate(context: Context, model: ModelConfig, place: Place, *, token: str | None = None) -> Verdict:
    """Answer for one model; nothing of the caller's runs.

    Raises:
        BadInput: `migrations-many`.
        CannotJudge: the ledger can't be read.
    """
    from release_gate.gates.rollback_readiness import Facts, judge

    events, ledger = _history(context, model, place)
    people, unanswered = _people(context, model, token or context.environment.get("GITHUB_TOKEN"))
    facts = Facts(
        events=events,
        found=_migrations(context, model, place, events),
        smoke=_smoke(model, place),
        people=people,
        unanswered=unanswered,
        ledger=ledger,
        features=_features(context, model, place, events),
    )
    return judge(model, facts, context.clock.now())


def _history(context: Context, model: ModelConfig, place: Place) -> tuple[list[Event], str | None]:
    """The ledger's events, and in words where there is no ledger to read."""
    from release_gate.registry.opened import open_registry

    registry = open_registry(model.registry, root=place.root, environment=context.environment)
    absent = registry.absent
    return ([], absent) if absent else (registry.ledger(model.model).read(), None)


def _migrations(context: Context, model: ModelConfig, place: Place, events: list[Event]) -> Found:
    """New since production's commit where git has it, else since what this checkout is held against."""
    from release_gate.commands.base_revision import compared_with
    from release_gate.gates.rollback_readiness import Found
    from release_gate.lifecycle.migrations import judged
    from release_gate.lifecycle.state import fold
    from release_gate.registry.migrations import sighted

    production = fold(events).production
    commit = next((one.commit for one in reversed(events) if one.package == production and one.commit), None)
    seen = sighted(place.root, commit, model.migrations) if production and commit else None
    since = f"since production's commit {(commit or '')[:10]}"
    if seen is None:
        base = compared_with(place.root, context.environment)
        seen = sighted(place.root, base[1], model.migrations) if base else None
        away = "production's commit is not in this checkout" if production else "nothing is in production"
        since = f"since {base[0]}; {away}" if base else ""
    if seen is None:
        seen = sighted(place.root, None, model.migrations)
        since = "counted from the beginning: no earlier commit is here"
    texts = seen.texts if seen is not None else {}
    migrations = judged(seen.new, texts, seen.named) if seen is not None else []
    read = {one.file for one in migrations}
    return Found(migrations, since, {name: text for name, text in texts.items() if _belongs(name, read)})


def _features(context: Context, model: ModelConfig, place: Place, events: list[Event]) -> Features | None:
    """What a rollback would need of this checkout; None without a version to go back to, or where that needs none."""
    from release_gate.findings import Refused
    from release_gate.gates.rollback_readiness import Features
    from release_gate.lifecycle.state import fold
    from release_gate.registry.datasets import contract_of
    from release_gate.registry.opened import open_registry

    state = fold(events)
    version = state.last_known_good or state.production
    if version is None:
        return None
    registry = open_registry(model.registry, root=place.root, environment=context.environment)
    try:
        needed = registry.describe(version).features
    except Refused as refusal:
        # Told only where features are promised at all: a package that can't be used is build-candidate's to tell.
        declared = model.transforms is not None and model.transforms.features is not None
        return Features(version, unread=refusal.findings[0].message) if declared else None
    return Features(version, needed, contract_of(place.root, needed.name)) if needed is not None else None


def _belongs(name: str, migrations: set[str]) -> bool:
    """Whether a file is a migration, or the way back of one."""
    from release_gate.lifecycle.migration_files import partner

    return name in migrations or name in {partner(one) for one in migrations}


def _people(context: Context, model: ModelConfig, token: str | None) -> tuple[list[Person] | None, tuple[Finding, ...]]:
    """What GitHub says of everybody who decides at some hour; None away from GitHub or without a token."""
    from release_gate.findings import CannotJudge
    from release_gate.gates.rollback_readiness import Person

    repository = context.environment.get("GITHUB_REPOSITORY")
    if not context.on_github or not token or not repository:
        return None, ()
    from release_gate.github.api import Api
    from release_gate.github.people import look_up

    url = context.environment.get("GITHUB_API_URL") or "https://api.github.com"
    persons, teams = model.owner.persons(model.owner.names)
    try:
        found = look_up(Api(repository, token, context.clock, url), (*persons, *teams))
    except CannotJudge as refusal:
        return [], refusal.findings
    return [Person(one.name, one.known.value, one.because) for one in found], ()


def _smoke(model: ModelConfig, place: Place) -> Smoke | tuple[Finding, ...]:
    """The checks of the model's smoke file, or what is wrong with it."""
    from release_gate.findings import BadInput
    from release_gate.gates.rollback_readiness import Smoke
    from release_gate.serving.checks import load

    try:
        smoke = load(place.root / model.smoke, model.smoke)
    except BadInput as refusal:
        return refusal.findings
    proving = [one.name for one in smoke.checks if one.golden or one.asserts_version]
    return Smoke([one.name for one in smoke.checks], proving)
