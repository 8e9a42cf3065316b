import re
from pathlib import Path

import pytest

from release_gate.caller_workflows import CALLERS as TEMPLATES
from tests.workflows.permissions import (
    RESTRICTED,
    Excess,
    UnreadablePermissionsError,
    Workflow,
    excesses,
    read,
    triggers,
)
from tests.workflows.places import CALLERS, PROJECT, WORKFLOWS, called, shown

LEAF = """
on: workflow_call
permissions: {}
jobs:
  look: {runs-on: x, permissions: {contents: read}, steps: []}
  write: {if: false, runs-on: x, permissions: {contents: read, pull-requests: write}, steps: []}
"""
MIDDLE = """
on: workflow_call
jobs:
  down: {uses: $/.github/workflows/leaf.yml, permissions: {contents: read, pull-requests: write}}
"""
TOP = """
on: pull_request
jobs:
  gate:
    uses: octo-air/release-gate/.github/workflows/middle.yml@v1
    permissions: {contents: read, pull-requests: write}
"""


def found(caller: str, middle: str = MIDDLE, leaf: str = LEAF) -> list[Excess]:
    files = {"middle.yml": read(middle), "leaf.yml": read(leaf)}

    def find(_: str, uses: str) -> tuple[str, Workflow] | None:
        name = uses.split("@", maxsplit=1)[0].rsplit("/", 1)[-1]
        return (name, files[name]) if name in files else None

    return list(excesses("caller.yml", read(caller), find))


def test_grants_that_reach_every_nested_job_are_right() -> None:
    assert found(TOP) == []


def test_a_caller_that_grants_too_little_is_found_with_the_way_there_even_where_the_job_never_runs() -> None:
    (excess,) = found(
        TOP.replace(", pull-requests: write", ""),
        MIDDLE.replace(", permissions: {contents: read, pull-requests: write}", ""),
    )
    assert str(excess) == (
        "caller.yml:gate -> middle.yml:down -> leaf.yml:write: asks pull-requests: write, its caller grants none"
    )


def test_a_workflow_in_the_middle_cannot_give_back_what_its_caller_withheld() -> None:
    excess = found(TOP.replace("pull-requests: write", "pull-requests: read"))
    assert [(one.path[-1], one.scope, one.asked, one.granted) for one in excess] == [
        ("middle.yml:down", "pull-requests", "write", "read")
    ]


def test_a_caller_without_permissions_gets_what_new_repositories_give() -> None:
    bare = "on: push\njobs: {gate: {uses: ./.github/workflows/leaf.yml}}"
    assert "pull-requests" not in RESTRICTED
    assert [one.scope for one in found(bare)] == ["pull-requests"]


def test_permissions_of_the_whole_workflow_count_for_jobs_that_state_none() -> None:
    leaf = "on: workflow_call\npermissions: {packages: write}\njobs: {push: {runs-on: x, steps: []}}"
    assert [(one.path[-1], one.scope) for one in found(TOP, leaf=leaf)] == [("leaf.yml:push", "packages")]


@pytest.mark.parametrize(("granted", "count"), [("write-all", 0), ("read-all", 1), ("{}", 2)])
def test_the_short_forms_mean_every_scope(granted: str, count: int) -> None:
    caller = TOP.replace("{contents: read, pull-requests: write}", granted)
    assert len(found(caller)) == count


def test_empty_permissions_grant_nothing_even_to_read() -> None:
    caller = "on: push\npermissions: {}\njobs: {gate: {uses: ./.github/workflows/leaf.yml}}"
    assert {one.scope for one in found(caller)} == {"contents", "pull-requests"}


def test_a_misspelt_scope_is_an_error_not_a_grant() -> None:
    with pytest.raises(UnreadablePermissionsError, match="pull-request: 'write' is no permission"):
        found(TOP.replace("pull-requests", "pull-request"))


def test_workflows_that_call_each_other_in_a_circle_end() -> None:
    with pytest.raises(RecursionError, match="in a circle"):
        found(TOP, middle=MIDDLE.replace("leaf.yml", "middle.yml"))


def test_a_strangers_workflow_is_not_followed() -> None:
    assert found("on: push\njobs: {x: {uses: someone/else/.github/workflows/other.yml@v1}}") == []


