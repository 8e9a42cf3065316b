"""The sequential test keeps its promise by exact enumeration and in simulation, and its bounds are what it refuses."""

import doctest
import math
import subprocess
import sys
from dataclasses import replace
from itertools import accumulate
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import binom, hypergeom, nchypergeom_fisher

from release_gate.statistics import sequential
from release_gate.statistics.sequential import (
    Evidence,
    Floats,
    Increment,
    Tally,
    log_evidence,
    requests_to_see,
    weigh,
)
from tests.statistics.canaries import LOOKS, Rates, constant, doubled, false_alarms, simulate, wandering

RIGHT = 1 + 1e-9  # an expectation of 1, but for rounding


def window(n_c: int, c: int, n_p: int, p: int) -> Increment:
    return Increment(Tally(n_c, c), Tally(n_p, p))


def swapped(increments: list[Increment]) -> list[Increment]:
    return [Increment(candidate=one.production, production=one.candidate) for one in increments]


@st.composite
def tallies(draw: st.DrawFn, largest: int = 3000) -> Tally:
    requests = draw(st.integers(0, largest))
    return Tally(requests, draw(st.integers(0, min(requests, 60))))


windows = st.lists(st.builds(Increment, tallies(), tallies()), min_size=1, max_size=8)


def evidence(n_c: int, n_p: int, c: NDArray[Any], p: NDArray[Any], tolerated: float = 1.0) -> Floats:
    """The evidence of single windows, one for each of many counts."""
    return np.asarray(np.exp(log_evidence(n_c, n_p, c[..., None], p[..., None], tolerated)[..., 0]))


