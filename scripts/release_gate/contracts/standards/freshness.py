"""Reads how old the newest row may be from the standard's `slaProperties`; the others are promises to people."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from release_gate.contracts.bounds import is_number
from release_gate.contracts.contract import Bounds, Column, Kind, Measure, Metric
from release_gate.documents import Document
from release_gate.findings import finding
from release_gate.verdict import Finding, Severity

_AGE = frozenset({"freshness", "latency", "ly"})
_SPOKEN = frozenset(
    {
        "availability", "throughput", "errorrate", "generalavailability", "endofsupport", "endoflife", "retention",
        "frequency", "timetodetect", "timetonotify", "timetorepair", "timeofavailability", "completeness",
        "av", "th", "er", "ga", "es", "el", "re", "fy", "td", "tn", "tr",
    }
)  # fmt: skip
"""Promises to people, and their abbreviations in the standard."""
_SECONDS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600),
    **dict.fromkeys(("d", "day", "days"), 86400),
    **dict.fromkeys(("w", "wk", "week", "weeks"), 7 * 86400),
    **dict.fromkeys(("mo", "month", "months"), 30 * 86400),
    **dict.fromkeys(("y", "yr", "yrs", "year", "years"), 365 * 86400),
}
"""`m` is left out: to some it is a minute and to others a month."""
_WRITTEN = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*")


@dataclass
class Freshness:
    """What the service levels amount to; filled while they are read."""

    measures: list[Measure] = field(default_factory=list)
    faults: list[Finding] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def freshness(
    document: Document, value: Mapping[str, Any], tables: Mapping[str, bool], columns: Mapping[str, Column],
    zones: Mapping[str, str],
) -> Freshness:  # fmt: skip
    """The measures of age for our table, what is wrong with the entries, and what can't be judged.

    `tables` holds the name of every table of the contract, and whether it is ours; `columns` ours by every name;
    `zones` the zone of moments that carry none, by the name of their column in the data.
    """
    read = Freshness()
    for index, entry in enumerate(value.get("slaProperties") or []):
        if not isinstance(entry, dict):
            continue
        named, where = str(entry.get("property") or ""), document.where(("slaProperties", index))
        elements = _elements(entry, value.get("slaDefaultElement"))
        if named.lower() not in _AGE:
            near = difflib.get_close_matches(named.lower(), sorted(_AGE - {"ly"}), n=1, cutoff=0.8)
            if re.sub(r"[\W_]", "", named.lower()) in _SPOKEN:
                continue
            if near:
                message = f"unknown service level '{named}'; did you mean '{near[0]}'?"
                read.faults.append(finding("contract-unknown-key", message, where=where))
            elif ours := [name for name in elements if not _of_another(name, tables, columns)]:
                message = f"the service level '{named}' of {', '.join(ours)} is not judged; an age is `freshness` here"
                told = finding("contract-rule-unjudged", message, where=where, severity=Severity.WARNING)
                read.findings.append(told)
            continue
        if lost := next((name for name in elements if not _at_hand(name, tables, columns)), None):
            message = f"the service level '{named}' of {lost} is not judged: the contract has no such table"
            read.findings.append(finding("contract-rule-unjudged", message, where=where))
            continue
        try:
            bounds = Bounds(most=_seconds(entry))
            for column in _dated(elements, tables, columns):
                zone = zones.get(column)
                read.measures.append(Measure(Metric.AGE, bounds, columns=(column,), name=named, zone=zone, where=where))
        except ValueError as error:
            read.faults.append(finding("contract-invalid", f"service level '{named}': {error}", where=where))
    return read


def _seconds(entry: Mapping[str, Any]) -> float:
    value, unit = entry.get("value"), str(entry.get("unit") or "").strip().lower()
    if isinstance(value, str) and (match := _WRITTEN.fullmatch(value)):
        value, unit = float(match[1]), match[2].lower() or unit
    if not is_number(value) or value <= 0:  # type: ignore[operator]
        raise ValueError(f"its value must be a number above 0 (it is {entry.get('value')!r})")
    if unit not in _SECONDS:
        raise ValueError(f"its unit must be s, min, h, d, w, months or y (it is '{unit}')")
    return float(value) * _SECONDS[unit]  # type: ignore[arg-type]


def _elements(entry: Mapping[str, Any], default: object) -> list[str]:
    return [part.strip() for part in str(entry.get("element") or default or "").split(",") if part.strip()]


def _at_hand(name: str, tables: Mapping[str, bool], columns: Mapping[str, Column]) -> bool:
    """Whether the contract describes the table of an element."""
    table, dot, _ = name.rpartition(".")
    return not dot or name in columns or table in tables


def _of_another(name: str, tables: Mapping[str, bool], columns: Mapping[str, Column]) -> bool:
    """Whether an element is of one of the contract's other tables."""
    table, dot, _ = name.rpartition(".")
    return bool(dot) and name not in columns and not tables.get(table, True)


def _dated(elements: Sequence[str], tables: Mapping[str, bool], columns: Mapping[str, Column]) -> list[str]:
    """The columns of our table among the elements; those of the contract's other tables are theirs."""
    if not elements:
        raise ValueError("it names no `element`: the column that says when a row came about")
    found = []
    for name in elements:
        if _of_another(name, tables, columns):
            continue
        _, dot, column = name.rpartition(".")
        described = columns.get(name) or columns.get(column if dot else name)
        if described is None:
            raise ValueError(f"its element '{name}' names no column of the table")
        if described.kind not in {Kind.DATE, Kind.TIMESTAMP}:
            raise ValueError(
                f"its element '{name}' is of type {described.kind.value}; an age needs a date or timestamp"
            )
        found.append(described.name)
    return found
