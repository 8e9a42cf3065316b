"""Reads Parquet and CSV files as Arrow tables; whatever can't be read is named, with its remedy."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from release_gate.findings import BadInput
from release_gate.verdict import Where

SUFFIXES = {".parquet": "parquet", ".pq": "parquet", ".csv": "csv"}


@dataclass(frozen=True)
class Read:
    """A file's declared columns; `names` are all it has, in its order; `typed` is false where all is text (CSV)."""

    table: pa.Table
    names: tuple[str, ...]
    typed: bool = True


def read(path: Path, shown: str, columns: tuple[str, ...] | None = None) -> Read:
    """Read a file, or only those of its `columns` that exist; `shown` is its name in messages.

    Raises:
        BadInput: `file-missing`, `table-format` (a folder, an unknown suffix) or `file-unreadable`.
    """
    where = Where(file=shown)
    if path.is_dir():
        message = f"{shown} is a folder; one Parquet or CSV file is needed"
        raise BadInput.because("table-format", message, where=where)
    if not path.exists():
        raise BadInput.because("file-missing", f"{shown} does not exist", where=where)
    form = SUFFIXES.get(path.suffix.lower())
    if form is None:
        message = f"{shown} has the suffix '{path.suffix}'; read are {', '.join(SUFFIXES)}"
        raise BadInput.because("table-format", message, where=where)
    try:
        return _parquet(path, columns) if form == "parquet" else _csv(path, columns)
    except (pa.ArrowException, OSError, UnicodeDecodeError, ValueError) as error:
        cause = str(error).replace(str(path), shown).splitlines()[0][:300]
        message = f"{shown} can't be read as {form.upper() if form == 'csv' else 'Parquet'}: {cause}"
        raise BadInput.because("file-unreadable", message, where=where) from error


def _parquet(path: Path, columns: tuple[str, ...] | None) -> Read:
    with pq.ParquetFile(path) as file:
        names = tuple(file.schema_arrow.names)
        wanted = [name for name in columns if names.count(name) == 1] if columns is not None else None
        # Metadata written by pandas is dropped: it may rename columns on the way back.
        if wanted == []:
            return Read(pa.table({"": pa.nulls(file.metadata.num_rows)}).select([]), names)
        return Read(file.read(columns=wanted).replace_schema_metadata(None), names)


def _csv(path: Path, columns: tuple[str, ...] | None) -> Read:
    """All as text: only the contract knows that 007 is a word and not the number 7."""
    with path.open("rb") as file:
        start = file.readline(1_000_000)
    if not start.strip():
        return Read(pa.table({}), (), typed=False)
    names = tuple(pyarrow.csv.read_csv(io.BytesIO(start.rstrip(b"\r\n") + b"\n")).column_names)
    kept = [name for name in dict.fromkeys(names) if columns is None or name in columns]
    convert = pyarrow.csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()),
        include_columns=kept,
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        null_values=[""],
    )
    parse = pyarrow.csv.ParseOptions(newlines_in_values=True)
    chosen = [name for name in kept if names.count(name) == 1]
    table = pyarrow.csv.read_csv(path, convert_options=convert, parse_options=parse)
    return Read(table.select(chosen), names, typed=False)
