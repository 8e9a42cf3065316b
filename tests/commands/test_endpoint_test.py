"""The sealed package's server put to the checks of its smoke.yml."""

from __future__ import annotations

import json
import shutil

import pytest

from release_gate.registry.packages import open_package
from tests.tiny.calling import Said, call
from tests.tiny.project import SMOKE, Project

Capture = pytest.CaptureFixture[str]


def rebuilt(project: Project, capsys: Capture) -> Said:
    assert call(project, capsys, "build-candidate").code == 0
    return call(project, capsys, "endpoint-test")


def test_the_packaged_server_is_asked_every_check_under_its_own_digest(built: Project, capsys: Capture) -> None:
    # The working tree has moved on; what was sealed is what is tested.
    shutil.rmtree(built.root / "tiny_model")
    said = call(built, capsys, "endpoint-test")
    assert (said.code, said.codes) == (0, [])
    assert said.verdict is not None
    (table,) = said.verdict.tables
    assert [row[:2] for row in table.rows] == [["health", "pass"], ["golden", "pass"], ["malformed", "pass"]]
    made = json.loads((built.build / "build.json").read_bytes())["package"]["digest"]
    assert [(subject.kind, subject.identity) for subject in said.verdict.subjects] == [("package", made)]


def test_a_failed_check_fails_the_gate_and_the_others_are_still_asked(project: Project, capsys: Capture) -> None:
    project.replace("tiny_model/serve.py", "self.answer(422, {})", "self.answer(500, {})")
    said = rebuilt(project, capsys)
    assert (said.code, said.codes) == (1, ["smoke-status"])
    assert said.verdict is not None
    assert [row[1] for row in said.verdict.tables[0].rows] == ["pass", "pass", "fail"]


def test_a_server_that_starts_only_while_golden_predictions_are_recorded(project: Project, capsys: Capture) -> None:
    guard = 'import json, os, sys\nassert os.environ["RELEASE_GATE_VERSION"] == "golden", "no licence"'
    project.replace("tiny_model/serve.py", "import json, os, sys", guard)
    said = rebuilt(project, capsys)
    assert (said.code, said.codes) == (1, ["serve-died"])
    assert "no licence" in said.message


def test_without_a_server_it_is_skipped_and_says_so(project: Project, capsys: Capture) -> None:
    project.replace("release-gate.yml", "  serve: python -m tiny_model.serve {model} {port}\n", "")
    said = rebuilt(project, capsys)
    assert said.verdict is not None
    assert (said.code, said.verdict.outcome, said.notes) == (0, "skipped", ["serve-absent"])


@pytest.mark.parametrize(
    ("how", "code", "expected"),
    [
        ("nothing built", 4, "package-missing"),
        ("build.json is broken", 2, "package-disagrees"),
        ("another digest", 2, "package-missing"),
        ("a byte changed", 2, "package-corrupt"),
        ("another model", 2, "package-disagrees"),
    ],
)
def test_a_package_that_is_not_the_one_built_is_refused(
    built: Project, capsys: Capture, how: str, code: int, expected: str
) -> None:
    facts = built.build / "build.json"
    if how == "nothing built":
        facts.unlink()
    elif how == "build.json is broken":
        facts.write_text("{}")
    elif how == "another digest":
        facts.write_text(json.dumps({"package": {"digest": f"sha256:{0:064x}"}}))
    elif how == "a byte changed":
        digest = open_package(built.build / "package").layers.descriptors["code"]["digest"]
        (built.build / "package" / "blobs" / "sha256" / digest[7:]).write_bytes(b"")
    else:
        built.replace("release-gate.yml", "model: tiny\n", "model: other\n")
        shutil.move(built.build.parent, built.build.parent.with_name("other"))
    said = call(built, capsys, "endpoint-test", "--format", "json")
    verdict = json.loads(said.text)
    assert (said.code, [found["code"] for found in verdict["findings"]]) == (code, [expected])
    assert verdict["outcome"] == "error"


def test_a_package_alone_is_tested_with_other_checks(built: Project, capsys: Capture) -> None:
    (built.root / "release-gate.yml").unlink()
    checks = SMOKE + "  - {name: wrong, get: /health, status: 404}\n"
    (built.root / "other.yml").write_text(checks)
    package = str(built.build / "package")
    said = call(built, capsys, "endpoint-test", "--package", package, "--format", "json")
    assert (said.code, json.loads(said.text)["outcome"]) == (0, "pass")
    said = call(built, capsys, "endpoint-test", "--package", package, "--checks", "other.yml", "--format", "json")
    assert (said.code, [found["code"] for found in json.loads(said.text)["findings"]]) == (1, ["smoke-status"])
    said = call(built, capsys, "endpoint-test", "--package", str(built.root), "--format", "json")
    assert (said.code, [found["code"] for found in json.loads(said.text)["findings"]]) == (2, ["package-missing"])


def test_checks_without_a_package_are_bad_use(built: Project, capsys: Capture) -> None:
    assert call(built, capsys, "endpoint-test", "--checks", "smoke.yml").code == 2


@pytest.mark.parametrize(
    ("without", "expected"),
    [
        ("  - {name: golden, golden: {tolerance: 1e-6}}\n", (1, ["smoke-golden-unasked"])),
        (', json: {version: "{version}"}', (1, ["smoke-version-unasked"])),
        ('  - {name: malformed, post: /predict, body: "{", status: 4xx}\n', (0, ["smoke-malformed-unasked"])),
    ],
)
def test_what_no_check_asks_for_is_not_proven(
    built: Project, capsys: Capture, without: str, expected: tuple[int, list[str]]
) -> None:
    assert without in SMOKE
    (built.root / "less.yml").write_text(SMOKE.replace(without, ""))
    arguments = ("--package", str(built.build / "package"), "--checks", "less.yml")
    said = call(built, capsys, "endpoint-test", "--format", "json", *arguments)
    assert (said.code, [found["code"] for found in json.loads(said.text)["findings"]]) == expected
