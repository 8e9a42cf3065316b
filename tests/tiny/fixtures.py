"""Fixtures of the tiny repository, for the tests of commands that run it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tiny.project import Project, make


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Environments, made once for all tests."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def project(tmp_path: Path, cache: Path) -> Project:
    """A fresh copy of the repository."""
    return make(tmp_path / "caller", cache)


@pytest.fixture(scope="session")
def built_once(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Project:
    """A repository whose candidate was built by the command line itself."""
    made = make(tmp_path_factory.mktemp("built") / "caller", cache)
    words = [sys.executable, "-c", "from release_gate.cli import main; main()", "build-candidate"]
    subprocess.run(words, cwd=made.root, env=made.environ, check=True, capture_output=True)
    return made


@pytest.fixture
def built(tmp_path: Path, built_once: Project) -> Project:
    """A copy of the repository with its built candidate."""
    shutil.copytree(built_once.root, tmp_path / "caller", symlinks=True)
    return Project(tmp_path / "caller", built_once.cache)
