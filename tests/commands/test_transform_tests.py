"""The command as a user calls it, on a small repository with real rows, tests and processes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from release_gate.caller.processes import Processes
from release_gate.cli import SystemClock
from release_gate.commands.context import Context
from release_gate.commands.transform_tests import command
from release_gate.verdict import Outcome, Severity, Verdict

CONFIG = """version: 1
model: tiny
owner: "@octo-air"
contracts: {contracts/rows.yml: rows.parquet}
TRANSFORMS
candidate: {train: "python -m train {out}", predict: "python -m predict {data} {out}"}
evaluation: {data: rows.parquet, key: id, label: late}
thresholds: [{metric: roc_auc, at_least: 0.5}]
"""
TRANSFORMS = (
    "transforms: {training: features:training, serving: features:serving, fuzz: {rows: 0}, mutation: {mutants: 0}}"
)
FEATURES = """
def training(frame):
    return frame.assign(double=frame["x"] * 2)[["double"]]

def serving(frame):
    return training(frame)
"""
TESTS = """
import pandas as pd
from features import serving, training

def test_both():
    for side in (training, serving):
        assert side(pd.DataFrame({"x": [2.0]}))["double"].tolist() == [4.0]
"""
ALONE = ["--training", "features:training", "--serving", "features:serving", "--data", "rows.parquet"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_features.py").write_text(TESTS)
    (tmp_path / "features.py").write_text(FEATURES)
    (tmp_path / "release-gate.yml").write_text(CONFIG.replace("TRANSFORMS", TRANSFORMS))
    pd.DataFrame({"id": range(40), "x": [float(number) for number in range(40)]}).to_parquet(tmp_path / "rows.parquet")
    return tmp_path


def call(root: Path, *arguments: str, python: str | None = sys.executable) -> Result:
    context = Context(
        clock=SystemClock(),
        runner=lambda: Processes(dict(os.environ)),
        session=lambda: pytest.fail("no network is needed"),
        environment={},
        home=root,
    )
    own = ["--python", python] if python else []
    return CliRunner().invoke(command, [*arguments, *own], obj=context)


def verdict(result: Result) -> Verdict:
    return Verdict.parse(result.stdout.encode())


def codes(result: Result) -> list[str]:
    return [found.code for found in verdict(result).findings]


def test_a_good_repository_passes_and_leaves_its_verdict(root: Path) -> None:
    result = call(root)
    assert result.exit_code == 0, result.output
    assert "PASS" in result.output
    kept = Verdict.parse((root / ".release-gate/run/tiny/verdicts/transform-tests.json").read_bytes())
    assert kept.outcome is Outcome.PASS
    assert [(one.kind, one.name) for one in kept.subjects] == [("code", "features.py"), ("data", "rows.parquet")]
    assert kept.started <= datetime.now(UTC)


def test_a_unit_changed_in_serving_is_blocked(root: Path) -> None:
    (root / "features.py").write_text(FEATURES.replace("training(frame)\n", "training(frame) * 1.6\n"))
    (root / "tests" / "test_features.py").write_text(TESTS.replace("(training, serving)", "(training,)"))
    result = call(root, "--format", "json")
    assert result.exit_code == 1
    assert codes(result) == ["transforms-disagree", "coverage-too-low", "transform-untested"]
    result = call(root, *ALONE, "--coverage", "60%", "--format", "json")
    assert result.exit_code == 1
    assert "transforms-disagree" in codes(result)
    assert "coverage-too-low" not in codes(result)


def test_alone_it_needs_no_configuration(root: Path) -> None:
    (root / "release-gate.yml").unlink()
    (root / "tests").rename(root / "checks")
    result = call(root, *ALONE, "--tests", "checks", "--limit", "2m", "--format", "json")
    assert (result.exit_code, codes(result)) == (0, [])
    assert verdict(result).model == "-"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--training", "features:training"], "usage"),
        (["--coverage", "50%"], "usage"),
        ([*ALONE[:4], "--data", "none.parquet"], "file-missing"),
        ([*ALONE, "--tests", "none"], "file-missing"),
        ([*ALONE, "--coverage", "much"], "config-invalid"),
        (["--training", "features", *ALONE[2:]], "config-invalid"),
        ([*ALONE, "--python", "no/python"], "command-missing"),
    ],
)
def test_bad_use_is_said_and_ends_with_2(root: Path, arguments: list[str], code: str) -> None:
    result = call(root, *arguments, "--format", "json", python=None if "--python" in arguments else sys.executable)
    if result.stdout:
        assert (result.exit_code, codes(result)) == (2, [code])
    else:
        assert code in str(result.exception)


def test_without_a_lock_file_the_environment_can_not_be_made(root: Path) -> None:
    result = call(root, "--format", "json", python=None)
    assert (result.exit_code, codes(result)) == (2, ["lock-missing"])


def test_no_transforms_declared_is_skipped_with_a_note(root: Path) -> None:
    (root / "release-gate.yml").write_text(CONFIG.replace("TRANSFORMS\n", ""))
    result = call(root, "--format", "json", python=None)
    assert (result.exit_code, codes(result)) == (0, ["transforms-absent"])
    assert json.loads(result.stdout)["outcome"] == "skipped"


CONTRACT = """apiVersion: v3.1.0
kind: DataContract
id: features
name: Features
version: VERSION
status: active
customProperties:
  - {property: owner, value: "@octo-air"}
