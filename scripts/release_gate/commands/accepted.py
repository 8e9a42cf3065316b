"""The share of missing values in the last accepted data: of an earlier verdict, or of what production was made with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from release_gate.commands.context import Context, Place
from release_gate.config import ModelConfig
from release_gate.findings import BadInput, Refused
from release_gate.verdict import Where

if TYPE_CHECKING:
    from release_gate.contracts.contract import Contract

SHARES = "null_shares"
"""The key of a package's profile: contract file -> column -> share (0 to 1)."""


def told(path: Path, shown: str) -> dict[str, float]:
    """The share by column in a verdict of schema-check on one table.

    Raises:
        BadInput: the file is missing or no such verdict.
    """
    from release_gate.gates.schema_check import null_shares
    from release_gate.verdict import Verdict

    where = Where(file=shown)
    if not path.is_file():
        raise BadInput.because("file-missing", f"--accepted {shown} does not exist", where=where)
    try:
        shares = null_shares(Verdict.parse(path.read_bytes()))
    except ValueError as error:
        message = f"--accepted {shown} is no verdict: {str(error).splitlines()[0]}"
        raise BadInput.because("file-unreadable", message, where=where) from error
    if shares is None:
        message = f"--accepted {shown} is no verdict of schema-check on one table that declares drift"
        raise BadInput.because("file-unreadable", message, where=where)
    return shares


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


def sealed(root: Path, contracts: Iterable[tuple[str, str]]) -> dict[str, Any] | None:
    """The profile to seal: for each contract that watches a share, that of every watched column of its data."""
    from release_gate.contracts.reading import read
    from release_gate.documents import read as read_document
    from release_gate.tables.scan import scan

    found: dict[str, dict[str, float]] = {}
    for name, data in contracts:
        try:
            contract = _watched(read(read_document(root / name, shown=name), Path(data).stem).contract)
            if not contract.columns:
                continue
            scanned = scan(root / data, contract, shown=data)
        except Refused:
            continue  # schema-check says what is wrong with it
        scanned.close()
        rows = scanned.counts.rows
        found[name] = {one.name: one.nulls / rows for one in scanned.counts.columns} if rows else {}
    return {SHARES: found} if found else None


def _watched(contract: Contract) -> Contract:
    """The contract with nothing but the columns whose share of nulls is watched."""
    columns = tuple(
        replace(column, rules=(), unique=False) for column in contract.columns if column.policy.drift is not None
    )
    return replace(contract, columns=columns, key=(), unique_together=(), measures=(), custom=())
