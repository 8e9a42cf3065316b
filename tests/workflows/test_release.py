"""release.yml and rollback.yml: what runs when, what is handed over, and what can never look released."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.workflows.expressions import asks_for_status, evaluate
from tests.workflows.permissions import read
from tests.workflows.places import PROJECT

BEGIN = "$/.github/actions/begin"
CONCLUDE = PROJECT / ".github/actions/conclude/conclude.py"
VERSIONS = json.dumps([{"model": "flight-delay", "version": f"sha256:{'1' * 64}"}])


def workflow(name: str) -> dict[str, Any]:
    found = read((PROJECT / ".github/workflows" / f"{name}.yml").read_text())
    return {"on" if key is True else key: part for key, part in found.items()}  # YAML reads `on` as true


RELEASE, ROLLBACK, PIPELINE = workflow("release")["jobs"], workflow("rollback")["jobs"], workflow("pipeline")["jobs"]


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("conclude", CONCLUDE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def steps_using(job: Mapping[str, Any], uses: str) -> list[dict[str, Any]]:
    return [step for step in job["steps"] if step.get("uses", "").startswith(uses)]


@dataclass(frozen=True)
class Run:
    """A run of release.yml: how jobs would end if they ran, and what they would hand on."""

    ends: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    event: str = "push"
    ref: str = "refs/heads/main"
    cancelled_during: str = ""


FRESH = {
    "known": {"known": "false", "versions": "[]"},
    "gate": {"outcome": "pass"},
    "publish": {"versions": VERSIONS},
}
KNOWN = {"known": {"known": "true", "versions": VERSIONS}}


def needed(job: Mapping[str, Any]) -> list[str]:
    return [job["needs"]] if isinstance(job.get("needs"), str) else list(job.get("needs", []))


def walked(run: Run, jobs: Mapping[str, Any] = RELEASE) -> tuple[dict[str, str], str]:
    """How every job ends, in their order, and what `released` concludes."""
    needs: dict[str, dict[str, Any]] = {}
    cancelled = False
    github = {
        "event_name": run.event,
        "ref": run.ref,
        "event": {"repository": {"default_branch": "main"}},
    }
    for name, job in jobs.items():
        above = needed(job)
        reached = set(above)
        while more := {one for known in reached for one in needed(jobs[known])} - reached:
            reached |= more
        succeeded = not cancelled and all(needs[one]["result"] == "success" for one in reached)
        functions = {"always": _given(True), "cancelled": _given(cancelled), "success": _given(succeeded)}
        condition = str(job.get("if", "success()"))
        context = {"github": github, "inputs": {}, "needs": {one: needs[one] for one in above}}
        holds = bool(evaluate(condition, context, functions)) and (asks_for_status(condition) or succeeded)
        result = run.ends.get(name, "success") if holds else "cancelled" if cancelled else "skipped"
        if holds and "strategy" in job:
            matrix = evaluate(job["strategy"]["matrix"]["include"], context, functions)
            assert matrix, f"{name} runs for nothing"
        if name == run.cancelled_during:
            result, cancelled = "cancelled", True
        needs[name] = {"result": result, "outputs": run.outputs.get(name, {}) if result == "success" else {}}
    ends = {name: one["result"] for name, one in needs.items()}
    (step,) = jobs["released"]["steps"]
    given = {key: _filled(value, {"needs": needs}) for key, value in step["with"].items()}
    conclude = load()
    end, _ = conclude.conclude(
        conclude.results(given["results"]), given["known"], given["outcome"], conclude.versions(given["versions"])
    )
    return ends, end


def _given(value: bool) -> Callable[[], bool]:
    return lambda: value


def _filled(text: str, context: Mapping[str, Any]) -> str:
    return re.sub(r"\$\{\{.*?\}\}", lambda found: str(evaluate(found[0], context, {})), text)


def test_a_merge_is_judged_published_deployed_and_nothing_is_taken_back() -> None:
    ends, end = walked(Run(outputs=FRESH))
    assert end == "deployed"
    assert [name for name, one in ends.items() if one == "success"] == [
        "known",
        "gate",
        "publish",
        "deploy",
        "released",
    ]
    assert ends["recover"] == "skipped"


def test_what_is_registered_already_goes_straight_to_its_rollout() -> None:
    ends, end = walked(Run(outputs=KNOWN))
    assert end == "deployed"
    assert [name for name, one in ends.items() if one == "success"] == ["known", "deploy", "released"]


@pytest.mark.parametrize(
    "outputs", [{**FRESH, "publish": {"versions": "[]"}}, {"known": {"known": "true", "versions": "[]"}}]
)
def test_without_a_rollout_it_is_registered_and_said_not_to_be_deployed(outputs: dict[str, dict[str, str]]) -> None:
    ends, end = walked(Run(outputs=outputs))
    assert (end, ends["deploy"], ends["recover"]) == ("registered", "skipped", "skipped")


@pytest.mark.parametrize(
    ("ends", "outputs"),
    [
        ({"known": "failure"}, FRESH),
        ({"gate": "failure"}, FRESH),
        ({}, {**FRESH, "gate": {"outcome": "inconclusive"}}),
        ({}, {**FRESH, "gate": {}}),
        ({"publish": "failure"}, FRESH),
        ({}, {**FRESH, "publish": {}}),
    ],
)
def test_what_is_not_judged_good_and_registered_is_never_deployed_nor_looks_released(
    ends: dict[str, str], outputs: dict[str, dict[str, str]]
) -> None:
    found, end = walked(Run(ends, outputs))
    assert (found["deploy"], end) == ("skipped", "failed")


@pytest.mark.parametrize("outputs", [FRESH, KNOWN])
@pytest.mark.parametrize("end", ["failure", "cancelled"])
def test_a_rollout_that_does_not_end_well_is_followed_by_recovery(outputs: dict[str, dict[str, str]], end: str) -> None:
    ends, concluded = walked(Run({"deploy": end}, outputs))
    assert (ends["recover"], concluded) == ("success", "failed")


@pytest.mark.parametrize("outputs", [FRESH, KNOWN])
def test_a_run_that_is_cancelled_while_it_deploys_is_recovered_too(outputs: dict[str, dict[str, str]]) -> None:
    ends, concluded = walked(Run({}, outputs, cancelled_during="deploy"))
    assert (ends["recover"], ends["released"], concluded) == ("success", "success", "failed")


@pytest.mark.parametrize("job", ["known", "gate", "publish"])
def test_a_run_that_is_cancelled_before_it_deploys_has_nothing_to_recover(job: str) -> None:
    ends, concluded = walked(Run({}, FRESH, cancelled_during=job))
    assert concluded == "failed"
    assert ends["deploy"] == "cancelled"
    assert ends["recover"] in ("skipped", "cancelled")


@pytest.mark.parametrize(
    ("event", "ref"),
    [
        ("push", "refs/heads/feature"),
        ("push", "refs/tags/main"),
        ("pull_request", "refs/pull/7/merge"),
        ("pull_request_target", "refs/heads/main"),
        ("workflow_run", "refs/heads/main"),
        ("schedule", "refs/heads/main"),
    ],
)
def test_only_a_push_to_the_branch_or_a_persons_run_of_it_is_released(event: str, ref: str) -> None:
    ends, concluded = walked(Run({}, FRESH, event=event, ref=ref))
    assert concluded == "failed"
    assert {name for name, end in ends.items() if end == "success"} == {"released"}
    assert walked(Run({}, FRESH, event="workflow_dispatch"))[1] == "deployed"


def test_the_last_job_waits_for_every_other_and_always_runs() -> None:
    assert RELEASE["released"]["if"] == "always()"
    assert set(RELEASE["released"]["needs"]) == set(RELEASE) - {"released"}
    results = RELEASE["released"]["steps"][0]["with"]["results"].splitlines()
    assert results == [f"{name}=${{{{ needs.{name}.result }}}}" for name in load().JOBS]


def test_what_is_published_are_the_bytes_that_were_judged_handed_on_by_id() -> None:
    outputs = workflow("gate")["on"]["workflow_call"]["outputs"]
    assert {name: one["value"] for name, one in outputs.items() if name != "outcome"} == {
        "candidate": "${{ jobs.build.outputs.candidate }}",
        "build-verdicts": "${{ jobs.build.outputs.verdicts }}",
        "judge-verdicts": "${{ jobs.judge.outputs.verdicts }}",
    }
    downloads = steps_using(RELEASE["publish"], "actions/download-artifact@")
    given = [step["with"]["artifact-ids"] for step in downloads]
    assert given == [
        f"${{{{ needs.gate.outputs.{name} }}}}" for name in ("candidate", "build-verdicts", "judge-verdicts")
    ]
    for step in downloads:
        assert step["if"] == step["with"]["artifact-ids"].replace(" }}", " != '' }}")  # no id would mean every artifact
        assert set(step["with"]) == {"artifact-ids", "path"}
    (publish,) = steps_using(RELEASE["publish"], "$/actions/publish-artifact")
    source = [line.partition("=")[::2] for line in publish["with"]["from"].splitlines()]
    folders = [step["with"]["path"] for step in downloads[1:]]
    assert source == list(zip(("build", "judge"), folders, strict=True))


def test_publishing_begins_clean_and_believes_a_build_of_its_package_only() -> None:
    steps = RELEASE["publish"]["steps"]
    uses = [step["uses"].partition("@")[0] for step in steps]
    assert uses[:4] == ["actions/checkout", BEGIN, "actions/download-artifact", BEGIN]
    assert "clear" not in steps[1]["with"]
    assert steps[3]["with"]["clear"] == "all-but-builds"


def test_no_job_that_may_write_runs_code_that_was_merged_but_by_commands_that_scrub_it() -> None:
    """`publish` runs Docker actions of ours and the caller's login; deploy and recover run the packages' servers."""
    for name in ("known", "publish", "released"):
        for step in RELEASE[name]["steps"]:
            uses = step["uses"]
            assert "run" not in step
            if uses.startswith("$/actions/"):
                assert "using: docker" in (PROJECT / uses.removeprefix("$/") / "action.yml").read_text()
            else:
                assert uses.startswith(("actions/", "$/.github/actions/", "./.github/actions/release-gate-setup"))
    assert RELEASE["known"]["permissions"] == {"contents": "read", "id-token": "write"}


@pytest.mark.parametrize("job", ["publish", "deploy"])
def test_what_asks_for_ancestry_has_every_commit(job: str) -> None:
    (checkout,) = steps_using(RELEASE[job], "actions/checkout@")
    assert checkout["with"]["fetch-depth"] == 0
    assert checkout["with"]["filter"] == "blob:none"


def test_releases_of_one_model_queue_and_none_is_ended_by_another() -> None:
    """The whole release does: who is judged while another rolls out is judged against yesterday's production."""
    for group, model in (
        (workflow("release")["concurrency"], "inputs.model"),
        (RELEASE["deploy"]["concurrency"], "matrix.model"),
    ):
        assert group["cancel-in-progress"] is False
        parts = re.findall(r"\$\{\{ ([\w.-]+) \}\}", group["group"])
        assert parts == ["inputs.working-directory", "inputs.config", model]  # and nothing of commit or run
    assert RELEASE["deploy"]["strategy"]["fail-fast"] is RELEASE["recover"]["strategy"]["fail-fast"] is False


