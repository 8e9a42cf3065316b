"""Reads the caller's raw rows as their pandas does, and picks those worth comparing. Loaded by transforms.py."""

from __future__ import annotations

import io
import math
from typing import Any

WHOLE = 2_000_000
"""A file with more rows is not read whole: a few of its row groups, evenly spaced, stand for it."""
GROUPS = 16
FEW_VALUES = 40
"""A column with at most so many different values gives one row of each to the sample."""


def read(path: str) -> tuple[Any, list[int]]:
    """The rows of the file as pandas reads them, and their row numbers in it."""
    import pandas as pd

    if path.endswith((".csv", ".csv.gz")):
        frame = pd.read_csv(path)
        return frame, list(range(len(frame)))
    try:
        from pyarrow import parquet
    except ImportError:
        frame = pd.read_parquet(path)
        return frame, list(range(len(frame)))
    with parquet.ParquetFile(path) as file:
        sizes = [file.metadata.row_group(group).num_rows for group in range(file.metadata.num_row_groups)]
        if sum(sizes) <= WHOLE:
            frame = pd.read_parquet(path)
            return frame, list(range(len(frame)))
        groups = spaced(len(sizes), GROUPS)
        # Through pandas' own reader, so that the types are those that training sees.
        buffer = io.BytesIO()
        parquet.write_table(file.read_row_groups(groups), buffer)
    starts = [sum(sizes[:group]) for group in groups]
    numbers = [start + row for start, group in zip(starts, groups, strict=True) for row in range(sizes[group])]
    return pd.read_parquet(buffer), numbers


def stored(path: str, frame: Any, rows: list[int], texts: list[str]) -> Any:
    """Rows of the file, by their numbers, as a client has them, whatever pandas made of the file: whole numbers beside
    a null are whole, and of a CSV file the columns `texts` hold what stands there (007 is no 7).
    """
    import pandas as pd

    frame = frame.copy()
    if path.endswith((".csv", ".csv.gz")):
        wanted = [name for name in texts if name in frame.columns]
        told = pd.read_csv(path, usecols=wanted, dtype=str) if wanted else frame
        return frame.assign(**{name: told[name].iloc[rows].to_numpy() for name in wanted})
    for name in whole_numbers(path):
        if name in frame.columns and frame[name].dtype.kind == "f":
            whole = [None if math.isnan(one) else int(one) for one in frame[name].tolist()]
            frame[name] = pd.Series(whole, dtype=object, index=frame.index)
    return frame


def whole_numbers(path: str) -> list[str]:
    """The columns of a Parquet file that hold whole numbers; none where nothing here can read its schema."""
    try:
        from pyarrow import parquet, types
    except ImportError:
        return []
    schema = parquet.read_schema(path)
    return [field.name for field in schema if types.is_integer(field.type) and schema.names.count(field.name) == 1]


def spaced(total: int, wanted: int) -> list[int]:
    """Up to `wanted` numbers below `total`, evenly spaced, with the first and the last."""
    if total <= wanted:
        return list(range(total))
    if wanted == 1:
        return [0]
    return sorted({round(index * (total - 1) / (wanted - 1)) for index in range(wanted)})


def chosen(frame: Any, wanted: int) -> list[int]:
    """Positions of rows: nulls, extremes and rare values first (at most half), the rest evenly spaced."""
    special: dict[int, None] = {}
    for find in (nulls, extremes, values):
        for name in range(frame.shape[1]):
            try:
                found = find(frame.iloc[:, name])
            except (TypeError, ValueError):
                continue  # values without an order or a hash, such as lists: nothing special is known of them
            special.update(dict.fromkeys(found))
    if len(frame) <= wanted:
        return list(range(len(frame)))
    positions = set(list(special)[: wanted // 2])
    return sorted(positions.union(spaced(len(frame), wanted - len(positions))))


def nulls(column: Any) -> list[int]:
    """The first row with a null."""
    empty = column.isna().to_numpy()
    return [int(empty.argmax())] if empty.any() else []


def extremes(column: Any) -> list[int]:
    """The rows of the least and the greatest value."""
    ordered = column.reset_index(drop=True).dropna()
    if ordered.empty or ordered.dtype.kind not in "iufM":
        return []
    return [int(ordered.idxmin()), int(ordered.idxmax())]


def values(column: Any) -> list[int]:
    """A row of each value, where there are few."""
    first = column.reset_index(drop=True).dropna().drop_duplicates()
    return [int(position) for position in first.index] if len(first) <= FEW_VALUES else []
