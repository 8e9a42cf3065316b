"""Metrics that follow from sums over rows: a replicate of the bootstrap is then one matrix product."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Formula = Callable[[Floats], Floats]

THRESHOLD = 0.5
"""A score of this or more says 1."""


@dataclass(frozen=True)
class OfSums:
    """A metric as a `formula` of sums; `sums` has shape (groups, terms), one row a group."""

    sums: Floats
    formula: Formula

    def __call__(self, weights: Floats) -> Floats:
        """The metric under each row of `weights`, shape (replicates, groups); NaN where it is undefined."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.formula((weights @ self.sums).T)


def of_sums(metric: str, labels: Floats, scores: Floats, groups: Codes, count: int) -> OfSums:
    """Add up what `metric` needs, group by group; `groups` holds codes below `count`."""
    terms, formula = _TERMS[metric](labels, scores), _FORMULAS[metric]
    sums = np.stack([np.bincount(groups, weights=term, minlength=count) for term in terms], axis=1).astype(np.float64)
    return OfSums(sums, formula)


def _confusion(labels: Floats, scores: Floats) -> tuple[Floats, ...]:
    said = (scores >= THRESHOLD).astype(np.float64)
    return (labels * said, (1 - labels) * said, labels * (1 - said), (1 - labels) * (1 - said))


def _log_loss(labels: Floats, scores: Floats) -> tuple[Floats, ...]:
    edge = np.finfo(np.float64).eps  # as scikit-learn: a certain and wrong score costs much, not infinitely much
    kept = np.clip(scores, edge, 1 - edge)
    return np.ones_like(labels), -(labels * np.log(kept) + (1 - labels) * np.log1p(-kept))


def _squared(labels: Floats, scores: Floats) -> tuple[Floats, ...]:
    return np.ones_like(labels), (labels - scores) ** 2


def _absolute(labels: Floats, scores: Floats) -> tuple[Floats, ...]:
    return np.ones_like(labels), np.abs(labels - scores)


def _explained(labels: Floats, scores: Floats) -> tuple[Floats, ...]:
    centred = labels - labels.mean()  # a large common level would cost digits in the difference of squares
    return np.ones_like(labels), centred, centred**2, (labels - scores) ** 2


def _mean(sums: Floats) -> Floats:
    return np.asarray(sums[1] / sums[0])


def _accuracy(sums: Floats) -> Floats:
    hit, false_alarm, missed, rejected = sums
    return np.asarray((hit + rejected) / (hit + false_alarm + missed + rejected))


def _balanced_accuracy(sums: Floats) -> Floats:
    hit, false_alarm, missed, rejected = sums
    return np.asarray((hit / (hit + missed) + rejected / (rejected + false_alarm)) / 2)


def _precision(sums: Floats) -> Floats:
    hit, false_alarm = sums[0], sums[1]
    said = hit + false_alarm
    return np.where(said > 0, hit / said, 0.0)  # as scikit-learn: who never says 1 has precision 0


def _recall(sums: Floats) -> Floats:
    return np.asarray(sums[0] / (sums[0] + sums[2]))


def _f1(sums: Floats) -> Floats:
    whole = 2 * sums[0] + sums[1] + sums[2]
    return np.where(whole > 0, 2 * sums[0] / whole, 0.0)


def _r2(sums: Floats) -> Floats:
    rows, level, squares, residual = sums
    spread = squares - level**2 / rows
    return np.where(spread > 1e-12 * squares, 1 - residual / spread, np.nan)


_TERMS: dict[str, Callable[[Floats, Floats], tuple[Floats, ...]]] = {
    **dict.fromkeys(("accuracy", "balanced_accuracy", "precision", "recall", "f1"), _confusion),
    "log_loss": _log_loss, "brier": _squared, "rmse": _squared, "mae": _absolute, "r2": _explained,
}  # fmt: skip
_FORMULAS: dict[str, Formula] = {
    "accuracy": _accuracy, "balanced_accuracy": _balanced_accuracy, "precision": _precision, "recall": _recall,
    "f1": _f1, "log_loss": _mean, "brier": _mean, "rmse": lambda sums: np.sqrt(_mean(sums)), "mae": _mean, "r2": _r2,
}  # fmt: skip
