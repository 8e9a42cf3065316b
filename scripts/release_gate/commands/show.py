"""`show V`: one version, what it is made of and what became of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from release_gate.commands.context import Context, configured
from release_gate.commands.options import CONFIG, FORMAT, MODEL, shared
from release_gate.config import ModelConfig
from release_gate.findings import BadInput
from release_gate.verdict import Scalar, Table

if TYPE_CHECKING:
    from release_gate.lifecycle.events import Event
    from release_gate.lifecycle.package import Package

SHORTEST = 4


@click.command()
@click.argument("version")
@shared(CONFIG, MODEL, FORMAT)
@click.pass_obj
def command(context: Context, version: str, config: str | None, model: str | None, format: str) -> None:  # noqa: A002 - the option's name
    """Show one version of the registry: `production`, `previous`, or a digest (its beginning is enough)."""
    from release_gate.registry.opened import Registry, open_registry

    found, root = configured(context, config)
    matches: list[tuple[ModelConfig, Registry, str, list[Event]]] = []
    for one in found.named(model):
        registry = open_registry(one.registry, root=root, environment=context.environment)
        events = registry.ledger(one.model).read()
        matches.extend((one, registry, digest, events) for digest in named(version, events))
    if len(matches) != 1:
        many = f"{len(matches)} versions are called {version!r}; give more of the digest, or --model"
        raise BadInput.because("version-unknown", many if matches else f"no version is called {version!r}")
    chosen, registry, digest, events = matches[0]
    sealed = registry.open(digest)
    if format == "json":
        history = [json.loads(event.to_json()) for event in events if event.package == digest]
        click.echo(json.dumps({**sealed.package.model_dump(mode="json"), "events": history}, indent=1))
        return
    from release_gate.commands.log import table as history_table
    from release_gate.report.text import table_lines

    click.echo("\n".join(table_lines(table(sealed.package, sealed.size))))
    click.echo("\n".join(table_lines(history_table(chosen.model, [one for one in events if one.package == digest]))))


def named(version: str, events: list[Event]) -> list[str]:
    """The digests that a word names in a history."""
    from release_gate.lifecycle.listing import previous
    from release_gate.lifecycle.state import fold

    state = fold(events)
    if version in ("production", "previous"):
        digest = state.production if version == "production" else previous(state)
        return [digest] if digest else []
    start = version.removeprefix("sha256:")
    if len(start) < SHORTEST:
        return []
    return [one for one in state.registered if one.removeprefix("sha256:").startswith(start)]


def table(package: Package, size: int) -> Table:
    """What a package is made of."""
    contents = package.contents
    golden = contents.golden
    rows: list[list[Scalar]] = [
        ["model", package.model],
        ["digest", package.digest],
        ["commit", package.source.commit],
        ["tree", package.source.tree],
        ["made by", contents.producer],
        ["delivery", contents.delivery],
        ["files", len(contents.files)],
        ["bytes", size],
        ["environment", f"{contents.environment.lock} sha256:{contents.environment.sha256}"],
        ["predict", contents.use.predict],
        ["serve", contents.use.serve],
        ["golden predictions", f"{len(golden.rows)} through {golden.through}" if golden else None],
    ]
    rows.extend(["data", f"{data.name} {data.identity}"] for data in contents.datasets)
    rows.extend(["contract", f"{one.name} version {one.version or 'none'}"] for one in contents.contracts)
    if contents.features is not None:
        rows.append(["feature contract", f"{contents.features.name} version {contents.features.version or 'none'}"])
    return Table(title=f"{package.model} {package.digest}", columns=["", "value"], rows=rows)
