"""What all tests share: golden files, compared or (with --update-golden) written anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# Speed is measured by scripts/bench; a busy machine must not fail a test.
settings.register_profile("project", deadline=None)
settings.load_profile("project")

LONGEST = ("e2e", "release", "examples", "bad_input")
"""Folders whose tests take longest: begun first, so that no worker is left alone with them at the end."""


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say what one worker runs by itself: a file, and all of the end-to-end tests, which share ports and images."""
    here = Path(__file__).parent

    def folder(item: pytest.Item) -> str:
        return item.path.relative_to(here).parts[0]

    for item in items:
        group = "e2e" if folder(item) == "e2e" else item.path.relative_to(here).as_posix()
        item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: LONGEST.index(folder(item)) if folder(item) in LONGEST else len(LONGEST))


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
