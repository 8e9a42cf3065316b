"""Reads the properties of a table in the Open Data Contract Standard into columns, with our policy of each."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from release_gate.contracts import storage
from release_gate.contracts.contract import Column, Kind, Measure, Rule, RuleKind
from release_gate.contracts.contradictions import contradictions
from release_gate.contracts.standards import formats
from release_gate.contracts.standards.odcs_options import Options
from release_gate.contracts.standards.policy import policy, since, undeclared
from release_gate.contracts.standards.quality import Around, Quality, mild
from release_gate.documents import Document
from release_gate.findings import finding
from release_gate.mistakes import Path_
from release_gate.verdict import Finding, Severity

POLICY = {
    "onNull": "on_null",
    "onInvalid": "on_invalid",
    "backfill": "backfill",
    "sensitive": "sensitive",
    "nullShareDrift": "null_share_drift",
    "since": "since",
}
"""Our custom properties of a column, and what each is called elsewhere."""
_SPELLED = ("the custom property `onNull`", "the custom property `onInvalid`", "the custom property `backfill`")
_SENSITIVE = {"sensitive", "confidential", "restricted", "secret", "pii"}

_NESTED = ("logicalTypeOptions", "quality", "required", "unique", "enum", "primaryKey", "relationships")


class Columns:
    """Reads properties into columns, collecting what is wrong (`faults`) and what is lacking (`findings`)."""

    def __init__(self, document: Document, at: Path_, tables: tuple[str, ...], names: Mapping[str, str]) -> None:
        self.document = document
        self.at = at
        self.tables = tables
        self.names = names
        self.faults: list[Finding] = []
        self.findings: list[Finding] = []
        self.measures: list[Measure] = []

    def column(self, entry: dict[str, Any], place: int) -> Column:
        """The column of one property, which stands at its place in the list."""
        at = (*self.at, place)
        name = str(entry.get("physicalName") or entry.get("name") or "")
        if not name:
            self._fault("a property needs a `name`", at)
        kind = self._kind(entry, at)
        options = Options(self.document, kind, entry.get("logicalTypeOptions") or {}, (*at, "logicalTypeOptions"))
        rules = options.rules()
        self.faults += options.faults
        self.findings += options.findings
        around = Around(self.tables, self.names, name, kind, entry.get("logicalTypeOptions") or {})
        quality = Quality(self.document, around).read(entry.get("quality"), (*at, "quality"))
        declared = self._declared(entry, (*at, "customProperties"))
        if str(entry.get("classification", "")).lower() in _SENSITIVE or formats.secret(kind, options.format):
            declared.setdefault("sensitive", True)
        said, wrong = policy(declared, kind)
        came = None
        try:
            came = since(declared.get("since"))
        except ValueError as error:
            wrong["since"] = str(error)
        for message in wrong.values():
            self._fault(f"column '{name}': {message}", (*at, "customProperties"))
        column = Column(
            name=name,
            kind=kind,
            rules=(*rules, *self._set(entry, at), *quality.rules),
            policy=said,
            unique=bool(entry.get("unique")) or quality.unique,
            storage=self._storage(entry, kind, options.format, at),
            zone=options.zone,
            description=entry.get("description"),
            since=came,
            where=self.document.where(at),
        )
        self._parts(entry, name, at)
        self.findings += relationships(self.document, entry, f"column '{name}'", at)
        self.faults += quality.faults
        self.measures += quality.measures
        self.findings += quality.findings + undeclared(column, _SPELLED)
        self.findings += contradictions(column, required=bool(entry.get("required")) or quality.required)
        return column

    def is_measure(self, entry: dict[str, Any], place: int) -> bool:
        """Whether a property is computed by whoever asks, and so in no table; that is said."""
        if entry.get("semanticType") != "measure":
            return False
        message = f"'{entry.get('name')}' is a measure: no column holds it, so it is not judged"
        where = self.document.where((*self.at, place))
        self.findings.append(finding("contract-rule-unjudged", message, where=where, severity=Severity.WARNING))
        return True

    def _kind(self, entry: dict[str, Any], at: Path_) -> Kind:
        written = entry.get("logicalType")
        if written is None:
            stored = storage.kind(entry.get("physicalType") or "")
            if stored is None:
                self._fault("a property needs a `logicalType`, such as string, integer, number, timestamp", at)
            return stored or Kind.STRING
        try:
            return Kind(written)
        except ValueError:
            near = difflib.get_close_matches(str(written), list(Kind), n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(Kind)}"
            self._fault(f"unknown logicalType '{written}'; {hint}", (*at, "logicalType"))
            return Kind.STRING

    def _storage(self, entry: dict[str, Any], kind: Kind, format_: str, at: Path_) -> str | None:
        if kind not in storage.SEVERAL:
            return None
        exact = storage.exact(entry.get("physicalType") or "")
        stored = storage.kind(exact) if exact is not None else None
        if stored is Kind.STRING:
            return formats.stored(kind, format_)  # text stores anything
        if stored is not None and stored is not kind and {stored, kind} != {Kind.INTEGER, Kind.NUMBER}:
            self._fault(f"`logicalType: {kind}` is never stored as {exact}", (*at, "physicalType"))
            return None
        return exact or formats.stored(kind, format_)

    def _set(self, entry: dict[str, Any], at: Path_) -> list[Rule]:
        enumerated = [one.get("value") for one in entry.get("enum") or [] if isinstance(one, dict)]
        if any(isinstance(value, dict | list) for value in enumerated):
            self._fault("`enum` must hold plain values", (*at, "enum"))
            return []
        known = tuple(value for value in enumerated if value is not None)
        return [Rule(RuleKind.ONE_OF, known)] if entry.get("enum") is not None else []

    def _declared(self, entry: dict[str, Any], at: Path_) -> dict[str, Any]:
        declared: dict[str, Any] = {}
        for index, one in enumerate(entry.get("customProperties") or []):
            name = one.get("property") if isinstance(one, dict) else None
            if name in POLICY:
                if POLICY[name] in declared:
                    self._fault(f"the custom property `{name}` stands there twice", (*at, index))
                declared[POLICY[name]] = one.get("value")
            elif near := difflib.get_close_matches(str(name), list(POLICY), n=1, cutoff=0.8):
                message = f"unknown custom property '{name}'; did you mean '{near[0]}'?"
                self.faults.append(finding("contract-unknown-key", message, where=self.document.where((*at, index))))
        return declared

    def _parts(self, entry: dict[str, Any], name: str, at: Path_) -> None:
        """What is inside a column (fields, items, keys and values) is not judged: rules there are refused by name."""
        ruled: list[str] = []
        for key in ("properties", "items", "map"):
            if entry.get(key):
                _nested(entry[key], f"{name}.{key}" if key != "properties" else name, ruled)
                if not ruled:
                    message = f"the types inside of column '{name}' are not judged"
                    where = self.document.where((*at, key))
                    self.findings.append(
                        finding("contract-rule-unjudged", message, where=where, severity=Severity.WARNING)
                    )
        for path in ruled[:20]:
            self._unjudged(f"the rule `{path}` inside of column '{name}'", at)

    def _unjudged(self, what: str, at: Path_) -> None:
        where = self.document.where(at)
        self.findings.append(finding("contract-rule-unjudged", f"{what} is not judged", where=where))

    def _fault(self, message: str, at: Path_) -> None:
        self.faults.append(finding("contract-invalid", message, where=self.document.where(at)))


def relationships(document: Document, entry: dict[str, Any], what: str, at: Path_) -> list[Finding]:
    """Foreign keys of a column or table, refused by name: what they point at is in no table that is read here."""
    found = []
    for place, one in enumerate(entry.get("relationships") or []):
        said = {each.get("property"): each.get("value") for each in one.get("customProperties") or []}
        message = f"the relationship of {_ends(one.get('from')) or what} to {_ends(one.get('to'))} is not judged"
        where = document.where((*at, "relationships", place))
        severity = Severity.WARNING if mild(said) else None
        remedy = "Leave it out, or give it the custom property `severity` with `warning` if others judge it."
        found.append(finding("contract-rule-unjudged", message, where=where, severity=severity, remedy=remedy))
    return found


def _ends(named: object) -> str:
    """The columns at one end of a relationship, in quotes; empty where none are named."""
    listed = ", ".join(map(str, named if isinstance(named, list) else [named or ""]))
    return listed and f"`{listed}`"


def _nested(value: Any, path: str, ruled: list[str]) -> None:
    """Collect the rules inside a part; a list holds the fields of an object."""
    if isinstance(value, list):
        for one in value:
            if isinstance(one, dict):
                _nested(one, f"{path}.{one.get('name')}", ruled)
    elif isinstance(value, dict):
        ruled += [f"{path}.{key}" for key in _NESTED if value.get(key)]
        for key in ("properties", "items", "map", "key", "value"):
            if isinstance(value.get(key), dict | list):
                _nested(value[key], path if key in {"properties", "map"} else f"{path}.{key}", ruled)
