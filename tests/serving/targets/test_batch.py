"""The pointer: it names whole tables only, obeys the newest decision, and tells what it named before."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from release_gate.cli import SystemClock
from release_gate.findings import CannotJudge
from release_gate.rollouts import Batch as Declared
from release_gate.serving.standing import StandingFile
from release_gate.serving.targets.batch import Batch
from release_gate.serving.targets.target import Fenced, Version
from tests.serving.test_prediction_table import put

A, B, C = (f"sha256:{letter * 64}" for letter in "abc")
DECLARED = Declared(data="rows", tables="tables", pointer="out/current.json")
Open = Callable[..., Batch]


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    def target(memory: str = "state") -> Batch:
        clock = SystemClock()
        return Batch(DECLARED, StandingFile(tmp_path / memory, clock), clock, root=tmp_path)

    for digest in (A, B):
        put(target().table(digest), "day", digest)
    return target


def pointer(tmp_path: Path) -> dict[str, object]:
    content: dict[str, object] = json.loads((tmp_path / "out" / "current.json").read_bytes())
    return content


def version(digest: str) -> Version:
    return Version(digest, Path(), command=None, cwd=Path(), variables={}, health="/", start_within=0)


def test_the_pointer_names_a_table_and_the_one_before(tmp_path: Path, opened: Open) -> None:
    target = opened()
    assert target.routed() == {}
    target.route({A: 1.0}, fence=1)
    since = pointer(tmp_path)["since"]
    target.route({A: 1.0}, fence=2)
    assert (pointer(tmp_path)["since"], pointer(tmp_path)["previous"]) == (since, None)
    target.route({B: 1.0}, fence=3)
    assert opened().routed() == {B: 1.0}
    told = pointer(tmp_path)
    assert (told["version"], told["table"], told["fence"]) == (B, f"../tables/{'b' * 12}", 3)
    assert told["previous"] == {"version": A, "table": f"../tables/{'a' * 12}"}
    assert (tmp_path / "out" / str(told["table"]) / "day.parquet").read_text() == B


def test_an_older_decision_is_refused_also_from_another_machine(opened: Open) -> None:
    opened().route({B: 1.0}, fence=5)
    for memory in ("state", "elsewhere"):
        with pytest.raises(Fenced) as fenced:
            opened(memory).route({A: 1.0}, fence=4)
        assert fenced.value.fence == 5
    assert opened().routed() == {B: 1.0}


def test_a_restoration_goes_through_whatever_the_fence_and_stops_releases(opened: Open) -> None:
    target = opened()
    target.route({B: 1.0}, fence=5)
    opened("elsewhere").restore(A, owes="an event")
    target.restore(A, owes="an event")
    assert (target.routed(), target.owes()) == ({A: 1.0}, ("an event",))
    with pytest.raises(Fenced):
        target.route({B: 1.0}, fence=9)
    target.paid("an event", 8)
    target.route({B: 1.0}, fence=9)
    assert target.routed() == {B: 1.0}


def test_a_table_that_is_not_whole_is_never_pointed_to(opened: Open) -> None:
    target = opened()
    target.route({A: 1.0}, fence=1)
    target.table(B).file("day").write_text("x")
    for digest, cause in ((B, "not what was scored"), (C, "holds no table")):
        for act in (
            lambda one=digest: target.start(version(one)),
            lambda one=digest: target.route({one: 1.0}, fence=2),
            lambda one=digest: target.restore(one, owes="x"),
        ):
            with pytest.raises(CannotJudge, match=cause):
                act()
        target.paid("x", 0)
    assert target.routed() == {A: 1.0}


def test_a_pointer_that_can_not_be_read_is_told_and_written_anew(tmp_path: Path, opened: Open) -> None:
    target = opened()
    target.route({A: 1.0}, fence=1)
    (tmp_path / "out" / "current.json").write_text("{")
    with pytest.raises(CannotJudge, match="pointer-unreadable"):
        target.routed()
    target.route({B: 1.0}, fence=2)
    assert target.routed() == {B: 1.0}


def test_a_table_is_ready_where_it_is_whole_and_needs_no_server(tmp_path: Path, opened: Open) -> None:
    target = opened()
    assert target.start(version(A)) == (tmp_path / "tables" / ("a" * 12)).as_uri()
    target.stop(A)
    assert (target.running(), target.counts()) == ((), {})
    assert target.start(version(A))


def test_two_never_write_into_a_table_at_once(opened: Open) -> None:
    with opened().scoring(A, 0.0), pytest.raises(CannotJudge, match="target-locked"), opened().scoring(A, 0.0):
        pass
    with opened().scoring(A, 0.0), opened().scoring(B, 0.0):
        pass
