"""A plugin of pytest: says in coverage's data which test ran which lines, and in a file how long each test took.

Its folder is put on the path of the caller's Python, hence its name, which no module of the caller has.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import coverage
import pytest

VARIABLE = "RELEASE_GATE_TESTS_SEEN"
"""Names the file that is written."""

_seconds: dict[str, float] = {}


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: Any) -> Iterator[None]:
    """Lines that run from now on, fixtures included, are this test's."""
    measured = coverage.Coverage.current()
    if measured is not None:
        measured.switch_context(item.nodeid)
    yield
    if measured is not None:
        measured.switch_context("")


def pytest_runtest_logreport(report: Any) -> None:
    """Setup, call and teardown of a test count together."""
    _seconds[report.nodeid] = _seconds.get(report.nodeid, 0.0) + report.duration


def pytest_sessionfinish() -> None:
    """Leave the times."""
    if VARIABLE in os.environ:
        Path(os.environ[VARIABLE]).write_text(json.dumps(_seconds), encoding="utf-8")
