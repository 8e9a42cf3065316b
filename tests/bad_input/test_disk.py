"""A disk that is full, a folder that takes no writing, and a path that can't be one."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.bad_input.command_line import half_written, run
from tests.tiny.project import Project

AS_ROOT = [] if os.geteuid() == 0 else ["sudo", "-n"]
"""On a hosted runner root is a sudo away."""


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[None]:
    """A file system of its own in a folder, with room for little."""
    if os.geteuid() != 0 and not os.environ.get("CI"):
        pytest.skip("mounting a small file system needs root")
    folder.mkdir(parents=True, exist_ok=True)
    options = f"size={kilobytes}k,uid={os.geteuid()},mode=0700"
    subprocess.run([*AS_ROOT, "mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run([*AS_ROOT, "umount", "-l", str(folder)], check=True)


def run_folder(project: Project) -> Path:
    return project.root / ".release-gate" / "run"


@pytest.mark.parametrize("kilobytes", [4, 24])
def test_a_full_disk_under_the_run_folder_is_named_and_leaves_nothing_half(project: Project, kilobytes: int) -> None:
    with small_disk(run_folder(project), kilobytes):
        told = run(project, "build-candidate").refused(4, "disk-full", ".release-gate/run/tiny")
        assert "Free space" in told.remedy
        assert half_written(project) == []


def test_a_full_disk_under_the_temporary_folder_is_named(project: Project) -> None:
    folder = project.root.with_name("temporary")
    with small_disk(folder, 20):
        ended = run(project, "build-candidate")
    if "train-failed" in ended.out:  # it met the caller's command, whose own words are shown
        ended.refused(1, "train-failed", "No space left on device")
    else:
        ended.refused(4, "disk-full", f"{folder}/release-gate-")


def test_training_that_fills_the_disk_shows_what_it_printed(project: Project) -> None:
    project.replace("tiny_model/train.py", '"0.25"', '"0.25" * 10_000_000')
    with small_disk(project.root.with_name("temporary"), 1024):
        run(project, "build-candidate").refused(1, "train-failed", "No space left on device")


def test_a_folder_that_takes_no_writing_is_named(project: Project) -> None:
    folder = run_folder(project)
    with small_disk(folder, 64):
        subprocess.run([*AS_ROOT, "mount", "-o", "remount,ro", str(folder)], check=True)
        told = run(project, "schema-check").refused(4, "write-refused", ".release-gate/run")
        assert "permissions" in told.remedy
    assert run(project, "schema-check").code == 0


@pytest.mark.parametrize("out", ["smoke.yml/verdict.json", "data"])
def test_a_verdict_that_can_not_be_written_there_says_where(project: Project, out: str) -> None:
    run(project, "schema-check", "--out", out).refused(4, "write-refused", out)
