"""What a part of the test bed has in common: a name, a reason when it cannot be had, one place on disk."""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PROJECT = Path(__file__).resolve().parents[3]


class UnavailableError(Exception):
    """A part cannot be had on this machine; the message says which, why and what would help."""

    def __init__(self, part: str, why: str, remedy: str) -> None:
        super().__init__(f"{part} cannot be had: {why} Remedy: {remedy}")


class BrokenError(AssertionError):
    """Something of the project's own does not work: never a reason to skip."""


def cache_folder() -> Path:
    """Where downloads and builds are kept between runs; safe to delete at any time."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = root / "release-gate-testbed"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def held(name: str) -> Iterator[None]:
    """Let one process at a time make a part: two test runs may start together."""
    with (cache_folder() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(
    command: Sequence[str | Path],
    *,
    part: str,
    remedy: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    limit: float = 600,
) -> str:
    """Run a command that makes a part; a failure tells the part, the command and its last lines."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=limit,
            check=False,
        )
    except FileNotFoundError:
        raise UnavailableError(part, f"there is no `{words[0]}` on this machine.", remedy) from None
    except subprocess.TimeoutExpired:
        raise UnavailableError(part, f"`{' '.join(words)}` took longer than {limit:.0f} s.", remedy) from None
    if done.returncode:
        tail = "\n    ".join(done.stdout.strip().splitlines()[-8:])
        raise UnavailableError(part, f"`{' '.join(words)}` ended with {done.returncode}:\n    {tail}\n", remedy)
    return done.stdout


def run_own(command: Sequence[str | Path], *, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """Run a command of the project's own, or one that cannot fail unless the project is broken."""
    try:
        return run(command, part="a part of the project", remedy="mend it.", cwd=cwd, env=env)
    except UnavailableError as reason:
        raise BrokenError(str(reason)) from None


def apt_install(packages: Sequence[str], *, part: str) -> None:
    """Install Debian packages, saying so; only root on a machine with apt can."""
    remedy = f"as root: apt-get install -y {' '.join(packages)}"
    if os.geteuid() != 0:
        raise UnavailableError(part, "installing packages needs root.", remedy)
    print(f"test bed: apt-get install {' '.join(packages)} (for {part})", flush=True)
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    with held("apt"):
        run(["apt-get", "update", "-qq"], part=part, remedy=remedy, env=quiet)
        run(
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages],
            part=part,
            remedy=remedy,
            env=quiet,
        )
