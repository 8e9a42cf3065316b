"""The example's cars scored, released a second time, and taken back, as its README says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.examples.conftest import Repository, errors

pytestmark = pytest.mark.examples


@pytest.fixture
def cars(released_scores: Repository, tmp_path: Path) -> Repository:
    """fuel-economy, registered and not deployed yet."""
    shutil.copytree(released_scores.folder, tmp_path / "cars", symlinks=True)
    repository = Repository(tmp_path / "cars", "fuel-economy")
    # Whoever used it before may have left another commit checked out.
    repository.git("checkout", "-qfB", "main", "base")
    repository.git("clean", "-fdq")
    with (repository.folder / ".gitignore").open("a") as file:
        file.write("predictions/\n")
    repository.commit("Tables are not in git")
    return repository


def pointer(repository: Repository) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((repository.folder / "predictions" / "fuel-economy.json").read_bytes())
    return content


def table(repository: Repository) -> pd.DataFrame:
    """As a reader reads it."""
    return pd.read_parquet(repository.folder / "predictions" / pointer(repository)["table"])


def released(repository: Repository, old: str, new: str) -> None:
    repository.edit("batch_scores/fuel_predict.py", old, new)
    repository.commit("Another way to score")
    assert repository.command("check", "--model", "fuel-economy") == 0
    assert repository.command("publish-artifact", "--model", "fuel-economy") == 0


def test_two_releases_and_a_way_back(cars: Repository) -> None:
    cars.gate("deploy")
    first, scored = pointer(cars)["version"], table(cars)
    assert len(scored) == 406
    released(cars, "math.exp(total)", "1.01 * math.exp(total)")
    verdict = cars.gate("deploy")
    (compared,) = [one for one in verdict.findings if one.code == "shadow-compared"]
    assert compared.evidence["rows"] == 406
    assert compared.evidence["mean_after"] == pytest.approx(1.01 * scored["score"].mean())
    assert pointer(cars)["previous"]["version"] == first
    assert cars.gate("rollback").findings[-1].code == "rollback-done"
    assert pointer(cars)["version"] == first
    pd.testing.assert_frame_equal(table(cars), scored)


def test_scores_that_jump_are_taken_back_although_they_pass_their_bars(cars: Repository) -> None:
    cars.gate("deploy")
    first = pointer(cars)["version"]
    cars.edit("release-gate.yml", "at_most: 5.0, no_worse_than_production_by: 0.5", "at_most: 5.0")
    cars.edit("release-gate.yml", "{metric: mae, no_worse_than_production_by: 0.5", "{metric: mae, at_most: 5.0")
    released(cars, "math.exp(total)", "1.5 + math.exp(total)")
    assert errors(cars.gate("deploy")) == {"shadow-changed", "deploy-taken-back"}
    assert pointer(cars)["version"] == first