schema:
  - name: features
    logicalType: object
    properties:
      - name: double
        logicalType: number
        required: true
        logicalTypeOptions: {minimum: 0, maximum: MAXIMUM}
        customProperties:
          - {property: onNull, value: reject}
          - {property: onInvalid, value: reject}
          - {property: backfill, value: "Made anew from the raw rows (owner: octo-air, since 2024-01-01)"}
"""


def promise(root: Path, *, maximum: int = 78, version: str = "1.0.0", also: str = "") -> None:
    """Declare a contract for the features, of which the largest is 78."""
    (root / "contracts").mkdir(exist_ok=True)
    text = CONTRACT.replace("VERSION", version).replace("MAXIMUM", str(maximum))
    (root / "contracts" / "features.yml").write_text(text + also)
    declared = TRANSFORMS.replace("fuzz:", "features: contracts/features.yml, fuzz:")
    (root / "release-gate.yml").write_text(CONFIG.replace("TRANSFORMS", declared))


def test_features_that_keep_their_contract_pass_and_say_which_it_was(root: Path) -> None:
    promise(root)
    result = call(root, "--format", "json")
    assert (result.exit_code, codes(result)) == (0, ["contract-base-absent"])
    kept = verdict(result)
    assert ("contract", "contracts/features.yml") in [(one.kind, one.name) for one in kept.subjects]
    assert "features/training.parquet against Features 1.0.0: 40 rows" in kept.tables[-1].title


def test_features_that_break_their_contract_are_told_once_where_both_sides_agree(root: Path) -> None:
    promise(root, maximum=70)
    result = call(root, "--format", "json")
    assert (result.exit_code, codes(result)) == (1, ["contract-base-absent", "value-range"])
    (_, broken) = verdict(result).findings
    assert broken.where.column == "double"
    assert broken.where.table == ".release-gate/run/tiny/features/training.parquet"
    # What the message points at is there to be looked at.
    assert pd.read_parquet(root / broken.where.table)["double"].max() == 78


def test_features_of_serving_alone_that_break_the_contract_are_told_of_serving(root: Path) -> None:
    promise(root, maximum=80)
    (root / "features.py").write_text(FEATURES.replace("training(frame)\n", "training(frame) * 1.6\n"))
    (root / "tests" / "test_features.py").write_text(TESTS.replace("(training, serving)", "(training,)"))
    result = call(root, "--format", "json")
    assert {"transforms-disagree", "value-range"} <= set(codes(result))
    broken = next(one for one in verdict(result).findings if one.code == "value-range")
    assert str(broken.where.table).endswith("serving.parquet")
    assert broken.severity is Severity.WARNING, "that the sides disagree is the reason to block"


def test_no_value_of_a_sensitive_feature_is_shown(root: Path) -> None:
    promise(root, maximum=70)
    contract = root / "contracts" / "features.yml"
    marked = "          - {property: sensitive, value: true}\n"
    contract.write_text(contract.read_text() + marked)
    (root / "features.py").write_text(FEATURES.replace("training(frame)\n", "training(frame) * 1.6\n"))
    result = call(root, "--format", "json")
    assert {"transforms-disagree", "value-range"} <= set(codes(result))
    assert not {"76.0", "78.0", "121.6", "124.8", "3.2"} & set(re.findall(r"[0-9.]+[0-9]", result.stdout))
    (root / "contracts" / "features.yml").write_text(contract.read_text().replace(marked, ""))
    assert "3.2" in call(root, "--format", "json").stdout


def test_a_promise_that_the_features_take_back_asks_for_another_version(root: Path) -> None:
    git = ["git", "-C", str(root), "-c", "user.name=octo", "-c", "user.email=octo@octo-air.example"]
    promise(root)
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "base"]):
        subprocess.run([*git, *words], check=True)
    promise(root, maximum=100)
    result = call(root, "--format", "json")
    assert (result.exit_code, codes(result)) == (1, ["contract-breaking-unbumped"])
    promise(root, maximum=100, version="2.0.0")
    result = call(root, "--format", "json")
    assert (result.exit_code, codes(result)) == (0, ["contract-breaking"])


def test_a_rule_of_the_whole_table_is_not_held_against_a_sample_and_that_is_said(root: Path) -> None:
    also = "    quality: [{type: library, metric: rowCount, mustBeGreaterOrEqualTo: 1000}]\n"
    promise(root, also=also)
    result = call(root, "--format", "json")
    assert (result.exit_code, codes(result)) == (0, ["contract-base-absent", "features-rows-unjudged"])


def test_a_feature_that_the_contract_does_not_know_and_one_that_is_gone_are_told(root: Path) -> None:
    promise(root)
    renamed = FEATURES.replace("double", "twice")
    (root / "features.py").write_text(renamed)
    (root / "tests" / "test_features.py").write_text(TESTS.replace("double", "twice"))
    result = call(root, "--format", "json")
    assert (result.exit_code, codes(result)) == (1, ["contract-base-absent", "column-missing", "column-undeclared"])


def test_features_of_no_one_type_leave_their_contract_unproven(root: Path) -> None:
    promise(root)
    mixed = '[["double"]].astype(object).mask(frame["x"] == 3, "three")\n'
    (root / "features.py").write_text(FEATURES.replace('[["double"]]\n', mixed))
    result = call(root, "--format", "json")
    assert (result.exit_code, "features-unproven" in codes(result)) == (1, True)


def test_a_transform_that_raises_is_the_only_reason_then(root: Path) -> None:
    promise(root)
    (root / "features.py").write_text(FEATURES.replace('frame["x"]', 'frame["y"]'))
    result = call(root, "--format", "json")
    assert "features-unproven" not in codes(result)
    assert "transform-raised" in codes(result)


def test_a_feature_contract_that_is_not_there_is_bad_use(root: Path) -> None:
    promise(root)
    (root / "contracts" / "features.yml").unlink()
    result = call(root, "--format", "json")
    assert (result.exit_code, codes(result)) == (2, ["file-missing"])


def test_alone_the_feature_contract_is_an_option(root: Path) -> None:
    promise(root, maximum=70)
    result = call(root, *ALONE, "--features", "contracts/features.yml", "--format", "json")
    assert (result.exit_code, "value-range" in codes(result)) == (1, True)


def test_a_draft_of_the_feature_contract_is_made_from_the_features_of_a_run(root: Path) -> None:
    from release_gate.commands.contract import command as contract

    assert call(root).exit_code == 0
    made = ".release-gate/run/tiny/features/training.parquet"
    context = Context(
        clock=SystemClock(),
        runner=lambda: pytest.fail("nothing of the caller runs"),
        session=lambda: pytest.fail("no network is needed"),
        environment={},
        home=root,
    )
    drafted = CliRunner().invoke(contract, ["infer", made], obj=context)
    assert drafted.exit_code == 0, drafted.output
    promise(root)
    (root / "contracts" / "features.yml").write_text(drafted.stdout)
    result = call(root, "--format", "json")
    assert "value-range" not in codes(result)
    assert verdict(result).tables[-1].rows[0][0] == "double"
