"""The gate as a user calls it: a fault planted in a file or a contract, and the code that names exactly it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import click
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

from release_gate.caller import environments
from release_gate.caller.processes import Processes
from release_gate.codes import CODES
from release_gate.commands.context import Context
from release_gate.commands.schema_check import _quarantine_files, command
from release_gate.edges import Runner, Session
from release_gate.findings import BadInput
from release_gate.verdict import Outcome, Verdict
from tests.contracts.written import column, odcs, valid

CITIES = ("Oslo", "Bern", "Rome")


class Still:
    """A clock that stands."""

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing waits here")


def no_edge() -> Any:
    raise AssertionError("this gate needs no process and no network")


def context(home: Path, **environment: str) -> Context:
    runner: Callable[[], Runner] = no_edge
    session: Callable[[], Session] = no_edge
    return Context(Still(), runner, session, {"PATH": os.environ["PATH"], **environment}, home)


def described() -> dict[str, dict[str, Any]]:
    """The columns of a contract that `frame()` keeps."""
    return {
        "id": column("id", "string", primaryKey=True, logicalTypeOptions={"pattern": "^R[0-9]+$", "minLength": 2}),
        "started": column("started", "timestamp", physicalType="timestamp[us]"),
        "distance": column("distance", "number", logicalTypeOptions={"minimum": 0, "maximum": 500}),
        "stops": column("stops", "integer", policy={"onNull": "keep"}, logicalTypeOptions={"multipleOf": 1}),
        "city": column("city", "string", quality=valid(*CITIES)),
        "paid": column("paid", "boolean"),
    }


def frame(rows: int = 40) -> pd.DataFrame:
    numbers = list(range(rows))
    return pd.DataFrame(
        {
            "id": [f"R{n}" for n in numbers],
            "started": pd.to_datetime([f"2024-01-{1 + n % 28:02d}" for n in numbers]).astype("datetime64[us]"),
            "distance": [float(10 + n) for n in numbers],
            "stops": pd.array(numbers, dtype="Int64"),
            "city": [CITIES[n % 3] for n in numbers],
            "paid": [n % 2 == 0 for n in numbers],
        }
    )


class Bench:
    """A folder with one contract and one table, and what the gate says of them."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.columns = described()
        self.frame = frame()
        self.rest: dict[str, Any] = {}
        self.data = "rides.parquet"
        self.text: bytes | None = None

    def write(self) -> None:
        text = self.text if self.text is not None else odcs(*self.columns.values(), **self.rest)
        (self.home / "rides.yml").write_bytes(text)
        if self.data == "rides.parquet":
            self.frame.to_parquet(self.home / self.data, index=False)

    def run(self, *arguments: str, **environment: str) -> Verdict:
        self.write()
        asked = ["--contract", "rides.yml", "--data", self.data, "--format", "json", *arguments]
        done = CliRunner().invoke(command, asked, obj=context(self.home, **environment))
        verdict = Verdict.parse(done.stdout.encode())
        # What can't be read is the user's to mend: the verdict is an error and the status 2.
        assert done.exit_code == (2 if verdict.outcome is Outcome.ERROR else verdict.outcome.exit_code)
        return verdict

    def codes(self, *arguments: str, **environment: str) -> list[str]:
        """Codes of the verdict, without the note that there is no git here."""
        found = [one.code for one in self.run(*arguments, **environment).findings]
        return [code for code in found if code != "contract-base-absent"]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_good_data_passes_and_says_what_was_judged(bench: Bench) -> None:
    verdict = bench.run()
    assert verdict.outcome is Outcome.PASS
    assert [one.code for one in verdict.findings] == ["contract-base-absent"]
    assert [(one.kind, one.name) for one in verdict.subjects] == [("contract", "rides.yml"), ("data", "rides.parquet")]
    assert all(one.identity.startswith("sha256:") for one in verdict.subjects)
    (table,) = verdict.tables
    assert table.rows[3] == ["stops", "integer", "int64", 0, "keep", 0, "reject"]


def plant_quarantine(bench: Bench, share: str) -> None:
    bench.columns["distance"] = column(
        "distance", "number", policy={"onInvalid": f"quarantine up to {share}"}, logicalTypeOptions={"maximum": 500}
    )
    bench.frame.loc[[3, 7], "distance"] = 900.0


def plant_policy(bench: Bench, name: str, **policy: Any) -> None:
    bench.columns[name]["customProperties"] = column(name, "string", policy=policy)["customProperties"]


def drop(bench: Bench, name: str) -> None:
    bench.frame = bench.frame.drop(columns=name)


def put(name: str, value: Any) -> Callable[[Bench], None]:
    def plant(bench: Bench) -> None:
        bench.frame.loc[[3, 7], name] = value

    return plant


