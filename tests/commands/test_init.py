"""`init` in repositories it has never seen: what it drafts is either right or refused, and nothing is overwritten."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from release_gate import config
from release_gate.cli import cli
from release_gate.commands.init import owner
from release_gate.documents import read
from release_gate.findings import BadInput

TRAIN = """import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--output", required=True)
"""
PREDICT = """import click
@click.command()
@click.option("--model-path")
@click.option("-i", "--input")
@click.option("--out")
def main(): ...
"""
FEATURES = "def online_features(row): ...\ndef train_features(frame): ...\ndef _hidden(): ...\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository in src layout with data as CSV, and a server without a command line we could read."""
    package = tmp_path / "Churn Model" / "src" / "churn"
    package.mkdir(parents=True)
    for name, text in (("train", TRAIN), ("predict", PREDICT), ("features", FEATURES), ("app", "x = (")):
        (package / f"{name}.py").write_text(text)
    data = tmp_path / "Churn Model" / "data"
    data.mkdir()
    rows = np.arange(400)
    frame = pd.DataFrame({"customer_id": rows, "age": rows % 70 + 18, "spent": rows / 7, "churned": rows % 2 == 0})
    frame.to_csv(data / "customers.csv", index=False)
    frame.iloc[::3].to_parquet(data / "customers_test.parquet")
    (data / "broken.parquet").write_bytes(b"not a table")
    subprocess.run(["git", "init", "-q", str(tmp_path / "Churn Model")], check=True)
    return tmp_path / "Churn Model"


def init(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["init", "--folder", str(folder), *arguments], catch_exceptions=False)


def test_a_repository_never_seen_gets_a_configuration_from_what_is_in_it(folder: Path) -> None:
    (folder / ".github").mkdir()
    (folder / ".github" / "CODEOWNERS").write_text(
        "# owners\n*  @someone\n*  @octo-air  # the last one counts\n/docs @x\n"
    )
    done = init(folder)
    assert done.exit_code == 0, done.output
    (model,) = config.load(folder / "release-gate.yml").models
    assert model.model == "churn-model"
    assert str(model.owner) == "@octo-air"
    assert model.contracts == {"contracts/customers.yml": "data/customers.csv"}
    assert model.candidate.train == "python -m churn.train --output {out}"
    assert model.candidate.predict == "python -m churn.predict --model-path {model} --input {data} --out {out}"
    assert model.candidate.serve is None
    assert model.transforms is not None
    assert model.transforms.training == "churn.features:train_features"
    assert model.transforms.serving == "churn.features:online_features"
    assert (model.evaluation.data, model.evaluation.key, model.evaluation.label) == (
        "data/customers_test.parquet",
        "customer_id",
        "churned",
    )
    assert model.thresholds[0].metric == "roc_auc"
    assert "'churned' is a guess" in done.output
    assert "a draft" in done.output


def test_of_a_team_that_owns_everything_its_people_are_asked_for(folder: Path) -> None:
    (folder / "CODEOWNERS").write_text("* @octo-air/ml\n")
    assert "owner.members: the people of @octo-air/ml" in init(folder).output
    file = folder / "release-gate.yml"
    with pytest.raises(BadInput, match=r"still to be decided: 'owner\.members"):
        config.load(file)
    file.write_text(file.read_text().replace("<decide>", "@octocat"))
    owner = config.load(file).models[0].owner
    assert owner.persons(owner.people) == (("@octocat",), ())


def test_the_drafted_contract_is_kept_by_the_data_it_was_drafted_from(folder: Path) -> None:
    init(folder)
    contract, data = folder / "contracts/customers.yml", folder / "data/customers.csv"
    done = CliRunner().invoke(cli, ["schema-check", "--contract", str(contract), "--data", str(data)])
    assert done.exit_code == 0, done.output


def test_what_can_t_be_found_is_asked_for_and_refused_until_it_is_decided(tmp_path: Path) -> None:
    done = init(tmp_path)
    assert done.exit_code == 0
    for question in ("owner", "contracts", "candidate.train", "candidate.predict", "evaluation.label", "transforms"):
        assert question in done.output
    with pytest.raises(BadInput) as refusal:
        config.load(tmp_path / "release-gate.yml")
    assert "'owner'" in str(refusal.value)


def test_files_that_exist_are_kept_unless_forced(folder: Path) -> None:
    (folder / "MODEL_CARD.md").write_text("# Ours\n")
    assert "kept     MODEL_CARD.md" in init(folder).output
    assert (folder / "MODEL_CARD.md").read_text() == "# Ours\n"
    assert "replaced MODEL_CARD.md" in init(folder, "--force").output
    assert "Intended use" in (folder / "MODEL_CARD.md").read_text()


def test_callers_grant_what_the_workflows_need_and_name_the_gate_asked_for(folder: Path) -> None:
    init(folder, "--gate", "octo-air/fork-of-gate@v2")
    caller = read(folder / ".github/workflows/release-gate.yml").value
    assert caller["jobs"]["gate"]["uses"] == "octo-air/fork-of-gate/.github/workflows/gate.yml@v2"
    assert caller["jobs"]["gate"]["permissions"] == {"contents": "read", "pull-requests": "write"}
    assert caller["permissions"] == {}
    assert caller["jobs"]["release"]["uses"] == "octo-air/fork-of-gate/.github/workflows/release.yml@v2"
    assert caller["jobs"]["release"]["permissions"] == dict.fromkeys(
        ("contents", "pull-requests", "deployments", "packages", "id-token", "attestations"), "write"
    )
    assert caller["on"]["push"] == {"branches": ["main"]}
    assert [job["if"] for job in caller["jobs"].values()] == [
        "github.event_name != 'push'",
        "github.event_name == 'push'",
    ]
    comment = read(folder / ".github/workflows/release-gate-comment.yml").value
    assert comment["on"]["workflow_run"]["workflows"] == [caller["name"]]


