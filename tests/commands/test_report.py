"""`report`: from files of this machine, of other jobs and of a stranger's run to one outcome and one comment."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
import requests
from click.testing import CliRunner, Result

from release_gate.commands.context import Context
from release_gate.commands.report import command
from release_gate.edges import Session
from release_gate.findings import BadInput, CannotJudge
from release_gate.gates.overall import MAY_SPEAK, ORDER
from release_gate.verdict import Verdict
from tests.github.double import Answer, Double, FakeClock, Request, serving
from tests.github.test_event import ENVIRONMENT, FOLLOWED, PULL, SHA
from tests.report import cases
from tests.report.cases import verdict

CONFIG = """
version: 1
model: flight-delay
owner: "@octo-air"
contracts: {c.yml: d.parquet}
transforms: {training: "m:f", serving: "m:g"}
candidate: {train: t, predict: p, serve: s}
evaluation: {data: e.parquet, key: k, label: l}
thresholds: [{metric: roc_auc, at_least: 0.7}]
"""


@dataclass
class Place:
    """A repository with a configuration, and the environment a command runs in."""

    root: Path
    environment: dict[str, str]

    def run(self, *arguments: str, **environment: str) -> Result:
        def session() -> Session:
            return cast("Session", requests.Session())

        def runner() -> Any:
            raise AssertionError("a report runs nothing")

        context = Context(FakeClock(), runner, session, {**self.environment, **environment}, self.root)
        return CliRunner().invoke(command, list(arguments), obj=context)

    def keep(self, *verdicts: Verdict, folder: str = ".release-gate/run", model: str = "flight-delay") -> None:
        spot = self.root / folder / model / "verdicts"
        spot.mkdir(parents=True, exist_ok=True)
        for one in verdicts:
            (spot / f"{one.gate}.json").write_bytes(one.to_json())

    def on_github(self, name: str, payload: object, url: str) -> None:
        event = self.root / "event.json"
        event.write_text(json.dumps(payload))
        for variable in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
            (self.root / variable).touch()
            self.environment[variable] = str(self.root / variable)
        self.environment |= {
            **ENVIRONMENT,
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": name,
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_API_URL": url,
            "GITHUB_WORKSPACE": str(self.root),
            "GITHUB_TOKEN": "token",
        }

    @property
    def outcome(self) -> str:
        """The step's output, read as the runner reads it."""
        lines = iter((self.root / "GITHUB_OUTPUT").read_text().splitlines())
        for line in lines:
            name, _, delimiter = line.partition("<<")
            value = list(iter(lambda: next(lines), delimiter))
            if name == "outcome":
                return "\n".join(value)
        raise AssertionError

    @property
    def comment(self) -> str:
        return (self.root / ".release-gate/run/flight-delay/comment.md").read_text()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "release-gate.yml").write_text(CONFIG)
    return Place(tmp_path.resolve(), {})


def all_pass() -> list[Verdict]:
    return [verdict(gate) for gate in ORDER]


def test_verdicts_of_this_machine_become_a_comment_and_a_summary(place: Place) -> None:
    place.keep(*all_pass())
    result = place.run()
    assert result.exit_code == 0, result.output
    assert "PASS  report  flight-delay" in result.output
    assert place.comment.startswith("### ✅ `flight-delay` may be merged")
    assert "may be merged" in (place.root / ".release-gate/run/summary.md").read_text()


def test_nothing_judged_is_not_a_pass(place: Place) -> None:
    result = place.run()
    assert result.exit_code == 4
    assert result.output.count("error [verdict-missing]") == len(ORDER)


@pytest.mark.parametrize(("outcome", "status"), [("fail", 1), ("inconclusive", 3), ("error", 4)])
def test_the_exit_status_is_the_worst_gate_s(place: Place, outcome: str, status: int) -> None:
    place.keep(*all_pass()[:4], verdict("threshold-comparison", outcome), *all_pass()[5:])
    assert place.run().exit_code == status


