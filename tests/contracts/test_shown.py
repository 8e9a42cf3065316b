from __future__ import annotations

import json

import pytest

from release_gate.contracts.contract import (
    Backfill,
    Bounds,
    Column,
    Contract,
    Custom,
    Kind,
    Measure,
    Metric,
    OnInvalid,
    OnNull,
    Policy,
    Rule,
    RuleKind,
)
from release_gate.contracts.shown import plain, tables, words

WHOLE = Policy(OnNull.IMPUTE, OnInvalid.CLIP, 0.05, Backfill("load again", "the data team", "2026-01-01"), True, 0, 0.1)
KM = Column(
    "km",
    Kind.NUMBER,
    (Rule(RuleKind.AT_LEAST, 0), Rule(RuleKind.ONE_OF, tuple(range(12)), warns=True)),
    WHOLE,
    unique=True,
    storage="double",
    description="how far",
    required=False,
    since="1.1.0",
)
AGE = Measure(Metric.AGE, Bounds(most=172_800), columns=("day",))
NULLS = Measure(Metric.NULLS, Bounds(most=5), share=True, columns=("km",), name="few", warns=True)
RIDES = Contract(
    "rides",
    "1.1.0",
    (KM, Column("day", Kind.TIMESTAMP, zone=False)),
    owner="@octo-air",
    rows_least=1000,
    key=("km",),
    unique_together=(("km", "day"),),
    measures=(AGE, NULLS),
    custom=(Custom("is sane", 0),),
    closed=True,
    ordered=True,
    reference="shop.schemas:Rides",
)


def test_what_holds_for_the_table_comes_first() -> None:
    head = tables(RIDES)[0]
    assert head.title == "rides 1.1.0: 2 columns"
    assert {str(name): value for name, value in head.rows} == {
        "owner": "@octo-air",
        "key": "km",
        "unique together": "km, day",
        "rows": "at least 1,000",
        "freshness": "day: at most 2 days",
        "other columns": "refused",
        "order of columns": "as declared",
        "schema in Python": "shop.schemas:Rides",
    }


def test_what_is_not_said_is_shown_as_such() -> None:
    head, columns = tables(Contract("rides", "", (Column("a", Kind.STRING),)))
    assert head.title == "rides without a version: 1 column"
    assert {str(name): value for name, value in head.rows} == {
        "owner": "not declared",
        "key": "not declared",
        "rows": "not declared",
        "freshness": "not declared",
        "other columns": "warned of",
    }
    assert columns.rows == [["a", "string", "", "not declared", "not declared", "not declared", ""]]


def test_a_column_is_shown_with_its_rules_and_its_policy() -> None:
    assert tables(RIDES)[1].rows == [
        [
            "km",
            "number (double)",
            f"key; unique; sensitive; may be absent; since 1.1.0; at least 0; {KM.rules[1]} (only warned of)",
            "impute 0, share moves by at most 10%",
            "clip up to 5%",
            "load again, by the data team, since 2026-01-01",
            "how far",
        ],
        ["day", "timestamp, without time zone", "", "not declared", "not declared", "not declared", ""],
    ]


def test_measures_and_checks_say_what_becomes_of_a_breach() -> None:
    assert tables(RIDES)[2].rows == [
        ["", "day", "age of the newest row: at most 2 days", "rejected"],
        ["few", "km", "null values: at most 5 %", "warned of"],
        ["is sane", "the table", "keeps the check in Python", "rejected"],
    ]


@pytest.mark.parametrize(
    ("measure", "shown"),
    [
        (Measure(Metric.AGE, Bounds(most=5400, most_excluded=True)), "age of the newest row: below 90 minutes"),
        (Measure(Metric.AGE, Bounds(most=0.5)), "age of the newest row: at most 0.5 seconds"),
        (Measure(Metric.AGE, Bounds(least=1, most=60)), "age of the newest row: at least 1 and at most 60 seconds"),
        (
            Measure(Metric.QUERY, Bounds(least=0, most=0), query="SELECT count(*)\n  FROM {table}"),
            "result of the query `SELECT count(*) FROM {table}`: 0",
        ),
        (Measure(Metric.MISSING, Bounds(most=1), values=(None, "?")), "missing values (null, ?): at most 1"),
        (
            Measure(Metric.INVALID, Bounds(most=1), rules=(Rule(RuleKind.AT_MOST, 9),)),
            "invalid values (at most 9): at most 1",
        ),
    ],
)
def test_a_measure_is_told_in_words(measure: Measure, shown: str) -> None:
    assert words(measure) == shown


def test_as_json_nothing_is_cut() -> None:
    told = json.loads(json.dumps(plain(RIDES)))
    assert told["columns"][0]["rules"][1] == {"rule": "one of", "value": [*range(12)], "warns": True}
    assert told["columns"][0]["backfill"] == {"how": "load again", "who": "the data team", "since": "2026-01-01"}
    assert (told["rows"], told["key"], told["closed"]) == ({"least": 1000, "most": None}, ["km"], True)
