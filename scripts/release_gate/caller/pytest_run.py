"""Runs the caller's pytest under coverage in the caller's environment, and gathers what both report."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from release_gate.caller.commands import last_lines
from release_gate.caller.environments import Environment
from release_gate.caller.function_coverage import join
from release_gate.caller.pytest_reports import counted, coverage_of
from release_gate.edges import Runner
from release_gate.gates.transform_facts import TestRun

PLUGIN = Path(__file__).parent / "inside" / "plugins" / "release_gate_tests_seen.py"
DATA, SEEN = "data", "seen.json"
"""What is left in the folder of traces: coverage's data with a context for each test and each shared fixture, and a
file with the time of each test and the tests that have each of those fixtures."""
_PROBE = (
    "import importlib.util as find\n"
    "for name in ('pytest', 'coverage', 'xdist', 'pytest_cov'): print(name, find.find_spec(name) is not None)\n"
    "if find.find_spec('coverage'): print('tracer', find.find_spec('coverage.tracer') is not None)"
)
# What can't run may be left out, as coverage.py has it by itself; its comment that takes a function out may not.
_SETTINGS = r"""[run]
branch = true
data_file = {data}
include =
{files}
[report]
include =
{files}
exclude_lines =
  ^\s*(((async )?def .*?)?[\])]+(\s*->.*?)?:\s*)?\.\.\.\s*(#|$)
  ^\s*if (typing\.)?TYPE_CHECKING:
"""


def tested(
    tests: Sequence[str],
    files: Sequence[Path],
    *,
    root: Path,
    environment: Environment,
    runner: Runner,
    limit: float,
    traces: Path | None = None,  # noqa: PT028 - no test: its name only begins like one's
) -> TestRun:
    """Run pytest on `tests`, measuring the branches of `files`.

    Which test ran which lines, and how long each took, is left in the folder `traces`, if one is given. Of functions
    counts what ran in tests, not what ran while they were collected.
    """
    python = str(environment.python)
    found = runner.run([python, "-c", _PROBE], cwd=root, environment=environment.variables, limit=60)
    present = {line.split()[0] for line in found.tail.splitlines() if line.endswith(" True")}
    lacking = tuple(name for name in ("pytest", "coverage") if name not in present)
    # Workers and another coverage would take the measurement away from ours.
    taken_away = [*(["-n0"] if "xdist" in present else []), *(["--no-cov"] if "pytest_cov" in present else [])]
    shown = shlex.join(["python", "-m", "pytest", *taken_away, *tests])
    if lacking:
        return TestRun(
            command=shown, status=found.status, seconds=0, reported=False, tools_missing=lacking,
            last_lines=last_lines(found.tail, 5),
        )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="release-gate-") as folder:
        names = ("coveragerc", "junit.xml", "coverage.json", "in_tests.json")
        settings, junit, measured, in_tests = (Path(folder) / name for name in names)
        left = traces or Path(folder)
        settings.write_text(_SETTINGS.format(data=left / DATA, files="\n".join(f"  {file}" for file in files)), "utf-8")
        coverage = [python, "-m", "coverage"]
        pytest = ["-m", "pytest", "--tb=short", "--color=no", "-p", "no:cacheprovider", "-p", PLUGIN.stem, *taken_away]
        # Its own folders are shared by all runs of a user, and it takes away all but the last three.
        pytest += [f"--basetemp={Path(folder) / 'tests'}"]
        # xunit1 is the family that names file and line of each test.
        pytest += [f"--junitxml={junit}", "-o", "junit_family=xunit1", "--", *tests]
        done = runner.run(
            [*coverage, "run", f"--rcfile={settings}", *pytest],
            cwd=root,
            environment=_traced(environment.variables, left, compiled="tracer" in present),
            limit=limit,
        )
        json = [*coverage, "json", f"--rcfile={settings}", "-q"]
        if files and not done.timed_out:
            # Lines that ran while tests were collected have a context without a name.
            for asked in (["-o", str(measured)], ["-o", str(in_tests), "--contexts=."]):
                runner.run([*json, *asked], cwd=root, environment=environment.variables, limit=120)
            join(measured, in_tests)
        run = TestRun(
            command=shown,
            status=done.status,
            seconds=done.seconds,
            timed_out=done.timed_out,
            flooded=done.flooded,
            last_lines=last_lines(done.tail),
            coverage=coverage_of(measured, files, root),
        )
        return counted(run, junit, root)


def _traced(variables: Mapping[str, str], traces: Path, *, compiled: bool) -> dict[str, str]:
    """The variables of a run that leaves traces: the plugin on the path, and a tracer that tells tests apart."""
    path = ":".join(filter(None, (variables.get("PYTHONPATH"), str(PLUGIN.parent))))
    # The tracer that newer Pythons choose hears of each line once, whichever test runs it. Asked for one in C that is
    # not there, coverage.py ends.
    return {
        **variables,
        "PYTHONPATH": path,
        "COVERAGE_CORE": "ctrace" if compiled else "pytrace",
        "RELEASE_GATE_TESTS_SEEN": str(traces / SEEN),
    }
