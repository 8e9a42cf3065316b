from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pandera
import pyarrow as pa
import pytest
import yaml

from release_gate.contracts.contract import Kind, OnInvalid, OnNull, Reading, Rule, RuleKind
from release_gate.contracts.reading import read as read_any
from release_gate.documents import parse
from release_gate.findings import BadInput
from release_gate.tables.reading import Read
from release_gate.tables.scan import counted

SAID = {"on_null": "reject", "on_invalid": "reject", "backfill": "Load again; the data team."}


def text(columns: dict[str, Any], **rest: Any) -> bytes:
    policies = dict.fromkeys(columns, SAID)
    metadata = {"version": "1.2.3", "owner": "@octo-air", "policy": policies}
    return yaml.safe_dump({"schema_type": "dataframe", "columns": columns, "metadata": metadata, **rest}).encode()


def read(given: bytes) -> Reading:
    return read_any(parse(given, "s.yml"))


def codes(given: bytes) -> list[str]:
    try:
        return [one.code for one in read(given).findings]
    except BadInput as refusal:
        return [one.code for one in refusal.findings]


SCHEMA = pandera.DataFrameSchema(
    {
        "a": pandera.Column("int64", [pandera.Check.ge(0), pandera.Check.lt(9)], unique=True, description="x"),
        "f": pandera.Column("float64", pandera.Check.in_range(0, 1, include_max=False)),
        "s": pandera.Column(
            str, [pandera.Check.isin(["ab", "b"]), pandera.Check.str_matches("a"), pandera.Check.str_length(1, 3)]
        ),
        "t": pandera.Column("datetime64[ns]", pandera.Check.gt("2013-01-01")),
    },
    unique=["a", "s"],
    name="rides",
)


def test_what_pandera_writes_is_read(tmp_path: Path) -> None:
    written = yaml.safe_load(str(SCHEMA.to_yaml()))
    written["metadata"] = {"version": "2.0.0", "policy": dict.fromkeys(SCHEMA.columns, SAID)}
    reading = read(yaml.safe_dump(written, sort_keys=False).encode())
    assert reading.findings == ()
    found = reading.contract
    assert (found.name, found.version, found.key, found.format) == ("rides", "2.0.0", ("a", "s"), "pandera")
    assert [(one.name, one.kind, one.storage) for one in found.columns] == [
        ("a", Kind.INTEGER, "int64"),
        ("f", Kind.NUMBER, "double"),
        ("s", Kind.STRING, None),
        ("t", Kind.TIMESTAMP, "timestamp[ns]"),
    ]
    assert [one.rules for one in found.columns] == [
        (Rule(RuleKind.AT_LEAST, 0), Rule(RuleKind.BELOW, 9)),
        (Rule(RuleKind.AT_LEAST, 0), Rule(RuleKind.BELOW, 1)),
        (
            Rule(RuleKind.ONE_OF, ("ab", "b")),
            Rule(RuleKind.PATTERN, "^(?:a)"),
            Rule(RuleKind.SHORTEST, 1),
            Rule(RuleKind.LONGEST, 3),
        ),
        (Rule(RuleKind.ABOVE, "2013-01-01"),),
    ]
    assert found.columns[0].unique


def test_our_counts_are_those_of_the_schema_it_came_from() -> None:
    written = yaml.safe_load(str(SCHEMA.to_yaml()))
    written["metadata"] = {"version": "2.0.0", "policy": dict.fromkeys(SCHEMA.columns, SAID)}
    contract = read(yaml.safe_dump(written, sort_keys=False).encode()).contract
    frame = pd.DataFrame(
        {
            "a": [1, 2, -1, 9],
            "f": [0.0, 1.0, 0.5, 2.0],
            "s": ["ab", "b", "x", "abcd"],
            "t": pd.to_datetime(["2014", "2013", "2012", "2015"], format="%Y").astype("datetime64[ns]"),
        }
    )
    with pytest.raises(pandera.errors.SchemaErrors) as told:
        SCHEMA.validate(frame, lazy=True)
    cases = told.value.failure_cases
    theirs = cases.groupby("column")["index"].nunique().to_dict()
    table = pa.Table.from_pandas(frame)
    ours = {
        one.name: one.invalid for one in counted(Read(table, tuple(table.schema.names)), contract, "t").counts.columns
    }
    assert ours == theirs == {"a": 2, "f": 2, "s": 3, "t": 2}


OLD_SHAPES: list[dict[str, Any]] = [
    {"greater_than": {"value": 3, "options": {"check_name": "greater_than", "ignore_na": True}}},
    {"greater_than": 3},
]


@pytest.mark.parametrize("checks", [*OLD_SHAPES, [{"value": 3, "options": {"check_name": "greater_than"}}]])
def test_the_older_shapes_of_checks_are_read(checks: object) -> None:
    (column,) = read(text({"a": {"dtype": "int64", "checks": checks}})).contract.columns
    assert column.rules == (Rule(RuleKind.ABOVE, 3),)


