"""Do the features that training and serving make keep their contract, and is its change bumped to match?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from release_gate.contracts.comparison.revision import revision_findings
from release_gate.contracts.contract import Contract, Measure, Metric, Reading
from release_gate.contracts.counts import Counts
from release_gate.contracts.judgement import data_findings
from release_gate.findings import finding
from release_gate.gates.schema_check import Judged, Revision, tables_of
from release_gate.gates.transform_agreement import following
from release_gate.gates.transform_facts import Part, Side
from release_gate.verdict import Finding, Subject, Where

SIDES: tuple[Side, ...] = ("training", "serving")


@dataclass(frozen=True)
class Features:
    """The contract, its change, and the features of each side as they were counted against it.

    `counts` lacks a side that made no features, `problems` says why where that side is not told of elsewhere;
    `differing` are the columns on which both sides disagree.
    """

    reading: Reading
    revision: Revision
    counts: Mapping[Side, Counts]
    differing: frozenset[str]
    problems: Mapping[Side, Sequence[Finding]]
    subject: Subject


def judge(features: Features) -> Part:
    """The contract itself and its change, then each side's breaches; what both break is told of training alone."""
    contract, revision = features.reading.contract, features.revision
    found = list(features.reading.findings)
    found += revision_findings(
        contract, revision.contract, revision.changes, revision.base, revision.absent, broken=revision.broken
    )
    found += _unjudged(contract)
    found += _breaches(for_sample(contract), features)
    first = next((features.counts[side] for side in SIDES if side in features.counts), None)
    tables = tables_of(Judged(features.reading, first, revision)) if first is not None else []
    return Part(findings=tuple(found), tables=tuple(tables), subjects=(features.subject,))


def _breaches(contract: Contract, features: Features) -> list[Finding]:
    found: list[Finding] = []
    for side in SIDES:
        known = {(one.code, one.where.column) for one in found}
        found += features.problems.get(side, ())
        if side in features.counts:
            breaches = data_findings(contract, features.counts[side])
            new = [one for one in breaches if (one.code, one.where.column) not in known]
            found += new if side == "training" else [following(one, features.differing) for one in new]
    return found


def unproven(side: Side, cause: str) -> Finding:
    """The features of one side can't be judged."""
    return finding("features-unproven", f"the features of {side} can't be held against their contract: {cause}")


def for_sample(contract: Contract) -> Contract:
    """The contract without what only a whole table can keep or break."""
    kept = tuple(one for one in contract.measures if not _of_whole(one))
    return replace(contract, rows_least=None, rows_most=None, measures=kept)


def _of_whole(measure: Measure) -> bool:
    """Whether a number says nothing of some rows: all but what not a single row may break."""
    breaches = {Metric.NULLS, Metric.MISSING, Metric.INVALID, Metric.DUPLICATES}
    return measure.metric not in breaches or measure.bounds.most != 0 or measure.bounds.outside


def _unjudged(contract: Contract) -> list[Finding]:
    rows = ["number of rows"] * (contract.rows_least is not None or contract.rows_most is not None)
    left = [*rows, *(one.name or one.metric.value for one in contract.measures if _of_whole(one))]
    if not left:
        return []
    message = f"not judged, since only sampled rows were transformed: {', '.join(left[:20])}"
    return [finding("features-rows-unjudged", message, where=Where(file=contract.file))]
