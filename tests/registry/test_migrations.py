"""Which files are new since a commit, out of real git repositories; what is read of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from release_gate.findings import BadInput
from release_gate.registry import migrations
from release_gate.registry.migrations import MOST_BYTES, sighted
from tests.registry.making import write
from tests.registry.test_selection import git

OLD = {
    "app/migrations/0001_first.py": "1",
    "app/migrations/__init__.py": "",
    "db/1_first.up.sql": "CREATE TABLE a (b int);",
    "db/1_first.down.sql": "DROP TABLE a;",
    "app/models.py": "2",
}
NEW = {
    "app/migrations/0002_ü.py": "3",
    "db/2_second.up.sql": "CREATE TABLE c (d int);",
    "app/views.py": "4",
}


def new(root: Path, since: str | None, globs: tuple[str, ...] = ()) -> tuple[str, ...]:
    found = sighted(root, since, globs)
    assert found is not None
    return found.new


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = write(tmp_path / "caller", OLD)
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first")
    git(root, "tag", "production")
    write(root, NEW)
    git(root, "add", "-A")
    git(root, "commit", "-qm", "second")
    return root


def test_new_are_those_the_commit_does_not_hold_also_when_no_commit_holds_them_yet(repository: Path) -> None:
    production = git(repository, "rev-parse", "production")
    assert new(repository, production) == ("app/migrations/0002_ü.py", "db/2_second.up.sql")
    write(repository, {"fresh/versions/a.py": "5", "app/migrations/0003.py": "6", ".venv/migrations/b.py": "7"})
    found = new(repository, production)
    assert {"fresh/versions/a.py", "app/migrations/0003.py"} <= set(found)
    assert ".venv/migrations/b.py" not in found
    (repository / "app/migrations/0002_ü.py").unlink()
    assert "app/migrations/0002_ü.py" not in new(repository, production)


def test_a_migration_that_is_only_edited_is_not_new(repository: Path) -> None:
    write(repository, {"app/migrations/0001_first.py": "1 # in other words"})
    assert new(repository, git(repository, "rev-parse", "HEAD")) == ()


def test_paths_count_from_the_folder_of_the_configuration(repository: Path) -> None:
    assert new(repository / "app", git(repository, "rev-parse", "production")) == ("migrations/0002_ü.py",)


def test_a_commit_that_is_not_here_is_said_to_be_so(repository: Path) -> None:
    assert sighted(repository, "0" * 40) is None


def test_without_a_commit_or_without_git_all_are_new(repository: Path, tmp_path: Path) -> None:
    every = ("app/migrations/0001_first.py", "app/migrations/0002_ü.py", "db/1_first.down.sql", "db/1_first.up.sql",
             "db/2_second.up.sql")  # fmt: skip
    assert new(repository, None) == every
    assert new(write(tmp_path / "plain", {**OLD, **NEW}), None) == every


def test_the_way_back_is_read_with_what_it_takes_back(repository: Path) -> None:
    write(repository, {"db/2_second.down.sql": "DROP TABLE c;"})
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "third")
    (repository / "db/2_second.up.sql").rename(repository / "db/3_second.up.sql")
    write(repository, {"db/3_second.down.sql": "DROP TABLE c;"})
    found = sighted(repository, git(repository, "rev-parse", "HEAD"))
    assert found is not None
    assert found.texts["db/3_second.down.sql"] == "DROP TABLE c;"


def test_globs_add_and_never_take_away(repository: Path) -> None:
    production = git(repository, "rev-parse", "production")
    found = sighted(repository, production, ("app/*.py", "nowhere/*.sql"))
    assert found is not None
    assert found.new == ("app/migrations/0002_ü.py", "app/views.py", "db/2_second.up.sql")
    assert found.named == {"app/views.py"}
    every = sighted(repository, None, ("app/**/*.py",))
    assert every is not None
    assert every.named == {
        "app/migrations/0001_first.py",
        "app/migrations/0002_ü.py",
        "app/models.py",
        "app/views.py",
    }


def test_only_plain_text_inside_the_repository_is_read(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.sql").write_text("DROP TABLE x;")
    write(repository, {"db/3.up.sql": "x" * (MOST_BYTES + 1)})
    (repository / "db/4.up.sql").write_bytes(b"\xff\xfe")
    (repository / "db/5.up.sql").symlink_to(tmp_path / "secret.sql")
    (repository / "db/6.up.sql").symlink_to(tmp_path / "nowhere.sql")
    found = sighted(repository, git(repository, "rev-parse", "HEAD"))
    assert found is not None
    assert found.texts == {f"db/{number}.up.sql": None for number in (3, 4, 5, 6)}


def test_more_than_can_be_read_is_refused(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "MOST_FILES", 3)
    with pytest.raises(BadInput, match="5 new files"):
        sighted(repository, None)
