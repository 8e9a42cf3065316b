"""The caller's pytest, run for real; each way a run can end is judged as the gate judges it."""

from __future__ import annotations

import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

import coverage
import pytest

from release_gate.caller import pytest_run
from release_gate.caller.environments import Environment, given_environment
from release_gate.caller.processes import Processes
from release_gate.gates import transform_functions
from release_gate.gates.transform_facts import Agreement, TestRun
from release_gate.gates.transform_tests import judge
from release_gate.verdict import Finding

MODULE = """
def scaled(value):
    if value < 0:
        return None
    return value * 2
"""
GOOD = """
from features import scaled
def test_scaled():
    assert scaled(2) == 4
    assert scaled(-1) is None
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "tests").mkdir()
    (tmp_path / "features.py").write_text(MODULE)
    return tmp_path


def run(runner: Processes, root: Path, text: str | None, *, limit: float = 60) -> TestRun:
    if text is not None:
        (root / "tests" / "test_features.py").write_text(text)
    environment = given_environment(Path(sys.executable), root)
    return pytest_run.tested(
        ["tests"], [root / "features.py"], root=root, environment=environment, runner=runner, limit=limit
    )


def findings(done: TestRun, floor: float = 0.9) -> list[Finding]:
    agreed = Agreement(rows=5, columns=2, files=("features.py",))
    return judge(
        done, agreement=agreed, model="m", floor=floor, data="d", subjects=[], started=datetime.now(UTC)
    ).findings


def test_good_tests_pass_and_are_measured_with_branches(runner: Processes, root: Path) -> None:
    done = run(runner, root, GOOD)
    assert (done.passed, done.total, done.status) == (1, 1, 0)
    (covered,) = done.coverage or ()
    assert (covered.file, covered.percent, covered.statements, covered.branches) == ("features.py", 100.0, 4, 2)
    assert findings(done) == []
    assert sorted(path.name for path in root.iterdir()) == ["features.py", "tests"], "nothing is left in the tree"


def test_a_failing_test_is_named_with_its_place_and_reason(runner: Processes, root: Path) -> None:
    done = run(runner, root, GOOD + "\ndef test_wrong():\n    assert scaled(3) == 7\n")
    (found,) = findings(done)
    assert (found.code, found.where.file, found.where.line) == ("tests-failed", "tests/test_features.py", 8)
    assert "test_wrong" in found.message
    assert "assert 6 == 7" in found.message


def test_a_failure_in_the_transform_is_placed_there(runner: Processes, root: Path) -> None:
    done = run(runner, root, GOOD + "\ndef test_text():\n    scaled(None)\n")
    (found,) = findings(done)
    assert (found.where.file, found.where.line) == ("features.py", 3)


def test_a_file_that_cannot_be_collected_is_a_failure(runner: Processes, root: Path) -> None:
    done = run(runner, root, "import no_such_module\n")
    assert done.status == 2
    (found,) = findings(done)
    assert found.code == "tests-failed"
    assert "no_such_module" in found.message
    assert found.where.file == "tests/test_features.py"


@pytest.mark.parametrize("text", [None, "def helper(): ...\n"])
def test_nothing_collected_fails(runner: Processes, root: Path, text: str | None) -> None:
    assert [found.code for found in findings(run(runner, root, text))] == ["tests-none-collected"]


def test_tests_that_are_all_skipped_or_expected_to_fail_prove_nothing(runner: Processes, root: Path) -> None:
    text = "import pytest\n@pytest.mark.skip(reason='no gpu')\ndef test_a(): ...\n"
    text += "@pytest.mark.xfail\ndef test_b(): assert False\n"
    done = run(runner, root, text)
    assert (done.skipped, done.expected_failures) == (1, 1)
    (found,) = findings(done)
    assert found.code == "tests-only-skipped"
    assert "no gpu" in found.message


def test_low_coverage_lists_the_lines_and_branches(runner: Processes, root: Path) -> None:
    done = run(runner, root, "from features import scaled\ndef test_a(): assert scaled(2) == 4\n")
    (found,) = findings(done)
    assert (found.code, found.where.file, found.where.line) == ("coverage-too-low", "features.py", 4)
    assert "not run: lines 4" in found.message
    assert "67 % covered, 90 % is the floor" in found.message
    assert findings(done, floor=0.6) == []


def test_a_transform_that_no_test_imports_is_not_covered(runner: Processes, root: Path) -> None:
    (found,) = findings(run(runner, root, "def test_a(): ...\n"))
    assert found.code == "coverage-too-low"


def test_a_hanging_test_is_ended(runner: Processes, root: Path) -> None:
    done = run(runner, root, "import time\ndef test_a(): time.sleep(600)\n", limit=4)
    (found,) = findings(done)
    assert found.code == "tests-timed-out"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import os\ndef test_a(): os._exit(0)\n", "left no report"),
        ("import os\ndef test_a(): os.kill(os.getpid(), 11)\n", "status -11"),
    ],
)
def test_a_crash_is_no_pass(runner: Processes, root: Path, text: str, said: str) -> None:
    (found,) = findings(run(runner, root, text))
    assert found.code == "tests-crashed"
    assert said in found.message


@pytest.mark.parametrize(
    ("conftest", "settings", "status"),
    [
        ("def pytest_sessionfinish(session): session.exitstatus = 1", "", 1),
        ("", "[pytest]\naddopts = --no-such-option\n", 4),
        ("def pytest_collection_finish(session): raise RuntimeError('plugin')", "", 3),
    ],
)
def test_a_run_that_pytest_does_not_call_good_is_no_pass(
    runner: Processes, root: Path, conftest: str, settings: str, status: int
) -> None:
    (root / "conftest.py").write_text(conftest)
    (root / "pytest.ini").write_text(settings or "[pytest]\n")
    done = run(runner, root, GOOD)
    assert done.status == status
    assert [found.code for found in findings(done)] == ["tests-crashed"]


def test_a_callers_own_coverage_options_do_not_take_the_measurement_away(runner: Processes, root: Path) -> None:
    (root / "pytest.ini").write_text("[pytest]\naddopts = --cov=features --cov-fail-under=100\n")
    (root / ".coveragerc").write_text("[run]\nomit = features.py\n")
    done = run(runner, root, GOOD)
    assert findings(done) == []
    assert "--no-cov" in done.command


def test_missing_tools_are_named_with_what_to_do(runner: Processes, root: Path) -> None:
    bare = Path(sys.base_prefix) / "bin" / "python3"
    own = root / "python"
    # -I -S: an interpreter without any package, whatever this machine has installed beside it.
    own.write_text(f'#!/bin/sh\nexec {bare} -I -S "$@"\n')
    own.chmod(0o755)
    environment = Environment(own, own.parent, {}, "")
    done = pytest_run.tested(["tests"], [], root=root, environment=environment, runner=runner, limit=60)
    assert done.tools_missing == ("pytest", "coverage")
    (found,) = findings(done)
    assert found.code == "test-tools-missing"
    assert "uv add --dev pytest coverage" in found.remedy


def untested(done: TestRun, *names: str) -> list[tuple[str, int | None]]:
    """Codes and lines of what the gate says of functions, where these are the transforms."""
    references = [f"features:{name}" for name in names or ("scaled",)]
    return [(one.code, one.where.line) for one in transform_functions.part(done, references).findings]


def test_what_a_test_runs_itself_or_by_a_fixture_or_a_thread_is_tested(runner: Processes, root: Path) -> None:
    assert untested(run(runner, root, GOOD)) == []
    fixture = "import pytest, features\n@pytest.fixture(scope='session')\ndef made(): return features.scaled(2)\n"
    assert untested(run(runner, root, fixture + "def test_made(made): assert made == 4\n")) == []
    thread = (
        "import features, threading\ndef test_thread():\n    one = threading.Thread(target=features.scaled, args=[2])\n"
    )
    assert untested(run(runner, root, thread + "    one.start()\n    one.join()\n")) == []


def test_what_runs_while_tests_are_collected_is_run_by_no_test(runner: Processes, root: Path) -> None:
    done = run(runner, root, "import features\nMADE = features.scaled(2), features.scaled(-1)\ndef test_it(): pass\n")
    (covered,) = done.coverage or ()
    assert covered.percent == 100.0
    assert untested(done) == [("transform-untested", 2)]


def test_a_file_can_not_take_its_own_functions_out_of_the_measurement(runner: Processes, root: Path) -> None:
    marked = MODULE.replace("(value):", "(value):  # pragma: no cover")
    types = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pandas\n"
    (root / "features.py").write_text(types + marked)
    done = run(runner, root, "import features\ndef test_it(): pass\n")
    assert untested(done) == [("transform-untested", 5)]
    (covered,) = done.coverage or ()
    assert (covered.missing_lines, covered.statements) == ((6, 7, 8), 5), "what is for type checkers can't run"


def test_a_transform_that_is_a_partial_function_is_tested_with_the_function_in_it(
    runner: Processes, root: Path
) -> None:
    partial = (
        "\n\ndef _serve(value, factor):\n    return value * factor\n\nserving = functools.partial(_serve, factor=2)\n"
    )
    (root / "features.py").write_text("import functools\n" + MODULE + partial)
    assert ("transform-untested", 12) in untested(run(runner, root, GOOD), "scaled", "serving")
    tested = GOOD + "\ndef test_serving():\n    import features\n    assert features.serving(2) == 4\n"
    assert untested(run(runner, root, tested), "scaled", "serving") == []


def test_a_coverage_without_its_part_in_c_tells_tests_apart_too(runner: Processes, root: Path) -> None:
    installed = Path(coverage.__file__).parent
    # First on the path, as everything in the folder that the tests are run from.
    shutil.copytree(installed, root / "coverage", ignore=shutil.ignore_patterns("tracer*.so", "__pycache__"))
    assert untested(run(runner, root, GOOD)) == []
    loaded = "import features\nMADE = features.scaled(2), features.scaled(-1)\ndef test_it(): pass\n"
    assert untested(run(runner, root, loaded)) == [("transform-untested", 2)]
