"""Starts processes that go on serving after we have ended, finds them again, and ends them with all they started.

The opposite of `processes.py`: nothing here dies with us. A process is known by its id and the moment it started, since
ids are given again; and by a mark in its environment, by which it is found when we were killed before we could write
down that it runs.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import psutil

from release_gate.caller.scrubbing import scrubbed
from release_gate.edges import Daemon
from release_gate.files import make_folder
from release_gate.findings import BadInput

MARK = "RELEASE_GATE_DAEMON"
"""Variable that holds the path of the log: inherited by every process that a daemon starts."""
START = "RELEASE_GATE_DAEMON_START"
"""Variable that tells one start from another with the same log, likewise inherited."""
KILLED = 5.0
"""Seconds we wait for processes to be gone after SIGKILL."""
PAUSE = 0.02
FORMER = ".before"


class SystemDaemons:
    """The real `Daemons`. `environ` is our own environment, of which they get what `scrubbed` leaves."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = scrubbed(environ)
        self._children: dict[int, subprocess.Popen[bytes]] = {}

    def start(self, command: Sequence[str], *, cwd: Path, environment: Mapping[str, str], log: Path) -> Daemon:
        """Start in a session of its own, with its output in `log`; the log of the start before is kept beside it.

        Raises:
            BadInput: `command-missing`: there is no such command, or it can't be executed.
        """
        variables = {**self._environ, **environment, MARK: str(log), START: secrets.token_hex(8)}
        if "PATH" in environment:
            variables["PATH"] = os.pathsep.join(filter(None, (environment["PATH"], self._environ.get("PATH"))))
        make_folder(log.parent)
        if log.exists():
            log.replace(log.with_name(log.name + FORMER))
        if not cwd.is_dir():
            raise BadInput.because("command-missing", f"`{command[0]}` can't start: there is no folder {cwd}")
        try:
            with log.open("wb") as output:
                child = subprocess.Popen(
                    _found(tuple(command), cwd, variables),
                    cwd=cwd,
                    env=variables,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        except (OSError, ValueError) as error:
            cause = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
            raise BadInput.because("command-missing", f"`{command[0]}` can't start: {cause}") from error
        self._children[child.pid] = child
        return Daemon(child.pid, _began(child.pid) or 0.0)

    def alive(self, daemon: Daemon) -> bool:
        """Whether that very process still runs; one that has ended but was not waited for does not."""
        self._reap()
        return daemon.started > 0 and _began(daemon.pid) == daemon.started

    def find(self, log: Path) -> tuple[Daemon, ...]:
        """The processes started with that log, whoever started them and whatever was written down."""
        self._reap()
        found = []
        for process in _marked(str(log)):
            # What a daemon starts has its mark as well: the daemon itself leads its session.
            with contextlib.suppress(OSError):
                if os.getsid(process.pid) == process.pid and (began := _began(process.pid)) is not None:
                    found.append(Daemon(process.pid, began))
        return tuple(found)

    def stop(self, daemon: Daemon, grace: float) -> None:
        """End it and every process it started: SIGTERM, then SIGKILL after `grace` seconds. Gone already is well."""
        family = self._family(daemon)
        if self.alive(daemon):
            # The first one gets the word: servers with workers know how to end those.
            with contextlib.suppress(psutil.Error):
                psutil.Process(daemon.pid).terminate()
            _until(lambda: not self.alive(daemon), grace)
        # A few rounds: what is being ended may just have started another.
        for _ in range(5):
            left = {one.pid: one for one in (*family, *self._family(daemon)) if one.is_running() and not _ended(one)}
            if not left:
                break
            for process in left.values():
                with contextlib.suppress(psutil.Error):
                    process.kill()
            _until(lambda: all(_ended(process) for process in left.values()), KILLED)  # noqa: B023 - asked at once
            family = []
        self._reap()

    def _family(self, daemon: Daemon) -> list[psutil.Process]:
        """The daemon, what it started, and what is left of its session when it is gone.

        A session's number is not given to a new process while one of the session lives.
        """
        began = _began(daemon.pid)
        family: dict[int, psutil.Process] = {}
        if began == daemon.started:
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(daemon.pid)
                inherited = process.environ()
                mark, start = inherited.get(MARK), inherited.get(START)
                for one in (process, *process.children(recursive=True), *(_marked(mark, start) if mark else ())):
                    family[one.pid] = one
        if began in (None, daemon.started):
            for one in psutil.process_iter():
                with contextlib.suppress(OSError):
                    if os.getsid(one.pid) == daemon.pid:
                        family[one.pid] = one
        return list(family.values())

    def _reap(self) -> None:
        """Wait for those children of ours that have ended: they would stay as zombies."""
        self._children = {pid: child for pid, child in self._children.items() if child.poll() is None}


def _until(gone: Callable[[], bool], seconds: float) -> None:
    """Wait for an end. One that nobody waited for has ended too: in a container the first process may wait for none."""
    until = time.monotonic() + seconds
    while not gone() and time.monotonic() < until:
        time.sleep(PAUSE)


def _found(command: tuple[str, ...], cwd: Path, variables: Mapping[str, str]) -> tuple[str, ...]:
    """The command with its program looked up in the PATH it will have, not in ours."""
    if "/" in command[0]:
        return command
    for folder in variables.get("PATH", os.defpath).split(os.pathsep):
        candidate = cwd / folder / command[0]
        if candidate.is_file() and os.access(candidate, os.X_OK):
            return (str(candidate), *command[1:])
    raise FileNotFoundError(2, "no such command in PATH")


def _began(pid: int) -> float | None:
    """When a process started, None where it has ended.

    On Linux in seconds since the machine started: the date in psutil's answer moves when the clock is set.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        if Path("/proc/self/stat").exists():
            return None
        return _dated(pid)
    return None if stat[0] in (b"Z", b"X") else int(stat[19]) / os.sysconf("SC_CLK_TCK")


def _dated(pid: int) -> float | None:
    try:
        process = psutil.Process(pid)
        return None if _ended(process) else float(process.create_time())
    except psutil.Error:
        return None


def _ended(process: psutil.Process) -> bool:
    try:
        return bool(process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD))
    except psutil.Error:
        return True


def _marked(mark: str, start: str | None = None) -> Iterator[psutil.Process]:
    """The processes with that log, of one start where that is named."""
    processes: Iterable[psutil.Process] = psutil.process_iter()
    for process in processes:
        with contextlib.suppress(psutil.Error, OSError):
            inherited = process.environ()
            same = inherited.get(MARK) == mark and start in (None, inherited.get(START))
            if same and not _ended(process):
                yield process
