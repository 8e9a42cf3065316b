"""Functions in coverage's report: as it says by itself, and counted from the lines of older versions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from release_gate.caller.function_coverage import functions_of, join
from release_gate.gates.transform_functions import Reached

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


NAMES = """import functools
from elsewhere import imported

def made(factor):
    def inner(x):
        return x * factor
    return inner

class A:
    def __init__(self):
        self.x = 1

    def __call__(self, x):
        return x

    def method(self, x):
        return x

def _serve(x, factor):
    return x

if made:
    partial = functools.partial(_serve, factor=made(2))
plain: object = _serve
again = plain
closure = made(3)
one = A()
bound = A().method
later = one.method
short = lambda x: (
    x
)
unknown = imported
looped = looped_too = looped
itself = itself(1)
_serve = functools.cache(_serve)

def built():
    return functools.partial(_serve, factor=3)

def endless():
    return endless()

ready = built()
never = endless()
"""
ENTRIES: dict[str, Any] = {"executed_lines": [], "missing_lines": list(range(1, 50))}


def run_in_tests(path: Path, *lines: int) -> set[str]:
    """The names that were reached where tests ran those lines."""
    tested = {"executed_lines": [*lines], "missing_lines": [line for line in range(1, 50) if line not in lines]}
    whole = {"executed_lines": list(range(1, 50)), "missing_lines": []}
    return {one.name for one in functions_of({**whole, "in_tests": tested}, path) if one.percent > 0}


def test_what_ran_outside_of_tests_is_not_reached_but_loaded(path: Path) -> None:
    tested = {"executed_lines": [10], "missing_lines": [1, 3, 4, 5, 7, 8, 9, 11]}
    found = functions_of({**LINES, "in_tests": tested}, path)
    assert named(found) == [("outer", 0, 2, 1), ("outer.inner", 0, 1, 3), ("A.method", 33, 3, 8)]
    assert [one.loaded for one in found if isinstance(one, Reached)] == [True, False, False]


def test_a_name_that_is_assigned_stands_for_what_it_calls(tmp_path: Path) -> None:
    path = tmp_path / "f.py"
    path.write_text(NAMES)
    assert run_in_tests(path) == set()
    assert run_in_tests(path, 20) == {"_serve", "partial", "plain", "again", "ready"}
    assert run_in_tests(path, 6) == {"made.inner", "closure"}
    assert run_in_tests(path, 5, 7) == {"made"}
    assert run_in_tests(path, 14) == {"A.__call__", "one"}
    assert run_in_tests(path, 17) == {"A.method", "bound", "later"}
    assert run_in_tests(path, 31) == {"short"}
    known = {one.name for one in functions_of(ENTRIES, path) if isinstance(one, Reached) and one.alias}
    assert known == {"partial", "plain", "again", "closure", "one", "bound", "later", "short", "ready"}


@pytest.mark.parametrize("in_tests", [None, "{", "[]", '{"files": {}}'])
def test_a_report_without_its_share_of_the_tests_is_none(tmp_path: Path, in_tests: str | None) -> None:
    measured, tested = tmp_path / "all.json", tmp_path / "tests.json"
    measured.write_text(json.dumps({"files": {"f.py": LINES}}))
    if in_tests is not None:
        tested.write_text(in_tests)
    join(measured, tested)
    assert not measured.exists()


def test_a_report_holds_beside_each_file_what_ran_in_tests(tmp_path: Path) -> None:
    measured, tested = tmp_path / "all.json", tmp_path / "tests.json"
    measured.write_text(json.dumps({"files": {"f.py": LINES}}))
    tested.write_text(json.dumps({"files": {"f.py": ENTRIES}}))
    join(measured, tested)
    assert json.loads(measured.read_text()) == {"files": {"f.py": {**LINES, "in_tests": ENTRIES}}}
