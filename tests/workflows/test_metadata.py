"""Workflows and actions agree with each other, with the command line, and with the house's rules."""

import re
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from release_gate.cli import cli
from release_gate.commands import TABLE
from tests.workflows.permissions import read
from tests.workflows.places import ACTIONS, INNER, PROJECT, WORKFLOWS, shown

# Options that are no inputs: a runner reads a job's log, not JSON on standard output.
TERMINAL_ONLY = {"format", "help"}
# Inputs that are no options of the command: the root action reports as well, with a token; python-version is for uv,
# before our own command line exists.
NO_OPTION = {"token", "python-version"}

BEGIN = "$/.github/actions/begin"
PINNED = re.compile(r"^\s*(?:- )?uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)*$")


def action(file: Path) -> dict[str, Any]:
    found = yaml.safe_load(file.read_text())
    assert isinstance(found, dict)
    return found


def command_of(file: Path) -> str:
    return "check" if file.parent == PROJECT else file.parent.name


def options(command: str) -> set[str]:
    found = cli.get_command(click.Context(cli), command)
    assert found is not None
    longest = {
        max(parameter.opts, key=len).lstrip("-") for parameter in found.params if isinstance(parameter, click.Option)
    }
    return longest - TERMINAL_ONLY


def all_steps(file: Path) -> list[dict[str, Any]]:
    found = yaml.safe_load(file.read_text())
    jobs = [found["runs"]] if "runs" in found else found["jobs"].values()
    return [step for job in jobs for step in job.get("steps", [])]


@pytest.mark.parametrize("file", ACTIONS, ids=shown)
def test_an_actions_inputs_are_its_commands_options_and_the_other_way_round(file: Path) -> None:
    inputs, known = set(action(file).get("inputs", {})), options(command_of(file))
    assert known <= inputs
    assert inputs - known <= NO_OPTION


@pytest.mark.parametrize("file", [*ACTIONS, *INNER], ids=shown)
def test_every_input_and_output_of_an_action_is_described(file: Path) -> None:
    found = action(file)
    for key in ("inputs", "outputs"):
        for name, one in found.get(key, {}).items():
            assert len(one.get("description", "")) > 20, f"{key}.{name}"
    assert all(one["required"] is False and "default" in one for one in found.get("inputs", {}).values())


COMPOSITE = [file for file in [*ACTIONS, *INNER] if action(file)["runs"]["using"] == "composite"]


@pytest.mark.parametrize("file", COMPOSITE, ids=shown)
def test_a_composite_action_hands_every_input_on_by_name_since_its_steps_get_none(file: Path) -> None:
    found = action(file)
    handed: set[str] = set()
    for step in found["runs"]["steps"]:
        for name, value in {**step.get("env", {}), **step.get("with", {})}.items():
            source = re.fullmatch(r"\$\{\{ inputs\.([\w-]+) \}\}", str(value))
            if source:
                expected = {f"INPUT_{source[1].upper().replace('-', '_')}", source[1]}
                assert name in expected or (name, source[1]) == ("GITHUB_TOKEN", "token")
                handed.add(source[1])
        assert "run" not in step or step["shell"] == "bash"
    assert handed == set(found["inputs"])


@pytest.mark.parametrize("file", [file for file in ACTIONS if action(file)["runs"]["using"] == "docker"], ids=shown)
def test_a_docker_action_builds_the_one_image_and_names_its_command(file: Path) -> None:
    runs = action(file)["runs"]
    assert (file.parent / runs["image"]).resolve() == PROJECT / "Dockerfile"
    assert runs["args"] == [file.parent.name]


def test_every_action_is_a_command_and_every_gate_an_action() -> None:
    actions = {file.parent.name for file in ACTIONS if file.parent != PROJECT}
    gates = {name for name, entry in TABLE.items() if entry.group == "pull request"} - {"check"}
    assert gates <= actions <= set(TABLE)


@pytest.mark.parametrize("file", WORKFLOWS, ids=shown)
def test_a_workflow_begins_without_permissions_and_says_why_it_grants_each(file: Path) -> None:
    found = read(file.read_text())
    assert found["permissions"] == {}
    for name, job in found["jobs"].items():
        assert isinstance(job["permissions"], dict), name
        inner = [step.get("uses", "").startswith("$/.github/actions/") for step in job.get("steps", [{}])]
        assert job["permissions"] or all(inner), name  # nothing is fetched and nobody is asked
    granted = re.findall(r"^ {6}([a-z-]+: (?:read|write)\b.*)$", file.read_text(), re.MULTILINE)
    assert len(granted) == sum(len(job["permissions"]) for job in found["jobs"].values())
    assert all(re.search(r" # \w+", line) for line in granted), granted


