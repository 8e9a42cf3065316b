"""Functions in coverage's report: as it says by itself, and counted from the lines of older versions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from release_gate.caller.function_coverage import functions_of

SOURCE = '''def outer(x):
    """Words."""
    def inner(y):
        return y
    return inner

class A:
    def method(self):
        if self:
            return 1
        return 2
'''
LINES: dict[str, Any] = {"executed_lines": [1, 3, 5, 7, 8, 9, 10], "missing_lines": [4, 11]}


def named(found: tuple[Any, ...]) -> list[tuple[str, float, int, int | None]]:
    return [(one.name, round(one.percent), one.statements, one.line) for one in found]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "f.py"
    file.write_text(SOURCE)
    return file


def test_an_older_report_is_counted_by_the_lines_of_each_function(path: Path) -> None:
    assert named(functions_of(LINES, path)) == [("outer", 100, 2, 1), ("outer.inner", 0, 1, 3), ("A.method", 67, 3, 8)]


def test_coverages_own_report_is_taken_in_the_order_of_the_file(path: Path) -> None:
    def one(percent: float, statements: int) -> dict[str, Any]:
        return {"summary": {"percent_covered": percent, "num_statements": statements}}

    reported = {"A.method": one(75, 3), "outer": one(100, 2), "outer.inner": one(0, 1), "": one(100, 4)}
    found = functions_of({**LINES, "functions": reported}, path)
    assert named(found) == [("outer", 100, 2, 1), ("outer.inner", 0, 1, 3), ("A.method", 75, 3, 8)]


def test_a_file_for_a_newer_python_has_names_without_lines(path: Path) -> None:
    path.write_text("def f(:\n")
    assert functions_of(LINES, path) == ()
    reported = {"f": {"summary": {"percent_covered": 0, "num_statements": 1}}}
    assert named(functions_of({**LINES, "functions": reported}, path)) == [("f", 0, 1, None)]
