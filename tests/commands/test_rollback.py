"""`rollback` by the command line, behind a real Caddy: whatever else is broken, an earlier version serves again."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from release_gate.lifecycle.package import Contract
from release_gate.registry.packages import copy, open_package, seal
from release_gate.serving.standing import Standing
from tests.commands.served import Served, users


@pytest.fixture
def promoted(served: Served) -> Served:
    """B is production and proved itself, A was before; nothing runs."""
    served.happened("promoted", served.versions["B"])
    served.folder.mkdir(parents=True)
    kept = Standing(kept=(served.versions["B"], served.versions["A"]))
    (served.folder / "target.json").write_text(kept.model_dump_json())
    return served


def test_the_version_before_serves_again_and_the_one_at_fault_is_blocked(promoted: Served) -> None:
    a, b = promoted.versions["A"], promoted.versions["B"]
    said = promoted.rollback("--because", "scores of carrier HA are all 0.5")
    assert (said.code, said.codes, said.notes) == (0, [], ["rollback-done"]), said.text
    assert f"{a} serves all traffic; {b} is blocked, and releases are held" in said.message, "nothing ran before"
    assert said.verdict is not None
    assert [(one.kind, one.identity) for one in said.verdict.subjects] == [("production", a)]
    assert said.verdict.tables[0].rows == [[a, "proved itself"]]
    assert promoted.answering() == {a}
    state = promoted.state
    assert (state.production, state.last_known_good, state.restoring) == (a, a, None)
    assert b in state.blocked
    assert state.hold is not None
    assert (state.hold.package, state.hold.because) == (b, "scores of carrier HA are all 0.5")
    pressed = promoted.rollback()
    assert (pressed.code, pressed.notes) == (0, ["rollback-done-before"])
    assert f"{a} serves all traffic" in pressed.message
    assert promoted.state.production == a, "the button pressed twice goes back once"


def test_in_the_middle_of_a_rollout_it_is_the_candidate_that_loses_its_traffic(served: Served) -> None:
    a, b = served.versions["A"], served.versions["B"]
    assert served.deploy("--tick", "--version", b).code == 0
    with users(served) as seen:
        assert served.rollback().code == 0
    assert set(seen) == {"200"}, seen
    assert served.answering(40) == {a}
    assert b in served.state.blocked
    assert served.processes() == {a}, "what takes no traffic any more was ended"
    assert served.deploy("--version", b).codes == ["deploy-blocked"]


@pytest.fixture
def fed(served: Served) -> tuple[Served, str]:
    """B is production; A, which proved itself, was made with features by a contract of version 1.0.0."""
    packages = served.root / ".release-gate" / "registry" / "packages"
    sealed = open_package(packages, served.versions["A"])
    features = Contract(name="contracts/features.yml", version="1.0.0", identity=f"sha256:{1:064x}")
    contents = sealed.package.contents.model_copy(update={"features": features})
    layout = served.root.parent / "sealed"
    made = seal(layout, sealed.layers, contents, commit=None).digest
    copy(open_package(layout), packages)
    served.happened("registered", made, serves="after-rollout")
    served.happened("promoted", made)
    served.happened("promoted", served.versions["B"])
    return served, made


@pytest.mark.parametrize(
    ("here", "notes"),
    [
        ("version: 1.3.0\n", ["rollback-done"]),
        ("version: 2.0.0\n", ["rollback-features", "rollback-done"]),
        (None, ["rollback-features", "rollback-done"]),
    ],
)
def test_a_version_whose_features_are_promised_no_more_is_restored_all_the_same_and_that_is_said(
    fed: tuple[Served, str], here: str | None, notes: list[str]
) -> None:
    served, made = fed
    if here is not None:
        (served.root / "contracts" / "features.yml").write_text(here)
    said = served.rollback("--to", made)
    assert (said.code, said.codes) == (0, []), said.text
    assert [one for one in said.notes if one.startswith("rollback-")] == notes
    assert served.answering() == {made}


@pytest.mark.parametrize("how", ["digest", "beginning", "previous"])
def test_a_person_may_name_the_version(promoted: Served, how: str) -> None:
    a = promoted.versions["A"]
    said = promoted.rollback("--to", {"digest": a, "beginning": a[7:14], "previous": "previous"}[how])
    assert (said.code, said.notes) == (0, ["rollback-done"]), said.text
    assert promoted.state.production == a


@pytest.mark.parametrize(
    ("to", "says"),
    [
        ("feedfeed", "no registered version is called 'feedfeed'"),
        ("production", "no registered version is called 'production'"),
        ("previous", "no version before this one that proved itself"),
    ],
)
def test_a_version_that_is_none_is_bad_use_and_moves_nothing(served: Served, to: str, says: str) -> None:
    said = served.rollback("--to", to)
    assert (said.code, said.codes) == (2, ["version-unknown"]), said.text
    assert says in said.message
    assert served.state.restoring is None


def test_a_blocked_version_is_restored_where_a_person_names_it_and_that_is_said(promoted: Served) -> None:
    a = promoted.versions["A"]
    promoted.happened("blocked", a)
    assert promoted.rollback().codes == ["rollback-nothing"]
    said = promoted.rollback("--to", a)
    assert (said.code, said.notes) == (0, ["rollback-to-blocked", "rollback-done"])


def test_an_unproven_version_is_restored_where_a_person_names_it_and_that_is_said(promoted: Served) -> None:
    harmful = promoted.versions["harmful"]
    said = promoted.rollback("--to", harmful)
    assert (said.code, said.notes) == (0, ["rollback-to-unproven", "rollback-done"])
    assert promoted.answering() == {harmful}


def test_where_nothing_ever_proved_itself_that_is_said(served: Served) -> None:
    said = served.rollback()
    assert (said.code, said.codes, said.notes) == (3, ["rollback-nothing"], ["target-forgotten", "rollback-stays"])
    assert served.versions["A"] in said.message
    assert "a version can be named with --to" in said.text


def test_a_version_that_does_not_pass_its_smoke_test_gives_way_and_nothing_is_claimed(promoted: Served) -> None:
    a = promoted.versions["A"]
    assert promoted.rollback().code == 0
    promoted.end_processes()
    serve = next((promoted.folder / "versions").glob("*/code/tiny_model/serve.py"))
    package = json.loads((serve.parents[2] / "package.json").read_bytes())
    assert package
    serve.write_text("raise SystemExit('the disk was full')\n")
    shutil.rmtree(promoted.root / ".release-gate" / "registry" / "packages")
    said = promoted.rollback()
    assert said.code == 4, said.text
    assert said.codes == ["package-missing", "rollback-unproven"]
    assert f"none proved itself of what was tried: {a}" in said.message
    assert promoted.state.restoring is not None, "the intent stays open"


def test_a_configuration_that_is_broken_today_is_no_reason_not_to_go_back(promoted: Served) -> None:
    config = promoted.root / "release-gate.yml"
    assert promoted.deploy("--version", "production").code == 0, "the target keeps a copy"
    kept = config.read_text()
    config.write_text("rollout: [")
    said = promoted.rollback()
    config.write_text(kept)
    assert (said.code, said.notes) == (0, ["rollback-config-broken", "rollback-done"]), said.text
    assert ".release-gate/target/tiny/release-gate.yml" in said.message
    assert "release-gate.yml:" in said.message
    assert promoted.answering() == {promoted.versions["A"]}


def test_without_a_copy_its_history_in_git_has_one(promoted: Served) -> None:
    promoted.project.commit()  # with the ports of this test
    config = promoted.root / "release-gate.yml"
    config.write_text("nonsense: true\n")
    promoted.project.commit()
    said = promoted.rollback()
    assert (said.code, said.notes) == (0, ["rollback-config-broken", "rollback-done"]), said.text
    assert "release-gate.yml of commit" in said.message
    assert promoted.deploy().code == 2, "no release goes on without it"


def test_with_neither_copy_nor_history_the_mistake_itself_is_said(tmp_path: Path, promoted: Served) -> None:
    shutil.rmtree(promoted.root / ".git")
    (promoted.root / "release-gate.yml").write_text("rollout: [")
    said = promoted.rollback()
    assert said.code == 2
    assert "config-" in said.text or "yaml" in said.text


def test_a_rollout_that_was_taken_out_of_the_configuration_is_found_where_the_target_kept_it(promoted: Served) -> None:
    assert promoted.deploy("--version", "production").code == 0
    config = promoted.root / "release-gate.yml"
    config.write_text(config.read_text().partition("rollout:")[0])
    said = promoted.rollback()
    assert (said.code, said.notes) == (0, ["rollback-config-broken", "rollback-done"]), said.text
    assert "declares no `rollout`" in said.message


@pytest.mark.parametrize("where", ["its default folder", "a folder of all models", "git's history"])
def test_a_model_that_was_renamed_or_removed_is_found_where_it_was_known(promoted: Served, where: str) -> None:
    config = promoted.root / "release-gate.yml"
    if where == "a folder of all models":
        config.write_text(config.read_text() + f"  state: {promoted.root / 'kept'}\n")
    if where == "git's history":
        promoted.project.commit()  # with the ports of this test
    else:
        assert promoted.deploy("--version", "production").code == 0, "the target keeps a copy"
    config.write_text(config.read_text().replace("model: tiny\n", "model: renamed\n"))
    promoted.project.commit()
    said = promoted.rollback("--model", "tiny", "--to", promoted.versions["A"])
    assert (said.code, said.notes[0], said.notes[-1]) == (0, "rollback-model-gone", "rollback-done"), said.text
    assert "no model 'tiny' in release-gate.yml; known: renamed; used instead: " in said.message
    assert promoted.answering() == {promoted.versions["A"]}


def test_a_model_that_never_was_is_a_mistake_of_who_typed_it(promoted: Served) -> None:
    said = promoted.rollback("--model", "tinny")
    assert said.code == 2
    assert "model-unknown: no model 'tinny' in release-gate.yml; known: tiny" in said.text


def test_where_the_target_remembers_nothing_it_is_said_where_that_was_looked_for(promoted: Served) -> None:
    shutil.rmtree(promoted.folder)
    said = promoted.rollback()
    assert (said.code, said.notes) == (0, ["target-forgotten", "rollback-done"]), said.text
    assert f"{promoted.folder} keeps nothing" in said.message
    assert "`rollout.state`" in said.text
    assert promoted.answering() == {promoted.versions["A"]}
    assert promoted.rollback().notes == ["rollback-done-before"]


def test_what_a_job_rolled_out_a_person_on_the_same_machine_brings_back(promoted: Served) -> None:
    a, b = promoted.versions["A"], promoted.versions["B"]
    shutil.rmtree(promoted.folder)
    words = ["git", "remote", "add", "origin", "git@github.com:octo-air/flights.git"]
    subprocess.run(words, cwd=promoted.root, check=True)
    home = {"HOME": str(promoted.root / "home"), "XDG_STATE_HOME": ""}
    job = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "octo-air/flights", "GITHUB_API_URL": "http://127.0.0.1:9"}
    assert promoted.deploy("--version", "production", **home, **job).code == 0
    assert promoted.answering() == {b}
    said = promoted.rollback(**home)
    assert (said.code, said.notes) == (0, ["rollback-done"]), said.text
    assert promoted.answering() == {a}
    assert promoted.processes() == {a}, "what the job started was found and ended"


def test_from_another_folder_of_state_it_goes_back_without_a_gap_and_releases_wait_for_a_person(
    promoted: Served,
) -> None:
    a, b = promoted.versions["A"], promoted.versions["B"]
    assert promoted.deploy("--version", "production").code == 0
    assert promoted.answering() == {b}
    config = promoted.root / "release-gate.yml"
    released = config.read_text()
    config.write_text(released + "  state: of another user\n")
    with users(promoted) as seen:
        assert "proxy-taken" in promoted.deploy("--version", "production").codes
        said = promoted.rollback()
    assert (said.code, said.notes) == (0, ["target-forgotten", "rollback-done"]), said.text
    assert not [status for status in seen if status.startswith("5")], seen
    assert seen["200"] > 20
    assert promoted.answering() == {a}
    config.write_text(released)
    assert "proxy-taken" in promoted.deploy("--version", a).codes


def test_a_model_that_was_never_rolled_out_can_not_be_rolled_back(promoted: Served) -> None:
    config = promoted.root / "release-gate.yml"
    config.write_text(config.read_text().partition("rollout:")[0])
    said = promoted.rollback()
    assert (said.code, said.codes) == (2, ["no-rollout"])


def test_where_no_verdict_can_be_written_it_goes_back_all_the_same(promoted: Served) -> None:
    promoted.project.commit()
    run = promoted.root / ".release-gate" / "run"
    shutil.rmtree(run, ignore_errors=True)
    run.write_text("a file where a folder was")
    said = promoted.rollback()
    assert said.code == 0, said.text
    assert run.is_file(), "nothing else was taken away for it"
    assert promoted.answering() == {promoted.versions["A"]}


OTHER = '{model: other, rollout: {target: {caddy: {listen: "127.0.0.1:3"}}}}'


def test_of_several_models_one_must_be_named(promoted: Served) -> None:
    config = promoted.root / "release-gate.yml"
    config.write_text(config.read_text().replace("model: tiny\n", f"models: [{{model: tiny}}, {OTHER}]\n"))
    said = promoted.rollback()
    assert said.code == 2
    assert "name one with --model: tiny, other" in said.text
    assert promoted.rollback("--model", "tiny").code == 0


def test_without_its_ledger_it_goes_by_what_the_target_keeps_and_the_event_is_handed_over_later(
    served: Served,
) -> None:
    a, b = served.versions["A"], served.versions["B"]
    with users(served):
        assert served.deploy("--version", "production").code == 0
        assert served.deploy("--version", b).code == 0
    registry = served.root / ".release-gate" / "registry"
    registry.rename(served.root / "away")
    registry.mkdir()
    (registry / "ledger").write_text("a file where a folder was")
    said = served.rollback("--because", "all is down")
    assert said.code == 0, said.text
    assert "rollback-unrecorded" in said.notes
    assert served.answering() == {a}
    shutil.rmtree(registry)
    (served.root / "away").rename(registry)
    assert served.state.production == b, "the ledger does not know yet"
    assert served.deploy("--version", b).codes == ["deploy-blocked"]
    assert (served.state.production, served.state.hold is not None) == (a, True)


@pytest.mark.parametrize("to", ["beginning", "previous", "unknown"])
def test_without_its_ledger_a_version_is_named_among_those_the_target_keeps(served: Served, to: str) -> None:
    a, b = served.versions["A"], served.versions["B"]
    with users(served):
        assert served.deploy("--version", "production").code == 0
        assert served.deploy("--version", b).code == 0
    for event in (served.root / ".release-gate" / "registry" / "ledger" / "tiny").iterdir():
        event.write_text("not an event" if to == "beginning" else "{}")
    said = served.rollback("--to", {"beginning": a[7:15], "previous": "previous", "unknown": "feedfeed"}[to])
    assert said.code == (2 if to == "unknown" else 0), said.text
    assert served.answering() == {b if to == "unknown" else a}


def test_after_a_reboot_everything_is_started_anew(promoted: Served) -> None:
    assert promoted.rollback().code == 0
    promoted.end_processes()
    said = promoted.rollback()
    assert (said.code, said.notes) == (0, ["rollback-done-before"])
    assert promoted.answering() == {promoted.versions["A"]}