def become(name: str, change: Callable[[pd.Series[Any]], Any]) -> Callable[[Bench], None]:
    def plant(bench: Bench) -> None:
        bench.frame[name] = change(bench.frame[name])

    return plant


def csv(text: Callable[[pd.DataFrame], str]) -> Callable[[Bench], None]:
    def plant(bench: Bench) -> None:
        bench.data = "rides.csv"
        (bench.home / "rides.csv").write_text(text(bench.frame))

    return plant


def entry(name: str, **rest: Any) -> Callable[[Bench], None]:
    return lambda bench: bench.columns[name].update(rest)


def rest(**given: Any) -> Callable[[Bench], None]:
    return lambda bench: bench.rest.update(given)


def rows(**bound: int) -> Callable[[Bench], None]:
    return rest(quality=[{"metric": "rowCount", **bound}])


def folder(bench: Bench) -> None:
    bench.data = "folder.csv"
    (bench.home / "folder.csv").mkdir()


def plant_lists(bench: Bench) -> None:
    bench.columns["tags"] = column("tags", "array", logicalTypeOptions={"minItems": 1})
    bench.frame["tags"] = [["x"]] * 39 + [[]]


def plant_future(bench: Bench) -> None:
    bench.frame.loc[3, "started"] = pd.Timestamp("2199-01-01")
    bench.rest |= {"slaProperties": [{"property": "freshness", "value": 99, "unit": "y", "element": "rides.started"}]}


def plant_order(bench: Bench) -> None:
    bench.text = odcs(*bench.columns.values())
    contract = yaml.safe_load(bench.text)
    contract["schema"][0]["customProperties"] = [{"property": "ordered", "value": True}]
    bench.text = yaml.safe_dump(contract).encode()
    bench.frame = bench.frame[["started", "id", "distance", "stops", "city", "paid"]]


FAULTS: dict[str, Callable[[Bench], None]] = {
    "contract-format": lambda bench: setattr(bench, "text", b"rules: []"),
    "contract-invalid": entry("city", logicalType="strng"),
    "contract-unknown-key": entry("city", requierd=True),
    "contract-version-invalid": rest(version="1"),
    "contract-null-undeclared": lambda bench: plant_policy(bench, "city", onNull=None),
    "contract-invalid-undeclared": lambda bench: plant_policy(bench, "city", onInvalid=None),
    "contract-backfill-undocumented": lambda bench: plant_policy(bench, "city", backfill=None),
    "contract-backfill-drafted": lambda bench: plant_policy(bench, "city", backfill="DRAFT: say how"),
    "contract-contradictory": entry("stops", required=True),
    "contract-owner-missing": rest(team=None),
    "contract-rule-unjudged": rest(quality=[{"type": "custom", "engine": "soda", "implementation": "x"}]),
    "contract-query-refused": rest(quality=[{"type": "sql", "query": "drop table rides", "mustBe": 1}]),
    "config-syntax": lambda bench: setattr(bench, "text", b"kind: [DataContract"),
    "file-missing": lambda bench: setattr(bench, "data", "nowhere.csv"),
    "file-unreadable": csv(lambda _: "a,b\n1\n"),
    "table-format": folder,
    "table-delimiter": csv(lambda data: data.to_csv(index=False, sep=";")),
    "table-empty": lambda bench: setattr(bench, "frame", frame().head(0)),
    "rows-too-few": rows(mustBeGreaterThan=40),
    "rows-too-many": rows(mustBeLessThan=40),
    "column-missing": lambda bench: drop(bench, "city"),
    "column-repeated": csv(lambda data: data.assign(zz=1).to_csv(index=False).replace("zz", "stops", 1)),
    "column-undeclared": lambda bench: bench.frame.insert(0, "extra", 1),
    "column-type": become("distance", lambda one: one.astype("str")),
    "column-storage": become("started", lambda one: one.astype("datetime64[ns]")),
    "column-all-null": become("stops", lambda one: pd.array([None] * len(one), dtype="Int64")),
    "null-rejected": put("city", None),
    "null-handled": put("stops", None),
    "value-range": put("distance", 501.0),
    "value-set": put("city", "Paris"),
    "value-pattern": lambda bench: bench.frame.__setitem__("id", [f"X{n}" for n in range(40)]),
    "value-length": entry("id", logicalTypeOptions={"maxLength": 2}),
    "value-multiple": entry("stops", logicalTypeOptions={"multipleOf": 7}),
    "value-unreadable": csv(lambda data: data.to_csv(index=False).replace("10.0", "ten")),
    "value-duplicate": entry("city", unique=True),
    "key-duplicate": put("id", "R1"),
    "value-items": plant_lists,
    "measure-breached": entry("city", quality=[{"metric": "duplicateValues", "mustBeLessThan": 10}]),
    "measure-unjudgeable": rest(quality=[{"type": "sql", "query": "SELECT max(city) FROM {object}", "mustBe": 1}]),
    "data-stale": rest(slaProperties=[{"property": "freshness", "value": 1, "unit": "d", "element": "rides.started"}]),
    "data-ahead": plant_future,
    "null-drift-unknown": lambda bench: plant_policy(bench, "city", nullShareDrift="5%"),
    "column-order": plant_order,
    "rows-quarantined": lambda bench: plant_quarantine(bench, "5%"),
    "invalid-exceeded": lambda bench: plant_quarantine(bench, "4.9%"),
}