@pytest.mark.parametrize(
    ("check", "rules"),
    [
        ({"equal_to": 3}, (Rule(RuleKind.ONE_OF, (3,)),)),
        ({"not_equal_to": 3}, (Rule(RuleKind.NONE_OF, (3,)),)),
        ({"notin": [1, 2]}, (Rule(RuleKind.NONE_OF, (1, 2)),)),
        ({"str_contains": "x"}, (Rule(RuleKind.PATTERN, "x"),)),
        ({"str_length": {"exact_value": 2}}, (Rule(RuleKind.SHORTEST, 2), Rule(RuleKind.LONGEST, 2))),
        (
            {"in_range": {"min_value": 1, "max_value": 2, "include_min": False}},
            (Rule(RuleKind.ABOVE, 1), Rule(RuleKind.AT_MOST, 2)),
        ),
    ],
)
def test_every_check_becomes_rules(check: dict[str, Any], rules: tuple[Rule, ...]) -> None:
    (column,) = read(text({"a": {"dtype": "int64", **check}})).contract.columns
    assert column.rules == rules


def test_the_policy_of_the_metadata_is_read() -> None:
    value = yaml.safe_load(text({"a": {"dtype": "Int64", "nullable": True, "less_than": 3}}))
    value["metadata"]["policy"]["a"] = {
        **SAID,
        "on_null": "keep",
        "on_invalid": "quarantine up to 1%",
        "sensitive": True,
    }
    value["metadata"]["rows_at_least"] = 5
    contract = read(yaml.safe_dump(value).encode()).contract
    said = contract.columns[0].policy
    assert (said.on_null, said.on_invalid, said.share, said.sensitive) == (
        OnNull.KEEP,
        OnInvalid.QUARANTINE,
        0.01,
        True,
    )
    assert (contract.rows_least, contract.owner) == (5, "@octo-air")


def test_a_column_without_policy_lacks_all_three() -> None:
    assert codes(text({"a": {"dtype": "int64"}}, metadata={"version": "1.0.0"})) == [
        "contract-null-undeclared",
        "contract-invalid-undeclared",
        "contract-backfill-undocumented",
    ]


def test_a_version_that_is_missing_is_found_where_it_should_stand() -> None:
    (found,) = read(text({"a": {"dtype": "int64"}}, metadata={"policy": {"a": SAID}})).findings
    assert (found.code, found.where.line) == ("contract-version-invalid", 4)


def test_what_cannot_be_judged_is_said() -> None:
    assert codes(text({"a": {"dtype": "int64", "my_check": 3}})) == ["contract-rule-unjudged"]
    assert codes(text({"a": {"dtype": "int64", "checks": [{"x": 1}]}})) == ["contract-rule-unjudged"]
    assert codes(text({"a": {"dtype": "int64"}}, checks={"x": 1})) == ["contract-rule-unjudged"]


def test_null_forbidden_and_kept_contradict_each_other() -> None:
    value = yaml.safe_load(text({"a": {"dtype": "int64", "nullable": False}}))
    value["metadata"]["policy"]["a"]["on_null"] = "keep"
    assert codes(yaml.safe_dump(value).encode()) == ["contract-contradictory"]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (text({"a": {"dtype": "complex"}}), "contract-invalid"),
        (text({"a": {"dtype": "int64", "required": False}}), "contract-invalid"),
        (text({"a": {"dtype": "int64", "regex": True}}), "contract-invalid"),
        (text({"a": {"dtype": "int64", "in_range": {"min_value": 3}}}), "contract-invalid"),
        (text({"a": {"dtype": "int64", "greater_than": {"value": 3, "more": 4}}}), "contract-invalid"),
        (text({}), "contract-invalid"),
        (text({"a": {"dtype": "int64"}}, colums={}), "contract-unknown-key"),
        (
            text({"a": {"dtype": "int64"}}, metadata={"version": "1.0.0", "policy": {"a": SAID, "b": SAID}}),
            "contract-unknown-key",
        ),
        (
            text({"a": {"dtype": "int64"}}, metadata={"version": "1.0.0", "policy": {"a": {**SAID, "on_nul": 1}}}),
            "contract-unknown-key",
        ),
        (
            text({"a": {"dtype": "int64"}}, metadata={"version": "1.0.0", "policy": {"a": {**SAID, "on_null": "x"}}}),
            "contract-invalid",
        ),
        (text({"a": {"dtype": "int64"}}, metadata={"version": "1.0.0", "policy": [1]}), "contract-invalid"),
        (b"schema_type: series", "contract-format"),
        (b"[1]", "contract-format"),
        (b"", "contract-format"),
    ],
)
def test_what_is_wrong_is_refused(given: bytes, code: str) -> None:
    with pytest.raises(BadInput) as refusal:
        read(given)
    assert {one.code for one in refusal.value.findings} == {code}
