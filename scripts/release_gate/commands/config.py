"""`config check` and `config schema`: is release-gate.yml right, and what may stand in it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from release_gate.commands.context import Context, configured
from release_gate.commands.options import CONFIG
from release_gate.config import ModelConfig
from release_gate.findings import BadInput, finding
from release_gate.verdict import Finding

if TYPE_CHECKING:
    from release_gate.documents import Document

PLACEHOLDERS = {"train": ("out",), "predict": ("model", "data", "out"), "serve": ("model", "port", "host")}
"""What is filled into each command."""


@click.group()
def command() -> None:
    """Check release-gate.yml, or print its JSON Schema."""


@command.command()
@CONFIG
@click.pass_obj
def check(context: Context, config: str | None) -> None:
    """Say what is wrong with the configuration and with what it names, and which defaults it relies on."""
    from release_gate.config import defaults
    from release_gate.documents import read
    from release_gate.report.text import finding_lines

    found, root = configured(context, config)
    document = read(context.home / found.file, shown=found.file)
    wrong = [one for index, model in enumerate(found.models) for one in _wrong(root, document, index, model)]
    if wrong:
        # A shared key is wrong once, however many models share it.
        raise BadInput(*{str(one): one for one in wrong}.values())
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


def _wrong(root: Path, document: Document, index: int, model: ModelConfig) -> Iterator[Finding]:
    """What a model names that is not there, and commands that can't be filled; each at its place."""
    from glob import has_magic

    from release_gate.caller.commands import filled
    from release_gate.data_places import scheme_of

    names: list[tuple[tuple[str, ...], str, str]] = []
    for contract, data in model.contracts.items():
        # module:Schema is no file; schema-check says what to do with it.
        names += [(("contracts", contract), contract, "the contract")] * (":" not in contract)
        # What a pattern names, a server or a database holds, is for schema-check to find.
        elsewhere = scheme_of(data) is not None or has_magic(data)
        names += [(("contracts", contract), data, f"the data of {contract}")] * (not elsewhere)
    if model.transforms is not None and model.transforms.features is not None:
        names.append((("transforms", "features"), model.transforms.features, "the contract of the features"))
    names.append((("evaluation", "data"), model.evaluation.data, "the evaluation data"))
    if model.candidate.serve is not None:
        names.append((("smoke",), model.smoke, "the checks of the server"))
    for path, name, what in names:
        if not (root / name).exists():
            where = document.where(_written(document, index, path))
            yield finding("file-missing", f"{what}, {name}, does not exist", where=where)
    asked = model.candidate.serve is not None or (model.rollout is not None and model.rollout.target.batch is None)
    if asked and (root / model.smoke).exists():
        yield from _wrong_checks(root / model.smoke, Path(document.file).parent / model.smoke)
    for role, known in PLACEHOLDERS.items():
        if (words := getattr(model.candidate, role)) is not None:
            where = document.where(_written(document, index, ("candidate", role)))
            try:
                filled(words, dict.fromkeys(known, "x"), where=where)
            except BadInput as refusal:
                yield from refusal.findings


def _wrong_checks(file: Path, shown: Path) -> Sequence[Finding]:
    """What is wrong in a smoke.yml, at its own places."""
    from release_gate.serving.checks import load

    try:
        load(file, shown.as_posix())
    except BadInput as refusal:
        return refusal.findings
    return ()


def _written(document: Document, index: int, path: tuple[str, ...]) -> tuple[str | int, ...]:
    """Where a model's key stands: below its own entry, or at the top where models share it."""
    own: tuple[str | int, ...] = ("models", index, *path)
    return own if ("models", index, path[0]) in document.marks else path
