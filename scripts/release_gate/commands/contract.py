"""`contract infer`, `contract diff` and `contract show`: draft a contract, compare two, read one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from release_gate.commands.context import Context
from release_gate.commands.options import FORMAT, option
from release_gate.findings import BadInput
from release_gate.verdict import Scalar, Severity, Table

if TYPE_CHECKING:
    from release_gate.contracts.contract import Contract, Reading


@click.group()
def command() -> None:
    """Infer, compare or show contracts."""


@command.command()
@click.argument("data")
@option("--out", metavar="FILE", help="Write the contract (YAML) to this new file instead of printing it.")
@click.pass_obj
def infer(context: Context, data: str, out: str | None) -> None:
    """Draft a contract from a Parquet or CSV file; print it, or write it with --out."""
    from release_gate.contracts.infer import draft
    from release_gate.files import write_whole
    from release_gate.tables.profile import profile

    if out and (context.home / out).exists():
        message = f"--out {out}: the file exists already; a contract that people wrote is not replaced"
        raise BadInput.because("usage", message, remedy="Name another file, or move this one away first.")
    text = draft(profile(context.home / data, data), data)
    if out:
        write_whole(context.home / out, text.encode())
        click.echo(f"{out} drafted: read it, then replace every `DRAFT` by what holds")
    else:
        click.echo(text, nl=False)


@command.command()
@click.argument("old")
@click.argument("new")
@FORMAT
@click.pass_obj
def diff(context: Context, old: str, new: str, format: str) -> None:  # noqa: A002 - the option's name
    """Say what changed between two contracts, and whether the version is bumped to match."""
    from release_gate.contracts.changes import changes
    from release_gate.contracts.revision import revision_findings
    from release_gate.report.text import finding_lines

    before, after = _read(context, old).contract, _read(context, new).contract
    found = changes(before, after)
    findings = revision_findings(after, before, found, old, None)
    wrong = [one for one in findings if one.severity is Severity.ERROR or one.code == "contract-editorial-unbumped"]
    if format == "json":
        listed = [{"weight": one.weight.value, "column": one.column, "what": one.what} for one in found]
        versions = {"old": before.version, "new": after.version, "enough": not wrong}
        click.echo(json.dumps({"versions": versions, "changes": listed}, indent=1))
    else:
        rows: list[list[Scalar]] = [[one.weight.value, one.column or "", one.what] for one in found]
        title = f"{old} {before.version} → {new} {after.version}: {len(found) or 'no'} change{'s' * (len(found) != 1)}"
        _print(Table(title=title, columns=["change", "column", "what"], rows=rows), format)
        for one in wrong:
            click.echo("\n".join(finding_lines(one)))
    raise SystemExit(1 if any(one.severity is Severity.ERROR for one in findings) else 0)


@command.command()
@click.argument("contract")
@FORMAT
@click.pass_obj
def show(context: Context, contract: str, format: str) -> None:  # noqa: A002 - the option's name
    """Show what a contract promises and what happens where data breaks it."""
    from release_gate.report.text import finding_lines

    reading = _read(context, contract)
    if format == "json":
        click.echo(json.dumps(_plain(reading.contract), indent=1, ensure_ascii=False))
        return
    _print(_table(reading.contract), format)
    for found in reading.findings:
        click.echo("\n".join(finding_lines(found)))


def _read(context: Context, name: str) -> Reading:
    from release_gate.contracts.reading import read, refuse_python
    from release_gate.documents import read as read_document

    if not (context.home / name).exists():
        refuse_python(name)
    return read(read_document(context.home / name, shown=name))


def _table(contract: Contract) -> Table:
    rows: list[list[Scalar]] = []
    for column in contract.columns:
        said = column.policy
        marks = ["key"] * (column.name in contract.key) + ["unique"] * column.unique + ["sensitive"] * said.sensitive
        rules = "; ".join([*marks, *map(str, column.rules)])
        on_null = said.on_null.value if said.on_null else "not declared"
        rows.append(
            [column.name, column.kind.value, rules, on_null, said.invalid_words, said.backfill or "not declared"]
        )
    bounds = (("at least", contract.rows_least), ("at most", contract.rows_most))
    limits = ", ".join(f"{words} {number:,} row{'s' * (number != 1)}" for words, number in bounds if number is not None)
    owner = f", owner {contract.owner}" if contract.owner else ""
    columns = f"{len(contract.columns)} column{'s' * (len(contract.columns) != 1)}"
    title = f"{contract.name} {contract.version}{owner}: {columns}{', ' + limits if limits else ''}"
    return Table(title=title, columns=["column", "type", "rules", "on null", "on invalid", "backfill"], rows=rows)


def _plain(contract: Contract) -> dict[str, object]:
    columns = [dict(zip(_table(contract).columns, row, strict=True)) for row in _table(contract).rows]
    head = {"name": contract.name, "version": contract.version, "owner": contract.owner, "table": contract.table}
    rows = {"least": contract.rows_least, "most": contract.rows_most}
    return {**head, "key": list(contract.key), "rows": rows, "columns": columns}


def _print(table: Table, form: str) -> None:
    if form == "markdown":
        from release_gate.report.cells import grid
        from release_gate.report.escape import text

        click.echo(f"{text(table.title)}\n\n{grid(table.columns, table.rows)}")
        return
    from release_gate.report.text import table_lines

    click.echo("\n".join(table_lines(table)))
