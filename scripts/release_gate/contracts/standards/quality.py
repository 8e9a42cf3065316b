"""Turns the standard's `quality` entries into rules, keys and measures; what can't be judged is refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from open_data_contract_standard.model import DataQuality

from release_gate.contracts.bounds import bad_bound
from release_gate.contracts.contract import Bounds, Kind, Measure, Metric, Rule, RuleKind
from release_gate.contracts.standards.odcs_options import zoned
from release_gate.contracts.standards.operators import OPERATORS, bounds, none_allowed
from release_gate.contracts.standards.quality_arguments import ARGUMENTS, Wrong, alone, missing, together, valid
from release_gate.documents import Document
from release_gate.findings import finding
from release_gate.mistakes import Path_
from release_gate.verdict import Finding, Severity

_OLD = {"duplicateCount": "duplicateValues", "nullCheck": "nullValues", "validValues": "invalidValues"}
"""What version 3.0 of the standard calls the metrics, under `rule`."""
_ENDS = {
    "minCheck": (("min", RuleKind.AT_LEAST),),
    "maxCheck": (("max", RuleKind.AT_MOST),),
    "between": (("min", RuleKind.AT_LEAST), ("max", RuleKind.AT_MOST)),
}
"""Rules of version 3.0 whose bounds stand in custom properties."""
_METRICS = {
    "nullValues": Metric.NULLS,
    "missingValues": Metric.MISSING,
    "invalidValues": Metric.INVALID,
    "duplicateValues": Metric.DUPLICATES,
    "rowCount": Metric.ROWS,
}
_MILD = frozenset({"warning", "warn", "info", "information", "low", "minor"})


@dataclass(frozen=True)
class Around:
    """What an entry stands in: the table, its columns by every name, and the column with its options, if it has one."""

    tables: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    column: str | None = None
    kind: Kind = Kind.STRING
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Quality:
    """What the quality entries of one column or table amount to; filled while they are read."""

    document: Document
    around: Around = Around()
    rules: list[Rule] = field(default_factory=list)
    required: bool = False
    unique: bool = False
    unique_together: list[tuple[str, ...]] = field(default_factory=list)
    rows_least: int | None = None
    rows_most: int | None = None
    measures: list[Measure] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    faults: list[Finding] = field(default_factory=list)

    def read(self, entries: object, path: Path_) -> Quality:
        """Read every entry of a `quality` list that stands at `path`."""
        for index, entry in enumerate(entries if isinstance(entries, list) else []):
            at = (*path, index)
            if isinstance(entry, dict):
                try:
                    self._entry(entry, at)
                except Wrong as wrong:
                    name = f"quality rule '{entry['name']}'" if entry.get("name") else "quality rule"
                    self.faults.append(finding(wrong.code, f"{name}: {wrong}", where=self.document.where(at)))
        return self

    def _entry(self, entry: dict[str, Any], at: Path_) -> None:
        kind, metric = entry.get("type") or "library", entry.get("metric") or entry.get("rule")
        if kind == "text":
            _prose(entry)
        elif kind == "sql":
            self._query(entry, at)
        elif kind == "custom":
            self._unjudged(entry, f"a rule of type `custom` for the engine {entry.get('engine') or 'not named'}", at)
        elif kind != "library":
            raise Wrong(f"unknown type '{kind}'; known: library, sql, text, custom")
        elif metric is None:
            if not set(entry) <= set(DataQuality.model_fields):
                return  # a misspelt key is told already, and may be the metric
            raise Wrong(f"a rule of the library needs a `metric`: {', '.join(_METRICS)}")
        elif metric in _ENDS:
            self._ends(entry, str(metric))
        elif (known := _OLD.get(str(metric), str(metric))) not in _METRICS:
            self._unjudged(entry, f"the metric `{metric}`", at)
        else:
            self._library(known, entry, at)

    def _library(self, metric: str, entry: dict[str, Any], at: Path_) -> None:
        column, arguments = self.around.column, self._arguments(metric, entry, at)
        if (metric == "rowCount") is (column is not None) and metric != "duplicateValues":
            raise Wrong(f"`{metric}` belongs to {'the table' if column else 'a column'}")
        unit = entry.get("unit") or "rows"
        if unit not in {"rows", "percent"} or (metric == "rowCount" and unit != "rows"):
            self._unjudged(entry, f"`{metric}` in the unit `{unit}`", at)
            return
        share = unit == "percent"
        read = self._bounds(entry, share=share, free=metric in {"nullValues", "invalidValues"} and "rule" in entry)
        made = Measure(
            metric=_METRICS[metric],
            bounds=read,
            share=share,
            columns=self._compared(metric, arguments),
            rules=tuple(valid(arguments)) if metric == "invalidValues" else (),
            values=tuple(missing(arguments, self.around.kind)) if metric == "missingValues" else (),
            name=entry.get("name"),
            warns=mild(entry),
            where=self.document.where(at),
        )
        if not self._plain(made):
            self.measures.append(made)

    def _compared(self, metric: str, arguments: dict[str, Any]) -> tuple[str, ...]:
        """The columns that a metric is of; none of the number of rows."""
        column, columns = self.around.column, self.around.columns
        if column is not None:
            return alone(arguments, columns, column)
        return together(arguments, columns) if metric == "duplicateValues" else ()

    def _plain(self, made: Measure) -> bool:
        """Whether the measure says no more than a rule of each row, a key, or bounds of the rows, and was noted so."""
        if made.metric is Metric.ROWS:
            return not made.warns and self._row_count(made.bounds)
        if not none_allowed(made.bounds, share=made.share):
            return False
        if made.metric is Metric.INVALID:
            self.rules += [Rule(rule.kind, rule.value, made.warns) for rule in made.rules]
            return True
        if made.warns:
            return False
        if made.metric is Metric.NULLS:
            self.required = True
        elif made.metric is Metric.MISSING:
            self.required = self.required or None in made.values
            values = tuple(value for value in made.values if value is not None)
            self.rules += [Rule(RuleKind.NONE_OF, values)] if values else []
        elif self.around.column is not None:
            self.unique = True
        else:
            self.unique_together.append(made.columns)
        return True

    def _row_count(self, read: Bounds) -> bool:
        """Note least and most rows, both included; False where they can't say it."""
        ends = [end for end in (read.least, read.most) if end is not None]
        if read.outside or any(not float(end).is_integer() for end in ends):
            return False
        least = None if read.least is None else int(read.least) + read.least_excluded
        most = None if read.most is None else int(read.most) - read.most_excluded
        self.rows_least = max((bound for bound in (self.rows_least, least) if bound is not None), default=None)
        self.rows_most = min((bound for bound in (self.rows_most, most) if bound is not None), default=None)
        return True

    def _query(self, entry: dict[str, Any], at: Path_) -> None:
        from release_gate.contracts.standards.queries import Unsafe, checked  # noqa: PLC0415 - it imports a parser of SQL

        query = entry.get("query")
        if not isinstance(query, str) or not query.strip():
            raise Wrong("a rule of type `sql` needs its `query`")
        try:
            spoken = checked(query, self.around.tables, self.around.column)
        except Unsafe as unsafe:
            raise Wrong(f"its query is refused: {unsafe}", "contract-query-refused") from unsafe
        self.measures.append(
            Measure(
                metric=Metric.QUERY,
                bounds=self._bounds(entry, share=False, counted=False),
                columns=(self.around.column,) if self.around.column else (),
                query=spoken,
                name=entry.get("name"),
                warns=mild(entry),
                where=self.document.where(at),
            )
        )

    def _ends(self, entry: dict[str, Any], rule: str) -> None:
        if self.around.column is None:
            raise Wrong(f"`{rule}` belongs to a column")
        listed = [one for one in entry.get("customProperties") or [] if isinstance(one, dict)]
        said: dict[Any, Any] = {one.get("property"): one.get("value") for one in listed}
        for key, kind in _ENDS[rule]:
            if wrong := bad_bound(self.around.kind, kind, said.get(key)):
                raise Wrong(f"`{rule}`: the custom property `{key}` {wrong} (it is {said.get(key)!r})")
            moment = self.around.kind is Kind.TIMESTAMP
            value = zoned(str(said[key]), self.around.options) if moment else said[key]
            self.rules.append(Rule(kind, value, mild(entry)))

    def _arguments(self, metric: str, entry: dict[str, Any], at: Path_) -> dict[str, Any]:
        given = entry.get("arguments")
        arguments: dict[str, Any] = dict(given) if isinstance(given, dict) else {}
        if "validValues" in entry:
            arguments["validValues"] = entry["validValues"]
        for unknown in sorted(set(arguments) - ARGUMENTS[metric]):
            takes = ", ".join(sorted(ARGUMENTS[metric])) or "none"
            message = f"`{metric}` has no argument '{unknown}'; it takes {takes}"
            where = self.document.where((*at, "arguments", unknown))
            self.faults.append(finding("contract-unknown-key", message, where=where))
        return {key: value for key, value in arguments.items() if key in ARGUMENTS[metric]}

    def _bounds(self, entry: dict[str, Any], *, share: bool, counted: bool = True, free: bool = False) -> Bounds:
        """The bounds; `free` is a rule of version 3.0 that means `mustBe: 0` where it has no operator."""
        if free and not any(key.startswith("must") and value is not None for key, value in entry.items()):
            return Bounds(0, 0)
        try:
            return bounds(entry, share=share, counted=counted)
        except ValueError as error:
            raise Wrong(str(error)) from error

    def _unjudged(self, entry: dict[str, Any], what: str, at: Path_) -> None:
        severity = Severity.WARNING if mild(entry) else None
        message = f"{what} is not judged"
        self.findings.append(
            finding("contract-rule-unjudged", message, where=self.document.where(at), severity=severity)
        )


def _prose(entry: dict[str, Any]) -> None:
    """Refuse to take a rule for prose: of type `text` there is nothing to judge."""
    ruled = [key for key in ("metric", "rule", "query", *OPERATORS) if entry.get(key) is not None]
    if ruled:
        said = ", ".join(f"`{key}`" for key in ruled)
        raise Wrong(f"of type `text` nothing is judged, yet it has {said}; leave out `type: text`, or them")


def mild(entry: Mapping[str, Any]) -> bool:
    """Whether the author says that a breach is only to be told."""
    return str(entry.get("severity") or "").strip().lower() in _MILD