def test_the_owner_approves_by_the_environment_and_the_deployment_is_ours() -> None:
    assert RELEASE["deploy"]["environment"] == {"name": "${{ inputs.environment }}", "deployment": False}
    assert workflow("release")["on"]["workflow_call"]["inputs"]["environment"]["default"] != ""  # empty is undocumented


@pytest.mark.parametrize("job", [RELEASE["recover"], ROLLBACK["rollback"]], ids=["recover", "rollback"])
def test_taking_back_waits_for_no_reviewer_and_no_other_run(job: dict[str, Any]) -> None:
    assert "environment" not in job
    assert "concurrency" not in job
    logins = steps_using(job, "./.github/actions/release-gate-setup")
    assert [step["continue-on-error"] for step in logins] == [True]
    assert not steps_using(job, "$/actions/setup")  # only our own command: the caller's environment may be broken


@pytest.mark.parametrize("job", [RELEASE["recover"], ROLLBACK["rollback"]], ids=["recover", "rollback"])
def test_what_may_fail_before_traffic_goes_back_may_not_hang_either(job: dict[str, Any]) -> None:
    before = [*steps_using(job, "actions/checkout@"), *steps_using(job, "./.github/actions/release-gate-setup")]
    assert len(before) == 2
    assert all(step["continue-on-error"] is True for step in before)
    assert sum(step["timeout-minutes"] for step in before) <= job["timeout-minutes"] / 4


