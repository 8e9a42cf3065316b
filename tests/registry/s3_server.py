"""An S3 API on 127.0.0.1 in a process of its own: moto's, with the faults that a test asks for by a request.

Run as a program with a port. Requests are answered one at a time: S3 decides between two conditional puts, moto's
threads don't. `POST /-/fault?kind=K&times=N&match=TEXT` makes the next N requests whose path holds TEXT fail:
`lost` (it takes effect, no answer comes), `down` (503), `refused` (403), `swap` (another object than ours is put
first), `conflict` (409).
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple


class Faulty:
    """moto behind a lock, and the faults asked for."""

    def __init__(self) -> None:
        self.inner = DomainDispatcherApplication(create_backend_app)
        self.lock = threading.Lock()
        self.kind, self.times, self.match, self.method = "", 0, "", ""

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/-/fault":
            asked = parse_qs(environ["QUERY_STRING"])
            self.kind, self.times = asked["kind"][0], int(asked["times"][0])
            self.match, self.method = asked.get("match", [""])[0], asked.get("method", ["PUT"])[0]
            start("204 No Content", [])
            return [b""]
        with self.lock:
            hit = self.times > 0 and self.match in environ["PATH_INFO"] and environ["REQUEST_METHOD"] == self.method
            if not hit:
                return list(self.inner(environ, start))
            self.times -= 1
            if self.kind == "refused":
                start("403 Forbidden", [("Content-Type", "application/xml")])
                return [b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"]
            if self.kind == "conflict":
                start("409 Conflict", [("Content-Type", "application/xml")])
                return [b"<Error><Code>ConditionalRequestConflict</Code></Error>"]
            if self.kind == "lost":
                list(self.inner(environ, lambda *_: lambda _: None))
        if self.kind == "lost":
            time.sleep(2)
        start("503 Service Unavailable", [("Content-Type", "text/plain")])
        return [b"down"]


if __name__ == "__main__":
    run_simple("127.0.0.1", int(sys.argv[1]), Faulty(), threaded=True)
