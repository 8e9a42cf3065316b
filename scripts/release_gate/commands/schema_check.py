"""`schema-check`: does the data keep its contract, and does the contract's change keep the rules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from release_gate.commands.context import RUN, Context, Place
from release_gate.commands.emit import Asked, finish, judged, run_gate
from release_gate.commands.options import gate_options, option
from release_gate.config import ModelConfig
from release_gate.findings import BadInput
from release_gate.verdict import Finding, Subject, Verdict

if TYPE_CHECKING:
    from release_gate.contracts.contract import Contract
    from release_gate.gates.schema_check import Judged, Revision
    from release_gate.tables.scan import Scanned

NAME = "schema-check"


@click.command()
@gate_options
@option("--contract", metavar="FILE", help="Contract (ODCS or pandera YAML) to hold --data against.")
@option("--data", metavar="FILE", help="Parquet or CSV file that must keep --contract.")
@option("--base", metavar="REF", help="Git revision whose contract is compared; the merge base when absent.")
@click.pass_obj
def command(context: Context, /, contract: str | None, data: str | None, base: str | None, **asked: Any) -> None:
    """Does the data keep its contract?"""
    if (contract is None) != (data is None):
        raise click.UsageError("--contract and --data belong together: give both, or none to read release-gate.yml.")
    if contract is None or data is None:
        run_gate(context, Asked(**asked), NAME, lambda ctx, model, place: gate(ctx, model, place, base=base))
        return
    options = Asked(**asked)
    model = options.model or "-"
    spot = Place(root=context.home, run=context.home / (options.run or RUN))
    finish(options, [judged(context, NAME, model, lambda: _all(context, model, {contract: data}, spot, base))])


def gate(context: Context, model: ModelConfig, place: Place, *, base: str | None = None) -> Verdict:
    """Judge every contract of a model against its data."""
    return _all(context, model.model, dict(model.contracts), place, base)


def _all(context: Context, model: str, pairs: dict[str, str], spot: Place, base: str | None) -> Verdict:
    """Judge all pairs of contract and data, so that one that can't be read hides nothing of the others."""
    from release_gate.gates.schema_check import findings_of, judge

    done: list[Judged] = []
    refused: list[Finding] = []
    for contract, data in pairs.items():
        try:
            done.append(_gathered(context, contract, data, spot, base))
        except BadInput as refusal:
            refused.extend(refusal.findings)
    if refused:
        raise BadInput(*refused, *(found for pair in done for found in findings_of(pair)))
    return judge(model, done, started=context.clock.now())


def _gathered(context: Context, contract: str, data: str, spot: Place, base: str | None) -> Judged:
    from release_gate.contracts.reading import read, refuse_python
    from release_gate.documents import read as read_document
    from release_gate.files import sha256
    from release_gate.gates.schema_check import Judged

    path, data_path = spot.root / contract, spot.root / data
    if not path.exists():
        refuse_python(contract)
    reading = read(read_document(path, shown=contract), data_path.stem)
    from release_gate.tables.scan import scan

    scanned = scan(data_path, reading.contract, shown=data)
    _quarantine(scanned, reading.contract, spot.run / "quarantine" / f"{data_path.stem}.parquet")
    subjects = (
        Subject(kind="contract", name=contract, identity=f"sha256:{sha256(path)}"),
        Subject(kind="data", name=data, identity=f"sha256:{sha256(data_path)}"),
    )
    old = _revision(context, path, reading.contract, data_path.stem, base)
    return Judged(reading, scanned.counts, old, subjects)


def _quarantine(scanned: Scanned, contract: Contract, path: Path) -> None:
    """Write the rows of every quarantined column within its share; a file of an earlier run is taken away."""
    from release_gate.contracts.judgement import within_share
    from release_gate.tables.quarantine import write

    counts = scanned.counts
    within = [
        count.name
        for count in counts.columns
        if (column := contract.column(count.name)) and within_share(column, count, counts.rows)
    ]
    write(path, scanned, contract, within)


def _revision(context: Context, path: Path, new: Contract, table: str, asked: str | None) -> Revision:
    from release_gate.commands.base_revision import at_base
    from release_gate.contracts.changes import changes
    from release_gate.contracts.reading import read
    from release_gate.documents import parse
    from release_gate.gates.schema_check import Revision

    base = at_base(path, asked, context.environment)
    if base.content is None:
        return Revision(base.name, absent=base.absent)
    try:
        old = read(parse(base.content, f"{new.file} at {base.name}"), table).contract
    except BadInput as refusal:
        return Revision(base.name, absent=f"at {base.name}: {refusal.findings[0].message}", broken=True)
    return Revision(base.name, old, changes(old, new))
