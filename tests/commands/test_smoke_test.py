"""smoke-test asks a server that runs already: by address alone, or what the ledger has in production."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from release_gate.commands.smoking import packaged_smoke, smoked, url_of
from release_gate.lifecycle.events import Draft, Schedule, Stage
from release_gate.registries import Registries
from release_gate.registry.opened import open_registry
from release_gate.registry.packages import Sealed, open_package
from release_gate.rollouts import Target
from release_gate.serving.checks import load
from tests.commands.serving_versions import Serving, serving
from tests.tiny.calling import Said, call, context
from tests.tiny.project import SMOKE, Project

Capture = pytest.CaptureFixture[str]
OTHER = f"sha256:{'0' * 64}"
UNASSERTING = "version: 1\nchecks:\n  - {name: health, get: /health}\n  - {name: odd, get: /health, status: 2xx}\n"


def package(project: Project) -> Sealed:
    return open_package(project.build / "package")


def alone(project: Project, capsys: Capture, url: str, *words: str) -> tuple[Said, dict[str, Any]]:
    arguments = ("--checks", "smoke.yml", "--url", url, "--format", "json", *words)
    said = call(project, capsys, "smoke-test", *arguments)
    return said, json.loads(said.text) if said.text.startswith("{") else {}


def codes(verdict: dict[str, Any]) -> list[str]:
    return [found["code"] for found in verdict["findings"]]


def test_alone_it_asks_an_address_for_the_version_and_predictions_of_a_package(built: Project, capsys: Capture) -> None:
    digest = package(built).package.digest
    with serving(digest) as server:
        (built.root / "release-gate.yml").unlink()
        said, verdict = alone(built, capsys, f"{server.url}/", "--golden", str(built.build / "package"))
    assert (said.code, verdict["outcome"], codes(verdict)) == (0, "pass", [])
    assert verdict["model"] == "tiny"
    assert [one["identity"] for one in verdict["subjects"]] == [digest]
    (table,) = verdict["tables"]
    assert [row[:2] for row in table["rows"]] == [
        ["health, 20 times", "pass"],
        ["golden", "pass"],
        ["malformed", "pass"],
    ]
    assert table["rows"][0][3] == f"answers: 20 from {digest}"
    assert server.asked.count("/health") == 21  # once to see that it is up


def test_one_answer_of_twenty_by_another_version_fails(built: Project, capsys: Capture) -> None:
    digest = package(built).package.digest
    with serving(*[digest] * 17, OTHER) as server:
        said, verdict = alone(built, capsys, server.url, "--golden", str(built.build / "package"))
    assert (said.code, codes(verdict)) == (1, ["smoke-other-version"])
    message = verdict["findings"][0]["message"]
    assert f"1 of 20 answers at {server.url} were wrong: answer.version is '{OTHER}' instead of '{digest}'" in message


def test_other_predictions_fail_under_the_right_version(built: Project, capsys: Capture) -> None:
    digest = package(built).package.digest
    with serving(digest, weight=0.3) as server:
        said, verdict = alone(built, capsys, server.url, "--version", digest, "--golden", str(built.build / "package"))
    assert (said.code, codes(verdict)) == (1, ["smoke-golden"])


def test_a_server_that_is_still_starting_is_waited_for_and_one_that_never_comes_is_not(
    built: Project, capsys: Capture
) -> None:
    (built.root / "smoke.yml").write_text(SMOKE.replace("version: 1\n", "version: 1\nstart_within: 2s\n"))
    digest = package(built).package.digest
    golden = ("--golden", str(built.build / "package"))
    with serving(digest, statuses=(503, 503, 503, 200)) as server:
        assert alone(built, capsys, server.url, *golden)[0].code == 0
    with serving(digest, statuses=(503,)) as server:
        said, verdict = alone(built, capsys, server.url, *golden)
        assert (said.code, codes(verdict)) == (1, ["smoke-not-up"])
        assert "was not up within 2 s: GET /health answers 503, not 200" in verdict["findings"][0]["message"]
    said, verdict = alone(built, capsys, server.url, *golden)
    assert (said.code, codes(verdict)) == (1, ["smoke-not-up"])
    assert "no connection" in verdict["findings"][0]["message"]
    assert "inside a Docker action 127.0.0.1 is the container itself" in verdict["findings"][0]["remedy"]


def test_a_connection_that_breaks_between_answers_is_told(built: Project, capsys: Capture) -> None:
    digest = package(built).package.digest
    with serving(digest, broken=5) as server:
        said, verdict = alone(built, capsys, server.url, "--golden", str(built.build / "package"))
    assert (said.code, codes(verdict)) == (1, ["smoke-no-answer"])
    assert f"right: 4 from {digest}" in verdict["findings"][0]["message"]


def test_a_status_that_goes_wrong_between_answers_is_told_as_such(built: Project, capsys: Capture) -> None:
    digest = package(built).package.digest
    with serving(digest, statuses=(200, 200, 502)) as server:
        said, verdict = alone(built, capsys, server.url, "--golden", str(built.build / "package"))
    assert (said.code, codes(verdict)) == (1, ["smoke-status"])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--url", "http://127.0.0.1:9"), "takes both --checks and --url"),
        (("--checks", "smoke.yml"), "takes both --checks and --url"),
        (("--golden", "x"), "takes both --checks and --url"),
        (("--checks", "smoke.yml", "--url", "127.0.0.1:9"), "is no address such as"),
        (("--checks", "smoke.yml", "--url", "http://127.0.0.1:9"), "asks for the version: say which"),
        (("--checks", "smoke.yml", "--url", "http://127.0.0.1:9", "--version", "7"), "asks for recorded predictions"),
        (
            ("--checks", "smoke.yml", "--url", "http://127.0.0.1:9", "--golden", "{package}", "--version", "7"),
            "--golden",
        ),
    ],
)
def test_options_that_do_not_fit_are_bad_use(
    built: Project, capsys: Capture, words: tuple[str, ...], says: str
) -> None:
    filled = [word.replace("{package}", str(built.build / "package")) for word in words]
    said = call(built, capsys, "smoke-test", *filled)
    assert said.code == 2
    assert says in said.text


def test_a_file_that_asks_for_neither_predictions_nor_version_proves_nothing(built: Project, capsys: Capture) -> None:
    (built.root / "smoke.yml").write_text(UNASSERTING)
    with serving("any") as server:
        said, verdict = alone(built, capsys, server.url)
        assert (said.code, verdict["outcome"]) == (1, "fail")
        assert codes(verdict)[:2] == ["smoke-golden-unasked", "smoke-version-unasked"]
        (built.root / "smoke.yml").write_text(
            UNASSERTING + '  - {name: version, get: /health, json: {version: "{version}"}}\n'
        )
        said, verdict = alone(built, capsys, server.url, "--version", "any")
    assert (said.code, verdict["outcome"], verdict["subjects"]) == (0, "pass", [])
    assert [(one["code"], one["severity"]) for one in verdict["findings"]] == [
        ("smoke-golden-unasked", "warning"),
        ("smoke-malformed-unasked", "warning"),
    ]


# --- configured ---


def published(project: Project, url: str) -> tuple[str, Any]:
    """The built package in the registry and in production, its rollout's target at an address."""
    target = f"rollout: {{target: {{haproxy: {{socket: admin.sock, backend: b, url: '{url}'}}}}}}\n"
    config = (project.root / "release-gate.yml").read_text()
    (project.root / "release-gate.yml").write_text(config + target)
    sealed = package(project)
    digest = sealed.package.digest
    registry = open_registry(Registries.of(".release-gate/registry"), root=project.root, environment={})
    registry.store(sealed)
    ledger = registry.ledger("tiny")

    def add(kind: str, version: str = digest, **fields: Any) -> None:
        now = context(project).clock.now()
        draft = Draft(at=now, actor="octocat", kind=kind, package=version, **fields)
        assert ledger.append(lambda _: draft)[0] is not None

    add("registered", serves="on-registration")
    return digest, add


