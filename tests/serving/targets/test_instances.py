"""Servers of versions: started once, found again after any kill, ended with all they started."""

from __future__ import annotations

import json
import multiprocessing
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import requests

from release_gate.caller.daemons import SystemDaemons
from release_gate.cli import SystemClock
from release_gate.edges import Daemon, Session
from release_gate.findings import CannotJudge
from release_gate.serving.server import free_port
from release_gate.serving.standing import COPY, FILE, Running, StandingFile
from release_gate.serving.targets import instances as module
from release_gate.serving.targets.instances import Instances
from release_gate.serving.targets.target import Version
from tests.serving.targets.conftest import A, B, C, kill, version

Make = Callable[[], Instances]


def instances_at(state: Path, session: Session) -> Instances:
    file = StandingFile(state, SystemClock())
    return Instances(file, SystemDaemons(dict(os.environ)), session, SystemClock())


@pytest.fixture
def make(state: Path, session: Session) -> Make:
    """The servers as another run of release-gate sees them."""
    return lambda: instances_at(state, session)


def told(url: str) -> dict[str, object]:
    return dict(requests.get(f"{url}/health", timeout=5).json())


def let_go(instances: Instances, digest: str, drained: Callable[[Running], bool] = lambda _: True) -> None:
    instances.stop(digest, traffic=lambda: 0.0, drained=drained)


def test_a_server_says_its_version_and_another_run_uses_it_on(make: Make, tmp_path: Path) -> None:
    url = make().start(version(A, tmp_path / "a"))
    before = told(url)
    assert before["version"] == A
    assert make().start(version(A, tmp_path / "a")) == url
    assert told(url) == before
    assert make().running() == (A,)


def test_one_whose_process_is_gone_is_started_again_where_the_proxy_knows_it(make: Make, tmp_path: Path) -> None:
    url = make().start(version(A, tmp_path / "a"))
    before = told(url)["pid"]
    kill(int(str(before)))
    assert make().start(version(A, tmp_path / "a")) == url
    assert told(url)["pid"] != before


def test_where_its_port_was_taken_meanwhile_another_is_used(make: Make, tmp_path: Path) -> None:
    url = make().start(version(A, tmp_path / "a"))
    process = psutil.Process(int(str(told(url)["pid"])))
    process.kill()
    process.wait()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", int(url.rpartition(":")[2])))
        other.listen()
        again = make().start(version(A, tmp_path / "a"))
    assert again != url
    assert told(again)["version"] == A


