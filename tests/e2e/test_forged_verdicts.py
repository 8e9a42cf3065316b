"""A pull request that brings its own verdicts: as files of its commit, or under the name of another job's artifact."""

import subprocess
from pathlib import Path

from tests.e2e.conftest import GitHub
from tests.e2e.test_hostile_artifacts import MODEL, Files, honest, packed
from tests.e2e.testbed import act
from tests.e2e.testbed.emulator import TOKEN
from tests.e2e.testbed.repository import UserRepository, patched

GATE = "release-gate.yml"
MODELS = (MODEL, "rain-tomorrow")
BLOCKED = {"gate/gate/build": "success", "gate/gate/judge": "failure", "gate/gate/verdict": "failure"}


def forged(job: str) -> Files:
    found = honest(job).items()
    return {
        path.replace(MODEL, model): content.replace(MODEL.encode(), model.encode())
        for model in MODELS
        for path, content in found
    }


def committed(folder: Path) -> None:
    """Data that breaks its contract, verdicts that pass, and links that keep a judge from writing its own."""
    patched("sheet-delivered-twice")(folder)
    ours = folder / ".release-gate"
    for job in ("build", "judge"):
        for path, content in forged(job).items():
            file = ours / "from" / job / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
    for model in MODELS:
        (ours / "run" / model).mkdir(parents=True)
        (ours / "run" / model / "verdicts").symlink_to("/nonexistent/verdicts")
    subprocess.run(["git", "add", "--force", ".release-gate"], cwd=folder, check=True)


def test_verdicts_that_a_commit_brings_count_for_nothing(
    pinned: Path, batch_scores: UserRepository, github: GitHub
) -> None:
    pulls, actions = github.pulls(batch_scores.name), github.actions(pinned)
    number = pulls.open("forged")
    head = batch_scores.propose("forged", committed)
    assert "from/judge" in batch_scores.git("ls-tree", "-r", "--name-only", "HEAD")

    done = actions.run(batch_scores, GATE, "pull_request", pulls.event(number, head), token=TOKEN, run_id=701)

    assert done.jobs.get("gate/gate/verdict") == "failure", done.tail()
    judged = github.artifacts.of(701)["release-gate-verdicts-judge-all-1"]
    assert judged != packed(forged("judge"))
    comments = github.ours(batch_scores.name, number)
    assert len(comments) == 2, done.tail()
    assert any("is blocked" in one["body"] for one in comments), done.tail()
    assert not any("e" * 64 in one["body"] for one in comments)  # the package that the forged ones name


def test_a_build_that_uploads_under_the_judges_name_first_only_blocks_itself(
    pinned: Path, batch_scores: UserRepository, github: GitHub
) -> None:
    run, name = 702, "release-gate-verdicts-judge-all-1"

    def taking(folder: Path) -> None:
        (folder / "forged.zip").write_bytes(packed(forged("judge")))
        train = folder / "batch_scores/rain_train.py"
        upload = f"""
import os
import urllib.request

put = urllib.request.Request(
    os.environ["TESTBED_ARTIFACTS"] + "/{run}/{name}", data=Path("forged.zip").read_bytes(), method="PUT"
)
put.add_header("X-Overwrite", "false")
try:
    urllib.request.urlopen(put).read()
except OSError:
    pass  # trained a second time

"""
        train.write_text(train.read_text().replace("ROUNDS = 25\n", f"ROUNDS = 25\n{upload}"))

    pulls, actions = github.pulls(batch_scores.name), github.actions(pinned)
    number = pulls.open("taking")
    head = batch_scores.propose("taking", taking)
    done = actions.run(batch_scores, GATE, "pull_request", pulls.event(number, head), token=TOKEN, run_id=run)

    assert github.artifacts.of(run)[name] == packed(forged("judge")), done.tail()
    assert done.jobs == BLOCKED, done.tail()
    comments = github.ours(batch_scores.name, number)
    assert len(comments) == 2, done.tail()
    assert all("verdict-missing" in one["body"] for one in comments)

    # comment.yml, on a fork, has only names to go by; the run's own conclusion is the runner's word.
    batch_scores.git("checkout", "--quiet", "--detach", "main")
    finished = pulls.finished(number, run, "failure")
    actions.run(batch_scores, "release-gate-comment.yml", "workflow_run", finished, token=TOKEN, run_id=run + 1)
    assert not any("may be merged" in one["body"] for one in github.ours(batch_scores.name, number))


def test_two_calls_in_one_run_hand_on_their_own(pinned: Path, batch_scores: UserRepository, github: GitHub) -> None:
    repository, _, ref = act.PUBLISHED_AS.partition("@")
    call = f"""
    uses: {repository}/.github/workflows/gate.yml@{ref}
    permissions: {{contents: read, pull-requests: write}}
    with: {{model: {MODEL}, config: """
    jobs = "".join(f"\n  {name}:{call}{config}}}" for name, config in {"one": GATE, "two": "other.yml"}.items())
    text = f"name: twice\non: pull_request\npermissions: {{}}\njobs:{jobs}\n"

    def twice(folder: Path) -> None:
        (folder / ".github/workflows/twice.yml").write_text(text)
        (folder / "other.yml").write_text((folder / GATE).read_text())

    pulls = github.pulls(batch_scores.name)
    number = pulls.open("twice")
    head = batch_scores.propose("twice", twice)
    done = github.actions(pinned).run(
        batch_scores, "twice.yml", "pull_request", pulls.event(number, head), token=TOKEN, run_id=704
    )
    assert len(done.jobs) == 6, done.tail()
    assert set(done.jobs.values()) == {"success"}, done.tail()
    names = {name.partition("-1")[0] for name in github.artifacts.of(704)}
    assert (len(github.artifacts.of(704)), len(names)) == (6, 3)