SECRET = "release-gate-env"


def test_the_servers_secrets_reach_only_the_steps_that_deploy_and_take_back() -> None:
    given = []
    for name in ("gate", "comment", "release", "pipeline", "rollback"):
        for key, job in workflow(name)["jobs"].items():
            assert "secrets." not in json.dumps(job.get("env", {}))
            for step in job.get("steps", []):
                if "secrets." in json.dumps(step):
                    assert step["env"] == {"RELEASE_GATE_ENV": f"${{{{ secrets.{SECRET} }}}}"}
                    assert "secrets." not in json.dumps({**step, "env": {}})
                    given.append((name, key, step["uses"]))
    assert given == [
        ("release", "deploy", "$/actions/deploy"),
        ("release", "recover", "$/actions/deploy"),
        ("rollback", "rollback", "$/actions/rollback"),
    ]


def test_a_secret_is_handed_on_by_name_and_to_no_gate() -> None:
    handed = {
        (name, key): job["secrets"]
        for name in ("gate", "comment", "release", "pipeline", "rollback")
        for key, job in workflow(name)["jobs"].items()
        if "secrets" in job
    }
    assert handed == {("pipeline", "release"): {SECRET: f"${{{{ secrets.{SECRET} }}}}"}}
    for name in ("release", "pipeline", "rollback"):
        assert set(workflow(name)["on"]["workflow_call"]["secrets"]) == {SECRET}
        assert workflow(name)["on"]["workflow_call"]["secrets"][SECRET]["required"] is False
    assert "secrets" not in workflow("gate")["on"]["workflow_call"]


