"""The judgement on facts alone: each code on its own, and the good case without any."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.findings import finding
from release_gate.gates.transform_facts import (
    Agreement,
    Changed,
    Disagreement,
    Example,
    Failure,
    FileCoverage,
    Part,
    Raised,
    Retyped,
    TestRun,
    Unloadable,
)
from release_gate.gates.transform_tests import absent, judge, spans
from release_gate.verdict import Outcome, Severity, Subject, Table, Verdict

COVERED = FileCoverage(file="features.py", percent=100.0, statements=10, branches=4)
TESTS = TestRun(command="python -m pytest tests", status=0, seconds=2, passed=9, coverage=(COVERED,))
AGREED = Agreement(rows=200, columns=14, files=("features.py",), modes=("alone", "together"))


def verdict(
    tests: dict[str, Any] | None = None,
    agreement: dict[str, Any] | None = None,
    floor: float = 0.9,
    parts: Sequence[Part] = (),
) -> Verdict:
    return judge(
        TESTS.model_copy(update=tests or {}),
        AGREED.model_copy(update=agreement or {}),
        model="m",
        floor=floor,
        data="rows.parquet",
        subjects=[Subject(kind="code", name="features.py", identity="sha256:0")],
        started=datetime.now(UTC),
        parts=parts,
    )


def differing(count: int) -> tuple[Disagreement, ...]:
    example = Example(row=7, training=58.5, serving=None)
    return tuple(Disagreement(column=f"c{number}", count=9, examples=(example,)) for number in range(count))


def test_good_facts_pass_with_their_tables_and_subjects() -> None:
    found = verdict()
    assert found.outcome is Outcome.PASS
    assert found.findings == []
    assert [table.title for table in found.tables] == [
        "Feature tests",
        "Coverage of the transforms",
        "Training and serving agree",
    ]
    assert found.tables[-1].rows == [[200, 14, "row by row, in one request"]]
    assert found.subjects[0].identity == "sha256:0"
    assert Verdict.parse(found.to_json()) == found


@pytest.mark.parametrize(
    ("tests", "code"),
    [
        ({"tools_missing": ("coverage",), "reported": False}, "test-tools-missing"),
        ({"timed_out": True, "status": -9, "reported": False}, "tests-timed-out"),
        ({"flooded": True, "status": -9, "reported": False}, "tests-crashed"),
        ({"status": 1, "failed": 1, "failures": (Failure(test="t", message="no"),)}, "tests-failed"),
        ({"status": 2, "errors": 1, "failures": (Failure(test="t", message="no"),)}, "tests-failed"),
        # A report that names failures is believed even if the exit status was bent to 0.
        ({"status": 0, "failed": 1, "failures": (Failure(test="t", message="no"),)}, "tests-failed"),
        ({"status": 1}, "tests-crashed"),
        ({"status": 2}, "tests-crashed"),
        ({"status": 3}, "tests-crashed"),
        ({"status": 4, "reported": False, "passed": 0}, "tests-crashed"),
        ({"status": 0, "reported": False, "passed": 0}, "tests-crashed"),
        ({"status": 5}, "tests-crashed"),
        ({"status": 5, "passed": 0}, "tests-none-collected"),
        ({"status": 0, "passed": 0}, "tests-none-collected"),
        ({"passed": 0, "skipped": 3}, "tests-only-skipped"),
        ({"passed": 0, "expected_failures": 3}, "tests-only-skipped"),
        ({"coverage": None}, "coverage-too-low"),
        ({"coverage": (COVERED.model_copy(update={"percent": 89.99}),)}, "coverage-too-low"),
        ({"coverage": (COVERED.model_copy(update={"percent": 0.0, "statements": 0}),)}, "coverage-too-low"),
    ],
)
def test_tests_that_prove_too_little_fail(tests: dict[str, Any], code: str) -> None:
    found = verdict(tests)
    assert found.outcome is Outcome.FAIL
    assert [one.code for one in found.findings] == [code]


@pytest.mark.parametrize(
    ("agreement", "code"),
    [
        ({"disagreements": differing(1), "disagreeing_columns": 1}, "transforms-disagree"),
        ({"only_training": ("a",)}, "transforms-disagree"),
        ({"only_serving": ("a",), "columns": 0}, "transforms-disagree"),
        (
            {"raised": (Raised(side="serving", rows=1, row=3, error="KeyError: 'x'", file="f.py", line=2),)},
            "transform-raised",
        ),
        (
            {"raised": (Raised(side="training", rows=200, row=None, error="KeyError", file=None, line=None),)},
            "transform-raised",
        ),
        (
            {"changed": (Changed(side="training", rows=1, row=None, given=200, returned=150),)},
            "transform-rows-changed",
        ),
        ({"changed": (Changed(side="serving", rows=4, row=9, given=1, returned=0),)}, "transform-rows-changed"),
        ({"missing": (Unloadable(reference="a:b", error="no", file=None, line=None),), "rows": 0}, "transform-missing"),
        ({"failed": "ended with status -11", "rows": 0, "columns": 0}, "agreement-unproven"),
        ({"rows": 0, "columns": 0}, "agreement-unproven"),
        ({"columns": 0}, "agreement-unproven"),
    ],
)
def test_sides_that_are_not_proven_equal_fail(agreement: dict[str, Any], code: str) -> None:
    found = verdict(agreement=agreement)
    assert found.outcome is Outcome.FAIL
    assert [one.code for one in found.findings] == [code]


def test_another_order_of_columns_is_a_warning() -> None:
    found = verdict(agreement={"reordered": True})
    assert [(one.code, one.severity) for one in found.findings] == [("transforms-order", Severity.WARNING)]
    assert found.outcome is Outcome.PASS


def test_a_disagreement_names_column_count_row_and_both_values() -> None:
    (one,) = verdict(agreement={"disagreements": differing(1), "disagreeing_columns": 1}).findings
    assert one.where.column == "c0"
    assert one.message == (
        "column 'c0' differs on 9 of 200 rows when serving is asked row by row; "
        "row 7 of rows.parquet: training 58.5, serving null"
    )
    assert one.evidence == {"count": 9, "rows": 200, "asked": ["alone"]}
    everywhere = differing(1)[0].model_copy(update={"modes": ("alone", "together")})
    (one,) = verdict(agreement={"disagreements": (everywhere,), "disagreeing_columns": 1}).findings
    assert one.message == "column 'c0' differs on 9 of 200 rows; row 7 of rows.parquet: training 58.5, serving null"


def test_another_kind_of_values_is_a_warning_of_its_own_or_the_cause_of_a_difference() -> None:
    retyped = (Retyped(column="c0", training="number", serving="text"),)
    (one,) = verdict(agreement={"retyped": retyped}).findings
    assert (one.code, one.severity, one.where.column) == ("transforms-types", Severity.WARNING, "c0")
    (one,) = verdict(agreement={"retyped": retyped, "disagreements": differing(1)}).findings
    assert one.code == "transforms-disagree"
    assert one.message.endswith("; training makes number, serving text")


def test_a_tolerance_for_no_column_fails_since_it_may_be_misspelt() -> None:
    found = verdict(agreement={"unused": ("ration",)})
    assert [(one.code, found.outcome) for one in found.findings] == [("tolerance-unused", Outcome.FAIL)]


def test_serving_asked_for_one_row_only_is_said() -> None:
    found = verdict(agreement={"modes": ("alone",)})
    assert ([one.code for one in found.findings], found.outcome) == (["serving-one-row"], Outcome.PASS)
    raised = Raised(side="serving", rows=1, row=3, error="KeyError: 'x'", file="f.py", line=2, mode="together")
    (one,) = verdict(agreement={"modes": ("alone",), "raised": (raised,)}).findings
    assert one.message.startswith("the serving transform raised on 1 of 200 rows, asked in one request, first on row 3")


def test_one_answer_to_a_request_of_many_rows_names_the_declaration_that_allows_it() -> None:
    changed = Changed(side="serving", rows=200, row=0, given=200, returned=1, mode="together")
    (one,) = verdict(agreement={"changed": (changed,)}).findings
    assert one.message == "the serving transform was given 200 rows and returned 1, asked in one request"
    assert "serving_rows: one" in one.remedy


def test_what_the_other_checks_found_stands_in_the_verdict() -> None:
    note = finding("features-rows-unjudged", "not judged")
    table = Table(title="Features", columns=["x"], rows=[[1]])
    judged = Subject(kind="contract", name="features.yml", identity="sha256:1")
    found = verdict(parts=[Part((note,), (table,), (judged,)), Part((finding("features-unproven", "no"),))])
    assert [one.code for one in found.findings] == ["features-rows-unjudged", "features-unproven"]
    assert (found.outcome, found.tables[-1], found.subjects[-1]) == (Outcome.FAIL, table, judged)


def test_no_table_is_shown_without_rows_in_it() -> None:
    for agreement in ({"reordered": True}, {"only_serving": ("x",)}, {"failed": "no", "rows": 9}):
        titles = [table.title for table in verdict(agreement=agreement).tables]
        assert titles == ["Feature tests", "Coverage of the transforms"]
    differ = verdict(agreement={"disagreements": differing(1), "disagreeing_columns": 1})
    assert [table.title for table in differ.tables][2:] == ["Training and serving on 200 rows: 14 columns compared"]
    assert all(table.rows for table in differ.tables)


def test_a_function_named_for_both_sides_is_missing_once() -> None:
    one = Unloadable(reference="a:b", error="no", file=None, line=None)
    assert len(verdict(agreement={"missing": (one, one), "rows": 0}).findings) == 1
    two = one.model_copy(update={"reference": "a:c"})
    assert len(verdict(agreement={"missing": (one, two), "rows": 0}).findings) == 2


def test_many_differing_columns_are_counted_beyond_the_first() -> None:
    found = verdict(agreement={"disagreements": differing(30), "disagreeing_columns": 300, "only_serving": ("x",) * 12})
    assert len(found.findings) == 12
    assert found.findings[-1].message.startswith("290 more columns differ")
    assert found.findings[0].message.endswith("x and 2 more")
    assert len(found.tables[-1].rows) == 30


def test_many_failures_are_counted_beyond_the_first() -> None:
    failures = tuple(Failure(test=f"t{number}", message="no") for number in range(60))
    found = verdict({"status": 1, "failed": 80, "failures": failures})
    assert len(found.findings) == 26
    assert "55 more tests failed" in found.findings[-1].message


def test_every_failure_is_collected_at_once() -> None:
    tests = {"status": 1, "failed": 1, "failures": (Failure(test="t", message="no"),)}
    low = {"coverage": (COVERED.model_copy(update={"percent": 10.0, "missing_lines": (3, 4, 9)}),)}
    found = verdict({**tests, **low}, {"disagreements": differing(1), "disagreeing_columns": 1})
    assert [one.code for one in found.findings] == ["tests-failed", "transforms-disagree", "coverage-too-low"]
    assert found.findings[-1].where.line == 3
    assert "3-4, 9" in found.findings[-1].message


def test_the_covered_share_is_never_rounded_up_to_the_floor() -> None:
    (one,) = verdict({"coverage": (COVERED.model_copy(update={"percent": 89.996}),)}).findings
    assert one.message.startswith("89.996")


def test_branches_never_taken_are_named_unless_their_line_is() -> None:
    gaps = {"percent": 50.0, "missing_lines": (5,), "missing_branches": ((2, 4), (5, 6), (7, -1))}
    (one,) = verdict({"coverage": (COVERED.model_copy(update=gaps),)}).findings
    assert "not run: lines 5; branches never taken: 2 → 4, 7 → exit" in one.message


def test_coverage_is_not_asked_of_tests_that_did_not_run() -> None:
    assert [one.code for one in verdict({"passed": 0, "skipped": 1, "coverage": None}).findings] == [
        "tests-only-skipped"
    ]


def test_a_transform_that_can_not_be_loaded_is_no_reason_to_speak_of_coverage() -> None:
    missing = (Unloadable(reference="a:b", error="no", file="f.py", line=1),)
    found = verdict({"coverage": None}, {"missing": missing, "files": (), "rows": 0})
    assert [one.code for one in found.findings] == ["transform-missing"]


def test_no_declared_transforms_is_a_note() -> None:
    assert (absent("m").code, absent("m").severity) == ("transforms-absent", Severity.NOTE)


@given(st.sets(st.integers(1, 300), max_size=50))
def test_spans_read_back_as_the_lines(lines: set[int]) -> None:
    text = spans(lines)
    shown = text.split(" and ", maxsplit=1)[0]
    back = set[int]()
    for part in filter(None, shown.split(", ")):
        first, _, last = part.partition("-")
        back.update(range(int(first), int(last or first) + 1))
    assert back == lines if " and " not in text else back < lines
