"""release.yml and rollback.yml under act, from a user's repository: what is merged, what serves, what is told."""

import io
import json
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import production
from tests.e2e.conftest import GitHub
from tests.e2e.production import Production, Users, dispatched, given_to, left_by, pushed
from tests.e2e.testbed.act import Finished
from tests.e2e.testbed.emulator import TOKEN

RELEASE, ROLLBACK = "release-gate.yml", "release-gate-rollback.yml"
SECRETS = "# of the service\nDATABASE_PASSWORD=hunter22-of-production\nMODE=live"
RELEASED = {
    **{f"gate/gate/{name}": "success" for name in ("build", "judge", "verdict")},
    **{f"release/release/{name}": "success" for name in ("known", "publish", "deploy", "released")},
}
NOT_RELEASED = {
    "release/release/deploy": "failure",
    "release/release/recover": "success",
    "release/release/released": "failure",
}


@pytest.fixture
def tiny(callers: dict[str, str], tmp_path: Path) -> Iterator[Production]:
    """A repository whose model will serve behind Caddy on this machine."""
    made = production.made(tmp_path, callers)
    try:
        yield made
    finally:
        made.machine.end()


def verdicts(github: GitHub, run: int) -> dict[str, dict[str, Any]]:
    """The verdicts that a run handed on, by gate."""
    found = {}
    for job in ("build", "judge"):
        archive = zipfile.ZipFile(io.BytesIO(github.artifacts.of(run)[f"release-gate-verdicts-{job}-all-1"]))
        for name in archive.namelist():
            one = json.loads(archive.read(name))
            found[one["gate"]] = one
    return found


def judged(verdict: dict[str, Any]) -> set[str]:
    """The packages that a verdict says it judged."""
    return {one["identity"] for one in verdict["subjects"] if one["kind"] == "package"}


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [str(one["kind"]) for one in events]


def test_a_squash_merge_is_judged_and_serves_under_one_digest_and_a_rerun_of_the_release_before_changes_nothing(
    pinned: Path, tiny: Production, github: GitHub, tmp_path: Path
) -> None:
    user, machine, actions = tiny.user, tiny.machine, github.actions(pinned)
    first_commit = user.git("rev-parse", "main")
    pulls = github.pulls(user.name)
    number = pulls.open("heavier")
    head, merged = tiny.squashed("heavier", weight="0.5")
    pulls.event(number, head)
    pulls.merge(number, merged)
    assert merged not in (head, user.git("rev-parse", "main"))
    repository = github.api.ask("GET", f"/repos/{user.name}")

    with Users(machine).asking() as users:
        first = tiny.release(tmp_path / "laptop", first_commit, github.front.url)
        done = actions.run(
            user, RELEASE, "push", pushed(merged, repository),
            token=TOKEN, run_id=801, target=machine.variables(801), secrets={"RELEASE_GATE_ENV": SECRETS},
        )  # fmt: skip

    assert done.jobs == RELEASED, done.tail()
    # Judged, recorded, served: one digest, of the commit on main.
    digest = machine.answering()[1]
    assert digest.startswith("sha256:")
    assert digest != first
    handed = verdicts(github, 801)
    assert {gate: judged(one) for gate, one in handed.items() if judged(one)} == {
        gate: {digest} for gate in ("build-candidate", "endpoint-test", "threshold-comparison")
    }
    events = tiny.events()
    began = len(events) - 1 - kinds(events)[::-1].index("registered")
    assert kinds(events[began:]) == ["registered", "deployed", *["stepping", "stepped"] * 2, "promoted"]
    assert {one["package"] for one in events[began:]} == {digest}
    assert events[began]["commit"] == merged
    assert events[began]["compared"] == first
    # Its users: both versions answered while half of the traffic was its own, and nobody went without an answer.
    assert users.failed() == []
    assert set(users.versions()) == {first, digest}
    assert machine.standing(user.name)["shares"] == {digest: 1.0}
    assert left_by(801) == []
    # The server was given its secrets, and nothing says them.
    assert given_to(digest)["DATABASE_PASSWORD"] == "hunter22-of-production"
    for said in (done.log, json.dumps(events), json.dumps(handed), json.dumps(machine.standing(user.name))):
        assert "hunter22" not in said
    # GitHub: one deployment, one comment.
    mirror = github.front.mirror
    deployments = list(mirror.deployments)
    states = {(one["task"], one["sha"]): mirror.state(one["id"]) for one in deployments}
    assert states == {("deploy", first_commit): "inactive", ("deploy", merged): "success"}
    assert digest in json.dumps(deployments[-1]["payload"])
    (comment,) = github.ours(user.name, number)
    assert digest.removeprefix("sha256:")[:12] in comment["body"]
    assert merged[:7] in comment["body"]

    user.git("checkout", "--quiet", "--detach", first_commit)
    again = actions.run(
        user, RELEASE, "push", pushed(first_commit, repository),
        token=TOKEN, run_id=800, target=machine.variables(800), more={"GITHUB_RUN_ATTEMPT": "2"},
    )  # fmt: skip

    # Known already, so not judged anew; and refused.
    assert again.jobs == {"release/release/known": "success", **NOT_RELEASED}, again.tail()
    assert "deploy-backwards" in again.log, again.tail()
    assert machine.answering() == (200, digest)
    assert tiny.events() == events
    assert mirror.deployments == deployments
    assert github.ours(user.name, number) == [comment]


