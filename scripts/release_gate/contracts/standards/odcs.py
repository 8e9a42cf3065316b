"""Reads a contract in the Open Data Contract Standard, version 3, with our policy in its `customProperties`."""

from __future__ import annotations

import difflib
from typing import Any, get_args

from open_data_contract_standard.model import DataQuality, OpenDataContractStandard
from pydantic import BaseModel, ValidationError

from release_gate.contracts.contract import Column, Contract, Reading
from release_gate.contracts.standards.freshness import freshness
from release_gate.contracts.standards.odcs_columns import Columns, relationships
from release_gate.contracts.standards.odcs_options import zone_of
from release_gate.contracts.standards.quality import Around, Quality
from release_gate.documents import Document
from release_gate.findings import BadInput, finding
from release_gate.mistakes import Path_
from release_gate.verdict import Finding

_OLD: dict[type[BaseModel], dict[str, None]] = {DataQuality: {"validValues": None}}
"""Keys that version 3.0 of the standard has and its library has not."""
_FLAGS = ("closed", "ordered")


def read(document: Document, table: str | None = None) -> Reading:
    """The contract, and what it should declare and does not; `table` chooses among several tables by name.

    Raises:
        BadInput: it is not of the standard; every fault with its place.
    """
    value = {**document.value, "version": _text(document.value.get("version"))}
    standard, faults = _validated(document, value)
    index = _chosen(document, standard, table)
    raw: dict[str, Any] = value["schema"][index]
    entries: list[dict[str, Any]] = raw.get("properties") or []
    names = _names(entries)
    own = tuple(str(raw[key]) for key in ("name", "physicalName") if raw.get(key))
    reader = Columns(document, ("schema", index, "properties"), own, names)
    columns = [
        reader.column(entry, place) for place, entry in enumerate(entries) if not reader.is_measure(entry, place)
    ]
    faults += [*reader.faults, *_twice(columns)]
    if not columns:
        message = "the table has no `properties`"
        faults.append(finding("contract-invalid", message, where=document.where(("schema", index))))
    quality = Quality(document, Around(own, names)).read(raw.get("quality"), ("schema", index, "quality"))
    related = relationships(document, raw, f"the table '{raw.get('name')}'", ("schema", index))
    tables = {str(name): place == index for place, one in enumerate(value["schema"]) for name in _called(one)}
    known = {name: column for name, real in names.items() for column in columns if column.name == real}
    age = freshness(document, value, tables, known, _local_zones(entries))
    flags, wrong = _flags(document, raw, ("schema", index, "customProperties"))
    faults += quality.faults + age.faults + wrong
    if faults:
        raise BadInput(*sorted(faults, key=lambda one: one.where.line or 0))
    contract = Contract(
        name=standard.name or standard.id or raw.get("name") or "contract",
        version=standard.version or "",
        columns=tuple(columns),
        table=raw.get("name") or "table",
        owner=_owner(value),
        rows_least=quality.rows_least,
        rows_most=quality.rows_most,
        key=_key(entries),
        unique_together=tuple(quality.unique_together),
        measures=(*reader.measures, *quality.measures, *age.measures),
        closed=flags.get("closed", False),
        ordered=flags.get("ordered", False),
        file=document.file,
    )
    return Reading(contract, (*reader.findings, *related, *quality.findings, *age.findings))


def _validated(document: Document, value: dict[str, Any]) -> tuple[OpenDataContractStandard, list[Finding]]:
    """The standard's own record, and keys that it does not have."""
    faults = _unknown(document, value, OpenDataContractStandard, ())
    try:
        standard = OpenDataContractStandard.model_validate(value)
    except ValidationError as error:
        faults += _wrong(document, error)
        raise BadInput(*sorted(faults, key=lambda one: one.where.line or 0)) from error
    if not str(standard.apiVersion or "v3").startswith("v3"):
        message = f"apiVersion {standard.apiVersion} is not read here; version 3 of the standard is"
        faults.append(finding("contract-invalid", message, where=document.where(("apiVersion",))))
    return standard, faults


def _names(entries: list[dict[str, Any]]) -> dict[str, str]:
    """Every name of a property, and what its column is called in the data; a physical name may be another's own."""
    names: dict[str, str] = {}
    for key in ("physicalName", "name"):
        for entry in entries:
            if entry.get(key):
                names[str(entry[key])] = _physical(entry)
    return names


def _physical(entry: dict[str, Any]) -> str:
    return str(entry.get("physicalName") or entry.get("name"))


def _called(one: dict[str, Any]) -> list[str]:
    return [str(one[key]) for key in ("name", "physicalName") if one.get(key)]


def _local_zones(entries: list[dict[str, Any]]) -> dict[str, str]:
    """The zone of moments that carry none, by the name of their column in the data."""
    options = [(_physical(entry), entry.get("logicalTypeOptions") or {}) for entry in entries]
    return {name: str(one["defaultTimezone"]) for name, one in options if one.get("timezone") is False and zone_of(one)}


def _twice(columns: list[Column]) -> list[Finding]:
    seen: set[str] = set()
    found = []
    for column in columns:
        if column.name in seen:
            found.append(
                finding("contract-invalid", f"the column '{column.name}' is described twice", where=column.where)
            )
        seen.add(column.name)
    return found


def _key(entries: list[dict[str, Any]]) -> tuple[str, ...]:
    """The columns of the primary key, by their declared position."""
    marked = [
        (entry.get("primaryKeyPosition") or 0, place, _physical(entry))
        for place, entry in enumerate(entries)
        if entry.get("primaryKey")
    ]
    return tuple(name for _, _, name in sorted(marked))


def _flags(document: Document, raw: dict[str, Any], at: Path_) -> tuple[dict[str, bool], list[Finding]]:
    """What the table's custom properties say: `closed` allows no other columns, `ordered` no other order."""
    flags: dict[str, bool] = {}
    wrong = []
    for place, one in enumerate(raw.get("customProperties") or []):
        name, value = (one.get("property"), one.get("value")) if isinstance(one, dict) else (None, None)
        if name in _FLAGS and isinstance(value, bool):
            flags[name] = value
        elif name in _FLAGS:
            message = f"the custom property `{name}` must be true or false (it is {value!r})"
            wrong.append(finding("contract-invalid", message, where=document.where((*at, place))))
        elif near := difflib.get_close_matches(str(name).lower(), _FLAGS, n=1, cutoff=0.8):
            message = f"unknown custom property '{name}'; did you mean '{near[0]}'?"
            wrong.append(finding("contract-unknown-key", message, where=document.where((*at, place))))
    return flags, wrong


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
    """Who owns the contract: a custom property, a member of the team whose role says so, else the team itself."""
    for one in value.get("customProperties") or []:
        if isinstance(one, dict) and one.get("property") == "owner" and one.get("value"):
            return str(one["value"])
    team = value.get("team") or []
    members = team.get("members") or [] if isinstance(team, dict) else team
    owners = [one for one in members if "owner" in str(one.get("role", "")).lower() and not one.get("dateOut")]
    for one in owners:
        if one.get("username") or one.get("name"):
            return str(one.get("username") or one["name"])
    return str(team["name"]) if isinstance(team, dict) and team.get("name") else None


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
    fields: dict[str, Any] = {info.alias or name: info.annotation for name, info in model.model_fields.items()}
    fields |= _OLD.get(model, {})
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
