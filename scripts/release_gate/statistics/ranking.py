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


@dataclass(frozen=True)
class GroupedRocAuc:
    """`RocAuc` of few groups: a sum over pairs of groups, counted once instead of walked along in each replicate.

    `won[g, h]` counts the pairs of a row of label 1 in group g and one of label 0 in group h that are in the right
    order, ties half; `positives` and `negatives` count the rows of each group, shape (groups,).
    """

    won: Floats
    positives: Floats
    negatives: Floats

    def __call__(self, weights: Floats) -> Floats:
        """The metric under each row of `weights`, shape (replicates, groups); NaN where a class has no weight."""
        right = np.einsum("bg,bg->b", weights @ self.won, weights)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(right / ((weights @ self.positives) * (weights @ self.negatives)))


_ROWS_A_GROUP = 20
"""From so many rows a group on, counting pairs of groups is the shorter way (measured)."""


def roc_auc(labels: Floats, scores: Floats, groups: Codes) -> RocAuc | GroupedRocAuc:
    """Sort or count once, whichever makes the replicates cheaper."""
    negative = np.flatnonzero(labels == 0)
    negative = negative[np.argsort(scores[negative], kind="stable")]
    positive = np.flatnonzero(labels == 1)
    count = int(groups.max()) + 1 if len(groups) else 0
    if count and len(labels) >= _ROWS_A_GROUP * count:
        positive = positive[np.argsort(scores[positive], kind="stable")]  # looked up in order, which caches like
        return _grouped(scores, groups, positive, negative, count)
    below = np.searchsorted(scores[negative], scores[positive], side="left")
    upto = np.searchsorted(scores[negative], scores[positive], side="right")
    tied = not np.array_equal(below, upto)
    return RocAuc(groups[negative], groups[positive], below, upto if tied else None)


def _grouped(scores: Floats, groups: Codes, positive: Codes, negative: Codes, count: int) -> GroupedRocAuc:
    won = np.zeros((count, count))
    for group in range(count):
        others = scores[negative[groups[negative] == group]]
        if len(others):
            below = np.searchsorted(others, scores[positive], side="left")
            upto = np.searchsorted(others, scores[positive], side="right")
            won[:, group] = np.bincount(groups[positive], weights=(below + upto) / 2, minlength=count)
    rows = [np.bincount(groups[some], minlength=count).astype(float) for some in (positive, negative)]
    return GroupedRocAuc(won, rows[0], rows[1])


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
