"""The GitHub API by `emulate`: started with a seed, asked for its state, stopped."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.e2e.testbed import tools
from tests.e2e.testbed.part import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

BOT = "github-actions[bot]"
TOKEN = "token-of-the-bot"
MAINTAINER_TOKEN = "token-of-a-maintainer"
FORKS_TOKEN = "token-of-hubot"

SEED: dict[str, Any] = {
    "tokens": {
        TOKEN: {"login": BOT, "scopes": ["repo"]},
        FORKS_TOKEN: {"login": "hubot", "scopes": ["repo"]},
        MAINTAINER_TOKEN: {"login": "octocat", "scopes": ["repo", "user", "admin:org"]},
    },
    "github": {
        "users": [{"login": "octocat"}, {"login": "hubot"}, {"login": BOT, "type": "Bot"}],
        "orgs": [{"login": "octo-air", "members": [{"login": "octocat", "role": "admin"}]}],
        "repos": [
            {"owner": "octo-air", "name": "flight-delay", "auto_init": True},
            {"owner": "octo-air", "name": "batch-scores", "auto_init": True},
            {"owner": "octo-air", "name": "tiny", "auto_init": True},
        ],
    },
}


@dataclass(frozen=True)
class Emulator:
    """A running API, spoken to as one person."""

    url: str

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None, token: str = MAINTAINER_TOKEN) -> Any:
        """Call the API; the answer's JSON. A refusal raises with GitHub's own words."""
        request = urllib.request.Request(
            self.url + path, data=json.dumps(body).encode() if body is not None else None, method=method
        )
        request.add_header("Authorization", f"token {token}")
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                content = answer.read()
        except urllib.error.HTTPError as refusal:
            message = f"{method} {path}: {refusal.code} {refusal.read().decode(errors='replace')}"
            raise AssertionError(message) from None
        return json.loads(content) if content else None


@contextlib.contextmanager
def running(seed: Mapping[str, Any] = SEED) -> Iterator[Emulator]:
    """Start `emulate` on a free port of the loopback; end its process with the block."""
    modules = tools.node_modules()
    port = _free_port()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "seed.json"  # JSON is YAML
        file.write_text(json.dumps(seed))
        command = [modules / "node/bin/node", modules / "emulate/dist/index.js", "start", "--service", "github"]
        log = Path(folder) / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*map(str, command), "--port", str(port), "--seed", str(file)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
            try:
                _wait(process, port, log)
                yield Emulator(f"http://127.0.0.1:{port}")
            finally:
                process.terminate()
                process.wait(timeout=10)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise UnavailableError("emulate", f"it does not answer:\n{log.read_text(errors='replace')[-2000:]}\n", "see above.")
