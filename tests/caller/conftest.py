"""The real runner, with the environment of the tests."""

from __future__ import annotations

import os

import pytest

from release_gate.caller.processes import Processes


@pytest.fixture
def runner() -> Processes:
    return Processes(dict(os.environ))
