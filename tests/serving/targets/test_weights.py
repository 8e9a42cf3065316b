"""Shares as whole numbers, never far from what was declared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.serving.targets.weights import LARGEST, weights


@given(st.floats(0.0001, 0.9999))
def test_two_versions_are_never_further_off_than_half_a_point(share: float) -> None:
    given_ = weights({"a": share, "b": 1 - share})
    assert all(1 <= weight <= LARGEST for weight in given_.values())
    assert abs(given_["a"] / sum(given_.values()) - share) <= 0.005


@given(st.lists(st.floats(0.01, 1.0), min_size=1, max_size=4))
def test_several_versions_with_shares_of_a_point_or_more_too(parts: list[float]) -> None:
    shares = {str(index): part / sum(parts) for index, part in enumerate(parts)}
    given_ = weights(shares)
    if min(shares.values()) >= 0.01:
        assert all(abs(given_[name] / sum(given_.values()) - share) <= 0.005 for name, share in shares.items())


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ({"a": 1.0}, {"a": 1}),
        ({"a": 1.0, "b": 0.0}, {"a": 1}),
        ({"a": 0.5, "b": 0.5}, {"a": 1, "b": 1}),
        ({"a": 0.01, "b": 0.99}, {"a": 1, "b": 99}),
        ({"a": 0.001, "b": 0.999}, {"a": 1, "b": 256}),
    ],
)
def test_small_weights_are_taken_where_they_say_it_exactly(shares: dict[str, float], expected: dict[str, int]) -> None:
    assert weights(shares) == expected
