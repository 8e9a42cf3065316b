"""Servers started, waited for and stopped, whatever they do."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator

import psutil
import pytest

from release_gate.serving import server
from release_gate.serving.checks import Smoke
from release_gate.serving.server import NotServing, free_port
from tests.serving.conftest import Start

HEALTH = Smoke.model_validate({"version": 1, "start_within": "20s", "checks": [{"name": "health", "get": "/health"}]})
SOON = HEALTH.model_copy(update={"start_within": 0.5})


def test_a_server_runs_for_the_length_of_the_block_and_no_longer(start: Start) -> None:
    with start(HEALTH) as up:
        assert up.process.alive()
        pid = up.process.pid
    assert not psutil.pid_exists(pid)


def test_it_is_stopped_when_the_block_fails(start: Start) -> None:
    with pytest.raises(KeyboardInterrupt), start(HEALTH) as up:
        raise KeyboardInterrupt
    assert not psutil.pid_exists(up.process.pid)


def test_a_server_that_ends_is_noticed_at_once_with_its_last_lines(start: Start) -> None:
    began = time.monotonic()
    with pytest.raises(NotServing) as problem, start(HEALTH, "exits"):
        pass
    assert problem.value.finding.code == "serve-died"
    assert "status 3" in problem.value.finding.message
    assert "the model is not there" in problem.value.finding.message
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(("mode", "cause"), [("silent", "no connection"), ("unhealthy", "answers 503, not 200")])
def test_a_server_that_is_not_ready_in_time(start: Start, mode: str, cause: str) -> None:
    with pytest.raises(NotServing) as problem, start(SOON, mode):
        pass
    assert problem.value.finding.code == "serve-not-ready"
    assert cause in problem.value.finding.message


@pytest.mark.parametrize(("start_within", "refused"), [(20.0, 1.0), (3.0, 60.0)])
def test_a_server_without_the_path_asked_for_is_told_so(
    start: Start, monkeypatch: pytest.MonkeyPatch, start_within: float, refused: float
) -> None:
    monkeypatch.setattr(server, "REFUSED", refused)
    began = time.monotonic()
    with (
        pytest.raises(NotServing) as problem,
        start(HEALTH.model_copy(update={"start_within": start_within}), "pathless"),
    ):
        pass
    found = problem.value.finding
    assert time.monotonic() - began < 10
    assert found.code == "serve-not-ready"
    assert "answers GET /health with 404" in found.message
    assert "asked" in found.message, "its last lines"
    assert "`get:` of the check 'health' in smoke.yml" in found.remedy


def test_a_server_that_has_its_path_only_after_a_while_is_waited_for(start: Start) -> None:
    with start(HEALTH, "late") as up:
        assert up.process.alive()


def test_where_no_check_is_a_get_any_answer_will_do(start: Start) -> None:
    checks = [{"name": "x", "post": "/predict", "body": "{", "status": "4xx"}]
    with start(Smoke.model_validate({"version": 1, "start_within": "20s", "checks": checks}), "unhealthy") as up:
        assert up.process.alive()


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port of somebody who hangs up on everybody."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()

        def hang_up() -> None:
            with contextlib.suppress(OSError):
                while True:
                    other.accept()[0].close()

        threading.Thread(target=hang_up, daemon=True).start()
        yield int(other.getsockname()[1])
        other.shutdown(socket.SHUT_RDWR)


def test_a_port_taken_in_the_meantime_is_given_up_for_another(start: Start, taken_port: int) -> None:
    ports = iter([taken_port, free_port()])
    with start(HEALTH, port=lambda: next(ports)) as up:
        assert not up.url.endswith(str(taken_port))


def test_ports_that_are_always_taken_end_in_a_finding(start: Start, taken_port: int) -> None:
    with pytest.raises(NotServing) as problem, start(HEALTH, port=lambda: taken_port):
        pass
    assert problem.value.finding.code == "serve-died"


def test_the_answer_of_another_process_does_not_speak_for_ours(start: Start) -> None:
    with start(HEALTH) as other:
        port = int(other.url.rpartition(":")[2])
        with pytest.raises(NotServing) as problem, start(SOON, "silent", port=lambda: port):
            pass
    assert "another process answers" in problem.value.finding.message
    assert os.getpid() != other.process.pid