@pytest.mark.parametrize("code", FAULTS)
def test_a_planted_fault_yields_exactly_its_code(bench: Bench, code: str) -> None:
    FAULTS[code](bench)
    assert bench.codes() == [code]


def test_every_code_of_this_gate_has_a_test() -> None:
    elsewhere = {
        *("contract-breaking-unbumped", "contract-compatible-unbumped", "contract-editorial-unbumped"),
        *("contract-version-backwards", "contract-breaking", "contract-changed", "contract-base-absent"),
        *("contract-base-unreadable", "base-unknown", "base-unanswered", "contract-backfill-missing"),
        *("data-driver", "data-unreachable", "data-credentials", "data-query", "data-changed"),  # test_schema_data
        *("contract-python-unsupported", "contract-python-failed", "rule-unjudgeable", "invalid-handled"),
        *("null-share-drifted", "custom-check-failed", "custom-check-unrun", "data-written", "write-impossible"),
        *("data-changed", "data-driver", "data-unreachable", "data-query", "data-credentials"),
    }
    ours = {code for code, known in CODES.items() if known.gate == "schema-check"}
    assert ours <= set(FAULTS) | elsewhere


@pytest.mark.parametrize("behaviour", ["clip up to 4.9%", "set null up to 4.9%"])
def test_declared_behaviour_has_its_limit_too(bench: Bench, behaviour: str) -> None:
    plant_policy(bench, "distance", onInvalid=behaviour, onNull="impute")
    bench.frame.loc[[3, 7], "distance"] = 900.0
    assert bench.codes() == ["invalid-exceeded"]


@pytest.mark.parametrize("behaviour", ["clip", "set null", "set null up to 5%"])
def test_declared_behaviour_is_counted_and_blocks_nobody(bench: Bench, behaviour: str) -> None:
    plant_policy(bench, "distance", onInvalid=behaviour, onNull="impute")
    bench.frame.loc[[3, 7], "distance"] = 900.0
    (found,) = [one for one in bench.run().findings if one.code != "contract-base-absent"]
    assert found.code == "invalid-handled"
    assert "2 rows (5.00%) not at most 500" in found.message
    assert behaviour in found.message


def test_clipping_mends_no_value_outside_a_set(bench: Bench) -> None:
    bench.columns["stops"] = column(
        "stops",
        "integer",
        policy={"onInvalid": "clip"},
        logicalTypeOptions={"maximum": 500},
        quality=valid(*range(39), 500),
    )
    assert bench.codes() == ["value-set"]


def test_of_a_column_of_another_type_no_number_of_invalid_rows_is_told(bench: Bench) -> None:
    FAULTS["column-type"](bench)
    bench.columns["stops"] = column("stops", "integer", policy={"onNull": "keep"}, logicalTypeOptions={"maximum": 9})
    (table,) = bench.run().tables
    assert {row[0]: row[5] for row in table.rows} == {
        "id": 0, "started": 0, "distance": None, "stops": 30, "city": 0, "paid": 0
    }  # fmt: skip


def test_quarantined_rows_are_written_with_their_reasons(bench: Bench) -> None:
    plant_quarantine(bench, "5%")
    bench.columns["paid"] = column("paid", "boolean", policy={"sensitive": True})
    bench.frame.loc[7, "distance"] = -1.0
    bench.columns["distance"]["logicalTypeOptions"]["minimum"] = 0
    assert bench.run().outcome is Outcome.PASS
    (file,) = (bench.home / ".release-gate" / "run" / "quarantine").iterdir()
    written = pd.read_parquet(file)
    assert written["_row"].tolist() == [4, 8]
    assert written["_reasons"].tolist() == ["distance: not at most 500", "distance: not at least 0"]
    assert "paid" not in written.columns
    assert written["id"].tolist() == ["R3", "R7"]
    bench.frame = frame()
    bench.run()
    assert not file.exists(), "a file of an earlier run must not speak for this one"


