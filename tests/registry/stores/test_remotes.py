"""How a remote is spoken to: the token only to its own host, by no argument and no file, and never shown."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from release_gate.findings import CannotJudge
from release_gate.registry.stores.failures import one_line
from release_gate.registry.stores.remotes import origin
from tests.registry.conftest import Repositories

TOKEN = "ghs_verysecret"
BASIC = base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()


@dataclass
class Host:
    """A git host on this machine that lets in whoever shows the token, by git's own program for that."""

    root: Path
    port: int = 0
    read_only: bool = False
    seen: list[str | None] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture
def host(repositories: Repositories) -> Iterator[Host]:
    made = Host(repositories.folder)
    repositories.git("config", "http.receivepack", "true", at="remote.git")
    program = Path(subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=True).stdout.strip())
    if not (program / "git-http-backend").exists():
        pytest.skip("this machine's git comes without git-http-backend")

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None: ...

        def do_GET(self) -> None:
            made.seen.append(self.headers.get("Authorization"))
            if made.seen[-1] != f"Basic {BASIC}":
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="git"')
                self.end_headers()
                return
            path, _, query = self.path.partition("?")
            if made.read_only and "git-receive-pack" in self.path:
                self.send_response(403)
                self.end_headers()
                return
            known = {
                **os.environ,
                "GIT_PROJECT_ROOT": str(made.root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "REMOTE_USER": "octo-air",
                "REQUEST_METHOD": self.command,
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            }
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            done = subprocess.run(
                [str(program / "git-http-backend")], input=body, env=known, capture_output=True, check=False
            )
            head, _, rest = done.stdout.partition(b"\r\n\r\n")
            headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
            self.send_response(int(headers.pop("Status", "200").split()[0]))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(rest)

        do_POST = do_GET  # noqa: N815 - the server's naming

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        repositories.git("remote", "set-url", "origin", f"{made.url}/remote.git")
        yield made
        server.shutdown()


def kept(repositories: Repositories) -> bytes:
    """All that was written to disk for us."""
    files = (repositories.folder / "cache of one").rglob("*")
    return b"".join(path.read_bytes() for path in files if path.is_file())


def test_a_token_opens_its_own_host_and_is_written_nowhere(
    repositories: Repositories, host: Host, tmp_path: Path
) -> None:
    told = tmp_path / "arguments"
    watched = tmp_path / "bin" / "git"
    watched.parent.mkdir()
    real = subprocess.run(["which", "git"], capture_output=True, text=True, check=True).stdout.strip()
    watched.write_text(f'#!/bin/sh\necho "$@" >> {told}\nexec {real} "$@"\n')
    watched.chmod(0o755)
    path = f"{watched.parent}:{os.environ['PATH']}"
    store = repositories.store(INPUT_TOKEN=TOKEN, GITHUB_SERVER_URL=host.url, PATH=path)
    assert store.put_new("a", b"one")
    assert repositories.store("two").get("a") == b"one"
    assert set(host.seen) == {f"Basic {BASIC}"}
    for secret in (TOKEN, BASIC):
        assert secret not in told.read_text()
        assert secret.encode() not in kept(repositories)


def test_what_the_checkout_sends_is_sent_once_and_a_token_takes_its_place(
    repositories: Repositories, host: Host
) -> None:
    name = f"http.{host.url}/.extraheader"
    repositories.git("config", name, f"AUTHORIZATION: basic {BASIC}")
    with pytest.raises(CannotJudge):
        list(repositories.store().keys(""))  # this host knows only one writing of the scheme
    assert host.seen[-1] == f"basic {BASIC}"
    repositories.git("config", name, f"Authorization: Basic {BASIC}")
    assert list(repositories.store().keys("")) == []
    repositories.git("config", name, "Authorization: Basic outdated")
    assert list(repositories.store(GITHUB_TOKEN=TOKEN, GITHUB_SERVER_URL=host.url).keys("")) == []


def test_without_a_token_nobody_is_asked_for_a_password(repositories: Repositories, host: Host) -> None:
    with pytest.raises(CannotJudge) as refusal:
        list(repositories.store().keys(""))
    (found,) = refusal.value.findings
    assert found.code == "registry-refused"
    assert "does not let us in" in found.message
    assert "`token`" in found.remedy


def test_a_token_that_may_only_read_is_told_so(repositories: Repositories, host: Host) -> None:
    host.read_only = True
    store = repositories.store(INPUT_TOKEN=TOKEN, GITHUB_SERVER_URL=host.url)
    with pytest.raises(CannotJudge) as refusal:
        store.put_new("a", b"")
    (found,) = refusal.value.findings
    assert found.code == "registry-refused"
    assert "403" in found.message
    assert "contents: write" in found.remedy


def test_a_wrong_token_is_refused_and_not_shown(repositories: Repositories, host: Host) -> None:
    with pytest.raises(CannotJudge) as refusal:
        list(repositories.store(INPUT_TOKEN="ghs_wrongsecret", GITHUB_SERVER_URL=host.url).keys(""))
    (found,) = refusal.value.findings
    assert found.code == "registry-refused"
    assert "wrongsecret" not in str(found.model_dump())


@pytest.mark.parametrize(
    ("url", "server", "sent"),
    [
        ("https://github.com/octo-air/flights.git", None, True),
        ("https://github.com/octo-air/flights.git", "https://git.example", False),
        ("https://gitlab.example/octo-air/flights.git", None, False),
        ("http://github.com/octo-air/flights.git", "http://github.com", False),
        ("https://user:own@github.com/octo-air/flights.git", None, False),
        ("git@github.com:octo-air/flights.git", None, False),
        ("https://github.com.evil.example/octo-air/flights.git", None, False),
    ],
)
def test_the_token_goes_to_its_own_host_only(
    repositories: Repositories, url: str, server: str | None, sent: bool
) -> None:
    repositories.git("remote", "set-url", "origin", url)
    known = {**os.environ, "GITHUB_TOKEN": TOKEN, **({"GITHUB_SERVER_URL": server} if server else {})}
    found = origin(repositories.clone("one"), known)
    assert any(BASIC in value for _, value in found.settings) is sent
    assert "own" not in found.shown
    assert TOKEN not in repr(found)
    assert BASIC not in repr(found)


def test_a_relative_address_counts_from_the_clone(repositories: Repositories) -> None:
    repositories.git("remote", "set-url", "origin", "../remote.git")
    assert origin(repositories.clone("one"), os.environ).shown == str(repositories.remote)
    assert repositories.store().put_new("a", b"")


def test_the_clones_own_ways_are_kept(repositories: Repositories) -> None:
    repositories.git("config", "core.sshCommand", "ssh -i key")
    repositories.git("remote", "set-url", "--push", "origin", "git@github.com:octo-air/push.git")
    settings = dict(origin(repositories.clone("one"), os.environ).settings)
    assert settings["core.sshCommand"] == "ssh -i key"
    assert settings["remote.origin.pushurl"] == "git@github.com:octo-air/push.git"


def test_no_repository_no_remote_and_no_git_are_one_named_refusal(
    tmp_path: Path, repositories: Repositories, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CannotJudge, match="registry-git-missing"):
        origin(tmp_path, {**os.environ, "GIT_CEILING_DIRECTORIES": str(tmp_path.parent)})
    repositories.git("remote", "remove", "origin")
    with pytest.raises(CannotJudge, match="registry-git-missing"):
        origin(repositories.clone("one"), os.environ)
    with pytest.raises(CannotJudge, match="registry-git-missing"):
        origin(repositories.clone("two"), {"PATH": str(tmp_path)})


@pytest.mark.parametrize(
    "told",
    [
        "fatal: unable to access 'https://octo:hunter2@host/x.git/': refused",
        "http.extraHeader: Authorization: Basic hunter2 was sent",
        "https://host/x?X-Amz-Signature=hunter2&b=1 failed",
        "AUTHORIZATION: basic hunter2",
    ],
)
def test_no_credential_survives_in_what_is_told(told: str) -> None:
    assert "hunter2" not in one_line(told)
