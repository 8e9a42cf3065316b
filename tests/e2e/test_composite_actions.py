"""Composite actions get no INPUT_* of their own on a real runner: their scripts run with what action.yml hands on."""

import os
import re
import subprocess
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

    environment = {
        "PATH": f"{PROJECT / '.venv/bin'}:{os.environ['PATH']}",
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
    done = run_step(step, {"python-version": "3.12"}, tmp_path, **more)
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "path").read_text().splitlines()
    assert [file.name for file in Path(folder).iterdir()] == ["release-gate"]
    assert (tmp_path / "env").read_text() == "UV_PYTHON=3.12\n"
    told = subprocess.run([f"{folder}/release-gate", "--version"], capture_output=True, text=True, check=True)
    assert told.stdout.startswith("release-gate ")


@pytest.mark.parametrize("version", ["3.12\nPATH=/tmp/evil", "3.12; echo gone", "$(id)"])
def test_setup_refuses_a_python_version_that_is_none(version: str, tmp_path: Path) -> None:
    text = (PROJECT / "actions/setup/install").read_text()
    (tmp_path / "env").touch()
    check = text[text.index("if [[ -n ${INPUT_PYTHON_VERSION") : text.index('"$home/bin/release-gate" --version')]
    script = f"set -euo pipefail\n{check}"
    environment = {"INPUT_PYTHON_VERSION": version, "GITHUB_ENV": str(tmp_path / "env"), "PATH": os.environ["PATH"]}
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "is no version of Python" in done.stdout
    assert (tmp_path / "env").read_text() == ""
