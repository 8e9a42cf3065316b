"""The stateful GitHub API of the test bed, one for all tests of this folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from tests.e2e.testbed import emulator
from tests.e2e.testbed.part import UnavailableError
from tests.github.pulls import Pull, opened


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
