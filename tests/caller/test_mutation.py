"""The caller's tests run by a real second Python against changed code that no file ever holds."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from release_gate.caller import pytest_run
from release_gate.caller.environments import given_environment
from release_gate.caller.mutation import MAXIMUM_BYTES, mutated, parsed
from release_gate.caller.processes import Processes
from release_gate.config import MutationCheck
from release_gate.gates.transform_mutation import Mutation

CODE = '''"""Features."""
LIMIT = 10

def training(x):
    return x * 2 if x < LIMIT else 0

def unused(x):
    return x + 1
'''
TESTS = """
from features import LIMIT, training

def test_small():
    assert training(3) == 6

def test_large():
    assert training(LIMIT) == 0
"""


def checked(
    root: Path, runner: Processes, tests: str, *, code: str = CODE, mutants: int = 50, limit: str = "60s"
) -> Mutation:
    (root / "features.py").write_text(code)
    (root / "tests").mkdir()
    (root / "tests" / "test_features.py").write_text(tests)
    environment = given_environment(Path(sys.executable), root)
    traces = root / "traces"
    traces.mkdir()
    files = [root / "features.py"]
    run = pytest_run.tested(
        ["tests"], files, root=root, environment=environment, runner=runner, limit=60, traces=traces
    )
    assert run.sound, run
    wanted = MutationCheck.model_validate({"mutants": mutants, "limit": limit})
    found = mutated(wanted, ["tests"], files, traces, root=root, environment=environment, runner=runner)
    assert (root / "features.py").read_text() == code
    return found


def test_a_change_that_no_test_notices_is_named_with_its_place(tmp_path: Path, runner: Processes) -> None:
    found = checked(tmp_path, runner, TESTS)
    assert found.failed is None
    # The line that no test runs is a matter of coverage.
    assert (found.places, found.covered) == (7, 5)
    assert found.killed + len(found.survived) == found.tried == 5
    assert [(one.file, one.line, one.function, one.before, one.after, one.tests) for one in found.survived] == [
        ("features.py", 2, "", "10", "11", 2)
    ]


def test_no_folder_of_pytests_own_is_made_or_taken_away(
    tmp_path: Path, runner: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In a container the repository may lie in a folder of that name, and pytest keeps only its last three.
    shared = tmp_path / "pytest-of-somebody" / "pytest-1"
    shared.mkdir(parents=True)
    monkeypatch.setenv("PYTEST_DEBUG_TEMPROOT", str(tmp_path))
    used = TESTS.replace("():", "(tmp_path):")
    found = checked(shared, runner, used)
    assert found.tried == 5
    assert [one.name for one in tmp_path.iterdir()] == ["pytest-of-somebody"]
    assert [one.name for one in shared.parent.iterdir()] == ["pytest-1"]


def test_better_tests_leave_no_survivor(tmp_path: Path, runner: Processes) -> None:
    better = TESTS + "\ndef test_limit():\n    assert (LIMIT, training(9), training(10)) == (10, 18, 0)\n"
    found = checked(tmp_path, runner, better)
    assert (found.survived, found.killed, found.failed) == ((), 5, None)


def test_a_change_that_never_ends_is_ended_and_counts_as_noticed(tmp_path: Path, runner: Processes) -> None:
    code = "def training(x):\n    while x > 0:\n        x = x - 3\n    return x\n"
    tests = "from features import training\n\ndef test_it():\n    assert training(6) == 0\n"
    found = checked(tmp_path, runner, tests, code=code, limit="120s")
    assert found.timed_out == 1  # x + 3
    assert found.failed is None


def test_the_budget_holds_and_the_seed_chooses(tmp_path: Path, runner: Processes) -> None:
    assert checked(tmp_path, runner, TESTS, mutants=2).tried == 2


def test_tests_that_pass_only_in_company_prove_nothing(tmp_path: Path, runner: Processes) -> None:
    lonely = """
import features

seen = []

def test_first():
    seen.append(1)

def test_second():
    assert seen and features.training(3) == 6
"""
    found = checked(tmp_path, runner, lonely)
    assert "without any change" in str(found.failed)


def test_a_run_without_traces_proves_nothing(tmp_path: Path, runner: Processes) -> None:
    environment = given_environment(Path(sys.executable), tmp_path)
    found = mutated(MutationCheck(), ["tests"], [], tmp_path, root=tmp_path, environment=environment, runner=runner)
    assert "left no traces" in str(found.failed)


@pytest.mark.parametrize("text", [b"{", b"[]", b'{"tried": -1}', b" " * (MAXIMUM_BYTES + 1)])
def test_a_result_that_is_not_ours_is_no_result(text: bytes) -> None:
    assert parsed(text).failed is not None
