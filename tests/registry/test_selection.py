"""Which files are packaged, out of real git repositories."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from release_gate.findings import BadInput
from release_gate.registry.repository import inspect
from release_gate.registry.selection import Selection, select
from tests.registry.making import write

FILES = {
    "app/run.py": "1",
    "app/words ü.txt": "2",
    "tests/test_run.py": "3",
    "data/rows.parquet": "4",
    "data/more/other.csv": "5",
    "data/load.py": "6",
    "lookup.csv": "7",
    "contracts/rows.yml": "version: 1.2.0",
}


def git(root: Path, *words: str) -> str:
    named = ("-c", "user.name=octo", "-c", "user.email=octo@octo-air.example")
    return subprocess.run(["git", *named, *words], cwd=root, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = write(tmp_path / "caller", FILES)
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first")
    return root


def selected(root: Path, globs: list[str] | None = None, always: tuple[str, ...] = ()) -> Selection:
    return select(root, inspect(root), globs=globs, data=["data/rows.parquet"], tests=["tests"], always=always)


def codes(selection: Selection) -> list[str]:
    return [found.code for found in selection.findings]


def test_tracked_files_without_data_and_tests(repository: Path) -> None:
    chosen = selected(repository)
    assert sorted(chosen.files) == ["app/run.py", "app/words ü.txt", "contracts/rows.yml", "data/load.py", "lookup.csv"]
    assert codes(chosen) == ["package-files"]


def test_commit_and_tree_are_those_git_names(repository: Path) -> None:
    source = inspect(repository).source
    assert (source.commit, source.tree) == (
        git(repository, "rev-parse", "HEAD"),
        git(repository, "rev-parse", "HEAD^{tree}"),
    )
    assert not source.dirty


def test_a_folder_of_a_larger_repository_has_its_own_tree(tmp_path: Path) -> None:
    root = write(tmp_path, {"models/a/run.py": "1", "README.md": "2"})
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first")
    (root / "models/a/new.py").write_text("3")
    (root / "models/a/run.py").write_text("4")
    found = inspect(root / "models/a")
    assert found.source.tree == git(root, "rev-parse", "HEAD:models/a")
    assert (found.tracked, found.changed, found.untracked) == (("run.py",), ("run.py",), ("new.py",))


def test_changed_and_untracked_files_are_told(repository: Path) -> None:
    write(repository, {"app/run.py": "changed", "app/new.py": "new"})
    chosen = selected(repository)
    assert codes(chosen) == ["package-files", "tree-dirty", "package-untracked"]
    assert chosen.files["app/run.py"].read_text() == "changed"
    assert "app/new.py" not in chosen.files


def test_globs_choose_instead_and_say_what_no_commit_holds(repository: Path) -> None:
    write(repository, {"app/new.py": "new", ".git/x.py": "no", "app/__pycache__/a.py": "no"})
    chosen = selected(repository, ["app/**/*.py", "tests/*"])
    assert sorted(chosen.files) == ["app/new.py", "app/run.py", "tests/test_run.py"]
    assert codes(chosen) == ["package-files", "tree-dirty"]


def test_a_file_needed_always_is_taken_whatever_the_globs_say(repository: Path) -> None:
    assert "lookup.csv" in selected(repository, ["app/*.py"], always=("lookup.csv", "absent.txt")).files


def test_a_link_to_a_file_inside_is_packaged_as_that_file(repository: Path) -> None:
    (repository / "alias.py").symlink_to("app/run.py")
    git(repository, "add", "-A")
    assert selected(repository).files["alias.py"].read_text() == "1"


@pytest.mark.parametrize(
    ("globs", "prepare", "code"),
    [
        (None, "no git", "package-files-unknown"),
        (["nothing/*"], "", "package-files-none"),
        (["/etc/*"], "", "package-file-outside"),
        (["../*"], "", "package-file-outside"),
        (None, "link out", "package-file-outside"),
        (None, "nothing tracked", "package-files-none"),
    ],
)
def test_what_can_not_be_packaged_is_refused(
    repository: Path, globs: list[str] | None, prepare: str, code: str
) -> None:
    if prepare == "no git":
        (repository / ".git").rename(repository / "not-git")
    if prepare == "link out":
        (repository / "secret").symlink_to("/etc/hostname")
        git(repository, "add", "-A")
    if prepare == "nothing tracked":
        git(repository, "rm", "-rq", "--cached", ".")
    with pytest.raises(BadInput) as refusal:
        selected(repository, globs)
    assert [found.code for found in refusal.value.findings] == [code]


def test_without_git_globs_still_choose(tmp_path: Path) -> None:
    root = write(tmp_path, FILES)
    chosen = selected(root, ["app/*.py"])
    assert (sorted(chosen.files), codes(chosen)) == (["app/run.py"], ["package-files", "tree-dirty"])
