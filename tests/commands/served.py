"""The tiny repository as one whose versions are rolled out behind a real Caddy, with users who ask."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from release_gate.lifecycle.events import Draft, Event
from release_gate.lifecycle.state import State, fold
from release_gate.registry.ledger import Ledger
from release_gate.registry.stores.folder import FolderStore
from release_gate.serving.server import free_port
from tests.commands.test_publish_artifact import digest, judged
from tests.serving.targets.proxies import all_below, end_all_below
from tests.tiny.calling import Said, call
from tests.tiny.project import SERVE, Project, make

ROLLOUT = """\
rollout:
  target: {caddy: {listen: "127.0.0.1:1", admin: "127.0.0.1:2"}}
  steps: [50%]
  watch: 1s
  bake: 1s
  look: 0.2s
  lease: 60s
  least_requests: 5
"""
HARMFUL = SERVE.replace(
    "        try:\n",
    '        if b"user" in self.rfile.peek(65536):\n            return self.answer(500, {})\n        try:\n',
)
"""Answers what a smoke test asks, and fails its users: their rows name them."""


@dataclass(frozen=True)
class Served:
    """A repository with versions A (production by the ledger, nothing runs) and B, and one that harms its users."""

    project: Project
    capsys: pytest.CaptureFixture[str]
    versions: dict[str, str]

    @property
    def root(self) -> Path:
        return self.project.root

    @property
    def ledger(self) -> Ledger:
        return ledger(self.root)

    @property
    def state(self) -> State:
        return fold(self.ledger.read())

    @property
    def folder(self) -> Path:
        """Where the target keeps what serves."""
        return self.root / ".release-gate" / "target" / "tiny"

    @property
    def listen(self) -> str:
        found = re.search(r'listen: "([^"]+)"', (self.root / "release-gate.yml").read_text())
        assert found is not None
        return found[1]

    def deploy(self, *words: str, **environment: Any) -> Said:
        return call(self.project, self.capsys, "deploy", *words, **environment)

    def rollback(self, *words: str, **environment: Any) -> Said:
        return call(self.project, self.capsys, "rollback", *words, **environment)

    def happened(self, kind: str, package: str | None, **fields: Any) -> None:
        """What somebody else did."""
        happened(self.root, kind, package, **fields)

    def answering(self, count: int = 20) -> set[str]:
        """Which versions answer users now."""
        return {answered(self.listen) for _ in range(count)}

    def processes(self) -> set[str]:
        """The versions whose servers run."""
        return {version for version in all_below(self.root).values() if version}

    def end_processes(self) -> None:
        """As a reboot does."""
        end_all_below(self.root)


def ledger(root: Path) -> Ledger:
    return Ledger(FolderStore(root / ".release-gate" / "registry"), "tiny")


def happened(root: Path, kind: str, package: str | None, **fields: Any) -> Event:
    draft = Draft(at=datetime.now(UTC), actor="hubot", kind=kind, package=package, **fields)
    event, _ = ledger(root).append(lambda _: draft)
    assert event is not None
    return event


def answered(listen: str) -> str:
    connection = http.client.HTTPConnection(listen, timeout=10)
    try:
        connection.request("GET", "/health")
        return str(json.loads(connection.getresponse().read())["version"])
    finally:
        connection.close()


@contextlib.contextmanager
def users(served: Served, rate: float = 100.0) -> Iterator[Counter[str]]:
    """Users who ask for predictions for the length of the block; what they were answered, by status."""
    seen: Counter[str] = Counter()
    ended = threading.Event()

    def ask() -> None:
        body = json.dumps({"rows": [{"id": 1, "x": 0.5, "user": "octocat"}]})
        while not ended.wait(1 / rate):
            connection = http.client.HTTPConnection(served.listen, timeout=10)
            try:
                connection.request("POST", "/predict", body)
                seen[str(connection.getresponse().status)] += 1
            except OSError as error:
                seen[type(error).__name__] += 1
            finally:
                connection.close()

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


@pytest.fixture(scope="session")
def released_once(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> tuple[Project, dict[str, str]]:
    """Three versions, built and registered by the commands themselves."""
    import subprocess
    import sys

    project = make(tmp_path_factory.mktemp("released") / "caller", cache)
    config = project.root / "release-gate.yml"
    config.write_text(config.read_text() + ROLLOUT)
    project.commit()

    def command(*words: str) -> None:
        line = [sys.executable, "-c", "from release_gate.cli import main; main()", *words]
        done = subprocess.run(line, cwd=project.root, env=project.environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    versions = {}
    for name, old, new in (("A", "0.25", "0.25"), ("B", "0.25", "0.5"), ("harmful", "0.5", "0.75")):
        project.replace("tiny_model/train.py", old, new)
        if name == "harmful":
            (project.root / "tiny_model" / "serve.py").write_text(HARMFUL)
            project.commit()
        command("build-candidate")
        judged(project)
        command("publish-artifact")
        versions[name] = digest(project)
        if name == "A":
            happened(project.root, "promoted", versions["A"])
    return project, versions


@pytest.fixture
def served(
    tmp_path: Path, released_once: tuple[Project, dict[str, str]], capsys: pytest.CaptureFixture[str]
) -> Iterator[Served]:
    """A copy with ports of its own; whatever was started ends with the test."""
    once, versions = released_once
    shutil.copytree(once.root, tmp_path / "caller", symlinks=True)
    root = tmp_path / "caller"
    config = root / "release-gate.yml"
    text = config.read_text().replace("127.0.0.1:1", f"127.0.0.1:{free_port()}", 1)
    config.write_text(text.replace('"127.0.0.1:2"', f'"127.0.0.1:{free_port()}"', 1))
    yield Served(Project(root, once.cache), capsys, dict(versions))
    end_all_below(root)
