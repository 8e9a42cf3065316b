"""Runs the caller's tests against small changes of the transforms' files, and says which changes they don't notice.

Run by the caller's Python: `mutating.py JOB`, a JSON file: {files, tests: pytest's arguments;
data: coverage's data of a run in which each test and each shared fixture was a context; seen: a file with the time of
each test, `seconds`, and the tests that have each of those fixtures, `users`; mutants, seed, limit; out}. No file is
changed: each change lives in a process of its own, forked from this one, whose importer hands out the changed code.
Writes one JSON object to `out`. Needs pytest and coverage, and a system that can fork.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import importlib.util
import json
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
LONGEST_START = 30.0
"""Seconds that a first run may take beyond the limit: it imports everything."""


def own(name: str) -> Any:
    """A module beside this one, under a name that no module of the caller has."""
    spec = importlib.util.spec_from_file_location(f"release_gate_inside_{name}", HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Python puts a script's folder first; there our files would hide the caller's modules of the same name.
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != HERE]
mutants, forked = own("mutants"), own("forked")


def candidates(files: list[str], data: str, users: dict[str, list[str]]) -> tuple[list[dict[str, Any]], int]:
    """Every change whose place some test runs, with those tests; and how many places there are at all.

    What a fixture of `users` runs, all of its tests run.
    """
    import coverage

    measured = coverage.CoverageData(basename=data)
    measured.read()
    found: list[dict[str, Any]] = []
    places = 0
    for file in files:
        tree = ast.parse(Path(file).read_text(encoding="utf-8"))
        tests = {
            line: {test for one in contexts if one for test in users.get(one, [one])}
            for line, contexts in measured.contexts_by_lineno(file).items()
        }
        everywhere = set().union(*tests.values())
        for number, change in enumerate(mutants.changes(tree)):
            places += 1
            # What runs at import is used by whoever uses the file.
            ran = set().union(*(tests.get(line, set()) for line in change.lines)) if change.function else everywhere
            if ran:
                line = change.expression.lineno
                found.append({"file": file, "number": number, "line": line, "function": change.function, "tests": ran})
    return found, places


def chosen(found: list[dict[str, Any]], wanted: int, seed: int) -> list[dict[str, Any]]:
    """Some of the changes: from each function one in turn, so that no long function takes all."""
    draw = random.Random(seed)  # noqa: S311 - repeatable on purpose
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for one in found:
        groups.setdefault((one["file"], one["function"]), []).append(one)
    for group in groups.values():
        draw.shuffle(group)
    taken: list[dict[str, Any]] = []
    while len(taken) < wanted and any(groups.values()):
        taken += [group.pop() for group in groups.values() if group]
    return taken[:wanted]


def outside() -> list[str]:
    """Modules that are loaded and not the caller's own."""
    files = {name: getattr(module, "__file__", None) or "" for name, module in list(sys.modules.items())}
    return [name for name, file in files.items() if "site-packages" in file and name != "__main__"]


def load(names: list[str]) -> None:
    """Import here what every process would import for itself: a fork has it at once."""
    for name in names:
        # The process that needs one which can't be imported will say so itself.
        with contextlib.suppress(BaseException):
            importlib.import_module(name)


class Unbelievable(Exception):
    """The tests don't pass here even without a change: what they say of changes means nothing."""


