"""What a contract promises about a table, free of the file format it was written in.

Everything later (checks, comparison, the verdict's table) speaks of these values only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import total_ordering

from release_gate.verdict import Finding, Where

Bound = str | int | float
"""A limit as it is written: dates and times stay text until they meet the column's values."""

NOWHERE = Where()


class Kind(StrEnum):
    """The logical type of a column, in the words of the Open Data Contract Standard."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"
    TIME = "time"
    ARRAY = "array"
    OBJECT = "object"
    MAP = "map"
    VECTOR = "vector"

    @property
    def ordered(self) -> bool:
        """Whether a least and a greatest value mean something."""
        return self in {Kind.INTEGER, Kind.NUMBER, Kind.DATE, Kind.TIMESTAMP, Kind.TIME}


class OnNull(StrEnum):
    """What happens to a value that is missing."""

    REJECT = "reject"
    KEEP = "keep"
    IMPUTE = "impute"
    DROP_ROW = "drop row"


class OnInvalid(StrEnum):
    """What happens to a value that breaks a rule."""

    REJECT = "reject"
    CLIP = "clip"
    SET_NULL = "set null"
    QUARANTINE = "quarantine"


class RuleKind(StrEnum):
    """What a rule demands of every value that is not null."""

    AT_LEAST = "at least"
    ABOVE = "above"
    AT_MOST = "at most"
    BELOW = "below"
    ONE_OF = "one of"
    NONE_OF = "none of"
    PATTERN = "matching"
    MULTIPLE_OF = "a multiple of"
    LONGEST = "no longer than"
    SHORTEST = "no shorter than"

    @property
    def is_range(self) -> bool:
        """Whether clipping can mend a value that breaks the rule."""
        return self in {RuleKind.AT_LEAST, RuleKind.ABOVE, RuleKind.AT_MOST, RuleKind.BELOW}


@dataclass(frozen=True)
class Rule:
    """One demand; `value` is a bound, a pattern, or a tuple of values for `one of` and `none of`."""

    kind: RuleKind
    value: Bound | tuple[Bound | bool, ...]

    def __str__(self) -> str:
        """In words: `at most 130`, `one of EWR, JFK, LGA`."""
        if not isinstance(self.value, tuple):
            return f"{self.kind.value} {self.value}"
        shown = ", ".join(str(value) for value in self.value[:8])
        more = f" and {len(self.value) - 8} more" if len(self.value) > 8 else ""
        return f"{self.kind.value} {shown}{more}"


@dataclass(frozen=True)
class Policy:
    """What is declared to happen to bad values; None where nothing is declared.

    `share` is the largest part of the rows that may be clipped, set to null or quarantined; 0 where none is named.
    """

    on_null: OnNull | None = None
    on_invalid: OnInvalid | None = None
    share: float = 0.0
    backfill: str | None = None
    sensitive: bool = False

    @property
    def invalid_words(self) -> str:
        """`reject`, `quarantine up to 5%`, or `not declared`."""
        if self.on_invalid is None:
            return "not declared"
        return self.on_invalid.value + (f" up to {self.share * 100:g}%" if self.share else "")

    @property
    def limit(self) -> float:
        """The largest part of the rows that may be invalid and yet pass."""
        if self.on_invalid in {OnInvalid.REJECT, None}:
            return 0.0
        return self.share or 1.0


@dataclass(frozen=True)
class Column:
    """One column's promise. `storage` is the exact type where one is named, `zone` whether times carry a zone."""

    name: str
    kind: Kind
    rules: tuple[Rule, ...] = ()
    policy: Policy = Policy()
    unique: bool = False
    storage: str | None = None
    zone: bool | None = None
    description: str | None = None
    where: Where = NOWHERE


@total_ordering
@dataclass(frozen=True)
class Version:
    """A semantic version; anything after `-` or `+` is kept out of the comparison."""

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> Version | None:
        """The version, or None where the text is none (semver.org, item 2 and 9)."""
        match = re.fullmatch(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:[-+][0-9A-Za-z.+-]+)?", text, re.ASCII)
        return cls(int(match[1]), int(match[2]), int(match[3])) if match else None

    def __lt__(self, other: Version) -> bool:
        """Order by major, minor, patch."""
        return (self.major, self.minor, self.patch) < (other.major, other.minor, other.patch)

    def __str__(self) -> str:
        """`1.2.3`."""
        return f"{self.major}.{self.minor}.{self.patch}"


@dataclass(frozen=True)
class Contract:
    """A table's promise: its columns, how many rows, and which columns together name a row."""

    name: str
    version: str
    columns: tuple[Column, ...]
    table: str = "table"
    owner: str | None = None
    rows_least: int | None = None
    rows_most: int | None = None
    key: tuple[str, ...] = ()
    unique_together: tuple[tuple[str, ...], ...] = ()
    file: str = ""
    format: str = "odcs"

    def column(self, name: str) -> Column | None:
        """The column of that name."""
        return next((column for column in self.columns if column.name == name), None)

    @property
    def semantic(self) -> Version | None:
        """The version, where it is a semantic one."""
        return Version.parse(self.version)

    @property
    def sensitive(self) -> frozenset[str]:
        """Columns whose values never appear in any output."""
        return frozenset(column.name for column in self.columns if column.policy.sensitive)

    @property
    def unique_sets(self) -> tuple[tuple[str, ...], ...]:
        """Every set of columns that must name a row at most once; the key first, none twice."""
        singles = tuple((column.name,) for column in self.columns if column.unique)
        sets = ((self.key,) if self.key else ()) + self.unique_together + singles
        return tuple(dict.fromkeys(sets))


@dataclass(frozen=True)
class Reading:
    """A contract as it was read, and what it should declare and does not."""

    contract: Contract
    findings: tuple[Finding, ...] = ()
