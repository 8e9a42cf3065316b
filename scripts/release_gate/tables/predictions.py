"""Tables that go to the caller's `predict` and come back from it: labels taken out, scores checked and put in order.

All tables are Parquet. Scores come back with one key a row, and leave here as exactly two columns in the order of
the evaluation rows, so that candidate and production can be laid side by side.
"""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from release_gate.files import FULL
from release_gate.findings import BadInput, finding
from release_gate.verdict import Finding, Where

BATCH = 65_536
GOLDEN = 20
WITH_NULLS = 5


@dataclass(frozen=True)
class Rows:
    """The evaluation rows: their keys in order, and the file without labels."""

    keys: pa.Array[Any]
    unlabelled: Path


def strip_label(data: Path, label: str, key: str, out: Path, *, shown: str) -> Rows:
    """Write the rows without the label, batch by batch.

    Raises:
        BadInput: `file-missing`, `file-unreadable`, `evaluation-column-missing`, `evaluation-empty`,
            `evaluation-key` where keys are null or given twice.
    """
    where = Where(file=shown)
    if not data.is_file():
        code, what = ("file-unreadable", "is no file") if data.exists() else ("file-missing", "does not exist")
        raise BadInput.because(code, f"{shown} {what}", where=where)
    try:
        with pq.ParquetFile(data) as source:
            missing = [name for name in (key, label) if name not in source.schema_arrow.names]
            if missing:
                named = ", ".join(missing)
                raise BadInput.because("evaluation-column-missing", f"{shown} has no column {named}", where=where)
            kept = [name for name in source.schema_arrow.names if name != label]
            schema = pa.schema([source.schema_arrow.field(name) for name in kept])
            schema = schema.with_metadata(_pandas_without(source.schema_arrow.metadata, label))
            with pq.ParquetWriter(out, schema, compression="zstd") as sink:
                for batch in source.iter_batches(BATCH, columns=kept):
                    sink.write_batch(batch.select(kept).cast(schema))
        keys = pq.read_table(out, columns=[key]).column(0).combine_chunks()
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno in FULL:
            raise  # the copy could not be written: nothing is wrong with the data
        raise BadInput.because(
            "file-unreadable", f"{shown} is not readable Parquet: {_line(error)}", where=where
        ) from error
    if len(keys) == 0:
        raise BadInput.because("evaluation-empty", f"{shown} has no rows", where=where)
    if keys.null_count or pc.count_distinct(keys).as_py() != len(keys):
        twice = len(keys) - keys.null_count - pc.count_distinct(keys).as_py()
        told = f"{shown}: of {len(keys):,} keys {keys.null_count:,} are null and {twice:,} repeat another"
        raise BadInput.because("evaluation-key", told, where=Where(table=shown, column=key))
    return Rows(keys, out)


def read_scores(path: Path, rows: Rows, *, key: str, score: str, who: str) -> tuple[pa.Table | None, list[Finding]]:
    """What predict wrote, as key and score in the order of the rows; or everything that is wrong with it."""
    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            absent = [name for name in (key, score) if names.count(name) != 1]
            written = None if absent else file.read(columns=[key, score])
    except FileNotFoundError:
        return None, [finding("prediction-missing", f"{who}: predict wrote no file to {{out}}")]
    except (pa.ArrowException, OSError) as error:
        return None, [finding("prediction-unreadable", f"{who}: what predict wrote is not Parquet: {_line(error)}")]
    if written is None:
        held = ", ".join(names[:20]) or "no columns"
        told = f"{who}: predict wrote no single column {' and no '.join(absent)}, but {held}"
        return None, [finding("prediction-column-missing", told, where=Where(column=absent[0]))]
    problems = _key_problems(written.column(key).combine_chunks(), rows.keys, key, who)
    problems += _score_problems(written.column(score).combine_chunks(), score, who)
    if problems:
        return None, problems
    keys = written.column(key).combine_chunks().cast(rows.keys.type)
    order = pc.index_in(rows.keys, value_set=keys)
    scores = written.column(score).combine_chunks().cast(pa.float64()).take(order)
    return pa.table({key: rows.keys, score: scores}), []


def write(table: pa.Table, path: Path) -> None:
    """Write a table as Parquet."""
    pq.write_table(table, path, compression="zstd")


