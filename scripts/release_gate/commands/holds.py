"""`hold`, `block`, `unblock`: a person freezes releases or forbids a version; each is one event of the ledger.

Who may do so is enforced by permissions: of the repository whose workflow is started, and of the registry that is
written to. That somebody else decides at this moment is said, and recorded with the actor; it stops nobody, since in
an emergency whoever is there must be able to freeze releases.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from release_gate.commands.context import Context, configured
from release_gate.commands.options import CONFIG, FORMAT, MODEL, option, shared
from release_gate.config import ModelConfig
from release_gate.findings import BadInput, finding
from release_gate.verdict import Finding

if TYPE_CHECKING:
    from release_gate.lifecycle.events import Draft, Event
    from release_gate.lifecycle.state import Hold, State
    from release_gate.registry.ledger import Ledger

LONGEST = 2000
"""Characters of a reason in the ledger."""

Change = tuple[str, str | None] | None
"""The kind of event to append and its package; None where things are so already."""

because = option("--because", metavar="TEXT", help="Why: one line for the ledger.")


@dataclass(frozen=True)
class Due:
    """What a state still wants, and what is said where it wants nothing."""

    decide: Callable[[State], Change]
    already: Callable[[State], Finding]


@click.command("hold")
@shared(CONFIG, MODEL, FORMAT)
@because
@option("--lift", is_flag=True, help="Let releases go on.")
@click.pass_obj
def hold(context: Context, /, because: str | None, *, lift: bool, **asked: Any) -> None:
    """Freeze releases: no rollout begins and none goes on, until --lift. Rollbacks go on working.

    Without --model it holds for every model of the configuration.
    """
    reason = _reason(because, needed=not lift)
    config, root = configured(context, asked["config"])
    due = Due(_lifted, _not_held) if lift else Due(_held, _held_before)
    models = config.named(asked["model"])
    done = [(one, *_recorded(context, one, _ledger(context, one, root), due, reason)) for one in models]
    _tell(done, asked["format"])


@click.command("block")
@click.argument("version")
@shared(CONFIG, MODEL, FORMAT)
@because
@click.pass_obj
def block(context: Context, /, version: str, because: str | None, **asked: Any) -> None:
    """Forbid a version to serve again: `production`, `previous`, or a digest (its beginning is enough)."""
    _marked(context, version, because, asked, kind="blocked", before="blocked-before")


@click.command("unblock")
@click.argument("version")
@shared(CONFIG, MODEL, FORMAT)
@because
@click.pass_obj
def unblock(context: Context, /, version: str, because: str | None, **asked: Any) -> None:
    """Let a blocked version serve again: `production`, or a digest (its beginning is enough)."""
    _marked(context, version, because, asked, kind="unblocked", before="not-blocked")


def _marked(
    context: Context, version: str, because: str | None, asked: Mapping[str, Any], *, kind: str, before: str
) -> None:
    """Record `kind` of the one version a word names; where it is so already, say so by the code `before`."""
    reason = _reason(because, needed=True)
    model, ledger, digest = _chosen(context, version, asked["config"], asked["model"])

    def due(state: State) -> Change:
        return None if (digest in state.blocked) == (kind == "blocked") else (kind, digest)

    change = Due(due, lambda _: finding(before, digest))
    _tell([(model, *_recorded(context, model, ledger, change, reason))], asked["format"])


def _held(state: State) -> Change:
    return None if state.hold is not None else ("held", None)


def _lifted(state: State) -> Change:
    return None if state.hold is None else ("lifted", None)


def _held_before(state: State) -> Finding:
    if state.hold is None:
        raise ValueError("said only of a hold")
    return finding("held-before", _told(state.hold))


def held_line(model: str, hold: Hold) -> str:
    """That releases of a model are held, and how they go on: what a list of its versions does not show."""
    from release_gate.report.escape import one_line
    from release_gate.report.text import plain

    lift = f"release-gate hold --lift --model {model} --because TEXT"
    return f"  {plain(one_line(f'{model}: {_told(hold)}'))}; to let them go on: {lift}"


def _told(hold: Hold) -> str:
    return f"releases are held since {hold.since:%Y-%m-%d %H:%MZ} by {hold.by}: {hold.because or 'no reason'}"


def _not_held(_: State) -> Finding:
    return finding("not-held", "releases are not held")


def _reason(given: str | None, *, needed: bool) -> str:
    reason = " ".join((given or "").split())
    if needed and not reason:
        raise BadInput.because("usage", "--because TEXT is needed: who reads the ledger later must know why")
    if len(reason) > LONGEST:
        raise BadInput.because("usage", f"--because holds {len(reason):,} characters; {LONGEST:,} are kept")
    return reason


def _ledger(context: Context, model: ModelConfig, root: Path) -> Ledger:
    from release_gate.registry.opened import open_registry

    return open_registry(model.registry, root=root, environment=context.environment).ledger(model.model)


def _chosen(context: Context, version: str, config: str | None, name: str | None) -> tuple[ModelConfig, Ledger, str]:
    """The one version a word names.

    Raises:
        BadInput: `version-unknown`: none, or several.
    """
    from release_gate.commands.show import named

    found, root = configured(context, config)
    ledgers = [(model, _ledger(context, model, root)) for model in found.named(name)]
    matches = [(model, ledger, digest) for model, ledger in ledgers for digest in named(version, ledger.read())]
    if len(matches) != 1:
        many = f"{len(matches)} versions are called {version!r}; give more of the digest, or --model"
        raise BadInput.because("version-unknown", many if matches else f"no version is called {version!r}")
    return matches[0]


def _recorded(
    context: Context, model: ModelConfig, ledger: Ledger, due: Due, reason: str
) -> tuple[Event | None, list[Finding]]:
    """Append the event that is due, decided anew on whatever came first; nothing where things are so already."""
    from release_gate.commands.publish_artifact import actor, run_url
    from release_gate.lifecycle.events import Draft
    from release_gate.lifecycle.state import fold

    by, now = actor(context), context.clock.now()

    def drafted(events: Sequence[Event]) -> Draft | None:
        change = due.decide(fold(events))
        if change is None:
            return None
        return Draft(at=now, actor=by, run=run_url(context), kind=change[0], package=change[1], because=reason)

    event, before = ledger.append(drafted)
    state = fold(before)
    if event is None:
        return None, [due.already(state)]
    told = {"held": "held", "lifted": "hold-lifted", "blocked": "version-blocked", "unblocked": "version-unblocked"}
    what = f"{event.package} " if event.package else ""
    found = [finding(told[event.kind], f"{what}{event.kind} by {by}, event {event.sequence}: {reason or 'no reason'}")]
    if event.kind == "blocked" and event.package == state.production:
        found.append(finding("block-serves", f"{event.package} is production"))
    return event, [*found, *_not_the_owner(model, by, event)]


def _not_the_owner(model: ModelConfig, by: str, event: Event) -> list[Finding]:
    """A warning where the actor is not among those who decide at the moment of the event."""
    from release_gate.lifecycle.deciders import deciders

    now = deciders(model.owner, event.at)
    persons, unlisted = model.owner.persons(now.people)
    if by.lower() in {person.removeprefix("@").lower() for person in persons}:
        return []
    unknown = f"; who is in {', '.join(unlisted)} is not listed" if unlisted else ""
    told = f"{by} is not among {', '.join(now.people)}, who decide now ({now.because}){unknown}"
    return [finding("not-the-owner", told)]


def _tell(done: Sequence[tuple[ModelConfig, Event | None, list[Finding]]], how: str) -> None:
    if how == "json":
        plain = {
            model.model: {
                "event": None if event is None else json.loads(event.to_json()),
                "findings": [found.model_dump(mode="json") for found in told],
            }
            for model, event, told in done
        }
        click.echo(json.dumps(plain, indent=1, ensure_ascii=False))
        return
    from release_gate.report.text import finding_lines

    for model, _, told in done:
        click.echo("\n".join([model.model, *(line for found in told for line in finding_lines(found))]))
