"""Verdicts together: what is missing, forged or about something else never passes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.config import ModelConfig
from release_gate.findings import finding
from release_gate.gates.overall import MAY_SPEAK, ORDER, Handed, Overall, judge, required
from release_gate.verdict import Outcome, Subject, Verdict
from tests.report import cases
from tests.report.cases import NEEDED, verdict


def handed(*verdicts: Verdict, source: str | None = None) -> list[Handed]:
    return [Handed(f"flight-delay/verdicts/{one.gate}.json", one.gate, one.to_json(), source) for one in verdicts]


def all_pass() -> list[Verdict]:
    return [verdict(gate) for gate in ORDER]


def codes(overall: Overall) -> list[str]:
    return [one.code for one in overall.findings]


def test_all_pass() -> None:
    overall = judge("flight-delay", NEEDED, handed(*reversed(all_pass())))
    assert overall.outcome is Outcome.PASS
    assert [one.gate for one in overall.verdicts] == list(ORDER)
    assert not overall.findings
    assert not overall.errors


@pytest.mark.parametrize("gate", ORDER)
def test_a_missing_verdict_blocks(gate: str) -> None:
    overall = judge("flight-delay", NEEDED, handed(*(one for one in all_pass() if one.gate != gate)))
    assert overall.outcome is Outcome.ERROR
    assert overall.missing == (gate,)
    assert codes(overall) == ["verdict-missing"]


def test_nothing_at_all_is_no_pass() -> None:
    assert judge("flight-delay", NEEDED, []).outcome is Outcome.ERROR
    assert judge("flight-delay", {}, []).outcome is Outcome.ERROR
    assert judge("flight-delay", {}, handed(verdict("schema-check", "skipped"))).outcome is Outcome.ERROR


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"{", "verdict-broken"),
        (b"[]", "verdict-broken"),
        (b'{"schema": 2}', "verdict-newer"),
        (b" " * 5_000_000, "verdict-too-large"),
        (b"[" * 100_000, "verdict-broken"),
    ],
)
def test_a_verdict_that_can_not_be_read_blocks_and_is_told_once(content: bytes, code: str) -> None:
    rest = [one for one in all_pass() if one.gate != "schema-check"]
    overall = judge("flight-delay", NEEDED, [*handed(*rest), Handed("f", "schema-check", content)])
    assert overall.outcome is Outcome.ERROR
    assert codes(overall) == [code]


def test_each_job_may_speak_for_the_gates_that_run_there() -> None:
    given_by = {
        source: handed(*(verdict(gate) for gate in gates), source=source) for source, gates in MAY_SPEAK.items()
    }
    assert judge("flight-delay", NEEDED, [*given_by["build"], *given_by["judge"]]).outcome is Outcome.PASS


@pytest.mark.parametrize("gate", sorted(MAY_SPEAK["judge"]))
def test_the_job_that_ran_the_caller_s_code_can_not_forge_the_judge_s_verdict(gate: str) -> None:
    built = handed(*(verdict(one) for one in MAY_SPEAK["build"]), source="build")
    judged = handed(*(verdict(one) for one in MAY_SPEAK["judge"] if one != gate), source="judge")
    overall = judge("flight-delay", NEEDED, [*built, *judged, *handed(verdict(gate), source="build")])
    assert overall.outcome is Outcome.ERROR
    assert codes(overall) == ["verdict-not-allowed"]


def test_a_forged_verdict_beside_the_real_one_blocks_too() -> None:
    real = handed(*(verdict(one) for one in MAY_SPEAK["build"]), source="build")
    judged = (verdict("schema-check"), verdict("threshold-comparison", "fail"), verdict("rollback-readiness"))
    real += handed(*judged, source="judge")
    overall = judge("flight-delay", NEEDED, [*handed(verdict("threshold-comparison"), source="build"), *real])
    assert overall.outcome is Outcome.FAIL
    assert codes(overall) == ["verdict-not-allowed"]


def test_a_source_nobody_knows_may_speak_for_nothing() -> None:
    assert codes(judge("flight-delay", {}, handed(verdict("schema-check"), source="x"))) == ["verdict-not-allowed"]


def test_a_file_that_speaks_for_another_gate_or_model_is_refused() -> None:
    other = verdict("schema-check", model="other").to_json()
    for content in (verdict("endpoint-test").to_json(), other):
        overall = judge("flight-delay", {}, [Handed("f", "schema-check", content)])
        assert codes(overall) == ["verdict-not-allowed"]
        assert overall.outcome is Outcome.ERROR


def test_two_verdicts_of_one_gate_can_not_both_count() -> None:
    overall = judge("flight-delay", NEEDED, [*handed(*all_pass()), *handed(verdict("schema-check"))])
    assert codes(overall) == ["verdict-not-allowed"]


def test_a_pass_that_holds_errors_is_none() -> None:
    lying = verdict("schema-check", findings=[cases.found("error", "value-null", "nulls")])
    overall = judge("flight-delay", NEEDED, handed(lying, *all_pass()[1:]))
    assert codes(overall) == ["verdict-contradicts"]
    assert overall.outcome is Outcome.ERROR


@pytest.mark.parametrize("gate", ["build-candidate", "endpoint-test", "threshold-comparison"])
def test_every_gate_must_have_judged_the_package_that_was_built(gate: str) -> None:
    other = Subject(kind="package", name="flight-delay", identity="sha256:" + "00" * 32)
    for subjects in ([other], [], [other, cases.PACKAGE]):
        verdicts = [one if one.gate != gate else verdict(gate, subjects=subjects) for one in all_pass()]
        overall = judge("flight-delay", NEEDED, handed(*verdicts))
        assert overall.outcome is Outcome.ERROR
        assert set(codes(overall)) == {"verdict-subjects-disagree"}


def test_verdicts_on_other_data_of_the_same_name_disagree() -> None:
    other = cases.EVALUATION.model_copy(update={"identity": "sha256:" + "00" * 32})
    verdicts = [*all_pass()[:4], *all_pass()[5:], verdict("threshold-comparison", subjects=[cases.PACKAGE, other])]
    overall = judge("flight-delay", NEEDED, handed(*verdicts))
    assert codes(overall) == ["verdict-subjects-disagree"]
    assert "data/evaluation.parquet" in overall.findings[0].message


def test_a_gate_that_could_not_judge_need_not_name_a_package() -> None:
    verdicts = [*all_pass()[:3], verdict("endpoint-test", "error", subjects=[]), *all_pass()[4:]]
    assert not judge("flight-delay", NEEDED, handed(*verdicts)).findings


def test_a_required_gate_may_not_be_skipped_unless_its_model_lets_it() -> None:
    verdicts = [one if one.gate != "endpoint-test" else verdict(one.gate, "skipped", subjects=[]) for one in all_pass()]
    assert codes(judge("flight-delay", NEEDED, handed(*verdicts))) == ["verdict-skipped"]
    overall = judge("flight-delay", {**NEEDED, "endpoint-test": True}, handed(*verdicts))
    assert overall.outcome is Outcome.PASS


def test_what_was_found_while_gathering_blocks_too() -> None:
    known = cases.found("error", "artifact-link", "a link")
    assert judge("flight-delay", NEEDED, handed(*all_pass()), [known]).outcome is Outcome.ERROR
    note = cases.found("note", "report-unknown-model", "another")
    assert judge("flight-delay", NEEDED, handed(*all_pass()), [note]).outcome is Outcome.PASS


def test_reasons_of_failing_gates_come_before_those_that_could_not_judge() -> None:
    bad = [cases.found("error", "value-null", "nulls")]
    overall = judge(
        "flight-delay",
        NEEDED,
        handed(
            verdict("schema-check", "error", findings=bad),
            *all_pass()[1:4],
            verdict("threshold-comparison", "fail", findings=bad),
            *all_pass()[5:],
        ),
    )
    assert [gate for gate, _ in overall.errors] == ["threshold-comparison", "schema-check"]


@pytest.mark.parametrize(
    ("outcome", "together"),
    [("fail", Outcome.FAIL), ("inconclusive", Outcome.INCONCLUSIVE), ("error", Outcome.ERROR)],
)
def test_one_gate_that_does_not_pass_decides(outcome: str, together: Outcome) -> None:
    verdicts = [*all_pass()[:4], verdict("threshold-comparison", outcome), *all_pass()[5:]]
    assert judge("flight-delay", NEEDED, handed(*verdicts)).outcome is together


@given(st.lists(st.tuples(st.sampled_from(ORDER), st.sampled_from(list(Outcome))), max_size=8))
def test_it_passes_only_if_every_required_gate_passed_once(given_: list[tuple[str, Outcome]]) -> None:
    overall = judge("flight-delay", NEEDED, handed(*(verdict(gate, outcome.value) for gate, outcome in given_)))
    passed = sorted(gate for gate, outcome in given_ if outcome is Outcome.PASS)
    assert (overall.outcome is Outcome.PASS) == (passed == sorted(ORDER) and len(given_) == len(ORDER))


def model(**changes: object) -> ModelConfig:
    fields = {
        "model": "flight-delay",
        "owner": "@octo-air",
        "contracts": {"c.yml": "d.parquet"},
        "transforms": {"training": "m:f", "serving": "m:g"},
        "candidate": {"train": "t {out}", "predict": "p", "serve": "s"},
        "evaluation": {"data": "e.parquet", "key": "k", "label": "l"},
        "thresholds": [{"metric": "roc_auc", "at_least": 0.7}],
    }
    return ModelConfig.model_validate_json(json.dumps({**fields, **changes}))


def test_what_is_required_follows_from_the_model_s_configuration() -> None:
    assert required(model()) == NEEDED
    assert "transform-tests" not in required(model(transforms=None))
    assert required(model(candidate={"train": "t", "predict": "p"}))["endpoint-test"] is True


def test_one_gate_may_judge_the_policy_of_base_and_head() -> None:
    policies = [Subject(kind="policy", name="release-gate.yml", identity=f"sha256:{digit * 64}") for digit in "ab"]
    verdicts = [*all_pass()[:4], *all_pass()[5:], verdict("threshold-comparison", subjects=[cases.PACKAGE, *policies])]
    assert judge("flight-delay", NEEDED, handed(*verdicts)).outcome is Outcome.PASS


def test_what_only_follows_from_a_failed_build_is_not_told_as_a_reason() -> None:
    def with_error(gate: str, outcome: Outcome, code: str) -> Verdict:
        return verdict(gate).model_copy(update={"outcome": outcome, "findings": [finding(code, "so it is")]})

    failed = with_error("build-candidate", Outcome.FAIL, "train-failed")
    after = with_error("endpoint-test", Outcome.ERROR, "package-missing")
    assert [one.code for _, one in judge("flight-delay", {}, handed(failed, after)).errors] == ["train-failed"]
    assert [one.code for _, one in judge("flight-delay", {}, handed(after)).errors] == ["package-missing"]