def test_configured_it_asks_the_target_for_what_is_in_production_by_the_packages_own_checks(
    built: Project, capsys: Capture
) -> None:
    with serving() as server:
        digest, _ = published(built, server.url)
        server.versions = (digest,)
        # The checks of the working tree have moved on; production is asked what it was released with.
        (built.root / "smoke.yml").write_text("version: 1\nchecks: []\n")
        said = call(built, capsys, "smoke-test")
    assert said.verdict is not None
    assert (said.code, said.codes, said.verdict.subjects[0].identity) == (0, [], digest)


def test_where_nothing_answers_the_command_that_starts_production_is_named(built: Project, capsys: Capture) -> None:
    (built.root / "smoke.yml").write_text(SMOKE.replace("version: 1\n", "version: 1\nstart_within: 1s\n"))
    built.commit()
    with serving() as server:
        published(built, server.url)
    said = call(built, capsys, "smoke-test")
    assert (said.code, said.codes) == (1, ["smoke-not-up"])
    assert said.verdict is not None
    remedy = said.verdict.findings[0].remedy
    assert remedy.startswith("`release-gate deploy --version production` starts what production needs")


def test_during_a_rollout_the_candidate_may_answer_too_and_nobody_else(built: Project, capsys: Capture) -> None:
    candidate = f"sha256:{'c' * 64}"
    with serving() as server:
        digest, add = published(built, server.url)
        add("registered", candidate, serves="after-rollout")
        add("deployed", candidate, schedule=Schedule(stages=(Stage(share=1.0, seconds=1),), lease=60))
        server.versions = (digest, candidate)
        # Nothing is routed to it yet.
        assert call(built, capsys, "smoke-test").codes == ["smoke-other-version"]
        add("stepping", candidate, step=1, share=0.5)
        server.asked.clear()
        said = call(built, capsys, "smoke-test")
        assert (said.code, said.codes, said.notes) == (0, [], ["smoke-partly"])
        assert said.verdict is not None
        assert [row[0] for row in said.verdict.tables[0].rows] == ["health, 20 times", "malformed"]
        server.versions = (digest, candidate, OTHER)
        said = call(built, capsys, "smoke-test")
        assert (said.code, said.codes) == (1, ["smoke-other-version"])


