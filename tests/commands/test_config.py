"""`config check`: what release-gate.yml names is there, its commands can be filled, nothing is left to decide."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from release_gate.cli import cli
from release_gate.findings import BadInput

TEXT = """\
version: 1
model: flight-delay
owner: "@octocat"
contracts: {contracts/flights.yml: data/flights.parquet}
candidate:
  train: python -m flight_delay.train --out {out}
  predict: python -m flight_delay.predict --model {model} --data {data} --out {out}
  serve: python -m flight_delay.serve --model {model} --port {port}
evaluation: {data: data/evaluation.parquet, key: flight_id, label: late}
thresholds:
  - {metric: roc_auc, at_least: 0.70, role: goal}
"""
SMOKE = "version: 1\nchecks:\n  - {name: health, get: /health}\n"
FILES = ("contracts/flights.yml", "data/flights.parquet", "data/evaluation.parquet", "smoke.yml")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "smoke.yml").write_text(SMOKE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def checked(text: str) -> list[str]:
    """The findings as `line code message`; none where the configuration is right."""
    Path("release-gate.yml").write_text(text)
    try:
        done = CliRunner().invoke(cli, ["config", "check"], catch_exceptions=False)
    except BadInput as refusal:
        return [f"{found.where.line} {found.code} {found.message}" for found in refusal.findings]
    assert done.exit_code == 0
    assert "right; 1 model" in done.output or "right; 2 models" in done.output
    return []


def test_what_is_there_and_can_be_filled_is_right(folder: Path) -> None:
    assert checked(TEXT) == []


@pytest.mark.parametrize(("name", "line"), list(zip(FILES, (4, 4, 9, 1), strict=True)))
def test_a_file_that_is_named_and_missing_is_told_with_its_place(folder: Path, name: str, line: int) -> None:
    (folder / name).unlink()
    (told,) = checked(TEXT)
    assert told.startswith(f"{line} file-missing ")
    assert f"{name}, does not exist" in told


@pytest.mark.parametrize(
    ("line", "old", "new", "words"),
    [
        (6, "{out}\n  predict", "{ouput}\n  predict", "did you mean {out}?"),
        (7, "{data}", "{rows}", "known here: {model}, {data}, {out}"),
        (8, "{port}", "{prt}", "did you mean {port}?"),
    ],
)
def test_an_unknown_placeholder_is_told_before_anything_runs(
    folder: Path, line: int, old: str, new: str, words: str
) -> None:
    (told,) = checked(TEXT.replace(old, new, 1))
    assert told.startswith(f"{line} placeholder-unknown ")
    assert words in told


def test_every_missing_thing_is_told_at_once_and_a_shared_one_once(folder: Path) -> None:
    for name in FILES:
        (folder / name).unlink()
    several = TEXT.replace("model: flight-delay\n", "") + "models: [{model: a}, {model: b, smoke: other.yml}]\n"
    told = checked(several)
    assert len(told) == len(FILES) + 1
    assert told[-1].startswith("11 file-missing the checks of the server, other.yml")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "1 config-invalid 'the document': a mapping of keys is expected here"),
        ("version: 1\n", "1 config-invalid 'checks': this key is needed, and is not given"),
        ("version: 1\nchecks: []\n", "2 config-invalid 'checks': this is empty: write at least one"),
        ("version: 1\nchecks:\n  - {name: a, get: health}\n", "3 config-invalid 'checks.0.get'"),
    ],
)
def test_a_mistake_in_the_checks_of_the_server_is_told_in_their_own_file(folder: Path, text: str, told: str) -> None:
    (folder / "smoke.yml").write_text(text)
    (said,) = checked(TEXT)
    assert said.startswith(told)


def test_the_checks_of_every_model_are_read_and_shared_ones_once(folder: Path) -> None:
    (folder / "smoke.yml").write_text("version: 1\n")
    (folder / "other.yml").write_text("version: 1\nchecks: []\n")
    several = TEXT.replace("model: flight-delay\n", "") + (
        "models: [{model: a}, {model: b}, {model: c, smoke: other.yml}]\n"
    )
    assert [one.split(":")[0] for one in checked(several)] == ["1 config-invalid 'checks'", "2 config-invalid 'checks'"]


def test_the_file_of_the_checks_is_named_from_where_the_command_runs(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "smoke.yml").write_text("version: 1\n")
    (folder / "release-gate.yml").write_text(TEXT)
    monkeypatch.chdir(folder.parent)
    words = ["config", "check", "--config", f"{folder.name}/release-gate.yml"]
    with pytest.raises(BadInput) as refusal:
        CliRunner().invoke(cli, words, catch_exceptions=False)
    assert [one.where.file for one in refusal.value.findings] == [f"{folder.name}/smoke.yml"]


def test_a_contract_in_python_is_no_missing_file(folder: Path) -> None:
    assert checked(TEXT.replace("contracts/flights.yml", "shop.schemas:Flights")) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"@octocat"', "<decide>", "3 config-undecided still to be decided: 'owner'"),
        ("label: late", 'label: "<decide>"', "9 config-undecided still to be decided: 'evaluation.label'"),
        ("{contracts/flights.yml: data/flights.parquet}", "{<decide>: x}",
         "4 config-undecided still to be decided: 'contracts'"),
        ("python -m flight_delay.train", "<decide>", "6 config-undecided still to be decided: 'candidate.train'"),
        ("metric: roc_auc", "metric: <decide>", "11 config-undecided still to be decided: 'thresholds.0.metric'"),
        ("at_least: 0.70", "at_least: <decide>", "11 config-undecided still to be decided: 'thresholds.0.at_least'"),
    ],
)  # fmt: skip
def test_a_placeholder_of_a_draft_is_told_once_and_as_nothing_else(folder: Path, old: str, new: str, told: str) -> None:
    assert checked(TEXT.replace(old, new)) == [told]


def test_placeholders_and_mistakes_are_told_together_by_place(folder: Path) -> None:
    text = TEXT.replace('"@octocat"', "<decide>").replace("label: late", "lable: late").replace("version: 1\n", "")
    assert [one.split(" ")[1] for one in checked("version: 1\n" + text)] == ["config-undecided", "config-unknown-key"]


def test_a_placeholder_of_one_of_several_models_is_told_by_its_place(folder: Path) -> None:
    several = TEXT.replace("model: flight-delay\n", "") + 'models: [{model: a}, {model: b, owner: "<decide>"}]\n'
    assert checked(several) == ["11 config-undecided still to be decided: 'models.1.owner'"]
    shared = TEXT.replace("model: flight-delay\n", "").replace('"@octocat"', "<decide>") + "models: [{model: a}]\n"
    assert checked(shared) == ["2 config-undecided still to be decided: 'owner'"]


def test_a_feature_contract_that_is_named_and_missing_is_told_with_its_place(folder: Path) -> None:
    text = TEXT.replace(
        "candidate:\n", "transforms:\n  training: f:t\n  serving: f:s\n  features: features.yml\ncandidate:\n"
    )
    (told,) = checked(text)
    assert told.startswith("8 file-missing the contract of the features, features.yml, does not exist")
    (folder / "features.yml").touch()
    assert checked(text) == []
