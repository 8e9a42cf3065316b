"""HAProxy's runtime API: asks on the admin socket, and reads what it answers about servers."""

from __future__ import annotations

import csv
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from release_gate.counts import Counts
from release_gate.findings import CannotJudge

PATIENCE = 5.0
"""Seconds for an answer."""
MOST = 8 * 1024 * 1024
"""Bytes of an answer."""
SERVERS_AND_BACKEND = 6


@dataclass(frozen=True)
class Server:
    """A server slot as HAProxy reports it. `weight` is the effective one: 0 unless it takes traffic."""

    name: str
    address: str
    status: str
    weight: int
    busy: int
    totals: Counts


@dataclass(frozen=True)
class Backend:
    """A backend, how it shares traffic, and its slots in the order of the configuration."""

    balance: str
    servers: tuple[Server, ...]


class Runtime:
    """The admin socket of one HAProxy: a path, or host:port."""

    def __init__(self, place: str) -> None:
        self.place = place

    def ask(self, *commands: str) -> str:
        """Give commands at once, and read the whole answer.

        Raises:
            CannotJudge: `proxy-unreachable`, `proxy-refused`.
        """
        try:
            answer = self._exchange("; ".join(commands))
        except OSError as error:
            cause = f"HAProxy's socket {self.place} does not answer: {error.strerror or error}"
            raise CannotJudge.because("proxy-unreachable", cause) from error
        for line in answer.splitlines():
            if line.startswith(("Permission denied", "Unknown command", "No such", "Can't find", "Require ")):
                message = f"HAProxy answers `{'; '.join(commands)[:200]}` with: {line[:300]}"
                raise CannotJudge.because("proxy-refused", message)
        return answer

    def _exchange(self, line: str) -> str:
        unix = "/" in self.place
        host, _, port = self.place.rpartition(":")
        address = self.place if unix else (host or "127.0.0.1", int(port) if port.isdigit() else 0)
        with socket.socket(socket.AF_UNIX if unix else socket.AF_INET) as opened:
            opened.settimeout(PATIENCE)
            opened.connect(address)
            opened.sendall(f"{line}\n".encode())
            pieces, size = [], 0
            while piece := opened.recv(65536):
                pieces.append(piece)
                size += len(piece)
                if size > MOST:
                    raise OSError(f"it answers with more than {MOST:,} bytes")
        return b"".join(pieces).decode(errors="replace")

    def process(self) -> str:
        """Which HAProxy answers: another process counts anew."""
        lines = dict(line.partition(": ")[::2] for line in self.ask("show info").splitlines())
        return f"{lines.get('Pid', '?')}@{lines.get('Start_time_sec', '?')}"

    def backend(self, name: str) -> Backend:
        """A backend and its servers.

        Raises:
            CannotJudge: `proxy-unreachable`, `proxy-refused`: there is no such backend; `proxy-unreadable`.
        """
        answer = self.ask(f"show stat {name} {SERVERS_AND_BACKEND} -1")
        rows = list(csv.DictReader(answer.removeprefix("# ").splitlines()))
        try:
            servers = tuple(_server(row) for row in rows if row["type"] == "2")
            balance = next(row.get("algo") or "" for row in rows if row["type"] == "1")
        except (KeyError, ValueError, TypeError, StopIteration) as error:
            message = f"HAProxy's `show stat {name}` can't be read ({type(error).__name__}: {error}): {answer[:300]}"
            raise CannotJudge.because("proxy-unreadable", message) from error
        return Backend(balance, servers)


def _server(row: Mapping[str, str]) -> Server:
    up = row["status"].startswith(("UP", "no check")) and row["act"] == "1"
    return Server(
        name=row["svname"],
        address=row["addr"],
        status=row["status"],
        weight=int(row["weight"] or 0) if up else 0,
        busy=int(row["scur"] or 0),
        totals=totals(row),
    )


def totals(row: Mapping[str, str]) -> Counts:
    """Requests of a server that have ended so far, from its row of `show stat`; never too many, at times a few too few.

    `lbtot` counts every request it was given. Those that are neither under way (`scur`, `qcur`), nor had an answer
    that began (`req_tot`), nor were given up by the client (`cli_abrt`) failed: no connection, a broken one, too late.
    The counters for those (`econ`, `wredis`, `eresp`) are not enough: where a kept-alive connection breaks, HAProxy
    closes the client's too and counts nothing. `srv_abrt` are answers that broke off halfway.
    """
    given, busy, queued, begun, aborted, failed, halfway = (
        int(row[name] or 0) for name in ("lbtot", "scur", "qcur", "req_tot", "cli_abrt", "hrsp_5xx", "srv_abrt")
    )
    lost, redispatched, broken = (int(row[name] or 0) for name in ("econ", "wredis", "eresp"))
    ended = max(0, given - busy - queued)
    unanswered = max(ended - begun - aborted, lost + redispatched + broken - halfway, 0)
    return Counts(requests=ended, errors=min(ended, failed + halfway + unanswered))
