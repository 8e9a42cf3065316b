"""`list`: what is registered, for people and for the job that decides whether anything has to be built."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from release_gate.commands import holds
from release_gate.lifecycle.events import Draft
from release_gate.registry.ledger import Ledger
from release_gate.registry.stores.folder import FolderStore
from tests.tiny.calling import call, context
from tests.tiny.project import Project

Capture = pytest.CaptureFixture[str]
ONE, TWO = (f"sha256:{digit * 64}" for digit in "12")
LIFT = "release-gate hold --lift --model tiny --because TEXT"
ROLLOUT = "rollout: {target: {caddy: {}}}\n"


def git(project: Project, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=project.root, check=True, capture_output=True, text=True).stdout.strip()


def register(project: Project, digest: str, commit: str, tree: str) -> None:
    ledger = Ledger(FolderStore(project.root / ".release-gate/registry"), "tiny")
    draft = Draft(
        at=datetime(2026, 1, 2, tzinfo=UTC),
        actor="octocat",
        kind="registered",
        package=digest,
        commit=commit,
        tree=tree,
        serves="after-rollout",
    )
    ledger.append(lambda _: draft)


def register_head(project: Project, digest: str) -> None:
    register(project, digest, git(project, "rev-parse", "HEAD"), git(project, "rev-parse", "HEAD:./"))


def hold(project: Project, *words: str) -> None:
    holds.hold.main([*words], obj=context(project, GITHUB_ACTOR="hubot"), standalone_mode=False)


def outputs(file: Path) -> dict[str, str]:
    lines = file.read_text().splitlines()
    return {lines[at].partition("<<")[0]: lines[at + 1] for at in range(0, len(lines), 3)}


def test_people_see_versions_newest_first(project: Project, capsys: Capture) -> None:
    register(project, ONE, "a" * 40, "b" * 40)
    register_head(project, TWO)
    said = call(project, capsys, "list")
    assert said.code == 0
    assert "tiny: 2 versions" in said.text
    rows = said.text.splitlines()[3:]
    commit, tree = (git(project, "rev-parse", "--short=12", one) for one in ("HEAD", "HEAD:./"))
    assert rows[0].split() == ["2" * 12, "2026-01-02", "00:00:00Z", commit, tree, "registered"]
    assert rows[1].split()[0] == "1" * 12


def test_that_releases_are_held_stands_above_the_versions_until_the_hold_is_lifted(
    project: Project, capsys: Capture
) -> None:
    register_head(project, ONE)
    hold(project, "--because", "the pager rang")
    capsys.readouterr()
    first, second, *_ = call(project, capsys, "list").text.splitlines()
    assert first.startswith("  tiny: releases are held since 20")
    assert first.endswith("Z by hubot: the pager rang; to let them go on: " + LIFT)
    assert second == "  tiny: 1 version"
    hold(project, *LIFT.split()[2:])
    capsys.readouterr()
    assert "held" not in call(project, capsys, "list").text


@pytest.mark.parametrize(
    ("command", "told"), [("list", "no version is registered"), ("log", "nothing has happened yet")]
)
def test_a_registry_that_is_not_there_does_not_read_as_an_empty_one(
    project: Project, capsys: Capture, command: str, told: str
) -> None:
    said = call(project, capsys, command)
    assert (said.code, said.text) == (0, f"  tiny: {told}: the registry .release-gate/registry is not here\n")
    (project.root / ".release-gate/registry/ledger").mkdir(parents=True)
    assert call(project, capsys, command).text == f"  tiny: {told}\n"


def test_machines_read_everything_by_model(project: Project, capsys: Capture) -> None:
    register_head(project, ONE)
    found = json.loads(call(project, capsys, "list", "--format", "json").text)
    assert found["tiny"][0]["digest"] == ONE
    assert found["tiny"][0]["now"] == ["registered"]


def test_only_versions_of_a_tree(project: Project, capsys: Capture) -> None:
    register(project, ONE, "a" * 40, "b" * 40)
    register_head(project, TWO)
    for tree, digest in (("b" * 7, ONE), ("HEAD", TWO)):
        found = json.loads(call(project, capsys, "list", "--format", "json", "--tree", tree).text)
        assert [one["digest"] for one in found["tiny"]] == [digest]
    assert "no version is registered from the tree ccccccc" in call(project, capsys, "list", "--tree", "c" * 7).text


@pytest.mark.parametrize("tree", ["main", "abc", "ABCDEF0", "../x"])
def test_what_is_no_tree_is_refused(project: Project, capsys: Capture, tree: str) -> None:
    said = call(project, capsys, "list", "--tree", tree)
    assert said.code == 2
    assert "give HEAD" in said.text


def test_outside_a_repository_there_is_no_head(project: Project, capsys: Capture) -> None:
    subprocess.run(["rm", "-rf", project.root / ".git"], check=True)
    assert call(project, capsys, "list").code == 0
    said = call(project, capsys, "list", "--tree", "HEAD")
    assert (said.code, "no git repository" in said.text) == (2, True)


@pytest.mark.parametrize(("rollout", "deployed"), [(True, [{"model": "tiny", "version": ONE}]), (False, [])])
def test_the_next_jobs_are_told_what_is_released_already_and_what_to_deploy(
    project: Project, capsys: Capture, tmp_path: Path, rollout: bool, deployed: list[dict[str, str]]
) -> None:
    with (project.root / "release-gate.yml").open("a") as file:
        file.write(ROLLOUT if rollout else "")
    project.commit()
    file_of_outputs = tmp_path / "output"
    call(project, capsys, "list", "--tree", "HEAD", GITHUB_OUTPUT=str(file_of_outputs))
    assert outputs(file_of_outputs) == {"known": "false", "versions": "[]"}
    register_head(project, ONE)
    file_of_outputs.unlink()
    call(project, capsys, "list", "--tree", "HEAD", GITHUB_OUTPUT=str(file_of_outputs))
    told = outputs(file_of_outputs)
    assert told["known"] == "true"
    assert json.loads(told["versions"]) == deployed


def test_without_the_question_nothing_is_told(project: Project, capsys: Capture, tmp_path: Path) -> None:
    call(project, capsys, "list", GITHUB_OUTPUT=str(tmp_path / "output"))
    assert not (tmp_path / "output").exists()
