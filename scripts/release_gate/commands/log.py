"""`log`: what happened to a model, when, by whom."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from release_gate.commands.context import Context, configured
from release_gate.commands.options import CONFIG, FORMAT, MODEL, shared
from release_gate.verdict import Table

if TYPE_CHECKING:
    from release_gate.lifecycle.events import Event


@click.command()
@shared(CONFIG, MODEL, FORMAT)
@click.pass_obj
def command(context: Context, config: str | None, model: str | None, format: str) -> None:  # noqa: A002 - the option's name
    """Show a model's ledger, oldest first, after verifying its chain."""
    from release_gate.registry.opened import open_registry

    found, root = configured(context, config)
    histories = {
        one.model: open_registry(one.registry, root=root, environment=context.environment).ledger(one.model).read()
        for one in found.named(model)
    }
    if format == "json":
        plain = {name: [json.loads(event.to_json()) for event in events] for name, events in histories.items()}
        click.echo(json.dumps(plain, indent=1, ensure_ascii=False))
        return
    from release_gate.report.text import table_lines

    for name, events in histories.items():
        lines = table_lines(table(name, events)) if events else [f"  {name}: nothing has happened yet"]
        click.echo("\n".join(lines))


def table(model: str, events: list[Event]) -> Table:
    """Events as rows."""
    rows = [
        [
            event.sequence,
            event.at.strftime("%Y-%m-%d %H:%M:%SZ"),
            _what(event),
            (event.package or "").removeprefix("sha256:")[:12],
            event.actor,
            event.because,
        ]
        for event in events
    ]
    columns = ["event", "at", "what", "package", "by", "because"]
    return Table(
        title=f"{model}: {len(events)} event{'s' * (len(events) != 1)}",
        columns=columns,
        rows=[list(row) for row in rows],
    )


def _what(event: Event) -> str:
    """The kind, with its share of the traffic where it is one of a rollout's steps."""
    return event.kind if event.share is None else f"{event.kind} {100 * event.share:.4g}%"