def test_above_the_share_nothing_is_quarantined(bench: Bench) -> None:
    plant_quarantine(bench, "4%")
    assert bench.run().outcome is Outcome.FAIL
    assert not (bench.home / ".release-gate").exists()


def test_failing_rows_are_shown_by_key_and_value(bench: Bench) -> None:
    put("city", "Paris")(bench)
    (found,) = [one for one in bench.run().findings if one.code == "value-set"]
    assert found.evidence == {"rows": 2, "examples": ["row 4, id=R3, value Paris", "row 8, id=R7, value Paris"]}
    assert found.where.column == "city"


@pytest.mark.parametrize("behaviour", ["reject", "set null", "quarantine up to 50%"])
def test_sensitive_values_are_nowhere_in_the_output(bench: Bench, behaviour: str) -> None:
    plant_policy(bench, "city", sensitive=True, onInvalid=behaviour, onNull="keep")
    plant_policy(bench, "id", sensitive=True)
    bench.frame.loc[[3, 7], "city"] = "Sekret"
    bench.frame.loc[[3, 7], "id"] = "Sekret"
    verdict = bench.run()
    assert len([one for one in verdict.findings if one.where.column in {"city", "id"}]) >= 2
    assert b"Sekret" not in verdict.to_json()
    shown = CliRunner().invoke(command, ["--contract", "rides.yml", "--data", "rides.parquet"], obj=context(bench.home))
    assert "Sekret" not in shown.output
    for file in (bench.home / ".release-gate").rglob("*.parquet"):
        assert b"Sekret" not in file.read_bytes()


def test_files_in_folders_of_a_sensitive_column_are_named_by_number(tmp_path: Path) -> None:
    for day, who in enumerate(("ann", "bob")):
        folder = tmp_path / "days" / f"mail={who}@example.org"
        folder.mkdir(parents=True)
        pd.DataFrame({"a": [1, -1 - day]}).to_parquet(folder / "t.parquet")
    limited = column("a", "integer", policy={"onInvalid": "quarantine up to 60%"}, logicalTypeOptions={"minimum": 0})
    (tmp_path / "c.yml").write_bytes(odcs(limited, column("mail", "string", policy={"sensitive": True})))
    asked = ["--contract", "c.yml", "--data", "days/*/t.parquet", "--format", "json"]
    done = CliRunner().invoke(command, asked, obj=context(tmp_path))
    (found,) = [one for one in Verdict.parse(done.stdout.encode()).findings if one.code == "rows-quarantined"]
    assert found.evidence["examples"] == ["row 2 of file 1, value -1", "row 2 of file 2, value -2"]
    assert "example.org" not in done.stdout
    (file,) = (tmp_path / ".release-gate").rglob("*.parquet")
    assert pd.read_parquet(file)["_file"].tolist() == ["file 1", "file 2"]


def test_a_schema_in_python_is_refused_plainly(tmp_path: Path) -> None:
    frame().to_parquet(tmp_path / "x.parquet")
    asked = ["--contract", "shop.schemas:Rides", "--data", "x.parquet", "--format", "json"]
    done = CliRunner().invoke(command, asked, obj=context(tmp_path))
    (found,) = json.loads(done.stdout)["findings"]
    assert (done.exit_code, found["code"]) == (2, "contract-python-unsupported")
    assert "no lock file" in found["message"]
    assert "`uv lock`" in found["remedy"]


def test_half_of_the_stand_alone_form_is_bad_use(tmp_path: Path) -> None:
    done = CliRunner().invoke(command, ["--contract", "c.yml"], obj=context(tmp_path))
    assert done.exit_code == click.UsageError.exit_code
    assert "belong together" in done.output


def test_what_cannot_be_read_exits_with_2(bench: Bench) -> None:
    bench.text = b"kind: [DataContract"
    assert bench.run().outcome is Outcome.ERROR


CONFIG = {
    "version": 1,
    "model": "rides",
    "owner": "@octo-air",
    "candidate": {"train": "python t.py", "predict": "python p.py"},
    "evaluation": {"data": "rides.parquet", "key": "id", "label": "paid"},
    "thresholds": [{"metric": "roc_auc", "at_least": 0.5}],
}


def configured(bench: Bench, contracts: dict[str, str]) -> tuple[int, Verdict]:
    (bench.home / "release-gate.yml").write_text(yaml.safe_dump({**CONFIG, "contracts": contracts}))
    done = CliRunner().invoke(command, ["--format", "json"], obj=context(bench.home))
    kept = bench.home / ".release-gate" / "run" / "rides" / "verdicts" / "schema-check.json"
    return done.exit_code, Verdict.parse(kept.read_bytes())


