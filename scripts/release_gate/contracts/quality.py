"""Turns the standard's `quality` entries into rules, bounds and keys; what can't be judged is said, never dropped."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from release_gate.contracts.contract import Rule, RuleKind
from release_gate.documents import Document
from release_gate.findings import finding
from release_gate.mistakes import Path_
from release_gate.verdict import Finding

_OPERATORS = (
    "mustBe", "mustNotBe", "mustBeGreaterThan", "mustBeGreaterOrEqualTo", "mustBeLessThan",
    "mustBeLessOrEqualTo", "mustBeBetween", "mustNotBeBetween",
)  # fmt: skip


@dataclass
class Quality:
    """What the quality entries of one column or table amount to; filled while they are read."""

    document: Document
    rules: list[Rule] = field(default_factory=list)
    required: bool = False
    unique: bool = False
    unique_together: list[tuple[str, ...]] = field(default_factory=list)
    rows_least: int | None = None
    rows_most: int | None = None
    findings: list[Finding] = field(default_factory=list)

    def read(self, entries: object, path: Path_, column: str | None) -> Quality:
        """Read every entry of a `quality` list that stands at `path`."""
        for index, entry in enumerate(entries if isinstance(entries, list) else []):
            if isinstance(entry, dict):
                self._entry(entry, (*path, index), column)
        return self

    def _entry(self, entry: dict[str, Any], path: Path_, column: str | None) -> None:
        metric = entry.get("metric") or entry.get("rule")
        kind = entry.get("type", "library")
        if kind == "text":
            return  # prose for people: there is nothing to judge
        if kind != "library" or metric is None:
            self._unjudged(f"a rule of type `{kind}`", path)
        elif metric == "rowCount" and column is None:
            self._row_count(entry, path)
        elif not _none_allowed(entry):
            how = "only `mustBe: 0` is; a share that may be wrong is declared by onInvalid: quarantine up to 5%"
            self._unjudged(f"`{metric}` with this bound", path, how)
        else:
            self._none_of(str(metric), entry, path, column)

    def _none_of(self, metric: str, entry: dict[str, Any], path: Path_, column: str | None) -> None:
        given = entry.get("arguments")
        arguments: dict[str, Any] = given if isinstance(given, dict) else {}
        if metric == "duplicateValues" and column is not None:
            self.unique = True
        elif metric == "duplicateValues" and _texts(arguments.get("properties")):
            self.unique_together.append(tuple(arguments["properties"]))
        elif metric == "nullValues" and column is not None:
            self.required = True
        elif metric == "missingValues" and column is not None and isinstance(arguments.get("missingValues"), list):
            missing = arguments["missingValues"]
            self.required = self.required or None in missing
            self.rules.append(Rule(RuleKind.NONE_OF, tuple(value for value in missing if value is not None)))
        elif metric == "invalidValues" and column is not None and set(arguments) & {"validValues", "pattern"}:
            if isinstance(arguments.get("validValues"), list):
                self.rules.append(Rule(RuleKind.ONE_OF, tuple(arguments["validValues"])))
            if isinstance(arguments.get("pattern"), str):
                self.rules.append(Rule(RuleKind.PATTERN, arguments["pattern"]))
        else:
            self._unjudged(f"`{metric}` with these arguments", path)

    def _row_count(self, entry: dict[str, Any], path: Path_) -> None:
        bounds = _bounds(entry)
        if bounds is None or entry.get("unit") not in {None, "rows"}:
            self._unjudged("`rowCount` with this bound", path)
            return
        least, most = bounds
        self.rows_least = max((bound for bound in (self.rows_least, least) if bound is not None), default=None)
        self.rows_most = min((bound for bound in (self.rows_most, most) if bound is not None), default=None)

    def _unjudged(self, what: str, path: Path_, how: str = "") -> None:
        message = f"{what} is not judged" + (f": {how}" if how else "")
        self.findings.append(finding("contract-rule-unjudged", message, where=self.document.where(path)))


def _none_allowed(entry: dict[str, Any]) -> bool:
    """Whether the bound says that not one row may be wrong."""
    operators = [key for key in _OPERATORS if entry.get(key) is not None]
    if len(operators) != 1:
        return False
    bound = entry[operators[0]]
    if operators[0] in {"mustBe", "mustBeLessOrEqualTo"}:
        return _number(bound) and bound == 0
    rows = entry.get("unit") in {None, "rows"}
    return operators[0] == "mustBeLessThan" and rows and _number(bound) and 0 < bound <= 1


def _bounds(entry: dict[str, Any]) -> tuple[int | None, int | None] | None:
    """Least and most rows, both included."""
    operators = [key for key in _OPERATORS if entry.get(key) is not None]
    bound = entry[operators[0]] if len(operators) == 1 else None
    if isinstance(bound, list) and operators[0] == "mustBeBetween" and all(map(_whole, bound)):
        return bound[0], bound[1]
    if not isinstance(bound, int) or not _whole(bound):
        return None
    return {
        "mustBe": (bound, bound),
        "mustBeGreaterThan": (bound + 1, None),
        "mustBeGreaterOrEqualTo": (bound, None),
        "mustBeLessThan": (None, bound - 1),
        "mustBeLessOrEqualTo": (None, bound),
    }.get(operators[0])


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _texts(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, str) for item in value)
