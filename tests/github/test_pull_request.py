"""The pull request of a finished run: by what GitHub knows, never by what was claimed."""

from __future__ import annotations

import pytest

from release_gate.findings import CannotJudge
from release_gate.github.api import Api
from release_gate.github.event import Head
from release_gate.github.pull_request import find
from tests.e2e.testbed import objects
from tests.github.double import Answer, FakeClock, serving

HEAD = Head("a" * 40, 11, "hubot", "faster")


def listed(number: int, sha: str = HEAD.sha, repository: int = 11) -> dict[str, object]:
    fork = ("hubot/flight-delay", repository)
    return objects.pull("octo-air/flight-delay", number, head=sha, branch="faster", fork=fork)


def found(pulls: list[object], head: Head = HEAD, outside: str = "") -> int | None:
    with serving(lambda _: Answer(body=pulls, outside=outside)) as double:
        number = find(Api("octo-air/flight-delay", "t", FakeClock(), double.url), head)
        for request in double.asked:
            assert request.query["head"] == "hubot:faster"
            assert request.query["state"] == "open"
        return number


def test_the_one_with_this_head() -> None:
    others: list[object] = [listed(1, "b" * 40), listed(2, repository=99)]
    assert found([*others, listed(7)]) == 7
    assert found(others) is None


def test_what_is_no_pull_request_is_passed_over() -> None:
    deleted = {**listed(3), "head": {"sha": HEAD.sha, "repo": None}}
    strange: list[object] = [deleted, "x", {"number": "4"}, {"number": 5}]
    # GitHub gives null for the repository of a deleted fork, though its description does not say so.
    assert found([*strange, listed(7)], outside="entries of no known shape") == 7
    assert found(strange, outside="entries of no known shape") is None


def test_a_head_nobody_can_look_for() -> None:
    assert found([listed(7)], Head("a" * 40)) is None


def test_two_with_one_head_are_not_guessed_between() -> None:
    with pytest.raises(CannotJudge, match="2 open pull requests") as refused:
        found([listed(7), listed(8)])
    assert refused.value.findings[0].code == "pull-request-ambiguous"