@pytest.mark.parametrize("file", WORKFLOWS, ids=shown)
def test_a_workflow_sets_time_limits_and_a_concurrency_group_its_caller_does_not_share(file: Path) -> None:
    found = read(file.read_text())
    assert "group" in found["concurrency"]
    assert "github.workflow" not in found["concurrency"]["group"].replace("workflow_run", "")
    assert all("timeout-minutes" in job for job in found["jobs"].values() if "uses" not in job)


@pytest.mark.parametrize("file", WORKFLOWS, ids=shown)
def test_every_input_and_output_of_a_workflow_is_described(file: Path) -> None:
    on = read(file.read_text()).get(True)
    call = (on or {}).get("workflow_call") or {}
    for key in ("inputs", "outputs"):
        for name, one in call.get(key, {}).items():
            assert len(one.get("description", "")) > 20, f"{key}.{name}"
    assert all("default" in one and "type" in one for one in call.get("inputs", {}).values())


@pytest.mark.parametrize("file", [*WORKFLOWS, *ACTIONS, *INNER], ids=shown)
def test_actions_of_others_are_pinned_by_commit_with_the_version_beside(file: Path) -> None:
    for line in file.read_text().splitlines():
        if re.match(r"^\s*(- )?uses: ", line) and not re.search(r"uses: (\$/|\./)", line):
            assert PINNED.match(line), line


def test_one_action_is_pinned_at_one_commit_everywhere() -> None:
    found: dict[str, set[str]] = {}
    for file in [*WORKFLOWS, *ACTIONS, *INNER]:
        for name, pin in re.findall(r"uses: ([\w-]+/[\w./-]+)@(\S+ # \S+)", file.read_text()):
            found.setdefault(name, set()).add(pin)
    assert all(len(pins) == 1 for pins in found.values()), found


@pytest.mark.parametrize("file", [*WORKFLOWS, *ACTIONS, *INNER], ids=shown)
def test_nothing_a_stranger_can_write_is_pasted_into_a_shell(file: Path) -> None:
    for step in all_steps(file):
        assert "${{" not in step.get("run", ""), step


@pytest.mark.parametrize("file", [*WORKFLOWS, *ACTIONS, *INNER], ids=shown)
def test_a_step_gives_an_action_of_ours_only_inputs_it_has(file: Path) -> None:
    for step in all_steps(file):
        uses = step.get("uses", "")
        if uses.startswith("$/"):
            target = PROJECT / uses.removeprefix("$/") / "action.yml"
            assert set(step.get("with", {})) <= set(action(target).get("inputs", {})), step


def test_checkouts_keep_no_token_where_a_strangers_code_or_files_lie() -> None:
    for file in WORKFLOWS:
        for step in all_steps(file):
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False, shown(file)


def test_the_required_check_always_runs_and_waits_for_every_other_job() -> None:
    jobs = read((PROJECT / ".github/workflows/gate.yml").read_text())["jobs"]
    assert jobs["verdict"]["name"] == "verdict"  # callers require `<their job> / verdict`
    assert jobs["verdict"]["if"] == "always()"
    assert set(jobs["verdict"]["needs"]) == set(jobs) - {"verdict"}


def test_only_the_verdict_job_may_write_and_no_job_that_may_write_runs_the_callers_code() -> None:
    jobs = read((PROJECT / ".github/workflows/gate.yml").read_text())["jobs"]
    writing = {name for name, job in jobs.items() if "write" in job["permissions"].values()}
    assert writing == {"verdict"}
    for name in ("judge", "verdict"):
        for step in jobs[name]["steps"]:
            uses = step.get("uses", "")
            assert "run" not in step
            if uses == BEGIN:
                continue  # reads names of files only; its script is ours, run by the runner's Python
            if uses.startswith("$/"):
                assert action(PROJECT / uses.removeprefix("$/") / "action.yml")["runs"]["using"] == "docker"
            else:
                assert uses.startswith("actions/")


def test_uv_is_installed_at_the_locked_version_by_one_expression_everywhere() -> None:
    expression = """sed -n '/^name = "uv"$/{n;s/^version = "\\(.*\\)"$/\\1/p;}'"""
    for path in ("actions/setup/install", "scripts/image/prepare", ".github/workflows/ci.yml"):
        text = (PROJECT / path).read_text()
        assert expression in text, path


def test_every_job_clears_what_a_commit_brought_before_it_does_anything_else() -> None:
    jobs = read((PROJECT / ".github/workflows/gate.yml").read_text())["jobs"]
    for name, job in jobs.items():
        checkout, begin = job["steps"][:2]
        assert checkout["uses"].startswith("actions/checkout@"), name
        assert (begin["id"], begin["uses"]) == ("begin", BEGIN), name
        assert "clear" not in begin["with"], name  # everything
        for step in job["steps"]:
            if "cancelled()" in step.get("if", ""):  # else it would run, and upload, where clearing failed
                assert re.search(r"steps\.(begin|cleared|setup)\.outcome == 'success'", step["if"]), step
    downloaded = [step.get("uses", "").partition("@")[0] for step in jobs["judge"]["steps"]].index(
        "actions/download-artifact"
    )
    cleared = jobs["judge"]["steps"][downloaded + 1]
    assert (cleared["uses"], cleared["with"]["clear"]) == (BEGIN, "all-but-builds")
    assert action(PROJECT / "action.yml")["runs"]["steps"][0]["uses"] == BEGIN