def test_every_configured_contract_is_judged(bench: Bench) -> None:
    bench.write()
    frame().assign(city="Paris").to_parquet(bench.home / "two.parquet", index=False)
    (bench.home / "two.yml").write_bytes((bench.home / "rides.yml").read_bytes())
    status, verdict = configured(bench, {"rides.yml": "rides.parquet", "two.yml": "two.parquet"})
    assert (status, verdict.model, verdict.outcome) == (1, "rides", Outcome.FAIL)
    assert [one.where.table for one in verdict.findings if one.code == "value-set"] == ["two.parquet"]
    assert len(verdict.subjects) == 4
    assert len(verdict.tables) == 2


def test_a_contract_that_cannot_be_read_hides_nothing_of_the_others(bench: Bench) -> None:
    put("city", "Paris")(bench)
    bench.write()
    status, verdict = configured(bench, {"none.yml": "rides.parquet", "rides.yml": "rides.parquet"})
    assert (status, verdict.outcome) == (2, Outcome.ERROR)
    assert {"file-missing", "value-set"} <= {one.code for one in verdict.findings}


def git(home: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=octo-air", "-c", "user.email=octo-air@example.org", "-c", "commit.gpgsign=false"]
    command_line = ["git", "-C", str(home), *identity, *arguments]
    return subprocess.run(command_line, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def history(bench: Bench) -> Bench:
    """A repository whose only commit holds version 1.0.0."""
    bench.write()
    git(bench.home, "init", "-q", "-b", "main")
    git(bench.home, "add", "rides.yml")
    git(bench.home, "commit", "-qm", "contract")
    return bench


WIDER = {"logicalTypeOptions": {"minimum": 0, "maximum": 600}}
NARROWER = {"logicalTypeOptions": {"minimum": 0, "maximum": 400}}
TOLD = {"description": "in km"}


@pytest.mark.parametrize(
    ("change", "version", "codes"),
    [
        (WIDER, "1.0.0", ["contract-breaking-unbumped"]),
        (WIDER, "1.9.0", ["contract-breaking-unbumped"]),
        (WIDER, "2.0.0", ["contract-breaking"]),
        (NARROWER, "1.0.1", ["contract-compatible-unbumped"]),
        (NARROWER, "1.1.0", ["contract-changed"]),
        (TOLD, "1.0.0", ["contract-editorial-unbumped"]),
        (TOLD, "1.0.1", ["contract-changed"]),
        (TOLD, "0.9.9", ["contract-version-backwards"]),
        ({}, "1.0.0", []),
        ({}, "3.0.0", []),
    ],
)
def test_a_change_needs_its_version(history: Bench, change: dict[str, Any], version: str, codes: list[str]) -> None:
    history.columns["distance"].update(change)
    history.rest["version"] = version
    assert history.codes() == codes


def test_a_base_that_is_named_is_compared(history: Bench) -> None:
    first = git(history.home, "rev-parse", "HEAD").strip()
    history.columns["distance"].update(WIDER)
    history.rest["version"] = "2.0.0"
    history.write()
    git(history.home, "commit", "-qam", "wider")
    assert history.codes("--base", first) == ["contract-breaking"]
    assert history.codes("--base", "HEAD") == []


def test_a_base_that_is_unknown_is_refused(history: Bench) -> None:
    verdict = history.run("--base", "no-such-branch")
    assert [one.code for one in verdict.findings] == ["base-unknown"]


def test_a_base_that_cannot_be_read_is_said(history: Bench) -> None:
    (history.home / "rides.yml").write_text("kind: nonsense\n")
    git(history.home, "commit", "-qam", "broken")
    assert history.codes() == ["contract-base-unreadable"]


@pytest.mark.parametrize(
    ("text", "codes"),
    [("", ["table-empty"]), ("id,started,distance,stops,city,paid\n", ["table-empty"]),
     ("id,started\n", ["table-empty", *["column-missing"] * 4])],
)  # fmt: skip
def test_an_empty_csv_is_empty_before_anything_else(bench: Bench, text: str, codes: list[str]) -> None:
    bench.data = "rides.csv"
    (bench.home / bench.data).write_text(text)
    assert bench.codes() == codes


# Writing what the contract declares, and comparing with what was accepted before


def test_a_table_that_passes_is_written_as_declared(bench: Bench) -> None:
    plant_policy(bench, "stops", onNull={"impute": 3}, onInvalid="reject")
    plant_policy(bench, "distance", onInvalid="clip")
    bench.frame.loc[3, "stops"] = None
    bench.frame.loc[7, "distance"] = 900.0
    verdict = bench.run("--write", "clean.parquet")
    (told,) = [one for one in verdict.findings if one.code == "data-written"]
    assert "40 rows written to clean.parquet" in told.message
    clean = pd.read_parquet(bench.home / "clean.parquet")
    assert (clean.loc[3, "stops"], clean.loc[7, "distance"], len(clean)) == (3, 500.0, 40)
    before = (bench.home / "clean.parquet").read_bytes()
    bench.frame = clean
    bench.run("--write", "again.parquet")
    assert pd.read_parquet(bench.home / "again.parquet").equals(clean)
    assert before == (bench.home / "clean.parquet").read_bytes()


def test_a_table_that_fails_is_not_written_and_what_was_there_stays(bench: Bench) -> None:
    (bench.home / "clean.parquet").write_text("yesterday's")
    FAULTS["value-set"](bench)
    assert bench.codes("--write", "clean.parquet") == ["value-set"]
    assert (bench.home / "clean.parquet").read_text() == "yesterday's"


def test_a_behaviour_without_its_value_is_not_applied(bench: Bench) -> None:
    plant_policy(bench, "stops", onNull="impute")
    assert bench.codes("--write", "clean.parquet") == ["write-impossible"]
    assert not (bench.home / "clean.parquet").exists()


def test_the_share_of_nulls_is_compared_with_the_last_accepted_data(bench: Bench) -> None:
    plant_policy(bench, "stops", onNull="keep", nullShareDrift="5%")
    bench.run("--out", str(bench.home / "accepted.json"))
    bench.frame.loc[[1, 2], "stops"] = None
    assert bench.codes("--accepted", "accepted.json") == ["null-handled"]
    bench.frame.loc[[3], "stops"] = None
    assert bench.codes("--accepted", "accepted.json") == ["null-share-drifted", "null-handled"]
    foreign = json.loads((bench.home / "accepted.json").read_text())
    foreign["subjects"][0]["name"] = "contracts/others.yml"
    (bench.home / "foreign.json").write_text(json.dumps(foreign))
    assert bench.codes("--accepted", "foreign.json") == ["file-unreadable"]
    plant_policy(bench, "stops", onNull="keep")
    bench.run("--out", str(bench.home / "other.json"))
    plant_policy(bench, "stops", onNull="keep", nullShareDrift="5%")
    for name, code in (
        ("nowhere.json", "file-missing"),
        ("other.json", "file-unreadable"),
        ("rides.yml", "file-unreadable"),
    ):
        assert bench.codes("--accepted", name) == [code]
    plant_policy(bench, "stops", onNull="keep")  # nothing is watched: what is named must be there all the same
    assert bench.codes("--accepted", "nowhere.json") == ["file-missing"]
    assert bench.codes("--accepted", "other.json") == ["null-handled"]


def test_a_footer_and_every_row_tell_the_same(bench: Bench) -> None:
    for fault in ("value-range", "null-rejected", "key-duplicate"):
        other = Bench(bench.home)
        FAULTS[fault](other)
        quick, exact = other.run(), other.run("--exact")
        assert [one.message for one in quick.findings] == [one.message for one in exact.findings]


@pytest.fixture
def own_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    """A caller whose environment is this Python, with its lock file."""

    def given(root: Path, *_: object, **__: object) -> environments.Environment:
        return environments.given_environment(Path(sys.executable), root)

    monkeypatch.setattr(environments, "development_environment", given)
    (tmp_path / "requirements.txt").write_text("pandera==0.35.0\n")
    return replace(context(tmp_path), runner=lambda: Processes(dict(os.environ)))


def test_checks_in_python_run_in_the_callers_environment(bench: Bench, own_python: Context) -> None:
    (bench.home / "shop.py").write_text(
        "import pandera.pandas as pa\n"
        "no_r3 = pa.Check(lambda v: v != 'R3', element_wise=True, name='no_r3')\n"
        "broken = pa.Check(lambda s: s.no_such_thing, name='broken')\n"
        "rides = pa.DataFrameSchema({'id': pa.Column(str, [no_r3, pa.Check.str_startswith('R'), broken])})\n"
    )
    bench.write()
    asked = ["--contract", "shop:rides", "--data", "rides.parquet", "--format", "json"]
    done = CliRunner().invoke(command, asked, obj=own_python)
    found = {one.code: one for one in Verdict.parse(done.stdout.encode()).findings}
    assert found["custom-check-failed"].message == "1 row fails the check `no_r3`, such as 'R3' in row 4"
    assert "no_such_thing" in found["custom-check-unrun"].message
    assert "value-pattern" not in found
    assert done.exit_code == 1


def test_rows_that_cannot_be_handed_over_leave_their_checks_unrun_and_the_rest_judged(
    tmp_path: Path, own_python: Context
) -> None:
    (tmp_path / "shop.py").write_text(
        "import pandera.pandas as pa\n"
        "odd = pa.Check(lambda s: s % 2 == 1, name='odd')\n"
        "rides = pa.DataFrameSchema({'number': pa.Column(int, odd), 'stops': pa.Column(int, pa.Check.ge(0))})\n"
    )
    (tmp_path / "rides.csv").write_text("number,stops,more,more\n1,-1,2,2\n")
    asked = ["--contract", "shop:rides", "--data", "rides.csv", "--format", "json"]
    done = CliRunner().invoke(command, asked, obj=own_python)
    found = {one.code: one.message for one in Verdict.parse(done.stdout.encode()).findings}
    why = "the rows can't be handed over: a column stands there more than once"
    assert found["custom-check-unrun"] == f"the check `odd` could not be run: {why}"
    assert "value-range" in found


def test_what_is_written_keeps_the_checks_in_python_too(tmp_path: Path, own_python: Context) -> None:
    (tmp_path / "shop.py").write_text(
        "import pandera.pandas as pa\n"
        "said = {'on_null': 'impute 0', 'on_invalid': 'reject', 'backfill': 'Exported again by octo-air'}\n"
        "whole = {'version': '1.0.0', 'owner': '@octo-air'}\n"
        "above = pa.Check(lambda s: s > 0, name='above')\n"
        "fine = pa.Check(lambda s: s > -1, name='fine')\n"
        "bad = pa.DataFrameSchema({'km': pa.Column(float, above, nullable=True, metadata=said)}, metadata=whole)\n"
        "good = pa.DataFrameSchema({'km': pa.Column(float, fine, nullable=True, metadata=said)}, metadata=whole)\n"
    )
    pd.DataFrame({"km": [1.0, None, 3.0]}).to_parquet(tmp_path / "rides.parquet")
    told = {}
    for name in ("bad", "good"):
        asked = ["--contract", f"shop:{name}", "--data", "rides.parquet", "--format", "json", "--write", "out.parquet"]
        done = CliRunner().invoke(command, asked, obj=own_python)
        told[name] = {one.code: one.message for one in Verdict.parse(done.stdout.encode()).findings}
        assert (tmp_path / "out.parquet").exists() is (name == "good")
    assert "1 row fails the check `above`" in told["bad"]["write-impossible"]
    assert "data-written" in told["good"]


@pytest.mark.parametrize("name", ["rides.csv", "rides.csv.gz"])
def test_checks_in_python_of_a_text_file_see_what_the_contract_reads(
    tmp_path: Path, own_python: Context, name: str
) -> None:
    (tmp_path / "shop.py").write_text(
        "import pandera.pandas as pa\n"
        "rides = pa.DataFrameSchema({\n"
        "    'code': pa.Column(str, pa.Check(lambda s: s != '007', name='no 007')),\n"
        "    'country': pa.Column(str, pa.Check(lambda s: s != 'NA', name='no NA')),\n"
        "    'paid': pa.Column(bool, pa.Check(lambda s: s, name='paid')),\n"
        "    'more': pa.Column(int, pa.Check(lambda s: s > 0, name='more'), required=False),\n"
        "})\n"
    )
    text = "code,country,paid\n007,NA,false\n008,NO,true\n"
    pd.read_csv(StringIO(text), dtype=str, keep_default_na=False).to_csv(tmp_path / name, index=False)
    asked = ["--contract", "shop:rides", "--data", name, "--format", "json"]
    done = CliRunner().invoke(command, asked, obj=own_python)
    found = [one.message for one in Verdict.parse(done.stdout.encode()).findings if one.code.startswith("custom-")]
    assert found == [
        "1 row fails the check `no 007`, such as '007' in row 1",
        "1 row fails the check `no NA`, such as 'NA' in row 1",
        "1 row fails the check `paid`, such as 'False' in row 1",
    ]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("rides.parquet", "usage"), ("rides.yml", "usage"), ("./rides.parquet", "usage"), ("clean.csv", "usage"),
        ("accepted.parquet", "usage"), ("out.parquet", "usage"),
    ],
)  # fmt: skip
def test_nothing_that_is_read_is_written_over(bench: Bench, name: str, code: str) -> None:
    bench.write()
    before = {one.name: one.read_bytes() for one in bench.home.iterdir()}
    asked = ["--contract", "rides.yml", "--data", "rides.parquet", "--write", name, "--accepted", "accepted.parquet"]
    done = CliRunner().invoke(command, [*asked, "--out", "out.parquet"], obj=context(bench.home))
    assert isinstance(done.exception, BadInput)
    assert done.exception.findings[0].code == code
    assert {one.name: one.read_bytes() for one in bench.home.iterdir()} == before


