from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from release_gate.contracts.contract import Backfill, Contract, Kind, OnInvalid, OnNull, Reading, Rule, RuleKind
from release_gate.contracts.reading import read as read_any
from release_gate.documents import parse
from release_gate.documents import read as read_file
from release_gate.findings import BadInput
from release_gate.verdict import Severity
from tests.contracts.written import POLICY, column, odcs, valid

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "flight-delay" / "contracts" / "flights.yml"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "scripts")}


def read(text: bytes, table: str | None = None) -> Reading:
    return read_any(parse(text, "rides.yml"), table)


def contract(*columns: dict[str, Any], **rest: Any) -> Contract:
    return read(odcs(*columns, **rest)).contract


def codes(text: bytes) -> list[str]:
    try:
        return [found.code for found in read(text).findings]
    except BadInput as refusal:
        return [found.code for found in refusal.findings]


def test_a_whole_contract_is_read() -> None:
    distance = column(
        "distance",
        "number",
        policy={"onNull": "impute", "onInvalid": "quarantine up to 2.5%", "sensitive": True},
        physicalType="float64",
        logicalTypeOptions={"minimum": 0, "exclusiveMaximum": 100, "multipleOf": 0.5},
    )
    city = column("city", "string", unique=True, quality=valid("Oslo", "Bern"), description="Where it began")
    found = contract(
        column("id", "integer", primaryKey=True, required=True),
        distance,
        city,
        quality=[{"metric": "rowCount", "mustBeBetween": [10, 20]}],
        team={"members": [{"username": "octo-air", "role": "Owner"}]},
    )
    assert (found.name, found.version, found.owner, found.table) == ("rides", "1.0.0", "octo-air", "rides")
    assert (found.rows_least, found.rows_most) == (10, 20)
    assert found.key == ("id",)
    assert found.unique_sets == (("id",), ("city",))
    read_distance = found.column("distance")
    assert read_distance is not None
    assert read_distance.kind is Kind.NUMBER
    assert read_distance.storage == "double"
    assert read_distance.rules == (
        Rule(RuleKind.AT_LEAST, 0),
        Rule(RuleKind.BELOW, 100),
        Rule(RuleKind.MULTIPLE_OF, 0.5),
    )
    assert read_distance.policy.on_null is OnNull.IMPUTE
    assert (read_distance.policy.on_invalid, read_distance.policy.share) == (OnInvalid.QUARANTINE, 0.025)
    assert found.sensitive == {"distance"}
    read_city = found.column("city")
    assert read_city is not None
    assert read_city.rules == (Rule(RuleKind.ONE_OF, ("Oslo", "Bern")),)


def test_the_examples_own_contract_is_read_without_a_finding() -> None:
    reading = read_any(read_file(EXAMPLE, shown="flights.yml"))
    assert reading.findings == ()
    assert len(reading.contract.columns) == 18
    assert (reading.contract.rows_least, reading.contract.rows_most) == (252000, 253000)
    origin = reading.contract.column("origin")
    assert origin is not None
    assert origin.rules == (Rule(RuleKind.ONE_OF, ("EWR", "JFK", "LGA")),)


@pytest.mark.parametrize(
    ("missing", "code"),
    [
        ("onNull", "contract-null-undeclared"),
        ("onInvalid", "contract-invalid-undeclared"),
        ("backfill", "contract-backfill-undocumented"),
    ],
)
def test_a_policy_that_is_not_declared_is_found_at_its_column(missing: str, code: str) -> None:
    text = odcs(column("a", "string"), column("b", "string", policy={missing: None}))
    (found,) = read(text).findings
    assert found.code == code
    assert "'b'" in found.message
    line = text.decode().splitlines().index("  - name: b") + 1
    assert found.where.line == line
    assert missing in found.remedy


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one.update(
            customProperties=[{"property": key, "value": POLICY[key]} for key in POLICY], required=True
        ),
        lambda one: one.update(description="fine"),
    ],
)
def test_a_declared_column_gives_no_finding(change: Callable[[dict[str, Any]], None]) -> None:
    one = column("a", "string")
    change(one)
    assert codes(odcs(one)) == []


