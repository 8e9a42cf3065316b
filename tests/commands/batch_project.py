"""The tiny repository as one that delivers tables: no server, a folder of partitions, a pointer."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow.parquet as pq

from release_gate.files import sha256
from release_gate.lifecycle.state import State, fold
from release_gate.registry.ledger import Ledger
from release_gate.registry.stores.folder import FolderStore
from tests.commands.test_publish_artifact import CONTRACT, digest
from tests.tiny.calling import Said, call
from tests.tiny.project import Project

if TYPE_CHECKING:
    import pytest

ROLLOUT = """\
delivery: batch
rollout:
  target:
    batch: {data: rows, tables: predictions, pointer: predictions/current.json, changed_at_most: 50%, change: 0.1}
"""
PLANTED = """\
marker = Path(*Path(out).parts[:-4], "planted.txt")
if marker.exists() and Path(data).stem == marker.read_text():
    exec(marker.with_suffix(".py").read_text())
"""


@dataclass(frozen=True)
class Batch:
    """A repository whose model is released as a table."""

    project: Project
    capsys: pytest.CaptureFixture[str] | None = None

    @property
    def root(self) -> Path:
        return self.project.root

    def state(self) -> State:
        return fold(Ledger(FolderStore(self.root / ".release-gate" / "registry"), "tiny").read())

    @property
    def pointer(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.root / "predictions" / "current.json").read_bytes())
        return content

    def partition(self, name: str, rows: int = 20) -> None:
        frame = pd.DataFrame({"id": [f"{name}-{one}" for one in range(rows)], "x": [one / rows for one in range(rows)]})
        frame["late"] = False  # the truth, where it is known already, must not reach `predict`
        (self.root / "rows").mkdir(exist_ok=True)
        frame.to_parquet(self.root / "rows" / f"{name}.parquet", index=False)

    def table(self, package: str) -> Path:
        return self.root / "predictions" / package.removeprefix("sha256:")[:12]

    def manifest(self, package: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.table(package) / "_manifest.json").read_bytes())
        return content

    def scores(self, package: str, partition: str) -> list[float]:
        table = pq.read_table(self.table(package) / f"{partition}.parquet")
        return [float(one) for one in table["score"].to_numpy()]

    def weight(self, old: str, new: str) -> None:
        self.project.replace("tiny_model/train.py", f'"{old}"', f'"{new}"')

    def publish(self) -> str:
        for name in ("check", "publish-artifact"):
            done = self.command_line(name)
            assert done.returncode == 0, done.stdout
        return digest(self.project)

    def say(self, name: str, *words: str) -> Said:
        """A command in this process, and the verdict it left."""
        assert self.capsys is not None
        return call(self.project, self.capsys, name, *words)

    def deploy(self) -> None:
        """Release the newest version in a process of its own."""
        done = self.command_line("deploy")
        assert done.returncode == 0, done.stdout

    def command_line(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        """A command in a process of its own, which may be killed."""
        full = [sys.executable, "-c", "from release_gate.cli import main; main()", *words]
        return subprocess.run(full, cwd=self.root, env=self.project.environ, capture_output=True, check=False)

    def plant(self, partition: str, code: str) -> None:
        """What `predict` does from now on when it comes to that partition."""
        self.marker.with_suffix(".py").write_text(code)
        self.marker.write_text(partition)

    @property
    def marker(self) -> Path:
        return self.root / "planted.txt"

    @property
    def whole(self) -> bool:
        """Whether the pointer, read as a reader does, names a table in which every file is what was scored."""
        path = self.root / "predictions" / "current.json"
        if not path.exists():
            return True
        pointer = json.loads(path.read_bytes())
        folder = path.parent / pointer["table"]
        manifest = json.loads((folder / "_manifest.json").read_bytes())
        assert manifest["version"] == pointer["version"]
        assert manifest["partitions"]
        for name, entry in manifest["partitions"].items():
            known = {entry["output"], manifest["replacing"].get(name, entry)["output"]}
            if sha256(folder / f"{name}.parquet") not in known:
                return False
        return True


def made(project: Project) -> Batch:
    """The repository with two partitions, nothing published."""
    batch = Batch(project)
    (project.root / "contracts" / "rows.yml").write_text(CONTRACT)
    config = (project.root / "release-gate.yml").read_text()
    lines = [line for line in config.splitlines(keepends=True) if "serve:" not in line]
    (project.root / "release-gate.yml").write_text("".join(lines) + ROLLOUT)
    (project.root / "smoke.yml").unlink()
    (project.root / ".gitignore").write_text(".release-gate/\n__pycache__/\npredictions/\nrows/\nplanted.*\n")
    batch.partition("2026-01-01")
    batch.partition("2026-01-02")
    project.replace("tiny_model/predict.py", "weight = ", f"{PLANTED}weight = ")
    return batch
