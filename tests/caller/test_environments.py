"""Environments made by the real uv; the package index is asked for one small package."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from release_gate.caller import environments
from release_gate.caller.environments import (
    STAMP,
    Environment,
    cache_folder,
    development_environment,
    environment_for,
    find_lock,
    given_environment,
)
from release_gate.caller.interpreters import interpreter, uv
from release_gate.caller.processes import Processes
from release_gate.findings import BadInput, CannotJudge

PROJECT = """[project]
name = "tiny"
version = "1"
requires-python = ">=3.11"
dependencies = ["idna==3.10"]
[project.optional-dependencies]
test = ["iniconfig==2.1.0"]
gpu = ["six==1.17.0"]
[dependency-groups]
dev = ["pluggy==1.6.0"]
[tool.uv]
package = false
"""


@pytest.fixture(scope="session")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a uv.lock."""
    folder = tmp_path_factory.mktemp("locked")
    (folder / "pyproject.toml").write_text(PROJECT)
    done = subprocess.run([uv(), "lock", "--quiet"], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no package index in reach: {done.stderr[-300:]}")
    return folder


@pytest.fixture
def project(locked: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    for name in ("pyproject.toml", "uv.lock"):
        (folder / name).write_bytes((locked / name).read_bytes())
    return folder


def importable(environment: Environment, runner: Processes, folder: Path) -> set[str]:
    names = ("idna", "iniconfig", "six", "pluggy", "pandas", "here", "below")
    probe = f"import importlib.util as f\nfor n in {names}: print(n, f.find_spec(n) is not None)"
    done = runner.run(["python", "-c", probe], cwd=folder, environment=environment.variables, limit=60)
    assert done.ok, done.tail
    return {line.split()[0] for line in done.tail.splitlines() if line.endswith("True")}


def test_a_package_gets_what_it_needs_to_run_and_its_own_folder(
    project: Path, runner: Processes, tmp_path: Path
) -> None:
    (project / "here.py").touch()
    (project / "src").mkdir()
    (project / "src" / "below.py").touch()
    made = environment_for(project, find_lock(project), runner, cache=tmp_path / "cache")
    assert importable(made, runner, tmp_path) == {"idna", "here", "below"}
    assert made.lock_digest == find_lock(project).digest
    assert not (project / ".venv").exists()


def test_a_second_package_of_the_same_lock_takes_the_environment_from_cache(
    project: Path, locked: Path, runner: Processes, tmp_path: Path
) -> None:
    first = environment_for(project, find_lock(project), runner, cache=tmp_path / "cache")
    stamped = (first.bin.parent / STAMP).stat().st_mtime_ns
    second = environment_for(locked, find_lock(locked), runner, cache=tmp_path / "cache")
    assert second.python == first.python
    assert second.variables["PYTHONPATH"] != first.variables["PYTHONPATH"]
    assert (second.bin.parent / STAMP).stat().st_mtime_ns == stamped


def test_two_builders_at_once_make_one_whole_environment(project: Path, tmp_path: Path) -> None:
    asked: list[tuple[str, ...]] = []

    class Recorded(Processes):
        def run(self, command, **options):  # type: ignore[no-untyped-def]
            asked.append(tuple(command))
            return super().run(command, **options)

    runner = Recorded(dict(os.environ))
    lock = find_lock(project)
    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(lambda _: environment_for(project, lock, runner, cache=tmp_path / "cache"), range(2)))
    assert made[0] == made[1]
    assert importable(made[0], runner, tmp_path) >= {"idna"}
    assert len([words for words in asked if "sync" in words]) == 1


def test_a_builder_that_was_killed_leaves_nothing_that_counts(project: Path, runner: Processes, tmp_path: Path) -> None:
    made = environment_for(project, find_lock(project), runner, cache=tmp_path / "cache")
    (made.bin.parent / STAMP).unlink()
    for module in made.bin.parent.glob("lib/*/site-packages/idna"):
        module.rename(module.with_name("half"))
    again = environment_for(project, find_lock(project), runner, cache=tmp_path / "cache")
    assert importable(again, runner, tmp_path) >= {"idna"}


def test_an_environment_that_fails_leaves_no_half(project: Path, runner: Processes, tmp_path: Path) -> None:
    (project / "uv.lock").write_text("version = 1\nnonsense")
    with pytest.raises(CannotJudge) as refused:
        environment_for(project, find_lock(project), runner, cache=tmp_path / "cache")
    assert [found.code for found in refused.value.findings] == ["environment-failed"]
    assert "uv.lock" in refused.value.findings[0].message
    assert [entry.suffix for entry in (tmp_path / "cache" / "environments").iterdir()] == [".lock"]


def test_no_network_is_said_with_the_last_lines(project: Path, tmp_path: Path) -> None:
    closed = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9", "UV_HTTP_RETRIES": "0"}
    runner = Processes({**os.environ, **closed, "UV_CACHE_DIR": str(tmp_path / "uv")})
    with pytest.raises(CannotJudge) as refused:
        environment_for(project, find_lock(project), runner, cache=tmp_path / "cache")
    (found,) = refused.value.findings
    assert found.code == "environment-failed"
    assert "Last lines" in found.message
    assert "network" in found.remedy


def test_a_builder_that_never_ends_is_waited_for_no_longer_than_the_limit(
    project: Path, runner: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environments, "_locked", lambda _: False)
    with pytest.raises(CannotJudge, match="another process"):
        environment_for(project, find_lock(project), runner, cache=tmp_path / "cache", limit=0.2)


def test_the_development_environment_has_tests_tools_and_is_made_again_when_stale(
    project: Path, runner: Processes
) -> None:
    made = development_environment(project, find_lock(project), runner)
    assert made.python.is_relative_to(project / ".release-gate" / "environment")
    assert importable(made, runner, project) == {"idna", "iniconfig", "pluggy"}
    before = (made.bin.parent / STAMP).stat().st_mtime_ns
    development_environment(project, find_lock(project), runner)
    assert (made.bin.parent / STAMP).stat().st_mtime_ns == before
    with (project / "pyproject.toml").open("a") as file:
        file.write("# changed\n")
    time.sleep(0.01)
    development_environment(project, find_lock(project), runner)
    assert (made.bin.parent / STAMP).stat().st_mtime_ns != before


def test_requirements_are_installed_with_those_of_development(locked: Path, runner: Processes, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("idna==3.10\n")
    (tmp_path / "requirements-dev.txt").write_text("iniconfig==2.1.0\n")
    package = environment_for(tmp_path, find_lock(tmp_path), runner, cache=tmp_path / "cache")
    assert importable(package, runner, tmp_path) == {"idna"}
    development = development_environment(tmp_path, find_lock(tmp_path), runner)
    assert importable(development, runner, tmp_path) == {"idna", "iniconfig"}


def test_a_list_that_lacks_a_requirement_of_its_own_is_refused(locked: Path, runner: Processes, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("jinja2==3.1.6\n")
    with pytest.raises(CannotJudge) as refused:
        environment_for(tmp_path, find_lock(tmp_path), runner, cache=tmp_path / "cache")
    assert refused.value.findings[0].code == "environment-failed"
    assert "markupsafe" in refused.value.findings[0].message


def test_a_pylock_is_installed(locked: Path, runner: Processes, tmp_path: Path) -> None:
    export = [uv(), "export", "--quiet", "--no-dev", "--format", "pylock.toml", "-o", str(tmp_path / "pylock.toml")]
    subprocess.run(export, cwd=locked, check=True, capture_output=True)
    made = environment_for(tmp_path, find_lock(tmp_path), runner, cache=tmp_path / "cache")
    assert importable(made, runner, tmp_path) == {"idna"}


def test_ours_is_taken_where_it_fits(runner: Processes, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nrequires-python = ">=3.8"\n')
    for _ in range(2):
        found = interpreter(tmp_path, runner)
        assert found.path.resolve() == Path(sys.executable).resolve()
        assert found.version.startswith(f"cpython {sys.version_info.major} {sys.version_info.minor}")
        (tmp_path / "pyproject.toml").unlink(missing_ok=True)


@pytest.mark.parametrize("file", [".python-version", "pyproject.toml"])
def test_a_python_that_is_not_here_is_not_fetched_but_said(runner: Processes, tmp_path: Path, file: str) -> None:
    text = "# ours\n3.99\n" if file == ".python-version" else '[project]\nrequires-python = ">=3.99"\n'
    (tmp_path / file).write_text(text)
    with pytest.raises(CannotJudge) as refused:
        interpreter(tmp_path, runner)
    (found,) = refused.value.findings
    assert found.code == "environment-failed"
    assert "3.99" in found.message


def test_a_python_asked_for_outweighs_what_a_working_tree_says(project: Path, runner: Processes) -> None:
    (project / ".python-version").write_text("3.99\n")
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert interpreter(project, runner, here).path.resolve() == Path(sys.executable).resolve()
    made = development_environment(project, find_lock(project), runner, version=here)
    assert importable(made, runner, project) >= {"idna"}
    with pytest.raises(CannotJudge, match=r"3\.98"):
        development_environment(project, find_lock(project), runner, version="3.98")


def test_a_package_keeps_its_own_python_and_takes_the_one_asked_for_where_it_names_none(
    project: Path, runner: Processes, tmp_path: Path
) -> None:
    with pytest.raises(CannotJudge, match=r"3\.98"):
        environment_for(project, find_lock(project), runner, cache=tmp_path / "cache", version="3.98")
    (project / ".python-version").write_text(f"{sys.version_info.major}.{sys.version_info.minor}\n")
    assert environment_for(project, find_lock(project), runner, cache=tmp_path / "cache", version="3.98").lock_digest


def test_a_python_that_does_not_run_is_said(runner: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\nexit 7\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path))
    with pytest.raises(CannotJudge, match="environment-failed"):
        interpreter(tmp_path, runner)


def test_a_broken_pyproject_is_said(runner: Processes, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project\n")
    with pytest.raises(BadInput) as refused:
        interpreter(tmp_path, runner)
    assert refused.value.findings[0].code == "file-unreadable"


def test_an_interpreter_can_be_given(runner: Processes, tmp_path: Path) -> None:
    given = given_environment(Path(sys.executable), tmp_path)
    assert "pandas" in importable(given, runner, tmp_path)
    with pytest.raises(BadInput) as refused:
        given_environment(tmp_path / "python", tmp_path)
    assert refused.value.findings[0].code == "command-missing"


def test_the_cache_is_where_it_is_told_or_below_home(tmp_path: Path) -> None:
    assert cache_folder({"RELEASE_GATE_CACHE": str(tmp_path)}) == tmp_path
    assert cache_folder({"HOME": "/h"}) == Path("/h/.cache/release-gate")
    assert cache_folder({}).parts[-2:] == (".cache", "release-gate")
