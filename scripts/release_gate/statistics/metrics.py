"""The metrics a threshold can name, each as a function of weights, so that a bootstrap copies no row.

>>> import numpy as np
>>> float(measure("accuracy", np.array([0.0, 1.0, 1.0]), np.array([0.2, 0.9, 0.4])))
0.6666666666666666
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from release_gate.statistics.additive import Codes, Floats, of_sums
from release_gate.statistics.ranking import average_precision, roc_auc
from release_gate.thresholds import METRICS

if TYPE_CHECKING:
    from numpy.typing import NDArray

REGRESSION = frozenset({"rmse", "mae", "r2"})
"""Metrics of numeric labels; the others want labels 0 and 1."""
PROBABILITY = frozenset(METRICS) - REGRESSION - {"roc_auc", "average_precision"}
"""Metrics that read a score as a probability; the rest need only its order, or its value as a number."""
COUNTED = frozenset({"accuracy", "balanced_accuracy", "precision", "recall", "f1"})
"""Metrics that count rows right and wrong at the score 0.5."""
BOUNDED = COUNTED | {"roc_auc", "average_precision", "brier"}
"""Metrics between 0 and 1."""
NEEDS_BOTH = frozenset({"roc_auc", "average_precision", "balanced_accuracy", "precision", "recall", "f1", "r2"})
"""Metrics without meaning where all labels are equal."""


class Scorer(Protocol):
    """A metric of fixed rows as a function of the weights of their groups."""

    def __call__(self, weights: Floats) -> Floats:
        """Values of shape (replicates,) for weights of shape (replicates, groups); NaN where undefined."""
        ...


def scorer(metric: str, labels: Floats, scores: Floats, groups: Codes, count: int) -> Scorer:
    """Prepare `metric` on rows that belong to `groups`, codes from 0 to `count` - 1.

    Raises:
        KeyError: a metric that `thresholds.METRICS` does not name.
    """
    if metric == "roc_auc":
        return roc_auc(labels, scores, groups)
    if metric == "average_precision":
        return average_precision(labels, scores, groups)
    return of_sums(metric, labels, scores, groups, count)


def measure(metric: str, labels: Floats, scores: Floats, weights: NDArray[Any] | None = None) -> float:
    """One metric of rows, weighted or not; NaN where it is undefined."""
    rows = len(labels)
    prepared = scorer(metric, np.asarray(labels, float), np.asarray(scores, float), np.arange(rows), rows)
    return float(prepared(np.ones((1, rows)) if weights is None else np.asarray(weights, float)[None, :])[0])


def sign(metric: str) -> int:
    """1 where more is better, -1 where less is."""
    return 1 if METRICS[metric] else -1
