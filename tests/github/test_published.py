"""What holds exchanges to GitHub's descriptions finds what is wrong with them, in requests and in answers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from release_gate.github.api import Api
from release_gate.github.reverts import MUTATION
from tests.e2e.testbed import objects
from tests.e2e.testbed.deployments import Mirror
from tests.github.double import Answer, FakeClock, serving
from tests.github.mirrored import HERE, mirroring
from tests.github.published import Exchange, Published

MADE = {"ref": "main", "auto_merge": False, "required_contexts": [], "payload": {"a": 1}, "description": "x"}
PULL = objects.pull(HERE, 7, head="a" * 40, merged="c" * 40)
BROUGHT = Exchange("GET", f"/repos/{HERE}/commits/{'c' * 40}/pulls", {"page": "1"}, None, 200, [PULL])


def deployed(**body: Any) -> Exchange:
    reply = Mirror().answer("POST", f"/repos/{HERE}/deployments", {}, MADE)
    assert reply is not None
    return Exchange("POST", f"/repos/{HERE}/deployments", {}, {**MADE, **body}, reply.status, reply.body)


def reverted(query: str = MUTATION, number: object = 8, **given: Any) -> Exchange:
    variables = {"input": {"pullRequestId": "PR_7", "title": "t", "body": "b", **given}}
    data = {"revertPullRequest": {"revertPullRequest": {"number": number, "url": "https://github.com/x/y/pull/8"}}}
    return Exchange("POST", "/graphql", {}, {"query": query, "variables": variables}, 200, {"data": data})


@pytest.mark.parametrize("exchange", [deployed(), BROUGHT, reverted()], ids=str)
def test_a_right_exchange_has_no_problem(description: Published, exchange: Exchange) -> None:
    assert description.problems(exchange) == []


@pytest.mark.parametrize(
    ("exchange", "words"),
    [
        (deployed(auto_merge="no"), "auto_merge: 'no' is not of type 'boolean'"),
        (deployed(required_context=[]), "GitHub knows no field required_context"),
        (deployed(ref=None), "ref"),
        (replace(BROUGHT, query={"pages": "1"}), "GitHub knows no parameter pages"),
        (replace(BROUGHT, body={"x": 1}), "GitHub wants no body"),
        (replace(BROUGHT, path=f"/repos/{HERE}/commit/c/pulls"), "GitHub has no such endpoint"),
        (replace(BROUGHT, method="PUT"), "GitHub has no such endpoint"),
        (replace(BROUGHT, answer=[{**PULL, "merged_at": 5}]), "0.merged_at: 5 is not"),
        (replace(BROUGHT, answer=[{name: PULL[name] for name in PULL if name != "base"}]), "'base' is a required"),
        (replace(BROUGHT, status=201), "GitHub does not answer this with status 201"),
        (replace(BROUGHT, status=403, answer={"message": 5}), "the answer: 5 is not of type 'string'"),
        (reverted(MUTATION.replace("url", "address")), "Cannot query field 'address'"),
        (reverted(pull="PR_7"), "pull"),
        (reverted(title=5), "title"),
        (reverted(number="eight"), "not of the shape asked for"),
        (replace(reverted(), method="GET"), "a GraphQL request is a POST"),
        (replace(reverted(), answer={}), "an answer has data"),
        (replace(reverted(), answer={"errors": [{"type": "FORBIDDEN"}]}), "an error without a message"),
    ],
)
def test_a_wrong_exchange_is_told(description: Published, exchange: Exchange, words: str) -> None:
    assert words in "\n".join(description.problems(exchange))


def test_what_is_outside_of_github_is_asked_right_and_may_answer_anything(description: Published) -> None:
    assert description.problems(replace(BROUGHT, answer="<html>", outside="a proxy")) == []
    assert description.problems(replace(BROUGHT, query={"x": "1"}, outside="a proxy")) != []
    assert description.problems(replace(BROUGHT, path="/storage", outside="the storage")) == []
    assert description.problems(replace(BROUGHT, status=502, answer="<html>")) == []


def test_a_wrong_request_fails_the_test_that_sends_it(description: Published) -> None:
    with pytest.raises(AssertionError, match="knows no parameter stat"), mirroring(Mirror()) as (api, _):
        list(api.pages("{}/pulls", parameters={"stat": "all"}))
    with pytest.raises(AssertionError, match="required property"), serving(lambda _: Answer(body={})) as double:
        Api(HERE, "t", FakeClock(), double.url).ask("GET", "{}")
