"""The release's comment on a merged pull request, on a real, stateful API: one, updated, never set back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from release_gate.github.comments import post as post_gates
from release_gate.github.marker import Marker, ReleaseMarker
from release_gate.github.refusals import PermissionMissing
from release_gate.github.released import post
from tests.e2e.testbed import emulator
from tests.github.double import Answer, serving
from tests.github.pulls import Pull
from tests.github.test_comments import api_of

Make = Callable[[str], Pull]


def body(sequence: int, text: str = "x", model: str = "flight-delay") -> str:
    return f"{ReleaseMarker(model, sequence)}\n{text}\n"


def test_it_follows_the_rollout_beside_the_gates_own_comment(pull: Make) -> None:
    here = pull("release")
    gates = f"{Marker('flight-delay', here.head, (100, 1))}\nmay be merged\n"
    post_gates(here.api(), here.number, [gates])
    here.ask("PATCH", f"{{}}/pulls/{here.number}", {"state": "closed"})
    told = [post(here.api(), here.number, body(sequence, f"{sequence}")).what for sequence in (16, 17, 20, 20)]
    assert told == ["created", "updated", "updated", "unchanged"]
    first, second = here.comments()
    assert "may be merged" in str(first["body"])
    assert str(second["body"]).startswith(body(20, "20").strip())


def test_an_older_event_changes_nothing_and_the_same_one_may_say_more(pull: Make) -> None:
    here = pull("release-late")
    post(here.api(), here.number, body(20, "taken back"))
    assert post(here.api(), here.number, body(19, "takes 5%")).what == "superseded"
    assert post(here.api(), here.number, body(20, "taken back, and the revert is open")).what == "updated"
    assert "the revert is open" in str(here.comments()[0]["body"])


def test_each_model_has_one_and_nobody_else_s_is_touched(pull: Make) -> None:
    here = pull("release-models")
    here.ask("POST", f"{{}}/issues/{here.number}/comments", {"body": body(99)}, emulator.MAINTAINER_TOKEN)
    assert [post(here.api(), here.number, body(5, model=name)).what for name in ("a", "b")] == ["created", "created"]
    assert post(here.api(), here.number, body(6, model="a")).what == "updated"
    assert len(here.comments()) == 3


def test_a_missing_permission_is_named() -> None:
    refused = Answer(403, {"message": "Resource not accessible by integration"})
    with (
        serving(lambda request: Answer(body=[]) if request.method == "GET" else refused) as double,
        pytest.raises(PermissionMissing) as caught,
    ):
        post(api_of(double.url), 7, body(5))
    assert "pull-requests: write" in caught.value.findings[0].remedy


def test_a_body_without_a_marker_is_a_mistake_of_ours(pull: Make) -> None:
    with pytest.raises(ValueError, match="marker"):
        post(api_of("http://127.0.0.1:9"), 7, "text")
