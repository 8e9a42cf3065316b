"""What all tests share: golden files, compared or (with --update-golden) written anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

# Speed is measured by scripts/bench; a busy machine must not fail a test.
settings.register_profile("project", deadline=None)
settings.load_profile("project")

LONGEST = ("e2e", "release", "examples", "bad_input")
"""Folders whose tests take longest: begun first, so that no worker is left alone with them at the end."""


class ByFile(LoadScopeScheduling):  # type: ignore[misc] # the library has no types
    """A worker has a file at a time, and one has all end-to-end tests: runs of one workflow wait for each other."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        return "e2e" if file.startswith("tests/e2e/") else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    """Say who runs what, where tests run side by side."""
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the folders that take longest."""
    here = Path(__file__).parent

    def place(item: pytest.Item) -> int:
        folder = item.path.relative_to(here).parts[0]
        return LONGEST.index(folder) if folder in LONGEST else len(LONGEST)

    items.sort(key=place)


Golden = Callable[[Path, str], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write golden files anew, to be reviewed like code")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Hold a text against the file that was reviewed."""

    def compare(file: Path, text: str) -> None:
        if request.config.getoption("--update-golden"):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
        assert file.exists(), f"{file.name} is missing: run with --update-golden and review it"
        assert text == file.read_text(encoding="utf-8"), f"{file.name} differs: --update-golden, then review"

    return compare
