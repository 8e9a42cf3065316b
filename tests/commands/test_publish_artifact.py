"""A package published once all is known of it and every gate passed it; and every reason not to."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from release_gate.gates.publish_artifact import GATES
from release_gate.lifecycle.state import fold
from release_gate.registry.ledger import Ledger
from release_gate.registry.packages import open_package
from release_gate.registry.stores.folder import FolderStore
from release_gate.verdict import Outcome, Subject, Verdict
from tests.tiny.calling import call
from tests.tiny.project import Project

Capture = pytest.CaptureFixture[str]


def digest(project: Project) -> str:
    return str(json.loads((project.build / "build.json").read_bytes())["package"]["digest"])


def verdict(project: Project, gate: str, *, outcome: Outcome = Outcome.PASS, package: str | None = None) -> Verdict:
    subjects = [Subject(kind="package", name="tiny", identity=package or digest(project))]
    if gate in ("schema-check", "transform-tests"):
        contents = open_package(project.build / "package").package.contents
        subjects = [data for data in contents.datasets if data.name == "data/rows.parquet"]
    return Verdict(gate=gate, model="tiny", outcome=outcome, subjects=subjects, started=datetime.now(UTC))


def judged(project: Project, *changed: Verdict) -> None:
    """A verdict of every gate, as the gates would leave them."""
    for one in (*(verdict(project, gate) for gate in GATES), *changed):
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
    assert [one.gate for one in event.verdicts] == sorted(GATES)
    assert fold([event]).production == digest(built)
    stored = open_package(built.root / ".release-gate" / "registry" / "packages", digest(built))
    assert stored.package == open_package(built.build / "package").package


def test_twice_is_once(built: Project, capsys: Capture) -> None:
    judged(built)
    assert call(built, capsys, "publish-artifact").notes == ["published", "not-deployed"]
    said = call(built, capsys, "publish-artifact")
    assert (said.code, said.notes) == (0, ["publish-twice"])
    assert len(ledger(built).read()) == 1


def text(project: Project, name: str, content: str | None) -> None:
    path = project.root / name
    path.unlink() if content is None else path.write_text(content)


Change = Callable[[Project], object]
OTHER = f"sha256:{1:064x}"
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
    "a gate without verdict": (lambda p: (p.verdicts / "schema-check.json").unlink(), "publish-verdict-missing"),
    "a broken verdict": (lambda p: (p.verdicts / "schema-check.json").write_text("{"), "publish-verdict-unreadable"),
    "a failed gate": (
        lambda p: judged(p, verdict(p, "schema-check", outcome=Outcome.FAIL)),
        "publish-verdict-not-passing",
    ),
    "an inconclusive gate": (
        lambda p: judged(p, verdict(p, "threshold-comparison", outcome=Outcome.INCONCLUSIVE)),
        "publish-verdict-not-passing",
    ),
    "a gate that judged another package": (
        lambda p: judged(p, verdict(p, "threshold-comparison", package=OTHER)),
        "publish-verdict-other-subject",
    ),
    "a gate that judged no package": (
        lambda p: judged(p, verdict(p, "endpoint-test").model_copy(update={"subjects": []})),
        "publish-verdict-other-subject",
    ),
    "a gate that judged other data": (
        lambda p: judged(
            p,
            verdict(p, "schema-check").model_copy(
                update={"subjects": [Subject(kind="data", name="data/rows.parquet", identity=OTHER)]}
            ),
        ),
        "publish-verdict-other-subject",
    ),
    "the verdict of another model": (
        lambda p: judged(p, verdict(p, "schema-check").model_copy(update={"model": "other"})),
        "publish-verdict-other-subject",
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
    assert (said.code, said.codes) == (1, [code])
    assert not (built.root / ".release-gate" / "registry").exists()


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
    assert f"registered  {made[7:19]}" in call(built, capsys, "log").text
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
