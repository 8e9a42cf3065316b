"""A plugin of pytest: says in coverage's data which test ran which lines, and in a file how long each test took.

What a fixture runs that several tests share belongs to all of them: its lines go by a name of their own, and the file
says which tests have it. The folder is put on the path of the caller's Python, hence the name of this module, which no
module of the caller has.
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
_passed: set[str] = set()
_shared: dict[str, tuple[str, str]] = {}
"""The fixtures of more than one test, as name and the place whose tests it is for, by the name of their lines."""
_users: dict[str, set[str]] = {}
_context = [""]
"""Whose the lines are that run: the last; below it whose they are again afterwards."""


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: Any) -> Iterator[None]:
    """Lines that run from now on, its own fixtures included, are this test's."""
    yield from _lines_of(item.nodeid)


@pytest.hookimpl(hookwrapper=True)
def pytest_fixture_setup(fixturedef: Any) -> Iterator[None]:
    """Lines of a fixture that several tests share are no single test's."""
    if fixturedef.scope == "function":
        yield
        return
    place = getattr(fixturedef, "baseid", None) or ""
    context = f"fixture {fixturedef.argname} of {place}"
    _shared[context] = (fixturedef.argname, place)
    # It may ask for it in its own code, which no list of fixtures names.
    _users.setdefault(context, set()).update(_context[1:2])
    yield from _lines_of(context)


def _lines_of(context: str) -> Iterator[None]:
    measured = coverage.Coverage.current()
    _context.append(context)
    if measured is not None:
        measured.switch_context(context)
    yield
    _context.pop()
    if measured is not None:
        measured.switch_context(_context[-1])


def pytest_runtest_logreport(report: Any) -> None:
    """Setup, call and teardown of a test count together."""
    _seconds[report.nodeid] = _seconds.get(report.nodeid, 0.0) + report.duration
    if report.when == "call" and report.passed:
        _passed.add(report.nodeid)


def pytest_sessionfinish(session: Any) -> None:
    """Leave the times, and who has which shared fixture."""
    if VARIABLE not in os.environ:
        return
    for item in getattr(session, "items", ()):
        # A test that was skipped has the fixture and asks nothing of it.
        if item.nodeid not in _passed:
            continue
        for context, (name, place) in _shared.items():
            if name in getattr(item, "fixturenames", ()) and item.nodeid.startswith(place):
                _users[context].add(item.nodeid)
    seen = {"seconds": _seconds, "users": {context: sorted(users) for context, users in _users.items()}}
    Path(os.environ[VARIABLE]).write_text(json.dumps(seen), encoding="utf-8")
