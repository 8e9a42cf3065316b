from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from release_gate.meanwhile import Meanwhile

WAITING = """
import time
from release_gate.meanwhile import Meanwhile
Meanwhile(lambda: time.sleep(600))
"""
ENDED = """
import os, signal, sys, threading, time
from release_gate.meanwhile import Meanwhile
class End(BaseException): pass
def end(*_): raise End
signal.signal(int(sys.argv[1]), end)
threading.Timer(0.3, os.kill, (os.getpid(), int(sys.argv[1]))).start()
try:
    Meanwhile(lambda: time.sleep(600)).result()
except End:
    print("ended")
"""


def test_what_came_of_it_is_there_as_often_as_it_is_asked_for() -> None:
    work = Meanwhile(lambda: 7)
    assert (work.result(), work.result()) == (7, 7)


def test_what_it_raises_is_raised_where_the_result_is_wanted() -> None:
    work = Meanwhile(lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        work.result()


def test_the_end_of_the_process_does_not_wait_for_it() -> None:
    subprocess.run([sys.executable, "-c", WAITING], check=True, timeout=60)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_end_that_comes_while_the_result_is_waited_for_ends_the_waiting(number: signal.Signals) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", ENDED, str(int(number))], capture_output=True, text=True, timeout=60, check=True
    )
    assert ended.stdout == "ended\n"
