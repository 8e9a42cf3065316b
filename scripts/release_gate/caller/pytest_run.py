"""Runs the caller's pytest under coverage in the caller's environment, and gathers what both report."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Sequence
from pathlib import Path

from release_gate.caller.commands import last_lines
from release_gate.caller.environments import Environment
from release_gate.caller.pytest_reports import counted, coverage_of
from release_gate.edges import Runner
from release_gate.gates.transform_facts import TestRun

_PROBE = (
    "import importlib.util as find\n"
    "for name in ('pytest', 'coverage', 'xdist', 'pytest_cov'): print(name, find.find_spec(name) is not None)"
)
_SETTINGS = """[run]
branch = true
data_file = {data}
include =
{files}
[report]
include =
{files}
"""


def tested(
    tests: Sequence[str],
    files: Sequence[Path],
    *,
    root: Path,
    environment: Environment,
    runner: Runner,
    limit: float,
) -> TestRun:
    """Run pytest on `tests`, measuring the branches of `files`."""
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
        settings, junit, measured = (Path(folder) / name for name in ("coveragerc", "junit.xml", "coverage.json"))
        settings.write_text(
            _SETTINGS.format(data=Path(folder) / "data", files="\n".join(f"  {file}" for file in files)), "utf-8"
        )
        coverage = [python, "-m", "coverage"]
        pytest = ["-m", "pytest", "--tb=short", "--color=no", "-p", "no:cacheprovider", *taken_away]
        # xunit1 is the family that names file and line of each test.
        pytest += [f"--junitxml={junit}", "-o", "junit_family=xunit1", "--", *tests]
        done = runner.run(
            [*coverage, "run", f"--rcfile={settings}", *pytest],
            cwd=root,
            environment=environment.variables,
            limit=limit,
        )
        json = [*coverage, "json", f"--rcfile={settings}", "-o", str(measured), "-q"]
        if files and not done.timed_out:
            runner.run(json, cwd=root, environment=environment.variables, limit=120)
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
