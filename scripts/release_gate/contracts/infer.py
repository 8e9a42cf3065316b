"""Drafts a contract in the open standard from the profile of a table: what the data shows, with some slack.

A draft is a start for people: its policies are the strictest that today's data keeps, and each backfill is marked
as a draft, which schema-check warns of until someone has written it.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import yaml

from release_gate.contracts.contract import Bound, Kind

SET_SIZE = 20
"""A text column with at most this many values, each met often, is taken for a set."""
ROWS_KEPT = 0.5
"""Part of today's rows that later data must have at least."""
SLACK = 0.1
"""Part of the span by which a range is widened on either side."""
SMALLEST_SPAN = 1e-290
"""Below this, floats have too few digits left to widen a range."""
DRAFT = "DRAFT: say how missing history is filled, who does it, and from when"

_PERSONAL = re.compile(
    r"(^|_)(e?mail|phone|ssn|passport|iban|birth(day|date)?|address|(first|last|full)_?name)(_|$)", re.I
)


@dataclass(frozen=True)
class ColumnProfile:
    """What one column holds. `least` and `most` are of the finite numbers; None where there are none, or others."""

    name: str
    kind: Kind
    storage: str | None = None
    zone: bool | None = None
    nulls: int = 0
    distinct: int = 0
    values: tuple[str, ...] = ()
    least: int | float | None = None
    most: int | float | None = None


@dataclass(frozen=True)
class Profile:
    """What a table holds; `left_out` names columns of types that no contract describes."""

    name: str
    rows: int
    columns: tuple[ColumnProfile, ...]
    left_out: tuple[str, ...] = ()


def draft(profile: Profile, source: str) -> str:
    """A contract (YAML) that the profiled data keeps; `source` names the data in a comment."""
    key = next((one.name for one in profile.columns if _names_rows(one, profile.rows)), None)
    least = max(1, math.floor(profile.rows * ROWS_KEPT))
    table = {
        "name": profile.name,
        "logicalType": "object",
        "physicalType": "table",
        "quality": [{"name": "enough rows", "type": "library", "metric": "rowCount", "mustBeGreaterOrEqualTo": least}],
        "properties": [_property(one, profile.rows, key=one.name == key) for one in profile.columns],
    }
    contract = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": re.sub(r"[^A-Za-z0-9]+", "-", profile.name).strip("-").lower() or "table",
        "name": profile.name,
        "version": "1.0.0",
        "status": "draft",
        "schema": [table],
    }
    rows = f"{profile.rows:,} row{'s' * (profile.rows != 1)}"
    head = [f"Drafted from {source} ({rows}): read every line before you rely on it."]
    head += [f"Left out, since no contract describes their types: {', '.join(profile.left_out)}"] * bool(
        profile.left_out
    )
    comments = "".join(f"# {' '.join(line.split())}\n" for line in head)
    return comments + yaml.dump(contract, Dumper=_Quoting, sort_keys=False, allow_unicode=True, width=110)


def _property(column: ColumnProfile, rows: int, *, key: bool) -> dict[str, Any]:
    personal = bool(_PERSONAL.search(column.name))
    said: dict[str, Any] = {"name": column.name, "logicalType": column.kind.value}
    if column.storage:
        said["physicalType"] = column.storage
    if key:
        said |= {"primaryKey": True, "primaryKeyPosition": 1, "unique": True}
    said["required"] = column.nulls == 0
    options: dict[str, Any] = dict(_range(column))
    if column.zone is not None:
        options["timezone"] = column.zone
    if options:
        said["logicalTypeOptions"] = options
    often = column.distinct * SET_SIZE <= rows
    if column.kind is Kind.STRING and 0 < len(column.values) == column.distinct and often and not personal:
        rule = {"type": "library", "metric": "invalidValues", "arguments": {"validValues": list(column.values)}}
        said["quality"] = [{"name": f"{column.name} is known", **rule, "mustBe": 0}]
    policies = {"onNull": "reject" if column.nulls == 0 else "keep", "onInvalid": "reject", "backfill": DRAFT}
    said["customProperties"] = [{"property": name, "value": value} for name, value in policies.items()]
    if personal:
        said["customProperties"].append({"property": "sensitive", "value": True})
    return said


def _names_rows(column: ColumnProfile, rows: int) -> bool:
    """Whether a column could be the key: one value a row, and of a type that keys have."""
    return rows > 1 and column.distinct == rows and column.kind in {Kind.STRING, Kind.INTEGER}


def _range(column: ColumnProfile) -> dict[str, Bound]:
    """A widened range; what is a share or a flag stays one, what is never negative stays so."""
    least, most = column.least, column.most
    if least is None or most is None:
        return {}
    if column.kind in {Kind.NUMBER, Kind.INTEGER} and least >= 0 and most <= 1:
        return {"minimum": 0, "maximum": 1}
    span = float(most - least) or float(abs(most)) or 1.0
    widened = (least - span * SLACK, most + span * SLACK)
    if span < SMALLEST_SPAN or not all(map(math.isfinite, widened)):
        return {}
    step = 10.0 ** math.floor(math.log10(span * SLACK))
    low, high = math.floor(widened[0] / step) * step, math.ceil(widened[1] / step) * step
    if column.kind is Kind.INTEGER:
        low, high = math.floor(low), math.ceil(high)
    low = max(low, 0) if least >= 0 else low
    # Rounding must never leave out what was seen.
    return {"minimum": min(_tidy(low), least), "maximum": max(_tidy(high), most)}


def _tidy(value: float) -> int | float:
    """A whole number without `.0`, so that a contract reads as people would write it."""
    return int(value) if value == int(value) else float(f"{value:.12g}")


class _Quoting(yaml.SafeDumper):
    """Quotes each text that a reader of YAML 1.1 or 1.2 could take for a number, a date or a word such as `no`."""


def _text(dumper: _Quoting, text: str) -> yaml.ScalarNode:
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_ .\[\],=/-]*", text) and text.isprintable()
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


_Quoting.add_representer(str, _text)