@pytest.mark.parametrize(
    "one",
    [
        column("a", "string", required=True, policy={"onNull": "keep"}),
        column("a", "string", policy={"onInvalid": "clip"}),
        column("a", "string", policy={"onInvalid": "set null"}),
        column("a", "integer", logicalTypeOptions={"minimum": 3, "maximum": 2}),
        column("a", "string", quality=valid()),
        column("a", "string", policy={"onNull": "keep"}, quality=[{"metric": "nullValues", "mustBe": 0}]),
    ],
)
def test_declarations_that_exclude_each_other_are_found(one: dict[str, Any]) -> None:
    assert codes(odcs(one)) == ["contract-contradictory"]


@pytest.mark.parametrize(
    "one",
    [
        {**column("a", "string"), "logicalType": "strng"},
        {**column("a", "string"), "logicalType": "zzz"},
        {key: value for key, value in column("a", "string").items() if key != "logicalType"},
        {key: value for key, value in column("a", "string").items() if key != "name"},
        {**column("a", "string"), "required": "perhaps"},
        column("a", "string", policy={"onNull": "explode"}),
        column("a", "string", policy={"onInvalid": "quarantine"}),
        column("a", "string", policy={"onInvalid": {"quarantine": "200%"}}),
        column("a", "string", policy={"onInvalid": {"quarantine": 1}}),
        column("a", "string", policy={"onInvalid": 7}),
        column("a", "string", policy={"backfill": 7}),
        column("a", "string", policy={"sensitive": "maybe"}),
        column("a", "integer", logicalTypeOptions={"minimum": "three"}),
        column("a", "date", logicalTypeOptions={"minimum": "yesterday"}),
        column("a", "timestamp", logicalTypeOptions={"minimum": 3}),
        column("a", "time", logicalTypeOptions={"maximum": "noon"}),
        column("a", "string", logicalTypeOptions={"maxLength": -1}),
        column("a", "string", logicalTypeOptions={"pattern": 1}),
        column("a", "number", logicalTypeOptions={"multipleOf": 0}),
    ],
)
def test_a_value_the_standard_does_not_allow_is_refused_with_its_place(one: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as refusal:
        read(odcs(column("z", "string"), one))
    (found,) = refusal.value.findings
    assert found.code == "contract-invalid"
    assert (found.where.line or 0) >= 19


@pytest.mark.parametrize(
    ("one", "hint"),
    [
        (column("a", "integer", logicalTypeOptions={"minimun": 3}), "minimum"),
        (column("a", "string", logicalTypeOptions={"minimum": 3}), "pattern"),
        (column("a", "string", requierd=True), "required"),
        (column("a", "string", policy={"onNul": "keep"}), "onNull"),
        (column("a", "string", quality=[{"metrik": "nullValues"}]), "metric"),
    ],
)
def test_a_misspelt_key_is_refused_with_a_suggestion(one: dict[str, Any], hint: str) -> None:
    with pytest.raises(BadInput) as refusal:
        read(odcs(one))
    (found,) = refusal.value.findings
    assert found.code == "contract-unknown-key"
    assert hint in found.message


def test_every_fault_is_told_at_once_in_the_order_of_the_file() -> None:
    with pytest.raises(BadInput) as refusal:
        read(odcs({**column("a", "zzz"), "requierd": 1}, column("b", "integer", logicalTypeOptions={"minimum": "x"})))
    lines = [found.where.line or 0 for found in refusal.value.findings]
    assert len(lines) == 3
    assert lines == sorted(lines)


def test_an_unknown_key_at_the_top_is_told_once() -> None:
    assert codes(odcs(column("a", "string"), servrs=[])) == ["contract-unknown-key"]


@pytest.mark.parametrize("version", [None, "1", 1.0, "one", "1.0", "v1.0.0", "1.0.0.0", "01.0.0"])
def test_a_version_that_is_not_semantic_is_found(version: object) -> None:
    assert codes(odcs(column("a", "string"), version=version)) == ["contract-version-invalid"]


def test_a_prerelease_is_a_semantic_version() -> None:
    assert codes(odcs(column("a", "string"), version="1.2.3-rc.1+5")) == []


@pytest.mark.parametrize("text", [b"{apiVersion: v2.2.2}", b"{schema: []}", b"{schema: [{name: a}]}"])
def test_other_versions_and_tables_without_columns_are_refused(text: bytes) -> None:
    value = {**yaml.safe_load(odcs(column("a", "string"))), **yaml.safe_load(text)}
    assert codes(yaml.safe_dump(value).encode()) == ["contract-invalid"]


def test_one_of_several_tables_is_chosen_by_the_datas_name() -> None:
    value = yaml.safe_load(odcs(column("a", "string")))
    value["schema"].append({"name": "other", "properties": [column("b", "string")]})
    text = yaml.safe_dump(value).encode()
    assert [one.name for one in read(text, "other").contract.columns] == ["b"]
    with pytest.raises(BadInput, match="several tables"):
        read(text, "third")


def test_the_physical_name_is_the_datas_and_a_type_may_come_from_the_physical_one() -> None:
    one = {**column("a", "string", physicalName="A_1", physicalType="int64")}
    del one["logicalType"]
    (found,) = contract(one).columns
    assert (found.name, found.kind, found.storage) == ("A_1", Kind.INTEGER, "int64")


def test_a_confidential_column_is_sensitive_unless_it_says_otherwise() -> None:
    found = contract(
        column("a", "string", classification="Confidential"),
        column("b", "string", classification="restricted", policy={"sensitive": False}),
        column("c", "string", classification="public"),
    )
    assert found.sensitive == {"a"}


def test_a_composite_key_keeps_its_order() -> None:
    one = column("a", "string", primaryKey=True, primaryKeyPosition=2)
    two = column("b", "string", primaryKey=True, primaryKeyPosition=1)
    assert contract(one, two).key == ("b", "a")


def test_an_enumeration_is_a_set() -> None:
    (found,) = contract(column("a", "string", enum=[{"value": "x"}, {"value": "y"}])).columns
    assert found.rules == (Rule(RuleKind.ONE_OF, ("x", "y")),)


def test_an_owner_may_stand_in_custom_properties_or_a_list_of_members_or_nowhere() -> None:
    named = contract(column("a", "string"), customProperties=[{"property": "owner", "value": "@octo-air"}])
    listed = contract(column("a", "string"), team=[{"name": "Air", "role": "data owner"}, {"name": "x"}])
    assert (named.owner, listed.owner) == ("@octo-air", "Air")
    left = [{"username": "a", "role": "owner", "dateOut": "2024-01-01"}, {"username": "b", "role": "owner"}]
    assert contract(column("a", "string"), team={"members": left}).owner == "b"
    assert contract(column("a", "string"), team={"name": "air"}).owner == "air"
    assert contract(column("a", "string"), team=None).owner is None


def test_a_contract_without_an_owner_is_found_with_how_to_name_one() -> None:
    (found,) = read(odcs(column("a", "string"), team=None)).findings
    assert (found.code, found.severity) == ("contract-owner-missing", Severity.WARNING)
    assert "team" in found.remedy


def test_the_tables_own_properties_close_and_order_its_columns() -> None:
    value = yaml.safe_load(odcs(column("a", "string")))
    value["schema"][0]["customProperties"] = [
        {"property": "closed", "value": True},
        {"property": "ordered", "value": 1},
    ]
    with pytest.raises(BadInput, match="`ordered` must be true or false"):
        read(yaml.safe_dump(value).encode())
    value["schema"][0]["customProperties"][1]["value"] = True
    found = read(yaml.safe_dump(value).encode()).contract
    assert (found.closed, found.ordered) == (True, True)


def test_a_column_that_is_described_twice_is_refused() -> None:
    assert codes(odcs(column("a", "string"), column("b", "string", physicalName="a"))) == ["contract-invalid"]


def test_a_measure_is_no_column_and_that_is_said() -> None:
    reading = read(odcs(column("a", "string"), column("total", "number", semanticType="measure")))
    assert [one.name for one in reading.contract.columns] == ["a"]
    (found,) = reading.findings
    assert (found.code, found.severity) == ("contract-rule-unjudged", Severity.WARNING)


def test_a_key_of_columns_beside_a_measure_keeps_its_names() -> None:
    found = contract(column("total", "number", semanticType="measure"), column("id", "string", primaryKey=True))
    assert found.key == ("id",)


def test_duplicates_are_named_by_property_and_meant_by_column() -> None:
    rule = {"metric": "duplicateValues", "arguments": {"properties": ["day", "b"]}, "mustBe": 0}
    one, two = column("day", "string", physicalName="DAY"), column("b", "string")
    assert contract(one, two, quality=[rule]).unique_together == (("DAY", "b"),)
    lost = {**rule, "arguments": {"properties": ["dya", "b"]}}
    with pytest.raises(BadInput, match="'dya', which is no property"):
        read(odcs(one, two, quality=[lost]))


def test_the_whole_policy_of_a_column_is_read() -> None:
    said = {
        "onNull": {"impute": 0},
        "nullShareDrift": "5%",
        "since": "1.2.0",
        "backfill": {"how": "Load again.", "who": "the data team", "since": "2020-01-01"},
    }
    (found,) = contract(column("a", "integer", policy=said), version="1.2.0").columns
    assert (found.policy.on_null, found.policy.impute, found.policy.drift) == (OnNull.IMPUTE, 0, 0.05)
    assert found.policy.backfill == Backfill("Load again.", "the data team", "2020-01-01")
    assert found.since == "1.2.0"


@pytest.mark.parametrize(
    ("policy", "code"),
    [
        ({"since": "1.1.0"}, ["contract-backfill-missing"]),
        ({"since": "1.1.0", "backfill": {"how": "x", "who": "y"}}, ["contract-backfill-missing"]),
        ({"since": "1.1.0", "backfill": {"how": "x", "who": "y", "since": "2024"}}, []),
        ({"since": "1.1.0", "onNull": "keep"}, []),
        ({"since": "1.0.0"}, []),
        ({"since": "2.0.0", "onNull": "keep"}, ["contract-contradictory"]),
    ],
)
def test_a_later_column_that_must_have_a_value_says_who_fills_the_older_rows(
    policy: dict[str, Any], code: list[str]
) -> None:
    assert codes(odcs(column("a", "string"), column("b", "string", policy=policy), version="1.1.0")) == code


def test_reading_a_contract_imports_no_engine() -> None:
    read = "from release_gate.contracts import reading; from release_gate.contracts.standards import odcs"
    script = f"import sys; {read}; print(sorted(set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=ENVIRONMENT)
    loaded = set(ast.literal_eval(done.stdout))
    assert "open_data_contract_standard" in loaded
    assert not loaded & {"pandas", "pyarrow", "pandera", "ibis", "duckdb", "sqlglot", "numpy"}


@pytest.mark.parametrize(
    ("kind", "stored", "right"),
    [
        ("integer", "decimal(10,2)", True), ("integer", "double", True), ("number", "int32", True),
        ("timestamp", "timestamp[ns]", True), ("integer", "VARCHAR(20)", True), ("string", "int64", True),
        ("number", "string", True),
        ("integer", "timestamp[ms]", False), ("number", "bool", False), ("timestamp", "int64", False),
        ("timestamp", "date32[day]", False), ("time", "decimal(38,0)", False),
    ],
)  # fmt: skip
def test_an_exact_type_that_never_stores_the_logical_one_is_a_mistake(kind: str, stored: str, right: bool) -> None:
    written = odcs(column("a", kind, physicalType=stored))
    assert ("contract-invalid" in codes(written)) is not right


def test_a_physical_name_that_is_another_columns_own_name_is_told_apart() -> None:
    columns = (
        column("id", "integer", physicalName="ride_id", primaryKey=True),
        column("foo", "integer", physicalName="id"),
    )
    value = yaml.safe_load(odcs(*columns))
    value["schema"][0]["quality"] = [
        {"type": "library", "metric": "duplicateValues", "mustBe": 0, "arguments": {"properties": ["id", "foo"]}}
    ]
    found = read(yaml.safe_dump(value).encode()).contract
    assert (found.key, found.unique_together) == (("ride_id",), (("ride_id", "id"),))


@pytest.mark.parametrize("name", ["Closed", "closd", "close", "order"])
def test_a_misspelt_property_of_the_table_is_a_mistake(name: str) -> None:
    value = yaml.safe_load(odcs(column("a", "string")))
    value["schema"][0]["customProperties"] = [{"property": name, "value": True}]
    assert codes(yaml.safe_dump(value).encode()) == ["contract-unknown-key"]


def test_a_policy_that_is_declared_twice_is_a_mistake() -> None:
    value = yaml.safe_load(odcs(column("a", "string")))
    said = value["schema"][0]["properties"][0]["customProperties"]
    value["schema"][0]["properties"][0]["customProperties"] = [*said, {"property": "onNull", "value": "keep"}]
    assert codes(yaml.safe_dump(value).encode()) == ["contract-invalid"]


def test_a_bound_of_version_3_0_is_in_the_columns_own_zone() -> None:
    options = {"timezone": True, "defaultTimezone": "America/New_York"}
    rule = {"type": "library", "rule": "minCheck", "customProperties": [
        {"property": "min", "value": "2024-01-01 00:00:00"}
    ]}  # fmt: skip
    found = read(odcs(column("a", "timestamp", logicalTypeOptions=options, quality=[rule]))).contract
    said = read(odcs(column("a", "timestamp", logicalTypeOptions={**options, "minimum": "2024-01-01 00:00:00"})))
    assert found.columns[0].rules == said.contract.columns[0].rules


def test_an_age_is_told_in_the_columns_own_zone() -> None:
    options = {"timezone": False, "defaultTimezone": "Asia/Tokyo"}
    value = yaml.safe_load(odcs(column("at", "timestamp", logicalTypeOptions=options)))
    value["slaProperties"] = [{"property": "freshness", "value": 2, "unit": "d", "element": "at"}]
    (measure,) = read(yaml.safe_dump(value).encode()).contract.measures
    assert measure.zone == "Asia/Tokyo"


def related(**rest: Any) -> dict[str, Any]:
    return {"type": "foreignKey", "to": "other.id", **rest}


def test_a_foreign_key_is_refused_by_name_where_it_stands() -> None:
    value = yaml.safe_load(odcs(column("a", "integer", relationships=[related(), related(to=["b.x", "b.y"])])))
    value["schema"][0]["relationships"] = [related(**{"from": "rides.a"})]
    first, second, table = read(yaml.safe_dump(value).encode()).findings
    assert {(one.code, one.severity) for one in (first, second, table)} == {("contract-rule-unjudged", Severity.ERROR)}
    assert first.message == "the relationship of column 'a' to `other.id` is not judged"
    assert second.message == "the relationship of column 'a' to `b.x, b.y` is not judged"
    assert table.message == "the relationship of `rides.a` to `other.id` is not judged"
    assert len({one.where.line for one in (first, second, table)}) == 3


def test_a_foreign_key_that_others_judge_is_only_told() -> None:
    mild = related(customProperties=[{"property": "severity", "value": "warning"}])
    (found,) = read(odcs(column("a", "integer", relationships=[mild]))).findings
    assert (found.code, found.severity) == ("contract-rule-unjudged", Severity.WARNING)
