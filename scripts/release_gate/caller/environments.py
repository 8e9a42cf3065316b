"""Makes Python environments from lock files with uv, each whole or not at all, one builder at a time.

A package's environment is shared by all packages of the same lock and Python; it is kept in a cache under its digest.
The development environment of a working tree holds its tests' packages too.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import platform
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from release_gate.caller.commands import failed
from release_gate.caller.interpreters import interpreter, pinned, project, uv
from release_gate.caller.locks import Lock, development_files, find_lock
from release_gate.edges import Runner
from release_gate.files import make_folder, write_whole
from release_gate.findings import BadInput, CannotJudge
from release_gate.verdict import Where

__all__ = ["Environment", "Lock", "cache_folder", "development_environment", "environment_for", "find_lock"]

FORMAT = 1
"""Raised when environments are made in another way, so that those made before are not taken."""
STAMP = ".release-gate.json"
LIMIT = 900.0
DEVELOPMENT = Path(".release-gate") / "environment"
TEST_EXTRAS = ("dev", "test", "tests", "testing")


@dataclass(frozen=True)
class Environment:
    """A Python environment; `variables` are given to a command so that it runs in it."""

    python: Path
    bin: Path
    variables: dict[str, str]
    lock_digest: str


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Where environments are kept: `RELEASE_GATE_CACHE`, else ~/.cache/release-gate."""
    chosen = environ.get("RELEASE_GATE_CACHE")
    if chosen:
        return Path(chosen).absolute()
    home = environ.get("HOME")
    return (Path(home) if home else Path.home()) / ".cache" / "release-gate"


def environment_for(
    folder: Path, lock: Lock, runner: Runner, *, cache: Path, limit: float = LIMIT, version: str | None = None
) -> Environment:
    """The environment of a package: what its lock says without development groups; made once, then taken from cache.

    `version` is the Python asked for by who runs us (`UV_PYTHON`); a `.python-version` in the package outweighs it.

    Raises:
        CannotJudge: `environment-failed`, with uv's last lines.
    """
    python = interpreter(folder, runner, pinned(folder) or version)
    stamp = {"format": FORMAT, "kind": lock.kind, "lock": lock.digest, "python": python.version, "machine": _machine()}
    digest = hashlib.sha256(json.dumps(stamp, sort_keys=True).encode()).hexdigest()
    prefix = cache / "environments" / digest[:32]
    with _alone(prefix, stamp, limit) as needed:
        if needed:
            _make(folder, lock, runner, prefix=prefix, python=python.path, limit=limit, development=False)
    return _environment(prefix, folder, lock)


def development_environment(
    root: Path, lock: Lock, runner: Runner, *, limit: float = LIMIT, version: str | None = None
) -> Environment:
    """The environment of a working tree, in `.release-gate/environment`: with development groups, made when stale.

    `version` is the Python asked for by who runs us (`UV_PYTHON`); it outweighs what the tree asks for, as with uv.

    Raises:
        CannotJudge: `environment-failed`, with uv's last lines.
    """
    python = interpreter(root, runner, version)
    declared = root / "pyproject.toml"
    stamp = {
        "format": FORMAT,
        "kind": lock.kind,
        "lock": lock.digest,
        "project": hashlib.sha256(declared.read_bytes()).hexdigest() if declared.is_file() else "",
        "python": python.version,
        "machine": _machine(),
        "root": str(root),
    }
    prefix = root / DEVELOPMENT
    with _alone(prefix, stamp, limit) as needed:
        if needed:
            _make(root, lock, runner, prefix=prefix, python=python.path, limit=limit, development=True)
    return _environment(prefix, root, lock)


def given_environment(python: Path, folder: Path) -> Environment:
    """The environment of an interpreter that a user names (`--python`); nothing is known of its lock.

    Raises:
        BadInput: `command-missing`: there is no such interpreter.
    """
    if not python.is_file():
        raise BadInput.because("command-missing", f"there is no Python at {python}", where=Where(file=str(python)))
    # Not resolved: a virtual environment's python is a link, and the link is what makes it one.
    python = python.absolute()
    return Environment(python, python.parent, _variables(python.parent, folder), "")


