"""What was counted in a table against a contract: plain numbers that a pure gate judges.

Values of sensitive columns never enter these records, but for the number of a measure, which is judged and not shown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from release_gate.contracts.contract import Custom, Measure, Rule


class Fit(StrEnum):
    """How the type found fits the type promised."""

    FITS = "fits"
    STORAGE = "other storage"
    """Another exact type, and every value is one of the promised type."""
    WRONG = "wrong"


@dataclass(frozen=True)
class Example:
    """One failing row: its number from 1, its key, and the value; None where that is sensitive or there is none.

    A table in a database numbers no rows. `file` names the file the row is in, where there are several.
    """

    row: int | None
    key: str | None
    value: str | None
    file: str | None = None


@dataclass(frozen=True)
class Broken:
    """Rows of a column that break one rule; `rule` is None where a text can't be read as the column's type."""

    rule: Rule | None
    rows: int
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True)
class ColumnCount:
    """What one declared column holds. `invalid` counts rows that break any rule that blocks, each row once.

    `misfits` counts rows whose value tells that the type is wrong: a fraction among integers.
    """

    name: str
    found: str | None
    fit: Fit = Fit.FITS
    misfits: int = 0
    misfit_examples: tuple[Example, ...] = ()
    nulls: int = 0
    null_examples: tuple[Example, ...] = ()
    invalid: int = 0
    broken: tuple[Broken, ...] = ()
    unjudgeable: tuple[tuple[Rule, str], ...] = ()


@dataclass(frozen=True)
class KeyCount:
    """Rows that share the values of columns which must name a row at most once."""

    columns: tuple[str, ...]
    rows: int
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True)
class Measured:
    """What a measure came to: the number, or the cause why there is none. A share is in percent, an age in seconds.

    `ahead` counts rows of which an age is not told, since their time has not come yet.
    """

    measure: Measure
    value: float | None
    cause: str | None = None
    ahead: int = 0


@dataclass(frozen=True)
class CustomCount:
    """Rows that fail a check of the caller's Python; `cause` says why it could not be run.

    `whole` says that it had to see the whole column or table at once, and `rows` is all of them where it only says
    yes or no of them together.
    """

    check: Custom
    rows: int = 0
    examples: tuple[Example, ...] = ()
    cause: str | None = None
    whole: bool = False


@dataclass(frozen=True)
class Effort:
    """What the scan took: which engine, how many checks were proven without counting rows, counted, queries sent."""

    engine: str
    proven: int = 0
    counted: int = 0
    queries: int = 0


@dataclass(frozen=True)
class Counts:
    """A whole table: `missing` and `undeclared` name columns, `repeated` those that stand there more than once."""

    table: str
    rows: int
    columns: tuple[ColumnCount, ...] = ()
    keys: tuple[KeyCount, ...] = ()
    missing: tuple[str, ...] = ()
    undeclared: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()
    measures: tuple[Measured, ...] = ()
    custom: tuple[CustomCount, ...] = ()
    misplaced: bool = False
    """The declared columns stand in another order."""
    effort: Effort | None = None
    quarantined: int = 0
    quarantine: str | None = None
    delimiter: str | None = field(default=None)
    """The character that seems to part the columns, where the file was not parted by it."""
