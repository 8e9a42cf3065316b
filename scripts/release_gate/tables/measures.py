"""The measures of a contract: numbers over a whole table or column, asked for in the same queries as the checks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from release_gate.contracts.contract import Contract, Kind, Measure, Metric, Rule, RuleKind
from release_gate.contracts.counts import Measured
from release_gate.contracts.expressions import holds, literal
from release_gate.contracts.values import Judged
from release_gate.on_demand import ibis
from release_gate.tables.asking import Asking
from release_gate.tables.checks import ColumnChecks, once, under_names
from release_gate.tables.keys import present
from release_gate.tables.relation import Relation, Unanswered

_UNREAD = {"BinderException", "CatalogException", "ParserException"}
"""What DuckDB says of a query's own words."""
_SLACK = {Kind.TIMESTAMP: timedelta(hours=1), Kind.DATE: timedelta(hours=14)}
"""How far ahead of ours another clock may be, and a day that began in the east."""


class Measures:
    """What each measure came to, or why there is no number; `now` is what the age of rows is told against."""

    def __init__(
        self, relation: Relation, contract: Contract, checks: tuple[ColumnChecks, ...], now: datetime | None,
        refused: Mapping[int, str] = MappingProxyType({}),
    ) -> None:  # fmt: skip
        """`refused` are those, by their place, that the engine does not answer, and why."""
        self.relation = relation
        self.measures = contract.measures
        self.sensitive = contract.sensitive
        self.columns = {one.name: one.judged for one in checks}
        self.now = now
        self.causes = dict(refused)

    def refused(self) -> dict[int, str]:
        """Those that the engine refuses even on no rows, by their place, and why."""
        found = {}
        for place, measure in enumerate(self.measures):
            asking = Asking(self.relation)
            try:
                self._ask_one(asking, place, measure)
                asking.answers_on_nothing()
            except Unanswered as refusal:
                found[place] = self._cause(refusal)
        return found

    def ask(self, asking: Asking) -> None:
        """Ask for all that one pass can tell."""
        for place, measure in enumerate(self.measures):
            if place not in self.causes:
                self._ask_one(asking, place, measure)

    def _ask_one(self, asking: Asking, place: int, measure: Measure) -> None:
        lacking = [name for name in measure.columns if name not in self.columns]
        if lacking:
            self.causes[place] = f"the table has no column '{lacking[0]}', or has it twice"
            return
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
            self._ask_age(asking, key, measure, columns[0])
        elif measure.metric is Metric.DUPLICATES:
            values = [_judgeable(one) for one in columns]
            asking.count((*key, "present"), present(values))
            several = ibis.struct({f"v{number}": value for number, value in enumerate(values)})
            distinct = several.nunique(where=present(values)) if len(values) > 1 else values[0].nunique()
            asking.ask((*key, "distinct"), distinct)

    def _ask_age(self, asking: Asking, key: Any, measure: Measure, judged: Judged) -> None:
        """The newest row of those whose time has come: one wrong row from the future would be fresh for ever."""
        moment = _judgeable(judged)
        if judged.column.kind not in {Kind.DATE, Kind.TIMESTAMP}:
            raise ValueError(f"column '{judged.column.name}' holds no moments")
        if self.now is None:
            raise ValueError("no time to compare with")
        edge = self.now.astimezone(_zone(measure)).replace(tzinfo=None) + _SLACK[judged.column.kind]
        last = literal(edge.date() if judged.column.kind is Kind.DATE else edge, judged)
        asking.ask(key, moment.max(where=moment <= last))
        asking.count((*key, "ahead"), moment > last)

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
            return self._age(measure, known[key], known[*key, "ahead"])
        if measure.metric is Metric.ROWS:
            return Measured(measure, rows)
        if measure.metric is Metric.ABSENT:
            wanted = [value for value in measure.values if value is not None]
            absent = sum(1 for number in range(len(wanted)) if not known[(*key, number)])
            return Measured(measure, absent)
        several = measure.metric is Metric.DUPLICATES
        number = known[(*key, "present")] - known[(*key, "distinct")] if several else known[key]
        return Measured(measure, 100 * number / rows if measure.share and rows else float(number))

    def _age(self, measure: Measure, newest: Any, ahead: int) -> Measured:
        if newest is None or self.now is None:
            return Measured(measure, None, "no row's time has come yet" if ahead else "not one row has a time", ahead)
        moment = newest if isinstance(newest, datetime) else datetime(newest.year, newest.month, newest.day)  # noqa: DTZ001
        return Measured(measure, (self.now - moment.replace(tzinfo=_zone(measure))).total_seconds(), ahead=ahead)

    def _queried(self, measure: Measure) -> Measured:
        try:
            column = measure.columns[0] if measure.columns else None
            value = self.relation.query(measure.query or "", column, self._seen())
            number = float(value)
            # NaN is outside any range, and would keep every bound that only forbids.
            return Measured(measure, None, "it gives no number") if math.isnan(number) else Measured(measure, number)
        except Unanswered as refusal:
            return Measured(measure, None, self._cause(refusal))
        except (TypeError, ValueError):
            return Measured(measure, None, "it gives no number")

    def _seen(self) -> Any | None:
        """The table with text as the contract reads it: as text, 9 would be more than 34."""
        from release_gate.tables.cleaning import stored  # noqa: PLC0415 - it is written by what scans

        columns = self.relation.shape.columns
        if not any(one.text for one in columns) or len({one.name for one in columns}) != len(columns):
            return None
        table, values = self.relation.table, {}
        for one in columns:
            judged = self.columns.get(one.name)
            value: Any = judged.value if judged is not None and one.text else None
            values[one.name] = table[one.held] if judged is None or value is None else value.try_cast(stored(judged))
        return under_names(table, values)

    def _cause(self, refusal: Unanswered) -> str:
        """Why a query has no answer; what the engine itself says may quote any value that the query meets."""
        error = refusal.__cause__
        names_only = type(error).__name__ in _UNREAD  # before a row is read
        if error is None or names_only or refusal.full or not self.sensitive:
            return str(refusal)
        return f"the engine refuses it ({type(error).__name__}); its words may quote a value of a sensitive column"


def _zone(measure: Measure) -> tzinfo:
    return ZoneInfo(measure.zone) if measure.zone is not None else UTC


def _judgeable(judged: Judged) -> Any:
    if judged.value is None:
        raise ValueError(f"column '{judged.column.name}' holds {judged.found.storage}, which is not judged")
    return judged.value


def _missing(judged: Judged, measure: Measure) -> list[Any]:
    """Null where it is named among the values, and each other value."""
    values = tuple(value for value in measure.values if value is not None)
    conditions = [judged.missing] if None in measure.values else []
    return conditions + ([holds(Rule(RuleKind.ONE_OF, values), judged)] if values else [])