def _make(
    folder: Path, lock: Lock, runner: Runner, *, prefix: Path, python: Path, limit: float, development: bool
) -> None:
    if lock.kind == "uv":
        extras = project(folder).get("optional-dependencies")
        tests = [name for name in TEST_EXTRAS if isinstance(extras, dict) and name in extras]
        chosen = [f"--extra={name}" for name in tests] if development else ["--no-default-groups"]
        # A package's project is its folder on PYTHONPATH: installing it would tie a shared environment to one folder.
        chosen += [] if development else ["--no-install-project", "--no-install-workspace"]
        sync = ["sync", "--frozen", "--no-progress", "--compile-bytecode", f"--python={python}", *chosen]
        _uv(runner, sync, folder, {"UV_PROJECT_ENVIRONMENT": str(prefix)}, limit)
        return
    files = [lock.path, *(development_files(lock.path) if development and lock.kind == "requirements" else ())]
    into = f"--python={prefix / 'bin' / 'python'}"
    _uv(runner, ["venv", "--no-project", f"--python={python}", str(prefix)], folder, {}, limit)
    sync = ["pip", "sync", "--no-progress", "--compile-bytecode", into, *map(str, files)]
    _uv(runner, sync, folder, {}, limit)
    # sync installs what is listed and asks no further: a list that lacks something must not surprise at run time.
    _uv(runner, ["pip", "check", into], folder, {}, limit)


def _uv(runner: Runner, words: list[str], cwd: Path, environment: Mapping[str, str], limit: float) -> None:
    done = runner.run([uv(), *words], cwd=cwd, environment=environment, limit=limit)
    if not done.ok:
        raise CannotJudge(failed("making the environment", done, code="environment-failed", limit=limit))


@contextmanager
def _alone(prefix: Path, stamp: Mapping[str, object], limit: float) -> Iterator[bool]:
    """Hold the environment for us alone; yields whether it must be made. What is not stamped counts as not there.

    The system lets go of the lock when we end, however we end.
    """
    wanted = json.dumps(stamp, sort_keys=True).encode()
    if _stamped(prefix, wanted):  # the usual case needs no lock: a stamped environment changes no more
        yield False
        return
    make_folder(prefix.parent)
    with (prefix.parent / f"{prefix.name}.lock").open("wb") as file:
        until = time.monotonic() + limit
        while not _locked(file.fileno()):
            if time.monotonic() > until:
                raise CannotJudge.because(
                    "environment-failed", f"another process has been making {prefix} for {limit:g} s"
                )
            time.sleep(0.1)
        if _stamped(prefix, wanted):
            yield False
            return
        shutil.rmtree(prefix, ignore_errors=True)
        try:
            yield True
            write_whole(prefix / STAMP, wanted)
        except BaseException:
            shutil.rmtree(prefix, ignore_errors=True)
            raise


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _stamped(prefix: Path, wanted: bytes) -> bool:
    try:
        return (prefix / STAMP).read_bytes() == wanted and (prefix / "bin" / "python").exists()
    except OSError:
        return False


def _environment(prefix: Path, folder: Path, lock: Lock) -> Environment:
    found = prefix / "bin"
    variables = {**_variables(found, folder), "VIRTUAL_ENV": str(prefix)}
    return Environment(found / "python", found, variables, lock.digest)


def _variables(found: Path, folder: Path) -> dict[str, str]:
    sources = [folder, *([folder / "src"] if (folder / "src").is_dir() else [])]
    return {"PATH": str(found), "PYTHONPATH": ":".join(str(source.absolute()) for source in sources)}


def _machine() -> str:
    return f"{sys.platform}-{platform.machine()}-{platform.libc_ver()[0]}"
