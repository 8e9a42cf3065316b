"""Does the data keep its contract, does the contract declare what it must, is its change bumped to match?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from release_gate.contracts.comparison.change import Change
from release_gate.contracts.comparison.revision import changes_table, revision_findings
from release_gate.contracts.contract import Contract, Reading
from release_gate.contracts.counts import Counts, Effort, Fit
from release_gate.contracts.judgement import data_findings
from release_gate.verdict import Finding, Scalar, Severity, Subject, Table, Verdict, concluded


@dataclass(frozen=True)
class Revision:
    """The contract at the base of the comparison, or why there is none; `base` names the place in git."""

    base: str
    contract: Contract | None = None
    changes: tuple[Change, ...] = ()
    absent: str | None = None
    broken: bool = False


@dataclass(frozen=True)
class Judged:
    """One contract, the data it was held against, and the contract it replaces.

    `accepted` holds the share of nulls by column of the data accepted last, `acts` what was done with rows.
    """

    reading: Reading
    counts: Counts
    revision: Revision
    subjects: tuple[Subject, ...] = ()
    accepted: Mapping[str, float] | None = None
    acts: tuple[Finding, ...] = ()


def judge(model: str, pairs: Sequence[Judged], *, started: datetime) -> Verdict:
    """The verdict on all contracts of a model: any finding that is an error fails it."""
    findings: list[Finding] = []
    tables: list[Table] = []
    for pair in pairs:
        findings += findings_of(pair)
        tables += tables_of(pair)
    worst_first = sorted(findings, key=lambda found: list(Severity).index(found.severity))
    return Verdict(
        gate="schema-check",
        model=model,
        outcome=concluded(findings),
        findings=worst_first[:2000],
        tables=tables[:50],
        subjects=list(dict.fromkeys(subject for pair in pairs for subject in pair.subjects)),
        started=started,
    )


def findings_of(pair: Judged) -> list[Finding]:
    """What is wrong with one contract, its change and its data, in that order."""
    contract, revision = pair.reading.contract, pair.revision
    return [
        *pair.reading.findings,
        *revision_findings(
            contract, revision.contract, revision.changes, revision.base, revision.absent, broken=revision.broken
        ),
        *data_findings(contract, pair.counts, pair.accepted),
        *pair.acts,
    ]


def tables_of(pair: Judged) -> list[Table]:
    """Per column its nulls, its invalid rows and what is declared; then the changes of the contract."""
    contract, counts = pair.reading.contract, pair.counts
    rows: list[list[Scalar]] = []
    for column in contract.columns:
        counted = next((one for one in counts.columns if one.name == column.name), None)
        said = column.policy
        found, nulls = (None, None) if counted is None else (counted.found, counted.nulls)
        # No rule judges values of another type.
        judged = counted is not None and (counted.fit is not Fit.WRONG or counted.misfits > 0)
        invalid = counted.invalid if counted is not None and judged else None
        on_null = said.on_null.value if said.on_null else "not declared"
        rows.append([column.name, column.kind.value, found, nulls, on_null, invalid, said.invalid_words])
    size = f"{counts.rows:,} row{'s' * (counts.rows != 1)}"
    if counts.effort is not None:
        size += f", {_effort(counts.effort)}"
    title = f"{counts.table} against {contract.name} {contract.version}: {size}"
    names = ["column", "type", "found", "nulls", "on null", "invalid", "on invalid"]
    tables = [Table(title=title, columns=names, rows=rows[:2000])]
    if any(column.policy.drift is not None for column in contract.columns) and counts.rows:
        tables.append(_shares(pair))
    if pair.revision.changes:
        heading = f"Changes of {contract.file} since {pair.revision.base}"
        tables.append(changes_table(heading, pair.revision.changes))
    return tables


def _effort(effort: Effort) -> str:
    """`6 checks proven and 8 counted in 2 queries`: how much was read to know."""
    parts = [f"{number} {how}" for number, how in ((effort.proven, "proven"), (effort.counted, "counted")) if number]
    checks = f"check{'s' * (effort.proven + effort.counted != 1)}"
    first, *rest = parts or ["0 counted"]
    number, how = first.split(" ")
    told = " and ".join([f"{number} {checks} {how}", *rest])
    return f"{told} in {effort.queries} quer{'y' if effort.queries == 1 else 'ies'}"


SHARES = "Share of missing values of "
_SHARE_COLUMNS = ["column", "now", "last accepted", "may move by"]


def _shares(pair: Judged) -> Table:
    """Every watched column's share of nulls; kept with the verdict, it is what the next data is compared with."""
    before = pair.accepted or {}
    rows: list[list[Scalar]] = []
    for one in pair.counts.columns:
        column = pair.reading.contract.column(one.name)
        drift = column.policy.drift if column else None
        if drift is not None:
            rows.append([one.name, one.nulls / pair.counts.rows, before.get(one.name), drift])
    return Table(title=f"{SHARES}{pair.counts.table}", columns=_SHARE_COLUMNS, rows=rows[:2000])


def null_shares(verdict: Verdict) -> dict[str, float] | None:
    """The share of nulls by column that an earlier verdict tells; None where it tells none, or of several tables."""
    tables = [table for table in verdict.tables if table.title.startswith(SHARES) and table.columns == _SHARE_COLUMNS]
    if verdict.gate != "schema-check" or len(tables) != 1:
        return None
    rows = tables[0].rows
    return {str(row[0]): float(row[1]) for row in rows if isinstance(row[1], int | float)}
