"""What a model card says about the use it is meant for."""

from __future__ import annotations

import pytest

from release_gate.gates.publish_artifact import intended_use


@pytest.mark.parametrize(
    ("card", "use"),
    [
        ("# m\n\n## Intended use\n\nTests, and\nnothing else.\n\n## Data\nd\n", "Tests, and\nnothing else."),
        ("# INTENDED USE AND LIMITS\nx", "x"),
        ("## Intended use\n### For\npeople", ""),
        ("Intended use: none", ""),
        ("## Intended users\nall", ""),
        ("", ""),
    ],
)
def test_the_text_below_the_heading_counts(card: str, use: str) -> None:
    assert intended_use(card) == use
