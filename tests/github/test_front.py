"""The API as a workflow sees it in the test bed: a release told from its merge to its revert, at one address."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from release_gate.github import deployments, released
from release_gate.github.api import Api
from release_gate.github.marker import ReleaseMarker, RevertMarker
from release_gate.github.merged import brought, how
from release_gate.github.pull_request import find
from release_gate.github.reverts import open_revert
from tests.e2e.testbed import artifact_server, emulator, front
from tests.e2e.testbed.pulls import Pulls
from tests.github.double import FakeClock
from tests.github.mirrored import HERE
from tests.github.published import problems_of

COMMIT = "c" * 40


@pytest.fixture
def standing(emulated: emulator.Emulator) -> Iterator[front.Front]:
    with artifact_server.serving() as artifacts, front.standing(emulated, artifacts, emulator.TOKEN) as one:
        yield one


def test_a_release_is_told_from_its_merge_to_its_revert(emulated: emulator.Emulator, standing: front.Front) -> None:
    pulls = Pulls(emulated, standing, HERE)
    number = pulls.open("to-be-released")
    api = Api(HERE, emulator.TOKEN, FakeClock(), standing.url)
    assert brought(api, COMMIT) == ()
    pulls.merge(number, COMMIT, parents=("d" * 40, "e" * 40))
    [pull] = brought(api, COMMIT)
    assert (pull.number, how(api, pull)) == (number, "merge")
    payload = deployments.Payload("flight-delay", f"sha256:{'a' * 64}", 16)
    asked = {"ref": COMMIT, "environment": "production", "payload": payload, "description": "flight-delay"}
    identity = deployments.begin(api, task="deploy", **asked)  # type: ignore[arg-type]
    assert deployments.begin(api, task="deploy", **asked) == identity  # type: ignore[arg-type]
    deployments.tell(api, identity, "in_progress", description="5%")
    assert released.post(api, number, f"{ReleaseMarker('flight-delay', 16)}\n5%\n").what == "created"
    deployments.tell(api, identity, "failure", description="taken back")
    assert released.post(api, number, f"{ReleaseMarker('flight-delay', 18)}\ntaken back\n").what == "updated"
    assert standing.mirror.state(identity) == "failure"
    told = [open_revert(api, pull, title="t", body=f"{RevertMarker(number)}\nx").outcome for _ in range(2)]
    assert told == ["opened", "exists"]
    assert len(standing.exchanges) > 10
    assert problems_of(standing.exchanges) == []


def test_open_pull_requests_are_still_found_where_they_are(emulated: emulator.Emulator, standing: front.Front) -> None:
    from release_gate.github.event import Head

    number = Pulls(emulated, standing, HERE).open("still-open")
    there = emulated.ask("GET", f"/repos/{HERE}/pulls/{number}")["head"]
    api = Api(HERE, emulator.TOKEN, FakeClock(), standing.url)
    assert find(api, Head(there["sha"], there["repo"]["id"], "octo-air", "still-open")) == number