def test_jobs_hand_artifacts_on_by_id_since_whoever_uploads_first_owns_a_name() -> None:
    jobs = read((PROJECT / ".github/workflows/gate.yml").read_text())["jobs"]
    uploads = {
        (name, step["id"])
        for name, job in jobs.items()
        for step in job["steps"]
        if step.get("uses", "").startswith("actions/upload-artifact@")
    }
    handed = set()
    for name, job in jobs.items():
        for output in job.get("outputs", {}).values():
            if found := re.fullmatch(r"\$\{\{ steps\.(\w+)\.outputs\.artifact-id \}\}", output):
                handed.add((name, found[1]))
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/download-artifact@"):
                given = step["with"]["artifact-ids"]
                assert re.fullmatch(r"\$\{\{ needs\.(build|judge)\.outputs\.\w+ \}\}", given), step
                assert step["if"] == given.replace(" }}", " != '' }}")  # no id would mean every artifact
                assert set(step["with"]) == {"artifact-ids", "path"}
    assert handed == uploads
    assert len(uploads) == 3


def test_two_calls_in_one_run_share_no_concurrency_group_and_no_name_of_an_artifact() -> None:
    for file in ("gate.yml", "comment.yml", "release.yml", "pipeline.yml", "rollback.yml"):
        group = read((PROJECT / ".github/workflows" / file).read_text())["concurrency"]["group"]
        for part in ("working-directory", "config", "model"):
            assert f"${{{{ inputs.{part} }}}}" in group, file
    for step in all_steps(PROJECT / ".github/workflows/gate.yml"):
        if step.get("uses", "").startswith("actions/upload-artifact@"):
            assert "${{ inputs.model || 'all' }}" in step["with"]["name"]
            assert step["with"]["name"].endswith("-${{ github.run_attempt }}${{ steps.begin.outputs.suffix }}")


@pytest.mark.parametrize("file", COMPOSITE, ids=shown)
def test_a_composite_action_finds_our_command_where_setup_put_it_not_by_a_path_the_caller_writes(file: Path) -> None:
    for step in action(file)["runs"]["steps"]:
        run = step.get("run", "")
        assert not re.match(r"release-gate\b", run), run
        if "release-gate" in run:
            assert run.startswith('"$RUNNER_TEMP/release-gate/bin/release-gate" '), run


def test_docs_tell_every_input_of_every_workflow_with_its_default_and_meaning() -> None:
    page = (PROJECT / "docs/github.md").read_text()
    told = {
        (name, workflow, default.strip("`"), meaning)
        for name, of, default, meaning in re.findall(
            r"^\| `([\w-]+)` \| ([\w, ]+) \| ?(\S*) \| (.+) \|$", page, re.MULTILINE
        )
        for workflow in of.split(", ")
    }
    known = {
        (name, file.stem, str(one["default"]), one["description"])
        for file in WORKFLOWS
        for name, one in ((read(file.read_text())[True].get("workflow_call") or {}).get("inputs") or {}).items()
    }
    assert told == known


def test_docs_tell_every_secret_of_every_workflow_with_its_meaning() -> None:
    table = (PROJECT / "docs/github.md").read_text().partition("\n## Secrets\n")[2]
    told = set(re.findall(r"^\| `([\w-]+)` \| (\w+) \| (.+) \|$", table, re.MULTILINE))
    known = {
        (name, file.stem, one["description"])
        for file in WORKFLOWS
        for name, one in ((read(file.read_text())[True].get("workflow_call") or {}).get("secrets") or {}).items()
    }
    assert told == known


def test_docs_tell_every_permission_that_a_job_takes() -> None:
    table = (PROJECT / "docs/github.md").read_text().partition("## Permissions")[2].partition("## Inputs")[0]
    told: dict[str, set[str]] = {}
    names = ""
    for first, grants in re.findall(r"^\| ?([\w., ]*?) ?\| (`.*?) \|", table, re.MULTILINE):
        names = first or names
        for name in names.split(", "):
            told.setdefault(name, set()).update(re.findall(r"`([\w-]+: \w+)`", grants))
    for file in WORKFLOWS:
        found = read(file.read_text())
        if "workflow_call" in found[True]:
            taken: dict[str, str] = {}
            for job in found["jobs"].values():
                for scope, level in job["permissions"].items():
                    taken[scope] = "write" if "write" in (level, taken.get(scope)) else "read"
            assert {f"{scope}: {level}" for scope, level in taken.items()} <= told[file.name], file.name
