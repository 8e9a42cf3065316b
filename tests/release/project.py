"""A user's repository with three versions, each built by the command line itself, once for all tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from release_gate.registry.packages import Sealed, open_package
from tests.commands.test_publish_artifact import CONTRACT
from tests.tiny.project import Project, make

MODEL = "tiny"
GATE = (sys.executable, "-c", "from release_gate.cli import main; main()")
SERVE = """\
import json, os, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
weight = float(Path(sys.argv[1], "model.txt").read_text())
version = os.environ["RELEASE_GATE_VERSION"]
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    def do_GET(self):
        self.answer(200, {"version": version})
    def do_POST(self):
        content = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            self.answer(200, {"predictions": [{"score": weight * row["x"]} for row in json.loads(content)["rows"]]})
        except (ValueError, KeyError, TypeError):
            self.answer(422, {})
    def answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("X-Version", version)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *words):
        pass
class Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True
Server(("127.0.0.1", int(sys.argv[2])), Handler).serve_forever()
"""
ROLLOUT = """\
rollout:
  target: {haproxy: {socket: "127.0.0.1:1", backend: model, url: "http://127.0.0.1:1"}}
"""
"""Declared from the first commit; each test says where its proxy is, and how long it watches."""
WEIGHTS = ("0.25", "0.26", "0.27")


@dataclass(frozen=True)
class Built:
    """The repository at its newest commit, and what each version's build left behind."""

    project: Project
    commits: tuple[str, ...]
    digests: tuple[str, ...]

    def run(self, number: int) -> Path:
        """What the build of a version left in the run folder."""
        return self.project.root.parent / f"run-{number}"

    def sealed(self, number: int) -> Sealed:
        """A version's package."""
        return open_package(self.run(number) / MODEL / "build" / "package")


def build(folder: Path) -> Built:
    """Build all versions, one commit each."""
    project = make(folder / "caller", folder / "cache")
    for name, text in (("contracts/rows.yml", CONTRACT), ("tiny_model/serve.py", SERVE)):
        (project.root / name).write_text(text)
    config = project.root / "release-gate.yml"
    config.write_text(config.read_text() + ROLLOUT)
    project.commit()
    commits = []
    for number, weight in enumerate(WEIGHTS):
        if number:
            project.replace("tiny_model/train.py", WEIGHTS[number - 1], weight)
        words = [*GATE, "build-candidate"]
        subprocess.run(words, cwd=project.root, env=project.environ, check=True, capture_output=True)
        shutil.move(project.root / ".release-gate" / "run", folder / f"run-{number}")
        commits.append(git(project.root, "rev-parse", "HEAD").strip())
    shutil.rmtree(project.root / ".release-gate")
    unnamed = Built(project, tuple(commits), ())
    digests = tuple(unnamed.sealed(number).package.digest for number in range(len(WEIGHTS)))
    return Built(project, tuple(commits), digests)


def git(at: Path, *words: str) -> str:
    """The output of git, as octo-air and without this machine's own settings."""
    named = ("-c", "user.name=octo-air", "-c", "user.email=octo-air@example.org", "-c", "init.defaultBranch=main")
    known = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    return subprocess.run(["git", *named, *words], cwd=at, check=True, capture_output=True, text=True, env=known).stdout
