from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from release_gate.commands.contract import command
from release_gate.commands.schema_check import command as schema_check
from release_gate.findings import BadInput
from tests.commands.test_schema_check import context
from tests.contracts.written import column, odcs


def run(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments), obj=context(home))


def refused(done: Result) -> str:
    assert isinstance(done.exception, BadInput)
    return done.exception.findings[0].code


@pytest.fixture
def home(tmp_path: Path) -> Path:
    pq.write_table(pa.table({"id": ["a", "b"], "km": [1.5, None]}), tmp_path / "rides.parquet")
    distance = column("km", "number", policy={"onNull": "keep"}, logicalTypeOptions={"minimum": 0})
    (tmp_path / "old.yml").write_bytes(odcs(column("id", "string", primaryKey=True), distance))
    return tmp_path


def test_a_drafted_contract_is_printed_or_written_and_keeps_its_data(home: Path) -> None:
    printed = run(home, "infer", "rides.parquet")
    written = run(home, "infer", "rides.parquet", "--out", "contracts/rides.yml")
    assert (printed.exit_code, written.exit_code) == (0, 0)
    assert (home / "contracts" / "rides.yml").read_text() == printed.stdout
    asked = ["--contract", "contracts/rides.yml", "--data", "rides.parquet"]
    assert CliRunner().invoke(schema_check, asked, obj=context(home)).exit_code == 0


def test_the_help_of_infer_says_that_a_contract_is_written(home: Path) -> None:
    shown = run(home, "infer", "--help").output
    assert "Write the contract (YAML)" in shown
    assert "verdict" not in shown


def test_a_contract_that_exists_is_not_replaced(home: Path) -> None:
    before = (home / "old.yml").read_bytes()
    done = run(home, "infer", "rides.parquet", "--out", "old.yml")
    assert refused(done) == "usage"
    assert isinstance(done.exception, BadInput)
    assert done.exception.findings[0].remedy == "Name another file, or move this one away first."
    assert (home / "old.yml").read_bytes() == before


def test_a_change_is_shown_with_the_version_it_needs(home: Path) -> None:
    (home / "new.yml").write_bytes(odcs(column("id", "string", primaryKey=True)))
    done = run(home, "diff", "old.yml", "new.yml")
    assert done.exit_code == 1
    assert "breaking  km" in done.stdout
    assert "contract-breaking-unbumped" in done.stdout
    assert "2.0.0: 1 change\n" in done.stdout or "1.0.0: 1 change\n" in done.stdout
    assert ": 1 column" in run(home, "show", "new.yml").stdout
    assert "2.0.0 or higher" in done.stdout


def test_a_change_with_its_version_is_fine_in_json_too(home: Path) -> None:
    (home / "new.yml").write_bytes(odcs(column("id", "string", primaryKey=True), version="2.0.0"))
    done = run(home, "diff", "old.yml", "new.yml", "--format", "json")
    assert done.exit_code == 0
    assert json.loads(done.stdout) == {
        "versions": {"old": "1.0.0", "new": "2.0.0", "enough": True},
        "changes": [{"weight": "breaking", "column": "km", "what": "the column is removed"}],
    }


def test_an_unchanged_contract_has_no_changes(home: Path) -> None:
    done = run(home, "diff", "old.yml", "old.yml")
    assert done.exit_code == 0
    assert "no changes" in done.stdout


@pytest.mark.parametrize("form", ["text", "markdown", "json"])
def test_a_contract_is_shown_in_every_form(home: Path, form: str) -> None:
    done = run(home, "show", "old.yml", "--format", form)
    assert done.exit_code == 0
    assert "at least 0" in done.stdout
    assert "The data team" in done.stdout or "the data team" in done.stdout


def test_what_a_contract_lacks_is_shown_with_it(home: Path) -> None:
    (home / "new.yml").write_bytes(
        odcs(column("id", "string", policy={"onNull": None, "onInvalid": None, "backfill": None}))
    )
    shown = run(home, "show", "new.yml").stdout
    assert shown.count("not declared") >= 3
    assert "contract-null-undeclared" in shown


def test_a_schema_in_python_is_refused_plainly(home: Path) -> None:
    assert refused(run(home, "show", "shop.schemas:Rides")) == "contract-python-unsupported"
    assert refused(run(home, "show", "nowhere.yml")) == "file-missing"
