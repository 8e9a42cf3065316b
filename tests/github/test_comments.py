"""The sticky comment on a real, stateful API: found, updated, never doubled, never set back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.github.api import Api
from release_gate.github.comments import post, stands
from release_gate.github.marker import Marker
from release_gate.github.pull_request import find
from release_gate.github.refusals import NotFound, PermissionMissing
from tests.e2e.testbed import emulator, objects
from tests.github.double import Answer, FakeClock, Request, serving
from tests.github.pulls import Pull

Make = Callable[[str], Pull]


def body(pull: Pull, text: str = "first", run: tuple[int, int] = (100, 1), model: str = "flight-delay") -> str:
    return f"{Marker(model, pull.head, run)}\n{text}\n"


def test_the_first_run_writes_and_the_next_updates_the_same_comment(pull: Make) -> None:
    here = pull("update")
    [made] = post(here.api(), here.number, [body(here)])
    assert made.what == "created"
    [changed] = post(here.api(), here.number, [body(here, "second", (101, 1))])
    assert changed.what == "updated"
    [comment] = here.comments()
    assert "second" in str(comment["body"])


def test_unchanged_text_is_not_sent(pull: Make) -> None:
    here = pull("unchanged")
    post(here.api(), here.number, [body(here)])
    api = here.api()
    [same] = post(api, here.number, [body(here)])
    assert same.what == "unchanged"
    assert api.requests == 3  # the pull request, its comments, who we are


def test_it_is_found_behind_150_others_by_marker_and_author(pull: Make) -> None:
    here = pull("crowd")
    for index in range(120):
        here.ask("POST", f"{{}}/issues/{here.number}/comments", {"body": f"talk {index}"}, emulator.MAINTAINER_TOKEN)
    # A person who copies our marker is not us, and neither is somebody who quotes it.
    for copied in (body(here, "forged", (9, 9)), "> " + body(here)):
        here.ask("POST", f"{{}}/issues/{here.number}/comments", {"body": copied}, emulator.MAINTAINER_TOKEN)
    post(here.api(), here.number, [body(here)])
    for index in range(40):
        here.ask("POST", f"{{}}/issues/{here.number}/comments", {"body": f"more {index}"}, emulator.MAINTAINER_TOKEN)
    api = here.api()
    assert post(api, here.number, [body(here, "again", (101, 1))])[0].what == "updated"
    assert api.requests <= 8
    ours = [one for one in here.comments() if one["user"]["login"] == emulator.BOT]  # type: ignore[index]
    assert len(ours) == 1
    assert "again" in str(ours[0]["body"])
    assert any("forged" in str(one["body"]) for one in here.comments())


def test_an_older_run_that_finishes_late_changes_nothing(pull: Make) -> None:
    here = pull("late")
    post(here.api(), here.number, [body(here, "new", (200, 2))])
    for run in ((199, 9), (200, 1)):
        assert post(here.api(), here.number, [body(here, "old", run)])[0].what == "superseded"
    assert "new" in str(here.comments()[0]["body"])


def test_a_run_of_an_older_commit_changes_nothing(pull: Make) -> None:
    here = pull("older-head")
    old = f"{Marker('flight-delay', 'd' * 40, (900, 1))}\nold\n"
    api = here.api()
    assert post(api, here.number, [old])[0].what == "superseded"
    assert api.requests == 1
    assert here.comments() == []


def test_a_new_head_replaces_the_comment_of_any_run_before(pull: Make) -> None:
    here = pull("new-head")
    stale = str(Marker("flight-delay", "f" * 40, (999, 9)))
    here.ask("POST", f"{{}}/issues/{here.number}/comments", {"body": stale})
    assert post(here.api(), here.number, [body(here, "current", (5, 1))])[0].what == "updated"


def test_each_model_has_a_comment_of_its_own(pull: Make) -> None:
    here = pull("models")
    bodies = [body(here, "a", model="a"), body(here, "b", model="b")]
    assert [one.what for one in post(here.api(), here.number, bodies)] == ["created", "created"]
    api = here.api()
    again = [body(here, "a2", (101, 1), "a"), body(here, "b2", (101, 1), "b")]
    assert [one.what for one in post(api, here.number, again)] == ["updated", "updated"]
    assert len(here.comments()) == 2
    assert api.requests == 5


def test_of_two_comments_of_ours_the_first_is_kept_and_the_other_told(pull: Make) -> None:
    here = pull("twice")
    for _ in range(2):
        here.ask("POST", f"{{}}/issues/{here.number}/comments", {"body": body(here)})
    [told] = post(here.api(), here.number, [body(here, "third", (101, 1))])
    assert (told.what, told.duplicates) == ("updated", 1)
    assert ["third" in str(one["body"]) for one in here.comments()] == [True, False]


def test_a_workflow_that_follows_a_run_leaves_what_the_run_itself_wrote(pull: Make) -> None:
    here = pull("followed")
    post(here.api(), here.number, [body(here, "own")])
    assert post(here.api(), here.number, [body(here, "other")], in_place_of_run=True)[0].what == "superseded"


def test_a_closed_pull_request_is_left_alone(pull: Make) -> None:
    here = pull("closed")
    here.ask("PATCH", f"{{}}/pulls/{here.number}", {"state": "closed"})
    assert post(here.api(), here.number, [body(here)])[0].what == "closed"


def test_a_body_without_a_marker_is_a_mistake_of_ours(pull: Make) -> None:
    here = pull("unmarked")
    with pytest.raises(ValueError, match="marker"):
        post(here.api(), here.number, ["text"])


HERE = "octo-air/flight-delay"
HEAD = "a" * 40
PULL = objects.whole(objects.pull(HERE, 7, head=HEAD))
WRITTEN = objects.comment(HERE, 9, "x[bot]", "y")


def comment(identity: int, login: str, run: int = 1) -> dict[str, object]:
    return objects.comment(HERE, identity, login, f"{Marker('m', HEAD, (run, 1))}\nx")


def installation(comments: list[dict[str, object]], patched: Answer) -> Callable[[Request], Answer]:
    """GitHub as GITHUB_TOKEN sees it: it may not ask who it is."""

    def answer(request: Request) -> Answer:
        if request.path == "/user":
            return Answer(403, {"message": "Resource not accessible by integration"})
        if request.path.endswith("/pulls/7"):
            return Answer(body=PULL)
        if request.method == "PATCH":
            return patched
        return Answer(body=comments) if request.method == "GET" else Answer(201, WRITTEN)

    return answer


def api_of(url: str) -> Api:
    return Api("octo-air/flight-delay", "t", FakeClock(), url)


def test_a_token_that_may_not_ask_who_it_is_takes_a_bot_s_comment_and_no_person_s() -> None:
    there: list[dict[str, object]] = [
        comment(1, "mallory"),
        comment(2, "github-actions[bot]"),
        {**comment(3, "nobody"), "body": "", "user": None},
    ]
    with serving(installation(there, Answer(body=WRITTEN))) as double:
        assert post(api_of(double.url), 7, [f"{Marker('m', HEAD, (2, 1))}\ny"])[0].what == "updated"
        assert double.asked[-1].path.endswith("/issues/comments/2")
    with serving(installation([comment(1, "mallory")], Answer(body=WRITTEN))) as double:
        assert post(api_of(double.url), 7, [f"{Marker('m', HEAD, (2, 1))}\ny"])[0].what == "created"


def test_a_comment_deleted_meanwhile_is_written_again() -> None:
    with serving(installation([comment(2, "x[bot]")], Answer(404, {"message": "Not Found"}))) as double:
        assert post(api_of(double.url), 7, [f"{Marker('m', HEAD, (2, 1))}\ny"])[0].what == "created"


def test_a_refused_write_is_told_as_such() -> None:
    refusing = installation([comment(2, "x[bot]")], Answer(403, {"message": "no"}))
    with serving(refusing) as double, pytest.raises(PermissionMissing, match="issues/comments/2"):
        post(api_of(double.url), 7, [f"{Marker('m', HEAD, (2, 1))}\ny"])
    with serving(lambda _: Answer(404, {"message": "Not Found"})) as double, pytest.raises(NotFound):
        post(api_of(double.url), 7, [f"{Marker('m', HEAD, (2, 1))}\ny"])


RUNS = st.tuples(st.integers(1, 5), st.integers(1, 3))


@given(RUNS, RUNS)
def test_of_two_runs_on_one_commit_the_later_stands(one: tuple[int, int], other: tuple[int, int]) -> None:
    first, second = Marker("m", HEAD, one), Marker("m", HEAD, other)
    assert not (stands(first, second) and stands(second, first))
    assert stands(first, second) == (one > other)
    assert not stands(first, Marker("m", "b" * 40, other))


@given(st.from_regex(r"[a-z0-9][a-z0-9._-]{0,20}", fullmatch=True), RUNS)
def test_a_marker_is_read_as_it_was_written_and_only_at_the_beginning(model: str, run: tuple[int, int]) -> None:
    marker = Marker(model, HEAD, run)
    assert Marker.of(f"{marker}\ntext") == marker
    assert Marker.of(f" {marker}") is None
    assert Marker.of(f"x\n{marker}") is None


def test_the_emulated_api_finds_a_pull_request_by_its_head(pull: Make) -> None:
    from release_gate.github.event import Head

    here = pull("found")
    told = here.ask("GET", f"{{}}/pulls/{here.number}")
    origin = told["head"]["repo"]["id"]  # type: ignore[index]
    assert find(here.api(), Head(here.head, origin, "octo-air", "found")) == here.number
    assert find(here.api(), Head("e" * 40, origin, "octo-air", "found")) is None
    assert find(here.api(), Head(here.head, origin + 1, "octo-air", "found")) is None
