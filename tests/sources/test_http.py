"""Totals as JSON at an address."""

from __future__ import annotations

from typing import Any

import pytest

from release_gate.counts import Counts
from release_gate.edges import Clock, Session
from release_gate.findings import CannotJudge
from release_gate.rollouts import Http
from release_gate.sources import http
from tests.sources.conftest import NEW, OLD, Told


def source(url: str, **fields: Any) -> Http:
    return Http.model_validate({"url": f"{url}/stats", "versions": "models[*]", **fields})


def entry(version: object = NEW, **fields: Any) -> dict[str, Any]:
    return {"version": version, "requests": 10, "errors": 1, **fields}


def test_totals_are_found_by_their_paths(told: Told, session: Session, clock: Clock) -> None:
    other = {"name": OLD[7:15].upper(), "count": {"all": 40.0, "bad": 2, "late": 3}, "note": "more than is asked"}
    told.json({"models": [other, {"name": "v1", "count": {}}]})
    paths = {"version": "name", "requests": "count.all", "errors": "count.bad", "slow": "count.late"}
    found = http.read(source(told.url, **paths), session, clock, [NEW, OLD])
    assert found == {OLD: Counts(requests=40, errors=2, slow=3)}
    assert told.asked == ["/stats"]
    told.json({"models": [entry(), entry(OLD)]})
    found = http.read(source(told.url), session, clock, [NEW, OLD])
    assert found == dict.fromkeys((NEW, OLD), Counts(requests=10, errors=1))


@pytest.mark.parametrize(
    ("document", "fields", "code", "says"),
    [
        ({"models": {}}, {"versions": "models"}, "source-shape", "at models stands no list but {}"),
        ({}, {}, "source-shape", "stands no list but None"),
        ({"models": []}, {}, "source-version-missing", "it names none"),
        ({"models": [entry("v1")]}, {}, "source-version-missing", "it names 'v1' (at version of each entry)"),
        ({"models": [entry(7)]}, {}, "source-shape", "names no version"),
        ({"models": [entry(), entry()]}, {}, "source-version-twice", NEW),
        ({"models": [entry(requests=None)]}, {}, "source-shape", f"requests: {NEW} has nothing at requests"),
        ({"models": [entry()]}, {"slow": "slow"}, "source-shape", "nothing at slow"),
        ({"models": [entry(errors="1")]}, {}, "source-number", f"errors: {NEW} has '1', which is no number"),
        ({"models": [entry(errors=True)]}, {}, "source-number", "which is no number"),
        ({"models": [entry(errors=-1)]}, {}, "source-number", "has -1"),
        ({"models": [entry(errors=0.5)]}, {}, "source-number", "not whole"),
        ({"models": [entry(requests=10**16)]}, {}, "source-number", "no count of answers"),
        ({"models": [entry(errors=11)]}, {}, "source-inconsistent", "requests 10, errors 11"),
        ({"models": [entry()]}, {"versions": "models["}, "source-shape", "`models[` can't be looked up"),
        ({"models": [entry()]}, {"requests": "abs(version)"}, "source-shape", "can't be looked up"),
    ],
)
def test_what_is_no_total_by_version_is_refused_by_name(  # noqa: PLR0917 - fixtures beside the cases
    told: Told, session: Session, clock: Clock, document: Any, fields: dict[str, str], code: str, says: str
) -> None:
    told.json(document)
    with pytest.raises(CannotJudge) as refusal:
        http.read(source(told.url, **fields), session, clock, [NEW, OLD])
    (found,) = refusal.value.findings
    assert found.code == code
    assert says in found.message
    assert found.message.startswith(f"the totals at {told.url}/stats")


def test_an_error_status_is_no_total(told: Told, session: Session, clock: Clock) -> None:
    told.json({"models": [entry()]}, status=500)
    with pytest.raises(CannotJudge, match="source-status"):
        http.read(source(told.url), session, clock, [NEW])
