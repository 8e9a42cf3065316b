"""Reads a contract in the Open Data Contract Standard, version 3, with our policy in its `customProperties`."""

from __future__ import annotations

import difflib
from datetime import date, datetime, time
from typing import Any, get_args

from open_data_contract_standard.model import OpenDataContractStandard
from pydantic import BaseModel, ValidationError

from release_gate.contracts import storage
from release_gate.contracts.contract import Column, Contract, Kind, Reading, Rule, RuleKind
from release_gate.contracts.policy import contradictions, policy, undeclared
from release_gate.contracts.quality import Quality
from release_gate.documents import Document
from release_gate.findings import BadInput, finding
from release_gate.mistakes import Path_
from release_gate.verdict import Finding

POLICY = {"onNull": "on_null", "onInvalid": "on_invalid", "backfill": "backfill", "sensitive": "sensitive"}
"""Our custom properties of a column, and what each is called elsewhere."""
_SPELLED = ("the custom property `onNull`", "the custom property `onInvalid`", "the custom property `backfill`")
_SENSITIVE = {"sensitive", "confidential", "restricted", "secret", "pii"}

_BOUNDS = {
    "minimum": RuleKind.AT_LEAST,
    "exclusiveMinimum": RuleKind.ABOVE,
    "maximum": RuleKind.AT_MOST,
    "exclusiveMaximum": RuleKind.BELOW,
}
_TEXT = {"minLength": RuleKind.SHORTEST, "maxLength": RuleKind.LONGEST, "pattern": RuleKind.PATTERN}
_NESTED = ("minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "required")
_OPTIONS: dict[Kind, frozenset[str]] = {
    Kind.STRING: frozenset({*_TEXT, "format"}),
    Kind.INTEGER: frozenset({*_BOUNDS, "multipleOf", "format"}),
    Kind.NUMBER: frozenset({*_BOUNDS, "multipleOf", "format"}),
    Kind.DATE: frozenset({*_BOUNDS, "format"}),
    Kind.TIMESTAMP: frozenset({*_BOUNDS, "format", "timezone", "defaultTimezone"}),
    Kind.TIME: frozenset({*_BOUNDS, "format", "timezone", "defaultTimezone"}),
}
_UNJUDGED = frozenset({"format", "defaultTimezone", *_NESTED})


def read(document: Document, table: str | None = None) -> Reading:
    """The contract, and what it should declare and does not; `table` chooses among several tables by name.

    Raises:
        BadInput: it is not of the standard; every fault with its place.
    """
    value = {**document.value, "version": _text(document.value.get("version"))}
    faults = _unknown(document, value, OpenDataContractStandard, ())
    try:
        standard = OpenDataContractStandard.model_validate(value)
    except ValidationError as error:
        faults += _wrong(document, error)
        raise BadInput(*sorted(faults, key=lambda one: one.where.line or 0)) from error
    if not str(standard.apiVersion or "v3").startswith("v3"):
        message = f"apiVersion {standard.apiVersion} is not read here; version 3 of the standard is"
        faults.append(finding("contract-invalid", message, where=document.where(("apiVersion",))))
    index = _chosen(document, standard, table)
    reader = _Columns(document, ("schema", index, "properties"))
    raw: dict[str, Any] = value["schema"][index]
    columns = [reader.column(entry, place) for place, entry in enumerate(raw.get("properties") or [])]
    faults += reader.faults
    if not columns and not faults:
        faults.append(
            finding("contract-invalid", "the table has no `properties`", where=document.where(("schema", index)))
        )
    if faults:
        raise BadInput(*sorted(faults, key=lambda one: one.where.line or 0))
    rows = Quality(document).read(raw.get("quality"), ("schema", index, "quality"), None)
    keys = sorted(
        (entry.get("primaryKeyPosition") or 0, place)
        for place, entry in enumerate(raw["properties"])
        if entry.get("primaryKey")
    )
    contract = Contract(
        name=standard.name or standard.id or raw.get("name") or "contract",
        version=standard.version or "",
        columns=tuple(columns),
        table=raw.get("name") or "table",
        owner=_owner(value),
        rows_least=rows.rows_least,
        rows_most=rows.rows_most,
        key=tuple(columns[place].name for _, place in keys),
        unique_together=tuple(rows.unique_together),
        file=document.file,
    )
    return Reading(contract, (*reader.findings, *rows.findings))


class _Columns:
    """Reads properties into columns, collecting what is wrong (`faults`) and what is lacking (`findings`)."""

    def __init__(self, document: Document, at: Path_) -> None:
        self.document = document
        self.at = at
        self.faults: list[Finding] = []
        self.findings: list[Finding] = []

    def column(self, entry: dict[str, Any], place: int) -> Column:
        at = (*self.at, place)
        name = entry.get("physicalName") or entry.get("name")
        if not name:
            self._fault("a property needs a `name`", at)
        kind = self._kind(entry, at)
        options: dict[str, Any] = entry.get("logicalTypeOptions") or {}
        quality = Quality(self.document).read(entry.get("quality"), (*at, "quality"), name)
        enumerated: list[Any] = [one.get("value") for one in entry.get("enum") or [] if isinstance(one, dict)]
        rules = self._rules(kind, options, (*at, "logicalTypeOptions"))
        rules += [Rule(RuleKind.ONE_OF, tuple(enumerated))] if enumerated else []
        declared = self._declared(entry.get("customProperties") or [], (*at, "customProperties"))
        if str(entry.get("classification", "")).lower() in _SENSITIVE:
            declared.setdefault("sensitive", True)
        said, wrong = policy(declared)
        for message in wrong.values():
            self._fault(f"column '{name}': {message}", (*at, "customProperties"))
        column = Column(
            name=name or "",
            kind=kind,
            rules=tuple(rules + quality.rules),
            policy=said,
            unique=bool(entry.get("unique")) or quality.unique,
            storage=storage.exact(entry.get("physicalType") or "") if kind in storage.SEVERAL else None,
            zone=options.get("timezone"),
            description=entry.get("description"),
            where=self.document.where(at),
        )
        self.findings += quality.findings + undeclared(column, _SPELLED)
        self.findings += contradictions(column, required=bool(entry.get("required")) or quality.required)
        return column

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

    def _rules(self, kind: Kind, options: dict[str, Any], at: Path_) -> list[Rule]:
        known = _OPTIONS.get(kind)
        rules = []
        for key, value in options.items():
            named = _BOUNDS.get(key) or _TEXT.get(key) or (RuleKind.MULTIPLE_OF if key == "multipleOf" else None)
            if known is not None and key not in known:
                near = difflib.get_close_matches(key, sorted(known), n=1)
                hint = f"did you mean '{near[0]}'?" if near else f"known here: {', '.join(sorted(known))}"
                message = f"a column of type {kind.value} takes no option '{key}'; {hint}"
                self.faults.append(finding("contract-unknown-key", message, where=self.document.where((*at, key))))
            elif named is not None and (fault := _bad_bound(kind, named, value)):
                self._fault(f"'{key}' {fault} (it is {value!r})", (*at, key))
            elif named is not None:
                rules.append(Rule(named, value))
            elif key in _UNJUDGED and not (key == "format" and kind in {Kind.INTEGER, Kind.NUMBER}):
                message = f"the option `{key}` is not judged"
                self.findings.append(finding("contract-rule-unjudged", message, where=self.document.where((*at, key))))
        return rules

    def _declared(self, properties: list[Any], at: Path_) -> dict[str, Any]:
        declared: dict[str, Any] = {}
        for index, one in enumerate(properties):
            name = one.get("property") if isinstance(one, dict) else None
            if name in POLICY:
                declared[POLICY[name]] = one.get("value")
            elif near := difflib.get_close_matches(str(name), list(POLICY), n=1, cutoff=0.8):
                message = f"unknown custom property '{name}'; did you mean '{near[0]}'?"
                self.faults.append(finding("contract-unknown-key", message, where=self.document.where((*at, index))))
        return declared

    def _fault(self, message: str, at: Path_) -> None:
        self.faults.append(finding("contract-invalid", message, where=self.document.where(at)))


def _bad_bound(kind: Kind, rule: RuleKind, value: object) -> str | None:
    """What is wrong with a bound for a column of this kind, None where it is right."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if rule in {RuleKind.SHORTEST, RuleKind.LONGEST}:
        return None if isinstance(value, int) and number and value >= 0 else "must be a whole number from 0"
    if rule is RuleKind.PATTERN:
        return None if isinstance(value, str) else "must be text"
    if rule is RuleKind.MULTIPLE_OF:
        return None if isinstance(value, int | float) and number and value > 0 else "must be a number above 0"
    if kind in {Kind.INTEGER, Kind.NUMBER}:
        return None if number else "must be a number"
    parse = {Kind.DATE: date.fromisoformat, Kind.TIME: time.fromisoformat}.get(kind, datetime.fromisoformat)
    try:
        parse(value)  # type: ignore[arg-type] # TypeError is what a number here gives
    except (TypeError, ValueError):
        return f"must be a {kind.value} in ISO 8601, in quotes"
    return None


def _chosen(document: Document, standard: OpenDataContractStandard, table: str | None) -> int:
    objects = standard.schema_ or []
    if not objects:
        raise BadInput.because("contract-invalid", "the contract has no `schema`", where=document.where(("schema",)))
    if len(objects) == 1:
        return 0
    named = [index for index, one in enumerate(objects) if table in (one.name, one.physicalName)]
    if len(named) != 1:
        names = ", ".join(str(one.name) for one in objects)
        message = f"the contract describes several tables ({names}); none is called '{table}' like the data's file"
        raise BadInput.because("contract-invalid", message, where=document.where(("schema",)))
    return named[0]


def _owner(value: dict[str, Any]) -> str | None:
    for one in value.get("customProperties") or []:
        if isinstance(one, dict) and one.get("property") == "owner":
            return str(one.get("value"))
    team = value.get("team") or []
    members = team.get("members") or [] if isinstance(team, dict) else team
    for one in members:
        if "owner" in str(one.get("role", "")).lower():
            return str(one.get("username") or one.get("name"))
    return None


def _text(value: object) -> str | None:
    """YAML reads `version: 1.0` as a number; what a version must look like is judged later."""
    return None if value is None else str(value)


def _wrong(document: Document, error: ValidationError) -> list[Finding]:
    found = []
    for one in error.errors(include_url=False, include_input=False):
        if one["type"] == "extra_forbidden":
            continue  # said with a suggestion by _unknown
        path = tuple(one["loc"])
        message = f"'{'.'.join(map(str, path))}': {one['msg'][:1].lower()}{one['msg'][1:]}"
        found.append(finding("contract-invalid", message, where=document.where(path)))
    return found


def _unknown(document: Document, value: object, model: type[BaseModel], at: Path_) -> list[Finding]:
    """Keys the standard does not have, which its own library drops without a word."""
    if isinstance(value, list):
        return [one for index, item in enumerate(value) for one in _unknown(document, item, model, (*at, index))]
    if not isinstance(value, dict):
        return []
    fields = {info.alias or name: info.annotation for name, info in model.model_fields.items()}
    found = []
    for key, inner in value.items():
        if key not in fields:
            near = difflib.get_close_matches(key, list(fields), n=1)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            message = f"the standard has no key '{key}' here{hint}"
            found.append(finding("contract-unknown-key", message, where=document.where((*at, key))))
        elif (record := _record(fields[key], many=isinstance(inner, list))) is not None:
            found += _unknown(document, inner, record, (*at, key))
    return found


def _record(annotation: Any, *, many: bool) -> type[BaseModel] | None:
    """The record that a key holds, or that the list it holds is made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return None if many else annotation
    inside = getattr(annotation, "__origin__", None) is list
    parts = (_record(part, many=many and not inside) for part in get_args(annotation) if many or not inside)
    return next((part for part in parts if part is not None), None)
