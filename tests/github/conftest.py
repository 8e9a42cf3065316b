"""The stateful GitHub API of the test bed, one for all tests of this folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from tests.e2e.testbed import emulator
from tests.e2e.testbed.part import UnavailableError
from tests.github.double import HELD, Answer, Request
from tests.github.published import Exchange, Published, published
from tests.github.pulls import Pull, opened


@pytest.fixture(scope="session")
def _description() -> Published | str:
    try:
        return published()
    except UnavailableError as reason:
        if os.environ.get("CI") == "true":
            pytest.fail(str(reason))
        return str(reason)


@pytest.fixture
def description(_description: Published | str) -> Published:
    """GitHub's own descriptions; a test that needs them is skipped, with the reason, where they can't be had."""
    if isinstance(_description, str):
        pytest.skip(f"exchanges are not held to GitHub's description: {_description}")
    return _description


@pytest.fixture(autouse=True)
def _held_to_the_description(_description: Published | str, monkeypatch: pytest.MonkeyPatch) -> None:
    if isinstance(_description, str):
        return  # test_published.py says so
    known = _description

    def problems(asked: Request, given: Answer) -> list[str]:
        exchange = Exchange(
            asked.method, asked.path, asked.query, asked.body, given.status, given.body, given.headers, given.outside
        )
        return known.problems(exchange)

    monkeypatch.setattr(HELD, "to", problems)


@pytest.fixture(scope="session")
def emulated() -> Iterator[emulator.Emulator]:
    try:
        with emulator.running() as running:
            yield running
    except UnavailableError as reason:
        if os.environ.get("CI") == "true":
            pytest.fail(str(reason))
        pytest.skip(str(reason))


@pytest.fixture
def pull(emulated: emulator.Emulator) -> Callable[[str], Pull]:
    """Make a pull request from a new branch."""
    return partial(opened, emulated)