def test_a_port_taken_between_finding_and_binding_it_is_given_up(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        ports = iter([other.getsockname()[1], free_port()])
        monkeypatch.setattr(module, "free_port", lambda: next(ports))
        assert told(make().start(version(A, tmp_path / "a")))["version"] == A


@pytest.mark.parametrize("forgotten", ["entry", "everything"])
def test_one_whose_start_could_not_be_written_down_is_found_and_used(
    make: Make, state: Path, tmp_path: Path, forgotten: str
) -> None:
    url = make().start(version(A, tmp_path / "a"))
    before = told(url)
    if forgotten == "entry":
        StandingFile(state, SystemClock()).change(lambda standing: standing.having(A, None))
    else:
        for name in (FILE, COPY):
            (state / name).write_text("{")
    assert make().running() == (A,)
    assert make().start(version(A, tmp_path / "a")) == url
    assert told(url) == before


def ended(pid: int) -> bool:
    """Whether a process ended; one that nobody has asked for its status yet stays as a zombie."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_one_whose_port_is_not_known_either_is_ended_and_started_anew(make: Make, state: Path, tmp_path: Path) -> None:
    before = int(str(told(make().start(version(A, tmp_path / "a")))["pid"]))
    for name in (FILE, COPY):
        (state / name).unlink()
    for record in (state / "servers").glob("*.json"):
        record.write_text(json.dumps({"port": "many"}))
    assert told(make().start(version(A, tmp_path / "a")))["pid"] != before
    assert ended(before)


STARTS = """
import os, sys, time
from pathlib import Path
import requests
from release_gate.serving.standing import StandingFile
from tests.serving.targets.conftest import A, version
from tests.serving.targets.test_instances import instances_at
instances_at(Path(sys.argv[1]), requests.Session()).start(version(A, Path(sys.argv[2]), sys.argv[3]))
"""


@pytest.mark.parametrize("after", [0.0, 0.15, 0.4, 0.8])
def test_a_run_killed_at_any_moment_of_a_start_leaves_one_server_at_the_end(
    make: Make, state: Path, tmp_path: Path, after: float
) -> None:
    words = [sys.executable, "-c", STARTS, str(state), str(tmp_path / "a"), "late"]
    process = subprocess.Popen(words, env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))})
    until = time.monotonic() + 20
    while not (state / "servers").exists() and time.monotonic() < until:
        time.sleep(0.005)
    time.sleep(after)
    process.kill()
    process.wait()
    url = make().start(version(A, tmp_path / "a", "late"))
    assert told(url)["version"] == A
    assert len(SystemDaemons({}).find(state / "servers" / f"{A[7:]}.log")) == 1
    assert StandingFile(state, SystemClock()).read().running[A].port == int(url.rpartition(":")[2])


class Blind(SystemDaemons):
    """Sees nothing at first: a process that was only just made has no mark yet."""

    looked = 0

    def find(self, log: Path) -> tuple[Daemon, ...]:
        self.looked += 1
        return super().find(log) if self.looked > 2 else ()  # the state is put together, the start looks


def test_a_server_that_was_not_to_be_seen_at_first_is_ended_once_another_answers(
    make: Make, state: Path, session: Session, tmp_path: Path
) -> None:
    before = int(str(told(make().start(version(A, tmp_path / "a")))["pid"]))
    for name in (FILE, COPY):
        (state / name).unlink()  # killed before it could write down what it started
    file = StandingFile(state, SystemClock())
    url = Instances(file, Blind(dict(os.environ)), session, SystemClock()).start(version(A, tmp_path / "a"))
    assert told(url)["pid"] != before
    assert ended(before)
    (left,) = SystemDaemons({}).find(state / "servers" / f"{A[7:]}.log")
    assert left.pid == told(url)["pid"]


def _start(state: str, folder: str, mode: str) -> None:
    with requests.Session() as session:
        instances_at(Path(state), session).start(version(A, Path(folder), mode))  # type: ignore[arg-type]


def test_two_runs_at_once_start_one_server(make: Make, state: Path, tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=_start, args=(str(state), str(tmp_path / "a"), "late")) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert len(SystemDaemons({}).find(state / "servers" / f"{A[7:]}.log")) == 1


@pytest.mark.parametrize(
    ("mode", "code", "words"),
    [("dies", "serve-died", "the model is not there"), ("unhealthy", "serve-not-ready", "GET /health answers 503")],
)
def test_one_that_does_not_come_up_is_told_with_its_last_lines_and_leaves_nothing(
    make: Make, tmp_path: Path, mode: str, code: str, words: str
) -> None:
    state = tmp_path / "state"
    with pytest.raises(CannotJudge, match=words) as refusal:
        make().start(version(A, tmp_path / "a", mode, start_within=1.0))
    assert refusal.value.findings[0].code == code
    assert make().running() == ()
    assert SystemDaemons({}).find(state / "servers" / f"{A[7:]}.log") == ()


def test_without_a_health_path_any_answer_but_an_error_will_do(make: Make, tmp_path: Path) -> None:
    plain = version(A, tmp_path / "a")
    assert make().start(Version(**{**vars(plain), "health": "/"}))


def test_an_answer_of_another_process_does_not_speak_for_ours(make: Make, tmp_path: Path) -> None:
    silent = Version(
        **{
            **vars(version(B, tmp_path / "b", start_within=0.5)),
            "command": lambda port: (sys.executable, "-c", "import time; time.sleep(60)"),
        }
    )
    with socket.socket() as other, pytest.MonkeyPatch.context() as patch:
        other.bind(("127.0.0.1", 0))
        other.listen()
        patch.setattr(module, "free_port", lambda: other.getsockname()[1])
        with pytest.raises(CannotJudge, match="another process has its port"):
            make().start(silent)


def test_a_version_without_a_server_can_not_be_started(make: Make, tmp_path: Path) -> None:
    with pytest.raises(CannotJudge) as refusal:
        make().start(Version(**{**vars(version(A, tmp_path / "a")), "command": None}))
    assert refusal.value.findings[0].code == "serve-undeclared"


def test_one_with_traffic_is_not_stopped(make: Make, tmp_path: Path) -> None:
    make().start(version(A, tmp_path / "a"))
    with pytest.raises(CannotJudge) as refusal:
        make().stop(A, traffic=lambda: 0.05, drained=lambda _: True)
    assert refusal.value.findings[0].code == "stop-refused"
    assert make().running() == (A,)


def test_one_is_stopped_with_all_it_started_once_its_last_answers_are_given(make: Make, tmp_path: Path) -> None:
    url = make().start(version(A, tmp_path / "a", "worker"))
    pid = int(str(told(url)["pid"]))
    family = [pid, *(one.pid for one in psutil.Process(pid).children(recursive=True))]
    assert len(family) == 2
    looks = iter([False, False, True])
    let_go(make(), A, lambda _: next(looks))
    assert next(looks, "all asked") == "all asked"
    assert all(ended(one) for one in family)
    assert make().running() == ()
    let_go(make(), A)  # gone already is well


def test_answers_that_never_end_are_not_waited_for_without_end(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DRAIN", 0.3)
    make().start(version(A, tmp_path / "a"))
    let_go(make(), A, lambda _: False)
    assert make().running() == ()


def test_one_that_was_being_stopped_by_a_run_that_was_killed_is_stopped_by_the_next(
    make: Make, state: Path, tmp_path: Path
) -> None:
    url = make().start(version(A, tmp_path / "a"))

    def killed(_: Running) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        let_go(make(), A, killed)
    assert StandingFile(state, SystemClock()).read().running[A].stopping
    assert make().start(version(A, tmp_path / "a")) == url  # or needed again after all
    assert not StandingFile(state, SystemClock()).read().running[A].stopping
    let_go(make(), A)
    assert make().running() == ()


def test_versions_do_not_wait_for_each_other(make: Make, tmp_path: Path) -> None:
    held = make()
    with held._file.held(held._lock(A)):
        assert make().start(version(C, tmp_path / "c"))


def test_the_port_of_another_version_that_died_is_not_given_again(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = make().start(version(A, tmp_path / "a"))
    process = psutil.Process(int(str(told(url)["pid"])))
    process.kill()
    process.wait()
    ports = iter([int(url.rpartition(":")[2]), free_port()])
    monkeypatch.setattr(module, "free_port", lambda: next(ports))
    assert make().start(version(B, tmp_path / "b")) != url
