"""Processes that outlive us: started, found again, ended with all they started."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from release_gate.caller import daemons as module
from release_gate.caller.daemons import SystemDaemons
from release_gate.edges import Daemon
from release_gate.findings import BadInput

SLEEPS = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
WORKER = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {SLEEPS!r}], start_new_session=True)
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "server.log"
    yield path
    for one in SystemDaemons({}).find(path):
        SystemDaemons({}).stop(one, 0.1)


@pytest.fixture
def daemons() -> SystemDaemons:
    return SystemDaemons(dict(os.environ))


def start(daemons: SystemDaemons, log: Path, code: str = SLEEPS) -> Daemon:
    daemon = daemons.start((sys.executable, "-c", code), cwd=log.parent, environment={}, log=log)
    until = time.monotonic() + 10
    while not log.read_text() and time.monotonic() < until and daemons.alive(daemon):
        time.sleep(0.02)
    return daemon


def runs(pid: int) -> bool:
    """One that has ended and that its parent did not wait for runs no more."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_what_nobody_waits_for_is_not_waited_for_as_if_it_ran(daemons: SystemDaemons, log: Path) -> None:
    # Another one started it, and never waits: so it is in a container whose first process is no init.
    other = SystemDaemons(dict(os.environ))
    daemon = start(other, log)
    began = time.monotonic()
    daemons.stop(daemon, 10.0)
    assert time.monotonic() - began < 5
    assert psutil.Process(daemon.pid).status() == psutil.STATUS_ZOMBIE
    assert not other.alive(daemon)


def test_it_runs_with_its_output_in_the_log_until_it_is_stopped(daemons: SystemDaemons, log: Path) -> None:
    daemon = start(daemons, log)
    assert log.read_text() == "up\n"
    assert daemons.alive(daemon)
    daemons.stop(daemon, 5.0)
    assert not daemons.alive(daemon)
    assert not runs(daemon.pid)
    daemons.stop(daemon, 5.0)  # gone already is well


def test_it_outlives_us_killed_outright_and_is_found_though_nobody_wrote_it_down(
    daemons: SystemDaemons, log: Path
) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from release_gate.caller.daemons import SystemDaemons\n"
        f"SystemDaemons(dict(os.environ)).start((sys.executable, '-c', {SLEEPS!r}), cwd=Path('.'), environment={{}},"
        f" log=Path({str(log)!r}))\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=log.parent, check=False)
    assert done.returncode == -signal.SIGKILL
    (found,) = daemons.find(log)
    assert daemons.alive(found)
    daemons.stop(found, 5.0)
    assert daemons.find(log) == ()


def test_everything_it_started_ends_with_it_even_in_a_session_of_its_own(daemons: SystemDaemons, log: Path) -> None:
    daemon = start(daemons, log, WORKER)
    worker = int(log.read_text().split()[0])
    assert {one.pid for one in daemons.find(log)} >= {daemon.pid}
    daemons.stop(daemon, 5.0)
    assert not runs(worker)


def test_what_is_left_of_its_session_ends_though_it_is_gone_itself(daemons: SystemDaemons, log: Path) -> None:
    daemon = start(daemons, log, WORKER.replace(", start_new_session=True", ""))
    worker = int(log.read_text().split()[0])
    os.kill(daemon.pid, signal.SIGKILL)
    while daemons.alive(daemon):
        time.sleep(0.01)
    assert psutil.pid_exists(worker)
    daemons.stop(daemon, 5.0)
    assert not runs(worker)


def test_one_that_does_not_listen_is_killed_after_its_grace(daemons: SystemDaemons, log: Path) -> None:
    daemon = start(daemons, log, STUBBORN)
    began = time.monotonic()
    daemons.stop(daemon, 0.3)
    assert 0.3 <= time.monotonic() - began < 5
    assert not runs(daemon.pid)


def test_one_that_ended_by_itself_is_not_alive_whoever_should_have_waited_for_it(
    daemons: SystemDaemons, log: Path
) -> None:
    daemon = start(daemons, log)
    os.kill(daemon.pid, signal.SIGKILL)
    until = time.monotonic() + 5
    while SystemDaemons({}).alive(daemon) and time.monotonic() < until:  # another's: it can't wait for it
        time.sleep(0.01)
    assert not SystemDaemons({}).alive(daemon)
    assert not daemons.alive(daemon)


def test_a_process_that_was_given_its_number_later_is_another_and_is_left_alone(
    daemons: SystemDaemons, log: Path
) -> None:
    daemon = start(daemons, log)
    other = Daemon(daemon.pid, daemon.started - 1.0)
    assert not daemons.alive(other)
    daemons.stop(other, 0.1)
    assert daemons.alive(daemon)


def test_where_there_is_no_proc_a_process_is_dated_by_the_system(
    daemons: SystemDaemons, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = start(daemons, log)
    assert module._dated(daemon.pid) == psutil.Process(daemon.pid).create_time()
    daemons.stop(daemon, 1.0)
    assert module._dated(daemon.pid) is None


def test_it_gets_its_variables_and_none_of_our_secrets(log: Path) -> None:
    daemons = SystemDaemons({"PATH": os.environ["PATH"], "GITHUB_TOKEN": "x", "HOME": "/h", "DB_PASSWORD": "y"})
    code = "import json, os; print(json.dumps(dict(os.environ)), flush=True); import time; time.sleep(600)"
    daemon = daemons.start(
        (sys.executable, "-c", code), cwd=log.parent, environment={"PATH": "/env/bin", "MODEL": "m"}, log=log
    )
    until = time.monotonic() + 10
    while not log.read_text() and time.monotonic() < until:
        time.sleep(0.02)
    got = json.loads(log.read_text())
    daemons.stop(daemon, 1.0)
    assert got["MODEL"] == "m"
    assert got["HOME"] == "/h"
    assert got["PATH"].startswith("/env/bin:")
    assert not {"GITHUB_TOKEN", "DB_PASSWORD"} & set(got)


def test_a_command_is_looked_up_in_its_own_path(log: Path, tmp_path: Path) -> None:
    program = tmp_path / "bin" / "serve-me"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho mine\nsleep 600\n")
    program.chmod(0o755)
    daemons = SystemDaemons(dict(os.environ))
    daemon = daemons.start(("serve-me",), cwd=tmp_path, environment={"PATH": str(program.parent)}, log=log)
    until = time.monotonic() + 10
    while not log.read_text() and time.monotonic() < until:
        time.sleep(0.02)
    daemons.stop(daemon, 1.0)
    assert log.read_text() == "mine\n"


def test_the_log_of_the_start_before_is_kept_beside(daemons: SystemDaemons, log: Path) -> None:
    log.write_text("the start before")
    daemons.stop(start(daemons, log), 1.0)
    assert log.with_name("server.log.before").read_text() == "the start before"


@pytest.mark.parametrize("command", ["no-such-command-here", "/no/such/file", "nul\0l"])
def test_a_command_that_is_not_there_is_named(daemons: SystemDaemons, log: Path, command: str) -> None:
    with pytest.raises(BadInput, match="can't start") as refusal:
        daemons.start((command,), cwd=log.parent, environment={}, log=log)
    assert refusal.value.findings[0].code == "command-missing"


def test_a_folder_that_is_not_there_is_named(daemons: SystemDaemons, log: Path) -> None:
    with pytest.raises(BadInput, match="no folder"):
        daemons.start((sys.executable,), cwd=log.parent / "absent", environment={}, log=log)
