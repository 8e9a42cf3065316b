"""`log`: what happened to a model, when, by whom, on what evidence, in which run."""

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
    registries = {
        one.model: open_registry(one.registry, root=root, environment=context.environment) for one in found.named(model)
    }
    histories = {name: registry.ledger(name).read() for name, registry in registries.items()}
    if format == "json":
        plain = {name: [json.loads(event.to_json()) for event in events] for name, events in histories.items()}
        click.echo(json.dumps(plain, indent=1, ensure_ascii=False))
        return
    from release_gate.report.text import table_lines

    for name, events in histories.items():
        none = f"  {name}: nothing has happened yet"
        absent = registries[name].absent
        lines = table_lines(table(name, events)) if events else [f"{none}: {absent}" if absent else none]
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
            _evidence(event),
            event.run,
        ]
        for event in events
    ]
    columns = ["event", "at", "what", "package", "by", "on what evidence", "run"]
    if all(event.run is None for event in events):  # nothing of it happened on GitHub
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    return Table(
        title=f"{model}: {len(events)} event{'s' * (len(events) != 1)}",
        columns=columns,
        rows=[list(row) for row in rows],
    )


def _evidence(event: Event) -> str:
    """Why it was done, and the outcomes of the gates it relies on."""
    outcomes: dict[str, list[str]] = {}
    for one in event.verdicts:
        outcomes.setdefault(one.outcome.value, []).append(one.gate)
    judged = [f"{outcome}: {', '.join(gates)}" for outcome, gates in outcomes.items()]
    return "; ".join(filter(None, [event.because, *judged]))


def _what(event: Event) -> str:
    """The kind, with its share of the traffic where it is one of a rollout's steps."""
    return event.kind if event.share is None else f"{event.kind} {100 * event.share:.4g}%"
