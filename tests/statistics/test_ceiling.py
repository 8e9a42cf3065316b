"""A share against its ceiling, looked at after every window: false alarms, power, and the bound it gives."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import beta

from release_gate.statistics import ceiling
from release_gate.statistics.ceiling import requests_to_see, weigh
from release_gate.statistics.sequential import Tally, log_evidence


def runs(rate: float, windows: int, requests: int, number: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).binomial(requests, rate, size=(number, windows)).astype(float)


def alarms(bad: np.ndarray, requests: int, limit: float, alpha: float) -> float:
    evidence = log_evidence(limit, 1 - limit, bad, requests - bad)
    return float((evidence.max(axis=-1) >= -math.log(alpha)).mean())


@pytest.mark.parametrize("limit", [0.001, 0.05, 0.5])
def test_a_share_at_its_ceiling_is_taken_for_harm_no_more_often_than_declared(limit: float) -> None:
    found = alarms(runs(limit, 1000, 20, 2000, 1), 20, limit, 0.05)
    assert found <= 0.05  # over 1,000 looks; binomial noise of 2,000 runs is inside what the bound gives away


def test_one_request_scores_at_most_one_on_average_at_the_ceiling_and_below() -> None:
    for limit in (0.01, 0.3, 0.9):
        good, bad = (math.exp(log_evidence(limit, 1 - limit, [one], [1 - one])[-1]) for one in (0, 1))
        assert limit * bad + (1 - limit) * good == pytest.approx(1)
        assert good < 1 < bad  # so that a smaller chance of a bad one only lowers the average


def test_the_requests_it_asks_for_see_a_doubling_as_often_as_said() -> None:
    needed = requests_to_see(0.10, 0.05, alpha=0.01)
    assert 100 < needed < 1500
    once = runs(0.10, 1, needed, 4000, 2)
    assert alarms(once, needed, 0.05, 0.01) == pytest.approx(0.95, abs=0.015)
    fewer = runs(0.10, 1, needed * 9 // 10, 4000, 3)
    assert alarms(fewer, needed * 9 // 10, 0.05, 0.01) < 0.95


@pytest.mark.parametrize(("rate", "limit"), [(0.05, 0.05), (0.0, 0.0), (1.5, 0.05), (0.051, 0.05)])
def test_what_can_hardly_be_seen_is_refused(rate: float, limit: float) -> None:
    with pytest.raises(ValueError, match="can't be seen"):
        requests_to_see(rate, limit, alpha=0.05)


def test_requests_that_all_fail_are_seen_soon() -> None:
    assert requests_to_see(1.0, 0.5, alpha=0.05) < 20


def test_the_bound_is_below_that_of_a_single_look_and_above_the_ceiling_where_harm_is_proven() -> None:
    windows = [Tally(100, 20)] * 10
    seen = weigh(windows, 0.05, alpha=0.01)
    single = float(beta.ppf(0.01, 200, 801))  # Clopper and Pearson 1934: what one look at the end could say
    assert 0.05 < seen.at_least < single
    assert seen.harmful(0.01)
    assert weigh(windows, seen.at_least * 0.999, alpha=0.01).harmful(0.01)
    assert not weigh(windows, seen.at_least * 1.001, alpha=0.01).harmful(0.01)


def test_nothing_seen_says_nothing() -> None:
    for tallies in ([], [Tally(0, 0)], [Tally(10**9, 0)]):
        seen = weigh(tallies, 0.05, alpha=0.05)
        assert (seen.at_least, seen.harmful(0.05)) == (0.0, False)
    assert weigh([Tally(5, 5)], 0.05, alpha=0.05).harmful(0.05)
    assert ceiling.weigh([Tally(1000, 500), Tally(10**6, 0)], 0.05, alpha=0.05).harmful(0.05)  # never taken back
