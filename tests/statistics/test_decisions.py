"""Three answers, Holm over all comparisons, and error rates that hold in simulation."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.statistics.bootstrap import Question, Rows, answer
from release_gate.statistics.decisions import Comparison, Decision, decided, holm
from release_gate.statistics.scatter import Curve, Scatter, certain


def at(value: float, error: float = 1.0) -> Scatter:
    return Scatter(value, (Curve(value, error, 0.0, 1e6),))


@given(st.lists(st.floats(0, 1), max_size=6), st.floats(0.01, 0.4))
def test_holm_is_the_closed_test_of_bonferroni(chances: list[float], risk: float) -> None:
    """Marcus, Peritz and Gabriel (1976): reject what every intersection that holds it rejects."""
    index = range(len(chances))
    sets = [one for size in range(1, len(chances) + 1) for one in itertools.combinations(index, size)]
    expected = [all(min(chances[j] for j in one) <= risk / len(one) for one in sets if i in one) for i in index]
    assert holm(chances, risk) == expected


def test_the_three_answers() -> None:
    asked = [Comparison(at(3), 0), Comparison(at(-3), 0), Comparison(at(1), 0), Comparison(certain(0.0), 0)]
    assert decided(asked, 0.05, 0.05) == [Decision.CLEARED, Decision.MISSED, Decision.UNDECIDED, Decision.CLEARED]
    assert decided([Comparison(certain(-1.0), 0)], 0.05, 0.05) == [Decision.MISSED]
    assert asked[0].gap == 3


def test_harm_must_be_plainer_among_many_comparisons() -> None:
    doubtful = Comparison(at(-2.0), 0)
    assert decided([doubtful], 0.05, 0.05) == [Decision.MISSED]
    many = [doubtful, *[Comparison(at(0.5), 0)] * 9]
    assert decided(many, 0.05, 0.05)[0] is Decision.UNDECIDED
    assert decided([Comparison(at(3.5), 0)] * 50, 0.05, 0.05) == [Decision.CLEARED] * 50


def one_study(random: np.random.Generator, count: int, groups: int, loss: float) -> Rows:
    """Scores whose AUC differs by `loss` on average; days differ in how hard they are."""
    day = random.integers(0, groups, count)
    labels = (random.random(count) < 0.35).astype(float)
    noise, hard = random.normal(size=count), random.normal(0, 0.3, groups)[day]
    strength = 1.2 + hard
    candidate = labels * (strength - loss) + noise
    production = labels * strength + 0.95 * noise + np.sqrt(1 - 0.95**2) * random.normal(size=count)
    return Rows(labels, candidate, production, np.unique(day, return_inverse=True)[1])


def rates(loss: float, margin: float, studies: int = 250) -> tuple[float, float]:
    """How often a candidate passes, and how often it is blocked."""
    random = np.random.default_rng(11)
    found = []
    for number in range(studies):
        result = answer([Question("roc_auc", one_study(random, 400, 40, loss))], number, 300)[0]
        assert result.difference is not None
        found += decided([Comparison(result.difference, -margin)], 0.05, 0.05)
    return found.count(Decision.CLEARED) / studies, found.count(Decision.MISSED) / studies


def true_loss(loss: float) -> float:
    given = one_study(np.random.default_rng(1), 400_000, 40_000, loss)
    result = answer([Question("roc_auc", given)], 1, 2)[0]
    assert result.difference is not None
    return -result.difference.value


def test_at_the_margin_a_wrong_pass_and_a_wrong_block_are_as_rare_as_promised() -> None:
    margin = true_loss(0.15)
    assert margin > 0.01
    passed, blocked = rates(loss=0.15, margin=margin)
    assert passed == pytest.approx(0.05, abs=0.04)  # three standard errors of 250 studies
    assert blocked == pytest.approx(0.05, abs=0.04)


def test_a_good_candidate_mostly_passes_and_a_bad_one_is_mostly_blocked() -> None:
    passed, blocked = rates(loss=0.0, margin=0.03, studies=100)
    assert passed > 0.8
    assert blocked == 0
    passed, blocked = rates(loss=0.5, margin=0.03, studies=100)
    assert passed == 0
    assert blocked > 0.9
