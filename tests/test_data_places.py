"""Places of data, as people write them."""

from __future__ import annotations

import jsonschema
import pytest
import yaml

from release_gate import config
from release_gate.data_places import connection_of, connection_text, scheme_of, without_secrets
from release_gate.documents import parse
from release_gate.findings import BadInput
from tests.test_config import SMALLEST


def test_a_database_is_one_text_that_reads_back() -> None:
    written = {"connection": "postgres://host/db?sslmode=require", "sql": "SELECT a, '#&=' FROM \"t\" WHERE a > 1"}
    text = connection_text(written)
    assert isinstance(text, str)
    place = connection_of(text)
    assert place is not None
    assert (place.url, place.table, place.sql) == (written["connection"], None, written["sql"])
    assert str(place) == text


@pytest.mark.parametrize("data", ["a.parquet", "days/*.csv", "https://host/a.parquet", "s3://b/a", "c:/x.csv", "/a//b"])
def test_files_are_no_database(data: str) -> None:
    assert connection_of(data) is None
    assert connection_text(data) == data


@pytest.mark.parametrize(
    "written",
    [
        {"connection": "postgres://h/d"},
        {"connection": "postgres://h/d", "table": "t", "sql": "SELECT 1"},
        {"connection": "a.parquet", "table": "t"},
        {"table": "t"},
        {"connection": "postgres://h/d", "tabel": "t"},
        {"connection": "postgres://h/d", "table": 1},
    ],
)
def test_a_mapping_that_names_no_table_is_refused(written: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="data in a database"):
        connection_text(written)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgres://me:p@ss:w@host/d", "postgres://me:***@host/d"),
        ("postgres://me@host/d", "postgres://me@host/d"),
        ("https://h/a.csv?X-Amz-Signature=1&b=2", "https://h/a.csv?X-Amz-Signature=***&b=2"),
        ("snowflake://me:p@acc/d?warehouse=w&token=t", "snowflake://me:***@acc/d?warehouse=w&token=***"),
        ("https://h/a.csv?b=2", "https://h/a.csv?b=2"),
    ],
)
def test_secrets_are_not_shown(url: str, shown: str) -> None:
    assert without_secrets(url) == shown


def test_a_letter_of_a_drive_is_no_protocol() -> None:
    assert scheme_of("c:/x.csv") is None


def test_a_configuration_names_a_table_of_a_database_and_the_engine() -> None:
    place = "{connection: 'postgres://h/d', table: s.t}"
    text = SMALLEST.replace("data/flights.parquet}", f"{place}}}\nengine: spark")
    (model,) = config.parsed(parse(text.encode(), "release-gate.yml")).models
    assert dict(model.contracts) == {"contracts/flights.yml": "postgres://h/d#table=s.t"}
    assert model.engine == "spark"
    jsonschema.validate(yaml.safe_load(text), config.json_schema())


def test_a_configuration_that_names_no_table_is_told_so_at_its_place() -> None:
    text = SMALLEST.replace("data/flights.parquet}", "{connection: 'postgres://h/d'}}")
    with pytest.raises(BadInput) as caught:
        config.parsed(parse(text.encode(), "release-gate.yml"))
    (found,) = caught.value.findings
    assert found.code == "config-invalid"
    assert found.where.line == 4
    assert "`table` or `sql`" in found.message
