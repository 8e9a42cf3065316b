"""What data files a repository holds: rows, columns, which columns name a row, which have two values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from release_gate.drafts import TableFacts

SUFFIXES = (".parquet", ".csv")


def inventory(root: Path, files: Sequence[str]) -> tuple[TableFacts, ...]:
    """Facts about the Parquet and CSV files among `files`, the largest table first; unreadable ones are left out."""
    facts = [fact for name in files if name.endswith(SUFFIXES) and (fact := _facts(root, name)) is not None]
    return tuple(sorted(facts, key=lambda fact: (-fact.rows, fact.path)))


def _facts(root: Path, name: str) -> TableFacts | None:
    path = root / name
    try:
        table = pyarrow.parquet.read_table(path) if name.endswith(".parquet") else pyarrow.csv.read_csv(path)
    except (OSError, pa.ArrowException):
        return None
    unique, binary = [], []
    for column in table.column_names:
        values = table[column]
        try:
            distinct = pc.count_distinct(values, mode="only_valid").as_py()
        except pa.ArrowNotImplementedError:
            continue  # a nested type neither names a row nor is a label
        if table.num_rows > 1 and distinct == table.num_rows and not pa.types.is_floating(values.type):
            unique.append(column)
        if distinct == 2:
            binary.append(column)
    columns = {field.name: str(field.type) for field in table.schema}
    return TableFacts(name, table.num_rows, columns, tuple(unique), tuple(binary))
