"""The command as a user calls it, on a small repository with real rows, tests and processes."""

from __future__ import annotations

import json
import os
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
from release_gate.verdict import Outcome, Verdict

CONFIG = """version: 1
model: tiny
owner: "@octo-air"
contracts: {contracts/rows.yml: rows.parquet}
TRANSFORMS
candidate: {train: "python -m train {out}", predict: "python -m predict {data} {out}"}
evaluation: {data: rows.parquet, key: id, label: late}
thresholds: [{metric: roc_auc, at_least: 0.5}]
"""
TRANSFORMS = "transforms: {training: features:training, serving: features:serving}"
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
    assert codes(result) == ["transforms-disagree", "coverage-too-low"]
    result = call(root, *ALONE, "--coverage", "60%", "--format", "json")
    assert (result.exit_code, codes(result)) == (1, ["transforms-disagree"])


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
