"""A package published once all is known of it and every gate passed it; and every reason not to."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from release_gate.files import sha256
from release_gate.findings import finding
from release_gate.gates.overall import ORDER
from release_gate.lifecycle.events import Draft, Event
from release_gate.lifecycle.state import fold
from release_gate.registry.ledger import Ledger
from release_gate.registry.packages import open_package
from release_gate.registry.stores.folder import FolderStore
from release_gate.verdict import Outcome, Subject, Verdict
from tests.tiny.calling import call
from tests.tiny.project import Project

Capture = pytest.CaptureFixture[str]
POLICY = ("onNull: reject", "onInvalid: reject", "backfill: made anew from the source")
CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: rows
version: 1.0.0
status: active
schema:
  - name: rows
    properties:
""" + "".join(
    f"      - {{name: {name}, logicalType: {kind}, physicalType: {stored}, required: true, customProperties: ["
    + ", ".join("{{property: {}, value: {}}}".format(*one.split(": ")) for one in POLICY)
    + "]}\n"
    for name, kind, stored in (("id", "integer", "int64"), ("x", "number", "float64"), ("late", "boolean", "bool"))
)


def digest(project: Project) -> str:
    return str(json.loads((project.build / "build.json").read_bytes())["package"]["digest"])


def verdict(project: Project, gate: str, *, outcome: Outcome = Outcome.PASS, package: str | None = None) -> Verdict:
    """A gate's verdict with the subjects the gate itself would name."""
    contents = open_package(project.build / "package").package.contents
    sealed = Subject(kind="package", name="tiny", identity=package or digest(project))
    rows = [data for data in contents.datasets if data.name == "data/rows.parquet"]
    evaluation = [data for data in contents.datasets if data.name == "data/evaluation.parquet"]
    contracts = [Subject(kind="contract", name=one.name, identity=one.identity) for one in contents.contracts]
    now = fold(ledger(project).read()).production
    production = [Subject(kind="production", name="tiny", identity=now)] if now else []
    subjects = {
        "schema-check": [*contracts, *rows],
        "transform-tests": rows,
        "build-candidate": [sealed, *evaluation, *rows, *production],
        "endpoint-test": [sealed],
        "threshold-comparison": [sealed, *evaluation, *production],
        "rollback-readiness": production,
    }
    return Verdict(gate=gate, model="tiny", outcome=outcome, subjects=subjects[gate], started=datetime.now(UTC))


def changed(one: Verdict, kind: str, identity: str | None) -> Verdict:
    """The verdict with another identity of each subject of a kind, or without them."""
    kept = [subject for subject in one.subjects if subject.kind != kind]
    if identity is not None:
        others = [subject for subject in one.subjects if subject.kind == kind]
        kept += [subject.model_copy(update={"identity": identity}) for subject in others]
    return one.model_copy(update={"subjects": kept})


def judged(project: Project, *changed: Verdict) -> None:
    """A verdict of every gate, as the gates would leave them."""
    for one in (*(verdict(project, gate) for gate in ORDER), *changed):
        (project.verdicts / f"{one.gate}.json").write_bytes(one.to_json())


def ledger(project: Project) -> Ledger:
    return Ledger(FolderStore(project.root / ".release-gate" / "registry"), "tiny")


def test_a_package_is_stored_registered_and_counts_as_production(built: Project, capsys: Capture) -> None:
    judged(built, verdict(built, "transform-tests", outcome=Outcome.SKIPPED))
    said = call(
        built,
        capsys,
        "publish-artifact",
        GITHUB_ACTOR="octocat",
        GITHUB_SERVER_URL="https://github.com",
        GITHUB_REPOSITORY="octo-air/flights",
        GITHUB_RUN_ID="7",
    )
    assert (said.code, said.codes, said.notes) == (0, [], ["published", "not-deployed"])
    assert "not deployed: no rollout declared" in said.message
    (event,) = ledger(built).read()
    assert (event.kind, event.actor, event.package) == ("registered", "octocat", digest(built))
    assert event.run == "https://github.com/octo-air/flights/actions/runs/7"
    assert [(one.gate, one.outcome.value) for one in event.verdicts] == [
        (gate, "skipped" if gate == "transform-tests" else "pass") for gate in ORDER
    ]
    for one in event.verdicts:
        assert one.identity == f"sha256:{sha256(built.verdicts / f'{one.gate}.json')}"
    assert fold([event]).production == digest(built)
    stored = open_package(built.root / ".release-gate" / "registry" / "packages", digest(built))
    assert stored.package == open_package(built.build / "package").package


