"""A real HAProxy: shares, totals, slots, and not one request lost while they change."""

from __future__ import annotations

import multiprocessing
import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest
import requests

from release_gate.caller.daemons import SystemDaemons
from release_gate.caller.processes import Processes
from release_gate.cli import SystemClock
from release_gate.counts import Counts
from release_gate.findings import CannotJudge
from release_gate.rollouts import Rollout
from release_gate.serving.standing import COPY, FILE, StandingFile
from release_gate.serving.targets.haproxy_socket import Runtime, totals
from release_gate.serving.targets.opened import open_target
from release_gate.serving.targets.target import Fenced, Target
from tests.serving.targets.conftest import A, B, C, D, Open, Start, declared, kill, version
from tests.serving.targets.proxies import answers, asking, let_go_while_asked, twenty_changes


def told(url: str | None) -> int:
    return int(requests.get(f"{url}/x", timeout=5).json()["pid"])


def test_shares_are_kept_and_no_request_is_lost_over_twenty_changes(
    haproxy: Start, opened: Open, tmp_path: Path
) -> None:
    target = opened(haproxy().rollout)
    target.start(version(A, tmp_path / "a"))
    target.start(version(B, tmp_path / "b"))
    assert target.routed() == {}
    target.route({A: 0.95, B: 0.05}, fence=1)
    assert target.routed() == {A: 0.95, B: 0.05}
    assert answers(target.url, 1000)[B] == pytest.approx(50, abs=5)  # half a point
    client = twenty_changes(target, A, B)
    assert client.failures == []
    assert client.total > 100
    counted = target.counts()
    assert {one: counts.requests for one, counts in counted.items()} == Counter({A: 950, B: 50}) + client.seen
    assert {counts.errors for counts in counted.values()} == {0}


def test_a_backend_that_checks_health_is_steered_as_well(haproxy: Start, opened: Open, tmp_path: Path) -> None:
    target = opened(haproxy(options=" check inter 200ms fall 1 rise 1").rollout)
    target.start(version(A, tmp_path / "a"))
    pid = told(target.start(version(B, tmp_path / "b")))
    target.route({A: 0.5, B: 0.5}, fence=1)
    with asking(target.url) as client:
        time.sleep(0.5)
        target.route({A: 0.25, B: 0.75}, fence=2)
    assert client.failures == []
    kill(pid)
    time.sleep(1.0)
    assert target.routed() == {A: 1.0}  # what HAProxy makes of it
    with pytest.raises(CannotJudge, match="but it routes 1 to"):
        target.route({A: 0.5, B: 0.5}, fence=3)


def test_from_the_first_version_over_a_canary_and_back_no_request_is_lost(
    haproxy: Start, opened: Open, tmp_path: Path
) -> None:
    target = opened(haproxy(slots=2).rollout)
    target.start(version(A, tmp_path / "a"))
    target.route({A: 1.0}, fence=1)
    with asking(target.url) as client:
        for fence, digest in enumerate((B, C, D), start=1):
            target.start(version(digest, tmp_path / digest[-1]))
            target.route({A: 0.5, digest: 0.5}, fence=10 * fence)
            time.sleep(0.2)
            target.route({A: 1.0}, fence=10 * fence + 1)
            target.stop(digest)
        target.start(version(B, tmp_path / "b"))
        target.route({B: 1.0}, fence=99)
        target.stop(A)
        time.sleep(0.2)
    assert client.failures == []
    assert set(client.seen) == {A, B, C, D}
    assert target.routed() == {B: 1.0}
    assert target.running() == (B,)


@pytest.mark.parametrize("path", ["/500", "/close", "/short"])
def test_every_way_to_fail_is_an_error_once(haproxy: Start, opened: Open, tmp_path: Path, path: str) -> None:
    target = opened(haproxy().rollout)
    target.start(version(A, tmp_path / "a"))
    target.route({A: 1.0}, fence=1)
    answers(target.url, 20)
    answers(target.url, 10, path)
    assert target.counts() == {A: Counts(requests=30, errors=10)}


