"""A GitHub of our own for what `emulate` lacks: real HTTP on the loopback, every request recorded.

In the tests of this folder every exchange is held against GitHub's own description (`held_to`, set by conftest.py).
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Request:
    """What was asked."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class Answer:
    """What is answered; `body` is sent as JSON unless it is bytes.

    `outside` says why an answer is none that GitHub's API describes: another server's, a broken or hostile one.
    """

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    outside: str = ""


class Describing(Protocol):
    """Knows what is wrong with an exchange."""

    def __call__(self, request: Request, answer: Answer) -> list[str]:
        """The problems, none for an exchange that could be one with GitHub."""
        ...


@dataclass
class Held:
    """What exchanges are held to; nothing outside of the tests of this folder."""

    to: Describing | None = None


HELD = Held()


@dataclass
class Double:
    """The address, what was asked so far, who answers, and what GitHub's description has against it."""

    url: str
    answer: Callable[[Request], Answer]
    asked: list[Request] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass
class FakeClock:
    """Time that passes only when somebody sleeps."""

    time: float = 1_767_000_000.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.time, UTC)

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


@contextlib.contextmanager
def serving(answer: Callable[[Request], Answer]) -> Iterator[Double]:
    """Serve until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            parts = urlsplit(self.path)
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            request = Request(
                self.command,
                parts.path,
                dict(parse_qsl(parts.query)),
                {name.lower(): value for name, value in self.headers.items()},
                json.loads(content) if content else None,
            )
            double.asked.append(request)
            given = double.answer(request)
            if HELD.to is not None:
                try:
                    double.problems += HELD.to(request, given)
                except Exception as error:  # noqa: BLE001 - here it would only close the connection
                    double.problems.append(f"{request.method} {request.path}: {error!r}")
            body = given.body if isinstance(given.body, bytes) else json.dumps(given.body).encode()
            self.send_response(given.status)
            for name, value in given.headers.items():
                self.send_header(name, value)
            if "Content-Length" not in given.headers:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = _any  # noqa: N815 - the base class names them so

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    double = Double(f"http://127.0.0.1:{server.server_port}", answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield double
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert not double.problems, "\n".join(double.problems)
