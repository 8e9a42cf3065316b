"""The API client: what it retries, how long it waits, and how it names what GitHub refuses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from release_gate.findings import CannotJudge
from release_gate.github.api import Api
from release_gate.github.refusals import NotFound, PermissionMissing, RateLimited, TokenRefused, Unreachable, Unwilling
from tests.e2e.testbed import objects
from tests.github.double import Answer, Double, FakeClock, Request, serving

HERE = "octo-air/flight-delay"
REPOSITORY = {**objects.repository(HERE), "network_count": 0}
PULL = objects.pull(HERE, 7, head="a" * 40)


def client(double: Double) -> tuple[Api, FakeClock]:
    clock = FakeClock()
    return Api("octo-air/flight-delay", "secret-token", clock, double.url), clock


def answering(*answers: Answer) -> Iterator[Answer]:
    yield from answers


def test_a_call_carries_the_token_and_is_counted() -> None:
    with serving(lambda _: Answer(body=objects.whole(PULL))) as double:
        api, _ = client(double)
        assert api.ask("GET", "{}/pulls/7")["number"] == 7
        assert double.asked[0].path == "/repos/octo-air/flight-delay/pulls/7"
        assert double.asked[0].headers["authorization"] == "token secret-token"
        assert api.requests == 1


def test_the_token_is_in_no_text_of_the_client() -> None:
    assert "secret-token" not in repr(Api("a/b", "secret-token", FakeClock()))


def test_all_pages_are_read() -> None:
    def answer(request: Request) -> Answer:
        page = int(request.query["page"])
        link = f'<{double.url}/x?per_page=100&page={page + 1}>; rel="next", <{double.url}/x?page=3>; rel="last"'
        return Answer(body=[objects.comment(HERE, page, "octocat", "x")], headers={"Link": link} if page < 3 else {})

    with serving(answer) as double:
        api, _ = client(double)
        assert [one["id"] for one in api.pages("{}/issues/7/comments")] == [1, 2, 3]
        assert [request.query["per_page"] for request in double.asked] == ["100"] * 3


@pytest.mark.parametrize("page", ["1", "no"])
def test_a_list_that_leads_back_to_itself_ends(page: str) -> None:
    answer = Answer(body=[PULL], headers={"Link": f'<http://x/y?page={page}>; rel="next"'})
    with serving(lambda _: answer) as double:
        assert list(client(double)[0].pages("{}/pulls")) == [PULL]


def test_retry_after_is_kept_to() -> None:
    answers = answering(
        Answer(429, {"message": "slow down"}, {"Retry-After": "7"}), Answer(201, objects.comment(HERE, 1, "x", "x"))
    )
    with serving(lambda _: next(answers)) as double:
        api, clock = client(double)
        api.ask("POST", "{}/issues/7/comments", body={"body": "x"})
        assert clock.slept == [7.5]
        assert api.requests == 2


def test_a_secondary_limit_without_a_time_is_waited_for() -> None:
    refusal = Answer(403, {"message": "You have exceeded a secondary rate limit."})
    answers = answering(refusal, Answer(body=REPOSITORY))
    with serving(lambda _: next(answers)) as double:
        api, clock = client(double)
        api.ask("GET", "{}")
        assert clock.slept == [15.0]


def test_the_reset_of_the_hourly_limit_is_waited_for_if_it_is_near() -> None:
    near = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(1_767_000_000 + 20)}
    answers = answering(Answer(403, {"message": "API rate limit exceeded"}, near), Answer(body=REPOSITORY))
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
    answers = answering(Answer(502, b"<html>"), Answer(503, {}), Answer(body=REPOSITORY))
    with serving(lambda _: next(answers)) as double:
        api, clock = client(double)
        assert api.ask("GET", "{}")["id"] == REPOSITORY["id"]
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


COMMENT = {"body": "x"}


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "line"),
    [
        ("POST", "{}/issues/7/comments", COMMENT, {}, "pull-requests: write"),
        ("PATCH", "{}/issues/comments/7", COMMENT, {}, "pull-requests: write"),
        ("GET", "{}/pulls", None, {}, "pull-requests: read"),
        ("GET", "{}/actions/runs/1/artifacts", None, {}, "actions: read"),
        ("POST", "{}/deployments", {"ref": "main"}, {}, "deployments: write"),
        (
            "GET",
            "{}/labels",
            None,
            {"X-Accepted-GitHub-Permissions": "artifact_metadata=write"},
            "artifact-metadata: write",
        ),
        (
            "POST",
            "{}/issues/7/comments",
            COMMENT,
            {"X-Accepted-GitHub-Permissions": "issues=write; pull_requests=write"},
            "pull-requests: write",
        ),
    ],
)
def test_a_missing_permission_is_named_by_the_line_to_add(
    method: str, path: str, body: dict[str, str] | None, headers: dict[str, str], line: str
) -> None:
    words = {"message": "Resource not accessible by integration"}
    with serving(lambda _: Answer(403, words, headers)) as double, pytest.raises(PermissionMissing) as refused:
        client(double)[0].ask(method, path, body=body)
    found = refused.value.findings[0]
    assert found.code == "github-permission"
    assert f"permissions:\n    {line}" in found.remedy
    assert "Resource not accessible by integration" in found.message


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        ("Unable to create comment because issue is locked.", "Unlock"),
        ("Repository was archived so is read-only.", "archived"),
        ("GitHub Actions is not permitted to create or approve pull requests.", "Allow GitHub Actions"),
    ],
)
def test_a_refusal_that_no_permission_mends_says_what_does(words: str, remedy: str) -> None:
    refused = Answer(403, {"message": words})
    with serving(lambda _: refused) as double, pytest.raises(PermissionMissing, match=words) as caught:
        client(double)[0].ask("POST", "{}/issues/7/comments", body=COMMENT)
    assert remedy in caught.value.findings[0].remedy
    assert "permissions:" not in caught.value.findings[0].remedy


def test_where_something_is_more_urgent_nothing_is_waited_for() -> None:
    with serving(lambda _: Answer(503, {})) as double:
        clock = FakeClock()
        with pytest.raises(Unreachable):
            Api(HERE, "t", clock, double.url, patience=0).ask("GET", "{}")
        assert clock.slept == []
        assert len(double.asked) == 1


def test_what_is_sent_once_is_not_repeated_after_a_failure_of_the_server() -> None:
    with serving(lambda _: Answer(502, b"<html>")) as double:
        with pytest.raises(Unreachable, match="status 502"):
            client(double)[0].ask("POST", "{}/deployments", body={"ref": "main"}, once=True)
        assert len(double.asked) == 1


QUERY = "query { viewer { login } }"
NEEDS = ("contents: write", "pull-requests: write")


def asked(answer: Answer) -> dict[str, object]:
    with serving(lambda _: answer) as double:
        return client(double)[0].graphql(QUERY, {}, needs=NEEDS)


def failed(kind: str, message: str) -> Answer:
    return Answer(body={"data": None, "errors": [{"type": kind, "message": message}]})


def test_a_query_of_graphql_gives_its_data() -> None:
    assert asked(Answer(body={"data": {"viewer": {"login": "octocat"}}})) == {"viewer": {"login": "octocat"}}


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (failed("FORBIDDEN", "Resource not accessible by integration"), PermissionMissing, "not accessible"),
        (failed("UNPROCESSABLE", "Resource not accessible by integration"), PermissionMissing, "not accessible"),
        (failed("FORBIDDEN", "Repository was archived so is read-only."), Unwilling, "archived"),
        (failed("RATE_LIMITED", "API rate limit exceeded"), RateLimited, "rate limit"),
        (failed("FORBIDDEN", "You have exceeded a secondary rate limit."), RateLimited, "secondary"),
        (failed("NOT_FOUND", "Could not resolve to a node"), NotFound, "resolve"),
        (failed("UNPROCESSABLE", "no"), Unwilling, "no"),
        (Answer(body={"errors": ["?"]}, outside="not of GraphQL's shape"), Unwilling, "without a reason"),
        (Answer(body=[], outside="not of GraphQL's shape"), Unreachable, "strange"),
        (Answer(401, {"message": "Bad credentials"}), TokenRefused, "Bad credentials"),
    ],
)
def test_a_refusal_of_graphql_is_of_the_kind_it_would_be_elsewhere(
    answer: Answer, kind: type[CannotJudge], words: str
) -> None:
    with pytest.raises(kind, match=words) as refused:
        asked(answer)
    if kind is PermissionMissing:
        assert "permissions:\n    contents: write\n    pull-requests: write" in refused.value.findings[0].remedy


def test_graphql_of_an_enterprise_server_stands_beside_its_rest() -> None:
    with serving(lambda _: Answer(body={"data": {}}, outside="a server of a company")) as double:
        Api(HERE, "t", FakeClock(), f"{double.url}/api/v3").graphql("query { viewer { login } }", {}, needs=())
        assert double.asked[0].path == "/api/graphql"


@pytest.mark.parametrize(("status", "kind"), [(401, TokenRefused), (404, NotFound), (422, Unwilling)])
def test_other_refusals_have_a_kind_each(status: int, kind: type[CannotJudge]) -> None:
    with serving(lambda _: Answer(status, {"message": "no"})) as double, pytest.raises(kind):
        client(double)[0].ask("GET", "{}/labels")


@pytest.mark.parametrize("body", [b"<html>", b"[" * 100_000])
def test_an_answer_that_is_not_github_s_is_named(body: bytes) -> None:
    broken = Answer(200, body, outside="a proxy in between")
    with serving(lambda _: broken) as double, pytest.raises(Unreachable, match="strange"):
        client(double)[0].ask("GET", "{}/labels")
    other = Answer(200, {"a": 1}, outside="a proxy in between")
    with serving(lambda _: other) as double, pytest.raises(Unreachable, match="a list was expected"):
        list(client(double)[0].pages("{}/labels"))
