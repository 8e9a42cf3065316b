"""The smallest repository of a user: no dependencies, a model that is one number, a server of the standard library.

Its `predict` alone runs on the tests' own Python, because Parquet can't be written with the standard library.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

TRAIN = """\
import sys
from pathlib import Path
Path(sys.argv[1], "model.txt").write_text("0.25")
"""
PREDICT = """\
import sys
from pathlib import Path
import pyarrow as pa, pyarrow.parquet as pq
model, data, out = sys.argv[1:]
rows = pq.read_table(data)
assert "late" not in rows.column_names
weight = float(Path(model, "model.txt").read_text())
scores = [weight * x for x in rows["x"].to_pylist()]
pq.write_table(pa.table({"id": rows["id"], "score": scores}), out)
"""
SERVE = """\
import json, os, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
weight = float(Path(sys.argv[1], "model.txt").read_text())
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(200, {"version": os.environ["RELEASE_GATE_VERSION"]})
    def do_POST(self):
        try:
            rows = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["rows"]
            self.answer(200, {"predictions": [{"score": weight * row["x"]} for row in rows]})
        except (ValueError, KeyError, TypeError):
            self.answer(422, {})
    def answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Handler).serve_forever()
"""
CONFIG = f"""\
version: 1
model: tiny
owner: "@octo-air"
contracts: {{contracts/rows.yml: data/rows.parquet}}
candidate:
  train: python -m tiny_model.train {{out}}
  predict: {sys.executable} -m tiny_model.predict {{model}} {{data}} {{out}}
  serve: python -m tiny_model.serve {{model}} {{port}}
evaluation: {{data: data/evaluation.parquet, key: id, label: late}}
thresholds:
  - {{metric: roc_auc, at_least: 0.5}}
"""
SMOKE = """\
version: 1
predict: {post: /predict, body: {rows: "{rows}"}, scores: "predictions[*].score"}
checks:
  - {name: health, get: /health, json: {version: "{version}"}}
  - {name: golden, golden: {tolerance: 1e-6}}
  - {name: malformed, post: /predict, body: "{", status: 4xx}
"""
FILES = {
    "release-gate.yml": CONFIG,
    "smoke.yml": SMOKE,
    "requirements.txt": "# nothing is needed\n",
    "MODEL_CARD.md": "# tiny\n\n## Intended use\n\nTests.\n",
    "contracts/rows.yml": "version: 1.0.0\n",
    "tests/test_nothing.py": "",
    "tiny_model/__init__.py": "",
    "tiny_model/train.py": TRAIN,
    "tiny_model/predict.py": PREDICT,
    "tiny_model/serve.py": SERVE,
    ".gitignore": ".release-gate/\n__pycache__/\n",
}


@dataclass(frozen=True)
class Project:
    """A copy of the repository in a folder of its own, committed to git."""

    root: Path
    cache: Path

    @property
    def build(self) -> Path:
        return self.root / ".release-gate" / "run" / "tiny" / "build"

    @property
    def verdicts(self) -> Path:
        return self.build.parent / "verdicts"

    @property
    def environ(self) -> dict[str, str]:
        """What our own process gets."""
        scripts = Path(__file__).parents[2] / "scripts"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "INPUT_"))}
        return {**kept, "RELEASE_GATE_CACHE": str(self.cache), "PYTHONPATH": str(scripts)}

    def replace(self, name: str, old: str, new: str, *, commit: bool = True) -> None:
        """Change a file as a pull request would."""
        text = (self.root / name).read_text()
        assert old in text, f"{name} does not hold {old!r}"
        (self.root / name).write_text(text.replace(old, new))
        if commit:
            self.commit()

    def commit(self) -> None:
        named = ("-c", "user.name=octo", "-c", "user.email=octo@octo-air.example")
        for words in (("add", "-A"), ("commit", "-qm", "change", "--allow-empty")):
            subprocess.run(["git", *named, *words], cwd=self.root, check=True)


def write(root: Path) -> None:
    """Write the repository's files."""
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "data").mkdir()
    rows = pd.DataFrame({"id": range(60), "x": [number / 60 for number in range(60)]})
    rows["late"] = rows["x"] > 0.5
    for name in ("rows", "evaluation"):
        rows.to_parquet(root / "data" / f"{name}.parquet", index=False)


def make(root: Path, cache: Path) -> Project:
    """Write and commit the repository."""
    write(root)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    project = Project(root, cache)
    project.commit()
    return project
