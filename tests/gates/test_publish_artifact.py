"""What a model card says about the use it is meant for, and what a history lets a publisher append."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from release_gate.gates.publish_artifact import intended_use, next_event
from release_gate.lifecycle.events import Event
from release_gate.verdict import Finding

A, B, C = (f"sha256:{number:064x}" for number in range(3))


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


def history(*kinds: tuple[str, str]) -> list[Event]:
    return [
        Event(
            sequence=number,
            at=datetime(2026, 1, 1, tzinfo=UTC),
            actor="octocat",
            kind=kind,
            package=package,
            serves="on-registration" if kind == "registered" else None,
        )
        for number, (kind, package) in enumerate(kinds, start=1)
    ]


@pytest.mark.parametrize(
    ("kinds", "compared", "expected"),
    [
        ([], [], "registered"),
        ([], [B], "publish-production-moved"),
        ([("registered", B)], [B], "registered"),
        ([("registered", B)], [], "publish-production-moved"),
        ([("registered", B)], [C], "publish-production-moved"),
        ([("registered", B)], [B, C], "publish-production-moved"),
        ([("registered", A)], [], "publish-twice"),
        ([("registered", A)], [B], "publish-twice"),
        ([("registered", A), ("registered", B)], [B], "promoted"),
        ([("registered", A), ("registered", B)], [A], "publish-production-moved"),
        ([("registered", A), ("registered", B), ("rolled-back", A)], [B], "publish-twice"),
        ([("blocked", A)], [], "publish-blocked"),
        ([("registered", A), ("blocked", A)], [], "publish-blocked"),
        ([("registered", A), ("registered", B), ("blocked", A)], [C], "publish-blocked"),
        ([("registered", A), ("registered", B), ("blocked", A), ("unblocked", A)], [B], "promoted"),
    ],
)
def test_a_history_says_what_may_be_appended(kinds: list[tuple[str, str]], compared: list[str], expected: str) -> None:
    decided = next_event(history(*kinds), A, frozenset(compared))
    assert (decided.code if isinstance(decided, Finding) else decided) == expected
