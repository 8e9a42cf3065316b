from __future__ import annotations

from typing import Any

import pytest

from release_gate.contracts.contract import Rule, RuleKind
from release_gate.contracts.quality import Quality
from release_gate.documents import Document


def read(entry: dict[str, Any], column: str | None = "a") -> Quality:
    return Quality(Document("c.yml", {})).read([entry], ("quality",), column)


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
    assert (found.rows_least, found.rows_most, found.findings) == (least, most, [])


def test_of_two_bounds_the_stricter_holds() -> None:
    entries = [{"metric": "rowCount", "mustBeGreaterThan": 5}, {"metric": "rowCount", "mustBeBetween": [2, 9]}]
    found = Quality(Document("c.yml", {})).read(entries, ("quality",), None)
    assert (found.rows_least, found.rows_most) == (6, 9)


@pytest.mark.parametrize("zero", [{"mustBe": 0}, {"mustBeLessThan": 1}, {"mustBeLessOrEqualTo": 0}])
def test_no_wrong_row_at_all_is_a_rule(zero: dict[str, Any]) -> None:
    assert read({"metric": "duplicateValues", **zero}).unique
    assert read({"metric": "nullValues", **zero}).required
    pattern = read({"metric": "invalidValues", "arguments": {"pattern": "^a"}, **zero})
    assert pattern.rules == [Rule(RuleKind.PATTERN, "^a")]


def test_the_deprecated_name_of_a_metric_is_read() -> None:
    assert read({"rule": "duplicateValues", "mustBe": 0}).unique


def test_missing_values_are_a_set_of_values_that_must_not_be() -> None:
    found = read({"metric": "missingValues", "arguments": {"missingValues": [None, "", "N/A"]}, "mustBe": 0})
    assert found.rules == [Rule(RuleKind.NONE_OF, ("", "N/A"))]
    assert found.required


def test_columns_that_are_unique_together_are_a_rule_of_the_table() -> None:
    found = read({"metric": "duplicateValues", "arguments": {"properties": ["a", "b"]}, "mustBe": 0}, None)
    assert found.unique_together == [("a", "b")]


def test_prose_is_no_rule() -> None:
    found = read({"type": "text", "description": "be nice"})
    assert (found.rules, found.findings) == ([], [])


@pytest.mark.parametrize(
    ("entry", "column"),
    [
        ({"type": "sql", "query": "select 1", "mustBe": 0}, "a"),
        ({"type": "custom", "engine": "soda"}, "a"),
        ({"type": "library", "mustBe": 0}, "a"),
        ({"metric": "invalidValues", "arguments": {"validValues": [1]}, "mustBeLessThan": 5}, "a"),
        ({"metric": "invalidValues", "arguments": {"validValues": [1]}, "mustBeLessThan": 1, "unit": "percent"}, "a"),
        ({"metric": "invalidValues", "mustBe": 0}, "a"),
        ({"metric": "nullValues", "mustBe": 0, "mustBeLessThan": 3}, "a"),
        ({"metric": "rowCount", "mustNotBe": 5}, None),
        ({"metric": "rowCount", "mustBeLessThan": 5, "unit": "percent"}, None),
        ({"metric": "rowCount", "mustBe": 1.5}, None),
        ({"metric": "duplicateValues", "mustBe": 0}, None),
        ({"metric": "freshness", "mustBe": 0}, "a"),
    ],
)
def test_what_cannot_be_judged_is_said(entry: dict[str, Any], column: str | None) -> None:
    found = read(entry, column)
    assert [one.code for one in found.findings] == ["contract-rule-unjudged"]
    assert found.rules == []
