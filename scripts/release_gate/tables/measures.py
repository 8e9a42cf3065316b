"""The measures of a contract: numbers over a whole table or column, asked for in the same queries as the checks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import ibis

from release_gate.contracts.contract import Contract, Measure, Metric, Rule, RuleKind
from release_gate.contracts.counts import Measured
from release_gate.contracts.expressions import holds
from release_gate.contracts.values import Judged
from release_gate.tables.asking import Asking
from release_gate.tables.checks import ColumnChecks, once
from release_gate.tables.keys import present
from release_gate.tables.relation import Relation, Unanswered


class Measures:
    """What each measure came to, or why there is no number; `now` is what the age of rows is told against."""

    def __init__(
        self, relation: Relation, contract: Contract, checks: tuple[ColumnChecks, ...], now: datetime | None
    ) -> None:
        self.relation = relation
        self.measures = contract.measures
        self.columns = {one.name: one.judged for one in checks}
        self.now = now
        self.causes: dict[int, str] = {}

    def ask(self, asking: Asking) -> None:
        """Ask for all that one pass can tell."""
        for place, measure in enumerate(self.measures):
            lacking = [name for name in measure.columns if name not in self.columns]
            if lacking:
                self.causes[place] = f"the table has no column '{lacking[0]}', or has it twice"
                continue
            try:
                self._ask(asking, ("measure", place), measure)
            except (ValueError, TypeError) as error:
                self.causes[place] = str(error)

    def _ask(self, asking: Asking, key: Any, measure: Measure) -> None:
        columns = [self.columns[name] for name in measure.columns]
        if measure.metric is Metric.NULLS:
            asking.count(key, columns[0].missing)
        elif measure.metric is Metric.MISSING:
            asking.count(key, once(_missing(columns[0], measure)))
        elif measure.metric is Metric.INVALID:
            asking.count(key, once([~holds(rule, columns[0]) for rule in measure.rules] + [columns[0].unreadable]))
        elif measure.metric is Metric.ABSENT:
            wanted = [Rule(RuleKind.ONE_OF, (value,)) for value in measure.values if value is not None]
            for number, rule in enumerate(wanted):
                asking.count((*key, number), holds(rule, columns[0]))
        elif measure.metric is Metric.AGE:
            asking.ask(key, _judgeable(columns[0]).max())
        elif measure.metric is Metric.DUPLICATES:
            values = [_judgeable(one) for one in columns]
            asking.count((*key, "present"), present(values))
            several = ibis.struct({f"v{number}": value for number, value in enumerate(values)})
            distinct = several.nunique(where=present(values)) if len(values) > 1 else values[0].nunique()
            asking.ask((*key, "distinct"), distinct)

    def told(self, known: Mapping[Any, Any]) -> tuple[Measured, ...]:
        """Every measure with its number; queries of the author's own are sent here, after everything else."""
        return tuple(self._told(place, measure, known) for place, measure in enumerate(self.measures))

    def _told(self, place: int, measure: Measure, known: Mapping[Any, Any]) -> Measured:
        if place in self.causes:
            return Measured(measure, None, self.causes[place])
        key, rows = ("measure", place), int(known["rows"])
        if measure.metric is Metric.QUERY:
            return self._queried(measure)
        if measure.metric is Metric.AGE:
            return self._age(measure, known[key])
        if measure.metric is Metric.ROWS:
            return Measured(measure, rows)
        if measure.metric is Metric.ABSENT:
            wanted = [value for value in measure.values if value is not None]
            absent = sum(1 for number in range(len(wanted)) if not known[(*key, number)])
            return Measured(measure, absent)
        several = measure.metric is Metric.DUPLICATES
        number = known[(*key, "present")] - known[(*key, "distinct")] if several else known[key]
        return Measured(measure, 100 * number / rows if measure.share and rows else float(number))

    def _age(self, measure: Measure, newest: Any) -> Measured:
        if newest is None or self.now is None:
            return Measured(measure, None, "not one row has a time" if self.now else "no time to compare with")
        if not isinstance(newest, date):
            return Measured(measure, None, f"column '{measure.columns[0]}' holds no moments")
        moment = newest if isinstance(newest, datetime) else datetime(newest.year, newest.month, newest.day)  # noqa: DTZ001
        return Measured(measure, (self.now - moment.replace(tzinfo=UTC)).total_seconds())

    def _queried(self, measure: Measure) -> Measured:
        try:
            value = self.relation.query(measure.query or "", measure.columns[0] if measure.columns else None)
            return Measured(measure, float(value))
        except Unanswered as refusal:
            return Measured(measure, None, str(refusal))
        except (TypeError, ValueError):
            return Measured(measure, None, "it gives no number")


def _judgeable(judged: Judged) -> Any:
    if judged.value is None:
        raise ValueError(f"column '{judged.column.name}' holds {judged.found.storage}, which is not judged")
    return judged.value


def _missing(judged: Judged, measure: Measure) -> list[Any]:
    """Null where it is named among the values, and each other value."""
    values = tuple(value for value in measure.values if value is not None)
    conditions = [judged.missing] if None in measure.values else []
    return conditions + ([holds(Rule(RuleKind.ONE_OF, values), judged)] if values else [])
