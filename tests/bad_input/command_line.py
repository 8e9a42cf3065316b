"""Runs `release-gate` as a user does, and holds every run to what must be true however it ends."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.tiny.project import Project

PROGRAM = Path(sys.executable).parent / "release-gate"
MARK = "TINY_RUN"
"""A variable that every process of a run inherits: by it those that outlive the run are found."""
_TOLD = re.compile(r"^  (error|warning|note) \[([a-z0-9-]+)\] ")
_OURS = re.compile(r"^(Traceback \(most recent|Exception ignored)", re.MULTILINE)


@dataclass(frozen=True)
class Told:
    """A finding as it is printed: everything after its code, and its remedy."""

    severity: str
    code: str
    text: str
    remedy: str


@dataclass(frozen=True)
class Ended:
    """How a run ended and what it printed."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def told(self) -> list[Told]:
        """The findings on both outputs, in order."""
        found: list[Told] = []
        lines = iter([*self.out.splitlines(), *self.err.splitlines()])
        blocks: list[list[str]] = []
        for line in lines:
            if _TOLD.match(line):
                blocks.append([line])
            elif blocks and line.startswith("      "):
                blocks[-1].append(line)
        for block in blocks:
            head = _TOLD.match(block[0])
            assert head is not None
            text, _, remedy = "\n".join([block[0][head.end() :], *block[1:]]).partition("\n      remedy: ")
            found.append(Told(head.group(1), head.group(2), text, remedy))
        return found

    @property
    def errors(self) -> list[Told]:
        """The findings that are errors."""
        return [one for one in self.told if one.severity == "error"]

    def warned(self, status: int, code: str, *says: str) -> Told:
        """Assert that it ended with `status` whatever this warning says, and that the warning says it."""
        shown = f"{self.out}\n{self.err}"
        found = [one for one in self.told if one.code == code]
        assert (self.code, [one.severity for one in found]) == (status, ["warning"]), shown
        for words in says:
            assert words in found[0].text, shown
        return found[0]

    def refused(self, status: int, code: str, *says: str) -> Told:
        """Assert that it ended for this one reason, said with a remedy; `says` must be in the message."""
        shown = f"{self.out}\n{self.err}"
        assert (self.code, sorted({one.code for one in self.errors})) == (status, [code]), shown
        first = self.errors[0]
        assert first.remedy.strip(), shown
        for words in says:
            assert words in first.text, shown
        return first


class Run:
    """A run that goes on, until `end()` holds what it left against the rules."""

    def __init__(self, project: Project, *words: str, **environment: str) -> None:
        self.project, self.mark = project, uuid.uuid4().hex
        self.temporary = project.root.with_name("temporary")
        self.temporary.mkdir(exist_ok=True)
        self._before = self._working_folders()  # of runs that were killed before this one
        known = {**project.environ, "TMPDIR": str(self.temporary), **environment, MARK: self.mark}
        self._out, self._err = (project.root.with_name(f"{self.mark}.{name}") for name in ("out", "err"))
        self.began = time.monotonic()
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                [str(PROGRAM), *words],
                cwd=project.root,
                env=known,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    def says(self, words: str, limit: float = 30.0) -> None:
        """Wait until it has printed these words as progress."""
        until = time.monotonic() + limit
        while words not in self._err.read_text(encoding="utf-8"):
            if self.process.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"it never said {words}: {self._err.read_text(encoding='utf-8')}")
            time.sleep(0.005)

    def end(self, limit: float = 60.0) -> Ended:
        """Wait for its end; nothing may run on, nothing half-written may stand, no traceback of ours be shown."""
        try:
            self.process.wait(limit)
        finally:
            self.process.kill()
        seconds = time.monotonic() - self.began
        out, err = (file.read_text(encoding="utf-8") for file in (self._out, self._err))
        ended = Ended(self.process.returncode, out, err, seconds)
        assert not _OURS.search(ended.err), ended.err
        assert not _OURS.search(ended.out), ended.out
        assert survivors(self.mark) == []
        killed = ended.code == -signal.SIGKILL  # nobody can tidy up after that; the next run does
        assert half_written(self.project, parts=not killed) == []
        if not killed:
            assert self._working_folders() <= self._before
        return ended

    def _working_folders(self) -> set[str]:
        return {path.name for path in self.temporary.glob("release-gate-*")}


def run(project: Project, *words: str, **environment: str) -> Ended:
    """A run to its end."""
    return Run(project, *words, **environment).end()


def survivors(mark: str, patience: float = 8.0) -> Sequence[str]:
    """Processes of a run that still live after it; those that are just being ended are given time."""
    until = time.monotonic() + patience
    while (left := _marked(mark)) and time.monotonic() < until:
        time.sleep(0.05)
    return left


def _marked(mark: str) -> list[str]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(MARK) == mark:
                found.append(f"{process.pid} {' '.join(process.cmdline())[:200]}")
        except psutil.Error:
            continue
    return found


def half_written(project: Project, *, parts: bool = True) -> list[str]:
    """What a reader could take for a result and is none: files in the making, a build without its other half."""
    folder = project.root / ".release-gate"
    found = [str(path.relative_to(folder)) for path in folder.rglob("*.part")] if parts else []
    told, package = (project.build / "build.json").exists(), (project.build / "package" / "index.json").exists()
    if told and not package:
        found.append("build.json without a package")
    if parts and package and not told:
        found.append("a package without build.json")
    return found
