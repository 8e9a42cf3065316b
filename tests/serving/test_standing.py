"""What a target remembers: whole at any moment, under a lock, and put right where it is broken."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from release_gate.cli import SystemClock
from release_gate.files import write_whole
from release_gate.findings import CannotJudge
from release_gate.serving import standing as module
from release_gate.serving.standing import COPY, FILE, Running, Standing, StandingFile

RUNNING = Running(port=5001, pid=7, started=1.5, folder="/p")
FULL = Standing(fence=9, shares={"a": 1.0}, kept=("a", "b"), owed=("{}",)).having("a", RUNNING)


@pytest.fixture
def file(tmp_path: Path) -> StandingFile:
    return StandingFile(tmp_path / "state", SystemClock(), patience=0.3)


def test_what_is_written_is_read_by_another(file: StandingFile) -> None:
    assert file.read() == Standing()
    file.write(FULL)
    other = StandingFile(file.folder, SystemClock())
    assert other.read() == FULL
    assert other.problems == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"version": 2}', b'{"fence": -1}', b"\xff\xfe", b"null"])
def test_a_broken_file_is_told_and_its_copy_used(file: StandingFile, content: bytes) -> None:
    file.write(FULL)
    (file.folder / FILE).write_bytes(content)
    assert file.read() == FULL
    assert file.read() == FULL
    (problem,) = file.problems
    assert problem.code == "standing-broken"
    assert "its copy is used" in problem.message
    assert FILE in problem.message


def test_where_both_are_broken_the_rest_is_put_together_and_what_was_there_is_kept_aside(file: StandingFile) -> None:
    file.write(FULL)
    (file.folder / FILE).write_text("{")
    (file.folder / COPY).write_text("{")
    file.recover = lambda standing: standing.having("a", RUNNING)
    assert file.read() == Standing().having("a", RUNNING)
    assert "put together" in file.problems[0].message
    file.change(lambda standing: standing.model_copy(update={"fence": 3}))
    assert StandingFile(file.folder, SystemClock()).read() == Standing(fence=3).having("a", RUNNING)
    assert (file.folder / f"{FILE}.broken").read_text() == "{"


def test_a_file_that_is_a_folder_is_no_obstacle(file: StandingFile) -> None:
    (file.folder / FILE).mkdir(parents=True)
    file.change(lambda standing: standing.model_copy(update={"fence": 3}))
    assert file.read().fence == 3
    assert StandingFile(file.folder, SystemClock()).problems == []


def test_keys_of_a_newer_version_are_no_obstacle(file: StandingFile) -> None:
    file.write(FULL)
    path = file.folder / FILE
    path.write_text(path.read_text().replace('"fence": 9', '"fence": 9, "moon": "full"'))
    assert file.read() == FULL
    assert file.problems == []


def test_a_kill_between_the_two_writes_leaves_a_whole_one(file: StandingFile, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write(FULL)
    written: list[Path] = []
    real = write_whole

    def dies_after_one(path: Path, content: bytes) -> None:
        if written:
            raise KeyboardInterrupt
        written.append(path)
        real(path, content)

    monkeypatch.setattr(module, "write_whole", dies_after_one)
    with pytest.raises(KeyboardInterrupt):
        file.write(FULL.model_copy(update={"fence": 10}))
    assert StandingFile(file.folder, SystemClock()).read() == FULL  # as if it had not happened


def test_a_lock_held_for_too_long_names_who_holds_it(file: StandingFile) -> None:
    other = StandingFile(file.folder, SystemClock(), patience=0.1)
    with file.held():
        with other.held("another"):
            pass
        with pytest.raises(CannotJudge, match=f"process {os.getpid()} holds") as refusal, other.held():
            raise AssertionError
    assert refusal.value.findings[0].code == "target-locked"
    with other.held():
        pass


def _add(folder: str, times: int) -> None:
    file = StandingFile(Path(folder), SystemClock())
    for _ in range(times):
        file.change(lambda standing: standing.model_copy(update={"fence": standing.fence + 1}))


def test_changes_by_several_processes_are_all_kept(file: StandingFile) -> None:
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=_add, args=(str(file.folder), 8)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert file.read().fence == 24


def test_a_holder_killed_outright_holds_no_longer_and_leaves_a_file_that_can_be_read(file: StandingFile) -> None:
    code = (
        "import sys; from pathlib import Path; from release_gate.cli import SystemClock\n"
        "from release_gate.serving.standing import Standing, StandingFile\n"
        f"file = StandingFile(Path({str(file.folder)!r}), SystemClock()); n = 0\n"
        "print('up', flush=True)\n"
        "while True:\n"
        "    n += 1; file.change(lambda s: s.model_copy(update={'fence': n}))\n"
    )
    for pause in (0.03, 0.11, 0.17):
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        file.change(lambda standing: standing)
        assert file.read().fence >= 0
        assert file.problems == []
