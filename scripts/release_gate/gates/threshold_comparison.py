"""threshold-comparison: is the candidate good enough, and no worse than production, overall and in slices?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby

from release_gate.findings import finding
from release_gate.gates.bars import Judged, Sliced, measured
from release_gate.gates.scored_rows import Evaluation, Predictions, joined
from release_gate.gates.threshold_policy import Policy
from release_gate.gates.threshold_tables import plots, table
from release_gate.gates.threshold_unseen import few_groups, left_out, place_of, unknown_columns
from release_gate.gates.threshold_words import missed, outlook, undecided, unseen
from release_gate.statistics.decisions import Decision
from release_gate.thresholds import GUESSING, Threshold
from release_gate.verdict import Finding, Outcome, Severity, Subject, Verdict, Where

GATE = "threshold-comparison"
MOST_FINDINGS = 40
"""Of one code; a reader has got the point by then."""
OPEN = {"inconclusive-goal", "slices-unjudged"}
"""Errors that say that the rows show too little, and nothing bad of the candidate."""


def judge(
    *,
    model: str,
    policies: Sequence[Policy],
    evaluation: Evaluation,
    candidate: Predictions,
    production: Predictions | None,
    subjects: Sequence[Subject],
    seed: int,
    started: datetime,
) -> Verdict:
    """The verdict on one candidate; every policy must be satisfied, so the stricter one decides.

    `production` is None on a first release. `seed` fixes the bootstrap: take it from the evaluation data, so that
    a rebuilt candidate meets the same replicates.
    """
    policies = [policies[0], *(policy for policy in policies[1:] if _differs(policy, policies[0]))]
    metrics = frozenset(one.metric for policy in policies for one in policy.thresholds)
    rows, findings = joined(evaluation, candidate, production, metrics)
    judged: list[Judged] = []
    if production is None:
        findings += [found for policy in policies for found in _first_release(policy, evaluation.file)]
    if rows is not None:
        findings += few_groups(evaluation, rows)
        if rows.agreed:
            text = f"the candidate scores every row of {evaluation.file} as production does: nothing differs"
            findings.append(finding("predictions-identical", text, where=Where(table=evaluation.file)))
        sliced = Sliced.of(rows, evaluation.slices)
        for policy in policies:
            findings += unknown_columns(policy, evaluation)
            found, unjudged = measured(policy.thresholds, policy.risk, sliced, seed)
            told = {(one.bar, one.low, one.high) for one in judged}
            judged += [one for one in found if (one.bar, one.low, one.high) not in told]
            findings += [*_of_bars(policy, found), *_guards(policy, found)]
            findings += left_out(policy, evaluation, found, unjudged, compared=production is not None)
    findings = _once(findings)
    return Verdict(
        gate=GATE,
        model=model,
        outcome=_outcome(findings),
        findings=findings,
        tables=[table(judged)] if judged else [],
        plots=plots(judged),
        subjects=list(subjects),
        started=started,
    )


def _differs(policy: Policy, head: Policy) -> bool:
    return (policy.thresholds, policy.risk) != (head.thresholds, head.risk)


def _once(findings: Sequence[Finding]) -> list[Finding]:
    """Without what the base's bars say in the same words as the head's."""
    kept: dict[tuple[str, str], Finding] = {}
    for found in findings:
        kept.setdefault((found.code, found.message), found)
    return list(kept.values())


def _outcome(findings: Sequence[Finding]) -> Outcome:
    blocking = {found.code for found in findings if found.severity is Severity.ERROR}
    if blocking - OPEN:
        return Outcome.FAIL
    return Outcome.INCONCLUSIVE if blocking else Outcome.PASS


def _first_release(policy: Policy, file: str) -> Iterator[Finding]:
    relative = [one for one in policy.thresholds if one.no_worse_than_production_by is not None]
    if relative:
        names = ", ".join(dict.fromkeys(one.metric for one in relative))
        text = f"nothing is in production yet, so {names} can't be compared with it on {file}: absolute bars decide"
        yield finding("no-production-first-release", text, where=place_of(policy))
    absolute = [one for one in policy.thresholds if one.absolute]
    if absolute and all(_guessed(one) for one in absolute):
        names = ", ".join(dict.fromkeys(f"{one.metric} at least {one.at_least:g}" for one in absolute))
        text = f"{policy.file} asks of a first release no more than guessing reaches: {names}"
        yield finding("bar-no-better-than-guessing", text, where=place_of(policy, absolute[0].metric))
    if not absolute:
        text = f"nothing is in production yet and {policy.file} has no absolute bar, so nothing would judge the model"
        yield finding("first-release-without-absolute-bar", text, where=Where(file=policy.file))


def _guessed(one: Threshold) -> bool:
    """Whether guessing clears the bar."""
    return one.at_most is None and one.at_least is not None and one.at_least <= GUESSING.get(one.metric, -math.inf)


def _of_bars(policy: Policy, judged: Sequence[Judged]) -> Iterator[Finding]:
    worst_first = sorted(judged, key=lambda one: one.estimate - one.bar.turned)
    for code in ("metric-below-bar", "metric-above-bar", "worse-than-production", "inconclusive-goal"):
        of_code = [one for one in worst_first if _code(one) == code]
        for one in of_code[:MOST_FINDINGS]:
            text = (undecided if one.decision is Decision.UNDECIDED else missed)(one, policy.risk)
            where = place_of(policy, one.bar.metric, one.bar.named)
            yield finding(code, text, where=where, evidence=_evidence(one))
        if rest := [one.bar.named for one in of_code[MOST_FINDINGS:]]:
            slices = f"{len(rest):,} more slice{'s' * (len(rest) != 1)}"
            text = f"the same in {slices}, each less far from its bar; see the table"
            yield finding(code, text, where=place_of(policy), evidence={"slices": rest[:50]})


def _code(one: Judged) -> str | None:
    """The code of what a bar alone is told by; open guards are told together."""
    if one.decision is Decision.MISSED:
        codes = {"at_least": "metric-below-bar", "at_most": "metric-above-bar"}
        return codes.get(one.bar.kind, "worse-than-production")
    return "inconclusive-goal" if one.decision is Decision.UNDECIDED and one.bar.threshold.role == "goal" else None


def _guards(policy: Policy, judged: Sequence[Judged]) -> Iterator[Finding]:
    """One warning for each guard and column, whatever the number of slices."""

    def column(one: Judged) -> tuple[int, str, str]:
        return policy.thresholds.index(one.bar.threshold), one.bar.kind, one.bar.slice[0] if one.bar.slice else ""

    guards = [one for one in judged if one.bar.threshold.role == "guard"]
    for _, every in groupby(sorted(guards, key=column), key=column):
        slices = list(every)
        open_ = [one for one in slices if one.decision is Decision.UNDECIDED]
        if open_:
            bar = open_[0].bar
            where = place_of(policy, bar.metric, bar.slice[0] if bar.slice else bar.named)
            evidence = _evidence(open_[0]) if len(open_) == 1 else {"slices": [one.bar.named for one in open_[:50]]}
            yield finding("inconclusive-guard", unseen(open_, len(slices)), where=where, evidence=evidence)


def _evidence(one: Judged) -> dict[str, str | int | float | None]:
    found: dict[str, str | int | float | None] = {
        "rows": one.rows,
        "candidate": one.answer.candidate,
        "production": one.answer.production,
        "bar": one.bar.value,
    }
    if one.decision is Decision.MISSED:
        return found  # no number of rows would make a proven miss pass
    return {**found, "power": round(one.power, 4), "rows_needed": one.rows_needed, "outlook": outlook(one)}
