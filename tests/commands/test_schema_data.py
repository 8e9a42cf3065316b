"""schema-check on data that is no file of the repository: databases, URLs, Delta tables, as a user calls it."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from release_gate.commands.contract_reading import read_contract
from release_gate.commands.schema_check import command
from release_gate.contracts import reading
from tests.commands.test_schema_check import context
from tests.contracts.written import column, odcs

pytestmark = pytest.mark.filterwarnings("ignore")  # Ibis asks its engines in ways that they call old


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "c.yml").write_bytes(odcs(column("a", "integer", primaryKey=True, logicalTypeOptions={"minimum": 0})))
    connection = sqlite3.connect(tmp_path / "t.db")
    connection.execute("CREATE TABLE rides(a bigint)")
    connection.executemany("INSERT INTO rides VALUES (?)", [(1,), (2,), (-3,)])
    connection.commit()
    connection.close()
    return tmp_path


def asked(home: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    options = ["--contract", "c.yml", "--format", "json", *arguments]
    done = CliRunner().invoke(command, options, obj=context(home), catch_exceptions=False)
    start = done.stdout.find("{")
    assert start >= 0, done.output
    verdict: dict[str, Any] = json.loads(done.stdout[start:])
    return done.exit_code, verdict


def codes(verdict: dict[str, Any]) -> set[str]:
    return {found["code"] for found in verdict["findings"] if found["severity"] == "error"}


def test_a_table_of_a_database_is_judged_and_named(home: Path) -> None:
    code, verdict = asked(home, "--data", "sqlite://t.db", "--table", "rides")
    assert (code, codes(verdict)) == (1, {"value-range"})
    (data,) = [one for one in verdict["subjects"] if one["kind"] == "data"]
    assert (data["name"], data["identity"]) == ("sqlite://t.db#table=rides", "read:2026-01-01T00:00:00+00:00")


def test_a_select_is_judged(home: Path) -> None:
    code, verdict = asked(home, "--data", "sqlite://t.db", "--sql", "SELECT a FROM rides WHERE a > 0")
    assert (code, codes(verdict)) == (0, set())


def test_a_delta_table_is_named_by_its_version(home: Path) -> None:
    from deltalake import write_deltalake

    write_deltalake(str(home / "rides"), pa.table({"a": [1, 2]}))
    code, verdict = asked(home, "--data", "rides")
    assert (code, codes(verdict)) == (0, set())
    assert {"kind": "data", "name": "rides", "identity": "delta:0"} in verdict["subjects"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--data", "sqlite://t.db"], "data-query"),
        (["--data", "sqlite://t.db", "--sql", "DELETE FROM rides"], "data-query"),
        (["--data", "t.parquet", "--table", "rides"], "data-query"),
        (["--data", "sqlite://t.db", "--table", "other"], "data-unreachable"),
        (["--data", "nothing://host/db", "--table", "rides"], "data-driver"),
        (["--data", "s3://bucket/t.parquet"], "data-credentials"),
        (["--data", "http://127.0.0.1:1/t.parquet"], "data-unreachable"),
    ],
)
def test_data_that_can_not_be_asked_is_an_error_with_its_code(home: Path, arguments: list[str], code: str) -> None:
    exit_code, verdict = asked(home, *arguments)
    assert exit_code == 2
    assert codes(verdict) == {code}


def test_data_that_changes_while_it_is_read_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from release_gate.tables import scan

    pq.write_table(pa.table({"a": [1, 2]}), home / "t.parquet")
    counted = scan.scanned

    def rewriting(*arguments: Any, **options: Any) -> Any:
        found = counted(*arguments, **options)
        pq.write_table(pa.table({"a": [-1]}), home / "t.parquet")
        return found

    monkeypatch.setattr(scan, "scanned", rewriting)
    exit_code, verdict = asked(home, "--data", "t.parquet")
    assert exit_code == 2
    assert codes(verdict) == {"data-changed"}


def test_a_contract_is_named_by_the_bytes_that_were_read(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, before = reading.read, (home / "c.yml").read_bytes()

    def rewriting(*arguments: Any) -> Any:
        (home / "c.yml").write_bytes(before + b"# another\n")
        return read(*arguments)

    monkeypatch.setattr(reading, "read", rewriting)
    source = read_contract(context(home), home, "c.yml")
    assert source.identity == f"sha256:{hashlib.sha256(before).hexdigest()}"
