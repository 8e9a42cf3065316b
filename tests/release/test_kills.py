"""A command killed anywhere and run again ends where an undisturbed one does, and no user notices."""

from __future__ import annotations

import random

import pytest

from tests.release.conftest import Set
from tests.release.scene import LIMIT, Scene, Users

PLACES = ("folder", "branch", "bucket")
BEFORE = ["registered", "promoted", "registered"]
ROLLOUT = ["deployed", "stepping", "stepped", "stepping", "stepped", "promoted"]


def unnoticed(scene: Scene, users: Users) -> None:
    """Nobody was answered badly, and somebody was answered."""
    seen = users.seen()
    assert len(seen) > 100
    assert [one for one in seen if one.status != 200] == []


def only(scene: Scene, number: int) -> None:
    """One version takes all traffic, is production by the ledger, and nothing else runs."""
    digest = scene.built.digests[number]
    assert scene.routed() == {digest: 1.0}
    assert scene.state.production == digest
    servers = scene.servers()
    assert set(servers) == {digest}
    assert len(servers[digest]) == 1


@pytest.mark.parametrize("place", PLACES)
def test_publishing_killed_again_and_again_registers_one_whole_package_once(scene: Set, place: str) -> None:
    made = scene(place)
    made.registered(0)
    made.happened("promoted", 0)
    made.judged(made.one, 1, compared=0)
    # Ever later, until a run is over before its kill: each finds what the one before left half done.
    after, kills = 0.3, 0
    while made.killed("publish-artifact", after=after):
        after, kills = after * 1.25, kills + 1
        assert after < LIMIT, "a run again never ends"
    assert kills
    done = made.gate("publish-artifact")
    assert done.code == 0, done.text
    assert [event.kind for event in made.events()] == BEFORE
    assert made.opened().open(made.built.digests[1]).package.digest == made.built.digests[1]
    again = made.gate("publish-artifact")
    assert (again.code, "publish-twice" in again.text) == (0, True)
    assert len(made.events()) == 3


@pytest.mark.parametrize("place", PLACES)
def test_a_release_killed_after_every_event_and_taken_back_so_too(scene: Set, place: str) -> None:
    made = scene(place)
    made.registered(0)
    made.serves(0)
    made.registered(1, compared=0)
    with made.users() as users:
        kills = 0
        while made.killed_at_event("deploy"):
            kills += 1
            assert kills <= len(ROLLOUT), "a run again does nothing"
        assert kills >= len(ROLLOUT) - 1  # after the last event it may be over before we look
        assert made.gate("deploy").code == 0
        assert [event.kind for event in made.events()] == [*BEFORE, *ROLLOUT]
        only(made, 1)
        kills = 0
        while made.killed_at_event("rollback", later=0.1 * kills) and kills < 4:
            kills += 1
        done = made.gate("rollback")
        assert done.code == 0, done.text
        users.end()
    unnoticed(made, users)
    state, (first, second, _) = made.state, made.built.digests
    assert kills
    assert made.routed() == {first: 1.0}
    assert (state.production, state.previous, state.last_known_good) == (first, second, first)
    assert state.rollout is None
    assert state.restoring is None
    assert state.blocked == {second}
    assert state.hold is not None
    assert state.hold.package == second
    # What is held now stays so, whoever runs the old job again; and what serves nobody is let go.
    history = made.events()
    assert made.gate("deploy").code == 1
    assert made.events() == history
    only(made, 0)


def test_killed_at_any_moment_a_release_and_its_way_back_end_as_if_undisturbed(scene: Set) -> None:
    made, moments = scene(), random.Random(13)
    made.registered(0)
    made.serves(0)
    made.registered(1, compared=0)
    with made.users() as users:
        for _ in range(4):
            made.killed("deploy", after=moments.uniform(0.3, 2.0))
        assert made.gate("deploy").code == 0
        assert [event.kind for event in made.events()] == [*BEFORE, *ROLLOUT]
        only(made, 1)
        for _ in range(3):
            made.killed("rollback", after=moments.uniform(0.3, 1.0))
        done = made.gate("rollback")
        assert done.code == 0, done.text
        made.gate("deploy")
        only(made, 0)
        users.end()
    unnoticed(made, users)
    assert made.state.blocked == {made.built.digests[1]}
