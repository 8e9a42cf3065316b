"""How much of each function of the transforms' files the tests ran, as findings and a table."""

from __future__ import annotations

from collections.abc import Sequence

from release_gate.findings import finding
from release_gate.gates.transform_facts import Part, TestRun
from release_gate.verdict import Scalar, Table, Where

LISTED = 300


def part(run: TestRun, transforms: Sequence[str]) -> Part:
    """What the verdict says of each function; `transforms` are the references of both sides, module:function.

    Nothing where tests did not pass or a file was not imported at all: that is a finding already.
    """
    if not run.passed or run.timed_out or run.coverage is None:
        return Part()
    names = {reference.partition(":")[2] for reference in transforms}
    found = []
    rows: list[list[Scalar]] = []
    for file in run.coverage:
        if file.statements == 0:
            continue
        for one in file.functions:
            rows.append([file.file, one.name, round(one.percent, 1), one.statements])
            if one.percent > 0 or one.statements == 0:
                continue
            code = "transform-untested" if one.name in names else "function-untested"
            where = Where(file=file.file, line=one.line)
            found.append(finding(code, f"no test runs {one.name} ({one.statements} statements)", where=where))
    return Part(tuple(found), (_table(rows),) if rows else ())


def _table(rows: list[list[Scalar]]) -> Table:
    columns = ["file", "function", "covered %", "statements"]
    return Table(title="Coverage of each function of the transforms", columns=columns, rows=rows[:LISTED])