def test_a_rollback_in_the_middle_of_a_bake_wins_and_the_deploy_job_ends_without_promoting(
    pinned: Path, tiny: Production, github: GitHub, tmp_path: Path
) -> None:
    user, machine, actions = tiny.user, tiny.machine, github.actions(pinned)
    first_commit = user.git("rev-parse", "main")
    pulls = github.pulls(user.name)
    number = pulls.open("odd")
    head, merged = tiny.squashed("odd", weight="0.75", bake="5m")
    pulls.event(number, head)
    pulls.merge(number, merged)
    repository = github.api.ask("GET", f"/repos/{user.name}")
    ended: list[Finished] = []

    def release() -> None:
        event = pushed(merged, repository)
        ended.append(actions.run(user, RELEASE, "push", event, token=TOKEN, run_id=811, target=machine.variables(811)))

    with Users(machine).asking() as users:
        first = tiny.release(tmp_path / "laptop", first_commit, github.front.url)
        releasing = threading.Thread(target=release)
        releasing.start()
        while releasing.is_alive() and first in machine.standing(user.name)["shares"]:
            time.sleep(0.2)
        assert releasing.is_alive(), ended[0].tail()
        (bad,) = machine.standing(user.name)["shares"]
        back = actions.run(
            user, ROLLBACK, "workflow_dispatch", dispatched(repository, because="scores look odd"),
            token=TOKEN, run_id=812, target=machine.variables(812),
        )  # fmt: skip
        releasing.join()

    (released,) = ended
    assert back.ok, back.tail()
    assert bad != first
    assert machine.answering() == (200, first)
    assert users.failed() == []
    assert machine.standing(user.name)["shares"] == {first: 1.0}
    assert left_by(811) + left_by(812) == []

    assert released.jobs == {**RELEASED, **NOT_RELEASED}, released.tail()
    assert "deploy-overtaken" in released.log, released.tail()
    events = tiny.events()
    assert kinds(events[-2:]) == ["rolling-back", "rolled-back"], kinds(events)
    assert "promoted" not in [one["kind"] for one in events if one["package"] == bad]
    assert (events[-1]["package"], events[-1]["replaces"], events[-1]["because"]) == (first, bad, "scores look odd")

    mirror = github.front.mirror
    states = {(one["task"], one["sha"]): mirror.state(one["id"]) for one in mirror.deployments}
    assert states == {
        ("deploy", first_commit): "inactive",
        ("deploy", merged): "inactive",
        ("rollback", first_commit): "success",
    }
    (comment,) = github.ours(user.name, number)
    assert "rolled back" in comment["body"].lower()
    assert "scores look odd" in comment["body"]
    (revert,) = [one for one in mirror.pulls.values() if one["head"]["ref"].startswith(f"revert-{number}-")]
    assert revert["html_url"] in comment["body"]
    assert len(github.ours(user.name, revert["number"])) == 1
