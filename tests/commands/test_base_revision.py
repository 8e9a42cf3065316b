"""Which commit a contract is compared with, in real repositories of every shape that people check out."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from release_gate.commands import base_revision
from release_gate.commands.base_revision import Base, at_base
from release_gate.findings import BadInput, CannotJudge

HERE = {"PATH": os.environ["PATH"]}
RUNNER = {**HERE, "GITHUB_ACTIONS": "true"}


def git(home: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=octo-air", "-c", "user.email=octo-air@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", "-C", str(home), *identity, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(home: Path, text: str) -> str:
    (home / "in").mkdir(exist_ok=True)
    (home / "in" / "c.yml").write_text(text)
    git(home, "add", "-A")
    git(home, "commit", "-qm", text)
    return git(home, "rev-parse", "HEAD")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """`main` has moved on from where `topic`, which is checked out, left it."""
    home = tmp_path / "home"
    home.mkdir()
    git(home, "init", "-q", "-b", "main")
    commit(home, "one")
    git(home, "checkout", "-qb", "topic")
    commit(home, "topic a")
    commit(home, "topic b")
    git(home, "checkout", "-q", "main")
    commit(home, "two")
    git(home, "checkout", "-q", "topic")
    return home


def base(home: Path, asked: str | None = None, environment: dict[str, str] = HERE) -> Base:
    return at_base(home / "in" / "c.yml", asked, environment)


def test_a_branch_is_compared_with_where_it_left_the_default_branch(home: Path) -> None:
    assert base(home) == Base("the merge base with main", b"one")


def test_on_the_default_branch_an_edited_file_is_compared_with_the_last_commit(home: Path) -> None:
    git(home, "checkout", "-q", "main")
    (home / "in" / "c.yml").write_text("edited")
    assert base(home) == Base("the last commit", b"two")


def test_on_the_default_branch_a_committed_file_is_compared_with_the_commit_before(home: Path) -> None:
    git(home, "checkout", "-q", "main")
    assert base(home) == Base("the commit before", b"one")


def test_a_revision_that_is_named_wins(home: Path) -> None:
    assert base(home, "main") == Base("main", b"two")
    assert base(home, "HEAD~1", RUNNER) == Base("HEAD~1", b"topic a")


def test_on_a_pull_request_the_target_branch_counts_and_else_the_commit_before(home: Path) -> None:
    pull_request = {**RUNNER, "GITHUB_BASE_REF": "main"}
    assert base(home, None, pull_request) == Base("the commit before", b"topic a")
    git(home, "update-ref", "refs/remotes/origin/main", "main")
    assert base(home, None, pull_request) == Base("the merge base with main", b"one")
    assert base(home, None, RUNNER) == Base("the commit before", b"topic a")


def test_a_shallow_checkout_of_a_merge_is_compared_with_its_first_parent(home: Path, tmp_path: Path) -> None:
    git(home, "checkout", "-qb", "merge", "main")
    git(home, "merge", "-q", "-X", "theirs", "topic", "-m", "merge")
    git(tmp_path, "clone", "-q", "--depth", "2", "--branch", "merge", f"file://{home}", "shallow")
    found = base(tmp_path / "shallow", None, {**RUNNER, "GITHUB_BASE_REF": "main"})
    assert found == Base("the commit before", b"two")


def test_where_there_is_nothing_earlier_the_reason_is_said(home: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{home}", "one")
    assert base(tmp_path / "one", None, RUNNER).absent == "no earlier commit is there"
    (home / "in" / "new.yml").write_text("new")
    assert at_base(home / "in" / "new.yml", None, HERE).absent == "it is new since the merge base with main"
    (tmp_path / "plain").mkdir()
    assert at_base(tmp_path / "plain" / "c.yml", None, HERE).absent == "it does not stand in a git repository"
    assert at_base(home / "in" / "c.yml", None, {"PATH": str(tmp_path)}).content is None


def test_a_repository_without_a_commit_has_no_base(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert base(tmp_path).absent == "no earlier commit is there"


@pytest.mark.parametrize("asked", ["nowhere", "--all", "HEAD:in/c.yml"])
def test_a_revision_that_is_none_is_refused(home: Path, asked: str) -> None:
    with pytest.raises(BadInput, match="base-unknown"):
        base(home, asked)


def test_a_revision_outside_git_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="base-unknown"):
        at_base(tmp_path / "c.yml", "main", HERE)


def test_git_that_never_answers_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = tmp_path / "git"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setattr(base_revision, "_LIMIT", 0.2)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(CannotJudge, match="base-unanswered"):
        at_base(tmp_path / "c.yml", None, {"PATH": f"{tmp_path}:{os.environ['PATH']}"})
