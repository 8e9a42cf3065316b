"""`contract infer`, `diff`, `show` and `export`: draft a contract, compare two, read one, hand one to pandera."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal

import click

from release_gate.change_kinds import ContractChanges
from release_gate.commands.context import Context
from release_gate.commands.options import CONFIG, FORMAT, option
from release_gate.findings import BadInput
from release_gate.verdict import Finding, Severity, Table

if TYPE_CHECKING:
    from release_gate.contracts.comparison.change import Change
    from release_gate.contracts.contract import Contract, Reading


LONGEST = 2_000
"""Characters of a cell in Markdown."""


@click.group()
def command() -> None:
    """Infer, compare or show contracts."""


@command.command()
@click.argument("data")
@option("--out", metavar="FILE", help="Write the contract (YAML) to this new file instead of printing it.")
@option("--owner", metavar="NAME", help="Who owns the contract; whom CODEOWNERS or the repository names when absent.")
@option("--memory", metavar="SIZE", help="Memory the engine keeps to, such as 1GB; beyond it, it spills to disk.")
@click.pass_obj
def infer(context: Context, data: str, out: str | None, owner: str | None, memory: str | None) -> None:
    """Draft a contract from data, to be edited by people; print it, or write it with --out.

    Types, ranges, sets, patterns of codes, shares of nulls and a key are what the data shows; columns whose names or
    values look personal are marked sensitive.
    """
    from release_gate.commands.init import owner as known_owner
    from release_gate.contracts.infer import draft
    from release_gate.documents import size
    from release_gate.files import write_whole
    from release_gate.tables.profile import profile

    if out and (context.home / out).exists():
        message = f"--out {out}: the file exists already; a contract that people wrote is not replaced"
        raise BadInput.because("usage", message, remedy="Name another file, or move this one away first.")
    try:
        most = None if memory is None else size(memory)
    except ValueError as error:
        raise click.UsageError(f"--memory {memory}: {error}") from error
    text = draft(profile(context.home / data, data, memory=most), data, owner or known_owner(context.home))
    if out:
        write_whole(context.home / out, text.encode())
        click.echo(f"{out} drafted: read it, then replace every `DRAFT` by what holds")
    else:
        click.echo(text, nl=False)


@command.command()
@click.argument("old")
@click.argument("new")
@option(
    "--for",
    "audience",
    type=click.Choice(["readers", "writers", "both"]),
    help="Whose break asks for a major version; as configured, else readers, when absent.",
)
@CONFIG
@FORMAT
@click.pass_obj
def diff(
    context: Context,
    /,
    old: str,
    new: str,
    *,
    audience: Literal["readers", "writers", "both"] | None,
    config: str | None,
    format: str,  # noqa: A002 - the option's name
) -> None:
    """Say what changed between two contracts, and whether the version is bumped to match.

    OLD may be of another revision: `main:contracts/flights.yml`, whose path counts from this folder.
    """
    from release_gate.contracts.comparison.changes import changes
    from release_gate.contracts.comparison.revision import changes_table, revision_findings

    before, reading = _read_old(context, old).contract, _read(context, new)
    after = reading.contract
    found = changes(before, after, _weights(context, new, config, audience))
    # A version that is none can't be measured against the changes, so what its reading says of it is the verdict.
    unmeasured = [one for one in reading.findings if one.code == "contract-version-invalid"]
    findings = [*unmeasured, *revision_findings(after, before, found, old, None)]
    wrong = [one for one in findings if one.severity is Severity.ERROR or one.code == "contract-editorial-unbumped"]
    if format == "json":
        click.echo(json.dumps(_compared(before, after, found, wrong), indent=1, ensure_ascii=False))
    else:
        counted = f"{len(found) or 'no'} change{'s' * (len(found) != 1)}"
        demanded = _demanded(before, found)
        asked = f", which ask{'s' * (len(found) == 1)} for {demanded}" if found and demanded else ""
        _print(changes_table(f"{old} {before.version} → {new} {after.version}: {counted}{asked}", found), format)
        _say(wrong, format)
    raise SystemExit(1 if any(one.severity is Severity.ERROR for one in findings) else 0)


@command.command()
@click.argument("contract")
@FORMAT
@click.pass_obj
def show(context: Context, contract: str, format: str) -> None:  # noqa: A002 - the option's name
    """Show what a contract promises and what happens where data breaks it."""
    from release_gate.contracts.shown import plain, tables

    reading = _read(context, contract)
    if format == "json":
        click.echo(json.dumps(plain(reading.contract), indent=1, ensure_ascii=False))
        return
    for index, table in enumerate(tables(reading.contract)):
        click.echo("\n" * bool(index), nl=False)
        _print(table, format)
    _say(reading.findings, format)


@command.command()
@click.argument("contract")
@option("--out", metavar="FILE", help="Write the schema (YAML) to this file instead of printing it.")
@click.pass_obj
def export(context: Context, contract: str, out: str | None) -> None:
    """Write a contract as a pandera schema (YAML), for code that validates frames; what is lost stands above it."""
    from release_gate.contracts.standards.pandera_schema import written
    from release_gate.files import write_whole

    text = written(_read(context, contract).contract)
    if out:
        write_whole(context.home / out, text.encode())
    else:
        click.echo(text, nl=False)


def _weights(
    context: Context, contract: str, config: str | None, audience: Literal["readers", "writers", "both"] | None
) -> ContractChanges:
    """How the model of this contract weighs changes, where a configuration is asked for or stands here."""
    from release_gate.commands.context import configured
    from release_gate.names import FILE

    known = ContractChanges()
    if config or (context.home / FILE).is_file():
        models = configured(context, config)[0].models
        same = (one for one in models if PurePosixPath(contract) in map(PurePosixPath, one.contracts))
        known = next((one.contract_changes for one in same), known)
    return known.model_copy(update={"for_": audience}) if audience else known


def _read_old(context: Context, name: str) -> Reading:
    """A contract of this folder, or of another revision (`REV:path`).

    Raises:
        BadInput: `base-unknown`, `file-missing`, or everything that is wrong with the contract.
    """
    from release_gate.commands.base_revision import at_base
    from release_gate.contracts.reading import read
    from release_gate.documents import parse

    revision, _, path = name.partition(":")
    if not revision or not PurePosixPath(path).suffix or (context.home / name).exists():
        return _read(context, name)
    base = at_base(context.home / path, revision, context.environment)
    if base.content is None:
        raise BadInput.because("file-missing", f"{path} is not there at {revision}")
    return read(parse(base.content, name))


def _read(context: Context, name: str) -> Reading:
    from release_gate.commands.contract_reading import read_contract

    return read_contract(context, context.home, name).reading


def _demanded(before: Contract, found: tuple[Change, ...]) -> str | None:
    """The least version that the changes ask for; None where the old contract has none to count from."""
    from release_gate.contracts.comparison.changes import owed

    return str(owed(before.semantic, found)) if before.semantic else None


def _compared(before: Contract, after: Contract, found: tuple[Change, ...], wrong: list[Finding]) -> dict[str, object]:
    versions = {
        "old": before.version,
        "new": after.version,
        "demanded": _demanded(before, found),
        "enough": not any("backfill" not in one.code for one in wrong),
    }
    listed = [
        {
            "change": one.kind,
            "column": one.column,
            "what": one.what,
            "readers": one.readers.value,
            "writers": one.writers.value,
            "weight": one.weight.value,
        }
        for one in found
    ]
    told = [one.model_dump(mode="json", include={"code", "severity", "message", "remedy"}) for one in wrong]
    return {"versions": versions, "changes": listed, "findings": told}


def _say(findings: Iterable[Finding], form: str) -> None:
    from release_gate.report.escape import text
    from release_gate.report.text import finding_lines

    for found in findings:
        if form == "markdown":
            place = f"{found.where}: " if str(found.where) else ""
            click.echo(f"\n- {found.severity} `{found.code}` {text(place + found.message)} {text(found.remedy)}")
        else:
            click.echo("\n".join(finding_lines(found)))


def _print(table: Table, form: str) -> None:
    if form == "markdown":
        from release_gate.report.cells import grid
        from release_gate.report.escape import text

        click.echo(f"{text(table.title)}\n\n{grid(table.columns, table.rows, LONGEST)}")
        return
    from release_gate.report.text import table_lines

    click.echo("\n".join(table_lines(table)))