def test_the_rollback_is_a_button_that_hands_its_words_on_as_they_are(folder: Path) -> None:
    init(folder)
    caller = read(folder / ".github/workflows/release-gate-rollback.yml").value
    assert caller["name"] == "Rollback"
    inputs = caller["on"]["workflow_dispatch"]["inputs"]
    assert set(inputs) == {"version", "because", "model"}
    given = caller["jobs"]["rollback"]["with"]
    assert {name: given[name] for name in inputs} == {name: f"${{{{ inputs.{name} }}}}" for name in inputs}
    gate = read(folder / ".github/workflows/release-gate.yml").value
    assert given["runs-on"] == gate["jobs"]["release"]["with"]["deploy-runs-on"]


def test_what_is_released_is_the_default_branch_of_origin(folder: Path) -> None:
    words = ("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk")
    subprocess.run(["git", "-C", str(folder), *words], check=True)
    init(folder)
    assert read(folder / ".github/workflows/release-gate.yml").value["on"]["push"] == {"branches": ["trunk"]}


def test_each_workflow_is_said_to_be_for_something_and_what_a_release_needs_is_asked(folder: Path) -> None:
    said = init(folder).output
    assert "release-gate.yml: judges every pull request, and releases what is merged" in said
    assert "release-gate-comment.yml: posts the comment on pull requests of forks" in said
    assert "release-gate-rollback.yml: Actions → Rollback → Run" in said
    for word in ("registry: on GitHub a branch or a bucket", "rollout: how a version reaches", "deploy-runs-on"):
        assert word in questions_of(said)


def questions_of(said: str) -> str:
    return said.partition("Decide or check:")[2]


@pytest.mark.parametrize(
    ("arguments", "code"), [(("--gate", "x"), "usage"), (("--folder", "/nowhere"), "file-missing")]
)
def test_wrong_options_are_refused(folder: Path, arguments: tuple[str, ...], code: str) -> None:
    with pytest.raises(BadInput) as refusal:
        init(folder, *arguments)
    assert refusal.value.findings[0].code == code


@pytest.mark.parametrize(
    ("remote", "found"),
    [
        ("https://github.com/octo-air/flight-delay.git", "@octo-air"),
        ("git@github.com:octo-air/flight-delay.git", "@octo-air"),
        ("ssh://git@github.example.org/octo-air/flight-delay", "@octo-air"),
        ("/srv/git/octo-air/flight-delay.git", None),
    ],
)
def test_the_owner_is_whose_repository_it_is(folder: Path, remote: str, found: str | None) -> None:
    subprocess.run(["git", "-C", str(folder), "remote", "add", "origin", remote], check=True)
    assert owner(folder) == found


def test_a_drafted_server_gets_smoke_checks_that_are_read(folder: Path) -> None:
    from release_gate.serving.checks import load

    (folder / "src/churn/app.py").write_text("import argparse\n")
    done = init(folder)
    assert "shows no option for {port}" in done.output
    assert load(folder / "smoke.yml", "smoke.yml").checks


def questions(done: Result) -> str:
    return done.output.partition("Decide or check:")[2]


def test_what_must_stand_before_anything_passes_is_said_up_front(folder: Path) -> None:
    done = init(folder)
    needs = done.output.partition("  wrote")[0]
    assert "a lock file of the Python environment: none was found" in needs
    assert "pytest and coverage not found there" in needs
    assert "predict reads {data} and writes {out}, both as Parquet" in needs


@pytest.mark.parametrize(
    ("lock", "text", "words"),
    [
        ("uv.lock", '[[package]]\nname = "pytest"\n[[package]]\nname = "coverage"\n', "transform-tests: there"),
        ("pylock.toml", '[[packages]]\nname = "pytest"\n', "coverage not found there"),
        ("requirements.txt", "coverage[toml]==7.1\npytest-cov==5.0\n", "transform-tests: pytest not found there"),
    ],
)
def test_what_the_lock_holds_already_is_not_asked_for(folder: Path, lock: str, text: str, words: str) -> None:
    (folder / lock).write_text(text)
    done = init(folder)
    assert f"environment: {lock}" in done.output
    assert words in done.output


def test_of_files_that_people_made_theirs_only_what_they_leave_open_is_asked(folder: Path) -> None:
    first = init(folder)
    assert "owner" in questions(first)
    assert questions(init(folder)) == questions(first), "an untouched draft is as open as before"
    text = (folder / "release-gate.yml").read_text().replace('owner: "<decide>"', 'owner: "@octo-air"')
    (folder / "release-gate.yml").write_text(text.replace("key: customer_id", 'key: "<decide>"'))
    (folder / "MODEL_CARD.md").write_text("# Ours\n\n## Intended use\nTo win customers back.\n")
    contract = folder / "contracts/customers.yml"
    contract.write_text(contract.read_text().replace("status: draft", "status: active"))
    again = questions(init(folder))
    assert "still to be decided: 'evaluation.key'" in again
    assert "owner" not in again
    assert "MODEL_CARD.md" not in again
    assert "contracts/customers.yml: every range" in again, "its backfills are drafts still"
    contract.write_text(contract.read_text().replace("DRAFT:", "Replayed by the data team"))
    (folder / "release-gate.yml").write_text(text)
    assert questions(init(folder)) == ""


def test_a_configuration_in_a_folder_above_is_pointed_to(folder: Path) -> None:
    init(folder)
    assert "a folder above has one already, ../../release-gate.yml" in init(folder / "src/churn").output
