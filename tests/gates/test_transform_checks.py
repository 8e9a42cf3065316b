"""The words for what fuzz, functions and mutants came to: each code on its own, and the good case without any."""

from __future__ import annotations

from typing import Any

import pytest

from release_gate.gates import transform_functions, transform_fuzz, transform_mutation
from release_gate.gates.transform_facts import FileCoverage, FunctionCoverage, Part, TestRun
from release_gate.gates.transform_functions import Reached
from release_gate.gates.transform_fuzz import Fuzz, FuzzFailure
from release_gate.gates.transform_mutation import Mutation, Survivor
from release_gate.verdict import Severity

FUZZ = Fuzz(rows=200, columns=9, tried={"training": 200, "serving": 198})
FAILURE = FuzzFailure(side="serving", kind="raised", error="KeyError: 'ZZ'", rows=3, test="def test_it(): ...\n")
SURVIVOR = Survivor(file="features.py", line=7, function="training", before="x < 3", after="x <= 3", tests=1)


def codes(part: Part) -> list[str]:
    return [one.code for one in part.findings]


def test_a_search_that_found_nothing_is_a_table() -> None:
    part = transform_fuzz.part(FUZZ, "rows.yml")
    assert codes(part) == []
    assert part.tables[0].rows == [[200, 9, 0, 200, 198, 0]]
    assert transform_fuzz.part(None, "rows.yml") == Part()


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("raised", "fuzz-raised"),
        ("input-changed", "fuzz-input-changed"),
        ("rows-changed", "fuzz-rows-changed"),
        ("reordered", "fuzz-rows-reordered"),
        ("forbidden", "fuzz-feature-forbidden"),
    ],
)
def test_each_broken_promise_has_its_code_and_blocks(kind: str, code: str) -> None:
    failure = FAILURE.model_copy(update={"kind": kind})
    (found,) = transform_fuzz.part(FUZZ.model_copy(update={"failures": (failure,)}), "rows.yml").findings
    assert (found.code, found.severity) == (code, Severity.ERROR)


def test_a_failure_names_side_rows_contract_columns_and_place_and_shows_the_test() -> None:
    failure = FAILURE.model_copy(update={"columns": ("carrier", "temp"), "file": "features.py", "line": 9})
    (found,) = transform_fuzz.part(FUZZ.model_copy(update={"failures": (failure,)}), "rows.yml").findings
    assert found.message == (
        "the serving transform raised on 3 rows that rows.yml allows: KeyError: 'ZZ'; what matters is carrier, temp\n"
        "As a test:\n\ndef test_it(): ...\n"
    )
    assert str(found.where) == "features.py:9"


def test_a_test_that_is_too_long_is_left_out_and_that_is_said() -> None:
    failure = FAILURE.model_copy(update={"test": "x" * 100_000, "alone": False})
    (found,) = transform_fuzz.part(FUZZ.model_copy(update={"failures": (failure,)}), "rows.yml").findings
    assert found.message.endswith("too many columns to be shown as a test.")
    assert "raised on rows together" in found.message


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"failed": "no rows could be made: why"}, "no rows could be made: why"),
        ({"ended": True, "tried": {"training": 12}}, "before all 200 rows were tried (training 12)"),
        ({"rows": 0}, "no row could be made"),
    ],
)
def test_what_was_not_tried_is_a_warning(facts: dict[str, Any], said: str) -> None:
    (found,) = transform_fuzz.part(FUZZ.model_copy(update=facts), "rows.yml").findings
    assert (found.code, found.severity) == ("fuzz-unproven", Severity.WARNING)
    assert said in found.message


def test_survivors_are_warnings_with_place_original_and_change() -> None:
    part = transform_mutation.part(Mutation(places=9, covered=8, tried=5, killed=4, survived=(SURVIVOR,)))
    (found,) = part.findings
    assert (found.code, found.severity, str(found.where)) == ("mutant-survived", Severity.WARNING, "features.py:7")
    assert found.message == "no test notices that `x < 3` became `x <= 3`, though 1 test runs it"
    assert part.tables[0].rows == [[9, 8, 5, 4, 0, 1, 0]]
    assert part.tables[1].rows == [["features.py:7", "training", "x < 3", "x <= 3", 1]]


def test_many_survivors_are_named_in_the_table_only() -> None:
    part = transform_mutation.part(Mutation(tried=60, survived=(SURVIVOR,) * 60))
    assert len(part.findings) == transform_mutation.NAMED
    assert len(part.tables[1].rows) == 60


