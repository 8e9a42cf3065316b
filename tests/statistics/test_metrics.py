"""Every metric agrees with scikit-learn, with ties, weights and repeated rows."""

import warnings

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from release_gate.statistics.metrics import REGRESSION, measure, scorer, sign
from release_gate.thresholds import METRICS

ORACLES = {
    "roc_auc": oracle.roc_auc_score,
    "average_precision": oracle.average_precision_score,
    "accuracy": lambda y, s, sample_weight: oracle.accuracy_score(y, s >= 0.5, sample_weight=sample_weight),
    "balanced_accuracy": lambda y, s, sample_weight: oracle.balanced_accuracy_score(
        y, s >= 0.5, sample_weight=sample_weight
    ),
    "precision": lambda y, s, sample_weight: oracle.precision_score(
        y, s >= 0.5, sample_weight=sample_weight, zero_division=0
    ),
    "recall": lambda y, s, sample_weight: oracle.recall_score(y, s >= 0.5, sample_weight=sample_weight),
    "f1": lambda y, s, sample_weight: oracle.f1_score(y, s >= 0.5, sample_weight=sample_weight, zero_division=0),
    "log_loss": lambda y, s, sample_weight: oracle.log_loss(y, s, sample_weight=sample_weight, labels=[0, 1]),
    "brier": oracle.brier_score_loss,
    "rmse": oracle.root_mean_squared_error,
    "mae": oracle.mean_absolute_error,
    "r2": oracle.r2_score,
}
weights = st.one_of(st.integers(0, 4), st.floats(0.01, 5))
probability = st.one_of(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), st.floats(0, 1).map(lambda one: round(one, 6)))
number = st.floats(-1e3, 1e3).map(lambda one: round(one, 3))


def test_every_metric_of_the_configuration_has_an_oracle() -> None:
    assert set(ORACLES) == set(METRICS)
    assert {name for name in METRICS if sign(name) == -1} == {"log_loss", "brier", "rmse", "mae"}


@pytest.mark.parametrize("metric", METRICS)
@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_a_weighted_metric_agrees_with_scikit_learn(metric: str, data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 30))
    column = st.lists(number if metric in REGRESSION else probability, min_size=size, max_size=size)
    scores = np.array(data.draw(column))
    if metric in REGRESSION:
        labels = np.array(data.draw(column))
    else:
        labels = np.array(data.draw(st.lists(st.sampled_from([0.0, 1.0]), min_size=size, max_size=size)))
    row_weights = np.array(data.draw(st.lists(weights, min_size=size, max_size=size)), dtype=float)
    heavy = labels[row_weights > 0]
    if metric in REGRESSION:
        assume(len(heavy) > 1 and np.ptp(heavy) > 0.01)
    else:
        assume(set(heavy) == {0.0, 1.0})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = ORACLES[metric](labels, scores, sample_weight=row_weights)
    assert measure(metric, labels, scores, row_weights) == pytest.approx(expected, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("metric", METRICS)
def test_a_weight_of_two_is_a_row_given_twice(metric: str) -> None:
    random = np.random.default_rng(5)
    labels, scores = (random.random(40) < 0.4).astype(float), np.round(random.random(40), 1)
    twice = random.integers(1, 3, 40)
    copied = measure(metric, np.repeat(labels, twice), np.repeat(scores, twice))
    assert measure(metric, labels, scores, twice) == pytest.approx(copied)


@pytest.mark.parametrize("metric", METRICS)
def test_weights_of_groups_are_weights_of_their_rows(metric: str) -> None:
    random = np.random.default_rng(6)
    labels, scores = (random.random(60) < 0.4).astype(float), np.round(random.random(60), 1)
    groups = random.integers(0, 7, 60)
    heavy = random.integers(0, 3, (5, 7)).astype(float)
    found = scorer(metric, labels, scores, groups, 7)(heavy)
    assert found == pytest.approx([measure(metric, labels, scores, one[groups]) for one in heavy])


@pytest.mark.parametrize("metric", ["roc_auc", "average_precision", "recall", "balanced_accuracy", "r2"])
def test_a_metric_without_meaning_is_nan(metric: str) -> None:
    assert np.isnan(measure(metric, np.zeros(4), np.array([0.1, 0.2, 0.6, 0.9])))


def test_who_never_says_yes_has_precision_and_f1_of_zero() -> None:
    assert measure("precision", np.array([0.0, 1.0]), np.zeros(2)) == 0
    assert measure("f1", np.zeros(2), np.zeros(2)) == 0


def test_r2_keeps_its_digits_on_labels_far_from_zero() -> None:
    random = np.random.default_rng(7)
    labels = 1e7 + random.normal(size=200)
    scores = labels + random.normal(size=200) / 2
    assert measure("r2", labels, scores) == pytest.approx(oracle.r2_score(labels, scores), rel=1e-8)
