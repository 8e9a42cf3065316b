"""The currency between rooms: written once, read back with suspicion."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.codes import CODES
from release_gate.findings import finding
from release_gate.verdict import MAXIMUM_BYTES, Outcome, Severity, Verdict, VerdictUnreadable, Where, concluded

STARTED = datetime(2026, 1, 1, tzinfo=UTC)


def a_verdict(**changes: object) -> Verdict:
    fields = {"gate": "schema-check", "model": "m", "outcome": "pass", "started": STARTED, **changes}
    return Verdict.model_validate(fields)


@given(
    message=st.text(max_size=200),
    code=st.sampled_from(sorted(CODES)),
    outcome=st.sampled_from(list(Outcome)),
    evidence=st.dictionaries(
        st.text(min_size=1, max_size=20),
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    ),
)
def test_a_verdict_survives_the_way_through_json(
    message: str, code: str, outcome: Outcome, evidence: dict[str, str]
) -> None:
    try:
        (message + "".join(map(str, evidence.items()))).encode()
    except UnicodeEncodeError:
        return  # lone surrogates are no text
    verdict = a_verdict(outcome=outcome, findings=[finding(code, message, evidence=evidence)])
    assert Verdict.parse(verdict.to_json()) == verdict


def test_numbers_without_an_end_survive_json() -> None:
    table = {"title": "t", "columns": ["c"], "rows": [[float("inf")], [1.5], [None]]}
    text = a_verdict(tables=[table]).to_json()
    assert json.loads(text)["tables"][0]["rows"][0] == ["Infinity"]
    assert len(Verdict.parse(text).tables[0].rows) == 3


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"{", "verdict-broken"),
        (b"[]", "verdict-broken"),
        (b"{}", "verdict-broken"),
        (b"[" * 100_000, "verdict-broken"),
        (b'{"schema": 2}', "verdict-newer"),
        (b" " * (MAXIMUM_BYTES + 1), "verdict-too-large"),
        (a_verdict().to_json().replace(b'"pass"', b'"passed"'), "verdict-broken"),
        (a_verdict().to_json().replace(b'"m"', b'"m", "more": 1'), "verdict-broken"),
        (a_verdict().to_json().replace(b'"schema-check"', b'"../../etc"'), "verdict-broken"),
        (a_verdict().to_json().replace(b'"schema": 1', b'"schema": true'), "verdict-broken"),
    ],
)
def test_what_is_no_verdict_is_refused_with_its_reason(text: bytes, code: str) -> None:
    with pytest.raises(VerdictUnreadable) as refusal:
        Verdict.parse(text)
    assert refusal.value.code == code
    assert refusal.value.cause


@pytest.mark.parametrize(
    ("outcomes", "worst"),
    [
        ([], Outcome.ERROR),
        ([Outcome.PASS, Outcome.SKIPPED], Outcome.PASS),
        ([Outcome.PASS, Outcome.INCONCLUSIVE], Outcome.INCONCLUSIVE),
        ([Outcome.ERROR, Outcome.FAIL], Outcome.FAIL),
        ([Outcome.ERROR, Outcome.INCONCLUSIVE], Outcome.ERROR),
        ([Outcome.SKIPPED], Outcome.SKIPPED),
    ],
)
def test_the_worst_outcome_speaks_for_all(outcomes: list[Outcome], worst: Outcome) -> None:
    assert Outcome.worst(outcomes) is worst


def test_exit_codes_are_the_documented_ones() -> None:
    assert {outcome.value: outcome.exit_code for outcome in Outcome} == {
        "pass": 0, "fail": 1, "inconclusive": 3, "error": 4, "skipped": 0,
    }  # fmt: skip


def test_only_an_error_fails_a_gate() -> None:
    note, error = finding("config-default", "n"), finding("file-missing", "e")
    assert concluded([note]) is Outcome.PASS
    assert concluded([note, error]) is Outcome.FAIL
    assert a_verdict(findings=[note, error]).of(Severity.ERROR) == [error]


@pytest.mark.parametrize(
    ("where", "text"),
    [
        (Where(), ""),
        (Where(file="a.yml", line=3, column=7), "a.yml:3:7"),
        (Where(file="a.yml"), "a.yml"),
        (Where(table="flights", column="dest"), "flights, column dest"),
        (Where(metric="roc_auc", slice="origin=JFK"), "metric roc_auc, slice origin=JFK"),
    ],
)
def test_a_place_reads_as_people_write_it(where: Where, text: str) -> None:
    assert str(where) == text
