"""Runs the caller's commands: no shell, none of our secrets, always with an end.

Each command runs under a small supervisor (`inside/supervise.py`) that adopts and ends whatever the command leaves
behind, also when we are killed outright. Off Linux a process that leaves its session and its parent can escape.
"""

from __future__ import annotations

import errno
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

import psutil

from release_gate.caller.scrubbing import scrubbed
from release_gate.caller.tail import Tail
from release_gate.edges import Completed, Running
from release_gate.findings import BadInput, CannotJudge

FLOOD = 64 * 1024 * 1024
"""A command that prints more bytes than this is ended: it would fill the log and hide what matters."""
GRACE = 2.0
"""Seconds between SIGTERM and SIGKILL when a command has used up its time."""
LOST = 20.0
"""Seconds we wait for a supervisor to tidy up before we end it ourselves."""
SUPERVISOR = Path(__file__).parent / "inside" / "supervise.py"


class Processes:
    """The real `Runner`. `environ` is our own environment, of which the commands get what `scrubbed` leaves.

    `environment` given with a command is laid over that; its `PATH` goes in front of ours instead of replacing it.
    """

    def __init__(self, environ: Mapping[str, str], *, terminal: TextIO | None = None, flood: int = FLOOD) -> None:
        self._environ = scrubbed(environ)
        self._terminal = terminal if terminal is not None else (sys.stderr if sys.stderr.isatty() else None)
        self._flood = flood

    def run(self, command: Sequence[str], *, cwd: Path, environment: Mapping[str, str], limit: float) -> Completed:
        """Run to the end; after `limit` seconds end the command and everything it started.

        Raises:
            BadInput: `command-missing`: there is no such command, or it can't be executed.
        """
        with self.start(command, cwd=cwd, environment=environment) as process:
            ended = process.wait(limit)
            return process.stop(GRACE, timed_out=not ended)

    def start(self, command: Sequence[str], *, cwd: Path, environment: Mapping[str, str]) -> Process:
        """Start and return when the command executes; it ends with `stop()`, or when we do.

        Raises:
            BadInput: `command-missing`: there is no such command, or it can't be executed.
        """
        merged = {**self._environ, **environment}
        if "PATH" in environment:
            merged["PATH"] = os.pathsep.join(filter(None, (environment["PATH"], self._environ.get("PATH"))))
        show = Progress(self._terminal) if self._terminal is not None else None
        return Process(tuple(command), cwd, merged, flood=self._flood, show=show)


class Progress:
    """Shows the last line of a running command on a terminal, and takes it away at the end."""

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal
        self._began = time.monotonic()
        self._shown = 0.0

    def __call__(self, line: str) -> None:
        """Show a line, at most ten times a second; control characters can't reach the terminal."""
        now = time.monotonic()
        if now - self._shown >= 0.1:
            self._shown = now
            printable = "".join(letter if letter.isprintable() else " " for letter in line[:90])
            self._terminal.write(f"\r\x1b[2K{now - self._began:6.0f} s  {printable}")
            self._terminal.flush()

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            self._terminal.write("\r\x1b[2K")
            self._terminal.flush()


