"""The hands of a rollout as the configuration makes them: where state and looks lie, what counts, what proves."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from release_gate.commands.context import Context
from release_gate.commands.releasing import default_state, hands_for, state_folder
from release_gate.config import Config, ModelConfig, parsed
from release_gate.counts import Counts
from release_gate.documents import parse
from release_gate.findings import BadInput, CannotJudge
from tests.commands.served import Served
from tests.tiny.calling import context


def model(served: Served) -> ModelConfig:
    config: Config = parsed(parse((served.root / "release-gate.yml").read_bytes(), "release-gate.yml"))
    return config.models[0]


def edited(served: Served, old: str, new: str) -> ModelConfig:
    config = served.root / "release-gate.yml"
    assert old in config.read_text()
    config.write_text(config.read_text().replace(old, new))
    return model(served)


def here(served: Served, **environment: Any) -> Context:
    return context(served.project, **environment)


RUNNER = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "octo-air/flights", "HOME": "/home/runner"}
OF_HOME = Path("/home/runner/.local/state/release-gate/octo-air__flights")


def cloned_from(root: Path, address: str) -> None:
    subprocess.run(["git", "remote", "add", "origin", address], cwd=root, check=True)


def test_a_repository_without_a_name_keeps_its_state_in_itself(served: Served, tmp_path: Path) -> None:
    one, root = model(served), served.root
    assert state_folder(here(served), root, one) == root / ".release-gate" / "target" / "tiny"
    cloned_from(root, str(tmp_path / "octo-air" / "flights.git"))
    assert state_folder(here(served), root, one) == root / ".release-gate" / "target" / "tiny"
    assert default_state(here(served), root, "other.yml") == root / ".release-gate" / "target" / "at__other.yml"


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/octo-air/flights",
        "https://user:token@github.com/Octo-Air/flights.git/",
        "git@github.com:octo-air/flights.git",
        "ssh://git@ssh.github.com:443/octo-air/flights.git",
    ],
)
def test_a_job_and_a_person_on_the_same_machine_find_the_same_state(served: Served, address: str) -> None:
    below = served.root / "models"
    below.mkdir()
    person, job = here(served, HOME="/home/runner", XDG_STATE_HOME=""), here(served, **RUNNER, XDG_STATE_HOME="")
    assert default_state(job, served.root) == OF_HOME, "its checkout may have failed"
    cloned_from(served.root, address)
    for root, config, folder in (
        (served.root, "release-gate.yml", OF_HOME),
        (below, "release-gate.yml", OF_HOME / "at__models"),
        (below, "other.yml", OF_HOME / "at__models__other.yml"),
    ):
        assert default_state(person, root, config) == folder
        assert default_state(job, root, config) == folder
    assert default_state(here(served, **RUNNER, XDG_STATE_HOME="/var/state"), served.root) == Path(
        "/var/state/release-gate/octo-air__flights"
    )


def test_a_job_whose_checkout_failed_finds_the_state_of_a_folder_of_the_repository(
    served: Served, tmp_path: Path
) -> None:
    (tmp_path / "work" / "models").mkdir(parents=True)
    job = here(served, **RUNNER, XDG_STATE_HOME="", GITHUB_WORKSPACE=str(tmp_path / "work"))
    assert default_state(job, tmp_path / "work" / "models") == OF_HOME / "at__models"
    assert default_state(job, tmp_path / "work") == OF_HOME


def test_state_may_be_named(served: Served) -> None:
    one = edited(served, "  lease: 60s\n", "  lease: 60s\n  state: kept\n")
    assert state_folder(here(served), served.root, one) == served.root / "kept" / "tiny"


def test_a_model_without_a_rollout_has_no_hands(served: Served) -> None:
    config = served.root / "release-gate.yml"
    config.write_text(config.read_text().partition("rollout:")[0])
    with pytest.raises(BadInput, match="declares no `rollout`"):
        hands_for(here(served), model(served), served.root)


def test_looks_of_a_ledger_branch_stay_with_the_target_where_each_would_be_a_push(served: Served) -> None:
    one = edited(served, "owner:", "registry: branch:release-gate\nowner:")
    hands = hands_for(here(served), one, served.root)
    assert hands.looks._store.put_new("looks/1", b"x")
    assert (served.folder / "looks" / "1").read_bytes() == b"x"


def test_totals_come_from_the_declared_source(served: Served) -> None:
    counter = served.root / "totals.py"
    b = served.versions["B"]
    counter.write_text(f"import json; print(json.dumps({{{b!r}: {{'requests': 7, 'errors': 2}}}}))\n")
    one = edited(served, "  lease: 60s\n", "  lease: 60s\n  source: {command: {run: python3 totals.py}}\n")
    hands = hands_for(here(served), one, served.root)
    assert hands.counted([b]) == {b: Counts(requests=7, errors=2)}
    with pytest.raises(CannotJudge, match="none of"):
        hands.counted([served.versions["A"]])


def test_only_a_repository_on_github_is_owed_anything(served: Served) -> None:
    one = model(served)
    assert hands_for(here(served), one, served.root).owed == ()
    known = {"GITHUB_REPOSITORY": "octo-air/flights"}
    assert hands_for(here(served, **known), one, served.root).owed == ("deployment", "comment", "revert")


def test_a_version_whose_smoke_checks_are_gone_is_restored_but_never_released(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, one = served.versions["A"], model(served)

    def broken(*_: object) -> None:
        raise BadInput.because("smoke-no-predict", "smoke.yml can't be read")

    monkeypatch.setattr("release_gate.serving.checks.load", broken)
    back = hands_for(here(served), one, served.root, restoring=True)
    url = back.start(a)
    assert url is not None
    assert back.proven(a, url, {a}) == []
    forward = hands_for(here(served), one, served.root)
    with pytest.raises(BadInput, match=r"smoke\.yml"):
        forward.proven(a, url, {a})
