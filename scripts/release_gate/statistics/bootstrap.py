"""A paired bootstrap of whole groups: how a metric, and a difference of two, would scatter on other data.

A replicate is a weight for each group, drawn once and used for both models and in every slice: that pairs them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from release_gate.statistics.additive import Codes, Floats
from release_gate.statistics.metrics import BOUNDED, COUNTED, Scorer, scorer, sign
from release_gate.statistics.scatter import STILL, Scatter, certain, scattered

REPLICATES = 1000
"""The standard error is then known to about 2 %."""
_CELLS = 500_000  # weights held at once: 4 MB, so that they stay in the processor's cache
_DOUBTS = 4


@dataclass(frozen=True)
class Rows:
    """Rows to measure on: scores of each model; `groups` are codes from 0 of what is sampled as one.

    `agreed` says that both models give the same scores to all rows there are, not only to these.
    """

    labels: Floats = field(repr=False)
    candidate: Floats = field(repr=False)
    production: Floats | None = field(repr=False)
    groups: Codes = field(repr=False)
    agreed: bool = False

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, chosen: Codes) -> Rows:
        """The rows at these positions."""
        production = None if self.production is None else self.production[chosen]
        return Rows(self.labels[chosen], self.candidate[chosen], production, self.groups[chosen], self.agreed)

    @property
    def identical(self) -> bool:
        """Whether both models give every row the same score."""
        return self.production is not None and np.array_equal(self.candidate, self.production)


@dataclass(frozen=True)
class Question:
    """A metric to be measured on some rows."""

    metric: str
    rows: Rows


@dataclass(frozen=True)
class Answer:
    """Plain values, and how they scatter, turned so that more is better."""

    candidate: float
    production: float | None
    single: Scatter
    difference: Scatter | None


def effective_groups(metric: str, rows: Rows) -> float:
    """How many groups of equal size would say as much (Kish 1965): of label 1 or the rarer one, where it matters."""
    positive = _kish(rows.groups[rows.labels == 1])
    if metric in ("recall", "precision", "f1"):
        return positive
    if metric in ("roc_auc", "average_precision", "balanced_accuracy"):
        return min(positive, _kish(rows.groups[rows.labels == 0]))
    return _kish(rows.groups)


def _kish(groups: Codes) -> float:
    sizes = np.unique(groups, return_counts=True)[1].astype(float)
    return float(sizes.sum() ** 2 / (sizes**2).sum()) if sizes.size else 0.0


def answer(questions: Sequence[Question], seed: int, replicates: int = REPLICATES) -> list[Answer]:
    """Measure every question under the same replicates, which `seed` fixes.

    Metrics that count rows, and those that did not scatter at all, are measured a second time with four rows added
    that the models get right and wrong in turn (Agresti and Caffo 2000): no errors seen is not no errors possible.
    """
    plain = _measured(questions, seed, replicates, doubted=False)
    doubtful = [
        index
        for index, (question, found) in enumerate(zip(questions, plain, strict=True))
        if question.metric in COUNTED or (question.metric in BOUNDED and _still(question.rows, found))
    ]
    again = _measured([questions[index] for index in doubtful], seed, replicates, doubted=True)
    second = dict(zip(doubtful, again, strict=True))
    return [
        _answer(question, found, second.get(index))
        for index, (question, found) in enumerate(zip(questions, plain, strict=True))
    ]


def _still(rows: Rows, values: Floats) -> bool:
    """Whether something that should scatter does not."""
    moving = [values[0]] if len(values) == 1 or rows.identical else [values[0], values[0] - values[1]]
    return any(bool(np.ptp(one) <= STILL) for one in moving)


def _answer(question: Question, plain: Floats, doubted: Floats | None) -> Answer:
    metric, rows = question.metric, question.rows
    freedom = max(effective_groups(metric, rows) - 1, 1.0)
    both = [plain] if doubted is None else [plain, doubted]
    rooted = metric == "rmse"  # squares scatter like a mean; their root does not, in a few rows
    single = scattered([sign(metric) * (one[0] ** 2 if rooted else one[0]) for one in both], freedom, rooted=rooted)
    if rows.production is None:
        return Answer(float(plain[0, 0]), None, single, None)
    differences = [sign(metric) * (one[0] - one[1]) for one in both]
    # In a small slice models that answer yes or no agree by chance; scores of many digits do not.
    same = rows.identical and (rows.agreed or metric not in COUNTED)
    difference = certain(0.0) if same else scattered(differences, freedom)
    return Answer(float(plain[0, 0]), float(plain[1, 0]), single, difference)


def _measured(questions: Sequence[Question], seed: int, replicates: int, *, doubted: bool) -> list[Floats]:
    """For each question values of shape (models, 1 + replicates); the first is of the data as it is."""
    if not questions:
        return []
    groups = max(int(question.rows.groups.max()) + 1 for question in questions)
    largest = max(groups, *(len(question.rows) for question in questions))
    prepared = [_prepared(question, groups, doubted=doubted) for question in questions]
    values: list[list[Floats]] = [[] for _ in questions]
    for weights in _weights(groups, replicates, seed, max(1, _CELLS // largest)):
        for (scorers, members), found in zip(prepared, values, strict=True):
            own = np.take(weights, members, axis=1)
            found.append(np.stack([one(own) for one in scorers]))
    return [np.concatenate(found, axis=1) for found in values]


def _prepared(question: Question, groups: int, *, doubted: bool) -> tuple[list[Scorer], Codes]:
    """A scorer for each model, and the groups whose weights they take."""
    rows = question.rows
    models = [rows.candidate] if rows.production is None else [rows.candidate, rows.production]
    labels, codes = rows.labels, rows.groups
    if doubted:
        labels = np.append(labels, [1.0, 1.0, 0.0, 0.0])
        codes = np.append(codes, np.arange(groups, groups + _DOUBTS))
        models = [_doubted(question.metric, scores, turn) for turn, scores in enumerate(models)]
    members, local = np.unique(codes, return_inverse=True)
    return [scorer(question.metric, labels, scores, local, len(members)) for scores in models], members


def _doubted(metric: str, scores: Floats, turn: int) -> Floats:
    by_order = metric in ("roc_auc", "average_precision")
    low, high = (scores.min(), scores.max()) if by_order else (0.0, 1.0)
    return np.append(scores, [high, low, high, low] if turn == 0 else [low, high, low, high])


def _weights(groups: int, replicates: int, seed: int, chunk: int) -> Iterator[Floats]:
    """How often each group is drawn: once each first, then as chance has it; the last columns weigh doubtful rows."""
    random = np.random.default_rng(seed)
    yield np.ones((1, groups + _DOUBTS))
    for start in range(0, replicates, chunk):
        weights = np.empty((min(chunk, replicates - start), groups + _DOUBTS))
        for row in weights:
            row[:groups] = np.bincount(random.integers(0, groups, groups), minlength=groups)
            row[groups:] = random.poisson(1.0, _DOUBTS)
        yield weights
