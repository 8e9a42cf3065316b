"""Real places for a registry: an S3 API in a process of its own, a bare git remote with two clones."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from release_gate.registry.stores.branch import BranchStore
from release_gate.registry.stores.remotes import origin


@dataclass(frozen=True)
class S3:
    """An S3 API on this machine, with a bucket of its own for each test."""

    port: int
    bucket: str = field(default_factory=lambda: f"b{uuid.uuid4().hex[:12]}")

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}/models"

    @property
    def environment(self) -> Mapping[str, str]:
        endpoint = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}"}
        return {**os.environ, **endpoint, "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}

    def asked(self, method: str, path: str, content: bytes | None = None) -> bytes:
        # moto looks whether a request is signed, not by whom.
        signed = "AWS4-HMAC-SHA256 Credential=key/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=x"
        headers = {"Authorization": signed, "Content-Type": "application/octet-stream"}
        address = f"http://127.0.0.1:{self.port}{path}"
        request = urllib.request.Request(address, data=content, method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return bytes(answer.read())

    def fault(self, kind: str, times: int = 1, *, match: str = "", method: str = "PUT") -> None:
        self.asked("POST", f"/-/fault?kind={kind}&times={times}&match={match}&method={method}")


@pytest.fixture(scope="session")
def s3_server() -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    program = Path(__file__).with_name("s3_server.py")
    with subprocess.Popen([sys.executable, str(program), str(port)], stderr=subprocess.DEVNULL) as server:
        for _ in range(300):
            try:
                S3(port).asked("GET", "/")
                break
            except (OSError, urllib.error.URLError):
                time.sleep(0.1)
        yield port
        server.terminate()


@pytest.fixture
def s3(s3_server: int) -> Iterator[S3]:
    made = S3(s3_server)
    made.asked("PUT", f"/{made.bucket}")
    yield made
    made.fault("none", 0)


@dataclass(frozen=True)
class Repositories:
    """A bare remote, two clones of it (the second of depth 1), and a cache for each as on two machines."""

    folder: Path

    @property
    def remote(self) -> Path:
        return self.folder / "remote.git"

    def clone(self, name: str) -> Path:
        return self.folder / name

    def git(self, *arguments: str, at: str = "one") -> str:
        known = {
            **os.environ,
            **{f"GIT_{who}_{what}": "octo-air" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }
        words = ["git", *arguments]
        done = subprocess.run(words, cwd=self.folder / at, check=True, capture_output=True, text=True, env=known)
        return done.stdout

    def store(self, name: str = "one", *, machine: str | None = None, **environment: str) -> BranchStore:
        known = {**os.environ, **environment}
        cache = self.folder / f"cache of {machine or name}"
        return BranchStore("release-gate", lambda: origin(self.clone(name), known), cache, known, sleep=lambda _: None)

    def hook(self, name: str, script: str) -> Path:
        path = self.remote / "hooks" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path


@pytest.fixture
def repositories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repositories:
    for name in ("GITHUB_TOKEN", "INPUT_TOKEN", "GITHUB_SERVER_URL"):
        monkeypatch.delenv(name, raising=False)
    # Whatever this machine's user has configured: a test must not depend on it.
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    made = Repositories(tmp_path / "repositories")
    made.folder.mkdir()
    made.git("init", "-q", "--bare", "-b", "main", "remote.git", at=".")
    made.git("config", "uploadpack.allowFilter", "true", at="remote.git")
    made.git("clone", "-q", str(made.remote), "one", at=".")
    for number in range(2):
        (made.clone("one") / "code.py").write_text(f"print({number})\n")
        made.git("add", "code.py")
        made.git("commit", "-qm", f"code {number}")
    made.git("push", "-q", "origin", "HEAD:main")
    made.git("clone", "-q", "--depth=1", f"file://{made.remote}", "two", at=".")
    return made