def test_verdicts_of_other_jobs_count_only_for_their_gates(place: Place) -> None:
    place.keep(*(verdict(gate) for gate in MAY_SPEAK["build"]), folder="from/build")
    place.keep(*(verdict(gate) for gate in MAY_SPEAK["judge"]), folder="from/judge")
    sources = ("--from", "build=from/build", "--from", "judge=from/judge")
    assert place.run(*sources).exit_code == 0
    place.keep(verdict("threshold-comparison"), folder="from/build")
    forged = place.run(*sources)
    assert forged.exit_code == 4
    assert "may not speak for threshold-comparison" in forged.output
    # A verdict that lies about in the run folder is not another job's word.
    place.keep(*all_pass())
    assert place.run("--from", "judge=nowhere").exit_code == 4


def test_sources_arrive_one_a_line_from_an_action(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.keep(*(verdict(gate) for gate in MAY_SPEAK["build"]), folder="from/build")
    place.keep(*(verdict(gate) for gate in MAY_SPEAK["judge"]), folder="from/judge")
    monkeypatch.setenv("INPUT_FROM", "build=from/build\njudge=from/judge\n")
    assert place.run().exit_code == 0


@pytest.mark.parametrize("given", ["build", "train=x", "=x", "build="])
def test_a_source_of_another_shape_is_refused(place: Place, given: str) -> None:
    result = place.run("--from", given)
    assert isinstance(result.exception, BadInput)


def test_a_source_given_twice_is_refused(place: Place) -> None:
    assert isinstance(place.run("--from", "build=a", "--from", "build=b").exception, BadInput)


def test_a_link_among_the_verdicts_is_not_followed(place: Place) -> None:
    place.keep(*all_pass())
    spot = place.root / ".release-gate/run/flight-delay"
    (spot / "verdicts/schema-check.json").rename(place.root / "elsewhere.json")
    (spot / "verdicts/schema-check.json").symlink_to(place.root / "elsewhere.json")
    result = place.run()
    assert result.exit_code == 4
    assert "[artifact-link]" in result.output
    (spot / "verdicts").rename(place.root / "moved")
    (spot / "verdicts").symlink_to(place.root / "moved")
    assert "[artifact-link]" in place.run().output


def test_a_folder_with_far_too_many_verdicts_is_not_read_to_its_end(place: Place) -> None:
    place.keep(*all_pass())
    for index in range(210):
        (place.root / f".release-gate/run/flight-delay/verdicts/extra{index}.json").write_text("{}")
    result = place.run()
    assert result.exit_code == 4
    assert "[artifact-too-many-files]" in result.output


def test_a_folder_that_is_a_file_is_named(place: Place) -> None:
    (place.root / "from").write_text("")
    result = place.run("--from", "build=from")
    assert result.exit_code == 4
    assert "[file-unreadable]" in result.output


def test_verdicts_of_a_model_nobody_configured_are_left_out_and_told(place: Place) -> None:
    place.keep(*(verdict(gate) for gate in MAY_SPEAK["build"]), folder="b")
    place.keep(*(verdict(gate) for gate in MAY_SPEAK["judge"]), folder="j")
    place.keep(verdict("schema-check", model="other"), folder="j", model="other")
    result = place.run("--from", "build=b", "--from", "judge=j")
    assert result.exit_code == 0
    assert "[report-unknown-model]" in result.output


def test_several_models_have_a_comment_each_and_one_outcome(place: Place) -> None:
    two = CONFIG.replace("model: flight-delay", "models: [{model: a}, {model: b}]")
    (place.root / "release-gate.yml").write_text(two)
    for model in ("a", "b"):
        place.keep(*(one.model_copy(update={"model": model}) for one in all_pass()), model=model)
    place.keep(verdict("schema-check", "fail", model="b"), model="b")
    result = place.run("--comment-file", "out/comment.md")
    assert result.exit_code == 1
    assert "may be merged" in (place.root / "out/comment.a.md").read_text()
    assert "is blocked" in (place.root / "out/comment.b.md").read_text()


def test_json_is_the_report_s_own_verdict(place: Place) -> None:
    place.keep(*all_pass())
    told = Verdict.parse(place.run("--format", "json").stdout.encode())
    assert (told.gate, told.outcome.value, len(told.tables[0].rows)) == ("report", "pass", len(ORDER))
    assert cases.PACKAGE in told.subjects


def test_check_concludes_with_the_same_report(place: Place) -> None:
    from release_gate.commands.emit import Asked
    from release_gate.commands.report import conclude

    place.keep(*all_pass())

    import click

    @click.command()
    @click.pass_obj
    def ending(context: Context) -> None:
        conclude(context, Asked())

    context = Context(FakeClock(), cast("Any", None), cast("Any", None), {}, place.root)
    assert CliRunner().invoke(ending, obj=context).exit_code == 0
    assert "may be merged" in place.comment


def github(comments: list[Any] | None = None, *, refuse: int | None = None) -> Callable[[Request], Answer]:
    """GitHub as a run's token sees it."""

    def answer(request: Request) -> Answer:
        if request.method in ("POST", "PATCH"):
            return Answer(refuse, {"message": "Resource not accessible by integration"}) if refuse else Answer(201, {})
        if request.path == "/user":
            return Answer(403, {"message": "Resource not accessible by integration"})
        if "/pulls/" in request.path:
            return Answer(body={"state": "open", "head": {"sha": SHA}})
        return Answer(body=comments or [])

    return answer


def test_on_a_pull_request_everything_is_written_in_few_requests(place: Place) -> None:
    place.keep(*all_pass()[:1], *cases.unit_changed().verdicts[1:])
    with serving(github()) as double:
        place.on_github("pull_request", PULL, double.url)
        result = place.run()
        assert result.exit_code == 1, result.output
        [posted] = [request for request in double.asked if request.method == "POST"]
        assert posted.path == "/repos/octo-air/flight-delay/issues/7/comments"
        assert posted.body["body"].startswith(
            f"<!-- release-gate:comment v1 model=flight-delay head={SHA} run=9001.2 -->"
        )
        assert len(double.asked) <= 8
    assert place.outcome == "fail"
    assert "is blocked" in (place.root / "GITHUB_STEP_SUMMARY").read_text()
    assert "::error file=flight_delay/features.py,line=41" in result.output
    assert "token" not in place.comment


def test_files_of_a_configuration_in_a_folder_are_found_from_the_top(place: Place) -> None:
    inner = place.root / "services/delay"
    inner.mkdir(parents=True)
    (place.root / "release-gate.yml").rename(inner / "release-gate.yml")
    place.keep(*cases.unit_changed().verdicts, folder="services/delay/.release-gate/run")
    own = json.loads(json.dumps(PULL))
    own["pull_request"]["head"]["repo"]["id"] = 10
    with serving(github()) as double:
        place.on_github("pull_request", own, double.url)
        result = place.run("--config", "services/delay/release-gate.yml")
        assert "::error file=services/delay/flight_delay/features.py,line=41" in result.output
        body = double.asked[-1].body["body"]
        assert f"blob/{SHA}/services/delay/flight_delay/features.py#L41" in body


def test_a_fork_s_refused_comment_is_left_to_the_workflow_that_follows(place: Place) -> None:
    place.keep(*all_pass())
    with serving(github(refuse=403)) as double:
        place.on_github("pull_request", PULL, double.url)
        result = place.run()
        assert result.exit_code == 0
        assert "[comment-left-to-workflow-run]" in result.output


def test_dependabot_s_refused_comment_too(place: Place) -> None:
    own = json.loads(json.dumps(PULL))
    own["pull_request"]["head"]["repo"]["id"] = 10
    place.keep(*all_pass())
    with serving(github(refuse=403)) as double:
        place.on_github("pull_request", own, double.url)
        assert "[comment-left-to-workflow-run]" in place.run(GITHUB_ACTOR="dependabot[bot]").output
        # Anybody else's is a permission that is missing: told, and no reason to block.
        result = place.run()
        assert result.exit_code == 0
        assert "warning [github-permission]" in result.output
        assert "pull-requests: write" in result.output


def test_a_later_run_and_a_doubled_comment_are_told(place: Place) -> None:
    place.keep(*all_pass())
    marker = f"<!-- release-gate:comment v1 model=flight-delay head={SHA} run=9002.1 -->"
    bot = {"login": "github-actions[bot]", "type": "Bot"}
    there = [{"id": index, "body": marker, "user": bot} for index in (1, 2)]
    with serving(github(there)) as double:
        place.on_github("pull_request", PULL, double.url)
        result = place.run()
        assert result.exit_code == 0
        assert "[comment-superseded]" in result.output
        assert "[comment-duplicate]" in result.output
        assert all(request.method == "GET" for request in double.asked)


def test_a_closed_pull_request_is_left_alone(place: Place) -> None:
    place.keep(*all_pass())
    with serving(lambda _: Answer(body={"state": "closed", "head": {"sha": SHA}})) as double:
        place.on_github("pull_request", PULL, double.url)
        assert "[comment-none]" in place.run().output


@pytest.mark.parametrize("status", [401, 404, 422])
def test_github_s_troubles_decide_nothing(place: Place, status: int) -> None:
    place.keep(*all_pass())
    with serving(github(refuse=status)) as double:
        place.on_github("pull_request", PULL, double.url)
        result = place.run()
        assert result.exit_code == 0
        assert "warning [github-" in result.output


@pytest.mark.parametrize(
    ("arguments", "event", "token", "told"),
    [
        ([], ("merge_group", {"merge_group": {"head_sha": SHA, "base_sha": "b" * 40}}), "t", "[comment-none]"),
        ([], ("push", {}), "t", "[comment-none]"),
        ([], ("pull_request", PULL), "", "[comment-none]"),
        ([], ("issue_comment", {}), "t", "warning [event-unreadable]"),
        (["--no-comment"], ("pull_request", PULL), "t", "PASS  report"),
    ],
)
def test_where_no_comment_can_be_the_outcome_is_the_same(
    place: Place, arguments: list[str], event: tuple[str, object], token: str, told: str
) -> None:
    place.keep(*all_pass())
    with serving(github()) as double:
        place.on_github(*event, double.url)
        result = place.run(*arguments, GITHUB_TOKEN=token)
        assert result.exit_code == 0, result.output
        assert told in result.output
        assert double.asked == []


def test_an_event_file_that_is_missing_decides_nothing(place: Place) -> None:
    place.keep(*all_pass())
    place.on_github("push", {}, "http://127.0.0.1:9")
    result = place.run(GITHUB_EVENT_PATH=str(place.root / "none"))
    assert result.exit_code == 0
    assert "[event-unreadable]" in result.output


# -- the workflow that follows a run: everything comes from a stranger --


def zipped(*verdicts: Verdict, model: str = "flight-delay") -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for one in verdicts:
            archive.writestr(f"{model}/verdicts/{one.gate}.json", one.to_json())
    return target.getvalue()


def raw(content: bytes, path: str = "flight-delay/verdicts/schema-check.json") -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(path, content)
    return target.getvalue()


BUILD = zipped(*(verdict(gate) for gate in sorted(MAY_SPEAK["build"])))
JUDGE = zipped(*(verdict(gate) for gate in sorted(MAY_SPEAK["judge"])))
HONEST = {"release-gate-verdicts-build-all-1": BUILD, "release-gate-verdicts-judge-all-2": JUDGE}


@contextmanager
def following(
    place: Place, artifacts: dict[str, bytes], pulls: list[Any] | None = None, **run: object
) -> Iterator[Double]:
    names = list(artifacts)

    def answer(request: Request) -> Answer:
        if request.path.endswith("/runs/8000/artifacts"):
            listed = [{"id": i, "name": name, "size_in_bytes": len(artifacts[name])} for i, name in enumerate(names)]
            return Answer(body={"total_count": len(names), "artifacts": listed})
        if request.path.endswith("/zip"):
            identity = request.path.split("/")[-2]
            return Answer(302, headers={"Location": f"{double.url}/storage/{identity}"})
        if request.path.startswith("/storage/"):
            return Answer(body=artifacts[names[int(request.path.rsplit("/", 1)[1])]])
        if request.path.endswith("/pulls"):
            mine = {"number": 7, "head": {"sha": SHA, "repo": {"id": 11}}}
            return Answer(body=[mine] if pulls is None else pulls)
        return github()(request)

    with serving(answer) as double:
        followed = {**FOLLOWED["workflow_run"], "conclusion": "success", **run}
        place.on_github("workflow_run", {"workflow_run": followed}, double.url)
        yield double


def posted(double: Double) -> str:
    [one] = [request for request in double.asked if request.method == "POST"]
    assert one.path == "/repos/octo-air/flight-delay/issues/7/comments"
    return str(one.body["body"])


def test_a_fork_s_verdicts_are_posted_on_the_pull_request_github_names(place: Place) -> None:
    with following(place, HONEST) as double:
        result = place.run("--workflow-run", "8000")
        assert result.exit_code == 0, result.output
        body = posted(double)
        assert body.startswith(f"<!-- release-gate:comment v1 model=flight-delay head={SHA} run=8000.3 -->")
        assert "may be merged" in body
        assert "666" not in "".join(request.path for request in double.asked)
        assert len([request for request in double.asked if not request.path.startswith("/storage")]) <= 8
    assert place.outcome == "pass"


def test_the_newest_attempt_of_each_job_counts(place: Place) -> None:
    old = zipped(verdict("schema-check", "fail"), verdict("threshold-comparison"))
    later = {"release-gate-verdicts-judge-all-1": old, "release-gate-verdicts-judge-all-4": old, "logs": b"x"}
    with following(place, {**later, **HONEST}) as double:
        place.run("--workflow-run", "8000")
        assert "may be merged" in posted(double)


def test_the_run_s_own_result_outweighs_its_artifacts(place: Place) -> None:
    with following(place, HONEST, conclusion="failure") as double:
        result = place.run("--workflow-run", "8000")
        assert result.exit_code == 0
        assert "`verdict-run-disagrees`" in posted(double)
        assert "is blocked" in posted(double)


def test_of_two_calls_in_one_run_each_comment_reads_its_own_artifacts(place: Place) -> None:
    from release_gate.commands.gathering import suffix

    old = zipped(verdict("schema-check", "fail"), verdict("threshold-comparison"))
    others = suffix("models/other/release-gate.yml")
    twice = {**HONEST, f"release-gate-verdicts-judge-all-2{others}": old}
    with following(place, twice) as double:
        place.run("--workflow-run", "8000")
        assert "may be merged" in posted(double)


@pytest.mark.parametrize("end", ["failure", "cancelled", "skipped"])
def test_a_job_that_did_not_succeed_outweighs_verdicts_that_pass(place: Place, end: str) -> None:
    place.keep(*all_pass())
    assert place.run("--result", "build=success", "--result", "judge=success").exit_code == 0
    result = place.run("--result", "build=success", "--result", f"judge={end}")
    assert result.exit_code == 4
    assert "verdict-run-disagrees" in result.output
    assert f"the job judge ended with {end}" in result.output


@pytest.mark.parametrize("given", ["judge", "judge=", "other=success", "judge=good"])
def test_a_result_of_another_shape_is_refused(place: Place, given: str) -> None:
    place.keep(*all_pass())
    refusal = place.run("--result", given).exception
    assert isinstance(refusal, BadInput)
    assert "--result" in str(refusal)


HOSTILE: dict[str, tuple[dict[str, bytes], str]] = {
    "forged judge": (
        {**HONEST, "release-gate-verdicts-build-all-1": zipped(*all_pass())},
        "verdict-not-allowed",
    ),
    "no zip": ({**HONEST, "release-gate-verdicts-judge-all-2": b"text"}, "artifact-broken"),
    "zip bomb": ({**HONEST, "release-gate-verdicts-judge-all-2": raw(b"\0" * 100_000_000)}, "artifact-zip-bomb"),
    "100 MB of text": (
        {**HONEST, "release-gate-verdicts-judge-all-2": raw(b"words " * 16_000_000)},
        "artifact-zip-bomb",
    ),
    "out of its folder": (
        {**HONEST, "release-gate-verdicts-judge-all-2": raw(b"{}", "../../x.json")},
        "artifact-path",
    ),
    "broken verdict": ({**HONEST, "release-gate-verdicts-judge-all-2": raw(b"{")}, "verdict-broken"),
    "newer schema": ({**HONEST, "release-gate-verdicts-judge-all-2": raw(b'{"schema": 2}')}, "verdict-newer"),
    "nothing": ({}, "artifact-missing"),
    "other names": ({"release-gate-verdicts-judge-all-2x": JUDGE, "verdicts": BUILD}, "artifact-missing"),
    "only one job": ({"release-gate-verdicts-build-all-1": BUILD}, "verdict-missing"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_artifact_never_gives_a_pass(place: Place, name: str) -> None:
    artifacts, code = HOSTILE[name]
    with following(place, artifacts) as double:
        result = place.run("--workflow-run", "8000")
        assert result.exit_code == 0, result.output
        assert "is blocked" in posted(double)
        assert f"`{code}`" in posted(double)


def test_hostile_text_stays_text_on_its_way_through(place: Place) -> None:
    from tests.report.rendering import assert_ours

    bad = cases.hostile().verdicts
    build = zipped(*(one for one in bad if one.gate in MAY_SPEAK["build"]))
    judged = zipped(*(one for one in bad if one.gate in MAY_SPEAK["judge"]))
    artifacts = {"release-gate-verdicts-build-all-1": build, "release-gate-verdicts-judge-all-1": judged}
    with following(place, artifacts, conclusion="failure") as double:
        result = place.run("--workflow-run", "8000")
        assert_ours(posted(double))
    lines = result.output.splitlines()
    commands = [line for line in lines if line.strip().startswith("::")]
    assert all(line.startswith(("::error title=", "::error file=", "::warning file=")) for line in commands)
    assert not any("##[" in line for line in lines)


@pytest.mark.parametrize(
    ("run", "pulls", "told"),
    [
        ({"event": "push"}, None, "nothing to comment on"),
        ({"conclusion": "action_required"}, None, "nothing to comment on"),
        ({"conclusion": "success"}, [], "[pull-request-unknown]"),
        ({"head_repository": None}, None, "[pull-request-unknown]"),
    ],
)
def test_a_run_without_a_pull_request_to_tell_ends_well(
    place: Place, run: dict[str, object], pulls: list[Any] | None, told: str
) -> None:
    with following(place, HONEST, pulls, **run) as double:
        result = place.run("--workflow-run", "8000")
        assert result.exit_code == 0
        assert told in result.output
        assert not any(request.method == "POST" for request in double.asked)


def test_another_run_than_the_event_s_is_refused(place: Place) -> None:
    with following(place, HONEST) as double:
        assert isinstance(place.run("--workflow-run", "8001").exception, BadInput)
        assert isinstance(place.run("--workflow-run", "8000", GITHUB_TOKEN="").exception, BadInput)
        assert double.asked == []
    assert isinstance(place.run("--workflow-run", "8000", GITHUB_ACTIONS="").exception, BadInput)


def test_a_comment_that_can_not_be_posted_ends_in_the_error_it_is(place: Place) -> None:
    with serving(lambda _: Answer(403, {"message": "no"})) as double:
        place.on_github("workflow_run", FOLLOWED, double.url)
        refused = place.run("--workflow-run", "8000").exception
        assert isinstance(refused, CannotJudge)
        assert "pull-requests: read" in refused.findings[0].remedy