def test_a_file_that_the_pattern_of_the_data_names_is_not_written(bench: Bench) -> None:
    bench.write()
    asked = ["--contract", "rides.yml", "--data", "*.parquet", "--write", "new.parquet"]
    done = CliRunner().invoke(command, asked, obj=context(bench.home))
    assert isinstance(done.exception, BadInput)
    assert not (bench.home / "new.parquet").exists()


def too_few_left(bench: Bench) -> None:
    plant_quarantine(bench, "5%")
    bench.rest["quality"] = [{"metric": "rowCount", "mustBeGreaterOrEqualTo": 40}]


def the_same_twice(bench: Bench) -> None:
    bench.columns["stops"] = column("stops", "integer", policy={"onNull": {"impute": 5}}, unique=True)
    bench.frame.loc[3, "stops"] = None


def a_fraction(bench: Bench) -> None:
    bench.columns["stops"] = column("stops", "number", policy={"onNull": {"impute": 0.5}})
    bench.frame.loc[3, "stops"] = None


@pytest.mark.parametrize("plant", [too_few_left, the_same_twice, a_fraction])
def test_what_would_not_keep_the_contract_itself_is_not_written(bench: Bench, plant: Callable[[Bench], None]) -> None:
    plant(bench)
    assert "write-impossible" not in bench.codes()
    assert "write-impossible" in bench.codes("--write", "clean.parquet")
    assert not (bench.home / "clean.parquet").exists()


