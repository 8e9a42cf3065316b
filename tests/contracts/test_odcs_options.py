from __future__ import annotations

from typing import Any

import pytest

from release_gate.contracts.contract import Column, Reading, Rule, RuleKind
from release_gate.contracts.reading import read as read_any
from release_gate.documents import parse
from release_gate.findings import BadInput
from release_gate.verdict import Severity
from tests.contracts.written import column, odcs


def read(*columns: dict[str, Any], **rest: Any) -> Reading:
    return read_any(parse(odcs(*columns, **rest), "c.yml"))


def one(kind: str, options: dict[str, Any], **rest: Any) -> Column:
    reading = read(column("a", kind, logicalTypeOptions=options, **rest))
    assert reading.findings == ()
    return reading.contract.columns[0]


@pytest.mark.parametrize(
    ("kind", "options", "rules"),
    [
        ("string", {"minLength": 1, "maxLength": 3}, [Rule(RuleKind.SHORTEST, 1), Rule(RuleKind.LONGEST, 3)]),
        ("string", {"minLength": 0, "format": "binary"}, []),
        ("integer", {"format": "i8"}, [Rule(RuleKind.AT_LEAST, -128), Rule(RuleKind.AT_MOST, 127)]),
        ("integer", {"exclusiveMinimum": 1}, [Rule(RuleKind.ABOVE, 1)]),
        ("number", {"maximum": 5, "exclusiveMaximum": True}, [Rule(RuleKind.BELOW, 5)]),
        ("number", {"maximum": 5, "exclusiveMaximum": False}, [Rule(RuleKind.AT_MOST, 5)]),
        ("date", {"minimum": "2020-01-01", "format": "yyyy-MM-dd"}, [Rule(RuleKind.AT_LEAST, "2020-01-01")]),
        ("array", {"minItems": 0, "maxItems": 3}, [Rule(RuleKind.MOST_ITEMS, 3)]),
        (
            "array",
            {"minItems": 2, "uniqueItems": True},
            [Rule(RuleKind.FEWEST_ITEMS, 2), Rule(RuleKind.DISTINCT_ITEMS, True)],
        ),
        ("array", {"uniqueItems": False}, []),
        (
            "vector",
            {"dimensions": 3, "distanceMetric": "cosine"},
            [Rule(RuleKind.FEWEST_ITEMS, 3), Rule(RuleKind.MOST_ITEMS, 3)],
        ),
        ("object", {"minProperties": 0}, []),
    ],
)
def test_every_option_of_a_type_becomes_rules(kind: str, options: dict[str, Any], rules: list[Rule]) -> None:
    assert list(one(kind, options).rules) == rules


def test_an_email_is_a_pattern_and_a_password_is_nobodys_business() -> None:
    (rule,) = one("string", {"format": "email"}).rules
    assert rule.kind is RuleKind.PATTERN
    secret = one("string", {"format": "password"})
    assert (secret.rules, secret.policy.sensitive) == ((), True)


def test_the_width_of_a_number_is_its_exact_type_where_no_other_is_named() -> None:
    assert one("number", {"format": "f32"}).storage == "float"
    assert one("number", {"format": "f32"}, physicalType="float64").storage == "double"


@pytest.mark.parametrize(
    ("options", "bound"),
    [
        ({"timezone": True, "defaultTimezone": "Australia/Sydney"}, "2020-01-01 00:00:00+11:00"),
        ({"timezone": True}, "2020-01-01 00:00:00"),
        ({"timezone": False, "defaultTimezone": "Australia/Sydney"}, "2020-01-01 00:00:00"),
    ],
)
def test_a_bound_without_a_zone_is_meant_in_the_default_one(options: dict[str, Any], bound: str) -> None:
    found = one("timestamp", {**options, "minimum": "2020-01-01 00:00:00"})
    assert found.rules == (Rule(RuleKind.AT_LEAST, bound),)
    assert found.zone is options["timezone"]


def test_a_bound_with_a_zone_is_local_where_the_values_have_none() -> None:
    options = {"timezone": False, "defaultTimezone": "Europe/Oslo", "maximum": "2020-06-01T00:00:00+00:00"}
    assert one("timestamp", options).rules == (Rule(RuleKind.AT_MOST, "2020-06-01 02:00:00"),)


@pytest.mark.parametrize(("kind", "bound"), [("timestamp", "2020-01-01T00:00:00"), ("time", "12:00:00")])
def test_a_default_zone_says_nothing_without_whether_values_carry_one(kind: str, bound: str) -> None:
    options = {"defaultTimezone": "America/New_York"}
    with pytest.raises(BadInput, match="needs `timezone: true` or `timezone: false` beside it"):
        read(column("a", kind, logicalTypeOptions={**options, "minimum": bound}))
    (told,) = read(column("a", kind, logicalTypeOptions=options)).findings
    assert (told.code, told.severity) == ("contract-rule-unjudged", Severity.WARNING)
    assert told.message.endswith("until then ages are told in UTC")


