"""Which pull request brought a commit: after a merge, a squash, a rebase; through other branches; or none."""

from __future__ import annotations

from typing import Any

import pytest

from release_gate.github.api import Api
from release_gate.github.merged import Merged, brought, count, how
from release_gate.github.refusals import PermissionMissing, Unreachable
from tests.e2e.testbed import objects
from tests.e2e.testbed.deployments import Mirror
from tests.github.double import Answer, FakeClock, serving
from tests.github.mirrored import HERE, mirroring

SHA, BEFORE, EARLIER = "c" * 40, "d" * 40, "e" * 40


def pull(number: int, merged: str | None = SHA, **given: Any) -> dict[str, Any]:
    return objects.pull(HERE, number, head="a" * 40, merged=merged, **given)


def found(*pulls: dict[str, Any], sha: str = SHA, base: str | None = None) -> tuple[Merged, ...]:
    mirror = Mirror()
    for one in pulls:
        mirror.add(one, sha)
    with mirroring(mirror) as (api, _):
        return brought(api, sha, base)


def test_the_one_that_was_merged_as_this_commit() -> None:
    [one] = found(pull(12, title="Use the schedule of summer"))
    assert (one.number, one.title, one.author, one.base, one.commit) == (
        12, "Use the schedule of summer", "octocat", "main", SHA,
    )  # fmt: skip
    assert one.url == "https://github.com/octo-air/flight-delay/pull/12"
    assert one.node == "PR_12"


def test_a_commit_pushed_directly_has_none() -> None:
    assert found() == ()


def test_open_and_closed_ones_that_hold_the_commit_did_not_bring_it() -> None:
    assert found(pull(12, merged=None), pull(13, merged=None, state="closed")) == ()


def test_of_several_the_one_of_this_very_commit_stands_first_then_the_latest() -> None:
    several = found(
        pull(1, BEFORE, merged_at="2026-01-01T00:00:00Z"),
        pull(2, EARLIER, merged_at="2026-02-01T00:00:00Z"),
        pull(3, SHA, merged_at="2026-01-15T00:00:00Z"),
    )
    assert [one.number for one in several] == [3, 2, 1]


def test_one_that_was_merged_into_another_branch_did_not_bring_it_to_main() -> None:
    assert [one.number for one in found(pull(1, base="feature"), pull(2))] == [2]
    assert [one.number for one in found(pull(1, base="feature"), pull(2), base="feature")] == [1]


def test_entries_that_are_no_merged_pull_requests_are_passed_over() -> None:
    ghost = {**pull(4), "user": None}
    strange = [
        "x",
        {"number": "1"},
        {"number": 1},
        {**pull(2), "merge_commit_sha": None},
        {**pull(3), "base": 5},
        ghost,
    ]
    with serving(lambda _: Answer(body=strange, outside="entries of no known shape")) as double:
        [one] = brought(Api(HERE, "t", FakeClock(), double.url), SHA)
    assert (one.number, one.author) == (4, "ghost")


@pytest.mark.parametrize(
    ("parents", "commits", "before", "way"),
    [
        ((BEFORE, "a" * 40), 3, (), "merge"),
        ((BEFORE,), 1, (), "squash"),
        ((BEFORE,), 3, (), "squash"),
        ((BEFORE,), 3, (12,), "rebase"),
        ((), 3, (), "squash"),
    ],
)
def test_how_it_was_merged(parents: tuple[str, ...], commits: int, before: tuple[int, ...], way: str) -> None:
    mirror = Mirror(parents={SHA: parents}, commits={12: commits})
    mirror.add(pull(12), SHA, *([BEFORE] if before else []))
    mirror.add(pull(11, BEFORE), BEFORE)
    with mirroring(mirror) as (api, _):
        [one] = brought(api, SHA)
        assert how(api, one) == way
        assert count(api, one) == commits


def test_a_commit_of_no_known_shape_counts_as_a_squash() -> None:
    one = found(pull(12))[0]
    with serving(lambda _: Answer(body=[], outside="not a commit")) as double:
        api = Api(HERE, "t", FakeClock(), double.url)
        assert how(api, one) == "squash"
        assert count(api, one) == 1


def test_what_can_not_be_asked_is_named() -> None:
    with mirroring(Mirror(lacking={"pull_requests"})) as (api, _), pytest.raises(PermissionMissing) as refused:
        brought(api, SHA)
    assert "pull-requests: read" in refused.value.findings[0].remedy
    with pytest.raises(Unreachable):
        brought(Api(HERE, "t", FakeClock(), "http://127.0.0.1:9", patience=0), SHA)
