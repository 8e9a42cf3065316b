"""Turns the changes between two versions of a contract into findings: bumped to match, and history provided for?"""

from __future__ import annotations

from release_gate.change_kinds import Weight
from release_gate.contracts.comparison.change import Change
from release_gate.contracts.comparison.changes import owed
from release_gate.contracts.contract import Column, Contract, OnNull
from release_gate.findings import finding
from release_gate.verdict import Finding, Scalar, Table, Where

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
_COLUMNS = ["change", "column", "what", "readers", "writers", "weight"]


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
    return [*_version(new, old, changes, base), *_history(new, old, base)]


def changes_table(title: str, changes: tuple[Change, ...]) -> Table:
    """Each change with its kind, what it means to readers and to writers, and what it weighs here."""
    rows: list[list[Scalar]] = [
        [one.kind, one.column or "", one.what, one.readers.value, one.writers.value, one.weight.value]
        for one in changes[:2000]
    ]
    return Table(title=title, columns=_COLUMNS, rows=rows)


def _version(new: Contract, old: Contract, changes: tuple[Change, ...], base: str) -> list[Finding]:
    where = Where(file=new.file)
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
    listed = "; ".join(map(_words, worst[:10])) + (f"; {len(worst) - 10} more" if len(worst) > 10 else "")
    message = f"{weight.value} change since {base}, but the version went from {before} to {after}: {listed}"
    remedy = f"Set the version to {needed} or higher, or undo the change."
    place = worst[0].where if worst[0].where.file else where
    return [finding(_UNBUMPED[weight], message, where=place, remedy=remedy)]


def _told(change: Change, new: Contract, versions: str) -> Finding:
    message = f"{change.weight.value} change ({versions}): {_words(change)}"
    place = change.where if change.where.file else Where(file=new.file)
    return finding(_BUMPED[change.weight], message, where=place)


def _words(change: Change) -> str:
    return f"{change} [{change.kind}]"


def _history(new: Contract, old: Contract, base: str) -> list[Finding]:
    """Columns that every row must have from now on, and of whose past rows nobody says who fills them."""
    return [
        finding(
            "contract-backfill-missing",
            f"column '{column.name}' is new since {base} and needs a value in every row, also in older ones: {lacking}",
            where=column.where if column.where.file else Where(file=new.file),
        )
        for column in new.columns
        if old.column(column.name) is None and (lacking := _lacking(column))
    ]


def _lacking(column: Column) -> str | None:
    """What the backfill of a column that rows from before it lack does not say, None where it need not or does."""
    if not column.required or column.policy.on_null not in {OnNull.REJECT, None}:
        return None
    said = column.policy.backfill
    parts = {"how": said and said.how, "who": said and said.who, "since when": said and said.since}
    missing = [name for name, value in parts.items() if not value]
    return f"its backfill does not say {', '.join(missing)}" if missing else None
