from __future__ import annotations

import subprocess
import sys

import pytest

from release_gate.beside import Beside

WAITING = """
import time
from release_gate.beside import Beside
Beside(lambda: time.sleep(600))
"""


def test_what_came_of_it_is_there_as_often_as_it_is_asked_for() -> None:
    work = Beside(lambda: 7)
    assert (work.result(), work.result()) == (7, 7)


def test_what_it_raises_is_raised_where_the_result_is_wanted() -> None:
    work = Beside(lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        work.result()


def test_the_end_of_the_process_does_not_wait_for_it() -> None:
    subprocess.run([sys.executable, "-c", WAITING], check=True, timeout=60)
