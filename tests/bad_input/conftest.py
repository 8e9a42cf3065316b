"""The tiny repository with a contract its data keep, so that `check` passes until something is made wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.bad_input.command_line import run
from tests.tiny.fixtures import cache  # noqa: F401 - a fixture
from tests.tiny.project import Project, make

DRAFTED = '"DRAFT: say how missing history is filled, who does it, and from when"'


@pytest.fixture(scope="session")
def right(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Project:  # noqa: F811 - the fixture
    """A repository in which nothing is wrong."""
    project = make(tmp_path_factory.mktemp("right") / "caller", cache)
    drafted = run(project, "contract", "infer", "data/rows.parquet")
    assert drafted.code == 0, drafted.err
    written = drafted.out.replace(DRAFTED, "the table is made anew each day").replace("maximum: 65", "maximum: 99")
    (project.root / "contracts" / "rows.yml").write_text(written)
    project.commit()
    project.commit()
    return project


@pytest.fixture(scope="session")
def passed(right: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy whose verdicts all pass."""
    root = tmp_path_factory.mktemp("passed") / "caller"
    shutil.copytree(right.root, root, symlinks=True)
    project = Project(root, right.cache)
    ended = run(project, "check")
    assert ended.code == 0, ended.out
    return project


@pytest.fixture
def project(tmp_path: Path, right: Project) -> Project:
    """A copy of it, to make something wrong in."""
    shutil.copytree(right.root, tmp_path / "caller", symlinks=True)
    return Project(tmp_path / "caller", right.cache)
