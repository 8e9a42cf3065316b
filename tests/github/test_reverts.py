"""The pull request that reverts a bad version: opened once, or the commands by which a person opens it."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from release_gate.codes import CODES
from release_gate.github.api import Api
from release_gate.github.marker import Marker, ReleaseMarker, RevertMarker
from release_gate.github.merged import How, Merged, brought
from release_gate.github.reverts import Revert, commands, commands_without, existing, open_revert
from tests.e2e.testbed import objects
from tests.e2e.testbed.deployments import Mirror
from tests.github.double import Answer, FakeClock, Request, serving
from tests.github.mirrored import HERE, mirroring

SHA, PARENT = "c" * 40, "d" * 40
BODY = f"{RevertMarker(12)}\nIt was taken back."
MERGED = objects.pull(HERE, 12, head="a" * 40, branch="summer", merged=SHA)


def known(**given: Any) -> Mirror:
    mirror = Mirror(parents={SHA: (PARENT, "a" * 40)}, **given)
    mirror.add(MERGED, SHA)
    return mirror


def opened(mirror: Mirror) -> Revert:
    with mirroring(Mirror(pulls=mirror.pulls, brought=mirror.brought)) as (api, _):
        [pull] = brought(api, SHA)
    with mirroring(mirror) as (api, _):
        return open_revert(api, pull, title='Revert "A change"', body=BODY)


def test_it_is_opened_and_the_next_run_finds_it() -> None:
    mirror = known()
    made = opened(mirror)
    assert (made.outcome, made.number, made.state, made.finding.code) == ("opened", 13, "open", "revert-opened")
    assert made.url == "https://github.com/octo-air/flight-delay/pull/13"
    assert mirror.pulls[HERE, 13]["body"] == BODY
    assert made.commands == ()
    again = opened(mirror)
    assert (again.outcome, again.number, again.owed) == ("exists", 13, False)
    assert len(mirror.pulls) == 2


@pytest.mark.parametrize(
    ("given", "state"),
    [({}, "open"), ({"merged": "e" * 40}, "merged"), ({"state": "closed"}, "closed")],
)
def test_one_that_a_person_opened_by_the_button_is_known(given: dict[str, Any], state: str) -> None:
    mirror = known()
    mirror.add(objects.pull(HERE, 14, head="9" * 40, branch="revert-12-summer", **given))
    mirror.add(objects.pull(HERE, 15, head="9" * 40, branch="other"))
    told = opened(mirror)
    assert (told.outcome, told.number, told.state) == ("exists", 14, state)
    assert bool(told.commands) == (state == "closed")


@pytest.mark.parametrize(
    "given",
    [
        {"branch": "revert-12-summer", "fork": ("hubot/flight-delay", 99)},
        {"branch": "x", "body": BODY, "fork": ("hubot/flight-delay", 99)},
        {"branch": "revert-1-summer"},
        {"branch": "revert-121"},
        {"branch": "x", "body": f"> {BODY}"},
    ],
)
def test_what_only_looks_like_one_is_none(given: dict[str, Any]) -> None:
    mirror = known()
    mirror.add(objects.pull(HERE, 14, head="9" * 40, **given))
    assert opened(mirror).outcome == "opened"


def test_only_those_younger_than_it_are_looked_through() -> None:
    mirror = known()
    for number in range(13, 270):
        mirror.add(objects.pull(HERE, number, head="9" * 40))
    for number in range(1, 12):
        mirror.add(objects.pull(HERE, number, head="9" * 40, branch="revert-12-summer"))
    with mirroring(mirror) as (api, double):
        assert existing(api, 12) is None
        assert len(double.asked) == 3


REFUSALS = [
    ("GitHub Actions is not permitted to create or approve pull requests.", "FORBIDDEN", "settings", "Allow GitHub"),
    (
        "refusing to allow a GitHub App to create or update workflow `a.yml` without `workflows` permission",
        "UNPROCESSABLE",
        "workflow-files",
        "commands",
    ),
    ("The pull request could not be reverted automatically: merge conflict", "UNPROCESSABLE", "conflict", "resolve"),
    ("Something went wrong", "SERVICE_ERROR", "other", "GitHub's words"),
]


@pytest.mark.parametrize(("words", "kind", "why", "remedy"), REFUSALS)
def test_a_refusal_says_why_and_gives_the_commands(words: str, kind: str, why: str, remedy: str) -> None:
    told = opened(known(reverts_refused=words, reverts_kind=kind))
    assert (told.outcome, told.why, told.owed) == ("refused", why, False)
    assert words[:40] in told.finding.message
    assert remedy in told.finding.remedy
    assert f"git revert --no-edit -m 1 {SHA}" in told.commands


def test_a_missing_permission_names_both_lines() -> None:
    told = opened(known(lacking={"contents"}))
    assert (told.outcome, told.why, told.finding.code) == ("refused", "permission", "revert-permission")
    assert "permissions:\n    contents: write\n    pull-requests: write" in told.finding.remedy
    # How it was merged can't be asked without `contents: read` either: both ways are tried.
    assert f"git revert --no-edit -m 1 {SHA} || git revert --no-edit {SHA}" in told.commands


def test_where_github_does_not_answer_it_is_owed_and_the_commands_stand_meanwhile() -> None:
    pull = Merged(12, "PR_12", "u", "t", "octocat", "main", SHA, "2026-03-01T00:00:00Z")
    told = open_revert(Api(HERE, "t", FakeClock(), "http://127.0.0.1:9", patience=0), pull, title="t", body=BODY)
    assert (told.outcome, told.owed, told.finding.code) == ("unavailable", True, "revert-unavailable")
    assert told.commands == commands(pull)

    def halfway(request: Request) -> Answer:
        if request.path != "/graphql":
            return Answer(body=["x", {"number": "y"}], outside="entries of no known shape")
        return Answer(body={"data": {"revertPullRequest": None}})

    with serving(halfway) as double:
        told = open_revert(Api(HERE, "t", FakeClock(), double.url), pull, title="t", body=BODY)
    assert told.outcome == "unavailable"


def test_a_description_without_its_marker_is_a_mistake_of_ours() -> None:
    pull = Merged(12, "PR_12", "u", "t", "octocat", "main", SHA, "2026-03-01T00:00:00Z")
    for body in ("text", str(RevertMarker(13))):
        with pytest.raises(ValueError, match="marker"):
            open_revert(Api(HERE, "t", FakeClock(), "http://127.0.0.1:9"), pull, title="t", body=body)


def test_every_code_it_gives_is_known() -> None:
    assert {code for code in CODES if code.startswith("revert-")} >= {
        "revert-opened", "revert-exists", "revert-none", "revert-permission", "revert-settings",
        "revert-workflow-files", "revert-conflict", "revert-refused", "revert-unavailable",
    }  # fmt: skip


def test_markers_of_different_kinds_are_never_taken_for_each_other() -> None:
    texts = [str(Marker("m", "a" * 40, (1, 1))), str(ReleaseMarker("m", 5)), str(RevertMarker(7))]
    kinds: list[Callable[[str], object]] = [Marker.of, ReleaseMarker.of, RevertMarker.of]
    for index, of in enumerate(kinds):
        assert [of(f"{text}\nx") is not None for text in texts] == [other == index for other in range(3)]


# The commands, typed into a real repository.


def git(folder: Path, *words: str) -> str:
    author = ["-c", "user.name=octocat", "-c", "user.email=octocat@example.com"]
    done = subprocess.run(["git", *author, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def merged_by(folder: Path, way: How) -> tuple[Path, Merged]:
    """A clone of a repository whose main holds a pull request of two commits, and one commit after it."""
    origin, clone = folder / "origin.git", folder / "clone"
    git(folder, "init", "--quiet", "--bare", "--initial-branch", "main", str(origin))
    git(folder, "clone", "--quiet", str(origin), str(clone))
    git(clone, "config", "user.name", "octocat")
    git(clone, "config", "user.email", "octocat@example.com")

    def commit(name: str) -> None:
        (clone / name).write_text(name)
        git(clone, "add", ".")
        git(clone, "commit", "--quiet", "--message", name)

    git(clone, "switch", "--quiet", "--create", "main")
    commit("first")
    git(clone, "switch", "--quiet", "--create", "change")
    commit("bad-1")
    commit("bad-2")
    git(clone, "switch", "--quiet", "main")
    if way == "merge":
        git(clone, "merge", "--quiet", "--no-ff", "--no-edit", "change")
    elif way == "squash":
        git(clone, "merge", "--quiet", "--squash", "change")
        git(clone, "commit", "--quiet", "--message", "squashed")
    else:
        git(clone, "merge", "--quiet", "--ff-only", "change")
    sha = git(clone, "rev-parse", "HEAD")
    commit("later")
    git(clone, "push", "--quiet", "origin", "main")
    return clone, Merged(12, "PR_12", "u", "t", "octocat", "main", sha, "2026-03-01T00:00:00Z")


@pytest.mark.parametrize(
    ("way", "known_as"),
    [("merge", "merge"), ("squash", "squash"), ("rebase", "rebase"), ("merge", None), ("squash", None)],
)
def test_the_commands_take_back_the_change_and_nothing_else(tmp_path: Path, way: How, known_as: How | None) -> None:
    clone, pull = merged_by(tmp_path, way)
    *typed, last = commands(pull, known_as, 2)
    for line in typed:
        subprocess.run(["bash", "-euc", line], cwd=clone, capture_output=True, check=True)
    assert sorted(one.name for one in clone.iterdir() if one.name != ".git") == ["first", "later"]
    assert git(clone, "ls-remote", "origin", "revert-12")
    assert last == "gh pr create --base main --head revert-12 --fill"


def test_a_commit_pushed_directly_is_reverted_by_its_own_commands(tmp_path: Path) -> None:
    clone, pull = merged_by(tmp_path, "squash")
    for line in commands_without(pull.commit, "main")[:-1]:
        subprocess.run(["bash", "-euc", line], cwd=clone, capture_output=True, check=True)
    assert sorted(one.name for one in clone.iterdir() if one.name != ".git") == ["first", "later"]


def test_a_branch_with_a_hostile_name_stays_one_word() -> None:
    pull = Merged(12, "PR_12", "u", "t", "octocat", "x;$(rm -rf .)&`y`", SHA, "2026-03-01T00:00:00Z")
    _, switch, _, _, create = commands(pull)
    assert shlex.split(switch)[-1] == "origin/x;$(rm -rf .)&`y`"
    assert shlex.split(create)[4] == pull.base
    assert replace(pull, base="main") != pull
