"""docs/contracts.md holds: its contract is one, its keys and options exist, and its pipeline step does what it says."""

from __future__ import annotations

import datetime as dt
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from click.testing import CliRunner, Result

from release_gate.change_kinds import ContractChanges
from release_gate.commands import contract as contract_command
from release_gate.commands import schema_check
from release_gate.contracts.contract import Contract, Metric
from release_gate.contracts.reading import read
from release_gate.contracts.standards.odcs_columns import POLICY
from release_gate.documents import parse
from tests.commands.test_schema_check import context

PAGE = (Path(__file__).parents[2] / "docs" / "contracts.md").read_text()
EXAMPLE, WEIGHTS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
(STEP,) = re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)
CODE = "\n".join(re.findall(r"```(?:bash)?\n.*?```", PAGE, re.DOTALL))


def example() -> Contract:
    reading = read(parse(EXAMPLE.encode(), "contracts/rides.yml"))
    assert reading.findings == ()
    return reading.contract


def test_the_contract_of_the_page_lacks_nothing() -> None:
    contract = example()
    assert (contract.version, contract.owner, contract.key) == ("1.2.0", "@octo-air", ("ride",))
    assert {one.metric for one in contract.measures} == {Metric.AGE, Metric.NULLS}


def test_every_property_of_a_policy_is_on_the_page() -> None:
    table = PAGE.partition("| property | values |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == set(POLICY)


def test_the_weights_of_the_page_are_read() -> None:
    weights = ContractChanges.model_validate(yaml.safe_load(WEIGHTS)["contract_changes"])
    assert weights.weight("range-narrowed") == "breaking"
    assert weights.weight("range-widened") == "compatible"


def test_every_option_and_command_of_the_page_exists() -> None:
    known = {name for one in schema_check.command.params for name in one.opts}
    assert set(re.findall(r"(?<= )--[a-z]+", CODE)) <= known
    assert set(re.findall(r"release-gate contract ([a-z]+) ", CODE)) == set(contract_command.command.commands)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)  # from where `--out` counts
    return tmp_path


def made(home: Path, **columns: object) -> None:
    told: dict[str, Any] = {
        "ride": [f"R{n:08}" for n in range(1000)],
        "ended": pa.array([dt.datetime(2025, 12, 31, 12, tzinfo=dt.UTC)] * 1000, pa.timestamp("us", "UTC")),
        "km": pa.array([None, 3000.0, *range(998)], pa.float64()),
        **columns,
    }
    for folder in ("incoming", "clean", "accepted", "checked", "contracts"):
        (home / folder).mkdir(exist_ok=True)
    pq.write_table(pa.table(told), home / "incoming" / "rides.parquet")
    (home / "contracts" / "rides.yml").write_text(EXAMPLE)


def step(home: Path, *, accepted: bool) -> Result:
    (line,) = [line for line in STEP.replace("\\\n", " ").splitlines() if line.startswith("release-gate ")]
    words = shlex.split(line)[2:]
    if not accepted:
        place = words.index("--accepted")
        words = words[:place] + words[place + 2 :]
    return CliRunner().invoke(schema_check.command, words, obj=context(home))


def test_the_step_of_the_page_writes_what_is_declared_and_sees_drift_the_next_time(home: Path) -> None:
    made(home)
    done = step(home, accepted=False)
    assert done.exit_code == 0, done.output
    assert json.loads((home / "checked" / "rides.json").read_text())["outcome"] == "pass"
    kilometres = pq.read_table(home / "clean" / "rides.parquet").column("km").to_pylist()
    assert kilometres[:3] == [0, 2000, 0]
    (home / "checked" / "rides.json").rename(home / "accepted" / "rides.json")
    made(home, km=pa.array([None] * 40 + [1.0] * 960))
    assert step(home, accepted=True).exit_code == 1
    codes = [one["code"] for one in json.loads((home / "checked" / "rides.json").read_text())["findings"]]
    assert codes[0] == "null-share-drifted"


@pytest.mark.parametrize(("ride", "code"), [("R1", "value-pattern"), ("R00000001", "value-duplicate")])
def test_the_step_of_the_page_stops_at_what_is_rejected_and_writes_nothing(home: Path, ride: str, code: str) -> None:
    made(home, ride=[ride, *(f"R{n:08}" for n in range(1, 1000))])
    assert step(home, accepted=False).exit_code == 1
    assert not (home / "clean" / "rides.parquet").exists()
