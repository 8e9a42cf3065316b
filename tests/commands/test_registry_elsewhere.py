"""Publishing, and looking at what was published, with packages in a bucket and the ledger on a branch."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from release_gate.commands.context import Place
from release_gate.commands.known_production import doubts
from release_gate.config import load
from release_gate.gates.overall import ORDER
from release_gate.registry.packages import open_package
from release_gate.verdict import Outcome, Subject, Verdict
from tests.commands.test_publish_artifact import digest
from tests.tiny.calling import Said, call, context
from tests.tiny.project import Project

Capture = pytest.CaptureFixture[str]


def judged(project: Project) -> None:
    """A passing verdict of every gate, each with all that any of them judges."""
    contents = open_package(project.build / "package").package.contents
    subjects = [
        Subject(kind="package", name="tiny", identity=digest(project)),
        *contents.datasets,
        *(Subject(kind="contract", name=one.name, identity=one.identity) for one in contents.contracts),
    ]
    for gate in ORDER:
        one = Verdict(
            gate=gate, model="tiny", outcome=Outcome.PASS, subjects=subjects, started=datetime(2026, 1, 1, tzinfo=UTC)
        )
        (project.verdicts / f"{gate}.json").write_bytes(one.to_json())


def said(project: Project, capsys: Capture, *words: str, places: dict[str, str]) -> Said:
    return call(project, capsys, *words, session=None, **places)


@pytest.fixture
def places(request: pytest.FixtureRequest, built: Project, tmp_path: Path) -> dict[str, str]:
    """A registry elsewhere, and the environment for it: the cache is not this machine's own."""
    remote = tmp_path / "remote.git"
    subprocess.run(["git", "init", "-q", "--bare", str(remote)], check=True)
    subprocess.run(["git", "remote", "add", "origin", str(remote)], cwd=built.root, check=True)
    config = built.root / "release-gate.yml"
    both = f"{{packages: file://{tmp_path}/bucket, ledger: branch:release-gate}}"
    written = "branch:release-gate" if getattr(request, "param", "both") == "branch" else both
    config.write_text(f"{config.read_text()}registry: {written}\n")
    return {"XDG_CACHE_HOME": str(tmp_path / "cache"), "GITHUB_ACTOR": "octo-air"}


@pytest.mark.parametrize("places", ["both", "branch"], indirect=True)
def test_what_is_published_elsewhere_is_logged_shown_and_known(
    built: Project, places: dict[str, str], capsys: Capture, tmp_path: Path
) -> None:
    judged(built)
    answer = said(built, capsys, "publish-artifact", places=places)
    assert (answer.code, answer.notes) == (0, ["published", "not-deployed"]), answer.text
    assert "branch:release-gate" in answer.message
    assert "is event 1" in answer.message
    log = json.loads(said(built, capsys, "log", "--format", "json", places=places).text)
    assert [event["package"] for event in log["tiny"]] == [digest(built)]
    shown = said(built, capsys, "show", "production", places=places)
    assert (shown.code, digest(built) in shown.text) == (0, True)
    assert list((tmp_path / "cache/release-gate/packages/blobs/sha256").iterdir())
    (model,) = load(built.root / "release-gate.yml").models
    place = Place(root=built.root, run=built.root / ".release-gate/run/tiny")
    known = context(built, session=None, **places)
    assert doubts(known, model, place, digest(built)) == []
    (found,) = doubts(known, model, place, None)
    assert (found.code, "the ledger in branch:release-gate has" in found.message) == ("production-disagrees", True)


def test_a_remote_that_refuses_leaves_a_verdict_that_says_why(
    built: Project, places: dict[str, str], capsys: Capture, tmp_path: Path
) -> None:
    judged(built)
    hook = tmp_path / "remote.git" / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'rules forbid it' >&2\nexit 1\n")
    hook.chmod(0o755)
    answer = said(built, capsys, "publish-artifact", places=places)
    assert (answer.code, answer.codes) == (4, ["registry-refused"])
    assert "rules forbid it" in answer.message
    hook.unlink()
    assert said(built, capsys, "publish-artifact", places=places).notes == ["published", "not-deployed"]


def test_a_ledger_out_of_reach_blocks_and_says_so(
    built: Project, places: dict[str, str], capsys: Capture, tmp_path: Path
) -> None:
    judged(built)
    (tmp_path / "remote.git").rename(tmp_path / "gone.git")
    answer = said(built, capsys, "publish-artifact", places=places)
    assert (answer.code, answer.codes) == (4, ["ledger-unreachable"])
    assert not (tmp_path / "bucket").exists(), "nothing is stored before the history was read"


def test_a_damaged_package_is_found_while_it_is_stored_and_never_registered(
    built: Project, places: dict[str, str], capsys: Capture, tmp_path: Path
) -> None:
    judged(built)
    blobs = built.build / "package" / "blobs" / "sha256"
    manifest = json.loads((blobs / digest(built)[7:]).read_bytes())
    (blobs / manifest["layers"][1]["digest"][7:]).write_bytes(b"damaged")
    answer = said(built, capsys, "publish-artifact", places=places)
    assert (answer.code, answer.codes) == (2, ["package-corrupt"])
    assert json.loads(said(built, capsys, "log", "--format", "json", places=places).text) == {"tiny": []}
