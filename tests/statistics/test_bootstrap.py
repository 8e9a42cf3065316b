"""The bootstrap: against SciPy's, paired, by groups, repeatable, never falsely certain."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from release_gate.statistics import bootstrap
from release_gate.statistics.additive import Codes, Floats
from release_gate.statistics.bootstrap import Answer, Question, Rows, answer, effective_groups
from release_gate.statistics.metrics import BOUNDED


def rows(count: int, *, seed: int = 0, production: bool = True, groups: Codes | None = None) -> Rows:
    random = np.random.default_rng(seed)
    labels = (random.random(count) < 0.4).astype(float)
    noise = random.normal(size=count)
    candidate = 1 / (1 + np.exp(-(labels + noise - 0.5)))
    other = 1 / (1 + np.exp(-(labels + 0.9 * noise + 0.3 * random.normal(size=count) - 0.5)))
    return Rows(labels, candidate, other if production else None, np.arange(count) if groups is None else groups)


def one(metric: str, given: Rows, seed: int = 1, replicates: int = 1000) -> Answer:
    return answer([Question(metric, given)], seed, replicates)[0]


@pytest.mark.parametrize("metric", ["roc_auc", "brier"])
def test_the_standard_error_of_a_difference_agrees_with_scipy(metric: str) -> None:
    given = rows(150)
    assert given.production is not None

    def difference(labels: Floats, first: Floats, second: Floats) -> float:
        if metric == "brier":
            return float(np.mean((second - labels) ** 2) - np.mean((first - labels) ** 2))
        return float(roc_auc_score(labels, first) - roc_auc_score(labels, second))

    oracle = stats.bootstrap(
        (given.labels, given.candidate, given.production),
        difference,
        paired=True,
        vectorized=False,
        n_resamples=1000,
        method="percentile",
        rng=np.random.default_rng(3),
    )
    found = one(metric, given, replicates=4000).difference
    assert found is not None
    assert found.value == pytest.approx(difference(given.labels, given.candidate, given.production))
    assert found.curves[0].error == pytest.approx(oracle.standard_error, rel=0.08)
    assert found.low(0.025) == pytest.approx(oracle.confidence_interval.low, abs=float(0.4 * oracle.standard_error))
    assert found.high(0.025) == pytest.approx(oracle.confidence_interval.high, abs=float(0.4 * oracle.standard_error))


def test_the_error_of_a_mean_over_groups_is_that_of_the_group_means() -> None:
    random = np.random.default_rng(2)
    groups = np.repeat(np.arange(60), 5)
    errors = np.repeat(random.normal(size=60), 5) + 0.1 * random.normal(size=300) + 5
    given = Rows(np.zeros(300), errors, None, groups)
    expected = errors.reshape(60, 5).mean(axis=1).std(ddof=1) / np.sqrt(60)
    assert one("mae", given, replicates=4000).single.error == pytest.approx(expected, rel=0.05)
    alone = one("mae", Rows(np.zeros(300), errors, None, np.arange(300)), replicates=4000).single.error
    assert alone < expected / 1.8


def test_the_same_seed_gives_the_same_answer_whatever_is_asked_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    given = rows(400)
    alone = one("roc_auc", given)
    assert one("roc_auc", given) == alone
    assert one("roc_auc", given, seed=2) != alone
    beside = answer([Question("f1", given), Question("roc_auc", given)], 1)
    assert beside[1] == alone
    monkeypatch.setattr(bootstrap, "_CELLS", 4000)
    assert one("roc_auc", given).single.error == pytest.approx(alone.single.error)


def test_slices_meet_the_same_replicates_as_the_whole() -> None:
    given = rows(300)
    part = given.take(np.arange(0, 300, 2))
    whole, half = answer([Question("roc_auc", given), Question("roc_auc", part)], 1)
    assert len(part) == 150
    assert 1.1 < half.single.error / whole.single.error < 1.8


@pytest.mark.parametrize("metric", ["roc_auc", "accuracy", "log_loss"])
def test_identical_predictions_differ_by_exactly_nothing(metric: str) -> None:
    given = rows(100)
    same = Rows(given.labels, given.candidate, given.candidate.copy(), given.groups, agreed=True)
    found = one(metric, same).difference
    assert found is not None
    assert (found.value, found.low(0.05), found.high(0.05)) == (0.0, 0.0, 0.0)
    assert found.too_low(0.0) == 0.0
    assert found.high_enough(0.0) == 1.0


def test_yes_and_no_that_agree_in_a_small_slice_only_are_not_certain_to_agree() -> None:
    labels = np.array([0.0, 1.0] * 20)
    found = one("accuracy", Rows(labels, labels, labels.copy(), np.arange(40), agreed=False)).difference
    assert found is not None
    assert found.low(0.05) < -0.02
    assert found.high(0.05) > 0.02


@pytest.mark.parametrize("metric", sorted(BOUNDED))
def test_a_perfect_score_is_never_certain(metric: str) -> None:
    labels = np.array([0.0, 1.0] * 30)
    other = np.where(np.arange(60) < 6, 0.5 - 0.2 * (labels - 0.5), labels)
    found = one(metric, Rows(labels, labels, other, np.arange(60)))
    for scatter in (found.single, found.difference):
        assert scatter is not None
        assert scatter.low(0.05) < scatter.value - 0.005
        assert np.isfinite(scatter.low(0.05))


def test_models_that_rank_alike_but_score_differently_are_not_certain_to_be_equal() -> None:
    given = rows(100)
    found = one("roc_auc", Rows(given.labels, given.candidate, given.candidate**3, given.groups)).difference
    assert found is not None
    assert found.value == 0
    assert found.low(0.05) < -0.005


def test_an_unbounded_error_that_never_varies_is_unknown() -> None:
    found = one("mae", Rows(np.zeros(50), np.full(50, 2.0), np.full(50, 3.0), np.arange(50)))
    assert found.difference is not None
    assert found.difference.low(0.05) == -np.inf
    assert found.difference.high(0.05) == np.inf
    assert found.difference.error == np.inf
    assert found.difference.too_low(-10) == 1.0
    assert found.difference.high_enough(10) == 1.0


def test_a_metric_that_replicates_often_lack_is_unknown() -> None:
    labels = np.zeros(50)
    labels[0] = 1
    groups = np.arange(50)
    found = one("roc_auc", Rows(labels, np.linspace(0, 1, 50), None, groups))
    assert found.single.error == np.inf


def test_effective_groups_count_what_can_be_told_apart() -> None:
    labels = np.array([1.0, 1.0, 0.0, 0.0, 0.0, 0.0])
    given = Rows(labels, labels, None, np.array([0, 1, 2, 2, 3, 3]))
    assert effective_groups("roc_auc", given) == 2
    assert effective_groups("recall", given) == 2
    assert effective_groups("log_loss", given) == pytest.approx(36 / 10)
    assert effective_groups("recall", Rows(np.zeros(2), np.zeros(2), None, np.arange(2))) == 0


def test_nothing_asked_is_nothing_answered() -> None:
    assert answer([], 1) == []
