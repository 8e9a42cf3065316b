"""Keeps the artifacts of workflow runs: PUT and GET of zip files by run id and name; each has an id as well."""

from __future__ import annotations

import contextlib
import json
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Artifacts:
    """Artifacts by run id and name, and the address they are served at."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.runs: dict[str, dict[str, bytes]] = {}

    def of(self, run: int | str) -> dict[str, bytes]:
        """Return the artifacts of one run, by name."""
        return self.runs.setdefault(str(run), {})

    def numbered(self) -> dict[int, tuple[str, str]]:
        """Return run and name of each artifact by its id: its place in the order of arrival."""
        every = [(run, name) for run, kept in self.runs.items() for name in kept]
        return dict(enumerate(every, start=1))

    def ids(self, run: str) -> dict[str, int]:
        """Return the ids of the artifacts of one run by name."""
        return {name: number for number, (of, name) in self.numbered().items() if of == run}


@contextlib.contextmanager
def serving() -> Iterator[Artifacts]:
    """Serve on a free port of the loopback until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            run, name = self._place()
            content = self.rfile.read(int(self.headers["Content-Length"]))
            if name in artifacts.of(run) and self.headers["X-Overwrite"] != "true":
                self._answer(409, f"an artifact with the name {name} already exists".encode())
                return
            artifacts.of(run)[name] = content
            self._answer(201, str(artifacts.ids(run)[name]).encode())

        def do_GET(self) -> None:
            run, name = self._place()
            if not name:
                self._answer(200, json.dumps(artifacts.ids(run)).encode())
            elif name in artifacts.of(run):
                self._answer(200, artifacts.of(run)[name])
            else:
                self._answer(404, b"")

        def _place(self) -> tuple[str, str]:
            run, _, name = self.path.lstrip("/").partition("/")
            return run, urllib.parse.unquote(name)

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            """Stay quiet: a failing request shows in the workflow's own log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    artifacts = Artifacts(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield artifacts
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
