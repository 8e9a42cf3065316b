"""A real server asked the questions of smoke.yml: a good one passes, each bad one fails exactly its check."""

from __future__ import annotations

import statistics
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.cli import SystemClock
from release_gate.edges import Session
from release_gate.lifecycle.package import Golden
from release_gate.serving import http
from release_gate.serving.checks import Smoke
from release_gate.serving.smoke import Result, Server, percentile, run, unlike, versioned
from tests.serving.conftest import Start

GOLDEN = Golden(through="serve", rows=[{"x": number / 7} for number in range(5)], scores=[n / 7 for n in range(5)])
PREDICT = {"post": "/predict", "body": {"rows": "{rows}"}, "scores": "predictions[*].score"}
CHECKS: list[dict[str, Any]] = [
    {"name": "health", "get": "/health", "status": 200},
    {"name": "version", "get": "/health", "json": {"version": "{version}"}},
    {"name": "golden", "golden": {"tolerance": 1e-6}},
    {"name": "not json", "post": "/predict", "body": "{", "status": "4xx"},
    {"name": "no column", "post": "/predict", "json_body": {"rows": [{}]}, "status": "4xx"},
    {"name": "null", "post": "/predict", "json_body": None, "status": 422},
    {"name": "latency", "latency": {"requests": 10, "p95_below": "2s"}},
]


LETS_ALL_THROUGH = [f"{name}: smoke-status" for name in ("not json", "no column", "null")]


def smoke(*checks: dict[str, Any], **change: Any) -> Smoke:
    fields = {"version": 1, "start_within": "20s", "predict": PREDICT, "checks": list(checks or CHECKS)}
    return Smoke.model_validate({**fields, **change})


def asked(start: Start, session: Session, asking: Smoke, mode: str = "good", **change: Any) -> list[Result]:
    health = asking.model_copy(update={"checks": smoke().checks[:1]})
    with start(health, mode) as up:
        facts = {"version": "sha256:1", "golden": GOLDEN, **change}
        return run(asking, Server(up.url, session, SystemClock(), **facts), up.process)


def wrong(results: list[Result]) -> list[str]:
    return [f"{one.name}: {one.finding.code}" for one in results if one.finding]


def test_a_good_server_passes_every_check(start: Start, session: Session) -> None:
    results = asked(start, session, smoke())
    assert wrong(results) == []
    assert [one.name for one in results] == [check["name"] for check in CHECKS]


def test_one_record_a_request_is_asked_for_in_order(start: Start, session: Session) -> None:
    one = {"post": "/predict", "body": {"rows": "{row}"}, "scores": "predictions[0].score"}
    assert wrong(asked(start, session, smoke({"name": "golden", "golden": {}}, predict=one))) == []


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("off", ["golden: smoke-golden"]),
        ("short", ["golden: smoke-scores"]),
        ("nan", ["golden: smoke-json"]),
        ("text", ["golden: smoke-scores"]),
        ("not json", ["golden: smoke-json", *LETS_ALL_THROUGH]),
        ("accepts all", ["golden: smoke-scores", *LETS_ALL_THROUGH]),
    ],
)
def test_each_misbehaviour_fails_its_checks_and_no_other(
    start: Start, session: Session, mode: str, expected: list[str]
) -> None:
    assert wrong(asked(start, session, smoke(), mode)) == expected


def test_a_wrong_version_is_told(start: Start, session: Session) -> None:
    (result,) = asked(start, session, smoke(CHECKS[1]), version="sha256:2")
    assert wrong([result]) == ["version: smoke-json"]
    assert "answer.version is 'sha256:1' instead of 'sha256:2'" in result.detail


def test_a_slow_server_fails_the_latency_check_only(start: Start, session: Session) -> None:
    slow = {"name": "latency", "latency": {"requests": 10, "p95_below": "20ms"}}
    assert wrong(asked(start, session, smoke(CHECKS[0], slow), "slow")) == ["latency: smoke-slow"]


def test_without_recorded_predictions_nothing_is_proven(start: Start, session: Session) -> None:
    results = asked(start, session, smoke(CHECKS[2], CHECKS[6]), golden=None)
    assert wrong(results) == ["golden: smoke-no-golden", "latency: smoke-no-golden"]