def test_recovery_reaches_the_same_target_for_this_runs_versions_only() -> None:
    deploy, recover = RELEASE["deploy"], RELEASE["recover"]
    assert deploy["runs-on"] == recover["runs-on"]
    assert deploy["strategy"] == recover["strategy"]
    (step,) = steps_using(recover, "$/actions/deploy")
    assert step["with"]["abort"] is True
    for name in ("config", "model", "version"):
        assert step["with"][name] == steps_using(deploy, "$/actions/deploy")[0]["with"][name]


def test_a_rollback_shares_no_group_with_anything() -> None:
    group = workflow("rollback")["concurrency"]["group"]
    assert "${{ github.run_id }}" in group
    others = [RELEASE["deploy"]["concurrency"]["group"]]
    others += [workflow(name)["concurrency"]["group"] for name in ("gate", "release", "pipeline", "comment")]
    assert all(not one.startswith("release-gate rollback") for one in others)


def test_a_rollback_goes_on_without_its_checkout_and_always_leaves_a_summary() -> None:
    checkout, *_, last = ROLLBACK["rollback"]["steps"]
    assert checkout["continue-on-error"] is True
    assert checkout["with"]["ref"] == "${{ github.event.repository.default_branch }}"
    assert last["if"].startswith("${{ always() &&")
    assert "GITHUB_STEP_SUMMARY" in last["run"]
    (step,) = steps_using(ROLLBACK["rollback"], "$/actions/rollback")
    assert (step["with"]["to"], step["with"]["because"]) == ("${{ inputs.version }}", "${{ inputs.because }}")


