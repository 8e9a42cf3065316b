"""Two releases and a rollback at once: one order in the ledger, one version in the end, and none promoted later."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence

import pytest

from release_gate.lifecycle.events import Event
from tests.release.conftest import Set
from tests.release.scene import LIMIT, Scene, ended

ROUNDS = {"branch": ("deployed", "stepped", "promoted", 0.8), "bucket": ("stepping", "stepped", 1.2)}
"""When the rollback comes: as soon as a release recorded that, or so many seconds after both began."""
RELEASING = {"deployed", "stepping", "stepped", "promoted"}


def release_words(scene: Scene, number: int) -> list[str]:
    return ["deploy", "--again", "--version", scene.built.digests[number]]


def arrived(scene: Scene, moment: str | float, since: int) -> Callable[[], bool]:
    began = time.monotonic()
    if isinstance(moment, float):
        return lambda: time.monotonic() - began >= moment
    return lambda: any(one.kind == moment for one in scene.events()[since:])


def one_at_a_time(events: Sequence[Event]) -> None:
    """Between the beginning of a rollout and its end no other takes a step."""
    going: str | None = None
    for event in events:
        if event.kind == "deployed":
            assert going is None
            going = event.package
        elif event.kind in ("stepping", "stepped", "promoted", "taken-back"):
            assert going == event.package
            going = None if event.kind in ("promoted", "taken-back") else going
        elif event.kind == "rolled-back":
            going = None


def race(scene: Scene, moment: str | float) -> list[Event]:
    """Both releases, and the rollback at its moment, each from a clone of its own; what the ledger has of it."""
    since, one, two, three = len(scene.events()), scene.one, scene.folder / "two", scene.folder / "three"
    began = time.monotonic()
    jobs = [scene.start(*release_words(scene, number), at=at) for number, at in ((1, one), (2, two))]
    due = arrived(scene, moment, since)
    while not due() and any(job.poll() is None for job in jobs) and time.monotonic() - began < LIMIT:
        time.sleep(0.1)
    back = scene.gate("rollback", "--because", "it is bad", at=three)
    ends = [ended(job, began) for job in jobs]
    events = scene.events()[since:]
    kinds = [one.kind for one in events]
    if back.code:
        # It came before anything had begun: there was nothing to go back from, and the releases went on.
        assert "rollback-nothing" in back.text, back.text
        assert "rolling-back" not in kinds
        return events
    assert kinds.count("rolled-back") == 1
    # Where nothing was under way yet, and it only proved once more what was restored before, releases may go on.
    if next(one.replaces for one in events if one.kind == "rolled-back") is not None:
        assert not RELEASING & set(kinds[kinds.index("rolling-back") :]), kinds
        assert all(end.code in (0, 1, 3) for end in ends), [end.text for end in ends]
    return events


def settled(scene: Scene) -> None:
    """Exactly one version takes traffic: the ledger's production. The jobs run again change neither."""
    state, routed, before = scene.state, scene.routed(), scene.events()
    assert state.rollout is None
    assert routed == {state.production: 1.0}
    if state.hold is not None:
        began = time.monotonic()
        jobs = [scene.start(*release_words(scene, number)) for number in (1, 2)]
        assert all(ended(job, began).code == 1 for job in jobs)
        assert (scene.events(), scene.routed()) == (before, routed)


@pytest.mark.parametrize("place", ROUNDS)
def test_two_releases_and_a_rollback_at_once(scene: Set, place: str) -> None:
    made = scene(place)
    for name in ("two", "three"):
        made.clone(name)
    made.registered(0)
    made.serves(0)
    made.registered(1, compared=0)
    made.registered(2, compared=0)
    back = 0
    with made.users() as users:
        for moment in ROUNDS[place]:
            events = race(made, moment)
            back += any(one.kind == "rolled-back" and one.replaces is not None for one in events)
            one_at_a_time(events)
            settled(made)
            # As it was: the first version serves, the others may be released.
            if made.state.production != made.built.digests[0]:
                assert made.gate("rollback", "--to", made.built.digests[0]).code == 0
            for number in (1, 2):
                made.happened("unblocked", number)
            made.happened("lifted")
        users.end()
    assert users.failed() == []
    assert back >= len(ROUNDS[place]) - 1, "the rollback came too early to race with anything"


def test_a_release_asleep_between_its_check_and_its_effect_changes_nothing_after_a_rollback(
    scene: Set,
) -> None:
    made = scene()
    made.registered(0)
    made.serves(0)
    made.registered(1, compared=0)
    made.registered(2, compared=0)
    asleep = 0
    with made.users() as users:
        # Asleep as soon as its intent stands in the ledger, then ever nearer to its effect and past it.
        for later in (0.0, 0.1, 0.25):
            since = len(made.events())
            job, began = made.start(*release_words(made, 1)), time.monotonic()
            stepping = arrived(made, "stepping", since)
            while not stepping() and job.poll() is None and time.monotonic() - began < LIMIT:
                time.sleep(0.002)
            time.sleep(later)
            os.killpg(job.pid, signal.SIGSTOP)
            back = made.start("rollback")
            for _ in range(500):  # unless it slept in with the target's lock in its hand, the rollback is done by then
                if back.poll() is not None:
                    asleep += 1
                    break
                time.sleep(0.01)
            os.killpg(job.pid, signal.SIGCONT)
            assert ended(back, began).code == 0
            end = ended(job, began)
            assert end.code in (1, 3), end.text
            kinds = [one.kind for one in made.events()[since:]]
            assert not RELEASING & set(kinds[kinds.index("rolling-back") :]), kinds
            settled(made)
            assert made.state.production == made.built.digests[0]
            made.happened("unblocked", 1)
            made.happened("lifted")
        users.end()
    assert asleep, "it always had the lock: nothing was proven"
    assert users.failed() == []
