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
    (root / "tests").mkdir(exist_ok=True)
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


SCALED = "def training(x):\n    return x * 2\n\ndef serving(x):\n    return x + 2\n"


def test_a_test_that_needs_the_one_before_it_notices_nothing_by_failing_alone(
    tmp_path: Path, runner: Processes
) -> None:
    tests = """
import time
from features import serving, training

SEEN = {}

def test_first():
    SEEN["made"] = training(3)
    assert SEEN["made"] == 6

def test_second():
    time.sleep(0.2)
    serving(3)
    assert SEEN["made"] is not None
"""
    found = checked(tmp_path, runner, tests, code=SCALED)
    assert (found.failed, found.undecided) == (None, 0)
    # In the company of the first, the second test passes whatever serving returns.
    assert {one.function for one in found.survived} == {"serving"}
    assert (found.tried, found.killed) == (4, 2)


@pytest.mark.parametrize("runs", [2, 5], ids=["from the first change on", "later"])
def test_tests_that_come_to_fail_by_running_again_leave_changes_undecided(
    tmp_path: Path, runner: Processes, runs: int
) -> None:
    tests = f"""
import pathlib
from features import serving, training

COUNT = pathlib.Path(__file__).with_name("count.txt")

def test_both():
    assert training(3) == 6
    serving(3)
    seen = int(COUNT.read_text()) if COUNT.exists() else 0
    COUNT.write_text(str(seen + 1))
    assert seen < {runs}
"""
    found = checked(tmp_path, runner, tests, code=SCALED)
    assert (found.killed, found.failed) == (0, None)
    assert found.undecided == found.unsettled > 0
    assert found.undecided + len(found.survived) == found.tried == 4
    assert found.failing == "tests/test_features.py::test_both"


@pytest.mark.parametrize("scope", ["module", "session", "class"])
def test_what_a_shared_fixture_runs_is_run_by_every_test_that_has_it(
    tmp_path: Path, runner: Processes, scope: str
) -> None:
    tests = f"""
import pytest
from features import serving, training

@pytest.fixture(scope="{scope}")
def made():
    return training(3), serving(3)

@pytest.fixture
def again(made):
    return made

class TestMade:
    def test_length(self, made):
        assert len(made) == 2

    def test_values(self, again):
        assert again == (6, 5)

    def test_nothing(self):
        pass
"""
    found = checked(tmp_path, runner, tests, code=SCALED)
    assert (found.survived, found.killed, found.failed) == ((), 4, None)


def test_a_fixture_of_the_same_name_elsewhere_is_another(tmp_path: Path, runner: Processes) -> None:
    fixture = "import features, pytest\n@pytest.fixture(scope='module')\ndef made(): return {}\n"
    other = tmp_path / "tests" / "other"
    other.mkdir(parents=True)
    (other / "test_other.py").write_text(fixture.format("1") + "def test_it(made): assert made == 1\n")
    users = "def test_one(made): pass\ndef test_two(made): pass\n"
    found = checked(tmp_path, runner, fixture.format("features.serving(3)") + users, code=SCALED)
    assert [(one.function, one.tests) for one in found.survived] == [("serving", 2)] * 2


def test_a_test_that_needs_the_one_before_it_notices_what_it_looks_at_in_its_company(
    tmp_path: Path, runner: Processes
) -> None:
    tests = """
import time
from features import serving, training

SEEN = []

def test_first():
    SEEN.append(training(3))
    assert SEEN == [6]

def test_second():
    time.sleep(0.2)
    assert SEEN and serving(3) == 5
"""
    found = checked(tmp_path, runner, tests, code=SCALED)
    assert (found.killed, found.undecided, found.survived, found.failed) == (4, 0, (), None)
