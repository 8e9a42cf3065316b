"""A small model that serves on this machine: its repository, the runner that reaches its target, and its users."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import yaml

from tests.e2e.testbed.act import TARGET, jobs_cache
from tests.e2e.testbed.emulator import TOKEN
from tests.e2e.testbed.part import PROJECT, run_own
from tests.e2e.testbed.repository import UserRepository, committed
from tests.tiny import project

RUNNER_MARK = "RUNNER_TRACKING_ID"
"""A runner ends every process that has this variable of its job, when that is over."""
ROLLOUT = """\
registry: branch:release-gate
rollout:
  target: {{caddy: {{listen: "{listen}", admin: "{admin}"}}}}
  steps: [50%]
  watch: 2s
  bake: 2s
  look: 500ms
  least_requests: 20
"""
COLUMNS = {"id": "int64", "x": "float64", "late": "bool"}
POLICY = {"on_null": "reject", "on_invalid": "reject", "backfill": "Made anew by the tests; from row 0"}
CONTRACT = {
    "schema_type": "dataframe",
    "api": "pandas",
    "columns": {name: {"dtype": dtype, "description": name} for name, dtype in COLUMNS.items()},
    "strict": True,
    "name": "rows",
    "description": "What the model is asked about",
    "metadata": {"version": "1.0.0", "owner": "@octo-air", "policy": dict.fromkeys(COLUMNS, POLICY)},
}


@dataclass(frozen=True)
class Machine:
    """The machine that serves, and the home of the runner on it, whose jobs run outside of any container."""

    home: Path
    listen: str
    admin: str

    def variables(self, run: int) -> dict[str, str]:
        """What a job finds there."""
        return {"HOME": str(self.home), RUNNER_MARK: f"github_{run}"}

    def standing(self, repository: str) -> dict[str, Any]:
        """What the target remembers: below the home, as nothing else is said."""
        folder = self.home / ".local/state/release-gate" / repository.replace("/", "__")
        return dict(json.loads((folder / "tiny/target.json").read_text()))

    def answering(self) -> tuple[int, str]:
        """Status of an answer that a user gets, and the version that the server says it is."""
        connection = http.client.HTTPConnection(self.listen, timeout=5)
        with contextlib.closing(connection):
            connection.request("GET", "/health")
            answer = connection.getresponse()
            told = answer.read()
            return answer.status, json.loads(told)["version"] if answer.status == 200 else ""

    def end(self) -> None:
        """End Caddy and the servers, which outlive every job by design."""
        with contextlib.suppress(OSError):
            urllib.request.urlopen(urllib.request.Request(f"http://{self.admin}/stop", method="POST"), timeout=5)
        for file in self.home.rglob("target.json"):
            for one in json.loads(file.read_text())["running"].values():
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(one["pid"], signal.SIGTERM)


def left_by(run: int) -> list[list[str]]:
    """The processes that a runner would end with its job."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get(RUNNER_MARK) == f"github_{run}":
                found.append(process.cmdline())
    return found


