"""Deployments as the environment page shows them: made once, told once, never set back, the old ones retired."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.findings import CannotJudge
from release_gate.github.api import Api
from release_gate.github.deployments import LONGEST, Payload, Task, begin, cut, retire, tell
from release_gate.github.refusals import NotFound, PermissionMissing, Unreachable, Unwilling
from tests.e2e.testbed.deployments import Mirror
from tests.github.double import Answer, FakeClock, serving
from tests.github.mirrored import HERE, mirroring

NEW, OLD = "sha256:" + "a" * 64, "sha256:" + "b" * 64
COMMIT = "c" * 40
RUN = "https://github.com/octo-air/flight-delay/actions/runs/9"
USERS = "https://flights.example.com"


def made(api: Api, sequence: int = 5, digest: str = NEW, task: Task = "deploy", model: str = "m") -> int:
    payload = Payload(model, digest, sequence, OLD)
    return begin(api, ref=COMMIT, task=task, environment="production", payload=payload, description="flight-delay")


def test_it_is_made_without_merging_and_without_waiting_for_checks() -> None:
    mirror = Mirror()
    with mirroring(mirror) as (api, double):
        identity = made(api)
    [kept] = mirror.deployments
    assert kept["id"] == identity
    assert kept["payload"] == {"release-gate": 1, "model": "m", "digest": NEW, "sequence": 5, "replaces": OLD}
    assert (kept["ref"], kept["task"], kept["environment"]) == (COMMIT, "deploy", "production")
    assert kept["production_environment"] is True
    assert double.asked[-1].body["auto_merge"] is False
    assert double.asked[-1].body["required_contexts"] == []


def test_twice_is_once_and_another_event_is_another_one() -> None:
    mirror = Mirror()
    with mirroring(mirror) as (api, _):
        first = made(api)
        assert made(api) == first
        assert made(api, sequence=6) != first
        assert made(api, digest=OLD) != first
        assert made(api, model="other") != first
        rollback = made(api, sequence=7, task="rollback")
        assert made(api, sequence=7, task="rollback") == rollback
    assert len(mirror.deployments) == 5
    assert mirror.deployments[-1]["task"] == "rollback"


def test_it_is_found_among_many_and_by_a_payload_in_either_form() -> None:
    mirror = Mirror()
    with mirroring(mirror) as (api, _):
        first = made(api)
        mirror.deployments[0]["payload"] = json.dumps(mirror.deployments[0]["payload"])
        for number in range(150):
            payload = Payload("m", NEW, 10 + number).fields()
            mirror.deployments.append({**mirror.deployments[0], "id": 1000 + number, "payload": payload})
        assert made(api) == first
    assert len(mirror.deployments) == 151


@pytest.mark.parametrize("payload", ["", "not JSON", "[" * 100_000, "5", {}, {"release-gate": 1}, {"release-gate": 2}])
def test_a_payload_of_others_is_not_ours(payload: object) -> None:
    assert Payload.of(payload) is None


def test_a_lost_answer_is_not_sent_again_and_the_next_run_finds_what_was_made() -> None:
    mirror = Mirror()

    def losing(request: object) -> Answer:
        method, path = request.method, request.path  # type: ignore[attr-defined]
        reply = mirror.answer(method, path, request.query, request.body)  # type: ignore[attr-defined]
        assert reply is not None
        return Answer(502, b"<html>") if method == "POST" else Answer(reply.status, reply.body)

    with serving(losing) as double, pytest.raises(Unreachable):
        made(Api(HERE, "t", FakeClock(), double.url))
    assert len(mirror.deployments) == 1
    with mirroring(mirror) as (api, _):
        assert made(api) == mirror.deployments[0]["id"]
    assert len(mirror.deployments) == 1


def test_states_are_told_once_and_carry_their_addresses() -> None:
    mirror = Mirror()
    with mirroring(mirror) as (api, _):
        identity = made(api)
        assert tell(api, identity, "in_progress", description="5%", log_url=RUN) == "told"
        assert tell(api, identity, "in_progress", description="5%") == "unchanged"
        assert tell(api, identity, "in_progress", description="50%") == "told"
        assert tell(api, identity, "success", description="x" * 200, environment_url=USERS, log_url=RUN) == "told"
        assert tell(api, identity, "success", description="x" * 200) == "unchanged"
    assert [one["state"] for one in mirror.states[identity]] == ["in_progress", "in_progress", "success"]
    last = mirror.states[identity][-1]
    assert (last["environment_url"], last["log_url"], len(last["description"])) == (USERS, RUN, LONGEST)


def test_what_has_lost_its_place_is_not_brought_back_by_an_old_run() -> None:
    mirror = Mirror()
    with mirroring(mirror) as (api, _):
        identity = made(api)
        tell(api, identity, "inactive", description="rolled back")
        assert tell(api, identity, "success") == "over"
        assert tell(api, identity, "inactive", description="other words") == "unchanged"
    assert mirror.state(identity) == "inactive"


def test_a_new_one_retires_those_of_the_same_model_that_served() -> None:
    mirror = Mirror()
    with mirroring(mirror) as (api, double):
        gone, failed, served, other, silent = (made(api, n, model="x" if n == 4 else "m") for n in range(1, 6))
        newest = made(api, 6, OLD, "rollback")
        tell(api, gone, "inactive")
        for identity in (served, other, newest):
            tell(api, identity, "success")
        tell(api, failed, "failure")
        asked = {"environment": "production", "model": "m", "keep": newest, "description": "rolled back"}
        assert retire(api, **asked) == [silent, served]  # type: ignore[arg-type]
        double.asked.clear()
        assert retire(api, **asked) == []  # type: ignore[arg-type]
        assert len(double.asked) == 2  # the list, and the newest of those before: it is inactive, so all are
    assert [mirror.state(one) for one in (gone, failed, served, other, newest)] == [
        "inactive", "failure", "inactive", "success", "success",
    ]  # fmt: skip


def test_a_missing_permission_is_named_as_the_one_that_is_needed_in_the_end() -> None:
    with mirroring(Mirror(lacking={"deployments"})) as (api, _):
        for call in (
            lambda: made(api),
            lambda: tell(api, 1, "success"),
            lambda: retire(api, environment="production", model="m", keep=1, description=""),
        ):
            with pytest.raises(PermissionMissing) as refused:
                call()
            assert "permissions:\n    deployments: write" in refused.value.findings[0].remedy


def test_a_deployment_that_does_not_exist_is_named() -> None:
    with mirroring(Mirror()) as (api, _), pytest.raises(NotFound, match="deployments/77"):
        tell(api, 77, "success")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(422, {"message": "No ref found for: x", "documentation_url": "https://docs.github.com"}), Unwilling),
        (Answer(202, {"message": "Auto-merged"}), Unreachable),
        (Answer(201, [], outside="not a deployment"), Unreachable),
    ],
)
def test_refusals_and_strange_answers_are_named(answer: Answer, kind: type[CannotJudge]) -> None:
    with (
        serving(lambda request: Answer(body=[]) if request.method == "GET" else answer) as double,
        pytest.raises(kind),
    ):
        made(Api(HERE, "t", FakeClock(), double.url))


def test_entries_of_no_known_shape_are_passed_over() -> None:
    strange = Answer(body=["x", {"id": "5"}, {"id": 5}], outside="entries of no known shape")
    with serving(lambda _: strange) as double, pytest.raises(CannotJudge, match="no id"):
        made(Api(HERE, "t", FakeClock(), double.url))


@given(st.text(max_size=400))
def test_a_description_is_one_line_that_fits(text: str) -> None:
    shown = cut(text)
    assert len(shown) <= LONGEST
    assert "\n" not in shown
    if len(" ".join(text.split())) <= LONGEST:
        assert shown == " ".join(text.split())