def golden_numbers(rows: Rows) -> list[int]:
    """Which rows to record: evenly spaced, some of them taken for the nulls they hold, in order."""
    table = pq.read_table(rows.unlabelled)
    count = min(GOLDEN, table.num_rows)
    special: list[int] = []
    for column in table.itercolumns():
        if column.null_count and len(special) < min(WITH_NULLS, count - 1):
            special.append(pc.index(column.is_null(), True).as_py())
    special = sorted(set(special))
    rest = count - len(special)
    chosen = {*special, *(number * (table.num_rows - 1) // max(1, rest - 1) for number in range(rest))}
    spare = (number for number in range(table.num_rows) if number not in chosen)  # where the two met
    return sorted({*chosen, *itertools.islice(spare, count - len(chosen))})


def take(path: Path, numbers: list[int], out: Path) -> None:
    """Write some rows of a Parquet file to another, with the same schema."""
    write(pq.read_table(path).take(pa.array(numbers, pa.int64())), out)


def records(path: Path) -> list[dict[str, Any]]:
    """The rows of a file as JSON records: times as ISO text, nulls and what is no number as null.

    Raises:
        BadInput: `golden-row-unfit` for a value that JSON can't say.
    """
    return [{name: _json(value, name) for name, value in row.items()} for row in pq.read_table(path).to_pylist()]


def scores_of(table: pa.Table, score: str, numbers: list[int]) -> list[float]:
    """The scores of some rows."""
    return [float(one) for one in table.column(score).to_numpy()[numbers]]


def _json(value: Any, column: str) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {str(name): _json(inside, column) for name, inside in value.items()}
    if isinstance(value, list):
        return [_json(inside, column) for inside in value]
    raise BadInput.because(
        "golden-row-unfit", f"a value of type {type(value).__name__} has no JSON form", where=Where(column=column)
    )


def _key_problems(keys: pa.Array[Any], expected: pa.Array[Any], name: str, who: str) -> list[Finding]:
    where = Where(column=name)
    try:
        keys = keys.cast(expected.type)
    except pa.ArrowException:
        told = f"{who}: the keys are of type {keys.type}, the evaluation's of {expected.type}"
        return [finding("prediction-rows-unknown", told, where=where)]
    problems = []
    distinct = pc.unique(keys.drop_null())
    lost = len(expected) - _count(pc.is_in(expected, value_set=distinct))
    foreign = len(distinct) - _count(pc.is_in(distinct, value_set=expected))
    twice = len(keys) - keys.null_count - len(distinct)
    total = f"of {len(expected):,} evaluation rows"
    if lost:
        told = f"{who}: {lost:,} {total} have no prediction"
        problems.append(finding("prediction-rows-missing", told, where=where, evidence={"rows": lost}))
    if twice:
        told = f"{who}: {twice:,} predictions repeat the key of another"
        problems.append(finding("prediction-rows-duplicated", told, where=where, evidence={"rows": twice}))
    if foreign or keys.null_count:
        told = f"{who}: {foreign:,} predictions have keys that are not in the evaluation data, {keys.null_count:,} none"
        problems.append(finding("prediction-rows-unknown", told, where=where, evidence={"rows": foreign}))
    return problems


def _score_problems(scores: pa.Array[Any], name: str, who: str) -> list[Finding]:
    where = Where(column=name)
    kind = scores.type
    if not (pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind)):
        told = f"{who}: the scores are of type {kind}, not numbers"
        return [finding("prediction-not-finite", told, where=where)]
    numbers = scores.cast(pa.float64())
    odd = len(numbers) - _count(pc.is_finite(numbers.drop_null()))
    if odd:
        told = f"{who}: {odd:,} of {len(numbers):,} scores are null, NaN or infinite"
        return [finding("prediction-not-finite", told, where=where, evidence={"rows": odd})]
    return []


def _pandas_without(metadata: dict[Any, Any] | None, label: str) -> dict[Any, Any]:
    """Only what pandas needs to read the table back; other notes in a file could tell the labels."""
    if not metadata or b"pandas" not in metadata:
        return {}
    try:
        notes = json.loads(metadata[b"pandas"])
        notes["columns"] = [column for column in notes["columns"] if column.get("name") != label]
        notes["index_columns"] = [column for column in notes["index_columns"] if column != label]
        known = ("columns", "index_columns", "column_indexes", "pandas_version")
        return {b"pandas": json.dumps({name: notes[name] for name in known if name in notes}).encode()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _count(mask: Any) -> int:
    """How many are true."""
    return int(pc.sum(mask.cast(pa.int64())).as_py() or 0)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
