"""`check`: every pull-request gate in the order of gate.yml, then the report, on one machine."""

from __future__ import annotations

import importlib
from typing import Any

import click

from release_gate.commands.context import Context, configured, place
from release_gate.commands.emit import Asked, Gate, judge_model
from release_gate.commands.options import gate_options
from release_gate.files import clear_unfinished
from release_gate.findings import BadInput

GATES = (
    *("schema-check", "transform-tests", "build-candidate"),
    *("endpoint-test", "threshold-comparison", "rollback-readiness"),
)
"""Every gate of a pull request; each runs whatever the others say, so that all findings are told at once."""


def gate_of(name: str) -> Gate:
    """The function that judges one model for a gate, imported when it is needed."""
    judge: Gate = importlib.import_module(f"release_gate.commands.{name.replace('-', '_')}").gate
    return judge


@click.command()
@gate_options
@click.pass_obj
def command(context: Context, /, **asked: Any) -> None:
    """Run every pull-request gate, as gate.yml runs them, and compose the comment."""
    from release_gate.commands.report import conclude
    from release_gate.report.text import rendered

    options = Asked(**asked)
    config, root = configured(context, options.config)
    bad_use = set()
    for model in config.named(options.model):
        spot = place(root, model, options.run, options.config)
        clear_unfinished(spot.run.parent)
        for stale in spot.verdicts.glob("*.json"):  # also of commands that are no gate of a pull request
            stale.unlink()
        for name in GATES:
            if options.format == "text":
                click.echo(f"… {name}  {model.model}", err=True)
            verdict, code = judge_model(context, name, gate_of(name), model, spot)
            bad_use |= {name} if code == BadInput.exit_code else set()
            if options.format == "text":
                click.echo(rendered(verdict))
    conclude(context, options, bad_use=frozenset(bad_use))
