"""Does the data keep its contract, does the contract declare what it must, is its change bumped to match?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from release_gate.contracts.changes import Change
from release_gate.contracts.contract import Contract, Reading
from release_gate.contracts.counts import Counts
from release_gate.contracts.judgement import data_findings
from release_gate.contracts.revision import revision_findings
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
    """One contract, the data it was held against, and the contract it replaces."""

    reading: Reading
    counts: Counts
    revision: Revision
    subjects: tuple[Subject, ...] = ()


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
        *data_findings(contract, pair.counts),
    ]


def tables_of(pair: Judged) -> list[Table]:
    """Per column its nulls, its invalid rows and what is declared; then the changes of the contract."""
    contract, counts = pair.reading.contract, pair.counts
    rows: list[list[Scalar]] = []
    for column in contract.columns:
        counted = next((one for one in counts.columns if one.name == column.name), None)
        said = column.policy
        numbers: list[Scalar] = (
            [None, None, None] if counted is None else [counted.found, counted.nulls, counted.invalid]
        )
        on_null = said.on_null.value if said.on_null else "not declared"
        rows.append([column.name, column.kind.value, *numbers[:2], on_null, numbers[2], said.invalid_words])
    size = f"{counts.rows:,} row{'s' * (counts.rows != 1)}"
    title = f"{counts.table} against {contract.name} {contract.version}: {size}"
    names = ["column", "type", "found", "nulls", "on null", "invalid", "on invalid"]
    tables = [Table(title=title, columns=names, rows=rows[:2000])]
    if pair.revision.changes:
        changed: list[list[Scalar]] = [[one.weight.value, one.column or "", one.what] for one in pair.revision.changes]
        heading = f"Changes of {contract.file} since {pair.revision.base}"
        tables.append(Table(title=heading, columns=["change", "column", "what"], rows=changed[:2000]))
    return tables
