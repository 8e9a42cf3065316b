"""Bounds and p-values say the same, skewness leans the right way, and scales turn and root as they should."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from release_gate.statistics.scatter import Curve, Scatter, certain, scattered

curves = st.builds(
    Curve,
    centre=st.floats(-10, 10),
    error=st.floats(0.01, 5),
    skew=st.one_of(st.just(0.0), st.floats(-1.2, 1.2)),
    freedom=st.floats(4, 1000),
)
levels = st.floats(0.001, 0.4)


@given(curves, levels)
def test_a_bar_at_the_bound_has_the_p_value_of_its_level(curve: Curve, risk: float) -> None:
    scatter = Scatter(curve.centre, (curve,))
    if (low := curve.bound(risk)) < curve.centre:
        assert scatter.too_low(low) == pytest.approx(risk, abs=1e-4)
    if (high := curve.bound(1 - risk)) > curve.centre:
        assert scatter.high_enough(high) == pytest.approx(risk, abs=1e-4)


@given(curves, st.floats(-10, 10), st.floats(0, 5))
def test_a_higher_bar_is_harder_to_clear(curve: Curve, bar: float, more: float) -> None:
    scatter = Scatter(curve.centre, (curve,))
    assert scatter.too_low(bar) <= scatter.too_low(bar + more) + 1e-12
    assert scatter.high_enough(bar) >= scatter.high_enough(bar + more) - 1e-12


@given(curves, levels)
def test_turned_round_twice_is_as_before_and_bounds_swap(curve: Curve, risk: float) -> None:
    scatter = Scatter(curve.centre, (curve,))
    assert scatter.reversed().reversed() == scatter
    assert scatter.reversed().low(risk) == pytest.approx(-scatter.high(risk))
    assert scatter.reversed().too_low(-1.0) == pytest.approx(scatter.high_enough(1.0))


def test_without_skewness_it_is_student_s_interval() -> None:
    curve = Curve(centre=1.0, error=0.5, skew=0.0, freedom=9)
    assert curve.bound(0.05) == pytest.approx(stats.t.interval(0.9, 9, loc=1.0, scale=0.5)[0])
    assert curve.bound(0.95) == pytest.approx(stats.t.interval(0.9, 9, loc=1.0, scale=0.5)[1])


def test_the_most_cautious_curve_speaks() -> None:
    wide, narrow = Curve(0.0, 2.0, 0.0, 50), Curve(0.1, 1.0, 0.0, 50)
    both = Scatter(0.05, (wide, narrow))
    assert both.low(0.05) == wide.bound(0.05)
    assert both.too_low(-3) == max(wide.below(-3), narrow.below(-3))
    assert both.error == 2.0


def test_an_error_s_square_scatters_and_is_shown_as_its_root() -> None:
    drawn = -(np.random.default_rng(0).normal(4.0, 0.4, 2001))
    drawn[0] = -4.0
    scatter = scattered([drawn], 50, rooted=True)
    assert scatter.value == -2.0
    assert scatter.low(0.05) == pytest.approx(-math.sqrt(4 + 1.67 * 0.4), abs=0.03)
    assert scatter.too_low(scatter.low(0.05)) == pytest.approx(0.05, abs=1e-6)
    assert scatter.error == pytest.approx(0.1, rel=0.1)
    assert scatter.reversed().value == 2.0
    assert scatter.reversed().high(0.05) == pytest.approx(-scatter.low(0.05))


@pytest.mark.parametrize("drawn", [np.full(101, 0.5), np.full(101, np.nan), np.array([0.5, *[np.nan] * 50, *[1] * 50])])
def test_what_does_not_scatter_is_unknown_not_certain(drawn: np.ndarray) -> None:
    assert not scattered([drawn], 20).known
    assert certain(0.5).known
