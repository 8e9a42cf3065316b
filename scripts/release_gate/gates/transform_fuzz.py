"""What became of the transforms on rows that their contract allows, as findings and a table."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from release_gate.findings import finding
from release_gate.gates.transform_facts import Fact, Part, Short, Side
from release_gate.verdict import Finding, Severity, Table, Where

Kind = Literal["raised", "input-changed", "rows-changed", "reordered", "forbidden"]


class FuzzFailure(Fact):
    """A promise that a transform breaks: on how many rows, and a test that shows it on the smallest of them.

    `columns` are those whose values matter; `alone` is False where it takes several rows together.
    """

    side: Side
    kind: Kind
    error: Short
    rows: Annotated[int, Field(ge=1)]
    test: Annotated[str, Field(max_length=200_000)]
    alone: bool = True
    columns: Annotated[tuple[Short, ...], Field(max_length=20)] = ()
    column: Short | None = None
    file: Short | None = None
    line: int | None = None


class Fuzz(Fact):
    """The search: how many rows were made and tried, what they broke; `failed` says why there was none.

    `untried` tells of how many edges of a column no row was made.
    """

    rows: Annotated[int, Field(ge=0)] = 0
    columns: Annotated[int, Field(ge=0)] = 0
    tried: dict[Side, int] = Field(default_factory=dict)
    filled: Annotated[tuple[Short, ...], Field(max_length=2000)] = ()
    failures: Annotated[tuple[FuzzFailure, ...], Field(max_length=20)] = ()
    ended: bool = False
    untried: dict[Short, int] = Field(default_factory=dict)
    failed: Annotated[str, Field(max_length=8000)] | None = None


LONGEST_TEST = 12_000
"""Characters of a test that is shown; longer ones belong to tables with hundreds of columns."""

_CODES: dict[Kind, str] = {
    "raised": "fuzz-raised",
    "input-changed": "fuzz-input-changed",
    "rows-changed": "fuzz-rows-changed",
    "reordered": "fuzz-rows-reordered",
    "forbidden": "fuzz-feature-forbidden",
}
_WORDS: dict[Kind, str] = {
    "raised": "raised on",
    "input-changed": "changed the table it was given, on",
    "rows-changed": "returned another number of rows than it was given, on",
    "reordered": "returned the rows in another order, on",
    "forbidden": "made a feature that its contract forbids of",
}


def part(fuzz: Fuzz | None, contract: str) -> Part:
    """What the verdict says of the search, None where none was wanted; `contract` names the file of the rows."""
    return Part(tuple(_broken(fuzz, contract)), tuple(_tables(fuzz))) if fuzz is not None else Part()


def _broken(fuzz: Fuzz, contract: str) -> list[Finding]:
    """Every promise that was broken, and what keeps the rest from being believed; `contract` names the rows' file."""
    if fuzz.failed is not None:
        message = f"the transforms could not be tried on rows that {contract} allows: {fuzz.failed}"
        return [finding("fuzz-unproven", message)]
    found = [_finding(one, contract) for one in fuzz.failures]
    if fuzz.ended:
        tried = ", ".join(f"{name} {number}" for name, number in fuzz.tried.items())
        found.append(finding("fuzz-unproven", f"the time was up before all {fuzz.rows} rows were tried ({tried})"))
    if fuzz.untried:
        names = ", ".join(list(fuzz.untried)[:5]) + (" and more" if len(fuzz.untried) > 5 else "")
        edges = f"{sum(fuzz.untried.values())} edges of {names}"
        remedy = "More rows try more of them: `transforms.fuzz.rows`."
        message = f"{fuzz.rows} rows are too few for {edges}"
        found.append(finding("fuzz-unproven", message, remedy=remedy, severity=Severity.NOTE))
    if fuzz.rows == 0:
        found.append(finding("fuzz-unproven", f"no row could be made that {contract} allows"))
    return found


def _finding(one: FuzzFailure, contract: str) -> Finding:
    rows = f"{one.rows} row{'s' * (one.rows > 1)}" if one.alone else "rows together"
    matter = f"; what matters is {', '.join(one.columns)}" if one.columns else ""
    message = f"the {one.side} transform {_WORDS[one.kind]} {rows} that {contract} allows: {one.error}{matter}"
    test = one.test if len(one.test) <= LONGEST_TEST else None
    shown = f"\nAs a test:\n\n{test}" if test else "\nThe row has too many columns to be shown as a test."
    where = Where(file=one.file, line=one.line, column=one.column if one.file is None else None)
    return finding(_CODES[one.kind], message + shown, where=where)


def _tables(fuzz: Fuzz) -> list[Table]:
    """What was tried, where it was."""
    if fuzz.failed is not None:
        return []
    return [
        Table(
            title="Transforms on rows that the contract allows",
            columns=[
                "rows made",
                "columns",
                "filled from the data",
                "tried in training",
                "tried in serving",
                "failures",
            ],
            rows=[
                [
                    fuzz.rows,
                    fuzz.columns,
                    len(fuzz.filled),
                    fuzz.tried.get("training", 0),
                    fuzz.tried.get("serving", 0),
                    len(fuzz.failures),
                ]
            ],
        )
    ]