# A workflow that is only called is walked from its callers, below.
STARTED_BY_EVENTS = [file for file in [*WORKFLOWS, *CALLERS] if triggers(read(file.read_text())) != {"workflow_call"}]


@pytest.mark.parametrize("file", STARTED_BY_EVENTS, ids=shown)
def test_every_job_of_ours_and_of_the_examples_gets_what_it_asks_for(file: Path) -> None:
    assert [str(one) for one in excesses(shown(file), read(file.read_text()), called)] == []


DRAFTED = {
    name: one.text.format(repository="octo-air/release-gate", ref="v1", branch="main")
    for name, one in TEMPLATES.items()
}
SHOWN = [
    text
    for text in re.findall(r"^```yaml\n(.*?)^```$", (PROJECT / "docs/github.md").read_text(), re.DOTALL | re.MULTILINE)
    if "jobs:" in text
]
"""Callers that docs/github.md shows."""


@pytest.mark.parametrize("text", DRAFTED.values(), ids=DRAFTED.keys())
def test_the_callers_that_init_drafts_grant_what_every_nested_job_asks_for(text: str) -> None:
    assert [str(one) for one in excesses("drafted.yml", read(text), called)] == []


@pytest.mark.parametrize("text", SHOWN, ids=[str(at) for at in range(len(SHOWN))])
def test_the_callers_that_the_docs_show_grant_what_every_nested_job_asks_for(text: str) -> None:
    assert [str(one) for one in excesses("shown.yml", read(text), called)] == []


def test_drafted_callers_grant_nothing_that_no_job_takes_but_what_is_reserved() -> None:
    reserved = {"attestations", "packages"}
    for name, text in DRAFTED.items():
        for key, job in read(text)["jobs"].items():
            _, workflow = called("drafted.yml", job["uses"])  # type: ignore[misc]
            asked = {
                (scope, level)
                for one in workflow["jobs"].values()
                for scope, level in (one["permissions"] or {}).items()
            }
            spare = {scope for scope, level in job["permissions"].items() if (scope, level) not in asked}
            assert spare == (reserved if key == "release" else set()), (name, key)


def test_what_is_reserved_is_said_to_be_so_and_not_to_be_in_use() -> None:
    for scope in ("attestations", "packages"):
        line = next(line for line in DRAFTED["gate"].splitlines() if line.strip().startswith(f"{scope}:"))
        assert "no job takes it yet" in line


def test_the_secret_that_a_drafted_caller_offers_is_one_that_its_workflow_takes() -> None:
    for name, key in (("gate", "release"), ("rollback", "rollback")):
        text, count = re.subn(r"^    # (secrets: )", r"    \1", DRAFTED[name], flags=re.MULTILINE)
        assert count == 1, name
        job = read(text)["jobs"][key]
        _, workflow = called("drafted.yml", job["uses"])  # type: ignore[misc]
        assert job["secrets"] == {"release-gate-env": "${{ secrets.RELEASE_GATE_ENV }}"}
        assert set(job["secrets"]) <= set(workflow[True]["workflow_call"]["secrets"])


def test_drafted_callers_say_which_runners_the_target_needs_and_what_both_must_name_alike() -> None:
    assert "two\n      # runner processes" in DRAFTED["gate"]
    comment = DRAFTED["rollback"].partition("      # As deploy-runs-on")[2].partition("\n")[0]
    for word in ("second runner", "`python-version`"):
        assert word in comment
    assert "python-version" in called("x", "$/.github/workflows/rollback.yml")[1][True]["workflow_call"]["inputs"]  # type: ignore[index]


def test_every_reusable_workflow_of_ours_is_reached_from_a_callers_file() -> None:
    reached: set[str] = set()

    def noting(name: str, uses: str) -> tuple[str, Workflow] | None:
        target = called(name, uses)
        if target:
            reached.add(target[0])
        return target

    for text in [*DRAFTED.values(), *SHOWN, *(file.read_text() for file in CALLERS)]:
        list(excesses("caller.yml", read(text), noting))
    reusable = {shown(file) for file in WORKFLOWS if "workflow_call" in triggers(read(file.read_text()))}
    assert reusable <= reached
