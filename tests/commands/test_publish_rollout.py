"""Publishing where a rollout is declared: registering releases nothing yet, and what may not be released is refused."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from release_gate.lifecycle.state import fold
from release_gate.registry.packages import open_package
from tests.commands.github_told import GitHub, github
from tests.commands.served import ROLLOUT, happened, ledger
from tests.commands.test_publish_artifact import digest, judged
from tests.github.conftest import _description, _held_to_the_description  # noqa: F401 - fixtures
from tests.github.mirrored import HERE
from tests.tiny.calling import Said, call
from tests.tiny.project import Project

Capture = pytest.CaptureFixture[str]
OTHER, THIRD = (f"sha256:{digit * 64}" for digit in "12")


def head(project: Project) -> str:
    words = ["git", "rev-parse", "HEAD"]
    return subprocess.run(words, cwd=project.root, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def rolled(built: Project) -> Project:
    """The built candidate, to be rolled out."""
    config = built.root / "release-gate.yml"
    config.write_text(config.read_text() + ROLLOUT)
    judged(built)
    return built


def publish(project: Project, capsys: Capture, **environment: Any) -> Said:
    return call(project, capsys, "publish-artifact", **environment)


def test_it_is_registered_and_counts_as_nothing_yet(rolled: Project, capsys: Capture) -> None:
    said = publish(rolled, capsys)
    assert (said.code, said.codes, said.notes) == (0, [], ["published"])
    assert "`release-gate deploy` gives it its traffic" in said.message
    [event] = ledger(rolled.root).read()
    assert (event.kind, event.serves, event.compared) == ("registered", "after-rollout", None)
    assert event.commit == head(rolled)
    state = fold([event])
    assert (state.production, state.registered) == (None, (digest(rolled),))


def test_twice_is_once_while_it_waits_and_once_it_serves(rolled: Project, capsys: Capture) -> None:
    publish(rolled, capsys)
    waiting = publish(rolled, capsys)
    assert (waiting.code, waiting.notes) == (0, ["publish-twice"])
    assert "waits for its rollout" in waiting.message
    happened(rolled.root, "promoted", digest(rolled))
    judged(rolled)
    serving = publish(rolled, capsys)
    assert (serving.code, serving.notes) == (0, ["publish-twice"])
    assert "is production" in serving.message
    assert len(ledger(rolled.root).read()) == 2


def test_judged_against_a_new_production_it_is_registered_again_and_is_the_newest(
    rolled: Project, capsys: Capture
) -> None:
    publish(rolled, capsys)
    happened(rolled.root, "registered", OTHER, serves="after-rollout")
    happened(rolled.root, "promoted", OTHER)
    moved = publish(rolled, capsys)
    assert (moved.code, moved.codes) == (1, ["publish-production-moved"])
    assert f"judged as a first release; production is now {OTHER}" in moved.message
    judged(rolled)
    assert publish(rolled, capsys).notes == ["published"]
    state = fold(ledger(rolled.root).read())
    assert state.registered == (OTHER, digest(rolled))
    assert state.compared[digest(rolled)] == OTHER
    assert state.production == OTHER


def test_an_older_commit_than_productions_is_refused(rolled: Project, capsys: Capture) -> None:
    rolled.commit()
    newer = head(rolled)
    happened(rolled.root, "registered", OTHER, serves="after-rollout", commit=newer)
    happened(rolled.root, "promoted", OTHER)
    judged(rolled)
    said = publish(rolled, capsys)
    assert (said.code, said.codes) == (1, ["publish-backwards"])
    assert OTHER in said.message
    assert "release-gate rollback --to" in said.text


def rolled_back(project: Project, at_fault: str) -> None:
    """What is built here was restored; OTHER, of that commit, is at fault, and releases are held."""
    own = digest(project)
    happened(project.root, "registered", own, serves="after-rollout")
    happened(project.root, "promoted", own)
    happened(project.root, "registered", OTHER, serves="after-rollout", commit=at_fault)
    happened(project.root, "promoted", OTHER)
    happened(project.root, "rolled-back", own, replaces=OTHER, blocks=True)
    judged(project)


def test_a_revert_on_main_that_builds_what_was_restored_lifts_the_hold(project: Project, capsys: Capture) -> None:
    config = project.root / "release-gate.yml"
    config.write_text(config.read_text() + ROLLOUT)
    project.commit()
    project.replace("tiny_model/train.py", "0.25", "0.5")
    at_fault = head(project)
    project.replace("tiny_model/train.py", "0.5", "0.25")
    assert call(project, capsys, "build-candidate").code == 0
    rolled_back(project, at_fault)
    assert fold(ledger(project.root).read()).hold is not None
    said = publish(project, capsys)
    assert (said.code, said.notes) == (0, ["publish-twice", "hold-lifted"]), said.text
    events = ledger(project.root).read()
    state = fold(events)
    assert state.hold is None
    assert OTHER in state.blocked, "what did harm stays blocked"
    assert events[-1].kind == "lifted"
    assert f"commit {head(project)} reverts what {OTHER} was built from" in events[-1].because
    assert publish(project, capsys).notes == ["publish-twice"]


def test_a_job_run_again_from_before_the_fault_lifts_nothing(rolled: Project, capsys: Capture) -> None:
    rolled.commit()
    rolled_back(rolled, head(rolled))  # the one at fault came later
    said = publish(rolled, capsys)
    assert said.notes == ["publish-twice"]
    assert fold(ledger(rolled.root).read()).hold is not None


@pytest.fixture
def told() -> Iterator[GitHub]:
    with github() as running:
        yield running


def test_the_merged_pull_request_is_told_that_its_version_is_registered(
    rolled: Project, capsys: Capture, told: GitHub
) -> None:
    commit = open_package(rolled.build / "package").package.source.commit or ""
    told.merged(12, commit)
    assert told.double is not None
    known = {"GITHUB_REPOSITORY": HERE, "GITHUB_API_URL": told.double.url, "INPUT_TOKEN": "t"}
    assert publish(rolled, capsys, **known).code == 0
    assert "is registered, and takes no traffic yet" in told.body(12)
    assert len(told.asked) == 3
    assert publish(rolled, capsys, **known).notes == ["publish-twice"]
    assert len(told.asked) == 3, "nothing new happened"


def test_a_github_that_refuses_keeps_nothing_from_being_registered(
    rolled: Project, capsys: Capture, told: GitHub
) -> None:
    told.down = "."
    assert told.double is not None
    known = {"GITHUB_REPOSITORY": HERE, "GITHUB_API_URL": told.double.url, "GITHUB_TOKEN": "t"}
    said = publish(rolled, capsys, **known)
    assert (said.code, said.notes) == (0, ["published"])
    assert fold(ledger(rolled.root).read()).owed == ()
