"""A release as its pull request is told of it, from histories and looks written by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from release_gate.commands.hands import Looks
from release_gate.commands.release_view import EARLIER, at_fault, heard, release_view
from release_gate.counts import Counts
from release_gate.gates.canary import Look
from release_gate.lifecycle.events import Event
from release_gate.report.release import Answers, Release
from tests.commands.world import Fault, Store
from tests.lifecycle.histories import AT, PACKAGES, SCHEDULE

OLD, NEW, NEWER, NEWEST = PACKAGES
COMMIT = "c" * 40
SERVING: list[dict[str, Any]] = [
    {"kind": "registered", "package": OLD, "serves": "after-rollout"},
    {"kind": "promoted", "package": OLD},
    {"kind": "registered", "package": NEW, "serves": "after-rollout", "compared": OLD, "commit": COMMIT},
]
DEPLOYED: dict[str, Any] = {"kind": "deployed", "package": NEW, "schedule": SCHEDULE}


def step(number: int, kind: str = "stepped") -> dict[str, Any]:
    return {"kind": kind, "package": NEW, "step": number, "share": SCHEDULE.stages[number - 1].share}


def events(*more: dict[str, Any]) -> list[Event]:
    return [
        Event(sequence=number, at=AT + timedelta(seconds=number), actor="octocat", **fields)
        for number, fields in enumerate([*SERVING, *more], 1)
    ]


def viewed(*more: dict[str, Any], digest: str = NEW, looks: Looks | None = None) -> Release:
    return release_view("m", digest, events(*more), looks or Looks(Store(Fault()), "looks"), None)


@pytest.mark.parametrize(
    ("more", "phase", "serves"),
    [
        ([], "registered", ((OLD, 1.0),)),
        ([DEPLOYED], "rolling-out", ((OLD, 1.0),)),
        ([DEPLOYED, step(1, "stepping"), step(1)], "rolling-out", ((NEW, 0.05), (OLD, 0.95))),
        ([DEPLOYED, step(1), step(3, "stepping"), step(3)], "baking", ((NEW, 1.0),)),
        ([DEPLOYED, step(3), {"kind": "promoted", "package": NEW}], "promoted", ((NEW, 1.0),)),
        ([DEPLOYED, step(1), {"kind": "taking-back", "package": NEW, "because": "x"}], "taken-back", ((OLD, 1.0),)),
        ([DEPLOYED, step(1), {"kind": "taken-back", "package": NEW, "because": "x"}], "taken-back", ((OLD, 1.0),)),
        ([{"kind": "registered", "package": NEW, "serves": "on-registration"}], "production", ((NEW, 1.0),)),
        ([{"kind": "promoted", "package": NEW, "serves": "on-registration"}], "production", ((NEW, 1.0),)),
    ],
)
def test_each_point_of_a_release_has_its_phase_and_what_serves(
    more: list[dict[str, Any]], phase: str, serves: tuple[tuple[str, float], ...]
) -> None:
    view = viewed(*more)
    assert (view.phase, view.commit, view.sequence) == (phase, COMMIT, len(SERVING) + len(more))
    assert dict(view.serves) == pytest.approx(dict(serves))
    assert view.replaces == OLD
    assert view.by == ""


def test_a_rollback_names_who_and_why_and_what_is_to_do() -> None:
    back = {"kind": "rolled-back", "package": OLD, "replaces": NEW, "because": "the pager rang"}
    blocking = {**back, "blocks": True}
    promoted = [DEPLOYED, step(3), {"kind": "promoted", "package": NEW}]
    view = viewed(*promoted, blocking)
    assert (view.phase, view.by, view.because, view.replaces) == ("rolled-back", "octocat", "the pager rang", OLD)
    assert view.serves == ((OLD, 1.0),)
    assert "release-gate hold --lift" in view.to_do
    assert "held" not in viewed(*promoted, blocking, {"kind": "lifted"}).to_do, "no hold is claimed where there is none"
    assert viewed(*promoted, back).to_do == "Find out why it was rolled back."
    restored = viewed(*promoted, blocking, digest=OLD)
    assert (restored.phase, restored.to_do) == ("promoted", "Nothing.")


def test_one_that_was_given_up_tells_how_it_is_begun_again_and_forgets_the_share_of_before() -> None:
    given_up = [DEPLOYED, step(2), {"kind": "taken-back", "package": NEW, "because": "no traffic"}]
    assert "release-gate deploy --again" in viewed(*given_up).to_do
    assert viewed(*given_up).because == "no traffic"
    again = viewed(*given_up, DEPLOYED)
    assert (again.phase, again.share, again.steps) == ("rolling-out", 0.0, ())


def look(store: Looks, sequence: int, number: int, seconds: float, **totals: tuple[int, int, int | None]) -> None:
    names = {"new": NEW, "old": OLD}
    counts = {names[name]: Counts(requests=one[0], errors=one[1], slow=one[2]) for name, one in totals.items()}
    store.add(sequence, Look(at=AT + timedelta(seconds=sequence + seconds), counts=counts), number)


def test_each_step_tells_what_was_answered_in_it() -> None:
    looks = Looks(Store(Fault()), "looks")
    history = [DEPLOYED, step(1, "stepping"), step(1), step(2, "stepping"), step(2)]
    look(looks, 6, 1, 0, new=(10, 0, 1), old=(1000, 5, 7))
    looks.add(6, Look(at=AT, problem="Prometheus did not answer"), 2)
    look(looks, 6, 3, 60, new=(110, 2, 4), old=(3000, 9, 9))
    look(looks, 8, 1, 0, new=(110, 2, 4), old=(3000, 9, 9))
    first, second = viewed(*history, looks=looks).steps
    assert (first.share, first.standing, first.seconds) == (0.05, "passed", 1.0)
    assert first.answers == (Answers(NEW, 100, 2, 3), Answers(OLD, 2000, 4, 2))
    assert (second.standing, second.answers) == ("watching", ()), "one look counts nothing yet"
    assert second.seconds == 0.0


def test_a_counter_that_was_reset_or_began_meanwhile_is_left_out_and_unmeasured_is_not_zero() -> None:
    looks = Looks(Store(Fault()), "looks")
    look(looks, 5, 1, 0, new=(100, 0, None))
    look(looks, 5, 2, 10, new=(200, 1, None), old=(50, 0, 0))
    [only] = viewed(DEPLOYED, step(1), looks=looks).steps
    assert only.answers == (Answers(NEW, 100, 1, None),)
    look(looks, 5, 3, 20, new=(3, 0, 0))
    [only] = viewed(DEPLOYED, step(1), looks=looks).steps
    assert only.answers == ()


@pytest.mark.parametrize(
    ("after", "standing"),
    [
        ({"kind": "taking-back", "package": NEW, "blocks": True}, "harmful"),
        ({"kind": "taking-back", "package": NEW, "blocks": False}, "stopped"),
        ({"kind": "rolled-back", "package": OLD, "replaces": NEW, "blocks": True}, "stopped"),
        ({"kind": "promoted", "package": NEW}, "passed"),
    ],
)
def test_a_step_claims_harm_only_where_harm_was_measured(after: dict[str, Any], standing: str) -> None:
    [only] = viewed(DEPLOYED, step(1), after).steps
    assert only.standing == standing


def test_who_has_something_to_hear() -> None:
    owed = ("deployment", "comment")
    taken = {"kind": "taken-back", "package": NEW, "owed": owed}
    newer = {"kind": "registered", "package": NEWER, "serves": "after-rollout"}
    assert heard([]) == []
    assert heard(events()) == [NEW]
    assert heard(events(DEPLOYED, taken, newer)) == [NEW, NEWER]
    assert heard(events(DEPLOYED, taken, {"kind": "settled", "owed": ()}, newer)) == [NEWER]
    assert heard(events(DEPLOYED, taken, {"kind": "settled", "owed": ("comment",)}, newer)) == [NEW, NEWER]
    back = {"kind": "rolled-back", "package": OLD, "replaces": NEWER, "owed": owed}
    assert heard(events(newer, back, {**back, "replaces": None})) == [NEWER], "pressed twice it is news of the same"
    many = [{"kind": "taken-back", "package": f"sha256:{n:064x}", "owed": owed} for n in range(20, 30)]
    assert len(heard(events(*many))) == EARLIER + 1


def test_who_is_at_fault() -> None:
    assert at_fault(events()) == (None, None)
    harm = {"kind": "taken-back", "package": NEW, "blocks": True}
    assert at_fault(events(DEPLOYED, {**harm, "kind": "taking-back"}))[1] is None, "it still goes on"
    assert at_fault(events(DEPLOYED, harm))[1] == NEW
    assert at_fault(events({"kind": "rolled-back", "package": OLD, "replaces": NEWER, "blocks": True}))[1] == NEWER