@pytest.mark.parametrize("zone", ["UTC", "Etc/UTC"])
def test_the_standards_own_default_zone_may_stand_alone(zone: str) -> None:
    found = one("timestamp", {"defaultTimezone": zone, "minimum": "2020-01-01 00:00:00"})
    assert (found.rules, found.zone) == ((Rule(RuleKind.AT_LEAST, "2020-01-01 00:00:00"),), None)


@pytest.mark.parametrize(
    ("kind", "options", "named"),
    [
        ("string", {"format": "iban"}, "'iban'"),
        ("date", {"format": "dd/MM/yyyy"}, "'dd/MM/yyyy'"),
        ("integer", {"format": "i7"}, "'i7'"),
        ("object", {"minProperties": 2}, "`minProperties`"),
        ("object", {"maxProperties": 2}, "`maxProperties`"),
        ("object", {"required": ["a"]}, "`required`"),
        ("vector", {"dimensions": 3, "elementType": "float16"}, "`elementType`"),
        ("vector", {"dimensions": 3, "normalized": True}, "`normalized`"),
    ],
)
def test_an_option_that_is_not_judged_is_refused_by_name(kind: str, options: dict[str, Any], named: str) -> None:
    (found,) = read(column("a", kind, logicalTypeOptions=options)).findings
    assert (found.code, found.severity) == ("contract-rule-unjudged", Severity.ERROR)
    assert named in found.message


@pytest.mark.parametrize(
    ("kind", "options", "code"),
    [
        ("boolean", {"minimum": 1}, "contract-unknown-key"),
        ("array", {"minLength": 1}, "contract-unknown-key"),
        ("map", {"minItems": 1}, "contract-unknown-key"),
        ("array", {"minItems": "two"}, "contract-invalid"),
        ("array", {"uniqueItems": "yes"}, "contract-invalid"),
        ("vector", {"dimensions": 1.5}, "contract-invalid"),
        ("timestamp", {"timezone": "UTC"}, "contract-invalid"),
        ("timestamp", {"defaultTimezone": "Middle/Earth"}, "contract-invalid"),
        ("timestamp", {"defaultTimezone": "../../etc/passwd"}, "contract-invalid"),
        ("number", {"minimum": float("nan")}, "contract-invalid"),
        ("number", {"minimum": True}, "contract-invalid"),
        ("number", {"multipleOf": float("inf")}, "contract-invalid"),
        ("string", {"pattern": "(?=a)"}, "contract-invalid"),
    ],
)
def test_an_option_that_means_nothing_is_refused(kind: str, options: dict[str, Any], code: str) -> None:
    with pytest.raises(BadInput) as refusal:
        read(column("a", kind, logicalTypeOptions=options))
    assert {found.code for found in refusal.value.findings} == {code}
    assert all(found.where.line for found in refusal.value.findings)


FIELD = {"name": "x", "logicalType": "string"}


@pytest.mark.parametrize(
    ("kind", "inside", "path"),
    [
        ("object", {"properties": [{**FIELD, "required": True}]}, "a.x.required"),
        ("object", {"properties": [{**FIELD, "quality": [{"metric": "nullValues", "mustBe": 0}]}]}, "a.x.quality"),
        ("object", {"properties": [{**FIELD, "primaryKey": True}]}, "a.x.primaryKey"),
        ("object", {"properties": [{**FIELD, "relationships": [{"to": "b.id"}]}]}, "a.x.relationships"),
        ("array", {"items": {**FIELD, "logicalTypeOptions": {"pattern": "x"}}}, "a.items.logicalTypeOptions"),
        ("array", {"items": {"logicalType": "object", "properties": [{**FIELD, "unique": True}]}}, "a.items.x.unique"),
        ("map", {"map": {"key": {**FIELD, "unique": True}, "value": FIELD}}, "a.map.key.unique"),
    ],
)
def test_a_rule_inside_of_a_column_is_refused_by_its_path(kind: str, inside: dict[str, Any], path: str) -> None:
    (found,) = read(column("a", kind, **inside)).findings
    assert (found.code, found.severity) == ("contract-rule-unjudged", Severity.ERROR)
    assert f"`{path}`" in found.message


def test_types_inside_of_a_column_are_only_told() -> None:
    (found,) = read(column("a", "array", items=FIELD)).findings
    assert found.severity is Severity.WARNING
