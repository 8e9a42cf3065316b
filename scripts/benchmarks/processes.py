"""Whole processes and what they cost; environments of the peers that they run in."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Run:
    """One process from its start to its end; seconds, and bytes at the peak. Its children count with it."""

    wall: float
    cpu: float
    peak: int
    code: int
    out: str
    err: str


def run(command: list[str], cwd: Path) -> Run:
    """Run a command to its end. The peak is that of the largest process, if it starts others."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        began = time.monotonic()
        process = subprocess.Popen(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        peak = used.ru_maxrss * 1024  # Linux counts in KiB
        return Run(wall, used.ru_utime + used.ru_stime, peak, process.returncode, out.read(), err.read())


def checked(done: Run, command: list[str], allowed: tuple[int, ...] = (0,)) -> Run:
    """The run, or the end of the benchmark where its exit code is none of those allowed."""
    if done.code not in allowed:
        raise SystemExit(f"bench: {' '.join(command)} ended with {done.code}\n{done.out[-3000:]}{done.err[-3000:]}")
    return done


@dataclass(frozen=True)
class Environment:
    """A virtual environment of a peer's own, made with uv where it is not there yet."""

    folder: Path
    packages: tuple[str, ...]
    uv: str

    @property
    def bin(self) -> Path:
        """Where its commands are."""
        return self.folder / "bin"

    def made(self, python: str) -> Environment:
        """The environment with the newest packages of the index; a half-made one is made again."""
        done = self.folder / "installed"
        if not done.exists():
            self._uv("venv", "--clear", "--python", python, str(self.folder))
            self._uv("pip", "install", "--compile-bytecode", "--python", str(self.bin / "python"), *self.packages)
            done.write_text("\n".join(self.packages))
        return self

    def versions(self, *names: str) -> str:
        """The versions of packages, as `pandera 0.35.0, pandas 3.1.1`."""
        listed = dict(line.split("==") for line in self._uv("pip", "freeze", "--python", str(self.bin / "python")))
        return ", ".join(f"{name} {listed[name]}" for name in names)

    def _uv(self, *arguments: str) -> list[str]:
        command = [self.uv, *arguments, "--quiet"]
        return checked(run(command, self.folder.parent), command).out.split()
