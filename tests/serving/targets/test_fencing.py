"""An older decision never reaches the traffic after a newer one, whoever sleeps where."""

from __future__ import annotations

import json
import multiprocessing
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from release_gate.cli import SystemClock
from release_gate.findings import CannotJudge
from release_gate.lifecycle.restoration import Restored
from release_gate.serving.standing import Standing, StandingFile
from release_gate.serving.targets.fencing import Routing
from release_gate.serving.targets.target import Fenced


class Proxy(Routing):
    """A proxy that is a file; it takes its time."""

    def __init__(self, folder: Path, *, seconds: float = 0.0, deaf: bool = False) -> None:
        self.file = StandingFile(folder, SystemClock())
        super().__init__(self.file, SystemClock())
        self._traffic, self._seconds, self._deaf = folder / "traffic.json", seconds, deaf

    def _apply(self, shares: Mapping[str, float], standing: Standing) -> Standing:
        time.sleep(self._seconds)
        if not self._deaf:
            self._traffic.write_text(json.dumps(dict(shares)))
        return standing

    def routed(self) -> dict[str, float]:
        return dict(json.loads(self._traffic.read_text())) if self._traffic.exists() else {}


DECISIONS = st.lists(st.tuples(st.integers(0, 6), st.sampled_from(["route", "restore", "paid"])), max_size=12)


@settings(max_examples=40)
@given(DECISIONS)
def test_what_is_routed_is_always_the_newest_decision_made(decisions: list[tuple[int, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        proxy = Proxy(Path(folder))
        newest, owed, expected = 0, False, None
        for number, (fence, kind) in enumerate(decisions):
            name = f"v{number}"
            if kind == "restore":
                proxy.restore(name, owes=name)
                owed, expected = True, name
            elif kind == "paid":
                proxy.file.change(
                    lambda s, fence=fence: s.model_copy(update={"owed": (), "fence": max(fence, s.fence)})  # type: ignore[misc]
                )
                owed, newest = False, max(newest, fence)
            elif owed or fence < newest:
                with pytest.raises(Fenced) as refused:
                    proxy.route({name: 1.0}, fence=fence)
                assert refused.value.fence == newest
            else:
                proxy.route({name: 1.0}, fence=fence)
                newest, expected = fence, name
            assert proxy.routed() == ({expected: 1.0} if expected else {})
            assert proxy.file.read().fence == newest


def _decide(folder: str, fence: int, times: int) -> None:
    proxy = Proxy(Path(folder), seconds=0.002)
    for _ in range(times):
        try:
            proxy.route({f"v{fence}": 1.0}, fence=fence)
        except Fenced:
            return


def test_processes_that_race_never_leave_the_older_decision(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=_decide, args=(str(tmp_path), fence, 25)) for fence in (3, 1, 2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert Proxy(tmp_path).routed() == {"v3": 1.0}
    assert Proxy(tmp_path).file.read().fence == 3


def test_one_killed_between_its_decision_and_its_effect_still_refuses_older_ones(tmp_path: Path) -> None:
    proxy = Proxy(tmp_path)
    proxy.route({"good": 1.0}, fence=1)

    class Dying(Proxy):
        def _apply(self, shares: Mapping[str, float], standing: Standing) -> Standing:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Dying(tmp_path).route({"new": 1.0}, fence=5)
    with pytest.raises(Fenced):
        Proxy(tmp_path).route({"older": 1.0}, fence=4)
    Proxy(tmp_path).route({"new": 1.0}, fence=5)  # whoever resumes does it again
    assert proxy.routed() == {"new": 1.0}


def test_what_is_owed_is_kept_though_the_traffic_could_not_be_moved(tmp_path: Path) -> None:
    with pytest.raises(CannotJudge):
        Proxy(tmp_path, deaf=True).restore("a", owes="an event")
    assert Proxy(tmp_path).file.read().owed == ("an event",)


def test_a_proxy_that_accepts_and_does_nothing_is_found_out(tmp_path: Path) -> None:
    Proxy(tmp_path).route({"a": 1.0}, fence=1)
    with pytest.raises(CannotJudge) as refusal:
        Proxy(tmp_path, deaf=True).route({"a": 0.95, "b": 0.05}, fence=2)
    (found,) = refusal.value.findings
    assert found.code == "route-not-taken"
    assert found.message == "asked for 0.95 to a, 0.05 to b, but it routes 1 to a"


@pytest.mark.parametrize("shares", [{"a": 0.5}, {"a": 0.5, "b": 0.6}, {"a": 1.5, "b": -0.5}, {}])
def test_shares_that_are_no_parts_of_one_are_a_mistake_of_ours(tmp_path: Path, shares: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="parts of 1"):
        Proxy(tmp_path).route(shares, fence=1)


def test_what_a_rollback_replaced_is_good_no_more_and_a_release_ends_what_it_restored(tmp_path: Path) -> None:
    proxy = Proxy(tmp_path)
    for name in ("old", "new"):
        proxy.keep(name)
    proxy.restore("old", replaces="new", fence=3)
    assert proxy.kept() == ("old",), "before it has any effect: a kill changes nothing of it"
    assert proxy.restored() == Restored(package="old", replaces="new")
    with pytest.raises(Fenced):
        proxy.restore("new", replaces="old", fence=2)
    proxy.route({"old": 1.0}, fence=4)
    assert proxy.restored() is not None, "started anew after a reboot it is still what was restored"
    proxy.route({"old": 0.5, "newer": 0.5}, fence=5)
    assert proxy.restored() is None


def test_an_older_decision_keeps_nothing_as_good(tmp_path: Path) -> None:
    proxy = Proxy(tmp_path)
    proxy.route({"a": 1.0}, fence=5)
    proxy.keep("bad", fence=4)
    assert proxy.kept() == ()
    proxy.keep("a", fence=5)
    proxy.restore("a", owes="an event")
    proxy.keep("bad", fence=9)
    assert proxy.kept() == ("a",)
