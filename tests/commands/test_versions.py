"""Versions unpacked beside their target: reused as they are, fetched again where a byte differs, never led astray."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from release_gate.caller.interpreters import uv
from release_gate.commands.versions import folder_of, one_of, unpacked
from release_gate.findings import BadInput, CannotJudge
from release_gate.registry.packages import Sealed, open_package
from tests.tiny.calling import context
from tests.tiny.project import Project

A, B, C = f"sha256:{'a' * 64}", f"sha256:{'ab' * 32}", f"sha256:{'c' * 64}"


class Registry:
    """Where a version is fetched from, and how often it was."""

    def __init__(self, project: Project) -> None:
        self.sealed = open_package(project.build / "package")
        self.asked = 0
        self.reachable = True

    def fetch(self) -> Sealed:
        self.asked += 1
        if not self.reachable:
            raise CannotJudge.because("registry-unreachable", "the bucket does not answer")
        return self.sealed


@pytest.fixture
def registry(built: Project) -> Registry:
    return Registry(built)


def ready(built: Project, registry: Registry, state: Path) -> Path:
    digest = registry.sealed.package.digest
    package, staged = unpacked(context(built), state, digest, registry.fetch)
    assert package == registry.sealed.package
    assert (staged.model / "model.txt").read_text() == "0.25"
    assert staged.code.parent == folder_of(state, digest)
    return staged.code.parent


def test_it_is_fetched_once_and_then_used_without_the_registry(
    built: Project, registry: Registry, tmp_path: Path
) -> None:
    ready(built, registry, tmp_path)
    registry.reachable = False
    ready(built, registry, tmp_path)
    assert registry.asked == 1


def test_where_it_was_never_fetched_an_unreachable_registry_is_said(
    built: Project, registry: Registry, tmp_path: Path
) -> None:
    registry.reachable = False
    with pytest.raises(CannotJudge, match="the bucket does not answer"):
        ready(built, registry, tmp_path)
    assert not folder_of(tmp_path, registry.sealed.package.digest).exists()


@pytest.mark.parametrize("how", ["model altered", "code altered", "file gone", "package altered", "package gone"])
def test_whatever_differs_from_what_was_sealed_is_fetched_again(
    built: Project, registry: Registry, tmp_path: Path, how: str
) -> None:
    folder = ready(built, registry, tmp_path)
    if how == "model altered":
        (folder / "model" / "model.txt").write_text("0.99")
    elif how == "code altered":
        (folder / "code" / "tiny_model" / "serve.py").write_text("raise SystemExit\n")
    elif how == "file gone":
        (folder / "code" / "tiny_model" / "serve.py").unlink()
    elif how == "package altered":
        (folder / "package.json").write_text("{}")
    else:
        (folder / "package.json").unlink()
    ready(built, registry, tmp_path)
    assert registry.asked == 2
    assert "ThreadingHTTPServer" in (folder / "code" / "tiny_model" / "serve.py").read_text()


def another_python() -> str:
    """A Python of this machine that is not the one we run on."""
    ours = f"{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"
    listed = [uv(), "python", "list", "--only-installed", "--output-format", "json", "--offline"]
    found = json.loads(subprocess.run(listed, capture_output=True, check=True).stdout)
    fits = [one for one in found if one["implementation"] == "cpython" and one["version_parts"]["major"] == 3]
    others = [one["path"] for one in fits if one["version_parts"]["minor"] >= 11 and one["version"] != ours]
    if not others:
        pytest.skip("this machine has one Python only")
    return str(others[0])


def started(built: Project, registry: Registry, state: Path, asked: str) -> tuple[Path, set[str]]:
    """The Python that a version is started with, and the environments there are by then."""
    digest = registry.sealed.package.digest
    _, staged = unpacked(context(built, UV_PYTHON=asked), state, digest, registry.fetch)
    made = {one.name for one in (built.cache / "environments").iterdir() if one.is_dir()}
    return staged.environment.python.resolve(), made


def test_it_is_started_again_in_the_environment_it_had_though_nobody_asks_for_that_python(
    built: Project, registry: Registry, tmp_path: Path
) -> None:
    built = Project(built.root, tmp_path / "cache")
    asked = another_python()
    before = started(built, registry, tmp_path / "state", asked)
    assert before[0] == Path(asked).resolve()
    assert started(built, registry, tmp_path / "state", "") == before
    ours = started(built, registry, tmp_path / "state", sys.executable)
    assert ours[0] == Path(sys.executable).resolve(), "who asks is heard"
    assert started(built, registry, tmp_path / "state", "") == ours, "the last that served"


@pytest.mark.parametrize("noted", ["/gone/bin/python3", "3.12", "\0", ""])
def test_where_the_python_it_had_is_gone_another_is_found(
    built: Project, registry: Registry, tmp_path: Path, noted: str
) -> None:
    folder = ready(built, registry, tmp_path)
    note = folder / "python.txt"
    first = note.read_text()
    note.write_text(noted)
    assert ready(built, registry, tmp_path) == folder
    assert note.read_text() == first


def test_a_version_under_anothers_name_is_not_taken_for_it(built: Project, registry: Registry, tmp_path: Path) -> None:
    folder = ready(built, registry, tmp_path)
    other = f"sha256:{'f' * 64}"
    folder.rename(folder_of(tmp_path, other))
    registry.reachable = False
    with pytest.raises(CannotJudge):
        unpacked(context(built), tmp_path, other, registry.fetch)


@pytest.mark.parametrize("whole_folder", [False, True])
def test_a_link_that_leads_out_is_refused_by_name_even_to_the_same_bytes(
    built: Project, registry: Registry, tmp_path: Path, *, whole_folder: bool
) -> None:
    folder = ready(built, registry, tmp_path / "state")
    inside = folder / "model" if whole_folder else folder / "model" / "model.txt"
    outside = tmp_path / "outside"
    inside.rename(outside)
    inside.symlink_to(outside)
    with pytest.raises(BadInput) as refused:
        ready(built, registry, tmp_path / "state")
    [found] = refused.value.findings
    assert (found.code, found.where.file) == ("package-corrupt", "model/model.txt")
    assert "leads out of the package" in found.message


@pytest.mark.parametrize("name", [A, A[7:12], f"sha256:{'a' * 6}"])
def test_a_version_is_found_by_its_digest_or_the_beginning(name: str) -> None:
    assert one_of([A, B, C], name) == A


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("dddd", "no registered version is called 'dddd'"),
        ("ccc", "'ccc' is too short to name a version: give at least 4 characters"),
        ("a", "'a' is too short"),
        ("", "'' is too short"),
        ("previous", "no registered version is called 'previous'"),
    ],
)
def test_a_name_that_names_none_is_refused(name: str, says: str) -> None:
    with pytest.raises(BadInput, match="version") as refused:
        one_of([A, B, C], name)
    assert says in refused.value.findings[0].message


def test_a_name_of_several_is_refused() -> None:
    with pytest.raises(BadInput) as refused:
        one_of([f"{A[:-1]}0", A], A[7:20])
    assert (
        "2 registered versions begin with 'aaaaaaaaaaaaa': give more of the digest" in refused.value.findings[0].message
    )
