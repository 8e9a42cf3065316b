"""Stands before `emulate` and does what GitHub does and it does not.

A pull request's head moves with its branch; a token may be read-only; the workflow's own token may not ask
who it is; the artifacts of a run can be listed and downloaded; deployments, the pull requests of a commit and their
reverts are kept (deployments.py). Every request is kept, so that tests can count.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from tests.e2e.testbed.deployments import Mirror

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.testbed.artifact_server import Artifacts
    from tests.e2e.testbed.emulator import Emulator

READ_ONLY_TOKEN = "token-of-a-fork"
_READING = ("GET", "HEAD")
_PULL = re.compile(r"^/repos/(?P<repository>[^/]+/[^/]+)/pulls(?:/\d+)?$")
_LIST = re.compile(r"^(?P<repository>/repos/[^/]+/[^/]+)/actions/runs/(?P<run>\d+)/artifacts$")
_ZIP = re.compile(r"^/repos/[^/]+/[^/]+/actions/artifacts/(?P<id>\d+)/zip$")


@dataclass
class Front:
    """The API as a workflow sees it."""

    url: str
    requests: list[tuple[str, str, int]] = field(default_factory=list)
    heads: dict[tuple[str, int], str] = field(default_factory=dict)
    """Head commits of pull requests that were pushed to after they were opened."""
    bots_token: str = ""
    mirror: Mirror = field(default_factory=lambda: Mirror(beside=True))
    """Deployments, merged pull requests and reverts."""
    exchanges: list[dict[str, Any]] = field(default_factory=list)
    """What the mirror was asked and answered, to be held to GitHub's description (tests/github/published.py)."""

    def written(self) -> list[tuple[str, str, int]]:
        """Return the requests that changed something, or tried to."""
        return [request for request in self.requests if request[0] not in _READING]


class _Server(ThreadingHTTPServer):
    """A server that knows what its answers come from."""

    def __init__(self, emulator: Emulator, artifacts: Artifacts, bots_token: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.emulator = emulator
        self.artifacts = artifacts
        self.front = Front(f"http://127.0.0.1:{self.server_port}", bots_token=bots_token)
        self.front.mirror.opening = self._opened

    def _opened(self, repository: str, title: str) -> int:
        """Number of a pull request that the mirror opens; its comments are those of an issue."""
        return int(self.emulator.ask("POST", f"/repos/{repository}/issues", {"title": title})["number"])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else None
        path = urllib.parse.urlsplit(self.path).path
        status, headers, content = self._own(path) or self._mirrored(path, body) or self._forward(path, body)
        self.server.front.requests.append((self.command, self.path, status))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve  # noqa: N815 - the base class looks for these names

    def _own(self, path: str) -> tuple[int, dict[str, str], bytes] | None:
        token = (self.headers.get("Authorization") or "").split(" ")[-1]
        if path == "/user" and token in (self.server.front.bots_token, READ_ONLY_TOKEN):
            return _refused("")
        if token == READ_ONLY_TOKEN and self.command not in _READING:
            return _refused("issues=write; pull_requests=write")
        if found := _LIST.match(path):
            return _json(self._artifacts(found["repository"], found["run"]))
        if found := _ZIP.match(path):
            run, name = self.server.artifacts.numbered()[int(found["id"])]
            where = f"{self.server.artifacts.url}/{run}/{urllib.parse.quote(name)}"
            return 302, {"Location": where}, b""  # as GitHub: storage elsewhere, no token wanted there
        return None

    def _mirrored(self, path: str, body: bytes | None) -> tuple[int, dict[str, str], bytes] | None:
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
        try:
            fields = json.loads(body) if body else None
        except ValueError:
            return None
        reply = self.server.front.mirror.answer(self.command, path, query, fields)
        if reply is None:
            return None
        asked = {"method": self.command, "path": path, "query": query, "body": fields}
        self.server.front.exchanges.append({**asked, "status": reply.status, "answer": reply.body})
        headers = {"Content-Type": "application/json", **reply.headers}
        return reply.status, headers, json.dumps(reply.body).encode()

    def _artifacts(self, repository: str, run: str) -> dict[str, Any]:
        url = f"{self.server.front.url}{repository}/actions/artifacts"
        listed = [
            {
                "id": number,
                "node_id": f"artifact-{number}",
                "name": name,
                "size_in_bytes": len(self.server.artifacts.of(owner)[name]),
                "url": f"{url}/{number}",
                "archive_download_url": f"{url}/{number}/zip",
                "expired": False,
                "created_at": "2026-01-01T00:00:00Z",
                "updated_at": "2026-01-01T00:00:00Z",
                "expires_at": "2026-04-01T00:00:00Z",
                "workflow_run": {"id": int(run)},
            }
            for number, (owner, name) in self.server.artifacts.numbered().items()
            if owner == run
        ]
        return {"total_count": len(listed), "artifacts": listed}

    def _forward(self, path: str, body: bytes | None) -> tuple[int, dict[str, str], bytes]:
        emulator = self.server.emulator.url
        request = urllib.request.Request(emulator + self.path, data=body, method=self.command)
        for name in ("Authorization", "Content-Type", "Accept"):
            if self.headers.get(name):
                request.add_header(name, self.headers[name])
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                status, headers, content = answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as refusal:
            status, headers, content = refusal.code, refusal.headers, refusal.read()
        kept = {name: self._ours(headers[name]) for name in ("Content-Type", "Link", "Location") if headers.get(name)}
        content = self._ours(content.decode()).encode()
        if (pull := _PULL.match(path)) and status == 200:
            content = self._with_heads(pull["repository"], content)
        return status, kept, content

    def _ours(self, text: str) -> str:
        """Let links in answers lead back here, not past us."""
        port = urllib.parse.urlsplit(self.server.emulator.url).port
        return re.sub(rf"http://(?:localhost|127\.0\.0\.1):{port}", self.server.front.url, text)

    def _with_heads(self, repository: str, content: bytes) -> bytes:
        found = json.loads(content)
        for pull in found if isinstance(found, list) else [found]:
            pull["head"]["sha"] = self.server.front.heads.get((repository, pull["number"]), pull["head"]["sha"])
        return json.dumps(found).encode()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Stay quiet: `requests` keeps what was asked."""


@contextlib.contextmanager
def standing(emulator: Emulator, artifacts: Artifacts, bots_token: str) -> Iterator[Front]:
    """Serve on a free port of the loopback until the block ends."""
    server = _Server(emulator, artifacts, bots_token)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.front
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _json(value: Any) -> tuple[int, dict[str, str], bytes]:
    return 200, {"Content-Type": "application/json"}, json.dumps(value).encode()


def _refused(needs: str) -> tuple[int, dict[str, str], bytes]:
    """GitHub's words when a workflow's token lacks a permission, and the header that names it."""
    message = {
        "message": "Resource not accessible by integration",
        "documentation_url": "https://docs.github.com/rest",
        "status": "403",
    }
    return (
        403,
        {"Content-Type": "application/json", "X-Accepted-GitHub-Permissions": needs},
        json.dumps(message).encode(),
    )
