"""The features of both sides against their contract: what is told of which side, and what a sample can't say."""

from __future__ import annotations

import pytest

from release_gate.contracts.contract import Bounds, Column, Contract, Kind, Measure, Metric, Reading, Rule, RuleKind
from release_gate.contracts.counts import Broken, ColumnCount, Counts
from release_gate.gates.feature_contract import Features, for_sample, judge, unproven
from release_gate.gates.schema_check import Revision
from release_gate.gates.transform_facts import Part, Side
from release_gate.verdict import Finding, Severity, Subject

RANGE = Rule(RuleKind.AT_MOST, 100)
CONTRACT = Contract("features", "1.0.0", (Column("km", Kind.NUMBER, (RANGE,)),), file="features.yml")
SUBJECT = Subject(kind="contract", name="features.yml", identity="sha256:1")
REVISION = Revision("", absent="it does not stand in a git repository")


def counts(side: Side, broken: int = 0) -> Counts:
    column = ColumnCount("km", "double", invalid=broken, broken=(Broken(RANGE, broken),) if broken else ())
    return Counts(table=side, rows=200, columns=(column,))


def part(counted: dict[Side, Counts], contract: Contract = CONTRACT, differing: frozenset[str] = frozenset()) -> Part:
    return judge(Features(Reading(contract), REVISION, counted, differing, {}, SUBJECT))


def breaches(found: Part) -> list[tuple[str | None, str, Severity]]:
    return [(one.where.table, one.code, one.severity) for one in found.findings if one.where.table is not None]


def test_features_that_keep_the_contract_are_shown_with_it_and_named_as_judged() -> None:
    found = part({"training": counts("training"), "serving": counts("serving")})
    assert breaches(found) == []
    assert len(found.tables) == 1
    assert found.subjects == (SUBJECT,)


def test_what_both_sides_break_is_told_once_of_training() -> None:
    found = part({"training": counts("training", 3), "serving": counts("serving", 3)})
    assert breaches(found) == [("training", "value-range", Severity.ERROR)]


def test_what_serving_alone_breaks_is_told_of_serving_and_blocks_unless_the_sides_disagree_there() -> None:
    counted: dict[Side, Counts] = {"training": counts("training"), "serving": counts("serving", 3)}
    assert breaches(part(counted)) == [("serving", "value-range", Severity.ERROR)]
    assert breaches(part(counted, differing=frozenset({"km"}))) == [("serving", "value-range", Severity.WARNING)]
    assert breaches(part(counted, differing=frozenset({"other"}))) == [("serving", "value-range", Severity.ERROR)]


def test_a_side_without_features_blocks_with_its_cause() -> None:
    counted: dict[Side, Counts] = {"training": counts("training")}
    problems: dict[Side, list[Finding]] = {"serving": [unproven("serving", "no common type")]}
    found = judge(Features(Reading(CONTRACT), REVISION, counted, frozenset(), problems, SUBJECT))
    (told,) = [one for one in found.findings if one.code == "features-unproven"]
    assert told.severity is Severity.ERROR
    assert told.message == "the features of serving can't be held against their contract: no common type"


@pytest.mark.parametrize(
    ("measure", "judged"),
    [
        (Measure(Metric.NULLS, Bounds(0, 0)), True),
        (Measure(Metric.NULLS, Bounds(most=0)), True),
        (Measure(Metric.INVALID, Bounds(most=0)), True),
        (Measure(Metric.DUPLICATES, Bounds(most=0), columns=("km",)), True),
        (Measure(Metric.NULLS, Bounds(most=5), share=True), False),
        (Measure(Metric.NULLS, Bounds(least=1, most=0, outside=True)), False),
        (Measure(Metric.ROWS, Bounds(least=1000)), False),
        (Measure(Metric.AGE, Bounds(most=0)), False),
        (Measure(Metric.QUERY, Bounds(most=0), query="SELECT 1"), False),
    ],
)
def test_of_whole_tables_only_what_not_one_row_may_break_is_asked_of_a_sample(measure: Measure, judged: bool) -> None:
    contract = Contract("features", "1.0.0", CONTRACT.columns, measures=(measure,), file="features.yml")
    assert for_sample(contract).measures == ((measure,) if judged else ())
    notes = [one.code for one in part({"training": counts("training")}, contract).findings]
    assert ("features-rows-unjudged" in notes) is not judged


def test_a_number_of_rows_is_not_asked_of_a_sample_and_that_is_said() -> None:
    contract = Contract("features", "1.0.0", CONTRACT.columns, rows_least=1000, file="features.yml")
    found = part({"training": counts("training")}, contract)
    assert breaches(found) == []
    (told,) = [one for one in found.findings if one.code == "features-rows-unjudged"]
    assert told.message.endswith(": number of rows")
