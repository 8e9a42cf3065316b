"""Runs work in a process forked from this one: what the caller's code leaves in memory stays there, as does its end.

Loaded by transforms.py and fuzzing.py, which fork before anything of the caller's is imported.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

_WAIT = 0.05


class Died(Exception):
    """The process ended without having done its work; the text says how. `killed` where it had to be ended."""

    def __init__(self, how: str, *, killed: bool = False) -> None:
        super().__init__(how)
        self.killed = killed


class Unsaid(Exception):
    """The work was done, and what came of it can't be handed over."""


class Apart:
    """Work that has begun in a process of its own."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="release-gate-")
        self._answer = Path(self._folder.name, "answer")
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        self._pid = os.fork()
        if self._pid == 0:
            self._do(work)

    def result(self, until: Callable[[], float | None] = lambda: None) -> Any:
        """What the work returned; it is ended when the monotonic clock shows `until`, which it may only know later.

        Raises:
            Died: it returned nothing.
            Unsaid: what it returned can't be handed over.
        """
        try:
            ended = self._waited(until)
            if not self._answer.is_file():
                raise ended
            whole, answer = pickle.loads(self._answer.read_bytes())  # noqa: S301 - of our own process
            if not whole:
                raise Unsaid(answer)
            return answer
        finally:
            self._folder.cleanup()

    def _waited(self, until: Callable[[], float | None]) -> Died:
        while True:
            ended, status = os.waitpid(self._pid, os.WNOHANG)
            if ended:
                code = os.waitstatus_to_exitcode(status)
                how = f"by {_named(-code)}" if code < 0 else f"with status {code}"
                return Died(f"the process ended {how}")
            end = until()
            if end is not None and time.monotonic() > end:
                os.kill(self._pid, signal.SIGKILL)
                os.waitpid(self._pid, 0)
                return Died("it does not return", killed=True)
            time.sleep(_WAIT)

    def _do(self, work: Callable[[], Any]) -> None:
        """Never returns."""
        code = 1
        try:
            answer = _dumped(work())
            whole = self._answer.with_suffix(".part")
            whole.write_bytes(answer)
            whole.rename(self._answer)
            code = 0
        except BaseException:  # noqa: BLE001 - whatever it is, this process ends here
            traceback.print_exc()
        finally:
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            os._exit(code)  # nothing of what this process took over is its to clean up


def _dumped(answer: Any) -> bytes:
    try:
        return pickle.dumps((True, answer))
    except Exception as error:  # noqa: BLE001 - an object may say anything when it is asked for its state
        return pickle.dumps((False, f"{type(error).__name__}: {error}"))


def _named(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
