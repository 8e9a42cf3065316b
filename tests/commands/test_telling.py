"""What GitHub is told of a release: deployment, one comment, the revert; and what is owed where it can't be told."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from release_gate.commands.outbox import pay
from release_gate.commands.restoring import Told as Restored
from release_gate.commands.restoring import restore
from release_gate.commands.rolling import Told, roll
from release_gate.commands.telling import ANOTHER, PATIENCE, Telling, mirrored
from release_gate.findings import CannotJudge
from release_gate.lifecycle.events import Draft
from release_gate.verdict import Finding
from tests.commands.github_told import MODEL, GitHub, github
from tests.commands.test_rolling import NEW, NEWER, OLD, ROLLOUT
from tests.commands.world import World
from tests.e2e.testbed import objects
from tests.github.conftest import _description, _held_to_the_description  # noqa: F401 - fixtures
from tests.github.mirrored import HERE
from tests.report.rendering import assert_ours

FIRST, SECOND, THIRD = (digit * 40 for digit in "123")
OWED = ("deployment", "comment", "revert")


@pytest.fixture
def told() -> Iterator[GitHub]:
    with github() as running:
        running.merged(11, FIRST)
        running.merged(12, SECOND)
        running.merged(13, THIRD)
        yield running


def world(**given: object) -> World:
    """OLD, brought by 11, is production; NEW, brought by 12, is registered."""
    made = World(**given)  # type: ignore[arg-type]
    made.happened("registered", OLD, serves="after-rollout", commit=FIRST)
    made.happened("promoted", OLD)
    made.happened("registered", NEW, serves="after-rollout", compared=OLD, commit=SECOND)
    made.started, made.shares, made.good = {OLD}, {OLD: 1.0}, [OLD]
    return made


def telling(told: GitHub, made: World, run: int = 1, **environment: str) -> Telling:
    hands = made.hands()
    return Telling(told.context(made, run, **environment), MODEL, hands.ledger, hands.looks)


def deploy(told: GitHub, made: World, package: str = NEW, run: int = 1, **wishes: object) -> Told:
    """As `deploy` does it."""
    teller = telling(told, made, run)
    hands = replace(made.hands(), follow=teller.follow)
    pay(hands)
    ended = roll(hands, package, ROLLOUT, **wishes)  # type: ignore[arg-type]
    teller.settle(ended.findings)
    return ended


def roll_back(told: GitHub, made: World, run: int = 2, to: str | None = None, **environment: str) -> Restored:
    """As `rollback` does it."""
    ended = restore(made.hands("octocat"), to=to, because="the pager rang")
    telling(told, made, run, **environment).settle(ended.findings)
    return ended


def codes(findings: list[Finding]) -> list[str]:
    return [one.code for one in findings]


def registered(told: GitHub, made: World) -> None:
    """As `publish-artifact` tells it."""
    telling(told, made).follow("comment")


def test_a_release_is_told_from_the_merge_to_its_end_in_one_comment_and_one_deployment(told: GitHub) -> None:
    made = world()
    told.mirror.deployments.clear()
    registered(told, made)
    assert "is registered, and takes no traffic yet" in told.body(12)
    assert told.states() == []
    before = len(told.asked)
    assert deploy(told, made).outcome.value == "pass"
    assert len(told.asked) - before <= 15, [f"{one.method} {one.path}" for one in told.asked[before:]]
    assert "`m` of this pull request serves all users" in told.body(12)
    assert "**Still owed**" not in told.body(12)
    assert told.body(12).count("no harm seen") == 3
    assert told.states() == [("deploy", "success")]
    [one] = told.mirror.deployments
    assert (one["ref"], one["environment"]) == (SECOND, "production")
    assert one["payload"]["digest"] == NEW
    shown = told.mirror.states[one["id"]]
    assert [state["state"] for state in shown] == ["in_progress", "success"]
    assert shown[-1]["environment_url"] == "https://flights.example.com"
    assert set(told.comments) == {12}
    assert not made.state.owed


def test_the_comment_follows_each_step(told: GitHub) -> None:
    made = world()
    seen: list[str] = []

    def look(_: World) -> None:
        if told.comments.get(12) and (not seen or seen[-1] != told.body(12)):
            seen.append(told.body(12))

    made.meanwhile = look
    deploy(told, made)
    assert [body.partition("\n### ")[2].partition("\n")[0] for body in seen] == [
        "🚦 `m` of this pull request takes 5% of the traffic",
        "🚦 `m` of this pull request takes 50% of the traffic",
        "🚦 `m` of this pull request takes all traffic and is still watched",
    ]


def test_the_next_release_retires_the_deployment_before(told: GitHub) -> None:
    made = world()
    deploy(told, made)
    made.happened("registered", NEWER, serves="after-rollout", compared=NEW, commit=THIRD)
    before = len(told.asked)
    deploy(told, made, NEWER)
    assert len(told.asked) - before <= 15, [f"{one.method} {one.path}" for one in told.asked[before:]]
    assert told.states() == [("deploy", "inactive"), ("deploy", "success")]
    assert "serves all users" in told.body(13)


def test_nothing_is_sent_twice_when_nothing_changed(told: GitHub) -> None:
    made = world()
    deploy(told, made)
    before = list(told.written)
    deploy(told, made)  # a re-run of the job
    assert told.written == before, "nothing is owed, nothing is told"
    telling(told, made).follow()
    assert told.written == before, "told once more it changes nothing"


def test_a_version_that_did_harm_is_told_with_its_reason_and_the_revert_is_opened(told: GitHub) -> None:
    made = world(failing={NEW: 0.3})
    ended = deploy(told, made)
    assert codes(ended.findings) == ["deploy-taken-back", "revert-opened"]
    body = told.body(12)
    assert "⏪ `m` of this pull request was taken back automatically" in body
    assert "**Serves now:** `aaaaaaaaaaaa`, the version before" in body
    assert "**Revert:** [pull request 14](https://github.com/octo-air/flight-delay/pull/14)" in body
    assert "harm seen" in body
    assert "`release-gate hold --lift`" in body
    assert told.states() == [("deploy", "failure")]
    revert = told.mirror.pulls[HERE, 14]
    assert (revert["title"], revert["state"]) == ('Revert "A change"', "open")
    assert "of pull request 12 was taken back" in told.body(14), "the revert is told, too"
    assert "**Revert:**" not in told.body(14)


def test_a_rollback_is_a_deployment_of_its_own_and_both_pull_requests_are_told(told: GitHub) -> None:
    made = world()
    deploy(told, made)
    assert roll_back(told, made).restored == OLD
    assert told.states() == [("deploy", "inactive"), ("rollback", "success")]
    newest = told.mirror.deployments[-1]
    assert (newest["ref"], newest["payload"]["digest"], newest["payload"]["replaces"]) == (FIRST, OLD, NEW)
    assert "restored: the pager rang" in told.mirror.states[newest["id"]][-1]["description"]
    assert "was rolled back by octocat" in told.body(12)
    assert "the pager rang" in told.body(12)
    assert "of pull request 12 was rolled back by octocat" in told.body(14)
    assert set(told.comments) == {12, 14}
    assert not made.state.owed


def test_pressed_twice_the_second_changes_nothing_that_stands(told: GitHub) -> None:
    made = world()
    deploy(told, made)
    roll_back(told, made)
    before, body = [*told.states()], told.body(12)
    roll_back(told, made, run=3)
    assert told.states() == before, "it is the same rollback"
    assert told.body(12).splitlines()[1] == body.splitlines()[1]
    assert len([one for one in told.mirror.pulls if one[1] > 13]) == 1, "one revert"
    assert all(len(there) == 1 for there in told.comments.values())


def test_where_github_was_down_for_the_first_press_the_second_tells_of_the_version_at_fault(told: GitHub) -> None:
    made = world()
    deploy(told, made)
    told.down = "."
    ended = roll_back(told, made)
    assert ended.restored == OLD
    assert codes(ended.findings).count("owed") == 3
    assert all("503" in one.message for one in ended.findings if one.code == "owed")
    assert made.state.owed == OWED
    told.down = ""
    roll_back(told, made, run=3)
    assert "was rolled back by octocat" in told.body(12)
    assert "pull request 14" in told.body(12)
    assert told.states()[-1] == ("rollback", "success")
    assert not made.state.owed


def test_a_version_whose_end_nobody_could_tell_is_told_with_the_next_release(told: GitHub) -> None:
    made = world(rate=0.0)
    told.down = "issues"
    deploy(told, made)
    assert made.state.owed == ("comment",)
    told.down, made.rate = "", 100.0
    made.happened("registered", NEWER, serves="after-rollout", compared=OLD, commit=THIRD)
    made.sleep(ANOTHER)
    deploy(told, made, NEWER, run=2)
    assert "was taken back automatically" in told.body(12)
    assert "`release-gate deploy --again`" in told.body(12)
    assert "serves all users" in told.body(13)
    assert not made.state.owed


def test_a_later_rollback_to_the_same_version_is_another_deployment(told: GitHub) -> None:
    made = world()
    deploy(told, made)
    roll_back(told, made)
    made.happened("lifted", OLD)
    made.happened("registered", NEWER, serves="after-rollout", compared=OLD, commit=THIRD)
    deploy(told, made, NEWER, run=3)
    roll_back(told, made, run=4)
    assert [task for task, _ in told.states()] == ["deploy", "rollback", "deploy", "rollback"]
    assert [state for _, state in told.states()] == ["inactive", "inactive", "inactive", "success"]
    assert "was rolled back by octocat" in told.body(13)


def test_a_version_of_no_known_commit_is_told_nowhere(told: GitHub) -> None:
    made = World()
    made.happened("registered", NEW, serves="after-rollout")
    assert deploy(told, made).outcome.value == "pass"
    assert told.asked == []
    assert not made.state.owed
    bad = World(failing={NEW: 0.4})
    bad.happened("registered", NEW, serves="after-rollout")
    deploy(told, bad)
    assert told.asked == []


def test_a_revert_that_could_not_be_asked_for_is_owed_and_opened_later_and_its_commands_stand_meanwhile(
    told: GitHub,
) -> None:
    made = world(failing={NEW: 0.3})
    told.down = "graphql"
    ended = deploy(told, made)
    assert "revert-unavailable" in codes(ended.findings)
    assert made.state.owed == ("revert",)
    assert "git revert" in told.body(12)
    told.down = ""
    made.sleep(ANOTHER)
    telling(told, made, run=2).settle([])
    assert (HERE, 14) in told.mirror.pulls
    assert not made.state.owed


def test_a_comment_that_is_told_later_than_the_revert_was_opened_still_names_it(told: GitHub) -> None:
    made = world(failing={NEW: 0.3})
    told.down = "issues"
    deploy(told, made)
    assert made.state.owed == ("comment",)
    told.down = ""
    telling(told, made).settle([])
    assert "**Revert:** [pull request 14]" in told.body(12)


def test_a_revert_that_a_person_opened_by_the_button_is_told_and_no_second_one_is_opened(told: GitHub) -> None:
    made = world(failing={NEW: 0.3})
    told.mirror.add(objects.pull(HERE, 20, head="9" * 40, branch="revert-12-change-12"))
    ended = deploy(told, made)
    assert codes(ended.findings) == ["deploy-taken-back", "revert-exists"]
    assert "of pull request 12 was taken back" in told.body(20)
    assert max(number for _, number in told.mirror.pulls) == 20


def test_a_commit_that_was_pushed_directly_has_commands_in_the_verdict_and_no_comment(told: GitHub) -> None:
    made = world(failing={NEW: 0.3})
    told.mirror.brought.pop((HERE, SECOND))
    ended = deploy(told, made)
    assert codes(ended.findings) == ["deploy-taken-back", "revert-none"]
    assert told.comments == {}
    assert not made.state.owed
    assert told.states() == [("deploy", "failure")]
    [none] = [one for one in ended.findings if one.code == "revert-none"]
    assert f"git revert --no-edit -m 1 {SECOND}" in none.remedy


@pytest.mark.parametrize(("payload", "down", "base"), [
    ('{"repository": {"default_branch": "trunk"}}', "", "trunk"),
    ('{"schedule": "0 * * * *"}', "", "main-of-the-api"),
    ("[", "", "main-of-the-api"),
    ("{}", f"^/repos/{HERE}$", "main-of-the-clone"),
])  # fmt: skip
def test_the_commands_of_a_revert_name_the_default_branch_whichever_branch_the_run_was_started_from(
    told: GitHub, tmp_path: Path, payload: str, down: str, base: str
) -> None:
    made = world()
    told.mirror.brought.pop((HERE, SECOND))
    deploy(told, made)
    told.branch, told.down = "main-of-the-api", down
    (tmp_path / "event.json").write_text(payload)
    for words in (
        ("init", "--quiet"),
        ("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main-of-the-clone"),
    ):
        subprocess.run(["git", "-C", tmp_path, *words], check=True)
    ended = restore(made.hands("octocat"), to=None, because="the pager rang")
    run = {"GITHUB_REF_NAME": "my-feature", "GITHUB_EVENT_PATH": str(tmp_path / "event.json")}
    context = replace(told.context(made, 2, **run), home=tmp_path)
    Telling(context, MODEL, made.hands().ledger, made.hands().looks).settle(ended.findings)
    [none] = [one for one in ended.findings if one.code == "revert-none"]
    assert f"origin/{base}\n" in none.remedy
    assert f"gh pr create --base {base} " in none.remedy


@pytest.mark.parametrize(
    ("lacking", "left", "line"),
    [
        ("deployments", ("deployment",), "deployments: write"),
        ("pull_requests", ("comment",), "pull-requests: read"),
    ],
)
def test_a_missing_permission_is_owed_with_the_line_to_add_and_the_next_run_settles(
    told: GitHub, lacking: str, left: tuple[str, ...], line: str
) -> None:
    made = world()
    told.mirror.lacking = {lacking}
    ended = deploy(told, made)
    assert ended.outcome.value == "pass"
    assert made.state.owed == left
    [owed] = [one for one in ended.findings if one.code == "owed"]
    assert owed.message.startswith(f"{left[0]}: ")
    assert f"permissions:\n    {line}" in owed.remedy
    told.mirror.lacking = set()
    telling(told, made).settle([])
    assert not made.state.owed
    assert "serves all users" in told.body(12)
    assert told.states() == [("deploy", "success")]


def test_a_github_that_does_not_answer_keeps_no_rollout_waiting(told: GitHub) -> None:
    quiet, made = world(), world()
    deploy(told, quiet)
    told.down = "."
    deploy(told, made)
    assert (made.time - quiet.time).total_seconds() <= PATIENCE
    assert made.state.production == NEW


def test_without_a_token_it_is_owed_and_said(told: GitHub) -> None:
    made = world()
    deploy(told, made)
    ended = roll_back(told, made, GITHUB_TOKEN="")
    assert "there is no GitHub token" in ended.findings[-1].message
    assert "GITHUB_TOKEN" in ended.findings[-1].remedy
    assert made.state.owed == OWED
    telling(told, made, GITHUB_TOKEN="", GITHUB_REPOSITORY="").follow()
    assert not mirrored(told.context(made, GITHUB_REPOSITORY=""))
    assert mirrored(told.context(made))


def test_what_another_run_recorded_a_moment_ago_is_left_to_it(told: GitHub) -> None:
    made = world()
    deploy(told, made)
    hands = made.hands()
    rollback = replace(hands, by=replace(hands.by, run="https://github.com/octo-air/flight-delay/actions/runs/2"))
    restore(rollback, to=None, because="bad")
    before = len(told.asked)
    telling(told, made, run=1).settle([])
    assert len(told.asked) == before
    made.time += timedelta(seconds=ANOTHER)
    telling(told, made, run=1).settle([])
    assert not made.state.owed, "it was killed: whoever comes later tells it"


def test_what_is_owed_of_a_later_event_is_not_taken_for_told(told: GitHub) -> None:
    made = world()
    deploy(told, made)
    restore(made.hands(), to=None, because="bad")
    ledger, answer = made.hands().ledger, told.answer

    def meanwhile(request: object) -> object:
        assert told.double is not None
        told.double.answer = answer
        ledger.append(lambda _: replace_draft(made))
        return answer(request)  # type: ignore[arg-type]

    assert told.double is not None
    told.double.answer = meanwhile  # type: ignore[assignment]
    telling(told, made).settle([])
    assert made.state.owed == OWED


def replace_draft(made: World) -> Draft:

    return Draft(at=made.time, actor="octo-air", kind="rolled-back", package=OLD, owed=OWED)


def test_a_ledger_that_can_not_be_reached_is_refused(told: GitHub) -> None:
    made = world()
    teller = telling(told, made)
    made.store.reachable = False
    with pytest.raises(CannotJudge):
        teller.settle([])
    teller.follow()
    assert told.asked == []


def test_a_comment_that_somebody_deleted_meanwhile_is_written_anew(told: GitHub) -> None:
    made = world()

    def delete(here: World) -> None:
        if here.shares.get(NEW) == 0.5 and told.comments.get(12):
            told.comments[12].clear()
            here.meanwhile = lambda _: None

    made.meanwhile = delete
    deploy(told, made)
    assert "serves all users" in told.body(12)


def test_a_model_that_is_only_registered_is_told_so(told: GitHub) -> None:
    made = World()
    made.happened("registered", NEW, serves="on-registration", commit=SECOND)
    registered(told, made)
    assert "is registered and counts as production: no rollout is declared" in told.body(12)


def test_a_rolled_back_release_as_it_is_read(told: GitHub, tmp_path: Path) -> None:
    made = world()
    deploy(told, made)
    roll_back(told, made)
    for number in (12, 14):
        assert_ours(told.body(number))
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("no chromium on this machine: apt-get install -y chromium")
    page = tmp_path / "comment.html"
    text = MarkdownIt("commonmark", {"html": True, "breaks": True}).enable("table").render(told.body(12))
    page.write_text(f"<meta charset=utf-8><body style='width:760px;font:14px sans-serif'>{text}", encoding="utf-8")
    words = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--screenshot={tmp_path}/comment.png"]
    subprocess.run([*words, "--window-size=820,700", page.as_uri()], check=True, capture_output=True, timeout=60)
    assert (tmp_path / "comment.png").stat().st_size > 5000