def test_changes_that_were_all_noticed_are_a_table_alone() -> None:
    part = transform_mutation.part(Mutation(places=9, covered=8, tried=5, killed=5))
    assert (codes(part), len(part.tables)) == ([], 1)
    assert transform_mutation.part(None) == Part()


def test_a_check_that_was_not_done_or_not_to_its_end_is_a_warning() -> None:
    assert codes(transform_mutation.part(Mutation(failed="why"))) == ["mutation-unproven"]
    ended = transform_mutation.part(Mutation(tried=3, killed=2, undecided=1, ended=True))
    assert codes(ended) == ["mutation-unproven"]
    assert "3 changes were begun, 1 of them without an end" in ended.findings[0].message


def covered(*functions: FunctionCoverage, **more: Any) -> TestRun:
    file = FileCoverage(file="features.py", percent=90, statements=9, branches=0, functions=functions)
    return TestRun(command="pytest", status=0, seconds=1, passed=3, coverage=(file,)).model_copy(update=more)


def functions(run: TestRun) -> Part:
    return transform_functions.part(run, ("features:training", "features:serving"))


def test_functions_are_listed_and_those_that_no_test_runs_are_told() -> None:
    part = functions(
        covered(
            FunctionCoverage(name="training", percent=0, statements=4, line=3),
            FunctionCoverage(name="helper", percent=0, statements=2, line=9),
            FunctionCoverage(name="serving", percent=50, statements=2, line=14),
            FunctionCoverage(name="stub", percent=0, statements=0),
        )
    )
    assert [(one.code, one.severity, one.where.line) for one in part.findings] == [
        ("transform-untested", Severity.ERROR, 3),
        ("function-untested", Severity.WARNING, 9),
    ]
    assert [row[1:] for row in part.tables[0].rows][2] == ["serving", 50.0, 2]


@pytest.mark.parametrize("more", [{"passed": 0}, {"timed_out": True}, {"coverage": None}])
def test_of_tests_that_did_not_pass_no_function_is_told(more: dict[str, Any]) -> None:
    untested = FunctionCoverage(name="training", percent=0, statements=4, line=3)
    assert functions(covered(untested, **more)) == Part()


def test_where_no_test_runs_any_place_nothing_is_proven() -> None:
    part = transform_mutation.part(Mutation(places=6))
    assert codes(part) == ["mutation-unproven"]
    assert "no test runs any of the 6 places" in part.findings[0].message
    assert codes(transform_mutation.part(Mutation())) == [], "nothing can be changed in the files"


def test_changes_whose_tests_fail_without_them_too_are_told_apart_from_time_that_was_up() -> None:
    part = transform_mutation.part(
        Mutation(places=6, covered=6, tried=6, killed=2, undecided=4, unsettled=4, failing="tests/test_a.py::test_b")
    )
    (found,) = part.findings
    assert found.code == "mutation-unproven"
    assert found.message == (
        "4 of 6 changes are undecided: the tests that run them fail by themselves or when run again, "
        "without any change as well, at tests/test_a.py::test_b"
    )


def test_a_transform_that_runs_only_while_files_are_loaded_is_untested_and_another_function_is_not_told() -> None:
    part = functions(
        covered(
            Reached(name="training", percent=0, statements=4, line=3, loaded=True),
            Reached(name="decorator", percent=0, statements=2, line=9, loaded=True),
            Reached(name="helper", percent=0, statements=2, line=12),
            Reached(name="serving", percent=50, statements=2, line=14),
        )
    )
    assert [(one.code, one.where.line) for one in part.findings] == [
        ("transform-untested", 3),
        ("function-untested", 12),
    ]


def test_a_transform_that_is_another_name_of_a_function_is_judged_by_it() -> None:
    part = functions(
        covered(
            Reached(name="training", percent=100, statements=4, line=3),
            Reached(name="serving", percent=0, statements=2, line=9, alias=True),
            Reached(name="other", percent=0, statements=2, line=12, alias=True),
        )
    )
    assert [(one.code, one.where.line) for one in part.findings] == [("transform-untested", 9)]
    assert [row[1] for row in part.tables[0].rows] == ["training", "serving"]


@pytest.mark.parametrize(("percent", "found"), [(0.0, ["transform-untested"]), (10.0, [])])
def test_of_a_file_that_knows_no_transform_by_name_some_function_must_run(percent: float, found: list[str]) -> None:
    hidden = (
        Reached(name="_serve", percent=percent, statements=4, line=3),
        Reached(name="_hook", percent=0, statements=4, line=9, loaded=True),
        Reached(name="_stub", percent=100, statements=0, line=12),
    )
    errors = [one.code for one in functions(covered(*hidden)).findings if one.severity is Severity.ERROR]
    assert errors == found
