"""A column as its contract sees it: which rows are null, which can't be read, and the other values to be judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from release_gate.contracts.contract import Column, Kind
from release_gate.contracts.counts import Fit
from release_gate.tables.reading import kind_of

Stored = Any
"""A column as Arrow holds it: a `pyarrow.ChunkedArray`, whose operations the stubs don't follow."""
Mask = np.ndarray[Any, np.dtype[np.bool_]]

_LIKE = {
    Kind.VECTOR: {Kind.ARRAY, Kind.VECTOR},
    Kind.ARRAY: {Kind.ARRAY, Kind.VECTOR},
    Kind.NUMBER: {Kind.NUMBER, Kind.INTEGER},
}
_JUDGED = {Kind.STRING, Kind.INTEGER, Kind.NUMBER, Kind.BOOLEAN, Kind.DATE, Kind.TIMESTAMP, Kind.TIME}
_NO_NUMBER = ["NA", "N/A", "NaN", "nan", "null", "NULL"]
_DAY = 86_400
_UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


@dataclass(frozen=True)
class Values:
    """`series` holds what is neither null nor unreadable, indexed by row from 0, None where no rule can be judged."""

    found: str
    fit: Fit
    nulls: Mask
    unreadable: Mask
    series: Any | None


def of(column: Column, stored: Stored, *, typed: bool) -> Values:
    """The values of a stored column; text of a CSV file is read as the contract's type."""
    if pa.types.is_dictionary(stored.type):
        stored = stored.cast(stored.type.value_type)
    if pa.types.is_null(stored.type):
        return _all_null(stored)
    if pa.types.is_string_view(stored.type):
        stored = stored.cast(pa.large_string())  # Arrow filters no views yet
    if not typed:
        return _parsed(column, stored)
    nulls = _numpy(pc.is_null(stored, nan_is_null=True))
    fit = _fit(column, stored, nulls)
    readable = np.zeros(len(stored), dtype=bool)
    if fit is Fit.WRONG or column.kind not in _JUDGED:
        return Values(str(stored.type), fit, nulls, readable, None)
    return Values(str(stored.type), fit, nulls, readable, _series(stored, nulls))


def _all_null(stored: Stored) -> Values:
    everywhere = np.ones(len(stored), dtype=bool)
    return Values("null", Fit.FITS, everywhere, ~everywhere, pd.Series([], dtype="object"))


def _fit(column: Column, stored: Stored, nulls: Mask) -> Fit:
    found = kind_of(stored.type)
    if found in _LIKE.get(column.kind, {column.kind}):
        if pa.types.is_timestamp(stored.type) and column.zone not in {None, stored.type.tz is not None}:
            return Fit.WRONG
        plain = str(stored.type).removeprefix("large_")
        return Fit.FITS if column.storage in {None, plain} else Fit.STORAGE
    whole = column.kind is Kind.INTEGER and found is Kind.NUMBER
    midnight = column.kind is Kind.DATE and found is Kind.TIMESTAMP
    if not (whole or midnight):
        return Fit.WRONG
    # pandas writes integers with gaps as floats and days as moments: no wrong type where each value is a whole one.
    series = _series(stored, nulls)
    same = series == series.dt.normalize() if midnight else np.isfinite(series) & (series == series.round())
    return Fit.STORAGE if bool(same.all()) else Fit.WRONG


def _series(stored: Stored, nulls: Mask) -> Any:
    """Values that are not null: plain numpy numbers, times in UTC without zone, times of day as durations."""
    kept = stored.filter(pa.array(~nulls))
    index = np.flatnonzero(~nulls)
    if pa.types.is_decimal(kept.type):
        kept = kept.cast(pa.float64())
    elif pa.types.is_date(kept.type):
        kept = kept.cast(pa.date32()).cast(pa.timestamp("s"))
    elif pa.types.is_timestamp(kept.type):
        kept = kept.cast(pa.timestamp(kept.type.unit))
    elif pa.types.is_time(kept.type):
        number = kept.cast(pa.int32() if pa.types.is_time32(kept.type) else pa.int64()).cast(pa.int64())
        kept = number.cast(pa.duration(kept.type.unit))
    series = kept.to_pandas()
    series.index = index
    return series


def _parsed(column: Column, stored: Stored) -> Values:
    """Text read as the contract's type; what can't be read is noted row by row."""
    nulls = _numpy(pc.is_null(stored))
    if column.kind in {Kind.INTEGER, Kind.NUMBER}:
        nulls |= _numpy(pc.is_in(stored, value_set=pa.array(_NO_NUMBER)))
    text = _series(stored, nulls)
    series: Any = None
    unreadable = np.zeros(len(stored), dtype=bool)
    if column.kind is Kind.STRING:
        series = text
    elif column.kind in _JUDGED:
        read = _read(column, text)
        unreadable[read.index[read.isna()]] = True
        series = read[read.notna()]
        # Through floats the last digits of large numbers would be lost.
        series = (
            pd.Series([int(one) for one in text[series.index]], series.index) if column.kind is Kind.INTEGER else series
        )
    fits = Fit.FITS if series is not None else Fit.WRONG
    return Values("text", fits, nulls, unreadable, series)


def _read(column: Column, text: Any) -> Any:
    """Each text as a value, missing where it is none."""
    kind = column.kind
    if kind is Kind.BOOLEAN:
        return text.str.lower().map({"true": True, "false": False}).astype("boolean").astype("object")
    if kind is Kind.TIME:
        clock = text.where(text.str.fullmatch(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?"))
        return pd.to_timedelta(clock.where(clock.str.count(":") != 1, clock + ":00"))
    if kind in {Kind.INTEGER, Kind.NUMBER}:
        number = r"[+-]?\d{1,38}" if kind is Kind.INTEGER else r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
        return pd.to_numeric(text.where(text.str.fullmatch(number)), errors="coerce").astype("float64")
    shape = r"\d{4}-\d{2}-\d{2}" if kind is Kind.DATE else r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}.*)?"
    moments = pd.to_datetime(text.where(text.str.fullmatch(shape)), format="ISO8601", errors="coerce", utc=True)
    if kind is Kind.TIMESTAMP and column.zone is not None:
        zoned = text.str.contains(r"(?:Z|[+-]\d{2}:?\d{2})$", regex=True)
        moments = moments.where(zoned == column.zone)
    return moments.dt.tz_localize(None)


def _numpy(mask: Stored) -> Mask:
    return np.array(mask.to_numpy(), dtype=bool)
