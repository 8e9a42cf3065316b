"""gate.yml under act, from a user's repository: what reaches the pull request."""

from pathlib import Path

from tests.e2e.conftest import GitHub
from tests.e2e.testbed.emulator import TOKEN
from tests.e2e.testbed.repository import UserRepository, patched

GATE = "release-gate.yml"
JOBS = {"gate/gate/build", "gate/gate/judge", "gate/gate/verdict"}


def better(folder: Path) -> None:
    train = folder / "flight_delay/train.py"
    train.write_text(train.read_text().replace("max_iter=150", "max_iter=160"))


def test_a_bad_pull_request_is_blocked_and_once_mended_its_one_comment_says_so(
    pinned: Path, flight_delay: UserRepository, github: GitHub
) -> None:
    pulls, actions = github.pulls(flight_delay.name), github.actions(pinned)
    number = pulls.open("cheaper")
    for count in range(150):
        path = f"/repos/{flight_delay.name}/issues/{number}/comments"
        github.api.ask("POST", path, {"body": f"opinion {count}"})

    head = flight_delay.propose("cheaper", patched("too-little-data"))
    bad = actions.run(flight_delay, GATE, "pull_request", pulls.event(number, head), token=TOKEN, run_id=101)

    # The caller's own code is content; it is the judge, who runs none of it, that is not.
    blocked = {"gate/gate/build": "success", "gate/gate/judge": "failure", "gate/gate/verdict": "failure"}
    assert bad.jobs == blocked, bad.tail()
    (comment,) = github.ours(flight_delay.name, number)
    assert "metric-below-bar" in comment["body"], bad.tail()
    first = comment["id"]
    sent = len(github.front.requests)

    head = flight_delay.propose("cheaper", better)
    good = actions.run(flight_delay, GATE, "pull_request", pulls.event(number, head), token=TOKEN, run_id=102)

    assert good.jobs == dict.fromkeys(JOBS, "success"), good.tail()
    (comment,) = github.ours(flight_delay.name, number)
    assert comment["id"] == first
    assert head in comment["body"]
    assert "metric-below-bar" not in comment["body"]
    assert len(github.comments(flight_delay.name, number)) == 151
    finding_it = [one for one in github.front.requests[sent:] if one[0] == "GET" and "/comments" in one[1]]
    assert len(github.front.requests[sent:]) - len(finding_it) <= 8


def test_a_merge_group_of_another_user_with_two_models_is_judged_and_comments_nowhere(
    pinned: Path, released: UserRepository, github: GitHub
) -> None:
    released.propose("good", patched("good"))
    event = {
        "action": "checks_requested",
        "merge_group": {
            "head_sha": released.git("rev-parse", "HEAD"),
            "head_ref": "refs/heads/gh-readonly-queue/main/pr-1",
            "base_sha": released.git("rev-parse", "main"),
            "base_ref": "refs/heads/main",
        },
        "repository": github.api.ask("GET", f"/repos/{released.name}"),
    }
    done = github.actions(pinned).run(released, GATE, "merge_group", event, token=TOKEN, run_id=201)

    assert done.jobs == dict.fromkeys(JOBS, "success"), done.tail()
    assert github.front.written() == []
    assert set(github.artifacts.of(201)) == {
        "release-gate-candidate-all-1",
        "release-gate-verdicts-build-all-1",
        "release-gate-verdicts-judge-all-1",
    }