def test_two_releases_and_a_revert_as_the_gates_themselves_judge_them(project: Project, capsys: Capture) -> None:
    def released() -> list[str]:
        checked = call(project, capsys, "check")
        assert checked.code == 0, checked.text
        said = call(project, capsys, "publish-artifact")
        assert said.code == 0, said.text
        return said.notes

    (project.root / "contracts" / "rows.yml").write_text(CONTRACT)
    project.commit()
    assert released() == ["published", "not-deployed"]
    first = digest(project)
    project.replace("tiny_model/train.py", "0.25", "0.5")
    assert released() == ["published", "not-deployed"]
    second = digest(project)
    assert second != first
    project.replace("tiny_model/train.py", "0.5", "0.25")
    assert released() == ["published-again", "not-deployed"]
    assert digest(project) == first
    state = fold(ledger(project).read())
    assert (state.production, state.previous, state.registered) == (first, second, (first, second))


def test_twice_is_once(built: Project, capsys: Capture) -> None:
    judged(built)
    assert call(built, capsys, "publish-artifact").notes == ["published", "not-deployed"]
    said = call(built, capsys, "publish-artifact")
    assert (said.code, said.notes) == (0, ["publish-twice"])
    assert len(ledger(built).read()) == 1


def text(project: Project, name: str, content: str | None) -> None:
    path = project.root / name
    path.unlink() if content is None else path.write_text(content)


def without(project: Project, *gates: str) -> None:
    for gate in gates:
        (project.verdicts / f"{gate}.json").unlink()


def linked(path: Path, target: Path) -> None:
    path.rename(target)
    path.symlink_to(target)


Change = Callable[[Project], object]
OTHER = f"sha256:{1:064x}"
CODE = Subject(kind="code", name="tiny_model/train.py", identity=OTHER)
REASONS: dict[str, tuple[Change, str]] = {
    "no card": (lambda p: text(p, "MODEL_CARD.md", None), "publish-card-missing"),
    "a card without intended use": (lambda p: text(p, "MODEL_CARD.md", "# tiny\n"), "publish-use-missing"),
    "an empty intended use": (
        lambda p: text(p, "MODEL_CARD.md", "## Intended use\n\n## Data\n"),
        "publish-use-missing",
    ),
    "data the package does not name": (
        lambda p: p.replace("release-gate.yml", "data/rows.parquet", "data/other.parquet"),
        "publish-data-missing",
    ),
    "a contract the package does not hold": (
        lambda p: p.replace("release-gate.yml", "contracts/rows.yml", "contracts/other.yml"),
        "publish-contract-missing",
    ),
    "a gate without verdict": (lambda p: without(p, "schema-check"), "verdict-missing"),
    "no verdict but one": (
        lambda p: without(p, *ORDER[1:]),
        "verdict-missing verdict-missing verdict-missing verdict-missing",
    ),
    "a broken verdict": (lambda p: (p.verdicts / "schema-check.json").write_text("{"), "verdict-broken"),
    "a failed gate": (
        lambda p: judged(p, verdict(p, "schema-check", outcome=Outcome.FAIL)),
        "publish-verdict-not-passing",
    ),
    "an inconclusive gate": (
        lambda p: judged(p, verdict(p, "threshold-comparison", outcome=Outcome.INCONCLUSIVE)),
        "publish-verdict-not-passing",
    ),
    "a gate that could not judge": (
        lambda p: judged(p, verdict(p, "endpoint-test", outcome=Outcome.ERROR)),
        "publish-verdict-not-passing",
    ),
    "a failed gate that the model does not need": (
        lambda p: judged(p, verdict(p, "transform-tests", outcome=Outcome.FAIL)),
        "publish-verdict-not-passing",
    ),
    "the schema skipped": (
        lambda p: judged(p, verdict(p, "schema-check", outcome=Outcome.SKIPPED)),
        "verdict-skipped",
    ),
    "the comparison skipped": (
        lambda p: judged(p, verdict(p, "threshold-comparison", outcome=Outcome.SKIPPED)),
        "verdict-skipped",
    ),
    "the endpoint skipped though there is a server": (
        lambda p: judged(p, verdict(p, "endpoint-test", outcome=Outcome.SKIPPED)),
        "verdict-skipped",
    ),
    "a pass that holds errors": (
        lambda p: judged(
            p, verdict(p, "schema-check").model_copy(update={"findings": [finding("tests-failed", "3 tests")]})
        ),
        "verdict-contradicts",
    ),
    "a gate that judged another package": (
        lambda p: judged(p, verdict(p, "threshold-comparison", package=OTHER)),
        "verdict-subjects-disagree",
    ),
    "a gate that judged no package": (
        lambda p: judged(p, changed(verdict(p, "endpoint-test"), "package", None)),
        "verdict-subjects-disagree",
    ),
    "gates that all judged another package": (
        lambda p: judged(p, *(verdict(p, gate, package=OTHER) for gate in ORDER[2:])),
        "publish-verdict-other-subject publish-verdict-other-subject publish-verdict-other-subject",
    ),
    "a gate that judged another contract": (
        lambda p: judged(p, changed(verdict(p, "schema-check"), "contract", OTHER)),
        "publish-verdict-other-subject",
    ),
    "a gate that judged other data": (
        lambda p: judged(p, changed(verdict(p, "schema-check"), "data", OTHER)),
        "verdict-subjects-disagree publish-verdict-other-subject",
    ),
    "gates of two runs": (
        lambda p: judged(p, changed(verdict(p, "threshold-comparison"), "data", OTHER)),
        "verdict-subjects-disagree publish-verdict-other-subject",
    ),
    "a gate that tested other code": (
        lambda p: judged(
            p,
            verdict(p, "transform-tests").model_copy(
                update={"subjects": [CODE, *verdict(p, "transform-tests").subjects]}
            ),
        ),
        "publish-verdict-other-subject",
    ),
    "a schema check of nothing": (
        lambda p: judged(p, verdict(p, "schema-check").model_copy(update={"subjects": []})),
        "publish-verdict-other-subject publish-verdict-other-subject",
    ),
    "a comparison that names no rows": (
        lambda p: judged(p, changed(verdict(p, "threshold-comparison"), "data", None)),
        "publish-verdict-other-subject",
    ),
    "the verdict of another model": (
        lambda p: judged(p, verdict(p, "schema-check").model_copy(update={"model": "other"})),
        "verdict-not-allowed",
    ),
    "the verdict of another gate": (
        lambda p: (p.verdicts / "schema-check.json").write_bytes(verdict(p, "endpoint-test").to_json()),
        "verdict-not-allowed",
    ),
    "a link in a verdict's place": (
        lambda p: linked(p.verdicts / "schema-check.json", p.root / "other.json"),
        "artifact-link verdict-missing",
    ),
}