def test_a_server_that_dies_is_one_reason_and_nothing_more_is_asked(start: Start, session: Session) -> None:
    results = asked(start, session, smoke(), "dies")
    assert wrong(results)[0] == "golden: serve-died"
    assert len({str(one.finding) for one in results if one.finding}) == 1
    assert results[-1].detail == "not asked: the server has ended"


def test_a_server_that_hangs_or_floods_gives_no_answer(
    start: Start, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "PATIENCE", 0.3)
    monkeypatch.setattr(http, "MOST", 1_000_000)
    for mode, cause in (("hangs", "no answer in 0.3 s"), ("floods", "more than 1,000,000 bytes")):
        (result,) = asked(start, session, smoke(CHECKS[2]), mode)
        assert wrong([result]) == ["golden: smoke-no-answer"]
        assert cause in result.detail


def test_nobody_there(session: Session) -> None:
    server = Server("http://127.0.0.1:9", session, SystemClock(), "v", GOLDEN)
    assert set(wrong(run(smoke(), server))) == {f"{check['name']}: smoke-no-answer" for check in CHECKS}


def test_loopback_is_asked_directly_whatever_proxy_is_set(
    start: Start, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert wrong(asked(start, session, smoke(CHECKS[0]))) == []


@given(st.lists(st.floats(0, 10), min_size=1, max_size=60), st.sampled_from([0.5, 0.9, 0.95, 1.0]))
def test_percentile_is_numpys_inverted_cdf(values: list[float], share: float) -> None:
    assert percentile(values, share) == float(np.percentile(values, share * 100, method="inverted_cdf"))
    assert percentile(values, 1.0) == max(values)
    assert min(values) <= percentile(values, share) <= max(values)
    assert statistics.fmean(values) <= max(values) + 1e-9


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=3), inside, max_size=3),
    max_leaves=10,
)


@given(JSON, st.dictionaries(st.text(max_size=3), JSON, max_size=3))
def test_an_answer_may_hold_more_than_is_expected(expected: Any, more: dict[str, Any]) -> None:
    assert unlike(expected, expected, "answer") is None
    if isinstance(expected, dict):
        assert unlike({**more, **expected}, expected, "answer") is None


@pytest.mark.parametrize(
    ("answer", "expected", "difference"),
    [
        ({}, {"a": 1}, "answer.a is missing"),
        ({"a": [1, 2]}, {"a": [1, 3]}, "answer.a[1] is 2 instead of 3"),
        ([1], [1, 2], "answer is [1] instead of [1, 2]"),
        (True, 1, "answer is True instead of 1"),
        ([], {}, "answer is [] instead of {}"),
    ],
)
def test_the_first_difference_is_named_with_its_place(answer: Any, expected: Any, difference: str) -> None:
    assert unlike(answer, expected, "answer") == difference


def test_the_version_is_filled_in_anywhere() -> None:
    assert versioned({"a": ["{version}", 1], "b": "v{version}"}, "7") == {"a": ["7", 1], "b": "v7"}


def test_an_answer_of_the_wrong_status_shows_what_the_server_printed_last(start: Start, session: Session) -> None:
    lost = smoke({"name": "lost", "post": "/nowhere", "json_body": {"rows": [{}]}, "status": 200})
    (result,) = asked(start, session, lost)
    assert result.finding is not None
    assert result.finding.code == "smoke-status"
    assert "\nLast lines of the server:\n" in result.finding.message
    assert "POST /nowhere" in result.finding.message
    assert "\n" not in result.detail, "a table's cell"


def test_of_a_server_that_is_not_ours_nothing_is_shown_but_its_answer(start: Start, session: Session) -> None:
    lost = smoke({"name": "lost", "post": "/nowhere", "json_body": {"rows": [{}]}, "status": 200})
    with start(smoke(CHECKS[0])) as up:
        (result,) = run(lost, Server(up.url, session, SystemClock(), version="x"))
    assert result.finding is not None
    assert "Last lines" not in result.finding.message
