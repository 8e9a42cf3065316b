"""The name of a repository, by the address of its remote; whether a file is as a commit has it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from release_gate.registry.repository import inspect, is_as_in, named


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://github.com/octo-air/flights", "octo-air/flights"),
        ("https://x:token@ghe.example:8443/octo-air/flights.git/", "octo-air/flights"),
        ("http://127.0.0.1:3000/octo-air/flights.io.git", "octo-air/flights.io"),
        ("git@github.com:octo-air/flights.git", "octo-air/flights"),
        ("github-at-work:octo-air/flights", "octo-air/flights"),
        ("ssh://git@github.com:22/octo-air/flights.git", "octo-air/flights"),
        ("https://gitlab.com/octo-air/models/flights.git", "octo-air/models/flights"),
        ("/srv/git/octo-air/flights.git", None),
        ("../octo-air/flights", None),
        ("file:///srv/octo-air/flights.git", None),
        ("https://github.com/flights", None),
        ("https://github.com/../../etc", None),
        ("https://github.com/octo-air/..", None),
        ("https://github.com/octo-air/a b", None),
        ("", None),
    ],
)
def test_a_name_is_read_from_an_address_on_a_host_and_never_from_a_path(address: str, name: str | None) -> None:
    assert named(address) == name


@pytest.fixture
def committed(tmp_path: Path) -> tuple[Path, str]:
    """A file in a folder of a repository, and the commit that holds it."""
    file = tmp_path / "models" / "card[1].md"
    file.parent.mkdir()
    file.write_text("one\n")
    named_ = ("-c", "user.name=octo", "-c", "user.email=octo@octo-air.example")
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "one")):
        subprocess.run(["git", *named_, *words], cwd=tmp_path, check=True)
    commit = inspect(tmp_path).source.commit
    assert commit is not None
    return file, commit


def test_a_file_is_as_its_commit_has_it_until_its_text_changes(committed: tuple[Path, str]) -> None:
    file, commit = committed
    assert is_as_in(file, commit) is True
    os.utime(file, (1, 1))
    file.chmod(0o755)
    (file.parent / "card1.md").write_text("another file\n")
    assert is_as_in(file, commit) is True
    file.write_text("two\n")
    assert is_as_in(file, commit) is False


def test_a_file_that_the_commit_does_not_hold_is_not_as_in_it(committed: tuple[Path, str]) -> None:
    file, commit = committed
    (file.parent / "other.md").write_text("one\n")
    assert is_as_in(file.parent / "other.md", commit) is False


def test_a_link_is_as_what_it_leads_to(committed: tuple[Path, str]) -> None:
    file, commit = committed
    link = file.parent.parent / "link.md"
    link.symlink_to(file)
    assert is_as_in(link, commit) is True
    file.write_text("two\n")
    assert is_as_in(link, commit) is False


def test_line_ends_that_git_converts_are_no_change(committed: tuple[Path, str]) -> None:
    file, commit = committed
    subprocess.run(["git", "config", "core.autocrlf", "true"], cwd=file.parent, check=True)
    file.write_bytes(b"one\r\n")
    assert is_as_in(file, commit) is True


def test_nothing_is_known_of_a_commit_that_git_does_not_have(committed: tuple[Path, str]) -> None:
    file, commit = committed
    assert is_as_in(file, "0" * 40) is None
    (file.parent.parent / ".git").rename(file.parent.parent / "gone")
    assert is_as_in(file, commit) is None