def test_a_strangers_words_reach_no_name_no_group_and_no_shell_of_a_rollback() -> None:
    text = (PROJECT / ".github/workflows/rollback.yml").read_text()
    for name in ("version", "because"):
        places = [line.strip() for line in text.splitlines() if f"inputs.{name} " in line or f"inputs.{name}}}" in line]
        assert len(places) == 1, places
        assert re.match(r"(to|because): ", places[0])


def test_the_pipeline_hands_every_input_on_and_calls_one_of_the_two_on_every_event() -> None:
    inputs = set(workflow("pipeline")["on"]["workflow_call"]["inputs"])
    for name in ("gate", "release"):
        taken = set(workflow(name)["on"]["workflow_call"]["inputs"])
        assert taken <= inputs
        assert PIPELINE[name]["with"] == {one: f"${{{{ inputs.{one} }}}}" for one in PIPELINE[name]["with"]}
        assert set(PIPELINE[name]["with"]) == taken
    assert inputs == set(workflow("release")["on"]["workflow_call"]["inputs"])
    for event in ("push", "pull_request", "merge_group", "workflow_dispatch", "pull_request_target"):
        called = [name for name, job in PIPELINE.items() if evaluate(job["if"], {"github": {"event_name": event}}, {})]
        assert called == ["gate" if event in ("pull_request", "merge_group") else "release"]


def test_inputs_of_the_same_name_mean_the_same_in_every_workflow() -> None:
    for name in ("release", "rollback", "pipeline", "comment"):
        for key, one in workflow(name)["on"]["workflow_call"]["inputs"].items():
            for other in ("gate", "release"):
                same = workflow(other)["on"]["workflow_call"]["inputs"].get(key)
                assert same is None or (same["type"], same["default"]) == (one["type"], one["default"]), (name, key)


def conclude(tmp_path: Path, **inputs: str) -> tuple[int, str, str]:
    output, summary = tmp_path / "output", tmp_path / "summary"
    given = {f"INPUT_{name.upper()}": value for name, value in inputs.items()}
    done = subprocess.run(
        [sys.executable, "-I", CONCLUDE],
        env={"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary), **given},
        capture_output=True,
        check=False,
    )
    return done.returncode, output.read_text(), summary.read_text()


def test_the_conclusion_is_told_in_exit_code_output_and_summary(tmp_path: Path) -> None:
    results = "known=success\ngate=success\npublish=success\ndeploy=failure\nrecover=success\n"
    code, output, summary = conclude(tmp_path, results=results, known="false", outcome="pass", versions=VERSIONS)
    assert (code, output) == (1, "outcome=failed\n")
    assert "what was under way was taken back" in summary
    assert "| deploy | failure |" in summary
    assert "sha256:111111111111`" in summary


def test_a_release_ends_with_zero(tmp_path: Path) -> None:
    results = "known=success\ngate=skipped\npublish=skipped\ndeploy=success\nrecover=skipped\n"
    assert conclude(tmp_path, results=results, known="true", versions=VERSIONS)[:2] == (0, "outcome=deployed\n")


@pytest.mark.parametrize("versions", ["", "{}x", "[1]", '[{"model": "m"}]', "null"])
def test_what_is_missing_or_no_list_of_versions_is_never_a_release(tmp_path: Path, versions: str) -> None:
    results = "known=success\ngate=skipped\npublish=skipped\ndeploy=success\n"
    assert conclude(tmp_path, results=results, known="true", versions=versions)[:2] == (1, "outcome=failed\n")


def test_nothing_at_all_is_never_a_release(tmp_path: Path) -> None:
    assert conclude(tmp_path)[0] == 1
