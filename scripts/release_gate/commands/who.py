"""`who`: who decides about a model at a moment, why, until when, and who follows."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from release_gate.commands.context import Context, configured
from release_gate.commands.options import CONFIG, FORMAT, MODEL, option, shared
from release_gate.config import ModelConfig
from release_gate.findings import BadInput
from release_gate.verdict import Scalar, Table

if TYPE_CHECKING:
    from release_gate.lifecycle.deciders import Deciders
    from release_gate.lifecycle.state import Hold
    from release_gate.owners import Owners

YEARS = (1980, 2100)
"""Years of which calendars and time zones tell something."""


@click.command()
@shared(CONFIG, MODEL, FORMAT)
@option("--at", metavar="TIME", help="A moment with its zone, such as 2026-12-24T20:00Z; now when absent.")
@click.pass_obj
def command(context: Context, config: str | None, model: str | None, format: str, at: str | None) -> None:  # noqa: A002 - the option's name
    """Say who decides now, why, until when, and who does then."""
    from release_gate.lifecycle.deciders import deciders

    moment = _moment(at) if at else context.clock.now()
    found, root = configured(context, config)
    told = [(one, deciders(one.owner, moment)) for one in found.named(model)]
    holds = {one.model: _hold(context, one, root) for one, _ in told}
    if format == "json":
        plain = {one.model: {**_plain(one.owner, moment, now), "held": _held(holds[one.model])} for one, now in told}
        click.echo(json.dumps(plain, indent=1, ensure_ascii=False))
        return
    if format == "markdown":
        from release_gate.report.cells import grid
        from release_gate.report.escape import text

        for one, now in told:
            table = _table(one, moment, now)
            click.echo("".join(f"{text(line.strip())}\n\n" for line in _above(one, holds[one.model])), nl=False)
            click.echo(f"**{table.title}**\n\n{grid(table.columns, table.rows)}\n")
        return
    from release_gate.report.text import table_lines

    for one, now in told:
        click.echo("\n".join([*_above(one, holds[one.model]), *table_lines(_table(one, moment, now))]))


def _moment(written: str) -> datetime:
    """A moment as it was given.

    Raises:
        BadInput: `usage`: it is none, or has no time zone.
    """
    try:
        found = datetime.fromisoformat(written)
    except ValueError as error:
        raise BadInput.because("usage", f"--at {written}: write a moment such as 2026-12-24T20:00Z") from error
    if found.tzinfo is None:
        raise BadInput.because("usage", f"--at {written}: say in which zone, such as {written}Z or {written}+01:00")
    if not YEARS[0] <= found.year < YEARS[1]:
        raise BadInput.because("usage", f"--at {written}: the year must be from {YEARS[0]} to {YEARS[1] - 1}")
    return found.astimezone(UTC)


def _hold(context: Context, model: ModelConfig, root: Path) -> Hold | str | None:
    """The hold of today, and in words why it can't be told: who decides is known without the ledger."""
    from release_gate.commands.boundary import refused
    from release_gate.findings import Refused
    from release_gate.lifecycle.state import fold
    from release_gate.registry.opened import open_registry

    try:
        registry = open_registry(model.registry, root=root, environment=context.environment, hurried=True)
        return fold(registry.ledger(model.model).read()).hold
    except (Refused, OSError) as error:
        return f"whether releases are held can't be told: {refused(error)}"


def _held(hold: Hold | str | None) -> dict[str, Any] | None:
    """The hold for a program."""
    if isinstance(hold, str):
        return {"unknown": hold}
    return None if hold is None else hold.model_dump(mode="json")


def _above(model: ModelConfig, hold: Hold | str | None) -> list[str]:
    """What stands above who decides: that releases are held, in a line."""
    from release_gate.commands.holds import held_line
    from release_gate.report.text import plain

    if isinstance(hold, str):
        return [f"  {plain(f'{model.model}: {hold}')}"]
    return [] if hold is None else [held_line(model.model, hold)]


def _plain(owner: Owners, at: datetime, now: Deciders) -> dict[str, Any]:
    """The answer for a program; `persons` are the users behind the people, as far as they are listed."""
    persons, unlisted = owner.persons(now.people)
    return {
        "at": at.isoformat(),
        "people": list(now.people),
        "persons": list(persons),
        "unlisted": list(unlisted),
        "reason": now.reason,
        "because": now.because,
        "until": now.until.isoformat() if now.until else None,
        "then": list(now.then),
    }


def _table(model: ModelConfig, at: datetime, now: Deciders) -> Table:
    rows: list[list[Scalar]] = [["at", _shown(at, model.owner)], ["decides", ", ".join(now.people)]]
    rows += [[f"{name} is", ", ".join(model.owner.members[name])] for name in now.people if name in model.owner.members]
    rows.append(["because", now.because])
    if now.until is not None:
        rows += [["until", _shown(now.until, model.owner)], ["then", ", ".join(now.then)]]
    return Table(title=f"{model.model}: who decides", columns=["", "value"], rows=rows)


def _shown(moment: datetime, owner: Owners) -> str:
    """A moment on the clock of the business hours, and in UTC."""
    from zoneinfo import ZoneInfo

    if owner.hours is None:
        return f"{moment:%a %Y-%m-%d %H:%MZ}"
    return f"{moment.astimezone(ZoneInfo(owner.hours.zone)):%a %Y-%m-%d %H:%M %Z} ({moment:%Y-%m-%d %H:%MZ})"
