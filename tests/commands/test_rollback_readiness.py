"""The five answers, gathered from a real repository, its ledger, and a GitHub."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from release_gate.lifecycle.events import Draft
from release_gate.registry import blobs
from release_gate.registry.datasets import contract_of
from release_gate.registry.ledger import Ledger
from release_gate.registry.packages import copy, open_package, seal
from release_gate.registry.stores.folder import FolderStore
from tests.e2e.testbed import objects
from tests.github.double import Answer, Double, Request, serving
from tests.registry.making import contents, layers
from tests.tiny.calling import Said, call
from tests.tiny.project import Project

Capture = pytest.CaptureFixture[str]
PRODUCTION = f"sha256:{1:064x}"
STUCK = 'revision = "b"\ndown_revision = "a"\n\ndef upgrade():\n    op.add_column("t", "c")\n'


def head(project: Project) -> str:
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=project.root, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def released(project: Project, *kinds: str, commit: str | None = None, package: str = PRODUCTION) -> None:
    ledger = Ledger(FolderStore(project.root / ".release-gate" / "registry"), "tiny")
    for kind in kinds or ("registered", "promoted"):
        fields = {"commit": commit} if kind == "registered" else {}
        draft = Draft.model_validate(
            {"at": datetime.now(UTC), "actor": "octocat", "kind": kind, "package": package, **fields}
        )
        ledger.append(lambda _, draft=draft: draft)  # type: ignore[misc]


def answers(said: Said) -> list[str]:
    assert said.verdict is not None
    return [str(row[1]) for row in said.verdict.tables[0].rows]


def change(project: Project, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = project.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    project.commit()


def test_a_first_release_gets_its_five_answers(project: Project, capsys: Capture) -> None:
    said = call(project, capsys, "rollback-readiness")
    assert (said.code, said.codes, said.notes) == (0, [], ["readiness-first-release", "owner-unverified"])
    version, way, migrations, who, proof = answers(said)
    assert version == "none yet: nothing is in production (the registry .release-gate/registry is not here)"
    assert way.startswith("nothing is deployed by release-gate: the pointer in the ledger goes back")
    assert migrations == "none is new (counted from the beginning: no earlier commit is here)"
    assert (who, proof) == ("@octo-air, at all hours", "health, golden; beside them malformed (smoke.yml)")


def test_migrations_are_new_since_production_s_commit(project: Project, capsys: Capture) -> None:
    change(project, {"db/versions/a.py": STUCK.replace('"b"', '"a"')})  # production has that one
    released(project, commit=head(project))
    assert call(project, capsys, "rollback-readiness").code == 0
    change(project, {"db/versions/b.py": STUCK})
    change(project, {"words.txt": "1"})
    said = call(project, capsys, "rollback-readiness")
    assert (said.code, said.codes) == (1, ["migration-irreversible"])
    assert said.verdict is not None
    assert str(said.verdict.findings[0].where) == "db/versions/b.py:4"
    assert answers(said)[2].startswith("1 new (Alembic; since production's commit ")


def test_without_that_commit_they_are_new_since_the_base_and_that_is_said(project: Project, capsys: Capture) -> None:
    released(project, commit="0" * 40)
    change(project, {"db/versions/a.py": STUCK})
    said = call(project, capsys, "rollback-readiness")
    assert said.codes == ["migration-irreversible"]
    assert "since the commit before; production's commit is not in this checkout" in answers(said)[2]
    change(project, {"words.txt": "1"})
    assert call(project, capsys, "rollback-readiness").code == 0
    branch = ["git", "checkout", "-q", "-b", "change"]
    subprocess.run(branch, cwd=project.root, check=True)
    change(project, {"db/versions/b.py": STUCK})
    change(project, {"words.txt": "2"})
    merged = call(project, capsys, "rollback-readiness")
    assert merged.codes == ["migration-irreversible"]
    assert "since the merge base with" in answers(merged)[2]


def test_the_configuration_may_name_more_migrations_and_hides_none(project: Project, capsys: Capture) -> None:
    released(project, commit=head(project))
    change(project, {"schema/0001.sql": "CREATE TABLE a (b int);", "db/versions/a.py": STUCK})
    project.replace("release-gate.yml", "thresholds:", "migrations: [schema/*.sql]\nthresholds:")
    said = call(project, capsys, "rollback-readiness")
    assert said.codes == ["migration-irreversible"] * 2
    assert "schema/0001.sql" in said.message
    project.replace("release-gate.yml", "schema/*.sql", "../*.sql")
    assert call(project, capsys, "rollback-readiness").code == 2


def test_a_smoke_file_that_can_not_be_used_blocks(project: Project, capsys: Capture) -> None:
    (project.root / "smoke.yml").write_text("version: 1\nchecks: [{name: up, get: /health}]\n")
    assert call(project, capsys, "rollback-readiness").codes == ["smoke-proves-nothing"]
    (project.root / "smoke.yml").unlink()
    assert call(project, capsys, "rollback-readiness").codes == ["file-missing"]


def test_a_ledger_that_can_not_be_read_is_no_first_release(project: Project, capsys: Capture) -> None:
    released(project)
    next((project.root / ".release-gate/registry/ledger/tiny").iterdir()).write_text("{}")
    said = call(project, capsys, "rollback-readiness")
    assert (said.code, said.codes) == (4, ["ledger-broken"])


def made_with(project: Project, contract: str) -> str:
    """Production, made with features by a contract; its digest."""
    root = project.root
    (root / "contracts" / "features.yml").write_text(contract)
    transforms = "transforms: {training: 'f:t', serving: 'f:s', features: contracts/features.yml}\n"
    project.replace("release-gate.yml", "candidate:\n", f"{transforms}candidate:\n")
    folder = root.parent / "making"
    made = layers(folder)
    facts = contents(made, folder, features=contract_of(root, "contracts/features.yml"))
    package = seal(folder / "sealed", made, facts, commit=None)
    copy(open_package(folder / "sealed"), root / ".release-gate" / "registry" / "packages")
    released(project, package=package.digest)
    return package.digest


def test_features_that_production_needs_must_stay_promised(project: Project, capsys: Capture) -> None:
    production = made_with(project, "version: 1.0.0\n")
    said = call(project, capsys, "rollback-readiness")
    assert (said.code, said.codes) == (0, [])
    assert answers(said)[3] == f"{production} needs contracts/features.yml 1.0.0, which is kept here"
    change(project, {"contracts/features.yml": "version: 1.1.0\n"})
    assert call(project, capsys, "rollback-readiness").code == 0
    change(project, {"contracts/features.yml": "version: 2.0.0\n"})
    said = call(project, capsys, "rollback-readiness")
    assert (said.code, said.codes) == (1, ["features-incompatible"])
    assert "which took back a promise of 1.0.0" in said.message


def test_new_features_may_stand_beside_the_old_until_nothing_needs_those(project: Project, capsys: Capture) -> None:
    made_with(project, "version: 1.0.0\n")
    (project.root / "contracts" / "features_2.yml").write_text("version: 1.0.0\n")
    project.replace("release-gate.yml", "features: contracts/features.yml", "features: contracts/features_2.yml")
    assert call(project, capsys, "rollback-readiness").code == 0
    (project.root / "contracts" / "features.yml").unlink()
    assert call(project, capsys, "rollback-readiness").codes == ["features-incompatible"]


def test_a_package_that_can_not_be_read_says_nothing_of_its_features(project: Project, capsys: Capture) -> None:
    production = made_with(project, "version: 1.0.0\n")
    blobs.path_of(project.root / ".release-gate" / "registry" / "packages", production).unlink()
    said = call(project, capsys, "rollback-readiness")
    assert (said.code, "features-unread" in said.notes) == (0, True)


def on_github(double: Double) -> dict[str, str]:
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_REPOSITORY": "octo-air/tiny",
        "GITHUB_API_URL": double.url,
        "GITHUB_EVENT_NAME": "pull_request",
    }


def github(request: Request) -> Answer:
    if request.path == "/users/octocat":
        return Answer(body=objects.public_user("octocat"))
    status = 403 if request.path.startswith("/orgs/octo-air/") else 404
    return Answer(status, {"message": "Not Found"})


@pytest.mark.parametrize(
    ("owner", "codes"),
    [
        ('"@octocat"', []),
        ('"@octokat"', ["owner-unknown"]),
        ('"@octo-air/ml"', ["owner-team-unlisted"]),
        ('{people: ["@octo-air/ml"], members: {"@octo-air/ml": ["@octocat"]}}', []),
        ('{people: ["@octo-air/ml"], members: {"@octo-air/ml": ["@octokat"]}}', ["owner-unknown"]),
    ],
)
def test_on_github_who_decides_is_looked_up(project: Project, capsys: Capture, owner: str, codes: list[str]) -> None:
    project.replace("release-gate.yml", '"@octo-air"', owner)
    with serving(github) as double:
        said = call(project, capsys, "rollback-readiness", "--token", "secret", session=None, **on_github(double))
        assert {request.headers["authorization"] for request in double.asked} == {"token secret"}
    assert said.codes == codes
    assert "secret" not in said.text
    assert "owner-unverified" not in said.notes


def test_the_token_of_the_job_is_enough_and_without_one_nobody_is_asked(project: Project, capsys: Capture) -> None:
    with serving(github) as double:
        said = call(project, capsys, "rollback-readiness", GITHUB_TOKEN="job", session=None, **on_github(double))
        assert said.codes == ["owner-unknown"], "of @octo-air this GitHub knows nothing"
        count = len(double.asked)
        assert (
            "owner-unverified" in call(project, capsys, "rollback-readiness", session=None, **on_github(double)).notes
        )
        assert len(double.asked) == count > 0


def test_a_token_that_github_does_not_know_leaves_it_unjudged(project: Project, capsys: Capture) -> None:
    with serving(lambda _: Answer(401, {"message": "Bad credentials"})) as double:
        said = call(project, capsys, "rollback-readiness", GITHUB_TOKEN="old", session=None, **on_github(double))
    assert (said.code, said.codes, len(answers(said))) == (4, ["github-token"], 5)


def test_check_runs_it_with_the_other_gates() -> None:
    from release_gate.commands.check import GATES, gate_of
    from release_gate.commands.rollback_readiness import gate
    from release_gate.gates.overall import ORDER

    assert tuple(GATES) == tuple(ORDER)
    assert gate_of("rollback-readiness") is gate


def test_nothing_of_the_caller_s_runs(project: Project, capsys: Capture, tmp_path: Path) -> None:
    trap = f'open({str(tmp_path / "ran")!r}, "w")\n'
    django = (
        f"from django.db import migrations\n{trap}class Migration(migrations.Migration):\n"
        "    operations = [print(open('ran', 'w'))]\n"
    )
    change(project, {"db/versions/a.py": trap + STUCK, "db/migrations/b.py": django})
    call(project, capsys, "rollback-readiness")
    assert not (tmp_path / "ran").exists()
    assert not (project.root / "ran").exists()
