"""Runs a caller's workflow under act, with the test bed's parts in the place of GitHub's."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.e2e.testbed import docker, tools
from tests.e2e.testbed.part import PROJECT, BrokenError, cache_folder, held, run_own

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.e2e.testbed.repository import UserRepository

STAND_INS = ("checkout", "upload-artifact", "download-artifact")
PUBLISHED_AS = "octo-air/release-gate@v1"
TARGET = "our-target"
"""Label of the runner on the machine that serves: its jobs run outside of any container, as on a self-hosted one."""


@dataclass
class Finished:
    """How a run ended: jobs and steps by name, outputs, the log as a person would read it."""

    ok: bool
    log: str
    jobs: dict[str, str] = field(default_factory=dict)
    steps: dict[tuple[str, str], str] = field(default_factory=dict)

    def tail(self, lines: int = 60) -> str:
        """Return the end of the log, for the message of a failing test."""
        return "\n".join(self.log.splitlines()[-lines:])


@dataclass(frozen=True)
class Actions:
    """Everything act needs to know, the same for every run of a test session."""

    project: Path
    """The copy that `scripts/pin` made."""
    api: str
    artifacts: str

    def run(
        self,
        user: UserRepository,
        workflow: str,
        name: str,
        event: Mapping[str, Any],
        *,
        token: str,
        run_id: int,
        limit: float = 600,
        more: Mapping[str, str] | None = None,
        target: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
    ) -> Finished:
        """Run one workflow file of a user's repository, as it is checked out, for one event.

        `target`: variables of the jobs that run on the machine that serves.
        """
        cache = jobs_cache()
        repository = user.folder.with_name(f"{user.folder.name}.git")
        if not repository.exists():
            repository.symlink_to(user.folder / ".git")
        environment = {
            "GITHUB_API_URL": self.api,
            "GITHUB_REPOSITORY": user.name,
            "GITHUB_RUN_ID": str(run_id),
            "GITHUB_RUN_ATTEMPT": "1",
            "TESTBED_ARTIFACTS": self.artifacts,
            "TESTBED_REPOSITORY": str(repository),
            "PIP_CACHE_DIR": f"{cache}/pip",
            "UV_CACHE_DIR": f"{cache}/uv",
            # The cache is a mount, to which nothing can be linked but by name; copying takes 15 s a run.
            "UV_LINK_MODE": "symlink",
            "UV_PYTHON_DOWNLOADS": "never",
            "RELEASE_GATE_CACHE": f"{cache}/release-gate",
            **(more or {}),
        }
        # At the places they have here, so that a job inside a container and one outside name them alike.
        inside = f"--volume={repository.resolve()}:{repository} --volume={cache}:{cache}"
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "event.json"
            file.write_text(json.dumps(event))
            command = [
                str(tools.act()), name, "--json", "--eventpath", str(file),
                "--workflows", f".github/workflows/{workflow}",
                "--platform", f"ubuntu-latest={docker.RUNNER}", "--pull=false", "--action-offline-mode",
                "--platform", f"{TARGET}=-self-hosted", "--container-options", inside,
                *_each("--secret", {"GITHUB_TOKEN": token, **(secrets or {})}),
                "--no-skip-checkout", "--no-cache-server", "--rm",
                *_each("--local-repository", self._local()), *_each("--env", environment),
            ]  # fmt: skip
            # act names containers after the workflow and its job: two runs of one at once would take each other's.
            with held(f"act-{workflow}"):
                return _until_done(command, user.folder, {**_quiet(folder), **(target or {})}, limit)

    def _local(self) -> dict[str, Path]:
        """What act must not fetch: our own actions, and the stand-ins at the commits our workflows pin."""
        pins = pinned_actions(self.project)
        stand_ins = {
            f"actions/{name}@{ref}": PROJECT / "tests/e2e/testbed/actions" / name
            for name in STAND_INS
            for ref in pins.get(f"actions/{name}", ())
        }
        return {PUBLISHED_AS: self.project, **stand_ins}


def jobs_cache() -> Path:
    """What jobs keep between runs: packages, environments. Links in there hold this very path."""
    folder = cache_folder() / "jobs"
    folder.mkdir(exist_ok=True)
    return folder


def pinned_project(folder: Path) -> Path:
    """Make the copy of the project that act can run: `scripts/pin`, as a release does it."""
    repository, ref = PUBLISHED_AS.split("@")
    options = ["--repository", repository, "--ref", ref, "--image", f"docker://{docker.RELEASE_GATE}"]
    run_own([PROJECT / "scripts/pin", folder, *options])
    for file in folder.glob(".github/workflows/*.yml"):
        # GitHub and actionlint know this key of `environment`; act 0.2.89 refuses a file that has it.
        file.write_text(re.sub(r"^ +deployment: false\b.*\n", "", file.read_text(), flags=re.MULTILINE))
    return folder


def pinned_actions(project: Path) -> dict[str, set[str]]:
    """Return the actions of others that the workflows use, each with the commits they are pinned to."""
    found: dict[str, set[str]] = {}
    for file in (project / ".github/workflows").glob("*.yml"):
        for action, ref in re.findall(r"uses:\s*([\w-]+/[\w-]+)@(\S+)", file.read_text()):
            found.setdefault(action, set()).add(ref)
    return found


def read(output: str, *, ok: bool) -> Finished:
    """Read act's log, one JSON object a line."""
    finished = Finished(ok=ok, log="")
    lines = []
    for line in output.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            lines.append(line)
            continue
        job, step = str(entry.get("job", "")), str(entry.get("step", ""))
        lines.append(f"[{job}{': ' + step if step else ''}] {str(entry.get('msg', '')).rstrip()}")
        if "jobResult" in entry:
            finished.jobs[job.strip()] = entry["jobResult"]
        # Steps inside a composite action have ids of several parts; Pre and Post are no results of a gate.
        if "stepResult" in entry and entry.get("stage") == "Main" and len(entry.get("stepID", [])) == 1:
            finished.steps[job.strip(), step] = entry["stepResult"]
    finished.log = "\n".join(lines)
    return finished


def _until_done(command: list[str], folder: Path, environment: dict[str, str], limit: float) -> Finished:
    """Run act; past the limit it is asked to end, which removes its containers, and the test fails with its log."""
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        try:
            status = process.wait(timeout=limit)
        except BaseException as reason:
            process.terminate()
            process.wait(timeout=60)
            if not isinstance(reason, subprocess.TimeoutExpired):
                raise
            status = None
        log.seek(0)
        finished = read(log.read(), ok=status == 0)
    if status is None:
        raise BrokenError(f"the workflow did not end in {limit:.0f} s:\n{finished.tail()}")
    return finished


def _each(option: str, values: Mapping[str, object]) -> list[str]:
    """Repeat an option, once a key and value."""
    return [word for key, value in values.items() for word in (option, f"{key}={value}")]


def _quiet(folder: str) -> dict[str, str]:
    """Keep act from reading this machine's own settings or asking who we are."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("GITHUB_", "ACTIONS_", "INPUT_"))}
    return {**kept, "XDG_CONFIG_HOME": folder, "XDG_CACHE_HOME": str(cache_folder() / "act")}
