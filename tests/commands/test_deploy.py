"""`deploy` by the command line, behind a real Caddy with users who ask."""

from __future__ import annotations

import errno
import json
import shutil

import pytest

from release_gate.findings import CannotJudge
from release_gate.registry.packages import open_package
from release_gate.registry.stores.failures import Unreachable
from tests.commands.github_told import github
from tests.commands.served import Served, users
from tests.github.conftest import _description, _held_to_the_description  # noqa: F401 - fixtures
from tests.github.mirrored import HERE
from tests.serving.targets.proxies import all_below
from tests.tiny.calling import call


def test_a_good_version_is_promoted_and_no_user_is_turned_away(served: Served) -> None:
    a, b = served.versions["A"], served.versions["B"]
    started = served.deploy("--version", "production")
    assert (started.code, started.notes) == (0, ["deploy-serves", "deploy-restarted"]), "as after a reboot"
    with users(served) as seen:
        said = served.deploy("--version", b[7:15])
    assert (said.code, said.codes, said.notes) == (0, [], ["deploy-promoted"]), said.text
    assert f"{b} passed its bake and is production" in said.message
    assert said.verdict is not None
    assert [(one.kind, one.name, one.identity) for one in said.verdict.subjects] == [("package", "tiny", b)]
    assert len(said.verdict.tables) == 2, "what was seen of each step"
    assert set(seen) == {"200"}, seen
    assert served.answering() == {b}
    state = served.state
    assert (state.production, state.previous, state.rollout) == (b, a, None)
    again = served.deploy("--version", b[7:15])
    assert (again.code, again.notes) == (0, ["deploy-serves"])
    assert len(served.ledger.read()) == state.sequence


def test_a_version_that_fails_its_users_is_taken_back_blocked_and_said(served: Served) -> None:
    a, harmful = served.versions["A"], served.versions["harmful"]
    with users(served):
        said = served.deploy()  # the newest registered
    assert (said.code, said.codes) == (1, ["deploy-taken-back"]), said.text
    assert said.verdict is not None
    found = said.verdict.findings[0]
    assert harmful in found.message
    assert "errors" in found.message
    assert "release-gate hold --lift" in found.remedy
    assert served.answering() == {a}
    state = served.state
    assert harmful in state.blocked
    assert state.hold is not None
    once_more = served.deploy()
    assert (once_more.code, once_more.codes) == (1, ["deploy-blocked"])


def test_ticks_do_what_is_due_and_abort_takes_it_back(served: Served) -> None:
    a, b = served.versions["A"], served.versions["B"]
    said = served.deploy("--tick", "--version", b)
    assert (said.code, said.notes) == (0, ["deploy-under-way"]), said.text
    assert f"{b} is at step 1 of 2" in said.message
    assert served.answering(60) == {a, b}
    busy = served.deploy("--version", served.versions["harmful"])
    assert (busy.code, busy.codes) == (3, ["deploy-busy"])
    aborted = served.deploy("--abort", "--because", "the wrong day")
    assert (aborted.code, aborted.notes) == (0, ["deploy-given-up"])
    assert "the wrong day" in aborted.message
    assert served.answering() == {a}
    nothing = served.deploy("--abort")
    assert (nothing.code, nothing.notes) == (0, ["deploy-nothing-under-way"])
    assert served.state.blocked == frozenset()


def test_without_users_it_is_given_up_and_begun_again_only_when_a_person_asks(served: Served) -> None:
    a, b = served.versions["A"], served.versions["B"]
    config = served.root / "release-gate.yml"
    config.write_text(config.read_text().replace("watch: 1s", "watch: 0.3s\n  wait_at_most: 1"))
    said = served.deploy("--version", b)
    assert (said.code, said.codes) == (3, ["deploy-given-up"]), said.text
    assert "of at least 5 requests" in said.message
    assert served.answering() == {a}
    assert served.deploy("--version", b).codes == ["deploy-given-up-before"]
    with users(served):
        assert served.deploy("--version", b, "--again").code == 0


@pytest.mark.parametrize(
    ("version", "says"),
    [
        ("feedfeed", "no registered version is called 'feedfeed'"),
        ("ab", "no registered version is called 'ab'"),
        ("previous", "no registered version is called 'previous'"),
    ],
)
def test_a_version_that_is_none_is_bad_use(served: Served, version: str, says: str) -> None:
    before = len(served.ledger.read())
    said = served.deploy("--version", version)
    assert (said.code, said.codes) == (2, ["version-unknown"])
    assert says in said.message or "too short" in said.message
    assert len(served.ledger.read()) == before