def test_without_a_target_or_a_version_there_is_nothing_to_ask(built: Project, capsys: Capture) -> None:
    said = call(built, capsys, "smoke-test")
    assert (said.code, said.codes) == (2, ["smoke-no-target"])
    config = (built.root / "release-gate.yml").read_text()
    (built.root / "release-gate.yml").write_text(config + "rollout: {target: {caddy: {}}}\n")
    said = call(built, capsys, "smoke-test")
    assert (said.code, said.codes) == (4, ["smoke-no-version"])


def test_the_checks_sealed_in_a_package_are_found(built: Project) -> None:
    smoke, named = packaged_smoke(package(built))
    assert (smoke, named) == (load(built.root / "smoke.yml", "x"), "smoke.yml")


@pytest.mark.parametrize(
    ("target", "url"),
    [
        ({"caddy": {}}, "http://127.0.0.1:8080"),
        ({"caddy": {"listen": ":80"}}, "http://127.0.0.1:80"),
        ({"caddy": {"listen": "0.0.0.0:80"}}, "http://127.0.0.1:80"),
        ({"caddy": {"listen": "models.octo-air.example:80"}}, "http://models.octo-air.example:80"),
        ({"haproxy": {"socket": "s", "backend": "b", "url": "https://a.example/"}}, "https://a.example"),
        ({"command": {"route": "r", "read": "r", "url": "https://b.example"}}, "https://b.example"),
    ],
)
def test_the_address_of_each_kind_of_target_is_known(target: dict[str, Any], url: str) -> None:
    assert url_of(Target.model_validate(target)) == url


def test_deploy_asks_with_fewer_questions_and_less_patience_where_it_says_so(built: Project, tmp_path: Path) -> None:
    sealed = package(built)
    smoke, _ = packaged_smoke(sealed)
    with serving(sealed.package.digest) as server:
        results = smoked(context(built), sealed.package, smoke, server.url, times=3)
    assert (results[0].name, results[0].finding) == ("health, 3 times", None)
    (down,) = smoked(context(built), sealed.package, smoke, server.url, within=0.0)
    assert down.finding is not None
    assert down.finding.code == "smoke-not-up"


def test_where_no_check_is_a_get_any_answer_shows_that_a_server_is_up(built: Project) -> None:
    smoke = load(built.root / "smoke.yml", "x")
    only = smoke.model_copy(update={"checks": tuple(one for one in smoke.checks if one.kind != "get")})
    sealed = package(built)
    served: Serving
    with serving("v", statuses=(404,)) as served:
        assert all(one.finding is None for one in smoked(context(built), sealed.package, only, served.url))
