"""A tiny repository built for real: what comes out, and every way to fail with exactly its code."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq
import pytest

from release_gate.registry.ledger import Ledger
from release_gate.registry.packages import copy, open_package
from release_gate.registry.stores.folder import FolderStore
from tests.tiny.calling import Said, call
from tests.tiny.project import CONFIG, SMOKE, Project

Capture = pytest.CaptureFixture[str]


def build(project: Project, capsys: Capture, **options: Any) -> Said:
    return call(project, capsys, "build-candidate", **options)


def facts(project: Project) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((project.build / "build.json").read_bytes())
    return found


def digest(project: Project) -> str:
    return str(facts(project)["package"]["digest"])


def nothing_left(project: Project) -> bool:
    """No build, and nothing half-made beside it."""
    return not project.build.exists() or not any(project.build.iterdir())


def release(project: Project) -> str:
    """Put the built candidate into production, as publishing does."""
    from datetime import UTC, datetime

    from release_gate.lifecycle.events import Draft

    registry = project.root / ".release-gate" / "registry"
    copy(open_package(project.build / "package"), registry / "packages")
    made = digest(project)
    draft = Draft(at=datetime.now(UTC), actor="octocat", kind="registered", package=made, serves="on-registration")
    Ledger(FolderStore(registry), "tiny").append(lambda _: draft)
    return made


def test_a_first_release_is_built_and_sealed(project: Project, capsys: Capture) -> None:
    said = build(project, capsys)
    assert (said.code, said.codes, said.notes) == (0, [], ["package-files", "first-release"])
    made = facts(project)
    assert made["production"] is None
    assert made["golden"] == {"rows": 20, "through": "serve"}
    package = open_package(project.build / "package", digest(project)).package
    names = {file.path for file in package.contents.files}
    assert {"code/tiny_model/serve.py", "code/smoke.yml", "model/model.txt"} <= names
    assert not any("data/" in name or "test" in name for name in names)
    assert [data.name for data in package.contents.datasets] == ["data/evaluation.parquet", "data/rows.parquet"]
    assert [(one.name, one.version) for one in package.contents.contracts] == [("contracts/rows.yml", "1.0.0")]
    table = pq.read_table(project.build / "candidate.parquet")
    assert (table.column_names, table.num_rows) == (["id", "score"], 60)
    assert not (project.build / "production.parquet").exists()
    assert said.verdict is not None
    assert {subject.kind for subject in said.verdict.subjects} == {"package", "data", "code"}
    assert sorted(path.name for path in project.build.iterdir()) == ["build.json", "candidate.parquet", "package"]


def test_the_feature_contract_is_recorded_and_sealed_whatever_the_globs_say(project: Project, capsys: Capture) -> None:
    contract = project.root / "contracts" / "features.yml"
    contract.write_text("version: 1.4.0\n")
    transforms = "transforms: {training: 'f:t', serving: 'f:s', features: contracts/features.yml}\n"
    project.replace("release-gate.yml", "candidate:\n", f"{transforms}candidate:\n  files: [tiny_model/*.py]\n")
    assert build(project, capsys).code == 0
    contents = open_package(project.build / "package", digest(project)).package.contents
    assert contents.features is not None
    assert (contents.features.name, contents.features.version) == ("contracts/features.yml", "1.4.0")
    assert "code/contracts/features.yml" in {file.path for file in contents.files}
    assert "contracts/features.yml" not in {one.name for one in contents.contracts}


def test_the_same_commit_gives_the_same_digest_and_the_next_another(project: Project, capsys: Capture) -> None:
    build(project, capsys)
    first = digest(project)
    build(project, capsys)
    assert digest(project) == first
    project.replace("tiny_model/train.py", "0.25", "0.5")
    build(project, capsys)
    assert digest(project) != first


def test_production_predicts_from_its_own_package_in_its_own_environment(built: Project, capsys: Capture) -> None:
    before = release(built)
    # The candidate changes code, model, commands and lock; production must still run as it was sealed.
    built.replace("tiny_model/predict.py", "weight * x", "weight + x")
    (built.root / "requirements.txt").write_text("six==1.17.0\n")
    built.replace("tiny_model/train.py", "0.25", "0.5")
    built.replace("tiny_model/serve.py", 'weight * row["x"]', 'weight + row["x"]')
    said = build(built, capsys)
    assert (said.code, said.codes) == (0, [])
    assert facts(built)["production"] == {"digest": before}
    assert digest(built) != before
    candidate, production = (pq.read_table(built.build / f"{who}.parquet") for who in ("candidate", "production"))
    assert production["score"].to_pylist()[59] == pytest.approx(0.25 * 59 / 60)
    assert candidate["score"].to_pylist()[59] == pytest.approx(0.5 + 59 / 60)
    assert candidate["id"].equals(production["id"])


def damaged(built: Project, how: str) -> None:
    registry = built.root / ".release-gate" / "registry"
    made = open_package(registry / "packages")
    if how == "a byte":
        path = registry / "packages" / "blobs" / "sha256" / made.layers.descriptors["model"]["digest"][7:]
        path.write_bytes(path.read_bytes()[:-1] + b"x")
    elif how == "gone":
        (registry / "packages" / "index.json").unlink()


@pytest.mark.parametrize("how", ["a byte", "gone", "command"])
def test_production_that_can_not_run_is_never_taken_for_a_first_release(
    built: Project, capsys: Capture, how: str
) -> None:
    if how == "command":
        # The evaluation data move on, and the production that was sealed does not understand them.
        release(built)
        built.replace("release-gate.yml", "key: id", "key: name")
        path = built.root / "data" / "evaluation.parquet"
        pq.write_table(pq.read_table(path).rename_columns(["name", "x", "late"]), path)
        built.replace("tiny_model/predict.py", '"id"', '"name"')
    else:
        release(built)
        damaged(built, how)
    said = build(built, capsys)
    assert (said.code, said.codes) == (4, ["production-unusable"])
    assert nothing_left(built)


def test_a_broken_ledger_is_no_first_release(built: Project, capsys: Capture) -> None:
    release(built)
    event = built.root / ".release-gate" / "registry" / "ledger" / "tiny" / "00000001.json"
    event.write_bytes(event.read_bytes()[:-20])
    said = build(built, capsys)
    assert (said.code, said.codes) == (4, ["ledger-broken"])
    assert nothing_left(built)


HANG = "import sys, time\ntime.sleep(60)"
HEALTH_ONLY = "version: 1\nchecks: [{name: health, get: /health}]\n"
FAULTS: dict[str, tuple[str, str, str, int, str]] = {
    # what: file, old, new, exit code, finding code
    "training fails": ("tiny_model/train.py", "import sys", "raise SystemExit('out of memory')", 1, "train-failed"),
    "training hangs": ("tiny_model/train.py", "import sys", HANG, 1, "train-timed-out"),
    "training floods": (
        "tiny_model/train.py",
        "import sys",
        "import sys\nwhile True: print('x' * 100_000)",
        1,
        "train-failed",
    ),
    "no model": ("tiny_model/train.py", 'Path(sys.argv[1], "model.txt").write_text', "str", 1, "model-empty"),
    "a link to nothing": (
        "tiny_model/train.py",
        '"model.txt").write_text("0.25")',
        '"model.txt").write_text("0.25")\nPath(sys.argv[1], "link").symlink_to("/nowhere")',
        1,
        "package-file-outside",
    ),
    "prediction fails": ("tiny_model/predict.py", "rows = pq", "raise KeyError('x')\nrows = pq", 1, "predict-failed"),
    "prediction needs a file that is not packaged": (
        "tiny_model/predict.py",
        "weight = float",
        "open('data/rows.parquet')\nweight = float",
        1,
        "predict-failed",
    ),
    "prediction reads the label": ("tiny_model/predict.py", "float(", "len(rows['late']) or (", 1, "predict-failed"),
    "prediction hangs": ("tiny_model/predict.py", "import sys", HANG, 1, "predict-timed-out"),
    "prediction writes nothing": ("tiny_model/predict.py", "pq.write_table", "print", 1, "prediction-missing"),
    "prediction writes text": (
        "tiny_model/predict.py",
        "pq.write_table(",
        "Path(out).write_text('no'); print(",
        1,
        "prediction-unreadable",
    ),
    "a row is dropped": (
        "tiny_model/predict.py",
        "rows = pq.read_table(data)",
        "rows = pq.read_table(data)[1:]",
        1,
        "prediction-rows-missing",
    ),
    "rows are doubled": (
        "tiny_model/predict.py",
        "rows = pq.read_table(data)",
        "rows = pq.read_table(data); rows = pa.concat_tables([rows, rows])",
        1,
        "prediction-rows-duplicated",
    ),
    "another score column": ("tiny_model/predict.py", '"score":', '"p":', 1, "prediction-column-missing"),
    "a score is NaN": ("tiny_model/predict.py", "weight * x", "float('nan')", 1, "prediction-not-finite"),
    "training and serving disagree": (
        "tiny_model/serve.py",
        'weight * row["x"]',
        '1.8 * weight * row["x"]',
        1,
        "serve-disagrees-with-predict",
    ),
    "the server dies at its start": ("tiny_model/serve.py", "import json", "raise SystemExit(3)", 1, "serve-died"),
    "the server is never ready": (
        "tiny_model/serve.py",
        "import json",
        "import time; time.sleep(60)\nimport json",
        1,
        "serve-not-ready",
    ),
    "the server answers without scores": ("tiny_model/serve.py", '"predictions":', '"answers":', 1, "smoke-scores"),
    "smoke.yml does not say how to predict": ("smoke.yml", SMOKE, HEALTH_ONLY, 1, "smoke-no-predict"),
    "smoke.yml is wrong": ("smoke.yml", "status: 4xx", "state: 4xx", 2, "config-unknown-key"),
    "the key is not in the data": ("release-gate.yml", "key: id", "key: name", 2, "evaluation-column-missing"),
    "the evaluation data are not there": ("release-gate.yml", "data/evaluation", "data/absent", 2, "file-missing"),
    "the lock is not there": ("release-gate.yml", "predict:", "lock: absent.txt\n  predict:", 2, "lock-missing"),
    "the command is not there": ("release-gate.yml", "train: python", "train: no-such-python", 2, "command-missing"),
    "a placeholder is misspelt": ("release-gate.yml", "train {out}", "train {ouut}", 2, "placeholder-unknown"),
    "the globs match nothing": ("release-gate.yml", "predict:", "files: [none/*]\n  predict:", 2, "package-files-none"),
}


@pytest.mark.parametrize("what", FAULTS)
def test_each_fault_has_its_code_and_leaves_no_build(project: Project, capsys: Capture, what: str) -> None:
    file, old, new, code, expected = FAULTS[what]
    project.replace(file, old, new)
    if "hangs" in what:
        limits = "train_limit: 1s\n  predict_limit: 2s\n  predict:"
        project.replace("release-gate.yml", "predict:", limits)
    if "never ready" in what:
        project.replace("smoke.yml", "version: 1", "version: 1\nstart_within: 1s")
    said = build(project, capsys)
    assert (said.codes, said.code) == ([expected], code)
    assert nothing_left(project)


def test_a_failing_command_shows_its_last_lines(project: Project, capsys: Capture) -> None:
    project.replace("tiny_model/train.py", "import sys", "print('epoch 1')\nraise SystemExit('out of memory')")
    said = build(project, capsys)
    assert "epoch 1\nout of memory" in said.message


def test_without_a_server_golden_predictions_come_from_predict(project: Project, capsys: Capture) -> None:
    serve = next(line for line in CONFIG.splitlines() if "serve:" in line)
    project.replace("release-gate.yml", f"{serve}\n", "")
    (project.root / "smoke.yml").unlink()
    project.commit()
    said = build(project, capsys)
    assert said.codes == []
    package = open_package(project.build / "package").package
    assert (facts(project)["golden"]["through"], package.contents.delivery) == ("predict", "none")


def test_a_dirty_tree_is_told_and_sealed_as_such(project: Project, capsys: Capture) -> None:
    project.replace("tiny_model/train.py", "0.25", "0.5", commit=False)
    (project.root / "notes.txt").write_text("x")
    said = build(project, capsys)
    assert said.notes == ["package-files", "tree-dirty", "package-untracked", "first-release"]
    package = open_package(project.build / "package").package
    assert package.source.dirty


def fetched(project: Project, where: str, content: bytes, *, sha256: str | None = None) -> None:
    train = next(line for line in CONFIG.splitlines() if "train:" in line)
    expected = sha256 or hashlib.sha256(content).hexdigest()
    project.replace("release-gate.yml", train, f"  from: {{path: '{where}', sha256: {expected}}}")


def archive(folder: Path) -> bytes:
    (folder / "model.txt").write_text("0.25")
    with tarfile.open(folder / "m.tgz", "w:gz") as made:
        made.add(folder / "model.txt", "model.txt")
    return (folder / "m.tgz").read_bytes()


def test_a_model_trained_elsewhere_is_taken_from_a_file_or_an_archive(
    project: Project, capsys: Capture, tmp_path: Path
) -> None:
    (project.root / "model.txt").write_text("0.25")
    fetched(project, "model.txt", b"0.25")
    assert build(project, capsys).codes == []
    content = archive(tmp_path)
    (project.root / "m.tgz").write_bytes(content)
    (project.root / "release-gate.yml").write_text(CONFIG)
    project.commit()
    fetched(project, "m.tgz", content)
    said = build(project, capsys)
    assert said.codes == []
    files = open_package(project.build / "package").package.contents.files
    names = [file.path for file in files]
    assert "model/model.txt" in names
    assert "code/m.tgz" not in names, "not a second time"


class Web:
    """The network: one answer for every address."""

    def __init__(self, content: bytes, status: int = 200) -> None:
        self.content, self.status_code = content, status

    def request(self, method: str, url: str, /, **options: Any) -> Any:
        if url.startswith("http://127.0.0.1"):
            import requests

            return requests.request(method, url, **options)
        return self

    def iter_content(self, chunk_size: int) -> Iterator[bytes]:
        yield self.content

    def close(self) -> None:
        """Nothing is held."""


def test_a_model_is_fetched_over_https_and_proven(project: Project, capsys: Capture, tmp_path: Path) -> None:
    content = archive(tmp_path)
    fetched(project, "https://models.octo-air.example/m.tgz?key=1", content)
    assert build(project, capsys, session=Web(content)).codes == []
    assert build(project, capsys, session=Web(b"another")).codes == ["candidate-digest"]
    said = build(project, capsys, session=Web(b"", 503))
    assert (said.code, said.codes) == (4, ["candidate-unreachable"])


@pytest.mark.parametrize(("content", "code"), [(b"PK\x03\x04", "archive-broken"), ("link", "archive-unsafe")])
def test_a_fetched_archive_is_not_trusted(
    project: Project, capsys: Capture, tmp_path: Path, content: bytes | str, code: str
) -> None:
    if isinstance(content, str):
        (tmp_path / "l").symlink_to("/etc/passwd")
        with tarfile.open(tmp_path / "l.tar", "w") as made:
            made.add(tmp_path / "l", "l")
        content = (tmp_path / "l.tar").read_bytes()
    (project.root / "m.tar").write_bytes(content)
    fetched(project, "m.tar", content)
    assert build(project, capsys).codes == [code]


def test_a_file_that_is_not_there_is_told(project: Project, capsys: Capture) -> None:
    fetched(project, "absent.bin", b"")
    said = build(project, capsys)
    assert (said.code, said.codes) == (2, ["file-missing"])


def family(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


PAUSES = {
    "training": ("tiny_model/train.py", "import sys"),
    "prediction": ("tiny_model/predict.py", "import sys"),
    "serving": ("tiny_model/serve.py", "import json"),
}


@pytest.mark.parametrize(
    ("step", "how"),
    [*((step, signal.SIGKILL) for step in PAUSES), ("serving", signal.SIGTERM), ("prediction", signal.SIGINT)],
)
def test_killed_at_any_step_it_leaves_no_package_and_nothing_running(
    project: Project, tmp_path: Path, step: str, how: signal.Signals
) -> None:
    file, old = PAUSES[step]
    mark = tmp_path / "reached"
    pause = (
        f"import time, pathlib, os; pathlib.Path({str(mark)!r}).write_text(str(os.getpid())); time.sleep(300)\n{old}"
    )
    project.replace(file, old, pause)
    words = [sys.executable, "-c", "from release_gate.cli import main; main()", "build-candidate"]
    environ = {**project.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(words, cwd=project.root, env=environ, stdout=-3, stderr=-3) as process:
        until = time.monotonic() + 60
        while not (mark.exists() and mark.read_text()) and time.monotonic() < until:
            time.sleep(0.02)
        started = [*family(process.pid), psutil.Process(int(mark.read_text()))]
        os.kill(process.pid, how)
        process.wait(30)
    _, alive = psutil.wait_procs(started, timeout=15)
    assert alive == []
    assert nothing_left(project)
    if how is not signal.SIGKILL:
        assert not list(tmp_path.glob("release-gate-*")), "temporary folders are removed"


def test_killed_while_sealing_it_leaves_no_package(built: Project, capsys: Capture) -> None:
    script = (
        "import os, signal\n"
        "from release_gate.registry import blobs\n"
        "blobs.register = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "from release_gate.cli import main; main()\n"
    )
    words = [sys.executable, "-c", script, "build-candidate"]
    done = subprocess.run(words, cwd=built.root, env=built.environ, check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL
    assert not (built.build / "build.json").exists()
    assert not (built.build / "package").exists()
    # What the kill left in the making is gone with the next build.
    assert build(built, capsys).code == 0
    assert sorted(path.name for path in built.build.iterdir()) == ["build.json", "candidate.parquet", "package"]
