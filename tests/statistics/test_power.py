"""Power and rows needed agree with simulation and with each other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.statistics.power import AIM, power, rows_needed, smallest_seen


def test_power_is_the_share_of_studies_that_prove_the_bar_cleared() -> None:
    drawn = np.random.default_rng(0).normal(0.02, 0.01, 200_000)
    assert power(0.02, 0.01, 0.05) == pytest.approx(np.mean(drawn - 1.6449 * 0.01 > 0), abs=0.005)


@given(st.floats(0.001, 1), st.floats(0.001, 1), st.floats(0.001, 0.4))
def test_the_rows_needed_give_the_power_aimed_at(gap: float, error: float, risk: float) -> None:
    needed = rows_needed(1_000_000, gap, error, risk)
    assert needed is not None
    assert power(gap, error * np.sqrt(1_000_000 / needed), risk) >= AIM - 1e-9
    assert smallest_seen(gap, error, risk) > gap  # type: ignore[operator]


def test_what_no_number_of_rows_can_prove() -> None:
    assert rows_needed(100, 0.0, 0.1, 0.05) is None
    assert rows_needed(100, -0.1, 0.1, 0.05) is None
    assert rows_needed(100, 0.1, np.inf, 0.05) is None
    assert smallest_seen(0.1, np.inf, 0.05) is None
    assert (power(0.1, np.inf, 0.05), power(0.1, 0.0, 0.05), power(-0.1, 0.0, 0.05)) == (0.0, 1.0, 0.0)
