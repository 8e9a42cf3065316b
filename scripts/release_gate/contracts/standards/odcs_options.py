"""Reads the standard's `logicalTypeOptions` of a property into rules; what can't be judged is refused by name."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from release_gate.contracts.bounds import bad_bound
from release_gate.contracts.contract import Kind, Rule, RuleKind
from release_gate.contracts.patterns import unreadable
from release_gate.contracts.standards import formats
from release_gate.documents import Document
from release_gate.findings import finding
from release_gate.mistakes import Path_
from release_gate.verdict import Finding, Severity

_RULES = {
    "minimum": RuleKind.AT_LEAST,
    "exclusiveMinimum": RuleKind.ABOVE,
    "maximum": RuleKind.AT_MOST,
    "exclusiveMaximum": RuleKind.BELOW,
    "multipleOf": RuleKind.MULTIPLE_OF,
    "minLength": RuleKind.SHORTEST,
    "maxLength": RuleKind.LONGEST,
    "pattern": RuleKind.PATTERN,
    "minItems": RuleKind.FEWEST_ITEMS,
    "maxItems": RuleKind.MOST_ITEMS,
}
_RANGE = {"minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"}
_TIMES = frozenset({*_RANGE, "format", "timezone", "defaultTimezone"})
_OPTIONS: Mapping[Kind, frozenset[str]] = {
    Kind.STRING: frozenset({"minLength", "maxLength", "pattern", "format"}),
    Kind.INTEGER: frozenset({*_RANGE, "multipleOf", "format"}),
    Kind.NUMBER: frozenset({*_RANGE, "multipleOf", "format"}),
    Kind.DATE: frozenset({*_RANGE, "format"}),
    Kind.TIMESTAMP: _TIMES,
    Kind.TIME: _TIMES,
    Kind.BOOLEAN: frozenset(),
    Kind.ARRAY: frozenset({"minItems", "maxItems", "uniqueItems"}),
    Kind.OBJECT: frozenset({"minProperties", "maxProperties", "required"}),
    Kind.MAP: frozenset(),
    Kind.VECTOR: frozenset(
        {"dimensions", "elementType", "distanceMetric", "embeddingModel", "embeddingModelVersion", "normalized"}
    ),
}
_SPOKEN = frozenset({"timezone", "distanceMetric", "embeddingModel", "embeddingModelVersion"})
"""Options that are read elsewhere, or that say nothing of a value."""
_BOUNDS = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
_DEFAULT_ZONES = {"UTC", "Etc/UTC"}
"""What the standard takes where nothing is said."""


class Options:
    """The options of one property, collecting what is wrong (`faults`) and what is not judged (`findings`)."""

    def __init__(self, document: Document, kind: Kind, options: dict[str, Any], at: Path_) -> None:
        self.document = document
        self.kind = kind
        self.options = _ends(options)
        self.at = at
        self.faults: list[Finding] = []
        self.findings: list[Finding] = []

    @property
    def format(self) -> str:
        """What `format` says, empty where it says nothing."""
        return str(self.options.get("format") or "")

    @property
    def zone(self) -> bool | None:
        """Whether times carry a zone, None where nothing is said."""
        return self.options.get("timezone")

    def rules(self) -> list[Rule]:
        """The rules that the options stand for."""
        kind, known = self.kind, _OPTIONS[self.kind]
        rules: list[Rule] = []
        for key, value in self.options.items():
            place = (*self.at, key)
            if key not in known:
                near = difflib.get_close_matches(key, sorted(known), n=1)
                hint = f"did you mean '{near[0]}'?" if near else f"known here: {', '.join(sorted(known)) or 'none'}"
                message = f"a column of type {kind.value} takes no option '{key}'; {hint}"
                self.faults.append(finding("contract-unknown-key", message, where=self.document.where(place)))
            elif key in _RULES:
                rules += self._bound(_RULES[key], key, value, place)
            elif key not in _SPOKEN:
                rules += self._other(key, value, place)
        self._zones()
        return rules

    def _bound(self, rule: RuleKind, key: str, value: Any, at: Path_) -> list[Rule]:
        if fault := bad_bound(self.kind, rule, value):
            self._fault(f"'{key}' {fault} (it is {value!r})", at)
            return []
        if rule is RuleKind.PATTERN and (cause := unreadable(value)):
            self._fault(f"'{key}' is none that RE2 can run: {cause}", at)
            return []
        if self.kind is Kind.TIMESTAMP:
            value = zoned(value, self.options)
        # At least no items, or no letters, is no demand.
        return [] if rule in {RuleKind.FEWEST_ITEMS, RuleKind.SHORTEST} and value == 0 else [Rule(rule, value)]

    def _other(self, key: str, value: Any, at: Path_) -> list[Rule]:
        """Options that are no bound: formats, items that differ, dimensions; and those that nothing here judges."""
        if key == "format":
            rules = formats.demanded(self.kind, str(value))
            if rules is None:
                known = ", ".join(formats.KNOWN[self.kind])
                self._unjudged(
                    f"the format '{value}' of a column of type {self.kind.value}", at, f"; known here: {known}"
                )
            return rules or []
        if key == "uniqueItems":
            if not isinstance(value, bool):
                self._fault(f"'{key}' must be true or false (it is {value!r})", at)
            return [Rule(RuleKind.DISTINCT_ITEMS, True)] if value is True else []
        if key == "dimensions":
            if fault := bad_bound(self.kind, RuleKind.MOST_ITEMS, value):
                self._fault(f"'{key}' {fault} (it is {value!r})", at)
                return []
            return [Rule(RuleKind.FEWEST_ITEMS, value), Rule(RuleKind.MOST_ITEMS, value)]
        if key == "defaultTimezone":
            return []
        if value is not False and not (key == "minProperties" and value == 0):
            self._unjudged(f"the option `{key}`", at)
        return []

    def _zones(self) -> None:
        options, at = self.options, self.at
        zone = options.get("defaultTimezone")
        if "timezone" in options and not isinstance(options["timezone"], bool):
            message = (
                f"'timezone' must be true or false (it is {options['timezone']!r}); `defaultTimezone` takes a name"
            )
            self._fault(message, (*at, "timezone"))
        if zone is not None and zone_of(options) is None:
            self._fault(
                f"'defaultTimezone' must be a zone such as Europe/Oslo (it is {zone!r})", (*at, "defaultTimezone")
            )
        elif zone is not None and zone not in _DEFAULT_ZONES and "timezone" not in options:
            # Which is shifted, the bounds or the values, follows from that alone; without a bound perhaps nothing is.
            message = "'defaultTimezone' needs `timezone: true` or `timezone: false` beside it: whether the values"
            spot = (*at, "defaultTimezone")
            if _BOUNDS & options.keys():
                self._fault(f"{message} carry a zone of their own", spot)
            else:
                told = f"{message} carry a zone of their own; until then ages are told in UTC"
                where = self.document.where(spot)
                self.findings.append(finding("contract-rule-unjudged", told, where=where, severity=Severity.WARNING))

    def _unjudged(self, what: str, at: Path_, hint: str = "") -> None:
        where = self.document.where(at)
        self.findings.append(finding("contract-rule-unjudged", f"{what} is not judged{hint}", where=where))

    def _fault(self, message: str, at: Path_) -> None:
        self.faults.append(finding("contract-invalid", message, where=self.document.where(at)))


def _ends(options: dict[str, Any]) -> dict[str, Any]:
    """Options as version 3.1 of the standard has them: in 3.0 `exclusiveMaximum: true` makes `maximum` exclusive."""
    read = dict(options)
    for inclusive, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(read.get(exclusive), bool) and inclusive in read:
            end, is_open = read.pop(inclusive), read.pop(exclusive)
            read[exclusive if is_open else inclusive] = end
    return read


def zoned(value: str, options: Mapping[str, Any]) -> str:
    """A bound as the column's values are: in the declared zone where one of both names none."""
    zone, moment = zone_of(options), datetime.fromisoformat(value)
    if zone is None or options.get("timezone") not in {True, False}:
        return value
    if options["timezone"] and moment.tzinfo is None:
        return moment.replace(tzinfo=zone).isoformat(sep=" ")
    if not options["timezone"] and moment.tzinfo is not None:
        return moment.astimezone(zone).replace(tzinfo=None).isoformat(sep=" ")
    return value


def zone_of(options: Mapping[str, Any]) -> ZoneInfo | None:
    """The zone of what names none, where the options name one."""
    name = options.get("defaultTimezone")
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9_+/-]+", name):
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None
