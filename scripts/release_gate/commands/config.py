"""`config check` and `config schema`: is release-gate.yml right, and what may stand in it."""

from __future__ import annotations

import json

import click

from release_gate.commands.context import Context, configured
from release_gate.commands.options import CONFIG


@click.group()
def command() -> None:
    """Check release-gate.yml, or print its JSON Schema."""


@command.command()
@CONFIG
@click.pass_obj
def check(context: Context, config: str | None) -> None:
    """Say what is wrong with the configuration, and which defaults it relies on."""
    from release_gate.config import defaults
    from release_gate.report.text import finding_lines

    found, root = configured(context, config)
    for model in found.models:
        for note in defaults(found, model):
            click.echo("\n".join(finding_lines(note)))
    names = ", ".join(model.model for model in found.models)
    click.echo(f"{found.file}: right; {len(found.models)} model{'s' * (len(found.models) > 1)}: {names} ({root.name}/)")


@command.command()
def schema() -> None:
    """Print the JSON Schema of release-gate.yml, for editors."""
    from release_gate.config import json_schema

    click.echo(json.dumps(json_schema(), indent=1))
