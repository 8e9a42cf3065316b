"""The folder for what does not fit in memory: private, and the dead leave none; an end in the middle of a query."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from release_gate.tables.embedded import Embedded
from release_gate.tables.spilling import spill

KILLED = """
import os, signal, sys
from pathlib import Path
from release_gate.tables.spilling import spill
(spill(Path(sys.argv[1])).path / "spilled").write_text("rows")
os.kill(os.getpid(), signal.SIGKILL)
"""
ENDED = """
import os, signal, sys, threading
from release_gate.tables.embedded import Embedded
class End(BaseException): pass
def end(*_): raise End
signal.signal(int(sys.argv[1]), end)
engine = Embedded()
engine._ask("CREATE TABLE numbers AS SELECT range::VARCHAR AS number FROM range(1_000_000)")
threading.Timer(0.3, os.kill, (os.getpid(), int(sys.argv[1]))).start()
try:
    engine._ask("SELECT max(md5(one.number || other.number)) FROM numbers AS one, numbers AS other")
except End:
    print("ended")
engine.close()
"""
"""Asks for hours of work, of which every thread of the engine does its part."""


def test_a_folder_is_private_and_gone_after_closing_twice(tmp_path: Path) -> None:
    held = spill(tmp_path)
    assert held.path.stat().st_mode & 0o777 == 0o700
    held.close()
    held.close()
    assert not [*tmp_path.iterdir()]


def test_the_folder_of_a_killed_process_is_taken_away_and_that_of_a_living_one_stays(tmp_path: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert len([*tmp_path.iterdir()]) == 1
    first, second = spill(tmp_path), spill(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([first.path, second.path])
    first.close()
    second.close()


def test_what_is_no_folder_of_ours_stays(tmp_path: Path) -> None:
    (tmp_path / "release-gate-other").mkdir()
    outside = tmp_path / "outside"
    outside.mkdir()
    above = tmp_path / "above"
    above.mkdir()
    (above / "release-gate-spill-link").symlink_to(outside)
    spill(above).close()
    assert outside.is_dir()
    assert (tmp_path / "release-gate-other").is_dir()


def test_an_engine_takes_its_folder_away(tmp_path: Path) -> None:
    engine = Embedded(spill=tmp_path)
    assert len([*tmp_path.iterdir()]) == 1
    engine.close()
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_end_that_comes_while_the_engine_works_stays_an_end_and_nothing_waits_for_the_work(
    number: signal.Signals,
) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", ENDED, str(int(number))], capture_output=True, text=True, timeout=60, check=True
    )
    assert ended.stdout == "ended\n"
