from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.contracts.contract import Bounds, Kind, Measure, Metric, Rule, RuleKind
from release_gate.contracts.standards.operators import OPERATORS, bounds, none_allowed
from release_gate.contracts.standards.quality import Around, Quality
from release_gate.documents import Document
from release_gate.verdict import Severity

LISTED = {"validValues": ["x", None, "y"]}


def read(entry: dict[str, Any], column: str | None = "a", kind: Kind = Kind.STRING) -> Quality:
    around = Around(("rides",), {"a": "a", "b": "B"}, column, kind)
    return Quality(Document("c.yml", {}), around).read([entry], ("quality",))


def measure(entry: dict[str, Any], column: str | None = "a") -> Measure:
    found = read(entry, column)
    assert (found.findings, found.faults, found.rules) == ([], [], [])
    (one,) = found.measures
    return one


def fault(entry: dict[str, Any], column: str | None = "a") -> tuple[str, str]:
    found = read(entry, column)
    assert (found.measures, found.rules, found.required, found.unique) == ([], [], False, False)
    (one,) = found.faults
    return one.code, one.message


@pytest.mark.parametrize(
    ("bound", "least", "most"),
    [
        ({"mustBe": 5}, 5, 5),
        ({"mustBeGreaterThan": 5}, 6, None),
        ({"mustBeGreaterOrEqualTo": 5}, 5, None),
        ({"mustBeLessThan": 5}, None, 4),
        ({"mustBeLessOrEqualTo": 5}, None, 5),
        ({"mustBeBetween": [5, 9]}, 5, 9),
    ],
)
def test_every_bound_of_the_row_count_is_read(bound: dict[str, Any], least: int | None, most: int | None) -> None:
    found = read({"metric": "rowCount", "unit": "rows", **bound}, None)
    assert (found.rows_least, found.rows_most, found.findings, found.measures) == (least, most, [], [])


def test_a_row_count_that_two_ends_cannot_say_is_measured() -> None:
    assert measure({"metric": "rowCount", "mustNotBe": 5}, None).bounds == Bounds(5, 5, outside=True)
    assert measure({"metric": "rowCount", "mustNotBeBetween": [5, 9]}, None).metric is Metric.ROWS
    assert measure({"metric": "rowCount", "mustBe": 5, "severity": "warning"}, None).warns


def test_of_two_bounds_the_stricter_holds() -> None:
    entries = [{"metric": "rowCount", "mustBeGreaterThan": 5}, {"metric": "rowCount", "mustBeBetween": [2, 9]}]
    found = Quality(Document("c.yml", {})).read(entries, ("quality",))
    assert (found.rows_least, found.rows_most) == (6, 9)


ZERO: list[dict[str, Any]] = [
    {"mustBe": 0},
    {"mustBeLessThan": 1},
    {"mustBeLessOrEqualTo": 0},
    {"mustBeLessThan": 0.5},
    {"mustBe": 0, "unit": "percent"},
    {"mustBeLessOrEqualTo": 0, "unit": "percent"},
    {"mustBeBetween": [0, 0]},
]


@pytest.mark.parametrize("zero", ZERO)
def test_no_wrong_row_at_all_is_a_rule_so_that_the_columns_policy_applies(zero: dict[str, Any]) -> None:
    assert read({"metric": "duplicateValues", **zero}).unique
    assert read({"metric": "nullValues", **zero}).required
    pattern = read({"metric": "invalidValues", "arguments": {"pattern": "^a"}, **zero})
    assert pattern.rules == [Rule(RuleKind.PATTERN, "^a")]
    assert pattern.measures == []


