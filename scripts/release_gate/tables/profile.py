"""Profiles a file for a drafted contract: types, nulls, ranges and small sets, read as the contract will read them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

from release_gate.contracts.contract import Column, Kind
from release_gate.contracts.infer import SET_SIZE, ColumnProfile, Profile
from release_gate.findings import BadInput
from release_gate.tables import values
from release_gate.tables.reading import Read, kind_of, read
from release_gate.verdict import Where


def profile(path: Path, shown: str) -> Profile:
    """What a Parquet or CSV file holds; `shown` is its name in messages.

    Raises:
        BadInput: the file is missing, can't be read, or is empty: there is nothing to learn from.
    """
    given = read(path, shown)
    if given.delimiter is not None:
        message = f"the file is not parted by commas: its only column holds {given.delimiter!r}"
        raise BadInput.because("table-delimiter", message, where=Where(table=shown))
    if given.table.num_rows == 0:
        raise BadInput.because("table-empty", "the table has no rows to learn from", where=Where(table=shown))
    kinds = _kinds(path, given)
    chosen = [name for name in given.names if given.names.count(name) == 1]
    described = tuple(_column(name, kind, given) for name in chosen if (kind := kinds[name]) is not None)
    left_out = tuple(name for name in dict.fromkeys(given.names) if name not in {one.name for one in described})
    return Profile(path.stem, given.table.num_rows, described, left_out)


def _kinds(path: Path, given: Read) -> dict[str, Kind | None]:
    """The type of each column; of a CSV file as its texts look."""
    table = given.table if given.typed else pyarrow.csv.read_csv(path)
    return {
        field.name: Kind.STRING if pa.types.is_null(field.type) else kind_of(field.type)
        for field in table.select(given.table.schema.names).schema
    }


def _column(name: str, kind: Kind, given: Read) -> ColumnProfile:
    stored = given.table.column(name)
    held = values.of(Column(name, kind), stored, typed=given.typed)
    if held.unreadable.any():
        # What looked like numbers or days has a few other texts among it: then text is all that is sure.
        kind = Kind.STRING
        held = values.of(Column(name, kind), stored, typed=given.typed)
    moment = given.typed and pa.types.is_timestamp(stored.type)
    storage = held.found if given.typed and kind in {Kind.INTEGER, Kind.NUMBER, Kind.TIMESTAMP} else None
    least = most = None
    distinct = 0
    small: tuple[str, ...] = ()
    series = held.series
    if series is not None and len(series):
        distinct = int(series.nunique())
        if kind is Kind.STRING and distinct <= SET_SIZE:
            small = tuple(sorted(str(value) for value in series.unique()))
        if kind in {Kind.INTEGER, Kind.NUMBER} and bool(np.isfinite(series).all()):
            least, most = series.min().item(), series.max().item()
    return ColumnProfile(
        name=name,
        kind=kind,
        storage=storage,
        zone=stored.type.tz is not None if moment else None,
        nulls=int(held.nulls.sum()),
        distinct=distinct,
        values=small,
        least=least,
        most=most,
    )