def test_a_contract_that_is_wrong_writes_nothing(bench: Bench) -> None:
    plant_policy(bench, "stops", onNull={"impute": "none"})
    assert bench.codes("--write", "clean.parquet") == ["contract-contradictory"]
    assert not (bench.home / "clean.parquet").exists()


def test_nested_values_are_written_as_they_stand(bench: Bench) -> None:
    bench.columns["tags"] = column("tags", "array")
    bench.columns["seat"] = column("seat", "object", properties=[])
    nested: dict[str, Any] = {"tags": [["x", "y"]] * 40, "seat": [{"row": n} for n in range(40)]}
    bench.frame = bench.frame.assign(**nested)
    bench.run("--write", "clean.parquet")
    clean = pd.read_parquet(bench.home / "clean.parquet")
    assert clean["seat"].tolist() == bench.frame["seat"].tolist()
    assert [list(one) for one in clean["tags"]] == bench.frame["tags"].tolist()


def test_quarantines_of_tables_of_one_name_stand_beside_each_other(bench: Bench) -> None:
    plant_quarantine(bench, "5%")
    bench.write()
    places = ["a/rides.parquet", "b/rides.parquet", "days/*.parquet", "rides.csv", "sqlite://x#table=../y"]
    names = _quarantine_files([("rides.yml", place) for place in places])
    assert len(set(names)) == 5
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+\.parquet", name) for name in names)
    two = [("rides.yml", "data/rides.parquet"), ("days.yml", "data/days.parquet")]
    assert _quarantine_files(two) == ["rides.parquet", "days.parquet"]
    assert len(set(_quarantine_files([("rides.yml", "r.parquet"), ("more.yml", "r.parquet")]))) == 2
    (told,) = [one for one in bench.run().findings if one.code == "rows-quarantined"]
    assert re.search(r"; the rows are in \.release-gate/run/quarantine/rides-[0-9a-f]{8}\.parquet$", told.message)


def test_rows_of_two_days_judged_one_after_the_other_are_both_kept(bench: Bench) -> None:
    plant_quarantine(bench, "5%")
    for day in ("monday", "tuesday"):
        (bench.home / day).mkdir()
        bench.write()
        (bench.home / "rides.parquet").rename(bench.home / day / "rides.parquet")
        bench.data = f"{day}/rides.parquet"
        (told,) = [one for one in bench.run().findings if one.code == "rows-quarantined"]
        bench.data = "rides.parquet"
    files = sorted((bench.home / ".release-gate" / "run" / "quarantine").iterdir())
    assert len(files) == 2
    assert all(re.fullmatch(r"rides-[0-9a-f]{8}\.parquet", one.name) for one in files)
    assert told.message.rpartition("/")[2] in {one.name for one in files}


def test_a_verdict_that_did_not_pass_is_no_baseline(bench: Bench) -> None:
    plant_policy(bench, "stops", onNull="keep", nullShareDrift="5%")
    FAULTS["value-set"](bench)
    bench.run("--out", str(bench.home / "failed.json"))
    assert "file-unreadable" in bench.codes("--accepted", "failed.json")
