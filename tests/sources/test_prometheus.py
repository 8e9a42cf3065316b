"""Totals from a real Prometheus that scrapes a real exporter; what no real one says comes from a server of our own."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest

from release_gate.counts import Counts
from release_gate.edges import Clock, Session
from release_gate.findings import CannotJudge
from release_gate.rollouts import Prometheus
from release_gate.sources import asking, prometheus
from tests.sources.conftest import NEW, OLD, Told

Scrape = Callable[[str], str]

BOTH = f"""
answers_total{{version="{NEW}",status="200",instance_id="1"}} 90
answers_total{{version="{NEW}",status="500",instance_id="1"}} 10
answers_total{{version="{NEW}",status="200",instance_id="2"}} 100
answers_total{{version="{OLD[7:19]}",status="200"}} 3000
answers_total{{version="{OLD[7:19]}",status="503"}} 4
answers_total{{version="sha256:{"c" * 64}",status="200"}} 7
slow_total{{version="{NEW}"}} 3
slow_total{{version="{OLD[7:19]}"}} 5
share{{version="{NEW}"}} 0.5
share{{version="{OLD}"}} 2
odd{{version="{NEW}"}} NaN
odd{{version="{OLD}"}} 1
endless{{version="{NEW}"}} +Inf
below{{version="{NEW}"}} -1
"""
REQUESTS = "sum by (version) (answers_total)"
ERRORS = 'sum by (version) (answers_total{status=~"5.."})'


def source(url: str, **fields: Any) -> Prometheus:
    return Prometheus.model_validate({"url": url, "label": "version", "requests": REQUESTS, "errors": ERRORS, **fields})


def refused(session: Session, clock: Clock, declared: Prometheus, *versions: str) -> tuple[str, str, str]:
    with pytest.raises(CannotJudge) as refusal:
        prometheus.read(declared, session, clock, versions or (NEW, OLD))
    (found,) = refusal.value.findings
    assert found.message.startswith(f"Prometheus at {declared.url}")
    return found.code, found.message, found.remedy


def test_totals_of_both_versions_are_read_by_digest_or_its_beginning(
    scraped: Scrape, session: Session, clock: Clock
) -> None:
    url = scraped(BOTH)
    assert prometheus.read(source(url), session, clock, [NEW, OLD]) == {
        NEW: Counts(requests=200, errors=10),
        OLD: Counts(requests=3004, errors=4),
    }
    slow = prometheus.read(source(url, slow="sum by (version) (slow_total)"), session, clock, [NEW, OLD])
    assert {version: each.slow for version, each in slow.items()} == {NEW: 3, OLD: 5}


def test_totals_follow_what_is_scraped(scraped: Scrape, session: Session, clock: Clock) -> None:
    page = f'answers_total{{version="{NEW}",status="500"}} '
    for count in (5, 8, 1):
        url = scraped(page + str(count))
        assert prometheus.read(source(url), session, clock, [NEW]) == {NEW: Counts(requests=count, errors=count)}


def test_a_version_without_answers_is_absent_and_not_zero_where_another_has_some(
    scraped: Scrape, session: Session, clock: Clock
) -> None:
    url = scraped(f'answers_total{{version="{OLD}",status="500"}} 3')
    assert prometheus.read(source(url), session, clock, [NEW, OLD]) == {OLD: Counts(requests=3, errors=3)}


def test_a_source_that_knows_no_version_is_misread(scraped: Scrape, session: Session, clock: Clock) -> None:
    url = scraped('answers_total{version="v7",status="200"} 3\nanswers_total{version="v8",status="200"} 3')
    code, message, _ = refused(session, clock, source(url))
    assert code == "source-version-missing"
    assert "it names 'v7', 'v8' (label `version`" in message
    code, message, _ = refused(session, clock, source(url, requests="nothing_of_that_name"))
    assert (code, "it names none" in message) == ("source-version-missing", True)


def test_an_error_counter_that_is_not_there_yet_is_not_taken_for_no_errors(
    scraped: Scrape, session: Session, clock: Clock
) -> None:
    url = scraped(f'answers_total{{version="{NEW}",status="200"}} 3')
    code, message, remedy = refused(session, clock, source(url), NEW)
    assert (code, f"errors: {NEW} has requests but no series here" in message) == ("source-version-missing", True)
    mended = remedy.split("give 0 until then: ")[1]
    assert prometheus.read(source(url, errors=mended), session, clock, [NEW]) == {NEW: Counts(requests=3, errors=0)}
    only_good = 'sum by (version) (answers_total{status="500"})'
    url = scraped(f'answers_total{{version="{OLD}",status="500"}} 3\nanswers_total{{version="{NEW}",status="503"}} 3')
    assert refused(session, clock, source(url, requests=only_good))[0] == "source-inconsistent"


@pytest.mark.parametrize(
    ("fields", "code", "says"),
    [
        ({"requests": "answers_total"}, "source-version-twice", f"requests: several totals are named {NEW}"),
        ({"requests": "sum(answers_total)"}, "source-version-missing", "it names ''"),
        ({"requests": "odd"}, "source-number", f"{NEW} has nan"),
        ({"requests": "endless"}, "source-number", f"{NEW} has inf"),
        ({"requests": "below"}, "source-number", f"{NEW} has -1.0"),
        ({"requests": "share"}, "source-number", f"{NEW} has 0.5, which is not whole"),
        ({"requests": "sum by (version) (rate(answers_total[1m]))"}, "source-not-total", "the query holds rate()"),
        ({"errors": "increase (answers_total[1m])"}, "source-not-total", "errors: the query holds increase()"),
        ({"requests": "sum by (version"}, "source-query-refused", "bad_data: "),
        ({"requests": "answers_total[1m]"}, "source-shape", "a matrix, not an instant vector"),
        ({"requests": "17"}, "source-shape", "a scalar, not an instant vector"),
        ({"errors": "10 * sum by (version) (answers_total)"}, "source-inconsistent", "requests 200, errors 2000"),
        ({"label": "no_such_label"}, "source-version-missing", "label `no_such_label`"),
    ],
)
def test_what_is_no_total_by_version_is_refused_by_name(  # noqa: PLR0917 - fixtures beside the cases
    scraped: Scrape, session: Session, clock: Clock, fields: dict[str, str], code: str, says: str
) -> None:
    found, message, _ = refused(session, clock, source(scraped(BOTH), **fields))
    assert found == code
    assert says in message


def test_a_beginning_that_fits_two_versions_is_refused(scraped: Scrape, session: Session, clock: Clock) -> None:
    url = scraped('answers_total{version="12345678",status="500"} 3')
    twins = [f"sha256:12345678{one * 56}" for one in "ab"]
    assert refused(session, clock, source(url), *twins)[0] == "source-version-ambiguous"
    assert refused(session, clock, source(scraped('answers_total{version="1234567"} 3')), *twins)[0] == (
        "source-version-missing"
    )


def vector(*series: Any, **fields: Any) -> dict[str, Any]:
    return {"status": "success", "data": {"resultType": "vector", "result": list(series)}, **fields}


def series(version: str, value: object) -> dict[str, Any]:
    return {"metric": {"version": version}, "value": [1700000000.123, value]}


def test_all_queries_are_of_the_moment_of_the_first(told: Told, session: Session, clock: Clock) -> None:
    told.json(vector(series(NEW, "9")), vector(series(NEW, "1")))
    assert prometheus.read(source(told.url), session, clock, [NEW]) == {NEW: Counts(requests=9, errors=1)}
    assert "time=" not in told.asked[0]
    assert "time=1700000000.123" in told.asked[1]


def test_a_sum_of_floats_may_be_off_by_its_rounding(told: Told, session: Session, clock: Clock) -> None:
    told.json(vector(series(NEW, "8.9999999999")))
    assert prometheus.read(source(told.url), session, clock, [NEW])[NEW].requests == 9


@pytest.mark.parametrize(
    ("answer", "status", "code", "says"),
    [
        (vector(series(NEW, "9"), warnings=["one part did not answer"]), 200, "source-partial", "one part did not"),
        ({"status": "error", "errorType": "timeout", "error": "too slow"}, 503, "source-query-refused", "timeout: too"),
        (vector(series(NEW, "9")), 500, "source-status", "status 500"),
        (vector(series(NEW, "many")), 200, "source-number", "'many', which is no number"),
        (vector(series(NEW, [])), 200, "source-number", "which is no number"),
        (vector(series(NEW, True)), 200, "source-number", "which is no number"),
        (vector({"metric": {"version": NEW}, "histogram": []}), 200, "source-shape", "holds no number"),
        (vector(7), 200, "source-shape", "holds no number"),
        ([], 200, "source-shape", "[]"),
        ({"data": []}, 200, "source-shape", "{'data': []}"),
    ],
)
def test_answers_of_another_kind_are_refused(  # noqa: PLR0917 - fixtures beside the cases
    told: Told, session: Session, clock: Clock, answer: Any, status: int, code: str, says: str
) -> None:
    told.json(answer, status=status)
    found, message, _ = refused(session, clock, source(told.url))
    assert found == code
    assert says in message


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"<html>bad gateway", 502, "source-status"),
        (b"<html>log in", 200, "source-not-json"),
        (b"[" * 100_000, 200, "source-not-json"),
        (b'{"status": NaN}', 200, "source-number"),
        (b" " * (asking.MOST + 1), 200, "source-too-large"),
    ],
)
def test_bytes_that_are_no_answer_are_refused(  # noqa: PLR0917 - fixtures beside the cases
    told: Told, session: Session, clock: Clock, body: bytes, status: int, code: str
) -> None:
    told.bytes(body, status)
    assert refused(session, clock, source(told.url))[0] == code


def test_a_redirect_to_a_login_page_is_not_followed(told: Told, session: Session, clock: Clock) -> None:
    told.bytes(b"", 302, Location="https://login.octo-air.example/")
    code, message, _ = refused(session, clock, source(told.url))
    assert code == "source-redirected"
    assert "status 302, to https://login.octo-air.example/" in message
    assert len(told.asked) == 1


def test_nobody_there_and_nobody_answering_are_told_with_the_cause(
    told: Told, session: Session, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nobody = source(f"http://127.0.0.1:{unused.getsockname()[1]}")
        code, message, _ = refused(session, clock, nobody)
        assert (code, "Connection refused" in message) == ("source-unreachable", True)
        unused.listen()
        monkeypatch.setattr(asking, "PATIENCE", 0.2)
        assert refused(session, clock, nobody)[:1] == ("source-unreachable",)
    monkeypatch.setattr(asking, "PATIENCE", 0.0001)
    told.json(vector())
    assert refused(session, clock, source(told.url))[0] == "source-unreachable"


def test_an_answer_that_breaks_off_is_no_answer(told: Told, session: Session, clock: Clock) -> None:
    told.bytes(b"{", 200, **{"Content-Length": "10", "Connection": "close"})
    assert refused(session, clock, source(told.url))[0] == "source-unreachable"
