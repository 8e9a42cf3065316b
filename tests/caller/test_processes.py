from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from release_gate.caller import processes
from release_gate.caller.processes import Processes
from release_gate.findings import BadInput, CannotJudge

SLEEPER = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open(sys.argv[1], "w").write(str(os.getpid()))
        time.sleep(600)
    os._exit(0)
os.wait()
while not os.path.exists(sys.argv[1]) or not open(sys.argv[1]).read():
    time.sleep(0.01)
if "--wait" in sys.argv:
    time.sleep(600)
"""
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"


def python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", code, *arguments]


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # it may go while it is looked at
        return True


def await_text(file: Path, seconds: float = 10) -> str:
    until = time.monotonic() + seconds
    while not (file.is_file() and file.read_text()):
        assert time.monotonic() < until, f"{file} did not come"
        time.sleep(0.01)
    return file.read_text()


def await_gone(pid: int, seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while not gone(pid):
        assert time.monotonic() < until, f"{pid} still runs"
        time.sleep(0.01)


def test_status_and_both_outputs_are_kept(runner: Processes, tmp_path: Path) -> None:
    done = runner.run(["sh", "-c", "echo out; echo err >&2; exit 3"], cwd=tmp_path, environment={}, limit=10)
    assert (done.status, done.tail, done.ok) == (3, "out\nerr", False)
    assert not done.timed_out
    assert not done.flooded


def test_a_command_that_succeeds_is_ok(runner: Processes, tmp_path: Path) -> None:
    done = runner.run(["pwd"], cwd=tmp_path, environment={}, limit=10)
    assert done.ok
    assert done.tail == str(tmp_path)


def test_words_are_no_shell(runner: Processes, tmp_path: Path) -> None:
    done = runner.run(["echo", "$HOME", "; touch x", "$(id)", "*"], cwd=tmp_path, environment={}, limit=10)
    assert done.tail == "$HOME ; touch x $(id) *"
    assert not list(tmp_path.iterdir())


def test_standard_input_is_empty(runner: Processes, tmp_path: Path) -> None:
    assert runner.run(["cat"], cwd=tmp_path, environment={}, limit=10).status == 0


def test_a_signal_is_a_negative_status(runner: Processes, tmp_path: Path) -> None:
    assert runner.run(["sh", "-c", "kill -SEGV $$"], cwd=tmp_path, environment={}, limit=10).status == -11


def test_a_closed_pipe_ends_a_command_as_in_a_shell(runner: Processes, tmp_path: Path) -> None:
    script = "yes | head -n 1; echo ${PIPESTATUS[0]}"
    assert runner.run(["bash", "-c", script], cwd=tmp_path, environment={}, limit=10).tail == "y\n141"


def test_a_hanging_command_is_ended_at_its_limit(runner: Processes, tmp_path: Path) -> None:
    began = time.monotonic()
    done = runner.run(python("import time; print('on'); time.sleep(600)"), cwd=tmp_path, environment={}, limit=1)
    assert done.timed_out
    assert not done.ok
    assert done.tail == "on"
    assert time.monotonic() - began < 5


def test_a_command_that_ignores_sigterm_is_killed(
    runner: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "GRACE", 0.3)
    done = runner.run(python(DEAF), cwd=tmp_path, environment={}, limit=1)
    assert (done.status, done.timed_out) == (-9, True)


def test_a_flood_is_stopped(runner: Processes, tmp_path: Path) -> None:
    began = time.monotonic()
    done = runner.run(["sh", "-c", "yes flood | head -c 200000000"], cwd=tmp_path, environment={}, limit=60)
    assert done.flooded
    assert not done.ok
    assert not done.timed_out
    assert len(done.tail.split("\n")) <= 200
    assert time.monotonic() - began < 20


def test_a_flood_of_one_endless_line_is_stopped(tmp_path: Path) -> None:
    runner = Processes(dict(os.environ), flood=1_000_000)
    done = runner.run(["sh", "-c", "cat /dev/zero"], cwd=tmp_path, environment={}, limit=60)
    assert done.flooded
    assert len(done.tail) < 3000


def test_output_that_is_not_utf8_is_shown_as_far_as_it_goes(runner: Processes, tmp_path: Path) -> None:
    done = runner.run(["printf", r"caf\351\n\303\251"], cwd=tmp_path, environment={}, limit=10)
    assert done.tail == "caf�\né"


def test_a_child_that_left_session_and_parent_is_ended_with_the_command(runner: Processes, tmp_path: Path) -> None:
    done = runner.run(python(SLEEPER, str(tmp_path / "pid")), cwd=tmp_path, environment={}, limit=20)
    assert done.ok
    assert gone(int((tmp_path / "pid").read_text()))


def test_a_time_out_ends_children_that_left_session_and_parent(runner: Processes, tmp_path: Path) -> None:
    done = runner.run(python(SLEEPER, str(tmp_path / "pid"), "--wait"), cwd=tmp_path, environment={}, limit=2)
    assert done.timed_out
    assert gone(int((tmp_path / "pid").read_text()))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_when_we_are_killed_nothing_is_left_running(tmp_path: Path, number: signal.Signals) -> None:
    ours = f"""