def test_a_version_whose_process_died_counts_as_errors_and_comes_back_where_it_was(
    haproxy: Start, opened: Open, tmp_path: Path
) -> None:
    target = opened(haproxy().rollout)
    pid = told(target.start(version(A, tmp_path / "a")))
    target.route({A: 1.0}, fence=1)
    kill(pid)
    time.sleep(0.2)
    assert set(answers(target.url, 3)) == {"503"}
    assert target.counts() == {A: Counts(requests=3, errors=3)}
    target.start(version(A, tmp_path / "a"))
    assert set(answers(target.url, 3)) == {A}
    assert target.counts() == {A: Counts(requests=6, errors=3)}


def test_totals_count_from_when_a_version_took_its_slot(haproxy: Start, opened: Open, tmp_path: Path) -> None:
    target = opened(haproxy(slots=2).rollout)
    target.start(version(A, tmp_path / "a"))
    for fence, digest in enumerate((B, C)):
        target.start(version(digest, tmp_path / digest[-1]))
        target.route({digest: 1.0}, fence=10 * fence)
        answers(target.url, 10, "/500" if digest == B else "/x")
        assert target.counts()[digest] == Counts(requests=10, errors=10 if digest == B else 0)
        target.route({A: 1.0}, fence=10 * fence + 1)
        target.stop(digest)


def test_another_haproxy_counts_anew_and_is_given_its_shares_again(
    haproxy: Start, opened: Open, tmp_path: Path
) -> None:
    running = haproxy()
    target = opened(running.rollout)
    target.start(version(A, tmp_path / "a"))
    target.route({A: 1.0}, fence=1)
    answers(target.url, 20)
    assert target.counts()[A].requests == 20
    running.process.kill()
    running.process.wait()
    with pytest.raises(CannotJudge) as refusal:
        target.routed()
    assert refusal.value.findings[0].code == "proxy-unreachable"
    (tmp_path / "ha.sock").unlink(missing_ok=True)
    haproxy(port=running.port)
    assert target.routed() == {}
    target.route({A: 1.0}, fence=1)
    answers(target.url, 5)
    assert target.counts()[A].requests == 5


def test_a_rollback_comes_through_when_all_memory_is_broken(
    haproxy: Start, opened: Open, tmp_path: Path, state: Path
) -> None:
    rollout = haproxy(slots=2).rollout
    target = opened(rollout)
    target.start(version(A, tmp_path / "a"))
    target.start(version(B, tmp_path / "b"))
    target.route({B: 1.0}, fence=7)
    for name in (FILE, COPY):
        (state / name).write_text("{")
    later = opened(rollout)
    assert later.routed() == {B: 1.0}
    later.start(version(A, tmp_path / "a"))
    later.restore(A, owes="event")
    assert later.routed() == {A: 1.0}
    assert set(answers(later.url, 10)) == {A}
    assert [one.code for one in later.problems] == ["standing-broken"]
    with pytest.raises(Fenced):
        later.route({B: 1.0}, fence=9)


def _race(place: tuple[str, str, str], fence: int, digest: str, other: str) -> None:
    state, socket_, url = place
    environ = dict(os.environ)
    with requests.Session() as session:
        target: Target = open_target(
            declared(haproxy={"socket": socket_, "backend": "model", "url": url}),
            state=Path(state),
            daemons=SystemDaemons(environ),
            runner=Processes(environ),
            session=session,  # type: ignore[arg-type]
            clock=SystemClock(),
        )
        for share in (0.05, 0.5, 1.0) * 5:
            try:
                target.route({digest: share, other: 1 - share}, fence=fence)
            except Fenced:
                return


