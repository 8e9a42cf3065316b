"""The comparison as a table, and as intervals to draw."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby

from release_gate.gates.bars import Judged
from release_gate.gates.threshold_words import bar_text, interval, number
from release_gate.statistics.decisions import Decision
from release_gate.verdict import Plot, Scalar, Table

_MOST_ROWS = 1000
_MOST_DRAWN = 60
_OUTCOME = {Decision.MISSED: "fail", Decision.UNDECIDED: "inconclusive", Decision.CLEARED: "pass"}
_ORDER = list(_OUTCOME)
COLUMNS = [
    "metric", "slice", "rows", "candidate", "production", "difference", "interval", "bar", "role", "outcome",
    "power if as good", "rows for 80 % power",
]  # fmt: skip
"""The power is that of a candidate as good as production, or for an absolute bar of one as good as this looks."""


def table(judged: Sequence[Judged]) -> Table:
    """A line for each bar and slice, failures first; the interval is of the difference where there is a comparison."""
    ordered = sorted(judged, key=lambda one: _ORDER.index(one.decision))
    rest = len(ordered) - _MOST_ROWS
    title = "Candidate against its bars" + (f" (the worst {_MOST_ROWS:,} of {len(ordered):,})" if rest > 0 else "")
    return Table(title=title, columns=COLUMNS, rows=[_row(one) for one in ordered[:_MOST_ROWS]])


def _row(one: Judged) -> list[Scalar]:
    metric, found = one.bar.metric, one.answer
    low, high = interval(one)
    difference = None if found.production is None else found.candidate - found.production
    return [
        metric,
        one.bar.named[:1000],
        one.rows,
        _rounded(found.candidate),
        _rounded(found.production),
        _rounded(difference),
        f"{number(low, metric)} to {number(high, metric)}" if math.isfinite(low + high) else "unknown",
        bar_text(one),
        one.bar.threshold.role,
        _OUTCOME[one.decision],
        *((None, None) if one.decision is Decision.MISSED else (round(one.power, 3), one.rows_needed)),
    ]


def _rounded(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(f"{value:.6g}") + 0.0  # no -0


def plots(judged: Sequence[Judged]) -> list[Plot]:
    """Intervals beside their bar, one drawing a metric and kind of bar; more is better, so right is good."""

    def kind(one: Judged) -> tuple[str, str]:
        return one.bar.metric, one.bar.kind

    drawn = []
    for (metric, name), every in groupby(sorted(judged, key=kind), key=kind):
        ordered = sorted(every, key=lambda one: _ORDER.index(one.decision))
        shown = [one for one in ordered if math.isfinite(one.low + one.high)][:_MOST_DRAWN]
        if shown:
            drawn.append(Plot(title=f"{metric}: {name.replace('_', ' ')}", kind="forest", data=_forest(shown)))
    return drawn


def _forest(shown: Sequence[Judged]) -> dict[str, list[Scalar]]:
    return {
        "label": [one.bar.named[:200] for one in shown],
        "rows": [one.rows for one in shown],
        "low": [_rounded(one.low) for one in shown],
        "point": [_rounded(one.estimate) for one in shown],
        "high": [_rounded(one.high) for one in shown],
        "bar": [one.bar.turned for one in shown],
        "outcome": [_OUTCOME[one.decision] for one in shown],
    }
