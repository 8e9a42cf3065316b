"""No network, and a token that may not do what is asked of it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.bad_input.command_line import Run, run
from tests.github.double import Answer, Request, serving
from tests.github.test_event import ENVIRONMENT, PULL, SHA
from tests.tiny.project import CONFIG, Project

NOWHERE = "127.0.0.1:9"
"""The discard port: nothing listens there."""


def index_out_of_reach(project: Project, tmp_path: Path) -> None:
    """Half an environment would be taken for a whole one, so none is left."""
    (project.root / "requirements.txt").write_text("six==1.17.0\n")
    project.commit()
    index, fresh = f"http://{NOWHERE}/simple", str(tmp_path / "fresh")
    variables = {"UV_INDEX_URL": index, "UV_DEFAULT_INDEX": index, "UV_CACHE_DIR": fresh, "UV_HTTP_RETRIES": "0"}
    told = run(project, "build-candidate", **variables).refused(4, "environment-failed", "six", NOWHERE)
    assert "network" in told.remedy
    environment = project.root / ".release-gate" / "environment"
    assert not environment.exists()


def address_out_of_reach(project: Project) -> None:
    """A model that can't be fetched is told with its address, without what may be a signature."""
    train = next(line for line in CONFIG.splitlines() if "train:" in line)
    address = f"https://{NOWHERE}/model.bin"
    origin = f"  from: {{path: '{address}?signature=hidden', sha256: {'ab' * 32}}}"
    project.replace("release-gate.yml", train, origin)
    told = run(project, "build-candidate").refused(4, "candidate-unreachable", address, "Connection refused")
    assert "hidden" not in told.text


@pytest.fixture
def checked(passed: Project) -> Project:
    """A repository whose verdicts stand, all of them passing."""
    return passed


@pytest.fixture(params=["passes", "fails"])
def outcome(request: pytest.FixtureRequest, checked: Project) -> Iterator[int]:
    """What the gates said: the exit code that the report must keep."""
    verdict = checked.verdicts / "schema-check.json"
    content = verdict.read_bytes()
    if request.param == "fails":
        verdict.unlink()
    yield 0 if request.param == "passes" else 4
    verdict.write_bytes(content)


def reporting(project: Project, url: str) -> Run:
    """The report of a pull request's run, with a token."""
    event = project.root.with_name("event.json")
    pull = copy.deepcopy(PULL)
    pull["pull_request"]["base"]["repo"]["id"] = 11  # type: ignore[index]
    event.write_text(json.dumps(pull))
    variables = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": str(event)}
    return Run(project, "report", **ENVIRONMENT, **variables, GITHUB_API_URL=url, GITHUB_TOKEN="not-a-token")


REFUSED = "Resource not accessible by integration"


def lacking(method: str) -> Callable[[Request], Answer]:
    """A GitHub that refuses this method to the token."""

    def answer(asked: Request) -> Answer:
        if asked.method == method:
            needed = "pull_requests=read" if method == "GET" else "issues=write; pull_requests=write"
            return Answer(403, {"message": REFUSED}, {"X-Accepted-GitHub-Permissions": needed})
        if asked.path.endswith("/comments"):
            return Answer(200, [])
        return Answer(200, {"state": "open", "head": {"sha": SHA}})

    return answer


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_token_without_permission_names_the_line_and_decides_nothing(
    checked: Project, outcome: int, method: str
) -> None:
    with serving(lacking(method)) as github:
        ended = reporting(checked, github.url).end()
    told = ended.warned(outcome, "github-permission", REFUSED)
    assert "permissions:\n      |     pull-requests: write" in told.remedy
    assert (checked.root / ".release-gate" / "run" / "tiny" / "comment.md").exists()


def test_a_token_github_does_not_know_decides_nothing(checked: Project) -> None:
    with serving(lambda _: Answer(401, {"message": "Bad credentials"})) as github:
        ended = reporting(checked, github.url).end()
    told = ended.warned(0, "github-token", "Bad credentials")
    assert "github-token: ${{ github.token }}" in told.remedy


def test_without_a_network_each_thing_out_of_reach_is_named(checked: Project, project: Project, tmp_path: Path) -> None:
    going = reporting(checked, f"http://{NOWHERE}")  # asks again after 2, 4 and 8 seconds, and meanwhile:
    index_out_of_reach(project, tmp_path)
    address_out_of_reach(project)
    ended = going.end()
    told = ended.warned(0, "github-unreachable", "GET /repos/octo-air/flight-delay/pulls/7")
    assert "Run the job again" in told.remedy
    assert "not-a-token" not in ended.out + ended.err
