"""Events read back as they were written, and refused when they are not what they should be."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.lifecycle.events import MAXIMUM_BYTES, Event

EVENT = Event(sequence=1, at=datetime(2026, 1, 1, tzinfo=UTC), actor="octocat", kind="held", because="the pager rang")


@given(st.text(max_size=200), st.text(min_size=1, max_size=50), st.none() | st.lists(st.text(max_size=20), max_size=3))
def test_any_text_comes_back(because: str, actor: str, owed: list[str] | None) -> None:
    encodable = [text.encode(errors="replace").decode() for text in (because, actor, *(owed or []))]
    fields = {"because": encodable[0], "actor": encodable[1], "owed": None if owed is None else tuple(encodable[2:])}
    event = EVENT.model_copy(update=fields)
    assert Event.parse(event.to_json()) == event


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"{", "not JSON"),
        (b"[]", "schema None"),
        (b'{"schema": 2}', "schema 2"),
        (b" " * (MAXIMUM_BYTES + 1), "is the most"),
        (json.dumps({"schema": 1, "sequence": 0}).encode(), "at: Field required"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_what_is_no_event_is_refused_with_its_cause(content: bytes, cause: str) -> None:
    with pytest.raises(ValueError, match=cause):
        Event.parse(content)
