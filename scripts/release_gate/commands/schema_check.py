"""`schema-check`: does the data keep its contract, and does the contract's change keep the rules."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import click

from release_gate.commands.context import Context, Place
from release_gate.commands.emit import Asked, finish, judged, run_gate
from release_gate.commands.options import gate_options, option
from release_gate.data_places import without_secrets
from release_gate.findings import BadInput
from release_gate.names import RUN
from release_gate.verdict import Finding, Verdict

if TYPE_CHECKING:
    from release_gate.change_kinds import ContractChanges
    from release_gate.config import ModelConfig
    from release_gate.gates.schema_check import Judged

NAME = "schema-check"


@dataclass(frozen=True)
class Wanted:
    """How tables are held against contracts, beside the contracts themselves.

    `memory` is in bytes, `write` and `accepted` are files as the user named them. `production` tells what is known
    of the data that production was made with.
    """

    base: str | None = None
    memory: int | None = None
    exact: bool = False
    table: str | None = None
    sql: str | None = None
    engine: str | None = None
    write: str | None = None
    accepted: str | None = None
    changes: ContractChanges | None = None
    production: Callable[[], Mapping[str, Any]] | None = None


@click.command()
@gate_options
@option("--contract", metavar="FILE", help="Contract (ODCS or pandera YAML or JSON) to hold --data against.")
@option(
    "--data", metavar="PLACE", help="File, pattern, URL (https, s3, gs, az) or database (postgres://…) to be judged."
)
@option("--table", metavar="NAME", help="With --data: the table of a database, such as sales.orders.")
@option("--sql", metavar="SELECT", help="With --data: one SELECT of a database, whose rows are judged.")
@option("--engine", type=click.Choice(["duckdb", "spark"]), help="What reads files; `engine` of the file when absent.")
@option("--base", metavar="REF", help="Git revision whose contract is compared; the merge base when absent.")
@option("--write", metavar="FILE", help="With --data: write it to this Parquet file as the contract declares it read.")
@option(
    "--accepted", metavar="FILE", help="With --data: verdict (JSON) on the last accepted data, to see drift against."
)
@option("--memory", metavar="SIZE", help="Memory the engine keeps to, such as 1GB; beyond it, it spills to disk.")
@option("--exact", is_flag=True, help="Count every check, whatever the footers of Parquet files prove.")
@click.pass_obj
def command(context: Context, /, contract: str | None, data: str | None, **options: Any) -> None:
    """Does the data keep its contract?"""
    wanted = _wanted(options)
    if (contract is None) != (data is None):
        raise click.UsageError("--contract and --data belong together: give both, or none to read release-gate.yml.")
    if contract is None or data is None:
        if wanted.write or wanted.accepted or wanted.table or wanted.sql:
            only = "--write, --accepted, --table and --sql"
            raise click.UsageError(f"{only} are for one table: give --contract and --data too.")
        run_gate(context, Asked(**options), NAME, lambda ctx, model, place: gate(ctx, model, place, wanted=wanted))
        return
    asked = Asked(**options)
    model = asked.model or "-"
    spot = Place(root=context.home, run=context.home / (asked.run or RUN))
    from release_gate.commands.holding import refuse_overwriting

    refuse_overwriting(context, contract, data, wanted, asked.out)
    # Others in other folders may have its name, and other contracts its data: perhaps they were judged just now.
    files = _quarantine_files([(contract, data)], plain=False)
    judge = partial(_all, context, model, {contract: data}, spot, wanted, quarantines=files)
    finish(asked, [judged(context, NAME, model, judge)])


def _wanted(options: dict[str, Any]) -> Wanted:
    """Our own options, taken out of those that every gate has."""
    from release_gate.documents import size

    own = {
        name: options.pop(name) for name in ("base", "write", "accepted", "memory", "exact", "table", "sql", "engine")
    }
    if own["memory"] is not None:
        try:
            own["memory"] = size(own["memory"])
        except ValueError as error:
            raise click.UsageError(f"--memory {own['memory']}: {error}") from error
    return Wanted(**own)


def gate(context: Context, model: ModelConfig, place: Place, *, wanted: Wanted | None = None) -> Verdict:
    """Judge every contract of a model against its data."""
    from release_gate.commands.accepted import of_production

    told = replace(
        wanted or Wanted(),
        changes=model.contract_changes,
        engine=(wanted and wanted.engine) or model.engine,
        production=partial(of_production, context, model, place),
    )
    pairs = dict(model.contracts)
    return _all(context, model.model, pairs, place, told, quarantines=_quarantine_files(pairs.items()))


def _all(
    context: Context, model: str, pairs: dict[str, str], spot: Place, wanted: Wanted, *, quarantines: Sequence[str]
) -> Verdict:
    """Judge all pairs of contract and data, so that one that can't be read hides nothing of the others."""
    from release_gate.commands.holding import held
    from release_gate.gates.schema_check import findings_of, judge

    done: list[Judged] = []
    refused: list[Finding] = []
    for (contract, data), file in zip(pairs.items(), quarantines, strict=True):
        try:
            done.append(held(context, contract, data, spot, wanted, quarantine=file))
        except BadInput as refusal:
            refused.extend(refusal.findings)
    if refused:
        raise BadInput(*refused, *(found for pair in done for found in findings_of(pair)))
    return judge(model, done, started=context.clock.now())


def _quarantine_files(pairs: Collection[tuple[str, str]], *, plain: bool = True) -> list[str]:
    """A file name for each contract and its data: the data's own, where that is plain and no other's.

    Nothing of a stranger's path is in it.
    """
    places = [place for _, place in pairs]
    stems = [re.sub(r"[^A-Za-z0-9_-]+", "-", PurePath(without_secrets(place)).stem).strip("-") for place in places]
    names = []
    for (contract, place), stem in zip(pairs, stems, strict=True):
        alone = plain and stem and stems.count(stem) == 1 and stem == PurePath(place).stem
        digest = hashlib.sha256(f"{contract}\0{place}".encode()).hexdigest()[:8]
        names.append(f"{stem[:80]}{'' if alone else f'-{digest}' if stem else digest}.parquet")
    return names
