"""Turns the changes between two versions of a contract into findings: is the version bumped to match?"""

from __future__ import annotations

from release_gate.contracts.changes import Change, Weight, owed
from release_gate.contracts.contract import Contract
from release_gate.findings import finding
from release_gate.verdict import Finding, Where

_UNBUMPED = {
    Weight.BREAKING: "contract-breaking-unbumped",
    Weight.COMPATIBLE: "contract-compatible-unbumped",
    Weight.EDITORIAL: "contract-editorial-unbumped",
}
_BUMPED = {
    Weight.BREAKING: "contract-breaking",
    Weight.COMPATIBLE: "contract-changed",
    Weight.EDITORIAL: "contract-changed",
}


def revision_findings(
    new: Contract,
    old: Contract | None,
    changes: tuple[Change, ...],
    base: str,
    absent: str | None,
    *,
    broken: bool = False,
) -> list[Finding]:
    """One finding a change; `absent` says why there is no contract to compare with, `broken` that one can't be read."""
    where = Where(file=new.file)
    if old is None:
        code = "contract-base-unreadable" if broken else "contract-base-absent"
        return [finding(code, f"{new.file} is compared with nothing: {absent}", where=where)]
    before, after = old.semantic, new.semantic
    if before is None or after is None:
        # A version that is none is a finding of its own; there is nothing to measure the changes against.
        return [_told(change, new, f"since {base}") for change in changes]
    if after < before:
        message = f"the version goes back from {before} ({base}) to {after}"
        return [finding("contract-version-backwards", message, where=where)]
    needed = owed(before, changes)
    if after >= needed:
        return [_told(change, new, f"{before} → {after}") for change in changes]
    weight = changes[0].weight
    worst = [change for change in changes if change.weight is weight]
    listed = "; ".join(_words(change) for change in worst[:10]) + (
        f"; {len(worst) - 10} more" if len(worst) > 10 else ""
    )
    message = f"{weight.value} change since {base}, but the version went from {before} to {after}: {listed}"
    remedy = f"Set the version to {needed} or higher, or undo the change."
    place = worst[0].where if worst[0].where.file else where
    return [finding(_UNBUMPED[weight], message, where=place, remedy=remedy)]


def _told(change: Change, new: Contract, versions: str) -> Finding:
    message = f"{change.weight.value} change ({versions}): {_words(change)}"
    place = change.where if change.where.file else Where(file=new.file)
    return finding(_BUMPED[change.weight], message, where=place)


def _words(change: Change) -> str:
    return f"column '{change.column}': {change.what}" if change.column else change.what
