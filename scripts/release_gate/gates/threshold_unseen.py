"""What a policy asks for and the rows can't show: absent columns, few groups, slices that nothing can judge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from release_gate.findings import finding
from release_gate.gates.bars import Judged, Unjudged
from release_gate.gates.scored_rows import Evaluation
from release_gate.gates.threshold_policy import Policy
from release_gate.gates.threshold_words import nowhere, too_small
from release_gate.statistics.bootstrap import Rows, effective_groups
from release_gate.thresholds import Threshold
from release_gate.verdict import Finding, Severity, Where

FEW_GROUPS = 10


def place_of(policy: Policy, metric: str | None = None, place: str | None = None) -> Where:
    """Where a finding about a bar points to; a file only where it is not the configuration at hand."""
    return Where(file=policy.file if policy.base else None, metric=metric, slice=place and place[:1000])


def few_groups(evaluation: Evaluation, rows: Rows) -> list[Finding]:
    """A warning where so few groups are there that intervals are rough."""
    groups = effective_groups("mae", rows)
    if evaluation.group is None or groups >= FEW_GROUPS:
        return []
    text = f"{len(rows):,} rows fall into {groups:.1f} independent groups by {evaluation.group}: intervals are rough"
    return [finding("few-groups", text, where=Where(table=evaluation.file, column=evaluation.group))]


def unknown_columns(policy: Policy, evaluation: Evaluation) -> Iterator[Finding]:
    """Columns to slice by that the data lack."""
    for name in dict.fromkeys(name for one in policy.thresholds for name in one.slices):
        if name not in evaluation.slices:
            where = Where(file=policy.file if policy.base else None, table=evaluation.file, column=name)
            text = f"{evaluation.file} has no column {name}, by which thresholds of {policy.file} are sliced"
            yield finding("slice-column-missing", text, where=where)


def left_out(
    policy: Policy, evaluation: Evaluation, judged: Sequence[Judged], unjudged: Sequence[Unjudged], *, compared: bool
) -> Iterator[Finding]:
    """Slices that were not judged, columns in which none was, and thresholds of which nothing was."""
    # On a first release a threshold that only compares with production asks for nothing.
    asking = [one for one in dict.fromkeys(policy.thresholds) if compared or one.absolute]
    seen = {(one.bar.threshold, one.bar.slice and one.bar.slice[0]) for one in judged}
    blind = [
        (one, column)
        for one in asking
        for column in dict.fromkeys(one.slices)
        if column in evaluation.slices and (one, column) not in seen
    ]

    def column(one: Unjudged) -> tuple[str, str, str, int]:
        return one.metric, _column(one) or "", one.code, one.threshold.least_rows

    sliced = [one for one in unjudged if one.slice is not None and (one.threshold, _column(one)) not in blind]
    for (metric, name, code, _), every in groupby(sorted(sliced, key=column), key=column):
        slices = list({one.slice: one for one in every}.values())
        where = place_of(policy, metric, name)
        yield finding(code, too_small(slices), where=where, severity=Severity.WARNING, evidence=_evidence(slices))
    for threshold, name in blind:
        yield _blind(
            policy, threshold, name, [one for one in unjudged if (one.threshold, _column(one)) == (threshold, name)]
        )
    for one in unjudged:
        if one.slice is None and one.threshold in asking:
            where = place_of(policy, one.metric, "all rows")
            yield finding(f"inconclusive-{one.threshold.role}", too_small([one]), where=where)


def _blind(policy: Policy, threshold: Threshold, column: str, slices: Sequence[Unjudged]) -> Finding:
    where = place_of(policy, threshold.metric, column)
    return finding("slices-unjudged", nowhere(threshold, column, slices), where=where, evidence=_evidence(slices))


def _column(one: Unjudged) -> str | None:
    return one.slice and one.slice[0]


def _evidence(slices: Sequence[Unjudged]) -> dict[str, list[str]]:
    return {"slices": [one.slice[1] for one in slices[:50] if one.slice]}
