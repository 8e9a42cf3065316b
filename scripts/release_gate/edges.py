"""The protocols through which the house reaches outside: nothing below `cli.py` does so by itself.

The real ones are made once, in `cli.py`, and handed down as parameters; tests hand down others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol


class Clock(Protocol):
    """Time, and the passing of it."""

    def now(self) -> datetime:
        """The present moment, with its time zone (UTC)."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let that many seconds pass."""
        ...


@dataclass(frozen=True)
class Completed:
    """How a process ended: its exit status, the last lines it printed, and whether we had to end it."""

    command: tuple[str, ...]
    status: int
    tail: str
    seconds: float
    timed_out: bool = False
    flooded: bool = False

    @property
    def ok(self) -> bool:
        """Whether it ended by itself, with status 0."""
        return self.status == 0 and not self.timed_out


class Running(Protocol):
    """A process that goes on while we do something else."""

    @property
    def pid(self) -> int:
        """Its process id."""
        ...

    def alive(self) -> bool:
        """Whether it still runs."""
        ...

    def tail(self) -> str:
        """The last lines it printed."""
        ...

    def stop(self, grace: float = 5.0) -> Completed:
        """End it and every process it started: SIGTERM, then SIGKILL after `grace` seconds."""
        ...


class Runner(Protocol):
    """Runs the caller's commands: never through a shell, never with our secrets, always with a limit."""

    def run(self, command: Sequence[str], *, cwd: Path, environment: Mapping[str, str], limit: float) -> Completed:
        """Run to the end, or end the whole process tree after `limit` seconds."""
        ...

    def start(self, command: Sequence[str], *, cwd: Path, environment: Mapping[str, str]) -> Running:
        """Start and return at once; the caller stops it."""
        ...


@dataclass(frozen=True)
class Daemon:
    """A process that outlives us, by its id and the moment it started: ids are given again, that pair is not."""

    pid: int
    started: float


class Daemons(Protocol):
    """Starts processes that go on serving after we have ended, and finds them again."""

    def start(self, command: Sequence[str], *, cwd: Path, environment: Mapping[str, str], log: Path) -> Daemon:
        """Start in a session of its own, with its output in `log`."""
        ...

    def alive(self, daemon: Daemon) -> bool:
        """Whether that very process still runs."""
        ...

    def find(self, log: Path) -> tuple[Daemon, ...]:
        """The processes started with that log: we may have been killed before we could write down that they run."""
        ...

    def stop(self, daemon: Daemon, grace: float) -> None:
        """End it and every process it started: SIGTERM, then SIGKILL after `grace` seconds. Gone already is well."""
        ...


class Answer(Protocol):
    """An HTTP answer, as `requests.Response` gives it."""

    status_code: int

    @property
    def headers(self) -> Any:
        """The headers, looked up without regard to case."""
        ...

    @property
    def content(self) -> bytes:
        """The whole body."""
        ...

    @property
    def text(self) -> str:
        """The body as text."""
        ...

    def json(self) -> Any:
        """The body read as JSON; raises ValueError where it is not."""
        ...


class Session(Protocol):
    """Speaks HTTP, as `requests.Session` does."""

    def request(self, method: str, url: str, /, **options: Any) -> Answer:
        """Ask, and wait for the answer no longer than `timeout` among the options."""
        ...

    def close(self) -> None:
        """Let go of idle connections; the session can be used on."""
        ...


class Store(Protocol):
    """Bytes under keys (`a/b/c`), for packages and ledgers."""

    def put_new(self, key: str, content: bytes) -> bool:
        """Write, unless the key exists: one of two writers at once gets True, the other False."""
        ...

    def get(self, key: str) -> bytes | None:
        """What stands under the key, or None."""
        ...

    def keys(self, prefix: str) -> Iterator[str]:
        """The keys below a prefix, sorted."""
        ...