class Check:
    """The tests of a job, to be run on one change after another until the time is up."""

    def __init__(self, job: dict[str, Any], found: list[dict[str, Any]], seconds: dict[str, float]) -> None:
        self.job = job
        self.until = time.monotonic() + job["limit"]
        self._seconds: dict[str, float] = seconds
        self._all = {
            group[0].split("::")[0]: group for group in self._files({test for one in found for test in one["tests"]})
        }
        self._clean: dict[str, float] = {}
        self._sound: dict[tuple[str, ...], bool] = {}
        self.failing: str | None = None
        """The first test that failed without any change, after it had passed."""

    @property
    def left(self) -> float:
        """Seconds until the time is up."""
        return float(self.until - time.monotonic())

    def _files(self, tests: set[str]) -> list[list[str]]:
        """The tests by file, quickest file and test first: what slow files import is not needed for quick answers."""
        groups: dict[str, list[str]] = {}
        for test in sorted(tests, key=lambda test: (self._seconds.get(test, 0.0), test)):
            groups.setdefault(test.split("::")[0], []).append(test)
        return sorted(groups.values(), key=lambda group: (sum(self._seconds.get(one, 0.0) for one in group), group))

    def _run(self, group: list[str], changed: dict[str, ast.Module], limit: float, **options_: Any) -> Any:
        return forked.Run(self.job["tests"], options(), group, changed, **options_).waited(limit)

    def _prepared(self, file: str) -> float:
        """Seconds that the tests of a file take without any change; what they import is loaded from then on.

        Raises:
            Unbelievable: they don't pass.
        """
        if file not in self._clean:
            started = time.monotonic()
            how = self._run(self._all[file], {}, LONGEST_START + 3 * max(0.0, self.left), report=outside)
            if how.outcome != "passed":
                last = how.seen[-1] if how.seen else file
                raise Unbelievable(
                    f"without any change the tests {how.outcome} as well when run by themselves, at {last}"
                )
            self._clean[file] = time.monotonic() - started
            load(how.told)
        return self._clean[file]

    def _limit(self, file: str) -> float:
        return 5.0 + 2 * self._prepared(file)

    def _passes(self, tests: list[str], limit: float) -> bool:
        """Whether they pass without any change, now and without those that are left out."""
        how = self._run(tests, {}, limit)
        if how.outcome != "passed":
            self.failing = self.failing or (how.seen[-1] if how.seen else tests[0])
        return bool(how.outcome == "passed")

    def noticed(self, change: dict[str, Any], tree: ast.Module) -> tuple[str, str]:
        """How the tests ended on the change, one file after another until one fails, and that file.

        passed, failed, timed out, late; unsettled: they fail without the change too, and those of no other file do.

        Raises:
            Unbelievable: the tests don't pass without the change.
        """
        ended = ("passed", "")
        for group in self._files(change["tests"]):
            file = group[0].split("::")[0]
            limit = self._limit(file)
            outcome = "late" if self.left <= 0 else self._answer(group, self._all[file], {change["file"]: tree}, limit)
            if outcome not in ("passed", "unsettled"):
                return outcome, file
            if outcome == "unsettled":
                ended = (outcome, file)
        return ended

    def _answer(self, group: list[str], whole: list[str], changed: dict[str, ast.Module], limit: float) -> str:
        """How tests ended, or all tests of their file where they need the company of others."""
        for tests in [group] if group == whole else [group, whole]:
            if self._sound.get(tuple(tests), True):
                how = self._run(tests, changed, min(self.left, limit))
                if how.outcome == "timed out" and self.left <= 0:
                    return "late"  # our own time was up: nothing is known
                if how.outcome == "passed":
                    return "passed"
                if tuple(tests) not in self._sound:
                    self._sound[tuple(tests)] = self._passes(tests, limit)
                if self._sound[tuple(tests)]:
                    return str(how.outcome)
        return "unsettled"

    def still(self, file: str) -> bool:
        """Whether the tests of a file pass after all the runs; taken for granted where that would take too long."""
        return self.left < -LONGEST_START or self._passes(self._all[file], self._limit(file))


def tried(job: dict[str, Any]) -> dict[str, Any]:
    """Everything that is found within the limit."""
    seen = json.loads(Path(job["seen"]).read_text(encoding="utf-8"))
    found, places = candidates(job["files"], job["data"], seen["users"])
    check = Check(job, found, seen["seconds"])
    result: dict[str, Any] = {"places": places, "covered": len(found), "survived": [], "ended": False}
    noticed: list[tuple[str, str]] = []
    for one in chosen(found, job["mutants"], job["seed"]):
        if check.left <= 0:
            result["ended"] = True
            break
        tree, before, after = mutants.mutated(Path(one["file"]).read_text(encoding="utf-8"), one["number"])
        outcome, by = check.noticed(one, tree)
        if outcome == "passed":
            shown = {key: one[key] for key in ("file", "line", "function")}
            result["survived"].append(
                {**shown, "before": before[:300], "after": after[:300], "tests": len(one["tests"])}
            )
        else:
            noticed.append((outcome, by))
    counts = counted(check, noticed)
    return {**result, **counts, "tried": len(result["survived"]) + len(noticed), "failing": check.failing}


def counted(check: Check, noticed: list[tuple[str, str]]) -> dict[str, int]:
    """What became of the changes that did not pass: those by tests that have come to fail anyway are undecided."""
    said = ("failed", "timed out")
    lost = {file for file in sorted({file for outcome, file in noticed if outcome in said}) if not check.still(file)}
    ends = ["unsettled" if outcome in said and file in lost else outcome for outcome, file in noticed]
    killed, timed_out = (ends.count(outcome) for outcome in said)
    undecided = len(ends) - killed - timed_out
    return {"killed": killed, "timed_out": timed_out, "undecided": undecided, "unsettled": ends.count("unsettled")}


def options() -> list[str]:
    """pytest's options: quiet, and without workers or another coverage, which a fork would only wait for."""
    there = {name: importlib.util.find_spec(name) is not None for name in ("xdist", "pytest_cov")}
    taken_away = [*(["-n0"] if there["xdist"] else []), *(["--no-cov"] if there["pytest_cov"] else [])]
    # Rewritten assertions explain failures that nobody reads here, and can't be had of modules that are loaded already.
    return ["-q", "--tb=no", "--no-header", "--assert=plain", "-p", "no:cacheprovider", *taken_away]


def main(job_file: str) -> None:
    """Load, try, write."""
    job = json.loads(Path(job_file).read_text(encoding="utf-8"))
    try:
        result = tried(job) if hasattr(os, "fork") else {"failed": "this system can't fork processes"}
    except Unbelievable as error:
        result = {"failed": str(error)}
    except Exception as error:  # noqa: BLE001 - said as the reason why nothing was tried
        result = {"failed": f"{type(error).__name__}: {error}"[:500]}
    Path(job["out"]).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
