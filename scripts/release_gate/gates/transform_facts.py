"""What transform-tests judges: how the caller's tests went, what they covered, where the transforms differ."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from release_gate.verdict import Scalar, Value

Side = Literal["training", "serving"]
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


class FileCoverage(Fact):
    """How much of a file the tests ran; `percent` counts statements and branches together, as coverage.py does."""

    file: str
    percent: float
    statements: int
    branches: int
    missing_lines: tuple[int, ...] = ()
    missing_branches: tuple[tuple[int, int], ...] = ()


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
    def total(self) -> int:
        """All tests that were collected."""
        return self.passed + self.failed + self.errors + self.skipped + self.expected_failures


class Example(Fact):
    """A row on which the two sides differ; `row` counts from 0 in the data file."""

    row: int
    training: Annotated[Scalar, Field(union_mode="left_to_right")]
    serving: Annotated[Scalar, Field(union_mode="left_to_right")]


class Disagreement(Fact):
    """A column on which the two sides differ, on how many of the rows compared."""

    column: Short
    count: Annotated[int, Field(ge=1)]
    examples: Annotated[tuple[Example, ...], Field(max_length=10)]


class Raised(Fact):
    """A transform that raised: on how many rows, on which first (None: on the table as a whole)."""

    side: Side
    rows: int
    row: int | None
    error: Short
    file: Short | None
    line: int | None


class Changed(Fact):
    """A transform that returned another number of rows than it was given."""

    side: Side
    rows: int
    row: int | None
    given: int
    returned: int


class Unloadable(Fact):
    """A transform that could not be imported."""

    reference: Short
    error: Short
    file: Short | None
    line: int | None


class Agreement(Fact):
    """The comparison of training and serving; `failed` says why there is none."""

    rows: Annotated[int, Field(ge=0)] = 0
    columns: Annotated[int, Field(ge=0)] = 0
    missing: Annotated[tuple[Unloadable, ...], Field(max_length=2)] = ()
    files: Annotated[tuple[Short | None, ...], Field(max_length=2)] = ()
    raised: Annotated[tuple[Raised, ...], Field(max_length=2)] = ()
    changed: Annotated[tuple[Changed, ...], Field(max_length=2)] = ()
    only_training: Annotated[tuple[Short, ...], Field(max_length=200)] = ()
    only_serving: Annotated[tuple[Short, ...], Field(max_length=200)] = ()
    reordered: bool = False
    disagreements: Annotated[tuple[Disagreement, ...], Field(max_length=200)] = ()
    disagreeing_columns: int = 0
    failed: Annotated[str, Field(max_length=8000)] | None = None
