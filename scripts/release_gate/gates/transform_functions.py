"""How much of each function of the transforms' files the tests ran, as findings and a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from release_gate.findings import finding
from release_gate.gates.transform_facts import FunctionCoverage, Part, TestRun
from release_gate.verdict import Scalar, Table, Where

LISTED = 300


class Reached(FunctionCoverage):
    """A function, of which `percent` ran in tests; `loaded` says that else it ran while they were collected.

    An `alias` is a name that was assigned a function of the file, and is as far reached as that.
    """

    loaded: bool = False
    alias: bool = False


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
        shown = [one for one in file.functions if one.name in names or not _is(one, "alias")]
        if not names & {one.name for one in shown} and shown and not any(_ran(one) for one in shown):
            message = f"no test runs any function of {file.file}, which holds a transform"
            found.append(finding("transform-untested", message, where=Where(file=file.file)))
        for one in shown:
            rows.append([file.file, one.name, round(one.percent, 1), one.statements])
            if one.percent > 0 or one.statements == 0 or (_is(one, "loaded") and one.name not in names):
                continue
            code = "transform-untested" if one.name in names else "function-untested"
            where = Where(file=file.file, line=one.line)
            found.append(finding(code, f"no test runs {one.name} ({one.statements} statements)", where=where))
    return Part(tuple(found), (_table(rows),) if rows else ())


def _ran(one: FunctionCoverage) -> bool:
    """Whether a test ran it; of what holds no statement nobody can tell."""
    return one.statements > 0 and one.percent > 0


def _is(one: FunctionCoverage, what: Literal["loaded", "alias"]) -> bool:
    return isinstance(one, Reached) and bool(getattr(one, what))


def _table(rows: list[list[Scalar]]) -> Table:
    columns = ["file", "function", "covered %", "statements"]
    return Table(title="Coverage of each function of the transforms", columns=columns, rows=rows[:LISTED])