@pytest.mark.parametrize("reason", REASONS)
def test_each_reason_not_to_publish_has_its_code_and_nothing_is_stored(
    built: Project, capsys: Capture, reason: str
) -> None:
    judged(built)
    change, code = REASONS[reason]
    change(built)
    said = call(built, capsys, "publish-artifact")
    assert (said.code, said.codes) == (1, code.split())
    assert not (built.root / ".release-gate" / "registry").exists()


CARD = "# tiny\n\n## Intended use\n\nAnother use.\n"


@pytest.mark.parametrize("committed", [True, False])
def test_a_card_changed_since_the_build_does_not_speak_for_the_commit_that_is_recorded(
    built: Project, capsys: Capture, committed: bool
) -> None:
    judged(built)
    text(built, "MODEL_CARD.md", CARD)
    if committed:
        built.commit()
    said = call(built, capsys, "publish-artifact")
    assert (said.code, said.codes) == (1, ["publish-card-changed"])
    assert "MODEL_CARD.md is not as commit " in said.message
    assert not (built.root / ".release-gate" / "registry").exists()


def test_a_card_mended_after_a_refusal_is_published_once_checked_again(project: Project, capsys: Capture) -> None:
    (project.root / "contracts" / "rows.yml").write_text(CONTRACT)
    text(project, "MODEL_CARD.md", "# tiny\n\n## Intended use\n\n<!-- to be written -->\n")
    project.commit()
    call(project, capsys, "check")
    assert call(project, capsys, "publish-artifact").codes == ["publish-use-missing"]
    text(project, "MODEL_CARD.md", CARD)
    project.commit()
    assert call(project, capsys, "publish-artifact").codes == ["publish-card-changed"]
    call(project, capsys, "check")
    said = call(project, capsys, "publish-artifact")
    assert (said.code, said.notes) == (0, ["published", "not-deployed"])