def test_less_than_one_percent_leaves_room_for_some() -> None:
    found = measure({"metric": "invalidValues", "arguments": LISTED, "mustBeLessThan": 1, "unit": "percent"})
    assert (found.bounds, found.share) == (Bounds(most=1, most_excluded=True), True)
    assert found.rules == (Rule(RuleKind.ONE_OF, ("x", "y")),)


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("unit", ["rows", "percent"])
@pytest.mark.parametrize(
    ("metric", "arguments", "kind"),
    [
        ("nullValues", {}, Metric.NULLS),
        ("missingValues", {"missingValues": [None, "N/A"]}, Metric.MISSING),
        ("invalidValues", LISTED, Metric.INVALID),
        ("duplicateValues", {}, Metric.DUPLICATES),
    ],
)
def test_every_metric_of_the_library_takes_every_operator(
    operator: str, unit: str, metric: str, arguments: dict[str, Any], kind: Metric
) -> None:
    value: Any = [5, 9] if operator.endswith("Between") else 5
    found = measure({"metric": metric, "arguments": arguments, operator: value, "unit": unit, "name": "mine"})
    assert (found.metric, found.share, found.columns, found.name) == (kind, unit == "percent", ("a",), "mine")
    holds = {rows for rows in (0, 4, 5, 6, 9, 10) if found.bounds.hold(rows)}
    assert (
        holds
        == {
            "mustBe": {5},
            "mustNotBe": {0, 4, 6, 9, 10},
            "mustBeGreaterThan": {6, 9, 10},
            "mustBeGreaterOrEqualTo": {5, 6, 9, 10},
            "mustBeLessThan": {0, 4},
            "mustBeLessOrEqualTo": {0, 4, 5},
            "mustBeBetween": {5, 6, 9},
            "mustNotBeBetween": {0, 4, 10},
        }[operator]
    )


def test_the_names_of_version_3_0_are_read() -> None:
    assert read({"rule": "duplicateValues", "mustBe": 0}).unique
    assert measure({"rule": "duplicateCount", "mustBeLessThan": 10}).metric is Metric.DUPLICATES
    assert read({"rule": "nullCheck"}).required
    assert read({"rule": "validValues", "validValues": ["x"]}).rules == [Rule(RuleKind.ONE_OF, ("x",))]
    ends = [{"property": "min", "value": 0}, {"property": "max", "value": 500}]
    between = read({"rule": "between", "customProperties": ends}, kind=Kind.NUMBER)
    assert between.rules == [Rule(RuleKind.AT_LEAST, 0), Rule(RuleKind.AT_MOST, 500)]
    least = read({"rule": "minCheck", "customProperties": ends[:1], "severity": "warning"}, kind=Kind.NUMBER)
    assert least.rules == [Rule(RuleKind.AT_LEAST, 0, warns=True)]


def test_missing_values_are_a_set_of_values_that_must_not_be() -> None:
    found = read({"metric": "missingValues", "arguments": {"missingValues": [None, "", "N/A"]}, "mustBe": 0})
    assert found.rules == [Rule(RuleKind.NONE_OF, ("", "N/A"))]
    assert found.required
    some = measure({"metric": "missingValues", "arguments": {"missingValues": [None, ""]}, "mustBeLessThan": 9})
    assert some.values == (None, "")


def test_what_a_column_cannot_hold_is_not_looked_for() -> None:
    entry = {"metric": "missingValues", "arguments": {"missingValues": [None, "N/A", -999]}, "mustBe": 0}
    assert read(entry, kind=Kind.INTEGER).rules == [Rule(RuleKind.NONE_OF, (-999,))]
    assert read({**entry, "mustBe": 5}, kind=Kind.INTEGER).measures[0].values == (None, -999)


@pytest.mark.parametrize("kind", [Kind.INTEGER, Kind.NUMBER])
@pytest.mark.parametrize("word", ["", "NA", "N/A", "NaN", "nan", "NULL", "null", float("nan")])
def test_a_word_that_files_write_for_no_number_is_a_null(kind: Kind, word: object) -> None:
    entry = {"metric": "missingValues", "arguments": {"missingValues": [word, -1]}}
    found = read({**entry, "mustBe": 0}, kind=kind)
    assert (found.required, found.rules) == (True, [Rule(RuleKind.NONE_OF, (-1,))])
    assert read({**entry, "mustBeLessThan": 1, "severity": "warning"}, kind=kind).measures[0].values == (None, -1)


def test_an_empty_cell_is_a_null_of_every_type_but_text() -> None:
    entry = {"metric": "missingValues", "arguments": {"missingValues": ["", "N/A"]}, "mustBe": 5}
    assert read(entry, kind=Kind.DATE).measures[0].values == (None,)
    assert read(entry, kind=Kind.STRING).measures[0].values == ("", "N/A")


