"""Runs one of our Docker actions as a real runner does, which act does not.

Root in the container, the workspace of uid 1001, HOME a mount, every input set (the unset ones empty), hyphens
kept in their names, a network of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.e2e.testbed import docker
from tests.e2e.testbed.part import PROJECT

if TYPE_CHECKING:
    from collections.abc import Mapping

RUNNER = 1001


@dataclass(frozen=True)
class Ended:
    """What a step left: its status, its log, and the runner's files."""

    status: int
    log: str
    outputs: dict[str, str]
    summary: str


def run_action(
    name: str,
    workspace: Path,
    *,
    network: str,
    inputs: Mapping[str, str] | None = None,
    event: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    limit: float = 180,
) -> Ended:
    """Run `actions/<name>` in a workspace; its files are given to uid 1001 first."""
    metadata = yaml.safe_load((PROJECT / "actions" / name / "action.yml").read_text())
    assert set(inputs or {}) <= set(metadata["inputs"]), "an input the action does not have"
    files = workspace.parent / f"{workspace.name}.runner"
    for folder in ("home", "file_commands", "workflow"):
        (files / folder).mkdir(parents=True, exist_ok=True)
    for file in ("output", "summary", "env", "path"):
        (files / "file_commands" / file).write_text("")
    (files / "workflow/event.json").write_text(json.dumps(event or {}))
    for place in (workspace, files):
        _give(place)

    variables = {
        **{f"INPUT_{key.upper().replace(' ', '_')}": "" for key in metadata["inputs"]},
        **{f"INPUT_{key.upper().replace(' ', '_')}": value for key, value in (inputs or {}).items()},
        "HOME": "/github/home",
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_WORKSPACE": "/github/workspace",
        "GITHUB_EVENT_PATH": "/github/workflow/event.json",
        "GITHUB_OUTPUT": "/github/file_commands/output",
        "GITHUB_STEP_SUMMARY": "/github/file_commands/summary",
        "GITHUB_ENV": "/github/file_commands/env",
        "GITHUB_PATH": "/github/file_commands/path",
        "RUNNER_TEMP": "/github/runner_temp",
        **(environment or {}),
    }
    mounts = {workspace: "/github/workspace"}
    mounts |= {files / folder: f"/github/{folder}" for folder in ("home", "file_commands", "workflow")}
    command = ["docker", "run", "--rm", "--network", network, "--workdir", "/github/workspace"]
    command += [word for key, value in variables.items() for word in ("--env", f"{key}={value}")]
    command += [word for here, there in mounts.items() for word in ("--volume", f"{here}:{there}")]
    done = subprocess.run(
        [*command, docker.RELEASE_GATE, *metadata["runs"]["args"]],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=limit,
        check=False,
    )
    return Ended(
        done.returncode,
        done.stdout,
        _pairs((files / "file_commands/output").read_text()),
        (files / "file_commands/summary").read_text(),
    )


def owners(folder: Path) -> dict[int, list[str]]:
    """Return the paths inside a folder by the uid that owns them."""
    found: dict[int, list[str]] = {}
    for path in folder.rglob("*"):
        found.setdefault(path.lstat().st_uid, []).append(str(path.relative_to(folder)))
    return found


def _give(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, RUNNER, RUNNER, follow_symlinks=False)


def _pairs(text: str) -> dict[str, str]:
    """Read `name=value` and `name<<MARK … MARK`, as a runner does."""
    found: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        if "<<" in line and "=" not in line.split("<<")[0]:
            name, mark = line.split("<<", 1)
            content = []
            for inner in lines:
                if inner == mark:
                    break
                content.append(inner)
            found[name] = "\n".join(content)
        elif "=" in line:
            name, value = line.split("=", 1)
            found[name] = value
    return found
