"""The runner's files."""

from __future__ import annotations

from pathlib import Path

import pytest

from release_gate.findings import CannotJudge
from release_gate.github.files import OUTPUT, SUMMARY, append


def test_text_is_added_to_what_is_there(tmp_path: Path) -> None:
    file = tmp_path / "summary"
    file.write_text("first\n")
    assert append({SUMMARY: str(file)}, SUMMARY, "é\n")
    assert file.read_bytes() == "first\né\n".encode()


def test_without_a_runner_nothing_is_written() -> None:
    assert not append({}, OUTPUT, "x")
    assert not append({OUTPUT: ""}, OUTPUT, "x")


def test_a_file_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotJudge, match="GITHUB_OUTPUT can't be written"):
        append({OUTPUT: str(tmp_path)}, OUTPUT, "x")
