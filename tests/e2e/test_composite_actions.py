"""Composite actions get no INPUT_* of their own on a real runner: their scripts run with what action.yml hands on."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.testbed.part import PROJECT

COMPOSITE = sorted(
    file
    for file in [PROJECT / "action.yml", *(PROJECT / "actions").glob("*/action.yml")]
    if "using: composite" in file.read_text()
)
GATES = [file for file in COMPOSITE if file.parent.name not in (PROJECT.name, "setup")]


def scripts(file: Path) -> list[dict[str, Any]]:
    return [step for step in yaml.safe_load(file.read_text())["runs"]["steps"] if "run" in step]


def run_step(
    step: dict[str, Any], given: dict[str, str], folder: Path, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run a step's script as a runner would: only the environment it states, expressions filled in."""

    def filled(value: str) -> str:
        return re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda found: given.get(found[1], ""), value)

    installed = folder / "temp/release-gate/bin"
    if not installed.exists() and "RUNNER_TEMP" not in more:
        installed.mkdir(parents=True)
        (installed / "release-gate").symlink_to(PROJECT / ".venv/bin/release-gate")
    environment = {
        "PATH": os.environ["PATH"],
        "RUNNER_TEMP": str(folder / "temp"),
        "HOME": str(folder),
        "GITHUB_ACTIONS": "true",
        "GITHUB_OUTPUT": str(folder / "output"),
        **{key: filled(str(value)) for key, value in step.get("env", {}).items()},
        **more,
    }
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("file", GATES, ids=lambda file: file.parent.name)
def test_a_composite_gates_script_reads_its_inputs_from_what_action_yml_hands_on(file: Path, tmp_path: Path) -> None:
    (step,) = scripts(file)
    done = run_step(step, {"config": "elsewhere/gate.yml"}, tmp_path)
    assert done.returncode == 2
    assert "elsewhere/gate.yml does not exist" in done.stdout + done.stderr


@pytest.mark.parametrize("file", GATES, ids=lambda file: file.parent.name)
def test_with_every_input_unset_the_defaults_of_the_command_hold(file: Path, tmp_path: Path) -> None:
    (step,) = scripts(file)
    done = run_step(step, {}, tmp_path)
    assert done.returncode == 2
    assert "release-gate.yml does not exist" in done.stdout + done.stderr


@pytest.mark.parametrize("file", COMPOSITE, ids=lambda file: file.parent.name)
def test_a_command_of_our_name_in_the_callers_environment_is_never_run(file: Path, tmp_path: Path) -> None:
    """actions/setup puts that environment first in PATH, and a token may lie in the step's variables."""
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "release-gate").write_text(f"#!/bin/sh\ntouch {tmp_path}/taken\n")
    (theirs / "release-gate").chmod(0o755)
    ours = [step for step in scripts(file) if "release-gate" in step["run"]]
    assert ours
    for step in ours:
        done = run_step(step, {"config": "elsewhere/gate.yml"}, tmp_path, PATH=f"{theirs}:{os.environ['PATH']}")
        assert "elsewhere/gate.yml does not exist" in done.stdout + done.stderr, step["run"]
    assert not (tmp_path / "taken").exists()


def test_setup_installs_one_command_and_leaves_the_callers_python_alone(tmp_path: Path) -> None:
    step = scripts(PROJECT / "actions/setup/action.yml")[0]
    for name in ("path", "env"):
        (tmp_path / name).touch()
    more = {
        "GITHUB_ACTION_PATH": str(PROJECT / "actions/setup"),
        "GITHUB_PATH": str(tmp_path / "path"),
        "GITHUB_ENV": str(tmp_path / "env"),
        "RUNNER_TEMP": str(tmp_path / "temp"),
        "UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR", str(Path.home() / ".cache/uv")),
    }
    version = f"{sys.version_info.major}.{sys.version_info.minor}"  # is here, so nothing is fetched
    done = run_step(step, {"python-version": version}, tmp_path, **more)
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "path").read_text().splitlines()
    assert [file.name for file in Path(folder).iterdir()] == ["release-gate"]
    assert (tmp_path / "env").read_text() == f"UV_PYTHON={version}\n"
    told = subprocess.run([f"{folder}/release-gate", "--version"], capture_output=True, text=True, check=True)
    assert told.stdout.startswith("release-gate ")


def installed(folder: Path, job: str, **more: str) -> subprocess.CompletedProcess[str]:
    """As a job of a release or a rollback installs us, on a machine whose home folder lasts."""
    (step,) = scripts(PROJECT / ".github/actions/install/action.yml")
    known = {
        "GITHUB_ACTION_PATH": str(PROJECT / ".github/actions/install"),
        "GITHUB_PATH": str(folder / f"path-{job}"),
        "RUNNER_TEMP": str(folder / job),
        "UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR", str(Path.home() / ".cache/uv")),
    }
    return run_step(step, {}, folder, **{**known, **more})


def test_a_rollback_takes_the_copy_of_an_earlier_job_where_there_is_no_index_any_more(tmp_path: Path) -> None:
    away = {"PIP_INDEX_URL": "http://127.0.0.1:9", "PIP_FIND_LINKS": "", "PIP_RETRIES": "0", "UV_OFFLINE": "1"}
    away["UV_CACHE_DIR"] = str(tmp_path / "empty")
    kept = tmp_path / ".local/state/release-gate/installed"
    failed = installed(tmp_path, "first", **away)
    assert failed.returncode != 0
    assert list(kept.iterdir()) == [], "nothing that is half made stays"
    deployed = installed(tmp_path, "deploy")
    assert deployed.returncode == 0, deployed.stderr
    (link,) = [one for one in kept.iterdir() if one.is_symlink()]
    restored = installed(tmp_path, "rollback", **away)
    assert restored.returncode == 0, restored.stderr
    (folder,) = (tmp_path / "path-rollback").read_text().splitlines()
    assert (Path(folder) / "release-gate").resolve().is_relative_to(link.resolve())
    assert len(list(kept.iterdir())) == 2
    (link / "bin" / "python").unlink()  # as an upgrade of the system may do
    again = installed(tmp_path, "next")
    assert again.returncode == 0, again.stderr
    assert len([one for one in kept.iterdir() if one.is_symlink()]) == 1
    told = subprocess.run([link / "bin" / "release-gate", "--version"], capture_output=True, text=True, check=True)
    assert told.stdout.startswith("release-gate ")


@pytest.mark.parametrize("version", ["3.12\nPATH=/tmp/evil", "3.12; echo gone", "$(id)", "--help"])
def test_setup_refuses_a_python_version_that_is_none(version: str, tmp_path: Path) -> None:
    (tmp_path / "env").touch()
    environment = {
        "INPUT_PYTHON_VERSION": version,
        "GITHUB_ENV": str(tmp_path / "env"),
        "RUNNER_TEMP": str(tmp_path / "temp"),
        "PATH": os.environ["PATH"],
    }
    install = PROJECT / "actions/setup/install"
    done = subprocess.run(["bash", install], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "is no version of Python" in done.stdout
    assert (tmp_path / "env").read_text() == ""
    assert not (tmp_path / "temp").exists()  # said before anything is fetched