def test_versions_that_begin_alike_need_more_of_the_digest(served: Served) -> None:
    for last in "12":
        served.happened("registered", f"sha256:{'f' * 63}{last}", serves="after-rollout")
    said = served.deploy("--version", "fffff")
    assert (said.code, said.codes) == (2, ["version-unknown"])
    assert "2 registered versions begin with 'fffff': give more of the digest" in said.message
    short = served.deploy("--version", served.versions["B"][7:9])
    assert "too short" in short.message or "no registered" in short.message


def test_production_can_be_named(served: Served) -> None:
    said = served.deploy("--version", "production")
    assert (said.code, said.notes) == (0, ["deploy-serves", "deploy-restarted"])
    assert served.versions["A"] in said.message


def test_an_older_commit_never_deploys_over_production(served: Served) -> None:
    served.happened("promoted", served.versions["B"])
    said = served.deploy("--version", served.versions["A"])
    assert (said.code, said.codes) == (1, ["deploy-backwards"])
    assert "release-gate rollback --to" in said.text


def test_a_model_without_a_rollout_is_skipped_and_that_is_said(served: Served) -> None:
    config = served.root / "release-gate.yml"
    config.write_text(config.read_text().partition("rollout:")[0])
    said = served.deploy()
    assert (said.code, said.notes) == (0, ["not-deployed"])
    assert said.verdict is not None
    assert said.verdict.outcome.value == "skipped"


def test_where_nothing_is_registered_there_is_nothing_to_deploy(served: Served) -> None:
    for file in (served.root / ".release-gate" / "registry" / "ledger" / "tiny").iterdir():
        file.unlink()
    said = served.deploy()
    assert (said.code, said.codes) == (2, ["version-unknown"])
    assert "nothing is registered" in said.message


def test_a_package_that_was_altered_is_never_started_and_not_held_against_the_change(served: Served) -> None:
    packages = served.root / ".release-gate" / "registry" / "packages"
    own = open_package(packages, served.versions["B"]).layers.descriptors["model"]["digest"]
    blob = packages / "blobs" / "sha256" / own.removeprefix("sha256:")
    blob.chmod(0o644)
    blob.write_bytes(b"x" + blob.read_bytes()[1:])
    said = served.deploy("--version", served.versions["B"])
    assert (said.code, said.codes) == (3, ["package-corrupt", "deploy-given-up"]), said.text
    state = served.state
    assert (state.rollout, state.production, state.blocked) == (None, served.versions["A"], frozenset())


def test_github_is_told_by_the_command_itself_and_the_rollback_after_it(served: Served) -> None:
    commits = {one.package: one.commit for one in served.ledger.read() if one.commit}
    with github() as told:
        for number, name in ((11, "A"), (12, "B")):
            told.merged(number, commits[served.versions[name]] or "")
        assert told.double is not None
        known = {"GITHUB_REPOSITORY": HERE, "GITHUB_API_URL": told.double.url, "GITHUB_TOKEN": "t"}
        with users(served):
            said = served.deploy("--version", served.versions["B"], **known)
        assert (said.code, said.notes) == (0, ["deploy-promoted"]), said.text
        assert len(told.asked) <= 15
        assert "serves all users" in told.body(12)
        back = served.rollback(**known)
        assert (back.code, back.notes) == (0, ["revert-opened", "rollback-done"]), back.text
        assert "was rolled back" in told.body(12)
        assert told.states() == [("deploy", "inactive"), ("rollback", "success")]
    assert served.state.owed == ()