@pytest.mark.parametrize(
    ("values", "kind", "cause"),
    [
        (["n/a", "-"], Kind.INTEGER, "'n/a', '-'"),
        (["N/A"], Kind.DATE, "'N/A'"),
        ([-999], Kind.STRING, "-999"),
        ([], Kind.STRING, "no value"),
    ],
)
@pytest.mark.parametrize("bound", [{"mustBe": 0}, {"mustBeLessThan": 5}])
def test_missing_values_of_which_a_column_can_hold_none_are_refused(
    values: list[object], kind: Kind, cause: str, bound: dict[str, Any]
) -> None:
    found = read({"metric": "missingValues", "arguments": {"missingValues": values}, **bound}, kind=kind)
    assert (found.rules, found.measures, found.required) == ([], [], False)
    (one,) = found.faults
    assert (one.code, cause in one.message) == ("contract-invalid", True)


def test_a_column_may_name_itself_among_what_must_not_repeat_and_no_other() -> None:
    entry: dict[str, Any] = {"metric": "duplicateValues", "mustBe": 0}
    assert read({**entry, "arguments": {"properties": ["b"]}}, "B").unique


def test_columns_that_are_unique_together_are_a_rule_of_the_table() -> None:
    entry: dict[str, Any] = {"metric": "duplicateValues", "arguments": {"properties": ["a", "b"]}}
    assert read({**entry, "mustBe": 0}, None).unique_together == [("a", "B")]
    assert measure({**entry, "mustBeLessThan": 10}, None).columns == ("a", "B")


@pytest.mark.parametrize("severity", ["warning", "info", "Warn"])
def test_a_mild_rule_is_told_and_blocks_nothing(severity: str) -> None:
    mild = {"mustBe": 0, "severity": severity}
    assert measure({"metric": "nullValues", **mild}).warns
    assert measure({"metric": "duplicateValues", **mild}).warns
    found = read({"metric": "invalidValues", "arguments": LISTED, **mild})
    assert found.rules == [Rule(RuleKind.ONE_OF, ("x", "y"), warns=True)]
    assert not measure({"metric": "nullValues", "mustBeLessThan": 5, "severity": "error"}).warns


def test_a_query_is_a_measure_of_its_table_and_column() -> None:
    entry = {"type": "sql", "query": "SELECT COUNT(*) FROM ${object} WHERE ${property} > 3", "mustBeLessThan": 3600}
    found = measure({**entry, "unit": "EUR"})
    assert found.metric is Metric.QUERY
    assert found.query == "SELECT COUNT(*) FROM {table} WHERE {column} > 3"
    assert (found.columns, found.bounds) == (("a",), Bounds(most=3600, most_excluded=True))
    assert measure({"type": "sql", "query": "select true from rides", "mustBe": True}).bounds == Bounds(1, 1)


def test_prose_is_no_rule() -> None:
    found = read({"type": "text", "description": "be nice"})
    assert (found.rules, found.findings, found.faults) == ([], [], [])


@pytest.mark.parametrize(
    ("entry", "column", "named"),
    [
        ({"type": "custom", "engine": "soda", "implementation": "x"}, "a", "soda"),
        ({"metric": "freshness", "mustBe": 0}, "a", "`freshness`"),
        ({"rule": "countCheck"}, None, "`countCheck`"),
        ({"metric": "nullValues", "mustBeLessThan": 5, "unit": "per mille"}, "a", "`per mille`"),
        ({"metric": "rowCount", "mustBeLessThan": 5, "unit": "percent"}, None, "`percent`"),
    ],
)
def test_what_cannot_be_judged_is_refused_by_name(entry: dict[str, Any], column: str | None, named: str) -> None:
    found = read(entry, column)
    (one,) = found.findings
    assert (one.code, one.severity) == ("contract-rule-unjudged", Severity.ERROR)
    assert named in one.message
    assert (found.rules, found.measures, found.faults) == ([], [], [])
    (mild,) = read({**entry, "severity": "warning"}, column).findings
    assert mild.severity is Severity.WARNING