import os, sys
from pathlib import Path
from release_gate.caller.processes import Processes
Processes(dict(os.environ)).run({python(SLEEPER, str(tmp_path / "pid"), "--wait")!r}, cwd=Path({str(tmp_path)!r}),
                                environment={{}}, limit=100)
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(processes.__file__).parents[2])}
    with subprocess.Popen([sys.executable, "-c", ours], env=environment) as parent:
        sleeper = int(await_text(tmp_path / "pid"))
        family = [child.pid for child in psutil.Process(parent.pid).children(recursive=True)]
        parent.send_signal(number)
    for pid in (sleeper, *family):
        await_gone(pid)


def test_ctrl_c_ends_the_command_and_goes_on_up(runner: Processes, tmp_path: Path) -> None:
    timer = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        runner.run(python(SLEEPER, str(tmp_path / "pid"), "--wait"), cwd=tmp_path, environment={}, limit=60)
    timer.join()
    assert gone(int((tmp_path / "pid").read_text()))


def test_a_dead_supervisor_takes_the_command_with_it(runner: Processes, tmp_path: Path) -> None:
    process = runner.start(["sleep", "600"], cwd=tmp_path, environment={})
    os.kill(process._supervisor.pid, signal.SIGKILL)
    await_gone(process.pid)
    assert not process.alive()
    assert process.stop().status == -9


def test_a_supervisor_that_does_not_answer_is_ended_from_outside(
    runner: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "LOST", 0.5)
    process = runner.start(["sleep", "600"], cwd=tmp_path, environment={})
    os.kill(process._supervisor.pid, signal.SIGSTOP)
    process.stop(0.1)
    assert gone(process.pid)


def test_a_supervisor_told_to_end_ends_the_command(runner: Processes, tmp_path: Path) -> None:
    process = runner.start(["sleep", "600"], cwd=tmp_path, environment={})
    os.kill(process._supervisor.pid, signal.SIGTERM)
    assert process.wait(10)
    await_gone(process.pid)
    assert process.stop().status == -9


def test_a_started_command_is_alive_until_stopped(runner: Processes, tmp_path: Path) -> None:
    with runner.start(python("import time; print('up'); time.sleep(600)"), cwd=tmp_path, environment={}) as process:
        until = time.monotonic() + 10
        while process.tail() != "up" and time.monotonic() < until:
            time.sleep(0.01)
        assert process.alive()
        assert psutil.Process(process.pid).cmdline()[-1].startswith("import time")
        done = process.stop()
        assert done.status == -signal.SIGTERM
        assert done.tail == "up"
        assert not process.alive()
        assert process.stop() is done