def test_a_ledger_that_goes_away_while_github_is_told_changes_nothing_of_how_it_ended(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise CannotJudge.because("registry-unreachable", "the bucket does not answer")

    monkeypatch.setattr("release_gate.commands.telling.Telling.settle", gone)
    said = served.deploy("--version", "production")
    assert (said.code, said.notes) == (0, ["deploy-serves", "deploy-restarted", "owed"])
    assert "the bucket does not answer" in said.message


def test_a_verdict_is_json_for_machines(served: Served) -> None:
    said = served.deploy("--version", "production", "--format", "json", "--out", str(served.root / "deployed.json"))
    assert json.loads(said.text)["gate"] == "deploy"
    assert json.loads((served.root / "deployed.json").read_bytes())["outcome"] == "pass"
    assert json.loads(said.text)["subjects"][0]["identity"] == served.versions["A"]


OTHER = '{model: other, rollout: {target: {caddy: {listen: "127.0.0.1:3"}}}}'


def test_of_several_models_each_has_its_own_rollout(served: Served) -> None:
    config = served.root / "release-gate.yml"
    text = config.read_text().replace("model: tiny\n", f"models: [{{model: tiny}}, {OTHER}]\n")
    config.write_text(text)
    said = served.deploy("--version", "production", "--model", "tiny")
    assert (said.code, said.notes) == (0, ["deploy-serves", "deploy-restarted"])
    both = call(served.project, served.capsys, "deploy")
    assert "nothing is registered that could be deployed" in both.text


# -- the copy of the configuration that a rollback falls back on --


def noted(served: Served, line: str) -> bytes:
    """The configuration with another comment at its end, as its bytes."""
    config = served.root / "release-gate.yml"
    config.write_text(f"{config.read_text()}# {line}\n")
    return config.read_bytes()


def test_the_configuration_is_kept_when_it_has_worked_and_before_only_where_none_is(served: Served) -> None:
    copy = served.folder / "release-gate.yml"
    first = noted(served, "first")
    assert served.deploy("--tick", "--version", served.versions["B"]).notes == ["deploy-under-way"]
    assert copy.read_bytes() == first, "a rollback in the middle of the first rollout would have none"
    noted(served, "while it rolls out")
    assert served.deploy("--tick").code == 0
    assert served.deploy("--version", served.versions["harmful"]).codes == ["deploy-busy"]
    assert served.deploy("--abort").notes == ["deploy-given-up"]
    assert served.deploy("--version", served.versions["B"]).codes == ["deploy-given-up-before"]
    assert copy.read_bytes() == first, "nothing that was refused or taken back says that it works"
    promoted = noted(served, "promoted")
    with users(served):
        assert served.deploy("--version", served.versions["B"], "--again").code == 0
    assert copy.read_bytes() == promoted


def test_a_configuration_that_can_not_be_kept_stops_no_release(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "release-gate.yml")

    monkeypatch.setattr("release_gate.serving.targets.memory.Remembering.remember", full)
    said: list[str] = []
    monkeypatch.setattr("release_gate.commands.releasing.click.echo", lambda text, **_: said.append(text))
    assert served.deploy("--version", "production").code == 0
    assert [line for line in said if "does not keep a copy of the configuration: disk-full" in line]


def away(*_: object) -> None:
    raise Unreachable.because("ledger-unreachable", "the bucket does not answer")


def test_an_abort_without_the_ledger_goes_by_what_the_target_shows_and_the_event_is_owed(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = served.versions["A"], served.versions["B"]
    with users(served):
        assert served.deploy("--version", "production").code == 0
    assert served.deploy("--tick", "--version", b).notes == ["deploy-under-way"]
    with monkeypatch.context() as patch:
        for method in ("read", "append"):
            patch.setattr(f"release_gate.registry.ledger.Ledger.{method}", away)
        said = served.deploy("--abort")
    assert (said.code, said.codes) == (0, []), said.text
    assert {"rollback-unrecorded", "deploy-given-up"} <= set(said.notes)
    assert served.answering(40) == {a}
    assert served.state.rollout is not None, "the ledger does not know yet"
    assert served.deploy("--version", b).code == 3, "given up: a person must ask for it again"
    state = served.state
    assert (state.production, state.rollout, state.hold, state.blocked) == (a, None, None, frozenset())


def test_an_abort_without_the_ledger_where_the_target_keeps_nothing_says_what_takes_the_candidate_back(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.deploy("--tick", "--version", served.versions["B"])
    monkeypatch.setattr("release_gate.registry.ledger.Ledger.read", away)
    said = served.deploy("--abort")
    assert (said.code, said.codes) == (4, ["ledger-unreachable"])
    assert said.verdict is not None
    assert "release-gate rollback" in said.verdict.findings[0].remedy
    assert "candidate keeps its share" in said.verdict.findings[0].remedy


def test_a_candidate_loses_its_traffic_though_nothing_of_production_but_its_server_is_left(served: Served) -> None:
    a, b = served.versions["A"], served.versions["B"]
    assert served.deploy("--tick", "--version", b).notes == ["deploy-under-way"]
    assert served.answering(60) == {a, b}
    shutil.rmtree(served.folder / "versions")
    shutil.rmtree(served.root / ".release-gate" / "registry" / "packages")
    said = served.deploy("--abort")
    assert served.answering() == {a}
    assert "deploy-given-up" in said.notes, said.text
    assert said.codes, "what can't be proven is said"
    assert served.state.rollout is None


def test_production_whose_server_died_is_started_again_though_it_has_the_traffic(served: Served) -> None:
    a = served.versions["A"]
    with users(served):
        assert served.deploy("--version", "production").code == 0
    (server,) = (one for one, version in all_below(served.root).items() if version == a)
    server.kill()
    server.wait(5)
    said = served.deploy("--version", "production")
    assert (said.code, "deploy-restarted" in said.notes) == (0, True), said.text
    assert "its server did not answer" in said.message
    assert served.answering() == {a}
    assert "deploy-restarted" not in served.deploy("--version", "production").notes
