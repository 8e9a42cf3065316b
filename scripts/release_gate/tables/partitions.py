"""The partitions of what is scored: Parquet files whose keys name each row once, and the predictions made of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from release_gate.files import FULL
from release_gate.findings import CannotJudge, Refused
from release_gate.tables.predictions import Rows, strip_label
from release_gate.verdict import Where

if TYPE_CHECKING:
    from numpy.typing import NDArray

SUFFIX = ".parquet"


@dataclass(frozen=True)
class Partition:
    """One file of rows; `shown` is its name in messages."""

    name: str
    file: Path
    shown: str


def partitions(data: Path, shown: str) -> list[Partition]:
    """The file, or the files of the folder in the order of their names; those with `.` or `_` in front are none.

    Raises:
        CannotJudge: `partition-unreadable`: there are none, or they lie deeper.
    """
    if data.is_file():
        return [Partition(data.stem, data, shown)]
    if not data.is_dir():
        raise _unreadable(shown, f"{shown} does not exist")
    inside = sorted(path for path in data.iterdir() if not path.name.startswith((".", "_")))
    if folders := [path.name for path in inside if path.is_dir()]:
        raise _unreadable(shown, f"{shown} holds folders ({', '.join(folders[:3])}); a partition is one file in it")
    files = [path for path in inside if path.suffix == SUFFIX]
    if not files:
        raise _unreadable(shown, f"{shown} holds no file with the suffix {SUFFIX}")
    return [Partition(path.stem, path, f"{shown.rstrip('/')}/{path.name}") for path in files]


def rows_of(partition: Partition, *, key: str, label: str, out: Path) -> Rows:
    """The rows of a partition as `predict` gets them: where they have the label already, a copy without it in `out`.

    Raises:
        CannotJudge: `partition-unreadable`: no Parquet, no rows, no key, or keys that do not name each row once.
    """
    shown = partition.shown
    try:
        with pq.ParquetFile(partition.file) as source:
            names = source.schema_arrow.names
        if label in names and key in names:
            return strip_label(partition.file, label, key, out, shown=shown)
        if key not in names:
            raise _unreadable(shown, f"{shown} has no column {key}")
        keys = pq.read_table(partition.file, columns=[key]).column(0).combine_chunks()
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno in FULL:
            raise  # the copy could not be written: nothing is wrong with the rows
        raise _unreadable(shown, f"{shown} is not readable Parquet: {' '.join(str(error).split())[:300]}") from error
    except Refused as refusal:
        raise _unreadable(shown, refusal.findings[0].message) from refusal
    if len(keys) == 0:
        raise _unreadable(shown, f"{shown} has no rows")
    if (twice := len(keys) - keys.null_count - pc.count_distinct(keys).as_py()) or keys.null_count:
        raise _unreadable(shown, f"{shown}: {keys.null_count:,} keys are null and {twice:,} repeat another")
    return Rows(keys, partition.file)


def scores(path: Path, *, key: str, score: str) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Keys and scores of a file of predictions; a score that is null becomes NaN.

    Raises:
        CannotJudge: `predictions-unreadable`.
    """
    try:
        table = pq.read_table(path, columns=[key, score])
        numbers = table.column(score).cast(pa.float64()).to_pandas().to_numpy(dtype=np.float64)
    except (pa.ArrowException, OSError, KeyError) as error:
        cause = " ".join(str(error).split())[:300]
        raise CannotJudge.because("predictions-unreadable", f"{path}: {cause}") from error
    keys = table.column(key).to_pandas().to_numpy()
    return keys, numbers


def _unreadable(shown: str, cause: str) -> CannotJudge:
    return CannotJudge.because("partition-unreadable", cause, where=Where(file=shown))
