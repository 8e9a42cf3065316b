"""Scores compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.lifecycle.package import largest_difference


def test_small_numbers_are_compared_absolutely_and_large_ones_relatively() -> None:
    assert largest_difference([0.1, 0.2], [0.1, 0.25]) == pytest.approx(0.05)
    assert largest_difference([1000.0], [1001.0]) == pytest.approx(1 / 1001)
    assert largest_difference([], []) == 0.0


@given(st.lists(st.floats(-1e9, 1e9), max_size=10))
def test_a_list_does_not_differ_from_itself(scores: list[float]) -> None:
    assert largest_difference(scores, scores) == 0.0
