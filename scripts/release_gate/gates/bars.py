"""Declared thresholds as single bars: a metric, a slice of rows, a value, and what the rows say about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from release_gate.config import Risk
from release_gate.statistics.bootstrap import Answer, Question, Rows, answer, effective_groups
from release_gate.statistics.decisions import Comparison, Decision, decided
from release_gate.statistics.metrics import NEEDS_BOTH, sign
from release_gate.statistics.power import power, rows_needed, smallest_seen
from release_gate.thresholds import Threshold

if TYPE_CHECKING:
    from numpy.typing import NDArray

Kind = Literal["at_least", "at_most", "no_worse_than_production_by"]
Place = tuple[str, str] | None
LEAST_GROUPS = 5
"""Fewer independent groups than this give no standard error worth the name."""


@dataclass(frozen=True)
class Bar:
    """One value to clear; `slice` is a column and a value, or None for all rows."""

    metric: str
    kind: Kind
    value: float
    slice: Place
    threshold: Threshold

    @property
    def named(self) -> str:
        """The slice as text."""
        return "all rows" if self.slice is None else f"{self.slice[0]}={self.slice[1]}"

    @property
    def relative(self) -> bool:
        """Whether it compares with production."""
        return self.kind == "no_worse_than_production_by"

    @property
    def turned(self) -> float:
        """The bar on a scale where more is better."""
        return self.value if self.kind == "at_least" else -self.value


@dataclass(frozen=True)
class Unjudged:
    """A slice on which a metric could not be measured, and why."""

    metric: str
    slice: Place
    rows: int
    code: Literal["slice-too-small", "single-class"]
    reason: str
    threshold: Threshold


@dataclass(frozen=True)
class Judged:
    """A bar, what was measured, and what was decided. `estimate`, `low`, `high` are turned: more is better.

    `power` is the chance that a candidate as good as production passes; for other bars, one as good as it looks.
    """

    bar: Bar
    rows: int
    answer: Answer
    decision: Decision
    estimate: float
    low: float
    high: float
    power: float
    rows_needed: int | None
    smallest_seen: float | None


@dataclass(frozen=True)
class Sliced:
    """Rows by slice: all of them under None, and each value of each column."""

    rows: Rows
    columns: Mapping[str, Mapping[str, NDArray[np.intp]]]

    @classmethod
    def of(cls, rows: Rows, columns: Mapping[str, NDArray[Any]]) -> Sliced:
        """Find the rows of every value; a missing one is a value of its own, unless the column holds nothing else."""
        return cls(rows, {name: {} if pd.isna(values).all() else _by_value(values) for name, values in columns.items()})

    def places(self, threshold: Threshold) -> Iterator[tuple[Place, Rows]]:
        """The slices that a threshold asks for."""
        if not threshold.slices:
            yield None, self.rows
        for column in threshold.slices:
            for value, positions in self.columns.get(column, {}).items():
                yield (column, value), self.rows.take(positions)


def _by_value(values: NDArray[Any]) -> dict[str, NDArray[np.intp]]:
    codes, known = pd.factorize(pd.Series(values), use_na_sentinel=False)
    order = np.argsort(codes, kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(codes, minlength=len(known)))[:-1])
    named: dict[str, list[NDArray[np.intp]]] = {}
    for value, part in zip(known, parts, strict=True):
        named.setdefault("(none)" if pd.isna(value) else str(value), []).append(part)
    return {value: np.sort(np.concatenate(every)) for value, every in sorted(named.items())}


def measured(
    thresholds: Sequence[Threshold], risk: Risk, sliced: Sliced, seed: int
) -> tuple[list[Judged], list[Unjudged]]:
    """Judge every bar on every slice it asks for; each metric of a slice is measured once."""
    questions: dict[tuple[str, Place], Question] = {}
    bars: list[Bar] = []
    unjudged: list[Unjudged] = []
    for threshold in thresholds:
        for place, rows in sliced.places(threshold):
            if (fault := _fault(threshold, place, rows)) is not None:
                unjudged.append(fault)
                continue
            asked = list(_bars(threshold, place, compared=rows.production is not None))
            bars.extend(asked)
            if asked:
                questions.setdefault((threshold.metric, place), Question(threshold.metric, rows))
    answers = dict(zip(questions, answer(list(questions.values()), seed), strict=True))
    compared = [_comparison(bar, answers[bar.metric, bar.slice]) for bar in bars]
    decisions = decided(compared, risk.wrong_pass, risk.wrong_block)
    strictest = risk.wrong_block / max(len(bars), 1)
    judged = []
    for bar, one, decision in zip(bars, compared, decisions, strict=True):
        count = len(questions[bar.metric, bar.slice].rows)
        scatter, gap = one.scatter, bar.value if bar.relative else one.gap
        judged.append(
            Judged(
                bar=bar,
                rows=count,
                answer=answers[bar.metric, bar.slice],
                decision=decision,
                estimate=scatter.value,
                low=scatter.low(risk.wrong_pass),
                high=scatter.high(risk.wrong_block),
                power=power(gap, scatter.error, risk.wrong_pass),
                rows_needed=rows_needed(count, gap, scatter.error, risk.wrong_pass),
                smallest_seen=smallest_seen(bar.value if bar.relative else 0.0, scatter.error, strictest),
            )
        )
    return judged, unjudged


def _fault(threshold: Threshold, place: Place, rows: Rows) -> Unjudged | None:
    """Why a slice can't be judged, or None."""
    count, metric = len(rows), threshold.metric

    def because(code: Literal["slice-too-small", "single-class"], reason: str) -> Unjudged:
        return Unjudged(metric, place, count, code, reason, threshold)

    if count < threshold.least_rows:
        return because("slice-too-small", f"{count:,} row{'s' * (count != 1)}, {threshold.least_rows:,} needed")
    if metric in NEEDS_BOTH and np.ptp(rows.labels) == 0:
        return because("single-class", f"all {count:,} labels are {rows.labels[0]:g}")
    if (groups := effective_groups(metric, rows)) < LEAST_GROUPS:
        of = " of the rarer label" if metric in NEEDS_BOTH else ""
        return because("slice-too-small", f"{groups:.1f} independent groups{of}, {LEAST_GROUPS} needed")
    return None


def _bars(threshold: Threshold, place: Place, *, compared: bool) -> Iterator[Bar]:
    kinds: tuple[Kind, ...] = ("at_least", "at_most", "no_worse_than_production_by")
    for kind in kinds:
        value = getattr(threshold, kind)
        if value is not None and (compared or kind != "no_worse_than_production_by"):
            yield Bar(threshold.metric, kind, value, place, threshold)


def _comparison(bar: Bar, found: Answer) -> Comparison:
    if bar.relative:
        if found.difference is None:
            raise ValueError("a comparison with production needs its scores")
        return Comparison(found.difference, bar.turned)
    as_usual = (bar.kind == "at_least") == (sign(bar.metric) == 1)
    # A cap on a metric of which more is better turns it round, and so does a floor under an error.
    return Comparison(found.single if as_usual else found.single.reversed(), bar.turned)
