"""The servers of versions as processes that outlive us: started once, found again, ended with all they started.

What is about to be started is written down first (`servers/<digest>.json`), and every process carries the path of its
log in its environment: a server whose start nobody could write down is still found and used, or ended.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from release_gate.edges import Clock, Daemon, Daemons, Session
from release_gate.files import write_whole
from release_gate.findings import CannotJudge, finding
from release_gate.serving.http import NoAnswer, ask
from release_gate.serving.server import PAUSE, STARTS, free_port, listens, taken
from release_gate.serving.standing import Running, Standing, StandingFile
from release_gate.serving.targets.target import Version
from release_gate.verdict import Finding

GRACE = 10.0
"""Seconds a server has to end by itself."""
DRAIN = 15.0
"""Seconds its last answers may take."""
AT_ONCE = 2.0
"""Seconds in which one that can take traffic answers."""
TAIL = 4000


class Instances:
    """The servers of one model."""

    def __init__(self, file: StandingFile, daemons: Daemons, session: Session, clock: Clock) -> None:
        self._file, self._daemons, self._session, self._clock = file, daemons, session, clock
        self._folder = file.folder / "servers"
        file.recover = self._recovered

    def start(self, version: Version) -> str:
        """Have a server running and answering; where it answers.

        Raises:
            CannotJudge: `serve-died`, `serve-not-ready`, or `serve-undeclared`: the version has no server.
        """
        if version.command is None:
            raise CannotJudge.because("serve-undeclared", f"{version.digest} was built without `candidate.serve`")
        # Whoever starts it now may need all its tries.
        patience = STARTS * (version.start_within + GRACE)
        with self._file.held(self._lock(version.digest), patience):
            known = self._file.read().running.get(version.digest)
            running = self._found(version, known) or self._anew(version, version.command, known)
            self._file.change(lambda standing: standing.having(version.digest, running))
        return f"http://{running.address}"

    def answers(self, digest: str) -> bool:
        """Whether its server runs and answers anything at this moment, without knowing its package."""
        known = self._file.read().running.get(digest)
        if known is None or known.stopping or not self._daemons.alive(known.daemon):
            return False
        if not listens(known.pid, known.port):
            return False
        try:
            ask(self._session, self._clock, "GET", f"http://{known.address}/", patience=AT_ONCE)
        except NoAnswer:
            return False
        return True

    def _found(self, version: Version, known: Running | None) -> Running | None:
        """The server that runs already and answers; whatever else runs of this version is ended."""
        port = known.port if known else self._intended(version.digest)
        candidates = [known.daemon] if known is not None and self._daemons.alive(known.daemon) else []
        candidates += [one for one in self._daemons.find(self._log(version.digest)) if one not in candidates]
        found = None
        for daemon in candidates:
            if port is not None and found is None and self._wait(version, port, daemon) is None:
                found = daemon
            else:
                self._daemons.stop(daemon, GRACE)
        if found is None or port is None:
            return None
        slot = known.slot if known else None
        return Running(port=port, pid=found.pid, started=found.started, folder=str(version.folder), slot=slot)

    def _anew(self, version: Version, command: Callable[[int], tuple[str, ...]], known: Running | None) -> Running:
        # The port it had is what the proxy knows: where it is free still, traffic finds the server again by itself.
        ports = [known.port] if known is not None and not taken(known.port) else []
        for attempt in range(1, STARTS + 1):
            port = ports.pop() if ports else self._free_port()
            record = {"digest": version.digest, "port": port, "folder": str(version.folder)}
            write_whole(self._record(version.digest), json.dumps(record).encode())
            daemon = self._daemons.start(
                command(port),
                cwd=version.cwd,
                environment={**version.variables, "RELEASE_GATE_VERSION": version.digest},
                log=self._log(version.digest),
            )
            problem = self._wait(version, port, daemon)
            if problem is None:
                self._end_older(version.digest, daemon)
                slot = known.slot if known and known.port == port else None
                return Running(port=port, pid=daemon.pid, started=daemon.started, folder=str(version.folder), slot=slot)
            lost = problem.code == "serve-died" and taken(port)
            self._daemons.stop(daemon, GRACE)
            if not lost or attempt == STARTS:
                raise CannotJudge(problem)
        raise AssertionError  # the last attempt returned or raised

    def _end_older(self, digest: str, daemon: Daemon) -> None:
        """End what a run that was killed in the middle of a start left.

        Between its start and its first own word a process has no mark yet, and was not found before.
        """
        for one in self._daemons.find(self._log(digest)):
            if one.started < daemon.started:
                self._daemons.stop(one, GRACE)

    def _free_port(self) -> int:
        """A free port that the proxy does not know as that of another version, though that one may have died."""
        known = {running.port for running in self._file.read().running.values()}
        # The system hands them out in no order: a second try is rare, a third unheard of.
        return next((port for port in (free_port() for _ in range(20)) if port not in known), free_port())

    def _wait(self, version: Version, port: int, daemon: Daemon) -> Finding | None:
        """None once the server answers as it should; else why it did not."""
        until = self._clock.monotonic() + version.start_within
        while True:
            if not self._daemons.alive(daemon):
                told = f"the server of {version.digest}, given port {port}, ended before it answered"
                return finding("serve-died", f"{told}\n{self._tail(version.digest)}".rstrip())
            if (problem := self._problem(version, port, daemon)) is None:
                return None
            if self._clock.monotonic() >= until:
                told = f"the server of {version.digest} was not ready on port {port} in {version.start_within:g} s"
                return finding("serve-not-ready", f"{told}: {problem}\n{self._tail(version.digest)}".rstrip())
            self._clock.sleep(PAUSE)

    def _problem(self, version: Version, port: int, daemon: Daemon) -> str | None:
        """Why it does not answer yet. Only our own is asked: another's answer must not speak for it."""
        if not listens(daemon.pid, port):
            return "another process has its port" if taken(port) else "it does not listen there"
        try:
            status = ask(self._session, self._clock, "GET", f"http://127.0.0.1:{port}{version.health}").status
        except NoAnswer as problem:
            return str(problem)
        # Where smoke.yml names no path any answer will do; where it does, one that tells of health.
        ready = status < 500 if version.health == "/" else status < 400
        return None if ready else f"GET {version.health} answers {status}"

    def stop(self, digest: str, *, traffic: Callable[[], float], drained: Callable[[Running], bool]) -> None:
        """Let go of a server without traffic, once `drained` says that its last answers are given, or after a while.

        Raises:
            CannotJudge: `stop-refused`.
        """
        with self._file.held(self._lock(digest)):
            with self._file.held():
                share = traffic()
                if share > 0:
                    raise CannotJudge.because("stop-refused", f"{digest} takes {share:.4g} of the traffic")
                standing = self._file.read()
                running = standing.running.get(digest)
                if running is not None:  # from here on nothing is routed to it
                    running = running.model_copy(update={"stopping": True})
                    self._file.write(standing.having(digest, running))
            if running is not None:
                self._drain(running, drained)
                self._daemons.stop(running.daemon, GRACE)
            for left in self._daemons.find(self._log(digest)):
                self._daemons.stop(left, GRACE)
            self._file.change(lambda standing: standing.having(digest, None))
            self._record(digest).unlink(missing_ok=True)

    def _drain(self, running: Running, drained: Callable[[Running], bool]) -> None:
        until = self._clock.monotonic() + DRAIN
        self._clock.sleep(PAUSE)  # for a request that was on its way to it when the shares changed
        while self._daemons.alive(running.daemon) and not drained(running) and self._clock.monotonic() < until:
            self._clock.sleep(PAUSE)

    def running(self) -> tuple[str, ...]:
        """The versions whose servers were started and not stopped, those of which nobody could write it down too."""
        known = self._file.read().running
        forgotten = [one for one in self._recorded() if one not in known and self._daemons.find(self._log(one))]
        return (*known, *forgotten)

    def _recovered(self, standing: Standing) -> Standing:
        """What runs, put together from what was written down before each start and what still carries its mark."""
        for digest in self._recorded():
            port = self._intended(digest)
            alive = self._daemons.find(self._log(digest))
            if port is not None and len(alive) == 1:
                # The folder of the package is only told to people; it is known again at the next start.
                one = Running(port=port, pid=alive[0].pid, started=alive[0].started, folder="")
                standing = standing.having(digest, one)
        return standing

    def _recorded(self) -> list[str]:
        return [f"sha256:{path.stem}" for path in sorted(self._folder.glob("*.json"))]

    def _intended(self, digest: str) -> int | None:
        try:
            port = json.loads(self._record(digest).read_bytes())["port"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return port if isinstance(port, int) and 0 < port < 65536 else None

    def _record(self, digest: str) -> Path:
        return self._folder / f"{_hex(digest)}.json"

    def _log(self, digest: str) -> Path:
        return self._folder / f"{_hex(digest)}.log"

    def _lock(self, digest: str) -> str:
        return f"starting-{_hex(digest)[:12]}.lock"

    def _tail(self, digest: str) -> str:
        try:
            with self._log(digest).open("rb") as file:
                file.seek(max(0, file.seek(0, 2) - TAIL))
                return file.read().decode(errors="replace")
        except OSError:
            return ""


def _hex(digest: str) -> str:
    return digest.removeprefix("sha256:")
