"""The API client: what it retries, how long it waits, and how it names what GitHub refuses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from release_gate.findings import CannotJudge
from release_gate.github.api import Api
from release_gate.github.refusals import NotFound, PermissionMissing, RateLimited, TokenRefused, Unreachable, Unwilling
from tests.github.double import Answer, Double, FakeClock, Request, serving


def client(double: Double) -> tuple[Api, FakeClock]:
    clock = FakeClock()
    return Api("octo-air/flight-delay", "secret-token", clock, double.url), clock


def answering(*answers: Answer) -> Iterator[Answer]:
    yield from answers


def test_a_call_carries_the_token_and_is_counted() -> None:
    with serving(lambda _: Answer(body={"number": 7})) as double:
        api, _ = client(double)
        assert api.ask("GET", "{}/pulls/7") == {"number": 7}
        assert double.asked[0].path == "/repos/octo-air/flight-delay/pulls/7"
        assert double.asked[0].headers["authorization"] == "token secret-token"
        assert api.requests == 1


def test_the_token_is_in_no_text_of_the_client() -> None:
    assert "secret-token" not in repr(Api("a/b", "secret-token", FakeClock()))


def test_all_pages_are_read() -> None:
    def answer(request: Request) -> Answer:
        page = int(request.query["page"])
        link = f'<{double.url}/x?per_page=100&page={page + 1}>; rel="next", <{double.url}/x?page=3>; rel="last"'
        return Answer(body=[page], headers={"Link": link} if page < 3 else {})

    with serving(answer) as double:
        api, _ = client(double)
        assert list(api.pages("{}/issues/7/comments")) == [1, 2, 3]
        assert [request.query["per_page"] for request in double.asked] == ["100"] * 3


def test_a_list_that_leads_back_to_itself_ends() -> None:
    with serving(lambda _: Answer(body=[1], headers={"Link": '<http://x/y?page=1>; rel="next"'})) as double:
        assert list(client(double)[0].pages("{}/pulls")) == [1]
    with serving(lambda _: Answer(body=[1], headers={"Link": '<http://x/y?page=no>; rel="next"'})) as double:
        assert list(client(double)[0].pages("{}/pulls")) == [1]


def test_retry_after_is_kept_to() -> None:
    answers = answering(Answer(429, {"message": "slow down"}, {"Retry-After": "7"}), Answer(body={}))
    with serving(lambda _: next(answers)) as double:
        api, clock = client(double)
        api.ask("POST", "{}/issues/7/comments", body={"body": "x"})
        assert clock.slept == [7.5]
        assert api.requests == 2


def test_a_secondary_limit_without_a_time_is_waited_for() -> None:
    refusal = Answer(403, {"message": "You have exceeded a secondary rate limit."})
    answers = answering(refusal, Answer(body={}))
    with serving(lambda _: next(answers)) as double:
        api, clock = client(double)
        api.ask("GET", "{}")
        assert clock.slept == [15.0]


def test_the_reset_of_the_hourly_limit_is_waited_for_if_it_is_near() -> None:
    near = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(1_767_000_000 + 20)}
    answers = answering(Answer(403, {"message": "API rate limit exceeded"}, near), Answer(body={}))
    with serving(lambda _: next(answers)) as double:
        api, clock = client(double)
        api.ask("GET", "{}")
        assert clock.slept == [21.0]


@pytest.mark.parametrize(
    "headers", [{"Retry-After": "3600"}, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1767003600"}]
)
def test_a_job_does_not_wait_for_an_hour(headers: dict[str, str]) -> None:
    with serving(lambda _: Answer(403, {"message": "API rate limit exceeded"}, headers)) as double:
        api, clock = client(double)
        with pytest.raises(RateLimited) as refused:
            api.ask("GET", "{}")
        assert clock.slept == []
        assert refused.value.exit_code == 4


def test_all_calls_of_a_run_share_one_bound_of_waiting() -> None:
    with serving(lambda _: Answer(429, {}, {"Retry-After": "20"})) as double:
        api, clock = client(double)
        for _ in range(3):
            with pytest.raises(RateLimited):
                api.ask("GET", "{}")
        assert sum(clock.slept) <= 60


def test_a_server_in_trouble_is_asked_again_and_then_named() -> None:
    answers = answering(Answer(502, b"<html>"), Answer(503, {}), Answer(body={"id": 1}))
    with serving(lambda _: next(answers)) as double:
        api, clock = client(double)
        assert api.ask("GET", "{}")["id"] == 1
        assert clock.slept == [2.0, 4.0]
    with serving(lambda _: Answer(500, {})) as double, pytest.raises(Unreachable):
        client(double)[0].ask("GET", "{}")


def test_a_machine_that_does_not_answer_is_named() -> None:
    api = Api("octo-air/flight-delay", "t", FakeClock(), "http://127.0.0.1:9")
    with pytest.raises(Unreachable, match="no answer to GET"):
        api.ask("GET", "{}")
    assert api.requests == 4


def test_a_write_without_an_answer_is_not_repeated() -> None:
    api = Api("octo-air/flight-delay", "t", FakeClock(), "http://127.0.0.1:9")
    with pytest.raises(Unreachable):
        api.ask("POST", "{}/issues/1/comments", body={})
    assert api.requests == 1


@pytest.mark.parametrize(
    ("method", "path", "headers", "line"),
    [
        ("POST", "{}/issues/7/comments", {}, "pull-requests: write"),
        ("PATCH", "{}/issues/comments/7", {}, "pull-requests: write"),
        ("GET", "{}/pulls", {}, "pull-requests: read"),
        ("GET", "{}/actions/runs/1/artifacts", {}, "actions: read"),
        ("POST", "{}/deployments", {}, "deployments: write"),
        (
            "POST",
            "{}/somewhere",
            {"X-Accepted-GitHub-Permissions": "artifact_metadata=write"},
            "artifact-metadata: write",
        ),
        (
            "POST",
            "{}/issues/7/comments",
            {"X-Accepted-GitHub-Permissions": "issues=write; pull_requests=write"},
            "pull-requests: write",
        ),
    ],
)
def test_a_missing_permission_is_named_by_the_line_to_add(
    method: str, path: str, headers: dict[str, str], line: str
) -> None:
    words = {"message": "Resource not accessible by integration"}
    with serving(lambda _: Answer(403, words, headers)) as double, pytest.raises(PermissionMissing) as refused:
        client(double)[0].ask(method, path, body={} if method != "GET" else None)
    found = refused.value.findings[0]
    assert found.code == "github-permission"
    assert f"permissions:\n    {line}" in found.remedy
    assert "Resource not accessible by integration" in found.message


@pytest.mark.parametrize(("status", "kind"), [(401, TokenRefused), (404, NotFound), (422, Unwilling)])
def test_other_refusals_have_a_kind_each(status: int, kind: type[CannotJudge]) -> None:
    with serving(lambda _: Answer(status, {"message": "no"})) as double, pytest.raises(kind):
        client(double)[0].ask("GET", "{}/x")


@pytest.mark.parametrize("body", [b"<html>", b"[" * 100_000])
def test_an_answer_that_is_not_github_s_is_named(body: bytes) -> None:
    with serving(lambda _: Answer(200, body)) as double, pytest.raises(Unreachable, match="strange"):
        client(double)[0].ask("GET", "{}/x")
    with serving(lambda _: Answer(200, {"a": 1})) as double, pytest.raises(Unreachable, match="a list was expected"):
        list(client(double)[0].pages("{}/x"))
