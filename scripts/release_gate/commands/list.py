"""`list`: the registered versions of a model, what each was made from, and what it is now."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from release_gate.commands.context import Context, configured
from release_gate.commands.options import CONFIG, FORMAT, MODEL, option, shared
from release_gate.findings import BadInput
from release_gate.verdict import Scalar, Table

if TYPE_CHECKING:
    from release_gate.config import ModelConfig
    from release_gate.lifecycle.events import Event
    from release_gate.lifecycle.listing import Listed

HEAD = "HEAD"
HEXADECIMAL = frozenset("0123456789abcdef")
SHORTEST = 7


@click.command()
@shared(CONFIG, MODEL, FORMAT)
@option("--tree", metavar="TREE", help="Only versions made from this git tree or its beginning; HEAD: this checkout's.")
@click.pass_obj
def command(context: Context, config: str | None, model: str | None, format: str, tree: str | None) -> None:  # noqa: A002 - the option's name
    """List the registered versions, the newest first: digest, time, commit, tree, and what each is now."""
    from release_gate.lifecycle.listing import listed
    from release_gate.registry.opened import open_registry
    from release_gate.registry.repository import inspect

    found, root = configured(context, config)
    source = inspect(root).source
    start = _start(tree, source.tree, root)
    models = found.named(model)
    registries = {one.model: open_registry(one.registry, root=root, environment=context.environment) for one in models}
    histories: dict[str, list[Event]] = {name: one.ledger(name).read() for name, one in registries.items()}
    if tree == HEAD:
        _tell(context, models, histories, source.commit, source.tree)
    rows = {name: [one for one in listed(events) if _made_from(one, start)] for name, events in histories.items()}
    if format == "json":
        plain = {name: [one.model_dump(mode="json") for one in versions] for name, versions in rows.items()}
        click.echo(json.dumps(plain, indent=1))
        return
    for name, versions in rows.items():
        none = f"{name}: no version is registered{f' from the tree {start}' if start else ''}"
        absent = registries[name].absent
        click.echo("\n".join(_lines(name, versions, histories[name], f"{none}: {absent}" if absent else none)))


def _lines(model: str, versions: Sequence[Listed], events: Sequence[Event], none: str) -> list[str]:
    """The versions of a model as text, below what stops their release; `none`: what is said where there are none."""
    from release_gate.commands.holds import held_line
    from release_gate.lifecycle.state import fold
    from release_gate.report.text import table_lines

    hold = fold(events).hold
    held = [held_line(model, hold)] if hold is not None else []
    return [*held, *(table_lines(table(model, versions)) if versions else [f"  {none}"])]


def table(model: str, versions: Sequence[Listed]) -> Table:
    """Versions as rows."""
    rows: list[list[Scalar]] = [
        [
            one.digest.removeprefix("sha256:")[:12],
            one.registered_at.strftime("%Y-%m-%d %H:%M:%SZ"),
            (one.commit or "")[:12],
            (one.tree or "")[:12],
            ", ".join(one.now),
        ]
        for one in versions
    ]
    columns = ["version", "registered", "commit", "tree", "now"]
    return Table(title=f"{model}: {len(rows)} version{'s' * (len(rows) != 1)}", columns=columns, rows=rows)


def _start(tree: str | None, here: str | None, root: Path) -> str | None:
    """The beginning of the tree that is asked for.

    Raises:
        BadInput: `usage`: it is no tree, or there is none here.
    """
    if tree == HEAD:
        if here is None:
            raise BadInput.because("usage", f"--tree HEAD: {root.name} is in no git repository that has a commit")
        return here
    if tree and (len(tree) < SHORTEST or not set(tree) <= HEXADECIMAL):
        raise BadInput.because("usage", f"--tree {tree}: give HEAD, or at least {SHORTEST} digits of a git tree")
    return tree or None


def _made_from(version: Listed, start: str | None) -> bool:
    return start is None or (version.tree is not None and version.tree.startswith(start))


def _tell(
    context: Context,
    models: Sequence[ModelConfig],
    histories: Mapping[str, list[Event]],
    commit: str | None,
    tree: str | None,
) -> None:
    """For the jobs that follow: is every model's version of this checkout registered, and which are to be deployed."""
    from release_gate.github.files import OUTPUT, append
    from release_gate.lifecycle.listing import released_from
    from release_gate.report.escape import output

    released = {one.model: released_from(histories[one.model], commit, tree) for one in models}
    rolled_out = [one.model for one in models if one.rollout is not None]
    versions = [{"model": name, "version": released[name]} for name in rolled_out if released[name]]
    told = {"known": "true" if all(released.values()) else "false", "versions": json.dumps(versions)}
    append(context.environment, OUTPUT, "".join(output(*one, secrets.token_hex(16)) for one in told.items()))
