"""The share of missing values in the last accepted data: of an earlier verdict, or of what production was made with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from release_gate.commands.context import Context, Place
from release_gate.config import ModelConfig
from release_gate.findings import BadInput, Refused
from release_gate.verdict import Outcome, Verdict, Where

if TYPE_CHECKING:
    from release_gate.contracts.contract import Contract

SHARES = "null_shares"
"""The key of a package's profile: contract file -> column -> share (0 to 1)."""


def read(path: Path, shown: str) -> Verdict:
    """The verdict in a file, which must be there even where nothing is watched: its name may be misspelt.

    Raises:
        BadInput: the file is missing or no verdict.
    """
    where = Where(file=shown)
    if not path.is_file():
        raise BadInput.because("file-missing", f"--accepted {shown} does not exist", where=where)
    try:
        return Verdict.parse(path.read_bytes())
    except ValueError as error:
        message = f"--accepted {shown} is no verdict: {str(error).splitlines()[0]}"
        raise BadInput.because("file-unreadable", message, where=where) from error


def told(verdict: Verdict, shown: str, contract: str) -> dict[str, float]:
    """The share by column in a verdict of schema-check on one table that was held to this contract file.

    Raises:
        BadInput: it is no such verdict.
    """
    from release_gate.gates.schema_check import null_shares

    shares = null_shares(verdict)
    contracts = [one.name for one in verdict.subjects if one.kind == "contract"]
    others = [one for one in contracts if Path(one).name != Path(contract).name]
    if shares is None:
        message = f"--accepted {shown} is no verdict of schema-check on one table that declares drift"
    elif others:
        message = f"--accepted {shown} is the verdict on data of another contract ({others[0]}, not {contract})"
    elif verdict.outcome is not Outcome.PASS:
        message = f"--accepted {shown} is the verdict on data that did not pass ({verdict.outcome})"
    else:
        return shares
    remedy = "Name the verdict of the data accepted last; to begin anew, run once without --accepted."
    raise BadInput.because("file-unreadable", message, where=Where(file=shown), remedy=remedy)


def of_production(context: Context, model: ModelConfig, place: Place) -> Mapping[str, Any]:
    """What the package in production was sealed with, by contract file; nothing where there is no such package."""
    from release_gate.lifecycle.state import fold
    from release_gate.registry.opened import open_registry

    try:
        registry = open_registry(model.registry, root=place.root, environment=context.environment)
        version = None if registry.absent else fold(registry.ledger(model.model).read()).production
        profile = registry.describe(version).profile if version else None
    except Refused:
        return {}  # a registry that can't be read is told by the gates that need it
    shares = (profile or {}).get(SHARES)
    return shares if isinstance(shares, dict) else {}


def sealed(context: Context, root: Path, contracts: Iterable[tuple[str, str]]) -> dict[str, Any] | None:
    """The profile to seal: for each contract that watches a share, that of every watched column of its data."""
    found = {}
    for name, data in contracts:
        shares = _shares(context, root, name, data)
        if shares is not None:
            found[name] = shares
    return {SHARES: found} if found else None


def _shares(context: Context, root: Path, name: str, data: str) -> dict[str, float] | None:
    from release_gate.contracts import reading
    from release_gate.documents import read as read_document
    from release_gate.tables.places import data_at
    from release_gate.tables.relation import Unanswered
    from release_gate.tables.scan import scanned

    try:
        place = data_at(root, data, now=context.clock.now(), environment=context.environment)
        contract = _watched(reading.read(read_document(root / name, shown=name), place.stem).contract)
        if not contract.columns:
            return None
        relation = place.open(contract)
        try:
            counts = scanned(relation, contract, place.shown).counts
        finally:
            relation.close()
    except (Refused, Unanswered):
        return None  # schema-check says what is wrong with it
    return {one.name: one.nulls / counts.rows for one in counts.columns} if counts.rows else None


def _watched(contract: Contract) -> Contract:
    """The contract with nothing but the columns whose share of nulls is watched."""
    columns = tuple(
        replace(column, rules=(), unique=False) for column in contract.columns if column.policy.drift is not None
    )
    return replace(contract, columns=columns, key=(), unique_together=(), measures=(), custom=())
