"""A person freezes releases and forbids versions: one event each, once, with the name of who did it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from release_gate.commands import holds
from release_gate.findings import Refused
from release_gate.lifecycle.events import Draft, Event
from release_gate.lifecycle.state import State, fold
from release_gate.registry.ledger import Ledger
from release_gate.registry.stores.folder import FolderStore
from tests.tiny.calling import context
from tests.tiny.project import Project

Capture = pytest.CaptureFixture[str]
ONE, TWO = (f"sha256:{number:064x}" for number in (1, 2))
GITHUB = {
    "GITHUB_ACTOR": "Octo-Air",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "octo-air/flights",
    "GITHUB_RUN_ID": "7",
}


def ledger(project: Project, model: str = "tiny") -> Ledger:
    return Ledger(FolderStore(project.root / ".release-gate" / "registry"), model)


def happened(project: Project, kind: str, package: str | None = None) -> None:
    serves = "on-registration" if kind == "registered" else None
    draft = Draft(at=datetime.now(UTC), actor="hubot", kind=kind, package=package, serves=serves, because="why")
    ledger(project).append(lambda _: draft)


def state(project: Project) -> State:
    return fold(ledger(project).read())


def last(project: Project) -> Event:
    return ledger(project).read()[-1]


def told(project: Project, capsys: Capture, *words: str, **environment: str) -> tuple[int, list[str], str]:
    """Exit code, codes of findings, and the text of a command; on GitHub unless the environment says otherwise."""
    name, *rest = words
    capsys.readouterr()
    code = 0
    try:
        edges = context(project, session=None, **{**GITHUB, **environment})
        getattr(holds, name).main([*rest, "--format", "json"], obj=edges, standalone_mode=False)
    except Refused as refusal:
        return refusal.exit_code, [one.code for one in refusal.findings], str(refusal)
    text = capsys.readouterr().out
    found = json.loads(text)["tiny"]["findings"]
    return code, [one["code"] for one in found], " ".join(one["message"] for one in found)


def test_a_hold_is_recorded_once_with_actor_run_and_reason_and_lifted_once(project: Project, capsys: Capture) -> None:
    assert told(project, capsys, "hold", "--because", "the  pager\nrang")[:2] == (0, ["held"])
    event = last(project)
    assert (event.kind, event.actor, event.because, event.package) == ("held", "Octo-Air", "the pager rang", None)
    assert event.run == "https://github.com/octo-air/flights/actions/runs/7"
    assert state(project).hold is not None
    again = told(project, capsys, "hold", "--because", "again")
    assert again[1] == ["held-before"]
    assert "by Octo-Air: the pager rang" in again[2]
    assert told(project, capsys, "hold", "--lift", "--because", "mended")[:2] == (0, ["hold-lifted"])
    assert (last(project).kind, last(project).because) == ("lifted", "mended")
    assert told(project, capsys, "hold", "--lift")[1] == ["not-held"]
    assert [event.kind for event in ledger(project).read()] == ["held", "lifted"]


def test_a_block_and_its_lifting(project: Project, capsys: Capture) -> None:
    happened(project, "registered", ONE)
    happened(project, "registered", TWO)
    assert told(project, capsys, "block", "previous", "--because", "it forgets nights")[:2] == (0, ["version-blocked"])
    assert state(project).blocked == {ONE}
    assert told(project, capsys, "block", ONE, "--because", "again")[1] == ["blocked-before"]
    assert told(project, capsys, "block", "previous", "--because", "again")[:2] == (2, ["version-unknown"])
    assert told(project, capsys, "unblock", ONE, "--because", "x")[1] == ["version-unblocked"]
    assert told(project, capsys, "unblock", ONE, "--because", "x")[1] == ["not-blocked"]
    assert state(project).blocked == frozenset()
    assert len(ledger(project).read()) == 4


def test_blocking_what_serves_moves_no_traffic_and_says_so(project: Project, capsys: Capture) -> None:
    happened(project, "registered", ONE)
    assert told(project, capsys, "block", "production", "--because", "x")[1] == ["version-blocked", "block-serves"]
    assert state(project).production == ONE


@pytest.mark.parametrize("words", [("hold",), ("hold", "--because", " "), ("block", ONE), ("unblock", ONE)])
def test_a_reason_is_needed(project: Project, capsys: Capture, words: tuple[str, ...]) -> None:
    happened(project, "registered", ONE)
    assert told(project, capsys, *words)[:2] == (2, ["usage"])
    assert told(project, capsys, *words, "--because", "x" * 2001)[:2] == (2, ["usage"])
    assert len(ledger(project).read()) == 1


@pytest.mark.parametrize("version", ["previous", "feedfeed", "abc", ""])
def test_a_version_that_nobody_registered_is_not_blocked(project: Project, capsys: Capture, version: str) -> None:
    happened(project, "registered", ONE)
    assert told(project, capsys, "block", version, "--because", "x")[:2] == (2, ["version-unknown"])


def test_two_versions_of_one_beginning_are_not_guessed_between(project: Project, capsys: Capture) -> None:
    happened(project, "registered", ONE)
    happened(project, "registered", TWO)
    code, codes, text = told(project, capsys, "block", "00000", "--because", "x")
    assert (code, codes) == (2, ["version-unknown"])
    assert "2 versions" in text


def test_two_at_once_make_one_event(project: Project, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    put = FolderStore.put_new

    def overtaken(store: FolderStore, key: str, content: bytes) -> bool:
        monkeypatch.setattr(FolderStore, "put_new", put)
        happened(project, "held")
        return put(store, key, content)

    monkeypatch.setattr(FolderStore, "put_new", overtaken)
    assert told(project, capsys, "hold", "--because", "mine")[1] == ["held-before"]
    assert [event.actor for event in ledger(project).read()] == ["hubot"]


def test_somebody_else_than_the_owner_is_recorded_and_warned(project: Project, capsys: Capture) -> None:
    code, codes, text = told(project, capsys, "hold", "--because", "x", GITHUB_ACTOR="hubot")
    assert (code, codes) == (0, ["held", "not-the-owner"])
    assert "hubot is not among @octo-air, who decide now" in text
    assert last(project).actor == "hubot"


def test_a_team_s_listed_people_decide_and_of_an_unlisted_one_that_is_said(project: Project, capsys: Capture) -> None:
    members = '{people: ["@octo-air/ml"], members: {"@octo-air/ml": ["@octo-air"]}}'
    project.replace("release-gate.yml", '"@octo-air"', members)
    assert told(project, capsys, "hold", "--because", "x")[1] == ["held"]
    project.replace("release-gate.yml", members, '"@octo-air/ml"')
    _, codes, text = told(project, capsys, "hold", "--lift")
    assert codes == ["hold-lifted", "not-the-owner"]
    assert "who is in @octo-air/ml is not listed" in text


def test_a_person_reads_what_was_done(project: Project, capsys: Capture) -> None:
    holds.hold.main(["--because", "x"], obj=context(project, session=None, **GITHUB), standalone_mode=False)
    text = capsys.readouterr().out
    assert text.startswith("tiny\n")
    assert "[held] held by Octo-Air, event 1: x" in text