def test_a_command_may_end_politely_when_stopped(runner: Processes, tmp_path: Path) -> None:
    code = (
        "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(0)); print('up', flush=True); time.sleep(99)"
    )
    process = runner.start(python(code), cwd=tmp_path, environment={})
    while process.tail() != "up":
        time.sleep(0.01)
    assert process.stop().status == 0


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("no-such-command-here", "no such command in PATH"),
        ("/no/such/file", "No such file"),
        ("./plain", "Permission denied"),
        ("./broken", "Exec format error"),
        ("nul\0byte", "null byte"),
    ],
)
def test_a_command_that_cannot_start_is_said(runner: Processes, tmp_path: Path, command: str, said: str) -> None:
    (tmp_path / "plain").write_text("text")
    (tmp_path / "broken").write_bytes(b"\x7fELF")
    (tmp_path / "broken").chmod(0o755)
    with pytest.raises(BadInput) as refused:
        runner.run([command], cwd=tmp_path, environment={}, limit=10)
    assert [found.code for found in refused.value.findings] == ["command-missing"]
    assert said in str(refused.value)


def test_a_missing_folder_is_said(runner: Processes, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no folder"):
        runner.run(["true"], cwd=tmp_path / "none", environment={}, limit=10)


def test_a_supervisor_that_cannot_run_is_ours_to_answer(
    runner: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "SUPERVISOR", tmp_path / "none.py")
    with pytest.raises(CannotJudge, match="internal-error"):
        runner.run(["true"], cwd=tmp_path, environment={}, limit=10)


def test_what_is_given_is_laid_over_and_path_goes_in_front(tmp_path: Path) -> None:
    runner = Processes({"PATH": "/usr/bin:/bin", "GITHUB_TOKEN": "ghp_x", "LANG": "C.UTF-8"})
    done = runner.run(["env"], cwd=tmp_path, environment={"PATH": "/first", "LANG": "C", "NEW": "1"}, limit=10)
    seen = dict(line.split("=", 1) for line in done.tail.splitlines())
    assert seen["PATH"] == "/first:/usr/bin:/bin"
    assert (seen["LANG"], seen["NEW"], seen["PYTHONHASHSEED"]) == ("C", "1", "0")
    assert "GITHUB_TOKEN" not in seen


def test_a_command_of_the_given_path_comes_first(tmp_path: Path, runner: Processes) -> None:
    own = tmp_path / "bin" / "env"
    own.parent.mkdir()
    own.write_text("#!/bin/sh\necho mine\n")
    own.chmod(0o755)
    assert runner.run(["env"], cwd=tmp_path, environment={"PATH": str(own.parent)}, limit=10).tail == "mine"


def test_progress_is_shown_on_a_terminal_without_control_characters_and_taken_away(tmp_path: Path) -> None:
    terminal = io.StringIO()
    runner = Processes(dict(os.environ), terminal=terminal)
    runner.run(["printf", r"\033[31mepoch 1\n"], cwd=tmp_path, environment={}, limit=10)
    shown = terminal.getvalue()
    assert " [31mepoch 1" in shown
    assert "\x1b[31m" not in shown
    assert shown.endswith("\r\x1b[2K")


def test_nothing_is_shown_off_a_terminal(runner: Processes, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    runner.run(["echo", "hello"], cwd=tmp_path, environment={}, limit=10)
    assert capfd.readouterr() == ("", "")


def test_no_descriptor_is_left_open(runner: Processes, tmp_path: Path) -> None:
    runner.run(["true"], cwd=tmp_path, environment={}, limit=10)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        runner.run(["true"], cwd=tmp_path, environment={}, limit=10)
        with pytest.raises(BadInput):
            runner.run(["no-such-command-here"], cwd=tmp_path, environment={}, limit=10)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


def test_an_interruption_while_a_command_starts_is_not_lost(
    runner: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class InterruptionError(BaseException):
        pass

    def interrupted(*_: object) -> int:
        raise InterruptionError

    monkeypatch.setattr(processes.Process, "_started", interrupted)
    with pytest.raises(InterruptionError):
        runner.start(python("import time; time.sleep(600)"), cwd=tmp_path, environment={})
