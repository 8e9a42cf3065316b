"""Starts the caller's server, waits until it answers, and stops it with all it started."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from release_gate.edges import Clock, Completed, Runner, Running, Session
from release_gate.findings import finding
from release_gate.serving.checks import Smoke
from release_gate.serving.http import NoAnswer, ask
from release_gate.verdict import Finding

STARTS = 3
"""A port that was free may be taken before the server binds it: then another is tried, this often."""
PAUSE = 0.2
REFUSED = 5.0
"""Seconds of nothing but 404 after which the path is taken to be wrong, not the server slow."""
NOT_FOUND = 404
IN_USE = "address already in use"
"""How a system words EADDRINUSE, whatever the server's language."""


class NotServing(Exception):
    """A server did not come up; `finding` says why, with its last lines."""

    def __init__(self, found: Finding) -> None:
        super().__init__(found.message)
        self.finding = found


@dataclass(frozen=True)
class Up:
    """A server that answers."""

    url: str
    process: Running
    seconds: float


@contextmanager
def started(
    command: Callable[[int], Sequence[str]],
    smoke: Smoke,
    *,
    runner: Runner,
    session: Session,
    clock: Clock,
    cwd: Path,
    environment: Mapping[str, str],
    port: Callable[[], int] | None = None,
) -> Iterator[Up]:
    """A running server for the length of the block; `command` makes the words for a port.

    Raises:
        NotServing: `serve-died`, `serve-not-ready`.
    """
    for attempt in range(1, STARTS + 1):
        chosen = (port or free_port)()
        began = clock.monotonic()
        process = runner.start(command(chosen), cwd=cwd, environment=environment)
        try:
            url = f"http://127.0.0.1:{chosen}"
            problem = _wait(url, process, smoke, session, clock)
            if problem is None:
                yield Up(url, process, round(clock.monotonic() - began, 3))
                return
            again = problem.code == "serve-died" and taken(chosen)
        finally:
            process.stop()
        if not again or attempt == STARTS:
            raise NotServing(problem)


def free_port() -> int:
    """A port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def taken(port: int) -> bool:
    """Whether somebody listens on the port our server could not get."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def listens(pid: int, port: int) -> bool:
    """Whether a process or one of its children has the port: another's answer must not speak for ours."""
    import psutil  # noqa: PLC0415 - only needed where a server runs

    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        sockets = [one for process in family for one in process.net_connections("tcp")]
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True  # a system that does not let us look; the process is alive, and that is all we know
    return any(one.status == psutil.CONN_LISTEN and one.laddr[1:2] == (port,) for one in sockets)


def _wait(url: str, process: Running, smoke: Smoke, session: Session, clock: Clock) -> Finding | None:
    """None once the health check answers as it should (any answer where there is none); else why it did not."""
    health = smoke.health
    route, status = (health.get or "/", str(health.status)) if health else ("/", "")
    until, port = clock.monotonic() + smoke.start_within, int(url.rpartition(":")[2])
    last = "it never answered"
    astray: float | None = None  # since when our own server says nothing but that there is no such path
    while True:
        if not process.alive():
            return _died(process.stop(), port)
        try:
            reply = ask(session, clock, "GET", url + route)
        except NoAnswer as problem:
            last, astray = str(problem), None
        else:
            right = status in ("", str(reply.status), f"{reply.status // 100}xx")
            ours = listens(process.pid, port) if right or reply.status == NOT_FOUND else False
            if right and ours:
                return None
            last = f"GET {route} answers {reply.status}, not {status}"
            if right:
                last = "another process answers on its port"
            lost = ours and reply.status == NOT_FOUND
            astray = (clock.monotonic() if astray is None else astray) if lost else None
        now = clock.monotonic()
        if health is not None and astray is not None and (now - astray >= REFUSED or now >= until):
            return _astray(route, health.name, process.tail())
        if now >= until:
            told = f"the server was not ready on port {port} within {smoke.start_within:g} s: {last}"
            return finding("serve-not-ready", f"{told}\n{process.tail()[-4000:]}".rstrip())
        clock.sleep(PAUSE)


def _astray(route: str, check: str, tail: str) -> Finding:
    told = f"the server is up and answers GET {route} with 404: it has no such path, so it never counts as ready"
    remedy = f"Correct `get:` of the check '{check}' in smoke.yml to a path the server has, or give the server {route}."
    return finding("serve-not-ready", f"{told}\n{tail[-4000:]}".rstrip(), remedy=remedy)


def _died(ended: Completed, port: int) -> Finding:
    told = f"the server, given port {port}, ended with status {ended.status} before it answered"
    # Ours was free: the one that is taken is another, which the server chose itself.
    remedy = "Listen on 127.0.0.1:{port}, not on a port of the server's own." if IN_USE in ended.tail.lower() else None
    return finding("serve-died", f"{told}\n{ended.tail[-4000:]}".rstrip(), remedy=remedy)
