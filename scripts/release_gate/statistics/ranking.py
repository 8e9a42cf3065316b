"""Metrics of order: rows are sorted once, and every replicate is a weighted walk along that order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from release_gate.statistics.additive import Codes, Floats


@dataclass(frozen=True)
class RocAuc:
    """Chance that a row of label 1 scores above one of label 0, ties counting half (Mann and Whitney 1947).

    `negatives` are the groups of the rows of label 0 in rising order of score. Of each row of label 1,
    `positives` holds the group, `below` and `upto` how many of those stand below it, and not above it.
    """

    negatives: Codes
    positives: Codes
    below: Codes
    upto: Codes | None

    def __call__(self, weights: Floats) -> Floats:
        """The metric under each row of `weights`, shape (replicates, groups); NaN where a class has no weight."""
        passed = np.zeros((len(weights), len(self.negatives) + 1))
        np.cumsum(np.take(weights, self.negatives, axis=1), axis=1, out=passed[:, 1:])
        mass = np.take(weights, self.positives, axis=1)
        won = np.einsum("bi,bi->b", mass, np.take(passed, self.below, axis=1))
        if self.upto is not None:
            won = (won + np.einsum("bi,bi->b", mass, np.take(passed, self.upto, axis=1))) / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(won / (mass.sum(axis=1) * passed[:, -1]))


def roc_auc(labels: Floats, scores: Floats, groups: Codes) -> RocAuc:
    """Sort once for `RocAuc`."""
    negative = np.flatnonzero(labels == 0)
    negative = negative[np.argsort(scores[negative], kind="stable")]
    positive = np.flatnonzero(labels == 1)
    below = np.searchsorted(scores[negative], scores[positive], side="left")
    upto = np.searchsorted(scores[negative], scores[positive], side="right")
    tied = not np.array_equal(below, upto)
    return RocAuc(groups[negative], groups[positive], below, upto if tied else None)


@dataclass(frozen=True)
class AveragePrecision:
    """Precision averaged over the steps of recall, not interpolated, equal scores taken as one step.

    `rows` are groups in falling order of score, `ends` the last row of each run of equal scores.
    """

    rows: Codes
    truth: Floats
    ends: Codes

    def __call__(self, weights: Floats) -> Floats:
        """The metric under each row of `weights`, shape (replicates, groups); NaN where no 1 has weight."""
        mass = np.take(weights, self.rows, axis=1)
        said = np.take(np.cumsum(mass, axis=1), self.ends, axis=1)
        mass *= self.truth
        right = np.take(np.cumsum(mass, axis=1), self.ends, axis=1)
        step = np.diff(right, axis=1, prepend=0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            precision = np.where(said > 0, right / said, 0.0)
            return np.asarray(np.einsum("bi,bi->b", step, precision) / right[:, -1])


def average_precision(labels: Floats, scores: Floats, groups: Codes) -> AveragePrecision:
    """Sort once for `AveragePrecision`."""
    order = np.argsort(-scores, kind="stable")
    falling = scores[order]
    ends = np.flatnonzero(np.append(falling[1:] != falling[:-1], True))
    return AveragePrecision(groups[order], labels[order], ends)
