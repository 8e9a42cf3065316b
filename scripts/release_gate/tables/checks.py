"""The checks of a contract bound to an open table: one a rule and column, each with the rows it fails."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache, cached_property, reduce
from operator import or_
from typing import Any

from release_gate.contracts.contract import Column, Contract, Rule
from release_gate.contracts.counts import Fit
from release_gate.contracts.expressions import holds, limit, sense
from release_gate.contracts.proof import provable, proven
from release_gate.contracts.values import JUDGED, Judged, judged
from release_gate.tables.relation import Relation, Unanswered


@dataclass(frozen=True)
class Check:
    """One rule of one column; `place` is the rule's own among those of its column."""

    place: int
    rule: Rule
    judged: Judged = field(repr=False, compare=False)
    bound: Any = None
    provable: bool = False
    rounded: bool = False
    """Whether the least and greatest value come in microseconds and are stored in nanoseconds."""

    @property
    def key(self) -> tuple[str, str, int]:
        """What its count is kept under; columns may be called as anything else that is counted."""
        return "check", self.judged.column.name, self.place

    @cached_property
    def fails(self) -> Any:
        """Whether a row breaks the rule, as an expression; null where there is nothing to judge."""
        return ~holds(self.rule, self.judged)

    def proven(self, least: Any, most: Any) -> bool:
        """Whether the least and greatest value of the column prove the rule."""
        if self.rounded and least is not None and most is not None:
            try:
                least, most = least - timedelta(microseconds=1), most + timedelta(microseconds=1)
            except OverflowError:
                return False  # the last nanosecond that 64 bits hold is told as the end of time
        return self.provable and proven(self.rule, self.bound, least, most)


@dataclass(frozen=True)
class ColumnChecks:
    """A declared column that is there, with its checks; `unjudgeable` are rules that make no sense or are refused."""

    judged: Judged
    checks: tuple[Check, ...] = ()
    unjudgeable: tuple[tuple[Rule, str], ...] = ()

    @property
    def name(self) -> str:
        """The column's name."""
        return self.judged.column.name


def checks_of(contract: Contract, relation: Relation) -> Iterator[ColumnChecks]:
    """The checks of every declared column that stands in the table once."""
    names = [one.name for one in relation.shape.columns]
    table = cache(lambda: relation.table)
    for column in contract.columns:
        if names.count(column.name) == 1:
            found = relation.shape.columns[names.index(column.name)]
            yield _column(column, judged(column, found, table))


def _column(column: Column, given: Judged) -> ColumnChecks:
    checks, unjudgeable = [], []
    # A column of another type breaks no rule of this one: that it is of another type is the finding.
    if given.fit is not Fit.WRONG and given.found.storage != "null":
        for place, rule in enumerate(column.rules):
            try:
                checks.append(_check(place, rule, given))
            except (ValueError, TypeError) as error:
                unjudgeable.append((rule, str(error)))
    return ColumnChecks(given, tuple(checks), tuple(unjudgeable))


def _check(place: int, rule: Rule, given: Judged) -> Check:
    sense(rule, given)
    check = _bound(place, rule, given) if provable(rule, given.column.kind) else Check(place, rule, given)
    if not (given.plain and given.column.kind in JUDGED):
        check.fails  # noqa: B018 - of what is read or nested only making it tells whether an engine can judge it
    return check


def _bound(place: int, rule: Rule, given: Judged) -> Check:
    """A check that the least and the greatest value may prove."""
    bound, text = limit(rule, given), given.found.text
    if given.found.type.word == "float" and not text:
        # As the engine compares: a bound of 0.1 is that of 32 bits there.
        bound = struct.unpack("f", struct.pack("f", bound))[0]
    return Check(place, rule, given, bound, provable=True, rounded=not text and given.found.nanoseconds)


def once(conditions: Iterable[Any]) -> Any:
    """Whether any of the conditions is true; null counts as not.

    Raises:
        ValueError: there are none.
    """
    found = [condition.fill_null(False) for condition in conditions if condition is not None]
    if not found:
        raise ValueError("there is no value to look for")
    return reduce(or_, found)


def under_names(table: Any, values: Mapping[str, Any]) -> Any:
    """A selection of values under any names: as keywords, `self` would be one of Ibis' own."""
    return table.select([value.name(name) for name, value in values.items()])


def moved(condition: Any, old: Any, new: Any) -> Any:
    """A condition on one table, on another that has the same columns."""
    return condition.op().replace({old.op(): new.op()}).to_expr()


def refused(relation: Relation, checks: Sequence[ColumnChecks]) -> tuple[ColumnChecks, ...] | None:
    """The checks without those that the engine refuses even on no rows; None where it refuses none of them."""
    found, any_refused = [], False
    for one in checks:
        kept, unjudgeable = [], list(one.unjudgeable)
        for check in one.checks:
            try:
                relation.rows(relation.table.filter(check.fails).limit(0))
                kept.append(check)
            except Unanswered as refusal:
                unjudgeable.append((check.rule, str(refusal)))
                any_refused = True
        found.append(replace(one, checks=tuple(kept), unjudgeable=tuple(unjudgeable)))
    return tuple(found) if any_refused else None
