"""The command as a user and as an action calls it; the lock asks for nothing, so no index is needed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from release_gate.caller.processes import Processes
from release_gate.cli import SystemClock
from release_gate.commands.context import Context
from release_gate.commands.setup import command
from release_gate.findings import BadInput


def call(root: Path, *arguments: str, **environment: str) -> Result:
    context = Context(
        clock=SystemClock(),
        runner=lambda: Processes(dict(os.environ)),
        session=lambda: pytest.fail("no network is needed"),
        environment=environment,
        home=root,
    )
    return CliRunner().invoke(command, list(arguments), obj=context)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "requirements.txt").write_text("# nothing\n")
    return tmp_path


def test_it_makes_the_environment_and_prints_its_python(root: Path) -> None:
    result = call(root)
    assert result.exit_code == 0, result.output
    assert Path(result.output.strip()) == root / ".release-gate" / "environment" / "bin" / "python"
    assert Path(result.output.strip()).exists()


def test_on_github_its_commands_come_first_in_the_steps_after(root: Path) -> None:
    (root / "path").write_text("/before\n")
    call(root, GITHUB_ACTIONS="true", GITHUB_PATH=str(root / "path"))
    assert (root / "path").read_text() == f"/before\n{root / '.release-gate' / 'environment' / 'bin'}\n"


def test_elsewhere_no_path_file_is_touched(root: Path) -> None:
    call(root, GITHUB_PATH=str(root / "path"))
    assert not (root / "path").exists()


def test_folder_and_lock_can_be_named(root: Path) -> None:
    (root / "inner").mkdir()
    (root / "inner" / "gpu.txt").write_text("# nothing\n")
    result = call(root, "--directory", "inner", "--lock", "gpu.txt")
    assert (root / "inner" / ".release-gate" / "environment" / "bin" / "python").exists(), result.output


def test_the_lock_of_the_configuration_is_taken(root: Path) -> None:
    (root / "requirements.txt").rename(root / "model.txt")
    (root / "release-gate.yml").write_text(
        "version: 1\nmodel: tiny\nowner: '@octo-air'\ncontracts: {c.yml: r.parquet}\n"
        "candidate: {train: t, predict: p, lock: model.txt}\nevaluation: {data: r.parquet, key: id, label: y}\n"
        "thresholds: [{metric: roc_auc, at_least: 0.5}]\n"
    )
    assert call(root).exit_code == 0


def test_no_lock_is_refused(tmp_path: Path) -> None:
    result = call(tmp_path)
    assert isinstance(result.exception, BadInput)
    assert result.exception.findings[0].code == "lock-missing"