@pytest.mark.parametrize(
    ("entry", "column", "cause"),
    [
        ({"type": "library", "mustBe": 0}, "a", "needs a `metric`"),
        ({"type": "libary", "metric": "nullValues", "mustBe": 0}, "a", "unknown type 'libary'"),
        ({"metric": "nullValues"}, "a", "exactly one operator, and it has none"),
        ({"metric": "nullValues", "mustBe": 0, "mustBeLessThan": 3}, "a", "it has mustBe, mustBeLessThan"),
        ({"metric": "nullValues", "mustBe": "none"}, "a", "takes a number"),
        ({"metric": "nullValues", "mustBeLessThan": 0}, "a", "no count is below 0"),
        ({"metric": "nullValues", "mustBe": -1}, "a", "no count is below 0"),
        ({"metric": "nullValues", "mustBe": 1.5}, "a", "whole numbers"),
        ({"metric": "nullValues", "mustBeLessThan": 101, "unit": "percent"}, "a", "above 100 percent"),
        ({"metric": "nullValues", "mustBeBetween": [9, 5]}, "a", "larger number first"),
        ({"metric": "nullValues", "mustBeBetween": [9]}, "a", "takes two numbers"),
        ({"metric": "nullValues", "mustBe": 0}, None, "belongs to a column"),
        ({"metric": "rowCount", "mustBe": 5}, "a", "belongs to the table"),
        ({"metric": "invalidValues", "mustBe": 0}, "a", "needs the argument"),
        ({"metric": "invalidValues", "arguments": {"validValues": "x"}, "mustBe": 0}, "a", "must be a list"),
        ({"metric": "invalidValues", "arguments": {"pattern": 3}, "mustBe": 0}, "a", "must be text"),
        ({"metric": "invalidValues", "arguments": {"pattern": "(?=a)"}, "mustBe": 0}, "a", "RE2"),
        ({"metric": "missingValues", "mustBe": 0}, "a", "needs the argument"),
        ({"metric": "duplicateValues", "mustBe": 0}, None, "needs the argument `properties`"),
        ({"metric": "duplicateValues", "arguments": {"properties": ["z"]}, "mustBe": 0}, None, "'z'"),
        ({"metric": "duplicateValues", "arguments": {"properties": ["b"]}, "mustBe": 0}, "a", "names B beside"),
        ({"metric": "duplicateValues", "arguments": {"properties": ["a", "b"]}, "mustBe": 0}, "a", "names B beside"),
        ({"metric": "duplicateValues", "arguments": {"properties": []}, "mustBe": 0}, "a", "a list of columns"),
        ({"type": "text", "metric": "nullValues", "mustBe": 0}, "a", "`metric`, `mustBe`"),
        ({"type": "text", "rule": "nullCheck"}, "a", "`rule`"),
        ({"type": "text", "mustBeBetween": [1, 2]}, None, "`mustBeBetween`"),
        ({"type": "text", "query": "select 1"}, None, "`query`"),
        ({"type": "sql", "mustBe": 0}, "a", "needs its `query`"),
        ({"rule": "minCheck"}, "a", "`min`"),
    ],
)
def test_a_rule_that_means_nothing_is_refused(entry: dict[str, Any], column: str | None, cause: str) -> None:
    code, message = fault(entry, column)
    assert code == "contract-invalid"
    assert cause in message


def test_an_argument_that_a_metric_does_not_have_is_refused() -> None:
    entry = {"metric": "invalidValues", "arguments": {"validValue": ["x"], "pattern": "x"}, "mustBe": 0}
    (one,) = read(entry).faults
    assert one.code == "contract-unknown-key"
    assert "validValues" in one.message


def test_a_query_that_does_more_than_read_is_refused() -> None:
    assert fault({"type": "sql", "query": "drop table rides", "mustBe": 0})[0] == "contract-query-refused"


@given(st.sampled_from(OPERATORS), st.integers(0, 200), st.integers(0, 200), st.booleans())
def test_bounds_that_allow_no_row_allow_none_and_the_others_some(
    operator: str, one: int, other: int, share: bool
) -> None:
    value: Any = sorted((one, other)) if operator.endswith("Between") else one
    try:
        read_bounds = bounds({operator: value}, share=share)
    except ValueError:
        assert share or operator == "mustBeLessThan"
        return
    possible = [step / 100 for step in range(10001)] if share else list(range(500))
    kept = [number for number in possible if read_bounds.hold(number)]
    assert none_allowed(read_bounds, share=share) is (kept == [0])
