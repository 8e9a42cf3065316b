"""A pull request from a fork: judged without a token that writes, commented on by comment.yml."""

from pathlib import Path

from tests.e2e.conftest import GitHub
from tests.e2e.testbed.emulator import TOKEN
from tests.e2e.testbed.front import READ_ONLY_TOKEN
from tests.e2e.testbed.repository import UserRepository, patched

RUN = 301


def test_a_fork_is_judged_with_a_token_that_only_reads_and_its_comment_comes_from_the_default_branch(
    pinned: Path, batch_scores: UserRepository, github: GitHub
) -> None:
    pulls, actions = github.pulls(batch_scores.name), github.actions(pinned)
    number = pulls.open("forked", fork="hubot")
    head = batch_scores.propose("forked", patched("digest-forgotten"))
    event = pulls.event(number, head)
    assert event["pull_request"]["head"]["repo"]["id"] != event["pull_request"]["base"]["repo"]["id"]

    judged = actions.run(batch_scores, "release-gate.yml", "pull_request", event, token=READ_ONLY_TOKEN, run_id=RUN)

    assert judged.jobs.get("gate/gate/verdict") == "failure", judged.tail()
    assert github.ours(batch_scores.name, number) == []
    assert [status for *_, status in github.front.written()] == [403]

    batch_scores.git("checkout", "--quiet", "--detach", "main")  # workflow_run starts what the default branch holds
    finished = pulls.finished(number, RUN, "failure")
    posted = actions.run(
        batch_scores, "release-gate-comment.yml", "workflow_run", finished, token=TOKEN, run_id=RUN + 1
    )

    assert posted.jobs == {"comment/comment/comment": "success"}, posted.tail()
    comments = github.ours(batch_scores.name, number)
    assert len(comments) == 2  # one a model
    assert ["candidate-digest" in one["body"] for one in comments] == [False, True], posted.tail()
