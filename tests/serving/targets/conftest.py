"""Real proxies, real servers, real processes; nothing outlives a test."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from release_gate.caller.daemons import SystemDaemons
from release_gate.caller.processes import Processes
from release_gate.cli import SystemClock
from release_gate.edges import Session
from release_gate.rollouts import Rollout
from release_gate.serving.server import free_port
from release_gate.serving.targets.opened import open_target
from release_gate.serving.targets.target import Target, Version
from tests.serving.targets.proxies import end_all_below

SERVER = Path(__file__).with_name("model_server.py")
A, B, C, D, E, F = (f"sha256:{letter * 64}" for letter in "abcdef")


def kill(pid: int) -> None:
    """Kill a process and wait for its end: until then its port still takes what comes."""
    process = psutil.Process(pid)
    process.kill()
    process.wait(20)


HAPROXY = """
global
  stats socket {folder}/ha.sock mode 600 level admin
defaults
  mode http
  timeout connect 1s
  timeout client 20s
  timeout server 2s
  retries 0
frontend users
  bind 127.0.0.1:{port}
  default_backend model
backend model
  balance {balance}
{slots}
"""


def version(digest: str, folder: Path, mode: str = "good", *, start_within: float = 15.0) -> Version:
    """A version served by the small model server."""
    folder.mkdir(parents=True, exist_ok=True)
    return Version(
        digest=digest,
        folder=folder,
        command=lambda port: (sys.executable, str(SERVER), str(port), mode),
        cwd=folder,
        variables={"PATH": os.environ["PATH"]},
        health="/health",
        start_within=start_within,
    )


@dataclass(frozen=True)
class HAProxyRunning:
    """A HAProxy for one test."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def rollout(self) -> Rollout:
        """It as a rollout declares it."""
        return declared(haproxy={"socket": f"{self.folder}/ha.sock", "backend": "model", "url": self.url})

    @property
    def url(self) -> str:
        """Where users ask."""
        return f"http://127.0.0.1:{self.port}"


def declared(slow: str | None = None, **target: dict[str, object]) -> Rollout:
    """A rollout with that target."""
    fields: dict[str, object] = {"target": target}
    if slow is not None:
        fields["slow"] = {"above": slow}
    return Rollout.model_validate(fields)


Start = Callable[..., HAProxyRunning]


@pytest.fixture
def haproxy(tmp_path: Path) -> Iterator[Start]:
    program = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        reason = "no haproxy on this machine: apt-get install -y haproxy"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    running: list[subprocess.Popen[bytes]] = []

    def start(
        slots: int = 3, balance: str = "roundrobin", port: int | None = None, options: str = ""
    ) -> HAProxyRunning:
        lines = "\n".join(f"  server slot{n} 127.0.0.1:1 disabled{options}" for n in range(1, slots + 1))
        chosen = port or free_port()
        config = tmp_path / "haproxy.cfg"
        config.write_text(HAPROXY.format(folder=tmp_path, port=chosen, balance=balance, slots=lines))
        process = subprocess.Popen([program, "-f", str(config), "-db"], stderr=subprocess.DEVNULL)
        running.append(process)
        until = time.monotonic() + 10
        while not (tmp_path / "ha.sock").exists() and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(0.1)
        return HAProxyRunning(tmp_path, chosen, process)

    yield start
    for process in running:
        process.kill()
        process.wait()


@pytest.fixture
def caddy() -> Rollout:
    """A Caddy as a rollout declares it: it is started by the first version."""
    return declared(slow="200ms", caddy={"listen": f"127.0.0.1:{free_port()}", "admin": f"127.0.0.1:{free_port()}"})


Open = Callable[..., Target]


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "state"
    yield folder
    end_all_below(folder)


@pytest.fixture
def opened(state: Path, session: Session) -> Open:
    """Opens a target as a new run of release-gate would."""

    def open_it(rollout: Rollout, *, cwd: Path | None = None) -> Target:
        return open_target(
            rollout,
            state=state,
            daemons=SystemDaemons(dict(os.environ)),
            runner=Processes(dict(os.environ)),
            session=session,
            clock=SystemClock(),
            cwd=cwd,
        )

    return open_it
