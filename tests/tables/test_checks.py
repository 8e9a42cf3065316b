"""What a rule makes of a column is refused before it is compiled, or not at all."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
from typing import Any

import ibis
import pytest

from release_gate.contracts.contract import Column, Contract, Kind, Rule, RuleKind
from release_gate.contracts.expressions import sense
from release_gate.contracts.found import Found, found
from release_gate.contracts.values import JUDGED, Judged, judged
from release_gate.tables.checks import checks_of
from release_gate.tables.duckdb_types import PLAIN, ZONED, type_of
from release_gate.tables.relation import Shape

WORDS = [*PLAIN, ZONED, "DECIMAL(38,0)", "DECIMAL(9,2)", "INTEGER[]"]
VALUES: list[Any] = [
    0, 1, -1, 2**63, -(2**63), 10**30, 0.5, 1e300, float("inf"), -float("inf"), True, "", "a", "2020-01-01",
    "2020-01-01T10:00:00+02:00", "10:00", "1677-01-01", dt.date(2020, 1, 1), dt.datetime(2020, 1, 1, tzinfo=dt.UTC),
    dt.time(1), (1, "a", 0.5, True), ("2020-01-01", 2**70), (),
]  # fmt: skip
PATTERNS = {RuleKind.PATTERN, RuleKind.STARTS_WITH, RuleKind.ENDS_WITH}
LENGTHS = {RuleKind.LONGEST, RuleKind.SHORTEST, RuleKind.FEWEST_ITEMS, RuleKind.MOST_ITEMS}


class Empty:
    """A table of one column of this type, which is only compiled."""

    def __init__(self, column: Found) -> None:
        self.shape = Shape("none", (column,))
        self.table = ibis.table({column.held: column.dtype}, name="data")

    def opened(self) -> Any:
        return self.table


def columns() -> list[tuple[Column, Found]]:
    return [
        (Column("a", kind), found("a", "c0", type_of(word)))
        for kind, word in itertools.product(JUDGED | {Kind.ARRAY}, WORDS)
    ]


def sensible(rule: Rule, one: Judged) -> bool:
    with contextlib.suppress(ValueError):
        sense(rule, one)
        return True
    return False


@pytest.mark.parametrize("kind", RuleKind)
def test_a_rule_that_has_sense_for_a_plain_column_can_be_compiled(kind: RuleKind) -> None:
    values = {*PATTERNS, *LENGTHS} & {kind}
    several = kind in {RuleKind.ONE_OF, RuleKind.NONE_OF}
    compiled = 0
    for (column, stored), value in itertools.product(columns(), VALUES):
        if isinstance(value, tuple) is not several or (values and type(value) is not (int if kind in LENGTHS else str)):
            continue
        if kind is RuleKind.MULTIPLE_OF and not (type(value) in {int, float} and 0 < value < float("inf")):
            continue
        rule = Rule(kind, value)
        table = Empty(stored)
        one = judged(column, stored, table.opened)
        if one.plain and column.kind in JUDGED and sensible(rule, one):
            (checks,) = checks_of(Contract("a", "1.0.0", (Column("a", column.kind, (rule,)),)), table)  # type: ignore[arg-type] # only compiled
            (check,) = checks.checks
            assert check.fails.type().is_boolean(), (column.kind, stored.type.word, rule)
            compiled += 1
    assert compiled or kind in {RuleKind.FEWEST_ITEMS, RuleKind.MOST_ITEMS, RuleKind.DISTINCT_ITEMS}