class Process(Running):
    """One command under its supervisor."""

    def __init__(
        self, command: tuple[str, ...], cwd: Path, environment: Mapping[str, str], *, flood: int, show: Progress | None
    ) -> None:
        if not cwd.is_dir():
            raise BadInput.because("command-missing", f"`{command[0]}` can't start: there is no folder {cwd}")
        self._command, self._flood, self._show = command, flood, show
        self._began = time.monotonic()
        self._tail, self._held = Tail(), threading.Lock()
        self._seen, self._flooded = 0, False
        self._status: int | None = None
        self._completed: Completed | None = None
        self._heard = b""
        self._report, report = os.pipe()
        try:
            self._supervisor = subprocess.Popen(
                [sys.executable, "-I", "-S", "-B", str(SUPERVISOR), str(report), *command],
                cwd=cwd,
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                bufsize=0,
                pass_fds=(report,),
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            os.close(self._report)
            cause = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
            raise BadInput.because("command-missing", f"`{command[0]}` can't start: {cause}") from error
        finally:
            os.close(report)
        self._reader = threading.Thread(target=self._drain, daemon=True)
        self._reader.start()
        try:
            self._pid = self._started(environment)
        except BaseException:
            self._release()
            raise

    def _started(self, environment: Mapping[str, str]) -> int:
        word, _, number = (self._hear(LOST) or "").partition(" ")
        if word == "started":
            return int(number)
        name = self._command[0]
        if word != "failed":
            raise CannotJudge.because(
                "internal-error", f"the supervisor of `{name}` did not start: {self._tail.text()[-500:]}"
            )
        cause = os.strerror(int(number))
        if int(number) == errno.ENOENT and "/" not in name:
            cause = f"no such command in PATH ({environment.get('PATH', '')[:300]})"
        raise BadInput.because("command-missing", f"`{name}` can't be executed: {cause}")

    def _drain(self) -> None:
        assert self._supervisor.stdout is not None  # noqa: S101 - for the type checker: we asked for a pipe
        output = self._supervisor.stdout.fileno()
        while piece := os.read(output, 65536):
            self._seen += len(piece)
            if self._seen > self._flood:
                if not self._flooded:
                    self._flooded = True
                    self._hang_up()
                continue
            with self._held:
                self._tail.feed(piece)
            if self._show is not None:
                self._show(self._tail.last)

    def _hang_up(self) -> None:
        """Close the supervisor's input: it kills everything at once."""
        assert self._supervisor.stdin is not None  # noqa: S101
        self._supervisor.stdin.close()

    def _hear(self, seconds: float) -> str | None:
        """The supervisor's next line, or None: nothing came in that time, or it is gone."""
        until = time.monotonic() + seconds
        ready = select.poll()
        ready.register(self._report, select.POLLIN)
        while b"\n" not in self._heard:
            # poll counts in milliseconds, in a C integer: longer waits go in turns of an hour.
            turn = min(max(0.0, until - time.monotonic()), 3600.0)
            if ready.poll(turn * 1000):
                piece = os.read(self._report, 256)
                if not piece:
                    return None
                self._heard += piece
            elif time.monotonic() >= until:
                return None
        line, _, self._heard = self._heard.partition(b"\n")
        return line.decode("ascii")

    @property
    def pid(self) -> int:
        """The command's process id."""
        return self._pid

    def wait(self, limit: float) -> bool:
        """Wait for the command to end by itself; False when the seconds passed first."""
        # Where we are interrupted before we heard that it started, that line still stands before the one we wait for.
        while self._status is None and (line := self._hear(limit)):
            word, _, number = line.partition(" ")
            self._status = int(number) if word == "ended" else None
        return self._status is not None or self._supervisor.poll() is not None

    def alive(self) -> bool:
        """Whether the command still runs."""
        return self._completed is None and not self.wait(0)

    def tail(self) -> str:
        """The last lines it printed."""
        with self._held:
            return self._tail.text()

    def stop(self, grace: float = 5.0, *, timed_out: bool = False) -> Completed:
        """End it and every process it started; how it ended, also when asked again."""
        if self._completed is not None:
            return self._completed
        try:
            if not self.wait(0) and grace > 0:
                self._tell(b"T")
                self.wait(grace)
            seconds = time.monotonic() - self._began
        finally:
            self._release()
        self._completed = Completed(
            command=self._command,
            status=-9 if self._status is None else self._status,
            tail=self.tail(),
            seconds=round(seconds, 3),
            timed_out=timed_out,
            flooded=self._flooded,
        )
        return self._completed

    def _tell(self, word: bytes) -> None:
        assert self._supervisor.stdin is not None  # noqa: S101
        try:
            self._supervisor.stdin.write(word)
        except (OSError, ValueError):
            return  # it has ended meanwhile, or was hung up on: nothing is left to be told

    def _release(self) -> None:
        """Have everything ended, then let go of pipes and thread."""
        self._hang_up()
        try:
            self._supervisor.wait(LOST)
        except subprocess.TimeoutExpired:
            _end_tree(self._supervisor.pid)
            self._supervisor.wait()
        self.wait(0)
        self._reader.join(2.0)
        os.close(self._report)
        if self._supervisor.stdout is not None and not self._reader.is_alive():
            self._supervisor.stdout.close()
        if self._show is not None:
            self._show.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        # Leaving on an exception (Ctrl-C among them) nobody waits for a polite end.
        self.stop(GRACE if kind is None else 0.0)


def _end_tree(root: int) -> None:
    """End a process and all below it from outside: for a supervisor that does not answer."""
    try:
        parent = psutil.Process(root)
        family = [*parent.children(recursive=True), parent]
    except psutil.NoSuchProcess:
        return
    for process in family:
        try:
            process.kill()
        except psutil.Error:
            continue
    psutil.wait_procs(family, timeout=5)
