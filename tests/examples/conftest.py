"""Both examples as repositories of users: prepared and released once, then broken in one way at a time."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from release_gate.cli import main
from release_gate.verdict import Severity, Verdict

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@dataclass(frozen=True)
class Repository:
    """A user's repository with a good release in production; `reset` takes a fault away again."""

    folder: Path
    model: str

    @property
    def run(self) -> Path:
        return self.folder / ".release-gate" / "run" / self.model

    def command(self, *arguments: str) -> int:
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            for variable in ("GITHUB_ACTIONS", "GITHUB_OUTPUT", "GITHUB_WORKSPACE", "GITHUB_EVENT_PATH"):
                patch.delenv(variable, raising=False)
            with pytest.raises(SystemExit) as ended:
                main(list(arguments))
        assert isinstance(ended.value.code, int)
        return ended.value.code

    def gate(self, name: str) -> Verdict:
        """Run one gate by its command and read the verdict it left."""
        code = self.command(name, "--model", self.model)
        verdict = Verdict.parse((self.run / "verdicts" / f"{name}.json").read_bytes())
        assert (code == 0) == (verdict.outcome in ("pass", "skipped")), (code, verdict.outcome)
        return verdict

    def git(self, *arguments: str) -> None:
        subprocess.run(["git", "-C", str(self.folder), *arguments], check=True, capture_output=True)

    def commit(self, message: str) -> None:
        self.git("add", "--all")
        self.git("-c", "user.name=octo-air", "-c", "user.email=octo-air@example.org", "commit", "-qm", message)

    def edit(self, path: str, old: str, new: str) -> None:
        text = (self.folder / path).read_text()
        assert old in text, f"{old!r} is not in {path}"
        (self.folder / path).write_text(text.replace(old, new, 1))

    def table(self, path: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
        frame = pd.read_parquet(self.folder / path, dtype_backend="pyarrow")
        change(frame).to_parquet(self.folder / path, index=False)

    def keep(self) -> None:
        shutil.copytree(self.folder / ".release-gate" / "run", self.folder.with_suffix(".run"))

    def reset(self) -> None:
        self.git("checkout", "-q", "base")
        self.git("reset", "--hard", "-q", "base")
        self.git("clean", "-fdq")
        shutil.rmtree(self.folder / ".release-gate" / "run")
        shutil.copytree(self.folder.with_suffix(".run"), self.folder / ".release-gate" / "run")


def errors(verdict: Verdict) -> set[str]:
    """The codes of a verdict's errors."""
    return {found.code for found in verdict.of(Severity.ERROR)}


def prepared(folder: Path, example: str, model: str, data: Callable[[Repository], None]) -> Repository:
    repository = Repository(folder / example, model)
    shutil.copytree(
        EXAMPLES / example, repository.folder, ignore=shutil.ignore_patterns(".venv", "__pycache__", ".release-gate")
    )
    repository.git("init", "-q", "-b", "main")
    assert repository.command("setup") == 0
    data(repository)
    (repository.folder / ".gitignore").write_text(".release-gate/\n__pycache__/\n.coverage\n")
    repository.commit("The repository as it is in production")
    repository.git("tag", "base")
    assert repository.command("check") == 0
    assert repository.command("publish-artifact") == 0
    # Once more, now with something in production to be compared with.
    assert repository.command("build-candidate") == 0
    repository.keep()
    return repository


def flights_data(repository: Repository) -> None:
    python = repository.folder / ".release-gate" / "environment" / "bin" / "python"
    subprocess.run(
        [str(python), "-m", "flight_delay.data", "--out", "data/"],
        cwd=repository.folder,
        check=True,
        capture_output=True,
    )
    model = repository.folder.with_suffix(".model")
    subprocess.run(
        [str(python), "-m", "flight_delay.train", "--out", str(model)],
        cwd=repository.folder,
        check=True,
        capture_output=True,
    )
    # The faults don't lie in training; a model trained beforehand and every tenth row keep them quick.
    repository.edit(
        "release-gate.yml",
        "train: python -m flight_delay.train --out {out}",
        f"train: cp -R {model}/. {{out}}",
    )
    repository.table("data/evaluation.parquet", lambda frame: frame.iloc[::5].reset_index(drop=True))
    repository.edit("release-gate.yml", "at_least: 0.68", "at_least: 0.6")


@pytest.fixture(scope="session")
def released_flights(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return prepared(tmp_path_factory.mktemp("flights"), "flight-delay", "flight-delay", flights_data)


@pytest.fixture(scope="session")
def released_scores(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return prepared(tmp_path_factory.mktemp("scores"), "batch-scores", "rain-tomorrow", lambda _: None)


@pytest.fixture
def flights(released_flights: Repository) -> Iterator[Repository]:
    yield released_flights
    released_flights.reset()


@pytest.fixture
def scores(released_scores: Repository) -> Iterator[Repository]:
    yield released_scores
    released_scores.reset()