def test_two_processes_that_race_never_leave_the_older_decision_routed(
    haproxy: Start, opened: Open, tmp_path: Path, state: Path
) -> None:
    running = haproxy()
    target = opened(running.rollout)
    target.start(version(A, tmp_path / "a"))
    target.start(version(B, tmp_path / "b"))
    target.route({A: 1.0}, fence=1)
    spawn = multiprocessing.get_context("spawn")
    words = (str(state), f"{tmp_path}/ha.sock", running.url)
    workers = [spawn.Process(target=_race, args=(words, *one)) for one in ((5, B, A), (6, A, B))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert target.routed() == {A: 1.0}
    assert StandingFile(state, SystemClock()).read().fence == 6


def test_last_answers_are_given_before_a_version_is_let_go(haproxy: Start, opened: Open, tmp_path: Path) -> None:
    target = opened(haproxy().rollout)
    target.start(version(A, tmp_path / "a"))
    target.start(version(B, tmp_path / "b"))
    assert let_go_while_asked(target, A, B) == [200, 200, 200]


def test_a_slot_with_an_address_of_nobody_we_know_is_told_by_it_and_loses_its_traffic(
    haproxy: Start, opened: Open, tmp_path: Path
) -> None:
    target = opened(haproxy(slots=2).rollout)
    runtime = Runtime(f"{tmp_path}/ha.sock")
    runtime.ask("set server model/slot1 addr 127.0.0.1 port 9", "set server model/slot1 state ready")
    assert target.routed() == {"127.0.0.1:9": 1.0}
    target.start(version(A, tmp_path / "a"))
    target.start(version(B, tmp_path / "b"))
    target.route({A: 1.0}, fence=1)
    assert target.routed() == {A: 1.0}
    target.route({A: 0.5, B: 0.5}, fence=2)
    assert target.routed() == {A: 0.5, B: 0.5}


def test_with_too_few_slots_it_is_said_which_there_are(haproxy: Start, opened: Open, tmp_path: Path) -> None:
    target = opened(haproxy(slots=2).rollout)
    for digest in (A, B, C):
        target.start(version(digest, tmp_path / digest[-1]))
    target.route({A: 1.0}, fence=1)
    with pytest.raises(CannotJudge, match=r"slot2 127\.0\.0\.1:") as refusal:
        target.route({A: 0.5, B: 0.25, C: 0.25}, fence=2)
    assert refusal.value.findings[0].code == "proxy-slots-full"
    target.route({B: 1.0}, fence=3)
    target.route({C: 1.0}, fence=4)  # the slot of a version that waits without traffic
    assert set(answers(target.url, 5)) == {C}
    with pytest.raises(CannotJudge, match="was not started"):
        target.route({D: 1.0}, fence=5)


def test_a_version_taken_out_by_hand_is_not_read_as_routed(haproxy: Start, opened: Open, tmp_path: Path) -> None:
    target = opened(haproxy().rollout)
    target.start(version(A, tmp_path / "a"))
    target.start(version(B, tmp_path / "b"))
    target.route({A: 0.5, B: 0.5}, fence=1)
    (slot,) = [
        one
        for one in Runtime(f"{tmp_path}/ha.sock").backend("model").servers
        if one.address == _address(state_of(target), B)
    ]
    Runtime(f"{tmp_path}/ha.sock").ask(f"set server model/{slot.name} state maint")
    assert target.routed() == {A: 1.0}


def state_of(target: Target) -> StandingFile:
    return target._file  # type: ignore[attr-defined, no-any-return]


def _address(file: StandingFile, digest: str) -> str:
    return file.read().running[digest].address


@pytest.mark.parametrize(
    ("balance", "backend", "code"),
    [("leastconn", "model", "proxy-balance"), ("roundrobin", "modle", "proxy-refused")],
)
def test_a_backend_that_can_not_be_steered_is_told(
    haproxy: Start, opened: Open, balance: str, backend: str, code: str
) -> None:
    running = haproxy(balance=balance)
    tmp_path = running.folder
    rollout = declared(haproxy={"socket": f"{tmp_path}/ha.sock", "backend": backend, "url": running.url})
    with pytest.raises(CannotJudge) as refusal:
        opened(rollout).start(version(A, tmp_path / "a"))
    assert refusal.value.findings[0].code == code


@pytest.mark.parametrize("place", ["/no/such/socket", "127.0.0.1:1", ":x"])
def test_a_socket_that_is_not_there_is_named(opened: Open, place: str) -> None:
    rollout: Rollout = declared(haproxy={"socket": place, "backend": "model", "url": "http://127.0.0.1:1"})
    with pytest.raises(CannotJudge, match=place) as refusal:
        opened(rollout).routed()
    assert refusal.value.findings[0].code == "proxy-unreachable"


@pytest.mark.parametrize("said", [b"", b"<html>\n", b"# pxname,svname,type\nm,s,2\n", b"x" * 100])
def test_what_is_no_haproxy_is_told(opened: Open, said: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            opened_, _ = server.accept()
            with opened_:
                opened_.recv(4096)
                opened_.sendall(said)

        thread = threading.Thread(target=answer)
        thread.start()
        place = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(CannotJudge) as refusal:
            Runtime(place).backend("model")
        thread.join()
    assert refusal.value.findings[0].code == "proxy-unreadable"


def test_an_endless_answer_is_not_read_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("release_gate.serving.targets.haproxy_socket.MOST", 1000)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            opened_, _ = server.accept()
            with opened_:
                opened_.recv(4096)
                opened_.sendall(b"x" * 5000)

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(CannotJudge, match="more than 1,000 bytes"):
            Runtime(f"127.0.0.1:{server.getsockname()[1]}").ask("show stat")
        thread.join()


ROW = dict.fromkeys(
    ("lbtot", "scur", "qcur", "req_tot", "cli_abrt", "hrsp_5xx", "srv_abrt", "econ", "wredis", "eresp"), "0"
)


@pytest.mark.parametrize(
    ("row", "requests_", "errors"),
    [
        ({"lbtot": "10", "req_tot": "10"}, 10, 0),
        ({"lbtot": "10", "req_tot": "9", "scur": "1"}, 9, 0),
        ({"lbtot": "10", "req_tot": "8", "qcur": "2"}, 8, 0),
        ({"lbtot": "10", "req_tot": "9", "cli_abrt": "1"}, 10, 0),
        ({"lbtot": "10", "req_tot": "0", "eresp": "5"}, 10, 10),
        ({"lbtot": "10", "req_tot": "10", "eresp": "10", "srv_abrt": "10"}, 10, 10),
        ({"lbtot": "3", "econ": "3"}, 3, 3),
        ({"lbtot": "5", "req_tot": "4", "wredis": "1"}, 5, 1),
        ({"lbtot": "5", "req_tot": "5", "hrsp_5xx": "2"}, 5, 2),
        ({"lbtot": "", "req_tot": ""}, 0, 0),
        ({"lbtot": "1", "scur": "2"}, 0, 0),
    ],
)
def test_totals_of_a_row(row: dict[str, str], requests_: int, errors: int) -> None:
    assert totals({**ROW, **row}) == Counts(requests=requests_, errors=errors)


ROUTES = """
import os, sys
from tests.serving.targets.test_haproxy import _race
from tests.serving.targets.conftest import A, B
print("up", flush=True)
while True:
    _race((sys.argv[1], sys.argv[2], sys.argv[3]), int(sys.argv[4]), A, B)
"""


def test_runs_killed_at_any_moment_of_routing_lose_no_request_and_leave_what_the_next_goes_on_from(
    haproxy: Start, opened: Open, tmp_path: Path, state: Path
) -> None:
    running = haproxy()
    target = opened(running.rollout)
    servers = [told(target.start(version(one, tmp_path / one[-1]))) for one in (A, B)]
    target.route({A: 1.0}, fence=1)
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with asking(target.url) as client:
        for fence, pause in enumerate((0.05, 0.08, 0.13, 0.21), start=2):
            words = [sys.executable, "-c", ROUTES, str(state), f"{tmp_path}/ha.sock", running.url, str(fence)]
            process = subprocess.Popen(words, env=paths, stdout=subprocess.PIPE)
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(pause)
            process.kill()
            process.wait()
            process.stdout.close()
            assert set(target.routed()) <= {A, B}
            assert all(psutil.pid_exists(one) for one in servers)
        target.route({A: 0.5, B: 0.5}, fence=9)
    assert client.failures == []
    assert target.routed() == {A: 0.5, B: 0.5}
    assert target.problems == ()
