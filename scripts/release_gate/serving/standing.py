"""What a target remembers between runs: the newest decision it obeyed, what runs, what is good, what is owed.

One small file, written whole, beside a copy; under a lock that the kernel lets go of when its holder is killed. A file
that can't be read is told and put right, and never stands in the way of a rollback.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, ValidationError

from release_gate.counts import Counts
from release_gate.edges import Clock, Daemon
from release_gate.files import make_folder, write_whole
from release_gate.findings import CannotJudge, finding
from release_gate.lifecycle.restoration import Restored
from release_gate.verdict import Finding, Value

FILE, COPY, CONFIGURATION = "target.json", "target.copy.json", "release-gate.yml"
KEPT = 5
"""Versions known to be good that are remembered."""
PATIENCE = 60.0
"""Seconds to wait for another run that holds the lock: routing takes less than one."""
PAUSE = 0.02


class Slot(Value):
    """The place in a proxy that a version took: its totals count from `since`, while the proxy's process is `of`.

    `seen` are the largest totals that were told: totals only rise.
    """

    name: str
    of: str
    since: Counts
    seen: Counts = Counts(requests=0, errors=0)


class Running(Value):
    """A server that was started."""

    model_config = ConfigDict(extra="ignore")

    port: Annotated[int, Field(ge=1, le=65535)]
    pid: Annotated[int, Field(ge=1)]
    started: float
    folder: str
    stopping: bool = False
    slot: Slot | None = None

    @property
    def daemon(self) -> Daemon:
        """Its process."""
        return Daemon(self.pid, self.started)

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.port}"


class Standing(Value):
    """What a target remembers. `owed` are texts of events, the oldest first; `kept` has the latest first.

    `restored` stands from a rollback's first change of the traffic until a release shares it anew.
    """

    model_config = ConfigDict(extra="ignore")

    version: Literal[1] = 1
    fence: Annotated[int, Field(ge=0)] = 0
    shares: dict[str, float] = Field(default_factory=dict)
    running: dict[str, Running] = Field(default_factory=dict)
    kept: tuple[str, ...] = ()
    owed: tuple[str, ...] = ()
    restored: Restored | None = None

    def having(self, digest: str, running: Running | None) -> Standing:
        """The same with a server that runs, or without it."""
        others = {name: one for name, one in self.running.items() if name != digest}
        return self.model_copy(update={"running": others if running is None else {**others, digest: running}})

    def released(self, shares: Collection[str], fence: int) -> Standing:
        """The same when a release decided who takes traffic."""
        same = self.restored is not None and set(shares) == {self.restored.package}
        return self.model_copy(update={"fence": fence, "restored": self.restored if same else None})

    def restoring(self, one: Restored) -> Standing:
        """The same when a rollback did: what loses its traffic is known to be good no more."""
        kept = tuple(digest for digest in self.kept if digest != one.replaces)
        return self.model_copy(update={"restored": one, "kept": kept})

    def keeping(self, digest: str) -> Standing:
        """The same with a version known to be good; the latest come first, and few are remembered."""
        others = [one for one in self.kept if one != digest]
        restored = self.restored
        if restored is not None and restored.package == digest:
            restored = restored.model_copy(update={"proven": True})
        return self.model_copy(update={"kept": (digest, *others)[:KEPT], "restored": restored})

    def owing(self, text: str, instead: str | None) -> Standing:
        """The same with one more event owed, in the place of `instead` where that is owed."""
        others = [one for one in self.owed if one not in (text, instead)]
        return self.model_copy(update={"owed": (*others, text)})


class StandingFile:
    """The file and its lock. `recover` completes what could not be read, by what still runs."""

    def __init__(self, folder: Path, clock: Clock, *, patience: float = PATIENCE) -> None:
        self.folder = folder.absolute()
        self.recover: Callable[[Standing], Standing] = lambda standing: standing
        self.problems: list[Finding] = []
        self._clock, self._patience = clock, patience

    def read(self) -> Standing:
        """What stands. Unreadable is a finding in `problems`, and what can still be known is put together."""
        reasons = []
        for name in (FILE, COPY):
            try:
                standing = Standing.model_validate_json((self.folder / name).read_bytes())
            except FileNotFoundError:
                continue
            except (OSError, ValidationError) as error:
                reasons.append(f"{self.folder / name}: {_first(error)}")
                continue
            self._tell(reasons, "its copy is used instead")
            return standing
        self._tell(reasons, "what can be known was put together from what still runs")
        return self.recover(Standing())

    def _tell(self, reasons: list[str], instead: str) -> None:
        if reasons and not any(one.code == "standing-broken" for one in self.problems):
            self.problems.append(finding("standing-broken", f"{'; '.join(reasons)}; {instead}"))

    def write(self, standing: Standing) -> None:
        """Write it whole, the copy first. One that could not be read is kept aside."""
        file, content = self.folder / FILE, (standing.model_dump_json(indent=1) + "\n").encode()
        try:
            Standing.model_validate_json(file.read_bytes())
        except FileNotFoundError:
            pass
        except (OSError, ValidationError):
            with contextlib.suppress(OSError):
                file.replace(file.with_name(f"{FILE}.broken"))
        write_whole(self.folder / COPY, content)
        write_whole(file, content)

    def change(self, by: Callable[[Standing], Standing]) -> Standing:
        """Read, change and write under the lock."""
        with self.held():
            standing = by(self.read())
            self.write(standing)
            return standing

    @contextlib.contextmanager
    def held(self, name: str = "lock", patience: float | None = None) -> Iterator[None]:
        """The lock for the length of the block; another name is another lock. Not to be taken twice.

        Raises:
            CannotJudge: `target-locked`: another run holds it for too long.
        """
        path = make_folder(self.folder) / name
        with path.open("ab", buffering=0) as lock:
            patience = self._patience if patience is None else patience
            until = self._clock.monotonic() + patience
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if self._clock.monotonic() >= until:
                        raise _locked(path, patience) from None
                    self._clock.sleep(PAUSE)
            with contextlib.suppress(OSError):  # whose it is only helps people; a full disk still locks
                lock.truncate(0)
                lock.write(f"{os.getpid()}\n".encode())
            yield


def _locked(path: Path, seconds: float) -> CannotJudge:
    holder = path.read_text(encoding="ascii", errors="replace").strip()[:20] or "unknown"
    return CannotJudge.because("target-locked", f"process {holder} holds {path} for more than {seconds:g} s")


def _first(error: OSError | ValidationError) -> str:
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    found = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in found["loc"])
    return f"{place}: {found['msg']}" if place else str(found["msg"])
