"""Scores compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.lifecycle.package import Contents, Contract, largest_difference


def test_small_numbers_are_compared_absolutely_and_large_ones_relatively() -> None:
    assert largest_difference([0.1, 0.2], [0.1, 0.25]) == pytest.approx(0.05)
    assert largest_difference([1000.0], [1001.0]) == pytest.approx(1 / 1001)
    assert largest_difference([], []) == 0.0


@given(st.lists(st.floats(-1e9, 1e9), max_size=10))
def test_a_list_does_not_differ_from_itself(scores: list[float]) -> None:
    assert largest_difference(scores, scores) == 0.0


SEALED = """{"contracts":[],"datasets":[],"delivery":"none","dirty":false,"environment":{"kind":"requirements",
"lock":"lock.txt","sha256":"%s"},"files":[],"golden":null,"model":"tiny","producer":"release-gate 0.3.0",
"profile":null,"tree":null,"use":{"key":"id","predict":"python run.py","predict_limit":900.0,"score":"score",
"serve":null,"smoke":null}}""" % ("0" * 64)
"""A package as it was sealed before feature contracts were recorded."""


def test_a_package_that_was_sealed_before_features_were_recorded_still_opens() -> None:
    before = Contents.model_validate_json(SEALED)
    assert before.features is None
    features = Contract(name="contracts/features.yml", version="1.0.0", identity=f"sha256:{'0' * 64}")
    now = before.model_copy(update={"features": features})
    assert Contents.model_validate_json(now.model_dump_json()) == now
