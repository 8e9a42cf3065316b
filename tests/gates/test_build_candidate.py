"""Training and serving compared score by score."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from release_gate.gates.build_candidate import agreement


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20), st.floats(1e-9, 0.1))
def test_equal_scores_agree_and_one_that_is_off_is_counted(scores: list[float], tolerance: float) -> None:
    assert agreement(scores, scores, tolerance) == []
    off = [*scores[:-1], scores[-1] + 10 * max(1.0, abs(scores[-1]))]
    (found,) = agreement(off, scores, tolerance)
    assert found.code == "serve-disagrees-with-predict"
    assert found.evidence == {"rows": 1}
    assert f"row {len(scores) - 1} got" in found.message
