"""Docker actions as a real runner runs them, which act hides: root in a workspace of uid 1001, HOME a mount."""

import shutil
from pathlib import Path

import pytest

from tests.e2e.container import RUNNER, owners, run_action
from tests.e2e.testbed.part import PROJECT
from tests.e2e.testbed.repository import UserRepository

DOCKER = sorted(
    file.parent.name for file in (PROJECT / "actions").glob("*/action.yml") if "using: docker" in file.read_text()
)


@pytest.fixture
def workspace(batch_scores: UserRepository) -> Path:
    return batch_scores.folder


@pytest.mark.parametrize("name", DOCKER)
def test_every_docker_action_ends_with_a_known_status_and_leaves_all_files_to_the_runners_user(
    name: str, workspace: Path, network: str
) -> None:
    ended = run_action(name, workspace, network=network)
    assert ended.status in (0, 1, 2, 3, 4), ended.log
    assert "Traceback" not in ended.log
    assert "internal-error" not in ended.log
    assert set(owners(workspace)) == {RUNNER}, {uid: paths[:5] for uid, paths in owners(workspace).items()}
    assert set(owners(workspace.parent / f"{workspace.name}.runner")) == {RUNNER}


def test_schema_check_passes_without_a_network_and_compares_with_the_commit_before(workspace: Path) -> None:
    contract = workspace / "contracts/cars.yml"
    ended = run_action("schema-check", workspace, network="none")
    assert ended.status == 0, ended.log
    assert ended.outputs["outcome"] == "pass"
    assert "dubious ownership" not in ended.log
    assert contract.stat().st_uid == RUNNER


def test_an_input_with_a_hyphen_arrives_and_unset_ones_count_as_absent(workspace: Path, network: str) -> None:
    push = {"GITHUB_EVENT_NAME": "push", "GITHUB_REPOSITORY": "octo-air/batch-scores", "GITHUB_RUN_ID": "1"}
    push["GITHUB_SHA"] = "a" * 40
    ended = run_action("report", workspace, network=network, inputs={"workflow-run": "77"}, environment=push)
    assert ended.status == 2
    assert "--workflow-run 77" in ended.log


def test_a_gate_can_be_used_alone_without_release_gate_yml(workspace: Path, network: str, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(workspace / "contracts/cars.yml", alone / "contract.yml")
    shutil.copy(workspace / "data/cars.parquet", alone / "cars.parquet")
    inputs = {"contract": "contract.yml", "data": "cars.parquet", "out": "out/verdict.json"}
    ended = run_action("schema-check", alone, network=network, inputs=inputs)
    assert ended.status == 0, ended.log
    assert (alone / "out/verdict.json").stat().st_uid == RUNNER


def test_modules_in_the_callers_repository_are_never_imported(workspace: Path, network: str) -> None:
    for name in ("click", "pandas", "sitecustomize", "release_gate", "json"):
        (workspace / f"{name}.py").write_text("raise SystemExit('the caller runs beside the judge')")
    ended = run_action("schema-check", workspace, network=network)
    assert "the caller runs beside the judge" not in ended.log
    assert ended.status == 0, ended.log


@pytest.mark.parametrize("name", ["list", "rollback-readiness"])
def test_reading_a_ledger_on_a_branch_leaves_all_files_to_the_runners_user(
    name: str, workspace: Path, network: str
) -> None:
    config = workspace / "release-gate.yml"
    config.write_text(config.read_text().replace("version: 1\n", "version: 1\nregistry: branch:release-gate\n", 1))
    repository = UserRepository(workspace)
    repository.git("remote", "set-url", "origin", "/github/workspace/.git")
    ended = run_action(name, workspace, network=network)
    assert ended.status == 0, ended.log
    assert set(owners(workspace)) == {RUNNER}, {uid: paths[:5] for uid, paths in owners(workspace).items()}
    home = owners(workspace.parent / f"{workspace.name}.runner")
    assert set(home) == {RUNNER}, {uid: paths[:5] for uid, paths in home.items()}
