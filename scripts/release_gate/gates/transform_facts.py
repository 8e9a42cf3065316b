"""What transform-tests judges: how the caller's tests went, what they covered, where the transforms differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from release_gate.verdict import Finding, Scalar, Subject, Table, Value

Side = Literal["training", "serving"]
Mode = Literal["alone", "together", "few", "shuffled"]
"""How serving is asked: row by row, all rows at once, a few at a time, all at once in another order."""
Short = Annotated[str, Field(max_length=2000)]


class Fact(Value):
    """A frozen record read from what the caller's own process wrote: held to types and limits."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Failure(Fact):
    """A test that failed, or a file that could not be collected."""

    test: str
    message: str
    file: str | None = None
    line: int | None = None


class FunctionCoverage(Fact):
    """How much of a function the tests ran; `name` is dotted inside classes and functions, `line` where it begins."""

    name: str
    percent: float
    statements: int
    line: int | None = None


class FileCoverage(Fact):
    """How much of a file the tests ran; `percent` counts statements and branches together, as coverage.py does."""

    file: str
    percent: float
    statements: int
    branches: int
    missing_lines: tuple[int, ...] = ()
    missing_branches: tuple[tuple[int, int], ...] = ()
    functions: tuple[FunctionCoverage, ...] = ()


class TestRun(Fact):
    """A run of pytest; `coverage` is None where nothing was measured, so that nobody takes that for enough."""

    __test__ = False  # pytest must not take it for a test of its own

    command: str
    status: int
    seconds: float
    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0
    expected_failures: int = 0
    failures: tuple[Failure, ...] = ()
    skip_reasons: tuple[str, ...] = ()
    reported: bool = True
    timed_out: bool = False
    flooded: bool = False
    tools_missing: tuple[str, ...] = ()
    coverage: tuple[FileCoverage, ...] | None = None
    last_lines: str = ""

    @property
    def sound(self) -> bool:
        """Whether pytest came to its end, with a test that passed and none that failed."""
        ended = self.reported and not (self.timed_out or self.flooded)
        return ended and self.status == 0 and self.passed > 0 and self.failed + self.errors == 0

    @property
    def total(self) -> int:
        """All tests that were collected."""
        return self.passed + self.failed + self.errors + self.skipped + self.expected_failures


class Example(Fact):
    """A row on which the two sides differ; `row` counts from 0 in the data file."""

    row: int
    training: Annotated[Scalar, Field(union_mode="left_to_right")]
    serving: Annotated[Scalar, Field(union_mode="left_to_right")]


class Disagreement(Fact):
    """A column on which the two sides differ, on how many of the rows compared, and in which modes it shows."""

    column: Short
    count: Annotated[int, Field(ge=1)]
    examples: Annotated[tuple[Example, ...], Field(max_length=10)]
    modes: Annotated[tuple[Mode, ...], Field(max_length=4)] = ("alone",)


class Retyped(Fact):
    """A column of which the two sides make values of different kinds."""

    column: Short
    training: Short
    serving: Short


class Raised(Fact):
    """A transform that raised: on how many rows, on which first (None: on the table as a whole)."""

    side: Side
    rows: int
    row: int | None
    error: Short
    file: Short | None
    line: int | None
    mode: Mode = "alone"


class Changed(Fact):
    """A transform that returned another number of rows than it was given."""

    side: Side
    rows: int
    row: int | None
    given: int
    returned: int
    mode: Mode = "alone"


class Unloadable(Fact):
    """A transform that could not be imported."""

    reference: Short
    error: Short
    file: Short | None
    line: int | None


class Output(Fact):
    """The features that one side made of the rows compared: the file they were kept in, or why there is none."""

    side: Side
    file: Literal["training.parquet", "training.csv", "serving.parquet", "serving.csv"] | None = None
    error: Short | None = None


class Agreement(Fact):
    """The comparison of training and serving; `failed` says why there is none.

    `modes` are those in which serving was asked and compared, `unused` the columns with a tolerance of their own that
    training does not make.
    """

    rows: Annotated[int, Field(ge=0)] = 0
    columns: Annotated[int, Field(ge=0)] = 0
    missing: Annotated[tuple[Unloadable, ...], Field(max_length=2)] = ()
    files: Annotated[tuple[Short | None, ...], Field(max_length=2)] = ()
    raised: Annotated[tuple[Raised, ...], Field(max_length=8)] = ()
    changed: Annotated[tuple[Changed, ...], Field(max_length=8)] = ()
    only_training: Annotated[tuple[Short, ...], Field(max_length=200)] = ()
    only_serving: Annotated[tuple[Short, ...], Field(max_length=200)] = ()
    reordered: bool = False
    disagreements: Annotated[tuple[Disagreement, ...], Field(max_length=200)] = ()
    disagreeing_columns: int = 0
    retyped: Annotated[tuple[Retyped, ...], Field(max_length=200)] = ()
    modes: Annotated[tuple[Mode, ...], Field(max_length=4)] = ()
    unused: Annotated[tuple[Short, ...], Field(max_length=1000)] = ()
    outputs: Annotated[tuple[Output, ...], Field(max_length=2)] = ()
    failed: Annotated[str, Field(max_length=8000)] | None = None


@dataclass(frozen=True)
class Part:
    """What one further check of the transforms has to say in the verdict: findings, tables, what it judged."""

    findings: tuple[Finding, ...] = ()
    tables: tuple[Table, ...] = ()
    subjects: tuple[Subject, ...] = ()
