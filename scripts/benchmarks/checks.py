"""The checks that every contestant of the contract benchmark is given, and the forms they are given in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

TABLE = "measured"
STATES = ("new", "paid", "sent", "done", "back")
COUNTRIES = ("DE", "FR", "US", "GB", "IT", "ES", "NL", "SE")


@dataclass(frozen=True)
class Column:
    """One column and what it is held to; `least` and `most` of a timestamp are text in ISO 8601."""

    name: str
    type: str
    nulls: bool = False
    unique: bool = False
    pattern: str | None = None
    values: tuple[str, ...] = ()
    least: float | str | None = None
    most: float | str | None = None

    @property
    def checks(self) -> list[tuple[str, Any]]:
        """Each check as its kind and its value, types apart."""
        every: list[tuple[str, Any]] = [
            ("not null", None if self.nulls else True),
            ("unique", self.unique or None),
            ("pattern", self.pattern),
            ("one of", list(self.values) or None),
            ("at least", self.least),
            ("at most", self.most),
        ]
        return [(kind, value) for kind, value in every if value is not None]


ORDERS = (
    Column("order_id", "integer", unique=True),
    Column("sku", "string", pattern="^SKU-[0-9]{6}$"),
    Column("email", "string", pattern=r"^[^@ ]+@[^@ ]+\.[a-z]+$"),
    Column("country", "string", values=COUNTRIES),
    Column("quantity", "integer", least=1, most=1000),
    Column("price", "number", nulls=True, least=0, most=10000),
    Column("discount", "number", least=0, most=1),
    Column("status", "string", values=STATES),
    Column("created", "timestamp", least="2020-01-01T00:00:00", most="2026-01-01T00:00:00"),
    Column("rating", "integer", nulls=True, least=1, most=5),
)
"""Ten columns: a unique key, two patterns, two sets, five ranges, eight without nulls."""

WIDE = tuple(
    Column(f"at_{place:02d}", "timestamp", least="2020-01-01T00:00:00", most="2026-01-01T00:00:00")
    if place % 3 == 2
    else Column(f"count_{place:02d}", "integer", least=-100, most=1000)
    for place in range(60)
)
"""Sixty columns of integers and times with three checks each: a file's footer says all that they ask."""

FLOATING = tuple(Column(f"share_{place:02d}", "number", least=-100, most=1000) for place in range(60))
"""The same in floating point, where a footer is silent about NaN."""


def checked_only(columns: tuple[Column, ...], first: int) -> tuple[Column, ...]:
    """The same columns, of which only the first ones are held to anything but their type."""
    return columns[:first] + tuple(Column(column.name, column.type, nulls=True) for column in columns[first:])


def count(columns: tuple[Column, ...]) -> int:
    """How many checks they are."""
    return sum(len(column.checks) for column in columns)


def every(columns: tuple[Column, ...]) -> frozenset[tuple[str, str]]:
    """Each check as its column and kind: what must fail where every check is broken."""
    return frozenset((column.name, kind) for column in columns for kind, _ in column.checks)


def as_list(columns: tuple[Column, ...], path: Path) -> Path:
    """Write the checks as JSON, for the peers that are configured in Python."""
    listed = [[column.name, column.type, kind, value] for column in columns for kind, value in column.checks]
    path.write_text(json.dumps(listed, indent=1))
    return path


def as_contract(columns: tuple[Column, ...], path: Path, data: Path) -> Path:
    """Write the checks as an Open Data Contract with our policy, its only server being the file."""
    contract = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": TABLE,
        "name": TABLE,
        "version": "1.0.0",
        "status": "active",
        "customProperties": [{"property": "owner", "value": "@octo-air"}],
        "servers": [{"server": "local", "type": "local", "path": str(data), "format": "parquet"}],
        "schema": [{"name": TABLE, "physicalType": "table", "properties": [_property(one) for one in columns]}],
    }
    path.write_text(yaml.safe_dump(contract, sort_keys=False))
    return path


def _property(column: Column) -> dict[str, Any]:
    options = {"pattern": column.pattern, "minimum": column.least, "maximum": column.most}
    valid = {"type": "library", "metric": "invalidValues", "mustBe": 0, "unit": "rows"}
    declared = {
        "onNull": "keep" if column.nulls else "reject",
        "onInvalid": "reject",
        "backfill": "Exported again by octo-air data from the orders, complete since 2020-01-01",
    }
    written = {
        "name": column.name,
        "logicalType": column.type,
        "required": not column.nulls,
        "unique": column.unique,
        "logicalTypeOptions": {key: value for key, value in options.items() if value is not None},
        "quality": [{**valid, "arguments": {"validValues": list(column.values)}}] if column.values else [],
        "customProperties": [{"property": key, "value": value} for key, value in declared.items()],
    }
    return {key: value for key, value in written.items() if value or key == "required"}


def conditions(columns: tuple[Column, ...]) -> list[tuple[str, str, str]]:
    """Column, kind and an SQL expression that counts the failing rows, as one would write them for DuckDB."""
    return [(column.name, kind, _sql(column, kind, value)) for column in columns for kind, value in column.checks]


def _sql(column: Column, kind: str, value: Any) -> str:
    name = f'"{column.name}"'
    limit = f"timestamp '{value}'" if column.type == "timestamp" else value
    listed = ", ".join(f"'{one}'" for one in column.values)
    return {
        "not null": f"count(*) - count({name})",
        "unique": f"count({name}) - count(distinct {name})",
        "pattern": f"count(*) filter (not regexp_matches({name}, '{value}'))",
        "one of": f"count(*) filter ({name} not in ({listed}))",
        "at least": f"count(*) filter ({name} < {limit})",
        "at most": f"count(*) filter ({name} > {limit})",
    }[kind]
