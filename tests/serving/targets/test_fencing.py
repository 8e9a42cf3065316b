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
from release_gate.serving.standing import Standing, StandingFile
from release_gate.serving.targets import fencing
from release_gate.serving.targets.target import Fenced


class Proxy:
    """A proxy that is a file; it takes its time."""

    def __init__(self, folder: Path, *, seconds: float = 0.0, deaf: bool = False) -> None:
        self.file = StandingFile(folder, SystemClock())
        self._traffic, self._seconds, self._deaf = folder / "traffic.json", seconds, deaf

    def apply(self, shares: Mapping[str, float], standing: Standing) -> Standing:
        time.sleep(self._seconds)
        if not self._deaf:
            self._traffic.write_text(json.dumps(dict(shares)))
        return standing

    def read(self) -> dict[str, float]:
        return dict(json.loads(self._traffic.read_text())) if self._traffic.exists() else {}

    def route(self, shares: Mapping[str, float], fence: int | None, owes: str = "") -> None:
        def owing(standing: Standing) -> Standing:
            return standing.owing(owes, None)

        fencing.route(self.file, shares, fence=fence, owing=owing, apply=self.apply, read=self.read)


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
                proxy.route({name: 1.0}, None, owes=name)
                owed, expected = True, name
            elif kind == "paid":
                proxy.file.change(
                    lambda s, fence=fence: s.model_copy(update={"owed": (), "fence": max(fence, s.fence)})  # type: ignore[misc]
                )
                owed, newest = False, max(newest, fence)
            elif owed or fence < newest:
                with pytest.raises(Fenced) as refused:
                    proxy.route({name: 1.0}, fence)
                assert refused.value.fence == newest
            else:
                proxy.route({name: 1.0}, fence)
                newest, expected = fence, name
            assert proxy.read() == ({expected: 1.0} if expected else {})
            assert proxy.file.read().fence == newest


def _decide(folder: str, fence: int, times: int) -> None:
    proxy = Proxy(Path(folder), seconds=0.002)
    for _ in range(times):
        try:
            proxy.route({f"v{fence}": 1.0}, fence)
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
    assert Proxy(tmp_path).read() == {"v3": 1.0}
    assert Proxy(tmp_path).file.read().fence == 3


def test_one_killed_between_its_decision_and_its_effect_still_refuses_older_ones(tmp_path: Path) -> None:
    proxy = Proxy(tmp_path)
    proxy.route({"good": 1.0}, 1)

    def dies(*_: object) -> Standing:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fencing.route(proxy.file, {"new": 1.0}, fence=5, apply=dies, read=proxy.read)
    with pytest.raises(Fenced):
        Proxy(tmp_path).route({"older": 1.0}, 4)
    Proxy(tmp_path).route({"new": 1.0}, 5)  # whoever resumes does it again
    assert proxy.read() == {"new": 1.0}


def test_what_is_owed_is_kept_though_the_traffic_could_not_be_moved(tmp_path: Path) -> None:
    with pytest.raises(CannotJudge):
        Proxy(tmp_path, deaf=True).route({"a": 1.0}, None, owes="an event")
    assert Proxy(tmp_path).file.read().owed == ("an event",)


def test_a_proxy_that_accepts_and_does_nothing_is_found_out(tmp_path: Path) -> None:
    Proxy(tmp_path).route({"a": 1.0}, 1)
    with pytest.raises(CannotJudge) as refusal:
        Proxy(tmp_path, deaf=True).route({"a": 0.95, "b": 0.05}, 2)
    (found,) = refusal.value.findings
    assert found.code == "route-not-taken"
    assert found.message == "asked for 0.95 to a, 0.05 to b, but it routes 1 to a"


@pytest.mark.parametrize("shares", [{"a": 0.5}, {"a": 0.5, "b": 0.6}, {"a": 1.5, "b": -0.5}, {}])
def test_shares_that_are_no_parts_of_one_are_a_mistake_of_ours(tmp_path: Path, shares: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="parts of 1"):
        Proxy(tmp_path).route(shares, 1)
