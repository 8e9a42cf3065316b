"""Runs pytest in a process forked from this one, with modules changed on their way in. Loaded by mutating.py."""

from __future__ import annotations

import ast
import contextlib
import gc
import json
import os
import select
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any, NamedTuple


class Ended(NamedTuple):
    """How a run ended: passed, failed, timed out or broken; the test that failed or began last; what `report` said."""

    outcome: str
    seen: list[str]
    told: list[str]


class Run:
    """Tests in a process of their own; `trees` are syntax trees by the file that they stand for."""

    def __init__(
        self,
        arguments: list[str],
        options: list[str],
        tests: list[str],
        trees: dict[str, ast.Module],
        *,
        report: Callable[[], list[str]] | None = None,
    ) -> None:
        self._arguments, self._options, self._tests, self._trees, self._report = (
            arguments,
            options,
            tests,
            trees,
            report,
        )

    def waited(self, limit: float) -> Ended:
        """Run, and end it with all it started after `limit` seconds."""
        # In a folder of ours: pytest takes away all but its last three, and the repository may lie in one of those.
        with tempfile.TemporaryDirectory(prefix="release-gate-", ignore_cleanup_errors=True) as place:
            return self._waited(limit, place)

    def _waited(self, limit: float, place: str) -> Ended:
        read, write = os.pipe()
        # What is loaded already needs no collecting: pytest collects garbage several times in each run.
        gc.freeze()
        pid = os.fork()
        if pid == 0:
            os.close(read)
            self._child(write, place)
        os.close(write)
        text, status = _heard(read, pid, time.monotonic() + limit)
        # Whatever the tests started and left behind goes with them.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        os.close(read)
        if status is None:
            os.waitpid(pid, 0)
        lines = [json.loads(line) for line in text.decode(errors="replace").splitlines() if line.endswith("}")]
        told: list[str] = next((line["told"] for line in lines if "told" in line), [])
        failed = [line["failed"] for line in lines if "failed" in line]
        begun = [line["begun"] for line in lines if "begun" in line]
        code = os.waitstatus_to_exitcode(status) if status is not None else None
        # 1: tests failed; 2: a file could not even be collected, which its tests notice too.
        outcome = {None: "timed out", 0: "passed", 1: "failed", 2: "failed"}.get(code, "broken")
        return Ended(outcome, failed or begun[-1:], told)

    def _child(self, write: int, place: str) -> None:
        """Never returns."""
        code = 70
        try:
            os.setpgid(0, 0)
            nowhere = os.open(os.devnull, os.O_RDWR)
            for number in (0, 1, 2):
                os.dup2(nowhere, number)
            sys.dont_write_bytecode = True
            _change(self._trees)
            import pytest

            listener = _Listener(self._tests, write)
            options = [*self._options, f"--basetemp={place}/tests", "-x"]
            code = int(pytest.main([*options, "--", *self._places()], plugins=[listener]))
            if not listener.passed and code == 0:
                code = 5
            if self._report is not None:
                _say(write, {"told": self._report()})
        except BaseException:  # noqa: BLE001 - whatever it is, this process ends here
            code = 70
        finally:
            os._exit(code)

    def _places(self) -> list[str]:
        """The files of the tests; what was asked for where a test names none that is there."""
        files = list(dict.fromkeys(test.split("::")[0] for test in self._tests))
        return files if all(Path(file).is_file() for file in files) else self._arguments


class _Listener:
    """Runs only the tests that matter, the quickest first, and says which begin and which fail."""

    def __init__(self, tests: list[str], write: int) -> None:
        self._order = {test: place for place, test in enumerate(tests)}
        self._write = write
        self.passed = 0

    def pytest_collection_finish(self, session: Any) -> None:
        """After all that choose among tests: none may bring back what is left out here."""
        kept = [item for item in session.items if item.nodeid in self._order]
        session.items[:] = sorted(kept, key=lambda item: self._order[item.nodeid])

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A test begins."""
        _say(self._write, {"begun": nodeid})

    def pytest_runtest_logreport(self, report: Any) -> None:
        """A test failed, in itself or in what it needs."""
        if report.failed:
            _say(self._write, {"failed": report.nodeid})
        elif report.when == "call" and report.passed:
            self.passed += 1


def _say(write: int, words: dict[str, Any]) -> None:
    os.write(write, (json.dumps(words) + "\n").encode())


def _heard(read: int, pid: int, until: float) -> tuple[bytes, int | None]:
    """All that the process says until it ends, and its status; None where the time was up before."""
    text, status, open_ = b"", None, True
    while True:
        # What the process started may hold the other end open after it: its own end is looked for too.
        ready, _, _ = select.select([read] if open_ else [], [], [], 0.02)
        if ready:
            more = os.read(read, 65536)
            text, open_ = text + more, bool(more)
            continue
        if status is not None:
            return text, status
        ended, how = os.waitpid(pid, os.WNOHANG)
        status = how if ended else None
        if status is None and time.monotonic() > until:
            return text, None


def _change(trees: dict[str, ast.Module]) -> None:
    """Have the importer hand out the changed code for the files; their compiled code on disk is passed by."""
    original = SourceFileLoader.get_code
    changed = {os.path.realpath(file): tree for file, tree in trees.items()}

    def get_code(self: Any, fullname: str) -> Any:
        path = self.get_filename(fullname)
        tree = changed.get(os.path.realpath(path))
        return original(self, fullname) if tree is None else compile(tree, path, "exec", dont_inherit=True)

    SourceFileLoader.get_code = get_code  # type: ignore[method-assign]
