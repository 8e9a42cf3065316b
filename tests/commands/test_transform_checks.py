"""Fuzz, functions and mutants as parts of the command's verdict, on a small repository of its own."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner

from release_gate.caller.processes import Processes
from release_gate.cli import SystemClock
from release_gate.commands.context import Context
from release_gate.commands.transform_tests import command

CONFIG = """version: 1
model: tiny
owner: "@octo-air"
contracts: {rows.yml: rows.parquet}
transforms:
  training: features:training
  serving: features:serving
  fuzz: {rows: FUZZ}
  mutation: {mutants: MUTANTS}
candidate: {train: "python -m train {out}", predict: "python -m predict {data} {out}"}
evaluation: {data: rows.parquet, key: id, label: late}
thresholds: [{metric: roc_auc, at_least: 0.5}]
"""
CONTRACT = """apiVersion: v3.1.0
kind: DataContract
id: rows
name: Rows
version: 1.0.0
status: active
customProperties: [{property: owner, value: "@octo-air"}]
schema:
  - name: rows
    logicalType: object
    properties:
      - name: x
        logicalType: number
        logicalTypeOptions: {minimum: 0, maximum: 9}
        customProperties:
          - {property: onNull, value: keep}
          - {property: onInvalid, value: reject}
"""
FEATURES = """
def training(frame):
    return frame.assign(double=frame["x"] * 2)[["double"]]

def serving(frame):
    assert frame["x"].notna().all(), "no null"
    return training(frame)

def unused():
    return 1
"""
TESTS = """
import pandas as pd
from features import serving, training

def test_both():
    for side in (training, serving):
        assert len(side(pd.DataFrame({"x": [2.0]}))) == 1
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_features.py").write_text(TESTS)
    (tmp_path / "features.py").write_text(FEATURES)
    (tmp_path / "rows.yml").write_text(CONTRACT)
    pd.DataFrame({"id": range(40), "x": [float(number % 9) for number in range(40)]}).to_parquet(
        tmp_path / "rows.parquet"
    )
    return tmp_path


def judged(root: Path, *alone: str, fuzz: int = 60, mutants: int = 10) -> dict[str, Any]:
    (root / "release-gate.yml").write_text(CONFIG.replace("FUZZ", str(fuzz)).replace("MUTANTS", str(mutants)))
    context = Context(
        clock=SystemClock(),
        runner=lambda: Processes(dict(os.environ)),
        session=lambda: pytest.fail("no network is needed"),
        environment={},
        home=root,
    )
    result = CliRunner().invoke(command, ["--format", "json", "--python", sys.executable, *alone], obj=context)
    verdict = json.loads(result.stdout)
    assert isinstance(verdict, dict)
    return verdict


def codes(verdict: dict[str, Any]) -> set[str]:
    return {one["code"] for one in verdict["findings"]}


def test_what_the_rows_of_today_do_not_show_is_found(root: Path) -> None:
    verdict = judged(root)
    assert codes(verdict) == {"coverage-too-low", "function-untested", "mutant-survived", "fuzz-raised"}
    raised = next(one for one in verdict["findings"] if one["code"] == "fuzz-raised")
    assert "from features import serving" in raised["message"]
    assert {"Changes that no test noticed", "Transforms on rows that the contract allows"} <= {
        one["title"] for one in verdict["tables"]
    }


def test_alone_a_contract_is_given_beside_the_data(root: Path) -> None:
    alone = ["--training", "features:training", "--serving", "features:serving", "--data", "rows.parquet"]
    assert "fuzz-raised" not in codes(judged(root, *alone))
    assert "fuzz-raised" in codes(judged(root, *alone, "--contract", "rows.yml"))
    assert codes(judged(root, *alone, "--contract", "none.yml")) == {"file-missing"}


def test_both_can_be_switched_off(root: Path) -> None:
    assert codes(judged(root, fuzz=0, mutants=0)) == {"coverage-too-low", "function-untested"}


def test_a_contract_that_can_not_be_read_leaves_the_rest_judged(root: Path) -> None:
    (root / "rows.yml").write_text("kind: Something\n")
    assert "fuzz-unproven" in codes(judged(root, mutants=0))


def test_tests_that_fail_are_not_run_against_changes(root: Path) -> None:
    (root / "tests" / "test_features.py").write_text(TESTS.replace("== 1", "== 2"))
    found = codes(judged(root, fuzz=0))
    assert "tests-failed" in found
    assert not {"mutant-survived", "mutation-unproven"} & found
