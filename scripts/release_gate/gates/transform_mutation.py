"""Which small changes of the transforms' code the tests did not notice, as findings and tables."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from release_gate.findings import finding
from release_gate.gates.transform_facts import Fact, Part, Short
from release_gate.verdict import Finding, Table, Where


class Survivor(Fact):
    """A change that no test noticed; `tests` of them ran that place."""

    file: Short
    line: int
    function: str
    before: Short
    after: Short
    tests: Annotated[int, Field(ge=0)]


class Mutation(Fact):
    """The check: `places` that could be changed, `covered` ones that a test runs, and what became of those tried.

    Of those `undecided` the tests of `unsettled` ones fail without the change too, `failing` is such a test. `failed`
    says why none of it can be believed, `ended` that the time was up before all were tried.
    """

    places: Annotated[int, Field(ge=0)] = 0
    covered: Annotated[int, Field(ge=0)] = 0
    tried: Annotated[int, Field(ge=0)] = 0
    killed: Annotated[int, Field(ge=0)] = 0
    timed_out: Annotated[int, Field(ge=0)] = 0
    undecided: Annotated[int, Field(ge=0)] = 0
    unsettled: Annotated[int, Field(ge=0)] = 0
    failing: Short | None = None
    survived: Annotated[tuple[Survivor, ...], Field(max_length=10_000)] = ()
    ended: bool = False
    failed: Annotated[str, Field(max_length=8000)] | None = None


NAMED = 20
"""Survivors that get a finding of their own; the table lists the rest."""
LISTED = 200


def part(mutation: Mutation | None) -> Part:
    """What the verdict says of the check, None where none was wanted."""
    if mutation is None:
        return Part()
    if mutation.failed is not None:
        return Part((finding("mutation-unproven", f"the tests were not tried on changed code: {mutation.failed}"),))
    return Part(tuple(_findings(mutation)), tuple(_tables(mutation)))


def _findings(mutation: Mutation) -> list[Finding]:
    found = [
        finding(
            "mutant-survived",
            f"no test notices that `{one.before}` became `{one.after}`, though {_many(one.tests, 'test')} "
            f"run{'s' * (one.tests == 1)} it",
            where=Where(file=one.file, line=one.line),
        )
        for one in mutation.survived[:NAMED]
    ]
    if mutation.covered == 0 < mutation.places:
        none = f"no test runs any of the {_many(mutation.places, 'place')} that could be changed"
        found.append(finding("mutation-unproven", none))
    if mutation.unsettled:
        which = f"{mutation.unsettled} of {_many(mutation.tried, 'change')} are undecided"
        why = "the tests that run them fail by themselves or when run again, without any change as well"
        at = f", at {mutation.failing}" if mutation.failing else ""
        found.append(finding("mutation-unproven", f"{which}: {why}{at}"))
    late = mutation.undecided - mutation.unsettled
    if mutation.ended or late > 0:
        left = f"{mutation.tried} changes were begun, {late} of them without an end"
        found.append(finding("mutation-unproven", f"the time was up before all changes were tried: {left}"))
    return found


def _tables(mutation: Mutation) -> list[Table]:
    counts = ["places", "run by tests", "tried", "noticed", "timed out", "survived", "undecided"]
    row = [
        mutation.places, mutation.covered, mutation.tried, mutation.killed, mutation.timed_out,
        len(mutation.survived), mutation.undecided,
    ]  # fmt: skip
    tables = [Table(title="Changes of the transforms that tests must notice", columns=counts, rows=[[*row]])]
    if mutation.survived:
        rows = [
            [f"{one.file}:{one.line}", one.function or "(module)", one.before, one.after, one.tests]
            for one in mutation.survived[:LISTED]
        ]
        columns = ["place", "function", "original", "changed", "tests that run it"]
        tables.append(Table(title="Changes that no test noticed", columns=columns, rows=[[*one] for one in rows]))
    return tables


def _many(number: int, thing: str) -> str:
    return f"{number} {thing}{'s' * (number != 1)}"
