"""Writes rows of a contract to a file with the types of the caller's own data, for the transforms to be tried on."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from release_gate.contracts.allowed import Value
from release_gate.contracts.contract import Contract, Kind
from release_gate.contracts.fuzz.fuzzing import domains, rows, untried

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d([T ])\d\d:\d\d(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_READ_AS_NULL = frozenset(
    {"", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
     "NULL", "NaN", "None", "n/a", "nan", "null"}
)  # fmt: skip
"""Texts of a CSV file that pandas takes for nothing."""
LINES = 1000
"""Lines of a CSV file in which a value is looked for that shows how times are written."""


@dataclass(frozen=True)
class Storage:
    """How a column of the data holds values: `cell` makes what is written, `back` tells what is read again."""

    cell: Callable[[Value], Any]
    back: Callable[[Value], Value]


@dataclass(frozen=True)
class Made:
    """A file of rows, the declared columns that are left to the data, and how many edges of a column have no row."""

    file: Path
    left: tuple[str, ...]
    untried: dict[str, int]


def written(contract: Contract, data: Path, folder: Path, *, seed: int, number: int) -> Made:
    """Rows that the contract allows, of the columns that `data` has and values could be made for.

    Raises:
        ValueError: the types of the data can't be read, or no column is left.
        OSError: likewise.
    """
    text = data.name.endswith((".csv", ".csv.gz"))
    storages = _of_text(contract, data) if text else _of_parquet(data)
    found = [
        fitted
        for domain in domains(contract, seed, number)
        if domain.name in storages and (fitted := domain.fitted(storages[domain.name].back)) is not None
    ]
    if not found:
        raise ValueError(f"{data.name} has no column of the contract with a type that values can be made for")
    made = rows(contract, found, seed, number)
    cells = {
        domain.name: [None if row[place] is None else storages[domain.name].cell(row[place]) for row in made]
        for place, domain in enumerate(found)
    }
    left = tuple(column.name for column in contract.columns if column.name in storages and column.name not in cells)
    return Made(_as_text(cells, folder) if text else _as_parquet(cells, data, folder), left, untried(found, made))


def _of_parquet(data: Path) -> dict[str, Storage]:
    schema = parquet.read_schema(data)
    names = [field.name for field in schema]
    return {field.name: _typed(field.type) for field in schema if names.count(field.name) == 1}


def _typed(stored: pa.DataType) -> Storage:
    """Storage in a type of Arrow's: fewer digits, whole milliseconds, nothing beyond its range."""

    def back(value: Value) -> Value:
        # Arrow's refusals are ValueErrors, TypeErrors and OverflowErrors too.
        kept = None if value is None else pa.array([_given(value, stored)], type=stored)[0].as_py()
        if isinstance(kept, dt.datetime):
            moment = dt.datetime.fromisoformat(kept.isoformat()[:32])  # of nanoseconds, Arrow makes pandas' own
            moment = moment if moment.tzinfo is None else moment.astimezone(dt.UTC).replace(tzinfo=None)
            return moment if isinstance(value, dt.datetime) else moment.date()
        return int(kept) if isinstance(kept, float) and isinstance(value, int) else kept

    return Storage(lambda value: _given(value, stored), back)


def _given(value: Value, stored: pa.DataType) -> Any:
    """A value in the form that Arrow takes for a type."""
    if pa.types.is_timestamp(stored) and isinstance(value, dt.date):
        moment = value if isinstance(value, dt.datetime) else dt.datetime.combine(value, dt.time())
        return moment if stored.tz is None else moment.replace(tzinfo=dt.UTC)
    if pa.types.is_decimal(stored) and isinstance(value, int | float) and math.isfinite(value):
        return Decimal(str(value)).quantize(Decimal(1).scaleb(-stored.scale))
    return float(value) if pa.types.is_floating(stored) and isinstance(value, int) else value


def _as_parquet(cells: dict[str, list[Any]], data: Path, folder: Path) -> Path:
    schema = parquet.read_schema(data)
    # The contract says where nulls may be, not the file of today.
    fields = [schema.field(name).with_nullable(True) for name in cells]
    columns = [pa.array(cells[field.name], type=field.type) for field in fields]
    notes = schema.metadata or {}
    # pandas notes there which of its types a column had; of an index that is a column nothing may be said here.
    kept: dict[bytes | str, bytes | str] | None = (
        dict(notes.items()) if b'"index_columns": [{' in notes.get(b"pandas", b"") else None
    )
    file = folder / "rows.parquet"
    parquet.write_table(pa.table(columns, schema=pa.schema(fields, metadata=kept)), file)
    return file


def _of_text(contract: Contract, data: Path) -> dict[str, Storage]:
    with (
        gzip.open(data, "rt", newline="") if data.suffix == ".gz" else data.open(newline="", encoding="utf-8") as lines
    ):
        some = list(islice(csv.DictReader(lines), LINES))
    storages: dict[str, Storage] = {}
    for column in contract.columns:
        values = (row[column.name] for row in some if column.name in row)
        storage = _spelled(column.kind, next((value for value in values if value not in _READ_AS_NULL), ""))
        if some and column.name in some[0] and storage is not None:
            storages[column.name] = storage
    return storages


def _spelled(kind: Kind, example: str) -> Storage | None:
    """How a CSV file holds values, given one of its own; None for times in a form that is not ISO 8601's."""
    if kind is Kind.TIMESTAMP:
        match = _MOMENT.fullmatch(example)
        return _moments(match[1], match[2]) if match else None
    if kind is Kind.TIME or (kind is Kind.DATE and _DAY.fullmatch(example) is None):
        return None
    return Storage(lambda value: value, _readable if kind is Kind.STRING else lambda value: value)


def _readable(value: Value) -> Value:
    """A text that is still that text once pandas has read it."""
    if value in _READ_AS_NULL or "\r" in str(value):
        raise ValueError(f"{value!r} is read as something else")
    return value


def _moments(separator: str, zone: str | None) -> Storage:
    """Whole seconds, as most files have them; with a zone in UTC."""

    def back(value: Value) -> Value:
        return value.replace(microsecond=0) if isinstance(value, dt.datetime) else value

    def cell(value: Value) -> str:
        written = value.isoformat(separator) if isinstance(value, dt.datetime) else str(value)
        return written + ("" if zone is None else "Z" if zone == "Z" else "+00:00")

    return Storage(cell, back)


def _as_text(cells: dict[str, list[Any]], folder: Path) -> Path:
    file = folder / "rows.csv"
    with file.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.writer(opened)
        writer.writerow(cells)
        writer.writerows(zip(*cells.values(), strict=True))
    return file
