"""Which versions there are, what they are now, and which one a checkout would only make again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from release_gate.lifecycle.events import Draft, Event, Schedule, Stage
from release_gate.lifecycle.listing import listed, previous, released_from
from release_gate.lifecycle.restoration import restoration
from release_gate.lifecycle.state import fold

START = datetime(2026, 1, 1, tzinfo=UTC)
ONE, TWO, THREE = (f"sha256:{digit * 64}" for digit in "123")
SCHEDULE = Schedule(stages=(Stage(share=1, seconds=1),), lease=60)


def commit(letter: str) -> str:
    return letter * 40


def history(*events: tuple[str, str, dict[str, Any]]) -> list[Event]:
    return [
        Event(
            sequence=number,
            **dict(Draft(at=START + timedelta(hours=number), actor="octocat", kind=kind, package=package, **more)),
        )
        for number, (kind, package, more) in enumerate(events, start=1)
    ]


def registered(package: str, letter: str, tree: str, serves: str = "after-rollout") -> tuple[str, str, dict[str, Any]]:
    return ("registered", package, {"commit": commit(letter), "tree": commit(tree), "serves": serves})


def test_versions_stand_newest_first_with_what_they_were_made_from_and_what_they_are() -> None:
    events = history(
        registered(ONE, "a", "1"),
        ("promoted", ONE, {}),
        registered(TWO, "b", "2"),
        ("promoted", TWO, {}),
        registered(THREE, "c", "3"),
        ("deployed", THREE, {"schedule": SCHEDULE}),
    )
    found = listed(events)
    assert [(one.digest, one.now) for one in found] == [
        (THREE, ("in rollout",)),
        (TWO, ("production", "last known good")),
        (ONE, ("previous", "proven")),
    ]
    assert (found[0].commit, found[0].tree, found[0].registered_at) == (commit("c"), commit("3"), events[4].at)


def test_blocked_given_up_and_nothing_special_are_told_apart() -> None:
    taken_back = {"because": "no traffic"}
    events = history(
        registered(ONE, "a", "1"),
        registered(TWO, "b", "2"),
        ("deployed", TWO, {"schedule": SCHEDULE}),
        ("taking-back", TWO, taken_back),
        ("taken-back", TWO, taken_back),
        registered(THREE, "c", "3"),
        ("blocked", THREE, {}),
    )
    assert [one.now for one in listed(events)] == [("blocked",), ("given up",), ("registered",)]


def test_what_did_harm_is_taken_back_and_not_given_up_which_is_said_of_what_lacked_proof_only() -> None:
    harm = {"because": "too many errors", "blocks": True}
    events = history(
        registered(ONE, "a", "1"),
        ("promoted", ONE, {}),
        registered(TWO, "b", "2"),
        ("deployed", TWO, {"schedule": SCHEDULE}),
        ("taking-back", TWO, harm),
        ("taken-back", TWO, harm),
    )
    assert [one.now for one in listed(events)] == [("blocked", "taken back"), ("production", "last known good")]


def test_previous_is_where_a_rollback_to_previous_goes_and_no_blocked_version() -> None:
    released = [
        event
        for package, letter in ((ONE, "a"), (TWO, "b"), (THREE, "c"))
        for event in (registered(package, letter, letter), ("promoted", package, {}))
    ]
    back = history(*released, ("rolled-back", ONE, {"replaces": THREE, "blocks": True}))
    state = fold(back)
    assert (state.previous, previous(state)) == (THREE, TWO)
    assert [one.now for one in listed(back)] == [
        ("blocked",),
        ("previous", "proven"),
        ("production", "last known good"),
    ]
    found = restoration(state, to=previous(state))
    assert getattr(found, "candidates", None) == (TWO,)


def test_without_rollouts_previous_is_what_production_replaced_unless_it_is_blocked() -> None:
    both = [registered(ONE, "a", "1", "on-registration"), registered(TWO, "b", "2", "on-registration")]
    assert previous(fold(history(*both))) == ONE
    assert previous(fold(history(*both, ("blocked", ONE, {})))) is None


def test_published_again_it_is_listed_once_as_of_the_last_time() -> None:
    events = history(registered(ONE, "a", "1"), registered(TWO, "b", "2"), registered(ONE, "c", "1"))
    (first, _) = listed(events)
    assert (first.digest, first.commit, first.registered_at) == (ONE, commit("c"), events[2].at)


def test_a_run_that_is_repeated_finds_the_version_of_its_own_commit_however_old() -> None:
    events = history(registered(ONE, "a", "1"), registered(TWO, "b", "2"), registered(ONE, "c", "1"))
    assert released_from(events, commit("a"), commit("1")) == ONE
    assert released_from(events, commit("b"), commit("2")) == TWO


def test_a_commit_that_changed_other_folders_only_is_released_already() -> None:
    events = history(registered(ONE, "a", "1"), registered(TWO, "b", "2"))
    assert released_from(events, commit("c"), commit("2")) == TWO


def test_a_revert_to_an_older_tree_is_a_new_release() -> None:
    events = history(registered(ONE, "a", "1"), registered(TWO, "b", "2"))
    assert released_from(events, commit("c"), commit("1")) is None


def test_published_again_without_a_rollout_counts_as_registered_then() -> None:
    again = ("promoted", ONE, {"serves": "on-registration", "commit": commit("c"), "tree": commit("1")})
    events = history(registered(ONE, "a", "1", "on-registration"), registered(TWO, "b", "2", "on-registration"), again)
    assert released_from(events, commit("d"), commit("1")) == ONE
    assert {one.digest: one.commit for one in listed(events)}[ONE] == commit("c")


def test_nothing_known_of_commit_or_tree_is_no_match() -> None:
    events = history(("registered", ONE, {"serves": "after-rollout"}))
    assert released_from(events, commit("a"), commit("1")) is None
    assert released_from(events, None, None) is None
    assert released_from([], commit("a"), commit("1")) is None


def test_what_production_overtook_after_it_was_judged_is_judged_anew_unless_it_is_older() -> None:
    def judged(package: str, letter: str, against: str | None) -> tuple[str, str, dict[str, Any]]:
        kind, digest, more = registered(package, letter, letter)
        return (kind, digest, {**more, **({"compared": against} if against else {})})

    first = [judged(ONE, "a", None), ("promoted", ONE, {})]
    moved = [*first, judged(TWO, "b", ONE), judged(THREE, "c", ONE), ("promoted", TWO, {})]
    assert released_from(history(*moved), commit("c"), commit("c")) is None
    assert released_from(history(*moved), commit("a"), commit("a")) == ONE  # older: its deployment is refused
    assert released_from(history(*moved), commit("b"), commit("b")) == TWO  # production itself
    under_way = [*first, judged(TWO, "b", ONE), ("deployed", TWO, {"schedule": SCHEDULE})]
    assert released_from(history(*under_way), commit("b"), commit("b")) == TWO