def test_a_card_of_a_later_commit_that_did_not_touch_it_is_the_same_card(built: Project, capsys: Capture) -> None:
    judged(built)
    text(built, "NOTES.md", "later\n")
    built.commit()
    assert call(built, capsys, "publish-artifact").notes == ["published", "not-deployed"]


def happened(project: Project, kind: str, package: str, because: str = "") -> Event:
    """Append what another publisher, or the owner, did meanwhile."""
    serves = "on-registration" if kind == "registered" else None
    draft = Draft.model_validate(
        {
            "at": datetime.now(UTC),
            "actor": "hubot",
            "kind": kind,
            "package": package,
            "because": because,
            "serves": serves,
        }
    )
    event, _ = ledger(project).append(lambda _: draft)
    assert event is not None
    return event


def test_a_package_compared_with_what_is_no_longer_production_is_refused(built: Project, capsys: Capture) -> None:
    judged(built)  # as a first release
    happened(built, "registered", OTHER)
    said = call(built, capsys, "publish-artifact")
    assert (said.code, said.codes) == (1, ["publish-production-moved"])
    assert "judged as a first release" in said.message
    assert OTHER in said.message

    judged(built)  # compared with OTHER
    third = f"sha256:{2:064x}"
    happened(built, "registered", third)
    said = call(built, capsys, "publish-artifact")
    assert (said.code, said.codes) == (1, ["publish-production-moved"])
    assert f"compared with {OTHER}; production is now {third}" in said.message
    assert not (built.root / ".release-gate" / "registry" / "packages").exists()

    judged(built)  # compared with the third
    assert call(built, capsys, "publish-artifact").notes == ["published", "not-deployed"]
    assert fold(ledger(built).read()).production == digest(built)


def test_a_comparison_with_a_production_that_the_ledger_does_not_know_is_refused(
    built: Project, capsys: Capture
) -> None:
    happened(built, "registered", OTHER)
    judged(built)
    for path in (built.root / ".release-gate" / "registry" / "ledger" / "tiny").iterdir():
        path.unlink()
    said = call(built, capsys, "publish-artifact")
    assert (said.code, said.codes) == (1, ["publish-production-moved"])
    assert "production is now nothing" in said.message


@pytest.mark.parametrize("same", [False, True])
def test_of_two_publishers_at_once_the_second_decides_on_what_the_first_wrote(
    built: Project, capsys: Capture, monkeypatch: pytest.MonkeyPatch, *, same: bool
) -> None:
    judged(built)
    first = digest(built) if same else OTHER
    put = FolderStore.put_new

    def overtaken(store: FolderStore, key: str, content: bytes) -> bool:
        # The other publisher's event arrives between our reading of the ledger and our writing to it.
        monkeypatch.setattr(FolderStore, "put_new", put)
        happened(built, "registered", first)
        return put(store, key, content)

    monkeypatch.setattr(FolderStore, "put_new", overtaken)
    said = call(built, capsys, "publish-artifact")
    expected = (0, [], ["publish-twice"]) if same else (1, ["publish-production-moved"], [])
    assert (said.code, said.codes, said.notes) == expected
    (event,) = ledger(built).read()
    assert (event.actor, event.package) == ("hubot", first)


def test_an_older_package_published_again_is_production_again(built: Project, capsys: Capture) -> None:
    judged(built)
    call(built, capsys, "publish-artifact")
    happened(built, "registered", OTHER)
    assert call(built, capsys, "publish-artifact").codes == ["publish-production-moved"], "compared with nothing"
    judged(built)
    said = call(built, capsys, "publish-artifact")
    assert (said.code, said.notes) == (0, ["published-again", "not-deployed"])
    history = ledger(built).read()
    state = fold(history)
    assert (state.production, state.previous) == (digest(built), OTHER)
    assert state.last_known_good is None, "no bake proved it"
    commit = open_package(built.build / "package").package.source.commit
    last = history[-1]
    assert (last.kind, last.because) == ("promoted", f"published again from commit {commit}")
    assert [one.gate for one in last.verdicts] == list(ORDER)
    assert call(built, capsys, "publish-artifact").notes == ["publish-twice"]
    assert len(ledger(built).read()) == 3


