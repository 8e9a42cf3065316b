"""The examples that the standard publishes: each loads, or says by name what in it is not judged."""

from __future__ import annotations

import subprocess
import tarfile
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

from release_gate.contracts.reading import read
from release_gate.documents import parse
from release_gate.findings import BadInput
from release_gate.verdict import Finding

LIBRARY = "open-data-contract-standard"
LACKING = {
    "contract-owner-missing",
    "contract-null-undeclared",
    "contract-invalid-undeclared",
    "contract-backfill-undocumented",
}
"""What no contract of the standard has, since our policy is an extension of it."""


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The examples in the source archive of the standard's own library, from the package index."""
    folder = tmp_path_factory.mktemp("standard")
    wanted = f"{LIBRARY}=={version(LIBRARY)}"
    words = ["uv", "tool", "run", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", wanted]
    done = subprocess.run([*words, "--dest", str(folder)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no package index in reach: {done.stderr[-300:]}")
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        members = [one for one in opened.getmembers() if one.name.endswith(".odcs.yaml")]
        return {Path(one.name).name: content.read() for one in members if (content := opened.extractfile(one))}


def findings(text: bytes, table: str) -> tuple[int, list[Finding]]:
    """How many columns are read, and what is said beside what every contract of the standard lacks."""
    try:
        reading = read(parse(text, "c.yml"), table)
    except BadInput as refusal:
        return 0, list(refusal.findings)
    return len(reading.contract.columns), [one for one in reading.findings if one.code not in LACKING]


def test_every_table_of_the_published_examples_loads_or_is_refused_by_name(published: dict[str, bytes]) -> None:
    loaded = 0
    for text in published.values():
        for table in yaml.safe_load(text)["schema"]:
            columns, said = findings(text, table["name"])
            loaded += columns > 0
            assert {one.code for one in said} <= {"contract-rule-unjudged", "contract-invalid"}
            assert all(one.where.line and one.message and one.remedy for one in said)
    assert loaded >= 2


def test_of_the_whole_example_only_what_lies_in_other_tables_is_not_judged(published: dict[str, bytes]) -> None:
    (whole,) = [text for name, text in published.items() if name.startswith("full-example")]
    columns, said = findings(whole, "tbl")
    assert columns == 3
    elsewhere = ("`receivers.id`", "`receivers.id, receivers.country_code`", "tab1.txn_ref_dt")
    assert all(named in one.message for named, one in zip(elsewhere, said, strict=True))


HEAD = {
    "apiVersion": "v3.1.0",
    "kind": "DataContract",
    "id": "1",
    "name": "ours",
    "version": "1.0.0",
    "status": "active",
}


def shaped(properties: str, **rest: object) -> bytes:
    """A contract of one table in the shape of an example: the keys are the standard's, the data is ours."""
    table = {"name": "readings", "physicalType": "table", "tags": ["air"], "properties": yaml.safe_load(properties)}
    return yaml.safe_dump({**HEAD, **rest, "schema": [table]}, sort_keys=False).encode()


@pytest.mark.parametrize(
    ("properties", "unjudged"),
    [
        # quality/column-accuracy: SQL that names the table itself
        (
            """
            - {name: level, logicalType: number, physicalType: "float(3,2)", quality: [{type: sql, dimension: accuracy,
               query: select count(*) from Readings where level <= 0 or level >= 500, mustBe: 0, severity: error}]}
            """,
            [],
        ),
        # quality/column-completeness: a metric with a schedule
        (
            """
            - {name: id, primaryKey: true, logicalType: number, physicalType: int, quality: [{type: library,
               metric: nullValues, mustBe: 0, dimension: completeness, scheduler: cron, schedule: 0 20 * * *}]}
            """,
            [],
        ),
        # quality/column-completeness of 3.0: rules by their old names, with custom properties
        (
            """
            - {name: id, logicalType: number, quality: [{rule: nullCheck, severity: error}, {rule: minCheck,
               customProperties: [{property: min, value: 100}]}]}
            """,
            [],
        ),
        # quality/column-custom: another tool's rule, as text and as a mapping
        (
            """
            - {name: id, logicalType: number, quality: [
               {type: custom, engine: soda, implementation: "type: duplicate_percent"},
               {type: custom, engine: soda, implementation: {type: duplicate_percent}}]}
            """,
            ["soda", "soda"],
        ),
        # quality/column-validity: a share that may be wrong, with a null among the valid values
        (
            """
            - {name: status, primaryKey: true, logicalType: string, quality: [{metric: invalidValues, unit: percent,
               mustBeLessOrEqualTo: 5, arguments: {validValues: ["", null, "n/a"]}}]}
            """,
            [],
        ),
        # data-types/all-data-types: every type with its options
        (
            """
            - {name: key, logicalType: string, logicalTypeOptions: {minLength: 4, maxLength: 9, pattern: "A[0-9]+"}}
            - {name: day, logicalType: date, logicalTypeOptions: {exclusiveMinimum: "2020-01-01", format: yyyy-MM-dd}}
            - {name: at, logicalType: timestamp, logicalTypeOptions: {minimum: "2020-01-01 00:00:00+10:00",
               format: "yyyy-MM-dd HH:mm:ssZ", timezone: true, defaultTimezone: Australia/Sydney}}
            - {name: clock, logicalType: time, logicalTypeOptions: {maximum: "23:59:59", format: "HH:mm:ss"}}
            - {name: amount, physicalType: double, logicalType: number, logicalTypeOptions: {minimum: 0, format: f32}}
            - {name: age, logicalType: integer, logicalTypeOptions: {minimum: 18, exclusiveMaximum: 100, format: i64}}
            - {name: open, logicalType: boolean}
            - {name: latest, logicalType: array, logicalTypeOptions: {minItems: 0, maxItems: 3, uniqueItems: true}}
            - {name: more, logicalType: object, logicalTypeOptions: {required: [a], maxProperties: 5}}
            """,
            ["`required`", "`maxProperties`"],
        ),
        # schema/all-schema-types: lists of objects
        (
            """
            - {name: lines, logicalType: array, items: {logicalType: string}}
            - {name: places, logicalType: array, items: {logicalType: object, properties: [
               {name: id, logicalType: string, physicalType: VARCHAR(40)}]}}
            """,
            ["inside of column 'lines'", "inside of column 'places'"],
        ),
        # schema/table-columns-with-partition, tags, roles: what describes and demands nothing
        (
            """
            - {name: day, logicalType: date, partitioned: true, partitionKeyPosition: 1, classification: public,
               transformSourceObjects: [a], transformLogic: x, examples: ["2022-10-03"], tags: [], businessName: Day,
               relationships: [{to: days.id, type: foreignKey}], encryptedName: day_encrypted}
            """,
            ["`days.id`"],
        ),
    ],
)  # fmt: skip
def test_what_is_written_as_an_example_of_the_standard_is_loads(properties: str, unjudged: list[str]) -> None:
    columns, said = findings(shaped(properties), "readings")
    assert columns == len(yaml.safe_load(properties))
    assert [one.code for one in said] == ["contract-rule-unjudged"] * len(unjudged)
    assert all(named in one.message for named, one in zip(unjudged, said, strict=True))


def test_the_service_levels_of_the_example_are_promises_to_people_and_one_measure() -> None:
    levels = [
        {"property": "latency", "value": 4, "unit": "d", "element": "readings.day"},
        {"property": "generalAvailability", "value": "2022-05-12T09:30:10-08:00"},
        {"property": "retention", "value": 3, "unit": "y", "element": "readings.day"},
        {"property": "frequency", "value": 1, "valueExt": 1, "unit": "d", "element": "readings.day"},
        {"property": "timeOfAvailability", "value": "09:00-08:00", "element": "readings.day", "driver": "regulatory"},
    ]
    text = shaped("- {name: day, logicalType: date}", slaProperties=levels)
    assert [one.columns for one in read(parse(text, "c.yml")).contract.measures] == [("day",)]


@pytest.mark.parametrize("schema", [[], None])
def test_an_example_without_a_table_is_refused_as_no_contract_of_data(schema: object) -> None:
    text = yaml.safe_dump({**HEAD, "schema": schema}).encode()
    assert [one.message for one in findings(text, "x")[1]] == ["the contract has no `schema`"]
