from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from click.testing import CliRunner, Result

from release_gate import config as configuration
from release_gate.caller import environments
from release_gate.caller.processes import Processes
from release_gate.commands.context import Place
from release_gate.commands.contract import command
from release_gate.commands.schema_check import command as schema_check
from release_gate.commands.schema_check import gate
from release_gate.documents import parse
from release_gate.findings import BadInput
from tests.commands.test_schema_check import context
from tests.contracts.written import column, odcs
from tests.test_config import SMALLEST


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


def test_the_draft_names_its_owner(home: Path) -> None:
    assert "owner" not in run(home, "infer", "rides.parquet").stdout
    assert 'value: "@octo-air"' in run(home, "infer", "rides.parquet", "--owner", "@octo-air").stdout
    (home / "CODEOWNERS").write_text("* @octo-air/data\n")
    assert "@octo-air/data" in run(home, "infer", "rides.parquet").stdout


def test_a_drafted_contract_is_printed_or_written_and_keeps_its_data(home: Path) -> None:
    printed = run(home, "infer", "rides.parquet")
    written = run(home, "infer", "rides.parquet", "--out", "contracts/rides.yml")
    assert (printed.exit_code, written.exit_code) == (0, 0)
    assert (home / "contracts" / "rides.yml").read_text() == printed.stdout
    asked = ["--contract", "contracts/rides.yml", "--data", "rides.parquet"]
    assert CliRunner().invoke(schema_check, asked, obj=context(home)).exit_code == 0


def test_memory_is_a_size(home: Path) -> None:
    assert run(home, "infer", "rides.parquet", "--memory", "100MB").exit_code == 0
    assert "a size is a number with a unit" in run(home, "infer", "rides.parquet", "--memory", "much").output


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
    assert "column-removed  km      the column is removed  breaking  compatible  breaking" in done.stdout
    assert "contract-breaking-unbumped" in done.stdout
    assert "old.yml 1.0.0 → new.yml 1.0.0: 1 change, which asks for 2.0.0\n" in done.stdout
    assert ": 1 column" in run(home, "show", "new.yml").stdout
    assert "2.0.0 or higher" in done.stdout


def test_a_change_with_its_version_is_fine_in_json_too(home: Path) -> None:
    (home / "new.yml").write_bytes(odcs(column("id", "string", primaryKey=True), version="2.0.0"))
    done = run(home, "diff", "old.yml", "new.yml", "--format", "json")
    assert done.exit_code == 0
    assert json.loads(done.stdout) == {
        "versions": {"old": "1.0.0", "new": "2.0.0", "demanded": "2.0.0", "enough": True},
        "changes": [
            {
                "change": "column-removed",
                "column": "km",
                "what": "the column is removed",
                "readers": "breaking",
                "writers": "compatible",
                "weight": "breaking",
            }
        ],
        "findings": [],
    }


def committed(home: Path) -> None:
    who = ("-c", "user.name=octo-air", "-c", "user.email=octo-air@example.org")
    for words in (("init", "--initial-branch=main"), ("add", "old.yml"), ("commit", "-m", "A contract")):
        subprocess.run(["git", "-C", str(home), *who, *words], check=True, capture_output=True)


@pytest.mark.parametrize(
    ("changes", "expected"), [({}, "contract-breaking-unbumped"), ({"for": "writers"}, "contract-changed")]
)
def test_the_gate_weighs_changes_as_the_model_declares(home: Path, changes: dict[str, str], expected: str) -> None:
    committed(home)
    (home / "old.yml").write_bytes(odcs(column("id", "string", primaryKey=True), version="1.1.0"))
    told = {**yaml.safe_load(SMALLEST), "contracts": {"old.yml": "rides.parquet"}, "contract_changes": changes}
    (model,) = configuration.parsed(parse(yaml.safe_dump(told).encode(), "release-gate.yml")).models
    verdict = gate(context(home), model, Place(root=home, run=home / "run"))
    assert expected in [one.code for one in verdict.findings]


def test_whose_break_counts_is_asked_or_configured(home: Path) -> None:
    (home / "new.yml").write_bytes(odcs(column("id", "string", primaryKey=True), version="1.1.0"))
    assert run(home, "diff", "old.yml", "new.yml").exit_code == 1
    assert run(home, "diff", "old.yml", "new.yml", "--for", "writers").exit_code == 0
    configured = {**yaml.safe_load(SMALLEST), "contracts": {"./new.yml": "rides.parquet"}}
    (home / "release-gate.yml").write_text(yaml.safe_dump({**configured, "contract_changes": {"for": "writers"}}))
    assert run(home, "diff", "old.yml", "new.yml").exit_code == 0
    assert run(home, "diff", "old.yml", "new.yml", "--for", "both").exit_code == 1
    assert run(home, "diff", "new.yml", "old.yml").exit_code == 1
    weights = {"severities": {"column-removed": "editorial"}}
    (home / "release-gate.yml").write_text(yaml.safe_dump({**configured, "contract_changes": weights}))
    assert run(home, "diff", "old.yml", "new.yml").exit_code == 0