def given_to(version: str) -> dict[str, str]:
    """The environment of the server of a version."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if (known := process.environ()).get("RELEASE_GATE_VERSION") == version:
                return known
    raise LookupError(version)


@dataclass
class Users:
    """Somebody asks every ten milliseconds; `answers` holds second, status (0: none) and version of each answer."""

    machine: Machine
    answers: list[tuple[float, int, str]] = field(default_factory=list)

    def versions(self) -> Counter[str]:
        """How many answers each version gave."""
        return Counter(version for _, _, version in self.answers if version)

    def failed(self) -> list[tuple[float, int, str]]:
        """The answers that were none, from the first that was one."""
        served = [number for number, one in enumerate(self.answers) if one[1] == 200]
        return [one for one in self.answers[served[0] :] if one[1] != 200]

    @contextlib.contextmanager
    def asking(self) -> Iterator[Users]:
        """Ask as long as the block lasts."""
        ended = threading.Event()
        thread = threading.Thread(target=self._ask, args=(ended,))
        thread.start()
        try:
            yield self
        finally:
            ended.set()
            thread.join()

    def _ask(self, ended: threading.Event) -> None:
        while not ended.wait(0.01):
            try:
                status, version = self.machine.answering()
            except (OSError, http.client.HTTPException):
                status, version = 0, ""
            self.answers.append((time.monotonic(), status, version))


@dataclass(frozen=True)
class Production:
    """The repository of the model, and the machine it serves on."""

    user: UserRepository
    machine: Machine

    def weigh(self, weight: str, *, bake: str = "2s") -> None:
        """Change the model, and how long a version is watched before it is promoted."""
        for name, old, new in (
            ("tiny_model/train.py", '"0.25"', f'"{weight}"'),
            ("release-gate.yml", "bake: 2s", f"bake: {bake}"),
        ):
            file = self.user.folder / name
            file.write_text(file.read_text().replace(old, new, 1))

    def squashed(self, branch: str, **change: str) -> tuple[str, str]:
        """A branch, and a commit of `main` with all of it, where `main` has moved before it and moves on after it.

        HEAD is left at that commit, as GitHub's is for a push of it. Returns the branch's head and that commit.
        """
        git, readme = self.user.git, self.user.folder / "README.md"
        git("checkout", "--quiet", "-B", branch, "main")
        self.weigh(**change)
        head = self.user.commit(f"{branch}: a change")
        git("checkout", "--quiet", "main")
        readme.write_text(f"before {branch}\n")
        self.user.commit("Somebody else's commit")
        git("merge", "--quiet", "--squash", branch)
        merged = self.user.commit(f"{branch} (#1)")
        readme.write_text(f"after {branch}\n")
        self.user.commit("Somebody else's next commit")
        git("checkout", "--quiet", "--detach", merged)
        return head, merged

    def events(self) -> list[dict[str, Any]]:
        """What the ledger says of versions, oldest first, read from its branch by git alone."""
        names = self.user.git("ls-tree", "-r", "--name-only", "release-gate", "ledger/tiny/").splitlines()
        events = [json.loads(self.user.git("show", f"release-gate:{name}")) for name in names]
        return [one for one in events if "package" in one]  # the others say what GitHub was told

    def release(self, folder: Path, commit: str, api: str) -> str:
        """Make a commit of `main` production, from a clone on this machine, and tell GitHub; return its digest."""
        run_own(["git", "clone", "--quiet", f"file://{self.user.folder}/.git", folder])
        run_own(["git", "checkout", "--quiet", "--detach", commit], cwd=folder)
        here = {"HOME": str(self.machine.home), "UV_CACHE_DIR": str(jobs_cache() / "uv")}
        # The target's state lies where the runner's jobs look for it.
        runner = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": self.user.name, "GITHUB_API_URL": api}
        for command in ("check", "publish-artifact", "deploy"):
            more = {**runner, "GITHUB_TOKEN": TOKEN} if command == "deploy" else {}
            run_own([PROJECT / ".venv/bin/release-gate", command], cwd=folder, env={**here, **more})
        shutil.rmtree(folder)
        return next(str(one["package"]) for one in self.events() if one["kind"] == "promoted")


def pushed(commit: str, repository: Mapping[str, Any]) -> dict[str, Any]:
    """The payload of `push` about a commit of main."""
    return {"ref": "refs/heads/main", "after": commit, "deleted": False, "repository": dict(repository)}


def dispatched(repository: Mapping[str, Any], **inputs: str) -> dict[str, Any]:
    """The payload of `workflow_dispatch` from main."""
    return {"ref": "refs/heads/main", "inputs": inputs, "repository": dict(repository)}


def made(folder: Path, workflows: Mapping[str, str]) -> Production:
    """Write and commit the repository; nothing is in production."""
    home = folder / "home"
    home.mkdir()
    machine = Machine(home, f"127.0.0.1:{_free_port()}", f"127.0.0.1:{_free_port()}")
    tree = folder / "tiny"
    project.write(tree)
    interpreter = yaml.safe_load(project.CONFIG)["candidate"]["predict"].split()[0]
    rollout = ROLLOUT.format(listen=machine.listen, admin=machine.admin)
    (tree / "release-gate.yml").write_text(project.CONFIG.replace(interpreter, "python") + rollout)
    (tree / "contracts/rows.yml").write_text(json.dumps(CONTRACT))  # JSON is YAML
    (tree / "requirements.txt").write_text(_locked("pyarrow"))
    for name, text in workflows.items():
        (tree / ".github/workflows").mkdir(parents=True, exist_ok=True)
        here = text.replace("runs-on: ubuntu-latest", f"runs-on: {TARGET}")
        (tree / ".github/workflows" / name).write_text(here.replace("    # secrets: {", "    secrets: {"))
    return Production(committed(tree), machine)


def _locked(name: str) -> str:
    """A library at the version that is here, so that nothing has to be fetched."""
    from importlib.metadata import version

    return f"{name}=={version(name)}\n"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
