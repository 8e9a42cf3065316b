"""Totals by version from Prometheus's instant query API; one series a version, all queries of the same moment."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from release_gate.counts import Counts
from release_gate.edges import Clock, Session
from release_gate.findings import CannotJudge
from release_gate.rollouts import Prometheus
from release_gate.sources import counting
from release_gate.sources.asking import PATIENCE, Asked, ask, parsed, shown

_RATE = re.compile(r"\b(?:rate|irate|increase|delta|idelta|deriv)\s*\(")


def read(source: Prometheus, session: Session, clock: Clock, versions: Collection[str]) -> dict[str, Counts]:
    """The totals of these versions; one without a series of `requests` is absent.

    `errors` and `slow` must have a series for every version that has one of `requests`: a series that is not there
    yet and one that a misspelt query will never find look the same.

    Raises:
        CannotJudge: a `source-…` code.
    """
    queries = {"requests": source.requests, "errors": source.errors, "slow": source.slow}
    moment: str | None = None
    totals: dict[str, dict[str, int]] = {}
    for metric, query in queries.items():
        if query is None:
            continue
        asked = Asked(f"Prometheus at {source.url}", metric)
        if found := _RATE.search(query):
            raise asked.refused("source-not-total", f"the query holds {found[0].rstrip('( ')}(): {query[:500]}")
        parameters = {"query": query, "timeout": f"{PATIENCE:g}s"} | ({"time": moment} if moment else {})
        status, body = ask(session, clock, f"{source.url}/api/v1/query", asked, parameters)
        series = _series(status, body, asked, query)
        named = [(str(one["metric"].get(source.label, "")), one) for one in series]
        known = counting.by_version(named, versions, asked)
        if metric == "requests":
            if not known:
                names = (name for name, _ in named)
                raise counting.none_known(names, versions, asked, f"label `{source.label}`, query {query[:500]}")
            moment = repr(next(iter(known.values()))["value"][0])
            totals = {version: {} for version in known}
        _same(set(totals), set(known), source, asked)
        for version, one in known.items():
            totals[version][metric] = counting.total(_number(one["value"][1], asked, version), asked, version)
    source_itself = Asked(f"Prometheus at {source.url}")
    return {version: counting.counts(each, source_itself, version) for version, each in totals.items()}


def _same(counted: set[str], known: set[str], source: Prometheus, asked: Asked) -> None:
    """Every version with requests has the metric, and the other way round."""
    if missing := sorted(counted - known):
        query = source.errors if asked.metric == "errors" else source.slow
        remedy = f"A counter appears with its first answer; give 0 until then: ({query}) or 0 * ({source.requests})"
        cause = f"{', '.join(missing)} has requests but no series here"
        raise asked.refused("source-version-missing", cause, remedy=remedy)
    if extra := sorted(known - counted):
        raise asked.refused("source-inconsistent", f"{', '.join(extra)} has a series here but none of requests")


def _series(status: int, body: bytes, asked: Asked, query: str) -> list[dict[str, Any]]:
    """The instant vector of an answer."""
    try:
        answer = parsed(body, asked)
    except CannotJudge as refusal:
        if status >= 400:  # an error page of whatever stands in front
            raise asked.refused("source-status", f"status {status}: {shown(body)}") from refusal
        raise
    if isinstance(answer, dict) and answer.get("status") == "error":
        cause = f"{answer.get('errorType')}: {answer.get('error')}"[:1000]
        raise asked.refused("source-query-refused", f"{cause}; the query is {query[:500]}")
    if status != 200:
        raise asked.refused("source-status", f"status {status}: {shown(body)}")
    if isinstance(answer, dict) and answer.get("warnings"):
        raise asked.refused("source-partial", shown(answer["warnings"]))
    return _vector(answer, asked, query)


def _vector(answer: Any, asked: Asked, query: str) -> list[dict[str, Any]]:
    data = answer.get("data") if isinstance(answer, dict) else None
    kind = data.get("resultType") if isinstance(data, dict) else None
    series = data.get("result") if isinstance(data, dict) else None
    if kind != "vector" or not isinstance(series, list):
        told = f"the result is a {kind}, not an instant vector" if isinstance(kind, str) else shown(answer)
        raise asked.refused("source-shape", f"{told}; the query is {query[:500]}")
    for one in series:
        value = one.get("value") if isinstance(one, dict) and isinstance(one.get("metric"), dict) else None
        if not isinstance(value, list) or len(value) != 2:
            raise asked.refused("source-shape", f"a series holds no number: {shown(one)}")
    return series


def _number(text: object, asked: Asked, version: str) -> float | object:
    """A sample's value, which Prometheus writes as a text."""
    try:
        return float(text) if isinstance(text, str) else text
    except ValueError as error:
        raise asked.refused("source-number", f"{version} has {shown(text)}, which is no number") from error
