"""What a job of gate.yml does first: nothing that a commit or an artifact brought is found as a verdict."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from release_gate.commands import gathering
from tests.workflows.places import PROJECT

SCRIPT = PROJECT / ".github/actions/begin/begin.py"


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("begin", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def begin(folder: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    output = folder.parent / "output"
    given = {f"INPUT_{name.upper()}": value for name, value in inputs.items()}
    return subprocess.run(
        [sys.executable, "-I", SCRIPT],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "GITHUB_OUTPUT": str(output), **given},
        capture_output=True,
        text=True,
        check=False,
    )


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_symlink() or path.is_file()}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A commit that brings verdicts, each in another way."""
    folder = tmp_path / "checkout"
    for path in (
        ".release-gate/from/judge/m/verdicts/schema-check.json",
        ".release-gate/from/build/m/verdicts/build-candidate.json",
        ".release-gate/run/m/verdicts/schema-check.json",
        ".release-gate/registry/ledger/m/00000001.json",
        "elsewhere/m/verdicts/schema-check.json",
    ):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("{}")
    (folder / ".release-gate/run/m2").mkdir()
    (folder / ".release-gate/run/m2/verdicts").symlink_to("/nonexistent/x")
    (folder / ".release-gate/from/other").symlink_to("../../elsewhere")
    return folder


KEPT = {".release-gate/registry/ledger/m/00000001.json", "elsewhere/m/verdicts/schema-check.json"}


def test_after_a_checkout_only_a_committed_registry_stays(checkout: Path) -> None:
    done = begin(checkout, config="./release-gate.yml")
    assert done.returncode == 0, done.stderr
    assert files(checkout) == KEPT
    assert sorted(path.name for path in (checkout / ".release-gate").iterdir()) == ["registry"]


@pytest.mark.parametrize("name", ["run", "from"])
def test_a_link_in_the_place_of_a_folder_goes_and_what_it_leads_to_stays(checkout: Path, name: str) -> None:
    subprocess.run(["rm", "-rf", checkout / ".release-gate" / name], check=True)
    (checkout / ".release-gate" / name).symlink_to("../elsewhere")
    assert begin(checkout).returncode == 0
    assert files(checkout) == KEPT


def test_our_whole_folder_may_be_a_link_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "c/elsewhere/run/m/verdicts").mkdir(parents=True)
    (tmp_path / "c/elsewhere/run/m/verdicts/x.json").touch()
    (tmp_path / "c/.release-gate").symlink_to("elsewhere")
    assert begin(tmp_path / "c").returncode == 0
    assert files(tmp_path / "c") == {"elsewhere/run/m/verdicts/x.json"}
    (tmp_path / "c/.release-gate").touch()
    assert begin(tmp_path / "c").returncode == 0
    assert files(tmp_path / "c") == {"elsewhere/run/m/verdicts/x.json"}


def test_the_working_directory_is_the_one_of_the_configuration(checkout: Path) -> None:
    (checkout / "models").mkdir()
    (checkout / ".release-gate").rename(checkout / "models/.release-gate")
    assert begin(checkout, config="models/release-gate.yml").returncode == 0
    assert files(checkout) == {f"models/{sorted(KEPT)[0]}", sorted(KEPT)[1]}


def test_of_a_candidates_artifact_only_the_builds_stay(tmp_path: Path) -> None:
    run = tmp_path / "c/.release-gate/run"
    for path in (
        "m/build/build.json",
        "m/build/package/index.json",
        "m/verdicts/schema-check.json",
        "m/comment.md",
        "x",
    ):
        (run / path).parent.mkdir(parents=True, exist_ok=True)
        (run / path).touch()
    (run / "m/build/package/link").symlink_to("/etc/passwd")
    (run / "linked").symlink_to("m")
    (run / "m3").mkdir()
    (run / "m3/build").symlink_to("../m/build")
    done = begin(tmp_path / "c", clear="all-but-builds")
    assert done.returncode == 0, done.stderr
    assert files(run) == {"m/build/build.json", "m/build/package/index.json"}


@pytest.mark.parametrize("run", ["", "results"])
def test_one_job_for_all_gates_begins_without_verdicts_and_keeps_the_rest(tmp_path: Path, run: str) -> None:
    folder = tmp_path / "c" / (run or ".release-gate/run")
    for path in ("m/build/build.json", "m/verdicts/schema-check.json"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()
    (folder / "m2").mkdir()
    (folder / "m2/verdicts").symlink_to("/nonexistent/x")
    assert begin(tmp_path / "c", clear="verdicts", run=run).returncode == 0
    assert files(folder) == {"m/build/build.json"}


def test_nothing_there_is_nothing_wrong_and_an_unknown_word_is(tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    for word in ("everything", "all-but-builds", "verdicts", ""):
        assert begin(tmp_path / "c", clear=word).returncode == 0
    assert begin(tmp_path / "c", clear="all").returncode != 0


@pytest.mark.parametrize(
    "config", ["release-gate.yml", "./release-gate.yml", "", "models/a/release-gate.yml", "./other.yml", "x/../b.yml"]
)
def test_names_of_artifacts_end_as_comment_yml_looks_for_them(checkout: Path, config: str) -> None:
    assert begin(checkout, config=config).returncode == 0
    told = (checkout.parent / "output").read_text()
    assert told == f"suffix={gathering.suffix(config)}\n"
    assert gathering.ARTIFACT.fullmatch(f"release-gate-verdicts-build-all-1{gathering.suffix(config)}")


def test_two_configurations_never_share_a_name_and_two_spellings_of_one_do() -> None:
    suffix = load().suffix
    assert suffix("./models/a/release-gate.yml") == suffix("models/a//release-gate.yml") != ""
    assert len({suffix(f"{name}/release-gate.yml") for name in ".ab"} | {suffix("a.yml"), suffix("b.yml")}) == 5
