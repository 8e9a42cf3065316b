"""A model's commands that fail, hang, flood their output, leave processes behind, or can't have their port."""

from __future__ import annotations

import socket
from pathlib import Path

import psutil
import pytest

from tests.bad_input.command_line import run
from tests.tiny.project import Project

LEAVES = """\
import os, pathlib, signal, time
told = pathlib.Path({told!r})
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.environ.clear()
        os.closerange(0, 3)
        told.with_suffix(".making").write_text(str(os.getpid()))
        told.with_suffix(".making").rename(told)
        time.sleep(300)
    os._exit(0)
os.wait()
while not told.exists():
    time.sleep(0.01)
"""
HANGS = """\
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('epoch 1', flush=True)
time.sleep(300)
"""
TRAINING = {
    # what: the line put first in train.py, finding code, words of the message
    "fails": ("print('epoch 1')\nraise SystemExit('out of memory')", "train-failed", "status 1", "| out of memory"),
    "kills itself": ("print('epoch 1', flush=True)\nimport os; os.kill(os.getpid(), 9)", "train-failed", "SIGKILL", ""),
    "hangs": (HANGS, "train-timed-out", "time limit of 1 s", ""),
    "floods": ("while True: print('epoch 1', 'x' * 100_000)", "train-failed", "printed without end", ""),
}


def first(project: Project, file: str, lines: str) -> None:
    """Put lines in front of a file of the model's code."""
    path = project.root / "tiny_model" / file
    path.write_text(lines + "\n" + path.read_text())
    project.replace("release-gate.yml", "  predict:", "  train_limit: 1s\n  predict_limit: 2s\n  predict:")


@pytest.mark.parametrize("what", TRAINING)
def test_training_that_goes_wrong_is_ended_and_its_last_lines_are_shown(project: Project, what: str) -> None:
    lines, code, *says = TRAINING[what]
    first(project, "train.py", lines)
    if what != "hangs":
        project.replace("release-gate.yml", "train_limit: 1s", "train_limit: 20s")
    ended = run(project, "build-candidate")
    ended.refused(1, code, "python -m tiny_model.train", "Last lines:", "| epoch 1", *says)
    assert ended.seconds < 15
    assert len(ended.out) < 10_000
    assert not (project.build / "build.json").exists()


@pytest.mark.parametrize("after", ["", HANGS], ids=["succeeds", "hangs"])
def test_processes_that_training_leaves_behind_are_ended(project: Project, tmp_path: Path, after: str) -> None:
    told = tmp_path / "pid"
    first(project, "train.py", LEAVES.format(told=str(told)) + after)
    if not after:
        # It writes no model: the rest of the build is not what this is about.
        project.replace("tiny_model/train.py", 'write_text("0.25")', "exists()")
    ended = run(project, "build-candidate")
    ended.refused(1, "train-timed-out" if after else "model-empty")
    assert not psutil.pid_exists(int(told.read_text()))


def test_prediction_that_hangs_with_a_daemon_is_ended_whole(project: Project, tmp_path: Path) -> None:
    told = tmp_path / "pid"
    first(project, "predict.py", LEAVES.format(told=str(told)) + HANGS)
    run(project, "build-candidate").refused(1, "predict-timed-out", "time limit of 2 s", "| epoch 1")
    assert not psutil.pid_exists(int(told.read_text()))


def test_a_command_that_does_not_exist_is_named(project: Project) -> None:
    project.replace("release-gate.yml", "train: python", "train: pyhton3")
    told = run(project, "build-candidate").refused(2, "command-missing", "`pyhton3`", "no such command")
    assert "lock file" in told.remedy


def test_a_server_whose_own_port_is_taken_is_told_to_take_ours(project: Project) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        project.replace("tiny_model/serve.py", "int(sys.argv[2])", str(holder.getsockname()[1]))
        told = run(project, "build-candidate").refused(1, "serve-died", "port", "Address already in use")
    assert "127.0.0.1:{port}" in told.remedy


def test_a_server_that_listens_elsewhere_is_not_waited_for_without_end(project: Project) -> None:
    project.replace("tiny_model/serve.py", "int(sys.argv[2])", "0")
    project.replace("smoke.yml", "version: 1", "version: 1\nstart_within: 1s")
    told = run(project, "build-candidate").refused(1, "serve-not-ready", "within 1 s", "port")
    assert "127.0.0.1:{port}" in told.remedy