def test_the_old_contract_may_be_of_another_revision(home: Path) -> None:
    committed(home)
    (home / "old.yml").write_bytes(odcs(column("id", "string", primaryKey=True), version="2.0.0"))
    done = run(home, "diff", "main:old.yml", "old.yml")
    assert (done.exit_code, "main:old.yml 1.0.0 → old.yml 2.0.0: 1 change" in done.stdout) == (0, True)
    assert refused(run(home, "diff", "nowhere:old.yml", "old.yml")) == "base-unknown"
    assert refused(run(home, "diff", "main:new.yml", "old.yml")) == "file-missing"


def test_what_is_missing_beside_the_version_is_told_in_every_form(home: Path) -> None:
    before = odcs(column("id", "string", primaryKey=True))
    after = odcs(column("id", "string", primaryKey=True), column("new|*x*", "string"), version="1.1.0")
    (home / "old.yml").write_bytes(before)
    (home / "new.yml").write_bytes(after)
    assert "contract-backfill-missing" in run(home, "diff", "old.yml", "new.yml").stdout
    told = run(home, "diff", "old.yml", "new.yml", "--format", "markdown").stdout
    assert "`contract-backfill-missing`" in told
    assert "*x*" not in told
    found = json.loads(run(home, "diff", "old.yml", "new.yml", "--format", "json").stdout)
    assert found["versions"]["enough"]
    assert [one["code"] for one in found["findings"]] == ["contract-backfill-missing"]


@pytest.mark.parametrize(
    ("version", "code"),
    [
        ("2", "contract-version-invalid"),
        ("1.0", "contract-version-invalid"),
        (1.0, "contract-version-invalid"),
        ("", "contract-version-invalid"),
        ("1.0.0", "contract-breaking-unbumped"),
        ("0.9.0", "contract-version-backwards"),
    ],
)
def test_a_version_that_is_none_or_was_not_raised_fails_the_comparison(home: Path, version: object, code: str) -> None:
    (home / "new.yml").write_bytes(odcs(column("id", "string", primaryKey=True), version=version))
    done = run(home, "diff", "old.yml", "new.yml")
    assert (done.exit_code, f"error [{code}]" in done.stdout) == (1, True)
    told = json.loads(run(home, "diff", "old.yml", "new.yml", "--format", "json").stdout)
    assert [one["code"] for one in told["findings"]] == [code]
    assert (told["versions"]["demanded"], told["versions"]["enough"]) == ("2.0.0", False)


def test_a_version_that_is_none_fails_without_any_change_too(home: Path) -> None:
    (home / "new.yml").write_bytes((home / "old.yml").read_bytes().replace(b"1.0.0", b"'2'"))
    done = run(home, "diff", "old.yml", "new.yml")
    assert (done.exit_code, "no changes" in done.stdout, "contract-version-invalid" in done.stdout) == (1, True, True)


def test_an_unchanged_contract_has_no_changes(home: Path) -> None:
    done = run(home, "diff", "old.yml", "old.yml")
    assert done.exit_code == 0
    assert "no changes" in done.stdout


@pytest.mark.parametrize("form", ["text", "markdown", "json"])
def test_a_contract_is_shown_in_every_form(home: Path, form: str) -> None:
    done = run(home, "show", "old.yml", "--format", form)
    assert done.exit_code == 0
    assert "at least" in done.stdout
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


def test_a_schema_in_python_is_imported_from_the_callers_environment(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def given(root: Path, *_: object, **__: object) -> environments.Environment:
        return environments.given_environment(Path(sys.executable), root)

    monkeypatch.setattr(environments, "development_environment", given)
    (home / "requirements.txt").write_text("pandera==0.35.0\n")
    (home / "shop.py").write_text(
        "import pandera.pandas as pa\n"
        "rides = pa.DataFrameSchema({'id': pa.Column(str, pa.Check(lambda v: v != '', element_wise=True))})\n"
    )
    given_context = replace(context(home), runner=lambda: Processes(dict(os.environ)))
    done = CliRunner().invoke(command, ["show", "shop:rides", "--format", "json"], obj=given_context)
    assert done.exit_code == 0, done.exception
    assert json.loads(done.stdout)["columns"][0]["column"] == "id"
    wrong = CliRunner().invoke(command, ["show", "shop:ride"], obj=given_context)
    assert refused(wrong) == "contract-python-failed"
