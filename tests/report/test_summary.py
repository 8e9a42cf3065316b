"""The job summary: every model, within what GitHub shows."""

from __future__ import annotations

from pathlib import Path

from release_gate.report.summary import LIMIT, summary
from tests.conftest import Golden
from tests.report import cases
from tests.report.rendering import assert_ours

GOLDEN = Path(__file__).parent / "golden"


def test_summary_of_several_models_as_reviewed(golden: Golden) -> None:
    text = summary(cases.several(), cases.ORIGIN)
    assert_ours(text)
    golden(GOLDEN / "summary_several.md", text)


def test_summary_of_one_model_as_reviewed(golden: Golden) -> None:
    golden(GOLDEN / "summary_unit_changed.md", summary([cases.unit_changed()], cases.ORIGIN))


def test_many_large_models_share_the_room() -> None:
    large = cases.oversized()
    text = summary([large] * 22, cases.ORIGIN, LIMIT)
    assert len(text.encode()) <= LIMIT
    assert text.count("`flight-delay` is blocked") == 44
    small = summary([large] * 4, cases.ORIGIN, 8_000)
    assert len(small.encode()) <= 8_000
