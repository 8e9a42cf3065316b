"""A real session, the machine's clock, an HTTP server that says what it is told, and a real Prometheus."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import pytest
import requests

from release_gate.cli import SystemClock
from release_gate.edges import Clock, Session

NEW, OLD = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
CONFIGURATION = """\
global: {{scrape_interval: 1s, scrape_timeout: 900ms}}
scrape_configs:
  - job_name: model
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


@pytest.fixture
def clock() -> Clock:
    return SystemClock()


@pytest.fixture
def session() -> Iterator[Session]:
    with requests.Session() as opened:
        yield cast("Session", opened)


@dataclass
class Told:
    """What a server answers: `say` gets the path with its query, and gives status, body and further headers."""

    url: str
    say: Callable[[str], tuple[int, bytes, dict[str, str]]] = lambda _: (404, b"", {})
    asked: list[str] = field(default_factory=list)

    def json(self, *answers: Any, status: int = 200) -> None:
        """One answer after the other, the last one again and again."""
        left = [json.dumps(one).encode() for one in answers]
        self.say = lambda _: (status, left.pop(0) if len(left) > 1 else left[0], {})

    def bytes(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.say = lambda _: (status, body, headers)


@pytest.fixture
def told() -> Iterator[Told]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.asked.append(self.path)
            status, body, headers = server.say(self.path)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                self.close_connection = True  # who asked had enough

        def log_message(self, *_: object) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server = Told(f"http://127.0.0.1:{listening.server_port}")
    thread = threading.Thread(target=listening.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server
    listening.shutdown()
    listening.server_close()
    thread.join()


@pytest.fixture(scope="session")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """A real Prometheus and an exporter: give the exporter's page, get the address once it was scraped twice."""
    program = _program()
    page = {"text": ""}

    class Exporter(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = page["text"].encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    exporter = ThreadingHTTPServer(("127.0.0.1", 0), Exporter)
    threading.Thread(target=exporter.serve_forever, args=(0.05,), daemon=True).start()
    home = tmp_path_factory.mktemp("prometheus")
    (home / "prometheus.yml").write_text(CONFIGURATION.format(port=exporter.server_port))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    words = [str(program), f"--config.file={home}/prometheus.yml", f"--storage.tsdb.path={home}/data"]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen([*words, f"--web.listen-address={address}"], cwd=home, stdout=log, stderr=log)
    url = f"http://{address}"
    generation = iter(range(1, 10**6))

    def scrape(text: str) -> str:
        number = next(generation)
        page["text"] = f"{text.strip()}\ngeneration {number}\n"
        for _ in range(300):
            if process.poll() is not None:
                pytest.fail((home / "log").read_text()[-2000:])
            if _sample(url, "generation") == str(number):
                return url
            time.sleep(0.1)
        pytest.fail(f"not scraped within 30 s:\n{(home / 'log').read_text()[-2000:]}")

    yield scrape
    process.terminate()
    process.wait(20)
    exporter.shutdown()
    exporter.server_close()
    shutil.rmtree(home, ignore_errors=True)


def _program() -> Path:
    """Prometheus, which is not installed by a test: `python3 -m tests.e2e.testbed prometheus` does that."""
    found = shutil.which("prometheus")
    if found is None:
        reason = "there is no prometheus on this machine. Remedy: python3 -m tests.e2e.testbed prometheus"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        print(reason)
        pytest.skip(reason)
    return Path(found)


def _sample(url: str, query: str) -> str | None:
    proxies = dict.fromkeys(("http", "https", "all"), "")
    try:
        answer = requests.get(f"{url}/api/v1/query", params={"query": query}, timeout=5, proxies=proxies)
        return str(answer.json()["data"]["result"][0]["value"][1])
    except (requests.RequestException, LookupError, ValueError):
        return None
