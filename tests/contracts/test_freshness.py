from __future__ import annotations

from typing import Any

import pytest
import yaml

from release_gate.contracts.contract import Bounds, Measure, Metric
from release_gate.contracts.reading import read
from release_gate.documents import parse
from release_gate.findings import BadInput
from release_gate.verdict import Severity
from tests.contracts.written import column, odcs

COLUMNS = (column("at", "timestamp", physicalName="AT"), column("name", "string"))


def text(*entries: dict[str, Any], **rest: Any) -> bytes:
    return odcs(*COLUMNS, slaProperties=list(entries), **rest)


def measures(*entries: dict[str, Any], **rest: Any) -> tuple[Measure, ...]:
    reading = read(parse(text(*entries, **rest), "c.yml"))
    assert reading.findings == ()
    return reading.contract.measures


@pytest.mark.parametrize(
    ("value", "unit", "seconds"),
    [
        (30, "s", 30),
        (5, "minutes", 300),
        (24, "h", 86400),
        (4, "d", 4 * 86400),
        ("4", "days", 4 * 86400),
        ("36h", None, 36 * 3600),
        ("2 d", None, 2 * 86400),
        (1, "W", 7 * 86400),
        (1, "yr", 365 * 86400),
        (0.5, "d", 43200),
    ],
)
def test_the_age_of_the_newest_row_is_measured_in_seconds(value: object, unit: str | None, seconds: float) -> None:
    (one,) = measures({"property": "freshness", "value": value, "unit": unit, "element": "at"})
    assert (one.metric, one.columns, one.bounds) == (Metric.AGE, ("AT",), Bounds(most=seconds))


@pytest.mark.parametrize("spelled", ["latency", "Latency", "ly", "freshness"])
@pytest.mark.parametrize("element", ["at", "AT", "rides.at"])
def test_a_service_level_is_known_by_each_of_its_names(spelled: str, element: str) -> None:
    (one,) = measures({"property": spelled, "value": 1, "unit": "d", "element": element})
    assert (one.columns, one.name, one.where.line is not None) == (("AT",), spelled, True)


def test_the_element_may_be_said_once_for_all() -> None:
    assert measures({"property": "latency", "value": 1, "unit": "d"}, slaDefaultElement="rides.at")


def test_promises_to_people_are_no_measures() -> None:
    spoken = ["availability", "retention", "frequency", "generalAvailability", "time of availability", "fy", "Th"]
    assert measures(*({"property": name, "value": 1, "element": "at"} for name in spoken)) == ()
    assert measures({"property": "our own", "value": 1}) == ()


@pytest.mark.parametrize(
    "name", ["timeliness", "staleness", "maxAge", "recency", "lag", "dataLatency", "Data Freshness"]
)
@pytest.mark.parametrize("element", ["at", "rides.AT", "tab1.at"])
def test_a_service_level_of_a_column_that_nobody_here_knows_is_told_by_name(name: str, element: str) -> None:
    given = text({"property": name, "value": 1, "unit": "d", "element": element})
    reading = read(parse(given, "c.yml"))
    (found,) = reading.findings
    assert (found.code, found.severity) == ("contract-rule-unjudged", Severity.WARNING)
    assert f"'{name}'" in found.message
    assert found.where.line == given.decode().splitlines().index(f"- property: {name}") + 1
    assert reading.contract.measures == ()


def test_a_service_level_of_the_default_element_is_told_too() -> None:
    given = text({"property": "staleness", "value": 1, "unit": "d"}, slaDefaultElement="at")
    assert [one.code for one in read(parse(given, "c.yml")).findings] == ["contract-rule-unjudged"]


def test_an_unknown_service_level_of_another_table_is_that_tables() -> None:
    value = yaml.safe_load(text({"property": "staleness", "value": 1, "unit": "d", "element": "other.at"}))
    value["schema"].append({"name": "other", "properties": [column("at", "timestamp")]})
    assert read(parse(yaml.safe_dump(value).encode(), "c.yml"), "rides").findings == ()


@pytest.mark.parametrize(
    ("entry", "cause"),
    [
        ({"value": 1, "unit": "d"}, "no `element`"),
        ({"value": 1, "unit": "d", "element": "when"}, "names no column"),
        ({"value": 1, "unit": "d", "element": "rides.when"}, "names no column"),
        ({"value": 1, "unit": "d", "element": "name"}, "type string"),
        ({"value": 1, "unit": "m", "element": "at"}, "months"),
        ({"value": 1, "element": "at"}, "unit"),
        ({"value": "soon", "unit": "d", "element": "at"}, "a number above 0"),
        ({"value": -1, "unit": "d", "element": "at"}, "a number above 0"),
        ({"unit": "d", "element": "at"}, "a number above 0"),
    ],
)
def test_a_service_level_that_cannot_be_measured_is_refused_at_its_line(entry: dict[str, Any], cause: str) -> None:
    given = text({"property": "latency", **entry})
    with pytest.raises(BadInput) as refusal:
        read(parse(given, "c.yml"))
    (found,) = refusal.value.findings
    assert (found.code, cause in found.message) == ("contract-invalid", True)
    assert found.where.line == given.decode().splitlines().index("- property: latency") + 1


def test_a_misspelt_service_level_is_refused_with_a_suggestion() -> None:
    with pytest.raises(BadInput, match="did you mean 'freshness'"):
        read(parse(text({"property": "freshnes", "value": 1, "unit": "d", "element": "at"}), "c.yml"))


def test_a_table_that_the_contract_does_not_have_is_refused_by_name() -> None:
    given = text({"property": "latency", "value": 1, "unit": "d", "element": "tab1.at"})
    (found,) = read(parse(given, "c.yml")).findings
    assert (found.code, found.severity) == ("contract-rule-unjudged", Severity.ERROR)
    assert "tab1.at" in found.message
