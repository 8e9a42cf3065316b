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
    STARTS_WITH = "starting with"
    ENDS_WITH = "ending with"
    FEWEST_ITEMS = "of no fewer items than"
    MOST_ITEMS = "of no more items than"
    DISTINCT_ITEMS = "without an item twice"

    @property
    def is_range(self) -> bool:
        """Whether clipping can mend a value that breaks the rule."""
        return self in {RuleKind.AT_LEAST, RuleKind.ABOVE, RuleKind.AT_MOST, RuleKind.BELOW}


_BREACHES = {
    RuleKind.NONE_OF: "one of",
    RuleKind.LONGEST: "longer than",
    RuleKind.SHORTEST: "shorter than",
    RuleKind.FEWEST_ITEMS: "of fewer items than",
    RuleKind.MOST_ITEMS: "of more items than",
    RuleKind.DISTINCT_ITEMS: "with an item twice",
}
"""What breaks a rule that forbids; of all others `not` says it."""


@dataclass(frozen=True)
class Rule:
    """One demand; `value` is a bound, a pattern, or a tuple of values for `one of` and `none of`.

    A rule that `warns` is told and blocks nothing (pandera's `raise_warning`, the standard's `severity: warning`).
    """

    kind: RuleKind
    value: Bound | tuple[Bound | bool, ...]
    warns: bool = False

    def __str__(self) -> str:
        """In words: `at most 130`, `one of EWR, JFK, LGA`."""
        return self._with(self.kind.value)

    @property
    def breach(self) -> str:
        """What a value that breaks it is, in words: `not at most 130`, `shorter than 2`."""
        return self._with(_BREACHES.get(self.kind, f"not {self.kind.value}"))

    def _with(self, words: str) -> str:
        if self.kind is RuleKind.DISTINCT_ITEMS:
            return words
        if not isinstance(self.value, tuple):
            return f"{words} {self.value}"
        shown = ", ".join(str(value) for value in self.value[:8])
        more = f" and {len(self.value) - 8} more" if len(self.value) > 8 else ""
        return f"{words} {shown}{more}"


@dataclass(frozen=True)
class Backfill:
    """How missing history is filled, who does it, since when it is complete; a sentence is all `how`."""

    how: str
    who: str | None = None
    since: str | None = None

    def __str__(self) -> str:
        """One line for people."""
        parts = [self.how, *([f"by {self.who}"] if self.who else []), *([f"since {self.since}"] if self.since else [])]
        return ", ".join(parts)


@dataclass(frozen=True)
class Policy:
    """What is declared to happen to bad values; None where nothing is declared.

    `share` is the largest part of the rows that may be clipped, set to null or quarantined; 0 where none is named.
    `impute` is the value that takes the place of a missing one; None where the reader of the data knows it alone.
    `drift` is how far the share of nulls may move from that of the last accepted data, in parts of 1.
    """

    on_null: OnNull | None = None
    on_invalid: OnInvalid | None = None
    share: float = 0.0
    backfill: Backfill | None = None
    sensitive: bool = False
    impute: Bound | bool | None = None
    drift: float | None = None

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
    """One column's promise. `storage` is the exact type where one is named, `zone` whether times carry a zone.

    A column that is not `required` may be absent from the table. `since` is the contract's version that brought it.
    """

    name: str
    kind: Kind
    rules: tuple[Rule, ...] = ()
    policy: Policy = Policy()
    unique: bool = False
    storage: str | None = None
    zone: bool | None = None
    description: str | None = None
    required: bool = True
    since: str | None = None
    where: Where = NOWHERE


class Metric(StrEnum):
    """What a measure counts in a whole table or column."""

    ROWS = "rows"
    NULLS = "null values"
    MISSING = "missing values"
    INVALID = "invalid values"
    DUPLICATES = "duplicate values"
    ABSENT = "values of the set that are absent"
    AGE = "age of the newest row"
    QUERY = "result of the query"


@dataclass(frozen=True)
class Bounds:
    """What a number may be: from `least` to `most`, either open or excluded; `outside` turns it round."""

    least: float | None = None
    most: float | None = None
    least_excluded: bool = False
    most_excluded: bool = False
    outside: bool = False

    def hold(self, value: float) -> bool:
        """Whether the number may be that."""
        low = self.least is None or (value > self.least if self.least_excluded else value >= self.least)
        high = self.most is None or (value < self.most if self.most_excluded else value <= self.most)
        return (low and high) is not self.outside

    def __str__(self) -> str:
        """In words: `at most 5`, `above 0 and below 1`, `not 3`."""
        if self.least == self.most and self.least is not None:
            return f"{'not ' * self.outside}{self.least:.15g}"
        low = "" if self.least is None else f"{'above' if self.least_excluded else 'at least'} {self.least:.15g}"
        high = "" if self.most is None else f"{'below' if self.most_excluded else 'at most'} {self.most:.15g}"
        inside = " and ".join(part for part in (low, high) if part)
        return f"not both {inside}" if self.outside else inside


@dataclass(frozen=True)
class Measure:
    """A number counted over the whole table that must lie within bounds, such as at most 5 % of nulls.

    Attributes:
        metric: what is counted.
        bounds: what it may be; of `age` in seconds.
        share: whether the bounds are parts of the rows in percent (0 to 100) rather than rows.
        columns: the column it concerns; of duplicates all that are compared together; none for the whole table.
        rules: of invalid values, what a value must keep.
        values: of missing and absent values, those that are looked for; None among them means null.
        query: of a query, one SELECT; `{table}` stands for the data, `{column}` for the column.
        name: what the author calls it.
        zone: of an age the zone of moments that carry none; UTC where none is named.
        warns: whether a breach is only told.
    """

    metric: Metric
    bounds: Bounds
    share: bool = False
    columns: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    values: tuple[Bound | bool | None, ...] = ()
    query: str | None = None
    name: str | None = None
    zone: str | None = None
    warns: bool = False
    where: Where = NOWHERE


@dataclass(frozen=True)
class Custom:
    """A check in the caller's Python that no engine can run: `column` is None for one of the whole table.

    `place` is its number among the checks of the column (or table) in the schema of `Contract.reference`.
    """

    name: str
    place: int
    column: str | None = None
    warns: bool = False


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
    """A table's promise: its columns, how many rows, and which columns together name a row.

    `closed` refuses columns that are not declared, `ordered` any order but the declared one. `reference` is the
    `module:Schema` that `custom` checks are run from.
    """

    name: str
    version: str
    columns: tuple[Column, ...]
    table: str = "table"
    owner: str | None = None
    rows_least: int | None = None
    rows_most: int | None = None
    key: tuple[str, ...] = ()
    unique_together: tuple[tuple[str, ...], ...] = ()
    measures: tuple[Measure, ...] = ()
    custom: tuple[Custom, ...] = ()
    closed: bool = False
    ordered: bool = False
    reference: str | None = None
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
