"""The parts of the test bed as fixtures. A part that cannot be had skips with its reason, or fails where CI=true."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from release_gate.caller_workflows import CALLERS
from tests.e2e.testbed import act, artifact_server, docker, emulator, front, pulls, repository, tools
from tests.e2e.testbed.part import UnavailableError
from tests.github.published import problems_of

Made = TypeVar("Made")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.e2e)


def have(make: Callable[[], Made]) -> Made:
    """Return a part, or end the test with the reason why it cannot be had."""
    try:
        return make()
    except UnavailableError as reason:
        if os.environ.get("CI") == "true":
            pytest.fail(str(reason))
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def image() -> str:
    return have(docker.release_gate)


@pytest.fixture(scope="session")
def pinned(image: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The copy of the project that act runs."""
    have(tools.act)
    have(docker.runner)
    return have(lambda: act.pinned_project(tmp_path_factory.mktemp("pinned") / "release-gate"))


@pytest.fixture(scope="session")
def callers() -> dict[str, str]:
    """The caller workflows that `init` drafts."""
    published, _, ref = act.PUBLISHED_AS.partition("@")
    drafted = {Path(one.path).name: one.text for one in CALLERS.values()}
    return {name: text.format(repository=published, ref=ref, branch="main") for name, text in drafted.items()}


@pytest.fixture
def flight_delay(callers: dict[str, str], tmp_path: Path) -> repository.UserRepository:
    """The repository of flight-delay; nothing is in production."""
    return have(lambda: repository.made("flight-delay", tmp_path / "flight-delay", callers))


@pytest.fixture
def batch_scores(callers: dict[str, str], tmp_path: Path) -> repository.UserRepository:
    """The repository of another user: two models, predictions delivered as tables; nothing is in production."""
    return repository.made("batch-scores", tmp_path / "batch-scores", callers)


@pytest.fixture
def released(batch_scores: repository.UserRepository) -> repository.UserRepository:
    """The same with both models in production."""
    batch_scores.release()
    return batch_scores


@dataclass(frozen=True)
class GitHub:
    """GitHub as far as a workflow meets it: the API, its front, the artifact store."""

    api: emulator.Emulator
    front: front.Front
    artifacts: artifact_server.Artifacts

    def pulls(self, repository: str) -> pulls.Pulls:
        """Return the pull requests of a repository."""
        return pulls.Pulls(self.api, self.front, repository)

    def actions(self, project: Path) -> act.Actions:
        """Return what runs workflows against this GitHub."""
        return act.Actions(project, self.front.url, self.artifacts.url)

    def comments(self, repository: str, number: int) -> list[dict[str, Any]]:
        """Return every comment of a pull request, oldest first."""
        found: list[dict[str, Any]] = []
        for page in range(1, 100):
            path = f"/repos/{repository}/issues/{number}/comments?per_page=100&page={page}"
            more = self.api.ask("GET", path)
            found += more
            if len(more) < 100:
                break
        return found

    def ours(self, repository: str, number: int) -> list[dict[str, Any]]:
        """Return the comments that the workflow's token wrote."""
        return [one for one in self.comments(repository, number) if one["user"]["login"] == emulator.BOT]


@pytest.fixture
def github() -> Iterator[GitHub]:
    have(tools.node_modules)
    with (
        emulator.running() as api,
        artifact_server.serving() as artifacts,
        front.standing(api, artifacts, emulator.TOKEN) as before,
    ):
        yield GitHub(api, before, artifacts)
        assert problems_of(before.exchanges) == []


@pytest.fixture
def network(image: str) -> Iterator[str]:
    """A network of one's own, as a real runner gives Docker actions: 127.0.0.1 is not the host there."""
    name = f"release-gate-test-{os.getpid()}"
    subprocess.run(["docker", "network", "create", name], check=True, capture_output=True)
    yield name
    subprocess.run(["docker", "network", "rm", name], check=True, capture_output=True)
