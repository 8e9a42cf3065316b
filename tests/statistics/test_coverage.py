"""One-sided bounds miss the truth about as often as promised, also where rows or groups are few or values skewed."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from release_gate.statistics.additive import Floats
from release_gate.statistics.bootstrap import Question, Rows, answer
from release_gate.statistics.metrics import sign

STUDIES = 200
Draw = Callable[[np.random.Generator], Rows]


def rates_of(share: float, count: int) -> Draw:
    return lambda random: Rows(np.ones(count), (random.random(count) < share).astype(float), None, np.arange(count))


def separated(positive: int, negative: int, distance: float) -> Draw:
    def draw(random: np.random.Generator) -> Rows:
        labels = np.repeat([1.0, 0.0], [positive, negative])
        return Rows(labels, random.normal(size=len(labels)) + distance * labels, None, np.arange(len(labels)))

    return draw


def errors(count: int, groups: int | None, values: Callable[[np.random.Generator, int], Floats]) -> Draw:
    def draw(random: np.random.Generator) -> Rows:
        group = np.arange(count) if groups is None else np.arange(count) % groups
        level = 1.0 if groups is None else np.exp(random.normal(0, 0.3, groups) - 0.045)[group]
        return Rows(np.zeros(count), values(random, count) * level, None, group)

    return draw


def exponential(random: np.random.Generator, count: int) -> Floats:
    return random.exponential(size=count)


def normal(random: np.random.Generator, count: int) -> Floats:
    return random.normal(size=count)


@pytest.mark.parametrize(
    ("metric", "draw", "truth"),
    [
        pytest.param("accuracy", rates_of(0.9, 50), 0.9, id="a rate near one"),
        pytest.param("accuracy", rates_of(0.98, 200), 0.98, id="a rate nearer to one"),
        pytest.param("roc_auc", separated(12, 60, 1.0), stats.norm.cdf(1 / 2**0.5), id="few of label 1"),
        pytest.param("roc_auc", separated(40, 120, 2.5), stats.norm.cdf(2.5 / 2**0.5), id="auc near one"),
        pytest.param("mae", errors(40, None, exponential), 1.0, id="skewed errors in few rows"),
        pytest.param("mae", errors(300, 12, exponential), 1.0, id="few groups"),
        pytest.param("rmse", errors(60, None, normal), 1.0, id="root of a mean square"),
    ],
)
def test_a_bound_misses_the_truth_rarely(metric: str, draw: Draw, truth: float) -> None:
    random = np.random.default_rng(20)
    missed = np.zeros(2)
    for number in range(STUDIES):
        found = answer([Question(metric, draw(random))], number, 300)[0].single
        missed += [found.low(0.05) > sign(metric) * truth, found.high(0.05) < sign(metric) * truth]
    # 5 % promised; 200 studies add two standard errors of 1.5 %, and small samples cost about 3 % at worst.
    assert (missed / STUDIES <= 0.11).all(), missed / STUDIES
