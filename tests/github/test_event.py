"""Events as GitHub sends them, and as nobody should believe them."""

from __future__ import annotations

import contextlib
import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.github.event import Event, EventUnreadable, read

SHA, BASE = "a" * 40, "b" * 40
ENVIRONMENT = {
    "GITHUB_REPOSITORY": "octo-air/flight-delay",
    "GITHUB_RUN_ID": "9001",
    "GITHUB_RUN_ATTEMPT": "2",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_SHA": SHA,
}
PULL = {
    "pull_request": {
        "number": 7,
        "head": {"sha": SHA, "ref": "faster", "repo": {"id": 11, "owner": {"login": "hubot"}}},
        "base": {"sha": BASE, "ref": "main", "repo": {"id": 10}},
    }
}
FOLLOWED = {
    "workflow_run": {
        "id": 8000,
        "run_attempt": 3,
        "head_sha": SHA,
        "head_branch": "faster",
        "head_repository": {"id": 11, "owner": {"login": "hubot"}},
        "repository": {"id": 10, "full_name": "octo-air/flight-delay"},
        "event": "pull_request",
        "conclusion": "failure",
        "html_url": "https://github.com/octo-air/flight-delay/actions/runs/8000",
        "pull_requests": [{"number": 666}],
    }
}


def event(name: str, payload: object, **environment: str) -> Event:
    return read(name, json.dumps(payload), {**ENVIRONMENT, **environment})


def test_a_pull_request_of_a_fork() -> None:
    found = event("pull_request", PULL)
    assert (found.pull_request, found.base_sha, found.fork) == (7, BASE, True)
    assert (found.head.sha, found.head.owner, found.head.branch, found.head.repository) == (SHA, "hubot", "faster", 11)
    assert found.run.order == (9001, 2)
    assert found.run.url == "https://github.com/octo-air/flight-delay/actions/runs/9001"


def test_a_pull_request_of_the_repository_itself_and_of_a_deleted_fork() -> None:
    own = copy.deepcopy(PULL)
    own["pull_request"]["head"]["repo"]["id"] = 10  # type: ignore[index]
    assert event("pull_request", own).fork is False
    own["pull_request"]["head"]["repo"] = None  # type: ignore[index]
    assert event("pull_request", own).head.repository is None


def test_a_finished_run_is_told_with_its_own_run_and_head_and_no_pull_request() -> None:
    found = event("workflow_run", FOLLOWED)
    assert found.run.order == (8000, 3)
    assert found.pull_request is None
    assert (found.of, found.conclusion, found.fork) == ("pull_request", "failure", True)


def test_a_merge_group_and_events_without_a_pull_request() -> None:
    group = event("merge_group", {"merge_group": {"head_sha": SHA, "base_sha": BASE}})
    assert (group.head.sha, group.base_sha, group.pull_request) == (SHA, BASE, None)
    for name in ("push", "workflow_dispatch", "schedule"):
        assert event(name, {}).head.sha == SHA


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("pull_request", "number"), "7"),
        (("pull_request", "number"), True),
        (("pull_request", "number"), -1),
        (("pull_request", "head"), None),
        (("pull_request", "head", "sha"), "main"),
        (("pull_request", "head", "sha"), SHA + "\n"),
        (("pull_request", "head", "ref"), "a\nb"),
        (("pull_request", "head", "repo", "owner", "login"), "octocat/../.."),
        (("pull_request", "base", "repo", "id"), None),
    ],
)
def test_a_field_of_another_shape_is_named(place: tuple[str, ...], value: object) -> None:
    payload: Any = copy.deepcopy(PULL)
    inner = payload
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    with pytest.raises(EventUnreadable, match=place[-1]):
        event("pull_request", payload)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("repository", {"full_name": "evil/x", "id": 1}),
        ("html_url", "javascript:alert(1)"),
        ("event", "x y"),
        ("conclusion", None),
    ],
)
def test_a_finished_run_that_is_not_as_github_tells_it_is_refused(key: str, value: object) -> None:
    with pytest.raises(EventUnreadable):
        event("workflow_run", {"workflow_run": {**FOLLOWED["workflow_run"], key: value}})


@pytest.mark.parametrize(
    ("name", "payload", "environment"),
    [
        ("issue_comment", "{}", {}),
        ("push", "{", {}),
        ("push", "[" * 100_000, {}),
        ("push", "[]", {}),
        ("push", "{}", {"GITHUB_REPOSITORY": "a/b/c"}),
        ("push", "{}", {"GITHUB_RUN_ID": "1\n2"}),
        ("push", "{}", {"GITHUB_SERVER_URL": "javascript:"}),
        ("push", "{}", {"GITHUB_SHA": ""}),
    ],
)
def test_what_the_runner_never_gives_is_refused(name: str, payload: str, environment: dict[str, str]) -> None:
    with pytest.raises(EventUnreadable) as refused:
        read(name, payload, {**ENVIRONMENT, **environment})
    assert refused.value.findings[0].code == "event-unreadable"
    assert refused.value.exit_code == 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["pull_request", "workflow_run", "head", "base", "repo", "id", "sha"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(st.sampled_from(["pull_request", "workflow_run", "merge_group", "push"]), JSON)
def test_any_payload_is_read_or_refused(name: str, payload: object) -> None:
    with contextlib.suppress(EventUnreadable):
        assert event(name, payload).name == name
