"""transform-tests: do the feature tests pass and reach the transforms, and do training and serving agree?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby

from release_gate.findings import finding
from release_gate.gates.transform_agreement import differences, how
from release_gate.gates.transform_facts import Agreement, Disagreement, FileCoverage, Part, TestRun
from release_gate.verdict import Finding, Scalar, Subject, Table, Verdict, Where, concluded

GATE = "transform-tests"
FAILURES = 25


def judge(
    tests: TestRun,
    agreement: Agreement,
    *,
    model: str,
    floor: float,
    data: str,
    subjects: Sequence[Subject],
    started: datetime,
    parts: Sequence[Part] = (),
) -> Verdict:
    """Fail on anything that was not proven: no tests, no measurement, no rows compared.

    `floor` is the least share (0 to 1) of statements and branches of each file of the transforms; `data` names the
    file whose rows were compared; `parts` are what the other checks of the transforms found.
    """
    apart = differences(agreement, data)
    findings = [*_of_tests(tests), *apart, *_one_row(agreement)]
    # Tests that did not run say nothing of coverage that their own finding does not say better.
    if tests.passed and not tests.timed_out:
        findings.extend(_of_coverage(tests.coverage, floor, loaded=bool(agreement.files)))
    findings.extend(one for part in parts for one in part.findings)
    tables = [*_tables(tests, agreement, agree=not apart), *(one for part in parts for one in part.tables)]
    return Verdict(
        gate=GATE,
        model=model,
        outcome=concluded(findings),
        findings=findings[:2000],
        tables=tables[:50],
        subjects=list(dict.fromkeys([*subjects, *(one for part in parts for one in part.subjects)])),
        started=started,
    )


def absent(model: str) -> Finding:
    """The note of a model without declared transforms."""
    return finding("transforms-absent", f"{model} declares no transforms: nothing to test here")


def _one_row(agreement: Agreement) -> list[Finding]:
    """That batches were left out: with nothing wrong row by row, only the declaration keeps them from being asked."""
    whole = not (agreement.raised or agreement.changed) and agreement.rows > 1
    if not whole or agreement.modes != ("alone",):
        return []
    return [finding("serving-one-row", "serving was asked row by row only: `transforms.serving_rows` is `one`")]


def _of_tests(run: TestRun) -> list[Finding]:
    if run.tools_missing:
        names = " and ".join(run.tools_missing)
        remedy = f"Run `uv add --dev {' '.join(run.tools_missing)}` and commit the lock file."
        return [finding("test-tools-missing", f"not installed in the environment: {names}", remedy=remedy)]
    if run.timed_out:
        return [finding("tests-timed-out", f"`{run.command}` was ended after {run.seconds:.0f} s{_last(run)}")]
    failed = _failures(run)
    if (crash := _crash(run)) is not None:
        # pytest reports an internal error of its own (status 3) as if it were a test.
        return [*(failed if run.status != 3 else []), finding("tests-crashed", f"`{run.command}` {crash}{_last(run)}")]
    if failed:
        return failed
    if run.total == 0:
        return [finding("tests-none-collected", f"`{run.command}` collected no test")]
    if run.passed == 0:
        reasons = f" ({'; '.join(run.skip_reasons)})" if run.skip_reasons else ""
        expected = f", {run.expected_failures} expected to fail" if run.expected_failures else ""
        return [finding("tests-only-skipped", f"of {run.total} tests {run.skipped} were skipped{reasons}{expected}")]
    return []


def _crash(run: TestRun) -> str | None:
    """In what way pytest did not come to its end; its statuses: 1 failures, 2 interrupted, 5 nothing collected."""
    failed = run.failed + run.errors > 0
    if run.flooded:
        return "printed without end and was stopped"
    if not run.reported:
        return f"ended with status {run.status} and left no report"
    if run.status == 1 and not failed:
        return "ended with status 1 although no test failed"
    # Files that can't be collected interrupt a run: they are named among the failures.
    expected = {0, 1} | ({2} if failed else set()) | ({5} if run.total == 0 else set())
    return None if run.status in expected else f"ended with status {run.status}"


def _failures(run: TestRun) -> list[Finding]:
    found = [
        finding("tests-failed", f"{failure.test}\n{failure.message}", where=Where(file=failure.file, line=failure.line))
        for failure in run.failures[:FAILURES]
    ]
    more = run.failed + run.errors - len(found)
    if more > 0:
        found.append(finding("tests-failed", f"{more} more tests failed; `{run.command}` lists them"))
    return found


def _last(run: TestRun) -> str:
    return f"\nLast lines:\n{run.last_lines}" if run.last_lines else ""


def _of_coverage(coverage: Sequence[FileCoverage] | None, floor: float, *, loaded: bool) -> list[Finding]:
    if coverage is None:
        # Without a transform there is no file to measure; that is a finding already.
        return [finding("coverage-too-low", "nothing was measured: the run left no coverage data")] if loaded else []
    found = []
    for file in coverage:
        if file.statements == 0:
            message = f"no test imports {file.file}: it is not covered at all"
        elif file.percent < floor * 100:
            message = f"{_rounded(file.percent, floor * 100)} covered, {floor * 100:g} % is the floor; {_gaps(file)}"
        else:
            continue
        line = file.missing_lines[0] if file.missing_lines else None
        found.append(
            finding(
                "coverage-too-low",
                message,
                where=Where(file=file.file, line=line),
                evidence={"percent": file.percent, "floor": floor * 100, "missing_lines": file.missing_lines[:500]},
            )
        )
    return found


def _rounded(percent: float, floor: float) -> str:
    """A percentage with as many places as it takes not to look like the floor it misses."""
    return (
        next((shown for places in (0, 1, 2) if float(shown := f"{percent:.{places}f}") < floor), f"{percent:.6f}")
        + " %"
    )


def _gaps(file: FileCoverage) -> str:
    parts = []
    if file.missing_lines:
        parts.append(f"not run: lines {spans(file.missing_lines)}")
    # A branch that leaves a line that never ran is said by the line.
    branches = [pair for pair in file.missing_branches if pair[0] not in file.missing_lines]
    if branches:
        shown = ", ".join(f"{one} → {other if other > 0 else 'exit'}" for one, other in branches[:20])
        parts.append(f"branches never taken: {shown}")
    return "; ".join(parts)


def spans(lines: Iterable[int]) -> str:
    """Line numbers as ranges, cut after 30 of them.

    >>> spans([4, 5, 6, 9])
    '4-6, 9'
    """
    shown = []
    for _, group in groupby(enumerate(sorted(set(lines))), key=lambda pair: pair[1] - pair[0]):
        run = [line for _, line in group]
        shown.append(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]))
    return ", ".join(shown[:30]) + (f" and {len(shown) - 30} more" if len(shown) > 30 else "")


def _tables(run: TestRun, agreement: Agreement, *, agree: bool) -> list[Table]:
    tables = [
        Table(
            title="Feature tests",
            columns=["passed", "failed", "errors", "skipped", "expected failures", "seconds"],
            rows=[[run.passed, run.failed, run.errors, run.skipped, run.expected_failures, round(run.seconds, 1)]],
        )
    ]
    if run.coverage:
        tables.append(
            Table(
                title="Coverage of the transforms",
                columns=["file", "covered %", "statements", "branches", "lines not run"],
                rows=[
                    [one.file, round(one.percent, 1), one.statements, one.branches, spans(one.missing_lines)]
                    for one in run.coverage
                ],
            )
        )
    if agree:
        compared: list[Scalar] = [agreement.rows, agreement.columns, how(agreement.modes)]
        columns = ["rows compared", "columns compared", "serving asked"]
        tables.append(Table(title="Training and serving agree", columns=columns, rows=[compared]))
    if agreement.disagreements:
        tables.append(
            Table(
                title=f"Training and serving on {_many(agreement.rows, 'row')}: "
                f"{_many(agreement.columns, 'column')} compared",
                columns=["column", "rows that differ", "serving asked", "row", "training", "serving"],
                rows=[row for one in agreement.disagreements for row in _examples(one)],
            )
        )
    return tables


def _many(number: int, thing: str) -> str:
    return f"{number} {thing}{'s' * (number != 1)}"


def _examples(one: Disagreement) -> list[list[Scalar]]:
    asked = how(one.modes)
    if not one.examples:
        return [[one.column, one.count, asked, None, None, None]]
    return [[one.column, one.count, asked, shown.row, shown.training, shown.serving] for shown in one.examples]
