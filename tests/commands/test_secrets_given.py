"""Secrets of the server in production: what runs is given them, nothing that is written or said holds them."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from release_gate.commands.releasing import Versions, hands_for
from release_gate.findings import CannotJudge
from tests.commands.batch_project import Batch
from tests.commands.served import Served
from tests.commands.test_batches import copied, pending_once  # noqa: F401 - a fixture
from tests.commands.test_releasing import here, model
from tests.serving.targets.proxies import all_below
from tests.tiny.calling import Said, call

SECRET = "hunter22-of-production"
GIVEN = f"DATABASE_PASSWORD={SECRET}\nPEM='line-one-of-key\nline-two-of-key'\n"


def environments(served: Served) -> dict[str | None, dict[str, str]]:
    """What each process that serves was given, by version; None is the proxy."""
    found: dict[str | None, dict[str, str]] = {}
    for process, version in all_below(served.root).items():
        try:
            found[version] = process.environ()
        except psutil.Error:
            continue
    return found


def holding(folder: Path, *values: str) -> list[str]:
    """The files below a folder that hold one of the values."""
    files = (Path(at) / name for at, _, names in os.walk(folder) for name in names)
    return [str(one) for one in files if one.is_file() and any(v.encode() in one.read_bytes() for v in values)]


def assert_unsaid(said: Said) -> None:
    assert said.verdict is not None
    for text in (said.text, said.verdict.to_json().decode()):
        assert SECRET not in text
        assert "line-two-of-key" not in text


def test_the_server_of_a_version_sees_them_and_nothing_that_is_written_or_said_does(served: Served) -> None:
    said = served.deploy("--tick", "--version", served.versions["B"], RELEASE_GATE_ENV=GIVEN)
    assert (said.code, said.notes) == (0, ["deploy-under-way"]), said.text
    found = environments(served)
    for version in (served.versions["A"], served.versions["B"]):
        assert found[version]["DATABASE_PASSWORD"] == SECRET
        assert found[version]["PEM"] == "line-one-of-key\nline-two-of-key"
        assert "RELEASE_GATE_ENV" not in found[version], "the text itself is ours"
    assert "DATABASE_PASSWORD" not in found[None], "the proxy needs none"
    assert_unsaid(said)
    assert holding(served.root, SECRET, "line-two-of-key") == []


def test_a_rollback_gives_them_to_the_version_that_it_restores(served: Served) -> None:
    served.happened("promoted", served.versions["B"])
    said = served.rollback(RELEASE_GATE_ENV=GIVEN)
    assert said.code == 0, said.text
    assert "secrets-broken" not in said.notes
    assert environments(served)[served.versions["A"]]["DATABASE_PASSWORD"] == SECRET
    assert_unsaid(said)
    assert holding(served.root, SECRET) == []


def test_nothing_is_begun_with_a_secret_that_is_broken(served: Served) -> None:
    before = served.ledger.read()
    said = served.deploy(RELEASE_GATE_ENV=f"{GIVEN}API_KEY=\n{SECRET}\n")
    assert (said.code, said.codes) == (2, ["secrets-broken", "secrets-broken"])
    assert "line 4 of RELEASE_GATE_ENV gives its variable no value" in said.message
    assert_unsaid(said)
    assert served.ledger.read() == before
    assert environments(served) == {}


def test_a_rollback_goes_on_with_the_lines_that_can_be_used_and_says_so(served: Served) -> None:
    served.happened("promoted", served.versions["B"])
    said = served.rollback(RELEASE_GATE_ENV=f"{GIVEN}API_KEY=\n")
    assert (said.code, said.codes) == (0, []), said.text
    assert {"rollback-done", "secrets-broken"} <= set(said.notes)
    assert environments(served)[served.versions["A"]]["DATABASE_PASSWORD"] == SECRET


def test_an_abort_is_a_way_back_too(served: Served) -> None:
    assert served.deploy("--tick", "--version", served.versions["B"]).code == 0
    said = served.deploy("--abort", RELEASE_GATE_ENV="API_KEY=\n")
    assert (said.code, said.codes) == (0, []), said.text
    assert "secrets-broken" in said.notes
    assert served.answering() == {served.versions["A"]}


def test_on_github_every_line_is_masked_before_anything_else_is_said(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    known = {"GITHUB_ACTIONS": "true", "HOME": str(served.root), "XDG_STATE_HOME": ""}
    hands_for(here(served, RELEASE_GATE_ENV=f"{GIVEN}SHARE=50%\n", **known), model(served), served.root)
    out, err = capsys.readouterr()
    assert out == "", "a verdict may be read from there"
    assert set(err.splitlines()) == {
        f"::add-mask::{SECRET}", "::add-mask::line-one-of-key", "::add-mask::line-two-of-key", "::add-mask::50%25",
    }  # fmt: skip
    hands_for(here(served, RELEASE_GATE_ENV=GIVEN), model(served), served.root)
    assert capsys.readouterr() == ("", ""), "a laptop has no log that could be masked"


def test_a_server_that_prints_them_as_it_dies_is_told_without_them(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(_: Versions, digest: str) -> None:
        raise CannotJudge.because("serve-died", f"{digest} ended: KeyError, environ was {SECRET}")

    hands = hands_for(here(served, RELEASE_GATE_ENV=GIVEN), model(served), served.root)
    monkeypatch.setattr(Versions, "version", dies)
    with pytest.raises(CannotJudge, match=r"environ was \*\*\*"):
        hands.start(served.versions["A"])


@pytest.fixture
def pending(pending_once: Batch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Batch:  # noqa: F811
    return copied(pending_once, tmp_path / "caller", capsys)


def test_predict_of_a_batch_model_sees_them_and_what_it_prints_is_told_without_them(
    pending: Batch, capsys: pytest.CaptureFixture[str]
) -> None:
    pending.plant("2026-01-02", "import os\nraise SystemExit('it was ' + os.environ['DATABASE_PASSWORD'])")
    said = call(pending.project, capsys, "deploy", RELEASE_GATE_ENV=GIVEN)
    assert "predict-failed" in said.codes, said.text
    assert "it was ***" in said.message
    assert_unsaid(said)
    assert holding(pending.root, SECRET) == []