@pytest.mark.parametrize("registered", [False, True])
def test_a_blocked_package_is_refused_until_the_block_is_lifted(
    built: Project, capsys: Capture, *, registered: bool
) -> None:
    judged(built)
    if registered:
        call(built, capsys, "publish-artifact")
        happened(built, "registered", OTHER)
        judged(built)
    happened(built, "blocked", digest(built), "it forgets the night flights")
    before = ledger(built).read()
    said = call(built, capsys, "publish-artifact")
    assert (said.code, said.codes) == (1, ["publish-blocked"])
    assert "blocked by hubot: it forgets the night flights" in said.message
    assert ledger(built).read() == before
    happened(built, "unblocked", digest(built))
    again = "published-again" if registered else "published"
    assert call(built, capsys, "publish-artifact").notes == [again, "not-deployed"]


def test_a_package_that_no_commit_holds_is_not_published(project: Project, capsys: Capture) -> None:
    project.replace("tiny_model/train.py", "0.25", "0.5", commit=False)
    call(project, capsys, "build-candidate")
    judged(project)
    assert call(project, capsys, "publish-artifact").codes == ["publish-commit-missing"]


def test_a_broken_ledger_is_not_written_to(built: Project, capsys: Capture) -> None:
    judged(built)
    call(built, capsys, "publish-artifact")
    event = built.root / ".release-gate" / "registry" / "ledger" / "tiny" / "00000001.json"
    event.write_text("{}")
    said = call(built, capsys, "publish-artifact")
    assert (said.code, said.codes) == (4, ["ledger-broken"])


def test_what_was_not_built_can_not_be_published(project: Project, capsys: Capture) -> None:
    said = call(project, capsys, "publish-artifact")
    assert (said.code, said.codes) == (4, ["package-missing"])


def test_the_history_and_each_version_can_be_shown(built: Project, capsys: Capture) -> None:
    assert "nothing has happened yet" in call(built, capsys, "log").text
    judged(built)
    call(built, capsys, "publish-artifact", USER="octocat")
    made = digest(built)
    told = call(built, capsys, "log").text
    assert f"registered  {made[7:19]}" in told
    assert "; pass: " in told, "on what evidence"
    assert "run" not in told.splitlines()[1], "nothing of it ran on GitHub"
    (event,) = json.loads(call(built, capsys, "log", "--format", "json").text)["tiny"]
    assert event["package"] == made
    for version in ("production", made, made[7:15], made[:20]):
        shown = call(built, capsys, "show", version)
        assert (shown.code, made in shown.text) == (0, True)
    as_json = json.loads(call(built, capsys, "show", "production", "--format", "json").text)
    assert (as_json["digest"], len(as_json["events"])) == (made, 1)
    for version in ("previous", "abc", "feedfeed", ""):
        unknown = call(built, capsys, "show", version)
        assert (unknown.code, "version-unknown" in unknown.text) == (2, True)


def handed_on(project: Project) -> list[str]:
    """The verdicts as two jobs left them; returns the options that name their folders."""
    from release_gate.gates.overall import MAY_SPEAK

    words = []
    for job, gates in MAY_SPEAK.items():
        folder = project.root / ".release-gate/from" / job
        (folder / "tiny/verdicts").mkdir(parents=True)
        for gate in gates:
            (project.verdicts / f"{gate}.json").rename(folder / "tiny/verdicts" / f"{gate}.json")
        words += ["--from", f"{job}=.release-gate/from/{job}"]
    return words


def test_verdicts_of_two_jobs_are_taken_from_the_folder_of_each(built: Project, capsys: Capture) -> None:
    judged(built)
    assert call(built, capsys, "publish-artifact", *handed_on(built)).code == 0


def test_of_a_job_only_verdicts_of_its_own_gates_count(built: Project, capsys: Capture) -> None:
    judged(built)
    words = handed_on(built)
    source = built.root / ".release-gate/from"
    name = "tiny/verdicts/threshold-comparison.json"
    (source / "judge" / name).rename(source / "build" / name)
    said = call(built, capsys, "publish-artifact", *words)
    assert said.code == 1
    assert not ledger(built).read()


def test_what_was_registered_stands_in_the_jobs_summary(built: Project, capsys: Capture, tmp_path: Path) -> None:
    judged(built)
    summary = tmp_path / "summary"
    assert call(built, capsys, "publish-artifact", GITHUB_STEP_SUMMARY=str(summary)).code == 0
    assert digest(built) in summary.read_text()


def test_the_ledger_names_commit_and_tree_that_were_released(built: Project, capsys: Capture) -> None:
    judged(built)
    call(built, capsys, "publish-artifact")
    (event,) = ledger(built).read()
    source = open_package(built.build / "package").package.source
    assert (event.commit, event.tree) == (source.commit, source.tree)
    assert event.tree is not None
