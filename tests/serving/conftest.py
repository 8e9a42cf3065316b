"""Real servers, a real session, a real runner, the machine's clock."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import requests

from release_gate.caller.processes import Processes
from release_gate.cli import SystemClock
from release_gate.edges import Session
from release_gate.serving.checks import Smoke
from release_gate.serving.server import Up, started

SCRIPT = Path(__file__).with_name("servers.py")
Start = Callable[..., AbstractContextManager[Up]]


@pytest.fixture
def session() -> Iterator[Session]:
    with requests.Session() as opened:
        yield opened  # type: ignore[misc]


@pytest.fixture
def start(session: Session, tmp_path: Path) -> Start:
    def begin(smoke: Smoke, mode: str = "good", port: Callable[[], int] | None = None) -> AbstractContextManager[Up]:
        return started(
            lambda number: (sys.executable, str(SCRIPT), str(number), mode),
            smoke,
            runner=Processes(dict(os.environ)),
            session=session,
            clock=SystemClock(),
            cwd=tmp_path,
            environment={"RELEASE_GATE_VERSION": "sha256:1"},
            port=port,
        )

    return begin
