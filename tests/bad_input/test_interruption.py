"""Ctrl-C, SIGTERM and SIGKILL at any moment of a `check`: nothing is half-written or runs on, the next one passes."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.bad_input.command_line import Run, run
from tests.tiny.project import Project

STATUS = {signal.SIGTERM: 143, signal.SIGINT: 130, signal.SIGKILL: -signal.SIGKILL}
MOMENTS = 4
"""Of each signal, spread over the whole run."""


def interrupted(project: Project, how: signal.Signals, after: float) -> bool:
    """Interrupt a `check` some seconds after its first word; False where it was done before that."""
    going = Run(project, "check")
    going.says("… schema-check")
    try:
        going.process.wait(after)
    except subprocess.TimeoutExpired:
        # A terminal sends Ctrl-C to every process in the foreground; the others are sent to us alone.
        (os.killpg if how is signal.SIGINT else os.kill)(going.process.pid, how)
    ended = going.end()
    if ended.code == 0:
        return False
    assert ended.code == STATUS[how], f"{how.name} after {after} s\n{ended.out}\n{ended.err}"
    if how is not signal.SIGKILL:
        assert "[interrupted]" in ended.err
        assert "remedy: Run it again" in ended.err
    return True


def chain(project: Project, moments: Sequence[tuple[signal.Signals, float]]) -> int:
    """Interrupt one run after the other, so that each meets what the one before left; then one must pass."""
    hit = sum(interrupted(project, how, after) for how, after in moments)
    # A kill in the middle of a write leaves a file in the making: too short a moment to be hit by chance.
    making = project.verdicts / ".schema-check.json.abc.part"
    making.parent.mkdir(parents=True, exist_ok=True)
    making.write_text("{")
    ended = run(project, "check")
    assert ended.code == 0, ended.out
    assert sorted((project.root / ".release-gate" / "run").rglob("*.part")) == []
    return hit


def whole(project: Project) -> float:
    """Seconds from the first word of a `check` to its end."""
    going = Run(project, "check")
    going.says("… schema-check")
    began = time.monotonic()
    assert going.end().code == 0
    return time.monotonic() - began


def test_interrupted_at_any_moment_the_next_run_passes(right: Project, tmp_path: Path) -> None:
    seed = random.randrange(1_000_000)
    drawn = random.Random(seed)
    copies = [Project(tmp_path / name / "caller", right.cache) for name in ("one", "two")]
    for copy in copies:
        shutil.copytree(right.root, copy.root, symlinks=True)
    with ThreadPoolExecutor() as two:
        # Timed just now and two at once, as they are interrupted: the machine may have been busier before.
        seconds = min(two.map(whole, copies))
        print(f"seed {seed}, a whole run takes {seconds:.1f} s")  # shown where it fails
        parts = [(how, part) for how in STATUS for part in range(MOMENTS)]
        moments = [(how, 0.9 * seconds * (part + drawn.random()) / MOMENTS) for how, part in parts]
        hit = sum(two.map(chain, copies, (moments[::2], moments[1::2])))
    assert hit >= len(moments) * 2 / 3, "the moments lie within the run"