@pytest.mark.parametrize(("n_c", "n_p"), [(1, 1), (1, 40), (40, 1), (5, 95), (50, 50), (95, 5), (100, 1900)])
def test_given_the_total_alike_versions_are_expected_to_bring_no_evidence(n_c: int, n_p: int) -> None:
    for total in {*range(min(n_c + n_p, 40) + 1), n_c, n_p, (n_c + n_p) // 2, n_c + n_p - 1, n_c + n_p}:
        c = np.arange(max(0, total - n_p), min(n_c, total) + 1)
        expected = (hypergeom(n_c + n_p, n_c, total).pmf(c) * evidence(n_c, n_p, c, total - c)).sum()
        assert expected <= RIGHT, total


@pytest.mark.parametrize("tolerated", [0.5, 1, 1.2, 2, 10])
@pytest.mark.parametrize(("n_c", "n_p"), [(1, 1), (3, 57), (30, 30), (57, 3)])
def test_a_tolerated_ratio_is_expected_to_bring_no_evidence_at_any_rate(n_c: int, n_p: int, tolerated: float) -> None:
    c, p = np.meshgrid(np.arange(n_c + 1), np.arange(n_p + 1), indexing="ij")
    values = evidence(n_c, n_p, c, p, tolerated)
    for rate in (0.0001, 0.01, 0.1, 0.3, 0.5, 0.9, 1):
        for part in (0.3, 1.0):  # the candidate is better than it may be, or just as bad
            likely = binom(n_c, min(1, tolerated * rate) * part).pmf(c) * binom(n_p, rate).pmf(p)
            assert (likely * values).sum() <= RIGHT, (rate, part)


def test_given_the_total_a_tolerated_ratio_holds_only_for_rare_events_as_the_docstring_says() -> None:
    def expected(rate: float, total: int) -> float:
        odds = 2 * (1 - rate) / (1 - 2 * rate)
        c = np.arange(max(0, total - 100), min(20, total) + 1)
        likely = nchypergeom_fisher(120, 20, total, odds).pmf(c)
        return float((likely * evidence(20, 100, c, total - c, 2)).sum())

    assert expected(0.45, 40) > 1.2
    assert expected(0.001, 2) <= RIGHT


@pytest.mark.parametrize(
    ("shares", "rates"),
    [
        (np.full(LOOKS, 0.05), constant),
        (np.full(LOOKS, 0.5), constant),
        (np.repeat([0.05, 0.5], LOOKS // 2), wandering),
    ],
    ids=["share of 5 %", "share of 50 %", "wandering rate, growing share"],
)
def test_false_alarms_stay_below_alpha_over_a_thousand_looks(shares: Floats, rates: Rates) -> None:
    assert 0 < false_alarms(shares, rates, runs=500, alpha=0.05) <= 0.05


def test_what_hangs_together_on_one_side_is_not_promised() -> None:
    assert false_alarms(np.full(LOOKS, 0.05), constant, runs=100, alpha=0.05, repeats=2) > 0.1


def test_an_outage_of_both_versions_is_no_evidence() -> None:
    random = np.random.default_rng(3)
    down = np.where(random.random((400, 500)) < 0.02, 2000, 5)  # whole windows fail
    c = random.hypergeometric(100, 1900, down)
    peaks = log_evidence(100, 1900, c, down - c).max(axis=1)
    assert np.mean(peaks >= math.log(20)) <= 0.05


def test_a_doubled_rate_is_found_within_ten_minutes() -> None:
    finds = doubled(0.05, runs=500, alpha=0.05)
    assert np.isfinite(finds.seconds).mean() >= 0.95
    assert 0 < finds.harmed.mean() < 30  # of 60 in ten minutes


def test_the_benchmark_tells_what_is_promised() -> None:
    told = list(simulate(runs=1000))
    found = [float(value.rstrip("%")) for what, value, _ in told if "seen in 10 min" in what]
    assert len(found) == 2
    assert min(found) >= 95
    assert all(len(what) <= 58 and len(value) <= 14 for what, value, _ in told)


def test_bounds_hold_at_all_looks_together() -> None:
    random = np.random.default_rng(4)
    above = below = 0
    for _ in range(200):
        seen = [window(200, random.binomial(200, 0.04), 800, random.binomial(800, 0.02)) for _ in range(40)]
        told = weigh(seen)
        above, below = above + (told.at_least > 2), below + (told.at_most < 2)
        assert told.at_least > 1.05
        assert told.at_most < 4
    assert max(above, below) <= 0.05 * 200


@settings(max_examples=50)
@given(windows, st.floats(0.2, 5), st.floats(0.001, 0.5))
def test_the_lower_bound_reaches_what_is_tolerated_when_and_only_when_harm_is_proven(
    increments: list[Increment], tolerated: float, alpha: float
) -> None:
    told = weigh(increments, tolerated=tolerated, alpha=alpha)
    if abs(told.peak + math.log(alpha)) > 1e-6:
        assert told.harmful(alpha) == (told.at_least >= tolerated)


@settings(max_examples=50)
@given(windows)
def test_versions_swapped_mirror_the_bounds(increments: list[Increment]) -> None:
    one, other = weigh(increments), weigh(swapped(increments))
    assert (one.candidate, one.production) == (other.production, other.candidate)
    assert one.at_most * other.at_least == pytest.approx(1) if other.at_least else one.at_most == math.inf
    if one.ratio and other.ratio:
        assert one.ratio * other.ratio == pytest.approx(1)


@settings(max_examples=50)
@given(windows, st.data())
def test_more_bad_answers_of_the_candidate_are_more_evidence_and_of_production_less(
    increments: list[Increment], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(increments) - 1))
    before = weigh(increments).log_e
    for side, sign in (("candidate", 1), ("production", -1)):
        tally = getattr(increments[at], side)
        if tally.bad < tally.requests:
            worse = replace(increments[at], **{side: Tally(tally.requests, tally.bad + 1)})
            after = weigh([*increments[:at], worse, *increments[at + 1 :]]).log_e
            assert sign * (after - before) >= -1e-9


@settings(max_examples=50)
@given(tallies(), tallies(), st.integers(1, 5))
def test_windows_of_one_share_can_be_cut_as_one_likes(candidate: Tally, production: Tally, parts: int) -> None:
    piece = Increment(candidate, production)
    whole = Increment(*(Tally(parts * one.requests, parts * one.bad) for one in (candidate, production)))
    cut = weigh([piece] * parts)
    assert cut.log_e == pytest.approx(weigh([whole]).log_e, abs=1e-9)
    assert (cut.candidate, cut.production, cut.looks) == (whole.candidate, whole.production, parts)


@settings(max_examples=50)
@given(windows, st.randoms(use_true_random=False))
def test_the_order_of_windows_does_not_change_the_last_word(increments: list[Increment], random: object) -> None:
    mixed = list(increments)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert weigh(mixed).log_e == pytest.approx(weigh(increments).log_e, abs=1e-9)


@settings(max_examples=50)
@given(windows)
def test_a_window_without_requests_on_one_side_says_nothing(increments: list[Increment]) -> None:
    silent = [window(0, 0, 0, 0), window(50, 50, 0, 0), window(0, 0, 50, 50)]
    one, other = weigh(increments), weigh([*silent, *increments, *silent])
    assert other.log_e == pytest.approx(one.log_e, abs=1e-12)
    assert other.ratio == pytest.approx(one.ratio)
    assert other.at_least == pytest.approx(one.at_least)
    assert other.at_most == pytest.approx(one.at_most)
    assert other.looks == one.looks + 6


def test_harm_once_proven_is_never_taken_back() -> None:
    bad, good = window(100, 20, 1900, 19), window(100, 0, 1900, 100)
    told = [weigh([bad, *[good] * more]) for more in range(30)]
    assert all(one.harmful(0.05) for one in told)
    assert told[-1].log_e < 0
    assert [one.at_least for one in told] == [told[0].at_least] * 30


def test_harm_shows_at_a_smaller_alpha_only_with_more_evidence() -> None:
    told = weigh([window(100, 6, 1900, 19)])
    assert (told.harmful(0.05), told.harmful(0.05 / 6)) == (True, False)
    assert told.at_least > weigh([window(100, 6, 1900, 19)], alpha=0.05 / 6).at_least


def test_a_rate_that_rises_with_the_share_is_no_harm_unless_steps_are_pooled() -> None:
    steps = [window(1000, 1, 19000, 19), window(10000, 300, 10000, 300)]
    apart = weigh(steps)
    pooled = weigh([Increment(*(sum(side[1:], side[0]) for side in zip(*map(sides, steps), strict=True)))])
    assert not apart.harmful(0.05)
    assert apart.ratio == pytest.approx(1)
    assert pooled.harmful(1e-6)


def sides(increment: Increment) -> tuple[Tally, Tally]:
    return increment.candidate, increment.production


def test_each_look_sees_what_all_windows_until_then_say() -> None:
    increments = [window(100, c, 1900, 19) for c in (0, 3, 1, 6, 2)]
    path = log_evidence([100] * 5, [1900] * 5, [one.candidate.bad for one in increments], [19] * 5)
    assert path == pytest.approx([weigh(increments[: looks + 1]).log_e for looks in range(5)])
    peaks = [weigh(increments[: looks + 1]).peak for looks in range(5)]
    assert peaks == pytest.approx(list(accumulate(path, max)))


@pytest.mark.parametrize(
    ("increment", "ratio"),
    [(window(10, 0, 10, 0), None), (window(10, 3, 10, 0), None), (window(10, 0, 10, 3), 0.0)],
    ids=["nothing bad", "production never bad", "candidate never bad"],
)
def test_the_ratio_is_told_where_it_is_defined(increment: Increment, ratio: float | None) -> None:
    told = weigh([increment])
    assert told.ratio == ratio
    assert told.at_least <= (ratio or 0.0) or ratio is None
    assert told.at_most > (ratio or 0.0)


def test_no_window_is_no_evidence() -> None:
    told = weigh([])
    assert told == Evidence(0.0, 0, Tally(0, 0), Tally(0, 0), None, 0.0, math.inf)
    assert not told.harmful(0.999)


def test_huge_counts_stay_finite() -> None:
    told = weigh([window(10**9, 10**9, 10**12, 0), window(1, 1, 10**12, 10**11)])
    assert math.isfinite(told.log_e)
    assert told.harmful(1e-300)
    assert told.at_least > 1e8


@pytest.mark.parametrize(
    ("requests", "bad"), [(-1, 0), (5, -1), (5, 6), (0, 1), (math.nan, 0), (5, math.nan), (math.inf, 0)]
)
def test_impossible_counts_are_refused(requests: int, bad: int) -> None:
    with pytest.raises(ValueError, match="is no tally"):
        Tally(requests, bad)


@pytest.mark.parametrize("alpha", [0, 1, -0.1, math.nan])
def test_impossible_settings_are_refused(alpha: float) -> None:
    with pytest.raises(ValueError, match="alpha"):
        weigh([], alpha=alpha)
    with pytest.raises(ValueError, match="alpha"):
        weigh([]).harmful(alpha)
    with pytest.raises(ValueError, match="share"):
        requests_to_see(0.01, 2, alpha, alpha=0.05)
    for tolerated in (0, -1, math.inf, math.nan):
        with pytest.raises(ValueError, match="tolerated"):
            weigh([], tolerated=tolerated)


@pytest.mark.parametrize(
    ("rate", "ratio", "share", "alpha", "power"),
    [
        (0.01, 2, 0.05, 0.05, 0.95),
        (0.01, 2, 0.5, 0.05 / 6, 0.95),
        (0.001, 5, 0.05, 0.05, 0.8),
        (0.3, 2, 0.1, 0.05, 0.95),
        (0.001, 100, 0.05, 0.05, 0.95),
        (0.05, 1.2, 0.5, 0.05, 0.95),
        (0.6, 2, 0.5, 0.05, 0.9),
    ],
)
def test_the_requests_needed_are_enough_and_hardly_more_than_one_look_takes(
    rate: float, ratio: float, share: float, alpha: float, power: float
) -> None:
    random = np.random.default_rng(5)
    needed = requests_to_see(rate, ratio, share, alpha=alpha, power=power)

    def seen(n_c: int, looks: int) -> float:
        """By simulation, in runs of so many looks; the last windows are a little larger, to use up all requests."""
        sizes_c = np.diff(np.linspace(0, n_c, looks + 1).astype(int))
        sizes_p = np.diff(np.linspace(0, n_c * (1 - share) / share, looks + 1).astype(int))
        c = random.binomial(sizes_c, min(1, rate * ratio), (2000, looks))
        p = random.binomial(sizes_p, rate, (2000, looks))
        return float(np.mean(log_evidence(sizes_c, sizes_p, c, p).max(axis=1) >= -math.log(alpha)))

    noise = 3 * math.sqrt(power * (1 - power) / 2000)
    assert seen(needed, 1) >= power - noise
    assert seen(needed, min(needed, 20)) >= power - noise
    assert seen(round(0.7 * needed), 20 if needed > 200 else 1) < power + noise


@given(st.floats(0.001, 0.4), st.floats(1.3, 2.4), st.floats(0.02, 0.9))
@settings(max_examples=10, deadline=None)
def test_a_larger_harm_or_a_larger_risk_needs_no_more_requests(rate: float, ratio: float, share: float) -> None:
    needed = requests_to_see(rate, ratio, share, alpha=0.05) * 1.03  # whole numbers are not smooth
    assert requests_to_see(rate, ratio * 1.3, share, alpha=0.05) <= needed + 1
    assert requests_to_see(rate, ratio, share, alpha=0.2) <= needed + 1


@pytest.mark.parametrize(
    ("rate", "ratio"), [(0, 2), (1, 2), (0.01, 1), (0.01, 0.5), (0.01, 1.01), (-0.1, 2), (math.nan, 2)]
)
def test_what_can_never_be_seen_is_said(rate: float, ratio: float) -> None:
    with pytest.raises(ValueError, match="never be seen"):
        requests_to_see(rate, ratio, 0.05, alpha=0.05)


def test_examples_in_the_docstrings_are_true() -> None:
    assert doctest.testmod(sequential).failed == 0


def test_the_module_does_not_load_what_it_does_not_need() -> None:
    code = "import sys, release_gate.statistics.sequential; sys.exit('scipy.stats' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
