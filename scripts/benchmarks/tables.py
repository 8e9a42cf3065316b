"""Makes the tables of the contract benchmark: `python -m benchmarks.tables KIND ROWS FILE`.

A process of its own, since the peak of a process counts for every one it starts (getrusage(2)), and ours is measured.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.checks import COUNTRIES, FLOATING, STATES, WIDE, Column

CHUNK = 500_000
BROKEN = 40
"""How many rows break each check in a table that does."""

SKUS = [f"SKU-{number:06d}" for number in range(90_000)]
EMAILS = [f"u{number}@example.org" for number in range(200_000)]
BEFORE, BEGIN, AFTER = (np.datetime64(f"{year}-01-01", "us") for year in (1999, 2024, 2031))
Parts = dict[str, Any]
Generator = np.random.Generator


def orders(first: int, rows: int, random: Generator) -> Parts:
    """Rows as they arrive: the key is unique and nearly, but not quite, in order."""

    def drawn(values: Sequence[str]) -> object:
        codes = random.integers(0, len(values), rows)
        return pa.DictionaryArray.from_arrays(codes, pa.array(values)).dictionary_decode()

    return {
        "order_id": pa.array(random.permutation(np.arange(first, first + rows)) * 7 + 13),
        "sku": drawn(SKUS),
        "email": drawn(EMAILS),
        "country": drawn(COUNTRIES),
        "quantity": pa.array(random.integers(1, 100, rows).astype("int32")),
        "price": pa.array(np.round(random.gamma(2, 20, rows), 2), mask=random.random(rows) < 0.02),
        "discount": pa.array(np.round(random.random(rows) * 0.5, 2)),
        "status": drawn(STATES),
        "created": pa.array(BEGIN + random.integers(0, 365 * 24, rows).astype("timedelta64[h]")),
        "rating": pa.array(random.integers(1, 6, rows).astype("int8"), mask=random.random(rows) < 0.3),
    }


def wide(first: int, rows: int, random: Generator) -> Parts:  # noqa: ARG001 - a maker takes all three
    """Integers and times within their ranges."""
    return {column.name: _integers_or_times(column, rows, random) for column in WIDE}


def _integers_or_times(column: Column, rows: int, random: Generator) -> object:
    if column.type == "integer":
        return pa.array(random.integers(0, 900, rows))
    return pa.array(BEGIN + random.integers(0, 365 * 86_400, rows).astype("timedelta64[s]"))


def floating(first: int, rows: int, random: Generator) -> Parts:  # noqa: ARG001 - a maker takes all three
    """Numbers within their ranges."""
    return {column.name: pa.array(np.round(random.normal(100, 15, rows), 3)) for column in FLOATING}


def orders_broken(first: int, rows: int, random: Generator) -> Parts:
    """Orders that break every check."""
    parts = orders(first, rows, random)
    wrong: dict[str, tuple[Any, ...]] = {
        "order_id": (None, parts["order_id"][rows - 1].as_py()),
        "sku": (None, "sku-1"),
        "email": (None, "nobody"),
        "country": (None, "XX"),
        "quantity": (None, 0, 5000),
        "price": (-1.0, 1e6),
        "discount": (None, -0.5, 1.5),
        "status": (None, "lost"),
        "created": (None, BEFORE, AFTER),
        "rating": (0, 9),
    }
    return parts if first else _spoiled(parts, wrong)


def wide_broken(first: int, rows: int, random: Generator) -> Parts:
    """Integers and times that break every check."""
    wrong = {"integer": (None, -1000, 5000), "timestamp": (None, BEFORE, AFTER)}
    parts = wide(first, rows, random)
    return parts if first else _spoiled(parts, {column.name: wrong[column.type] for column in WIDE})


def _spoiled(parts: Parts, wrong: dict[str, tuple[Any, ...]]) -> Parts:
    """The same columns with wrong values, each in rows of its own."""
    start = 0
    for name, values in wrong.items():
        bad = pa.array([value for value in values for _ in range(BROKEN)], parts[name].type)
        parts[name] = pa.concat_arrays([parts[name][:start], bad, parts[name][start + len(bad) :]])
        start += len(bad)
    return parts


MAKERS: dict[str, Callable[[int, int, Generator], Parts]] = {
    "orders": orders,
    "orders-broken": orders_broken,
    "wide": wide,
    "wide-broken": wide_broken,
    "floating": floating,
}


def make(kind: str, rows: int, path: Path) -> None:
    """Write a table chunk by chunk, so that its size is not its price in memory."""
    random = np.random.default_rng(20240101)
    writer = None
    for first in range(0, rows, CHUNK):
        part = pa.table(MAKERS[kind](first, min(CHUNK, rows - first), random))
        writer = writer or pq.ParquetWriter(path, part.schema)
        writer.write_table(part)
    if writer:
        writer.close()


if __name__ == "__main__":
    make(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
