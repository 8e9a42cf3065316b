"""A server for tests that runs already: it answers as versions in turn, as a proxy in front of several would."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any


@dataclass
class Serving:
    """What is served: `versions` in turn, the health check's `status` of each answer, the `weight` of predictions."""

    url: str = ""
    versions: Sequence[str] = ()
    statuses: Sequence[int] = (200,)
    weight: float = 0.25
    asked: list[str] = field(default_factory=list)
    broken: int | None = None

    def health(self, number: int) -> tuple[int, Any]:
        return self.statuses[min(number, len(self.statuses) - 1)], {
            "version": self.versions[number % len(self.versions)]
        }


@contextmanager
def serving(*versions: str, **how: Any) -> Iterator[Serving]:
    """A server on a free port of 127.0.0.1."""
    told = Serving(versions=versions, **how)
    numbers = count()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.asked.append(self.path)
            number = next(numbers)
            if number == told.broken:
                self.close_connection = True
                return
            self.answer(*told.health(number))

        def do_POST(self) -> None:
            told.asked.append(self.path)
            try:
                rows = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["rows"]
                self.answer(200, {"predictions": [{"score": told.weight * row["x"]} for row in rows]})
            except (ValueError, KeyError, TypeError):
                self.answer(422, {})

        def answer(self, status: int, content: Any) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.url = f"http://127.0.0.1:{listening.server_port}"
    thread = threading.Thread(target=listening.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield told
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()
