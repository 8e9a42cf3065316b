"""Files read by Spark: the same columns as DuckDB finds in them, and the same expressions, sent to a cluster.

Names, types and what is broken are taken from `opening`, so that both engines judge one table.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import ibis

from release_gate.findings import BadInput
from release_gate.tables.connected import Connected
from release_gate.tables.opening import format_of, matched, open_files
from release_gate.tables.relation import Relation, Shape
from release_gate.verdict import Where

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, DataFrameReader, SparkSession

_QUOTED_EMPTY = "\x01quoted and empty\x01"
"""Spark takes `""` and nothing for the same unless told apart by a word that no file holds."""
_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.caseSensitive": "true",
    "spark.sql.ansi.enabled": "false",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    "spark.sql.parquet.inferTimestampNTZ.enabled": "true",
}


def open_by_spark(path: Path, shown: str, found: Sequence[Path] | None = None) -> Relation:
    """Open files by the Spark that is set up here (`SPARK_REMOTE`, `spark-defaults.conf`), else by one in this process.

    `found` are the files that were found before, where they were looked for.

    Raises:
        BadInput: as `open_files`; `data-driver` without pyspark or Java; `table-format` for Arrow files.
    """
    form = format_of(path.name, shown)
    if form == "Arrow":
        message = f"{shown} is an Arrow file, which Spark does not read"
        raise BadInput.because("table-format", message, where=Where(file=shown), remedy="Leave out --engine spark.")
    found = matched(path, shown) if found is None else found
    known = open_files(path, shown, files=found)
    known.close()
    session = _session(shown)
    files = [str(file) for file in found]
    # Spark gives rows no numbers, and so no file: examples are named by their key.
    shape = Shape(f"Spark {session.version}", known.shape.columns, delimiter=known.shape.delimiter)
    if not shape.columns:
        return known
    held = [one.held for one in shape.columns]
    backend = ibis.pyspark.connect(session)
    _frame(session, form, files, known).toDF(*held).createOrReplaceTempView("release_gate_data")
    return Connected(backend, backend.table("release_gate_data"), shape.columns, shape)


def _session(shown: str) -> SparkSession:
    where = Where(file=shown)
    try:
        from pyspark.errors import PySparkException  # noqa: PLC0415 - an extra
        from pyspark.sql import SparkSession  # noqa: PLC0415
    except ImportError as error:
        remedy = "Install it: pip install 'release-gate[pyspark]'"
        message = f"{shown} is to be read by Spark, which is not installed"
        raise BadInput.because("data-driver", message, where=where, remedy=remedy) from error
    builder = SparkSession.builder.appName("release-gate")
    if not os.environ.get("SPARK_REMOTE"):
        builder = builder.config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false")
    try:
        session = builder.getOrCreate()
    except (PySparkException, OSError, RuntimeError) as error:
        message = f"{shown} is to be read by Spark, which does not start: {str(error).splitlines()[0][:200]}"
        remedy = "Look whether Java 17 or newer is there (JAVA_HOME), or whether the cluster answers."
        raise BadInput.because("data-driver", message, where=where, remedy=remedy) from error
    for setting, value in _SETTINGS.items():
        session.conf.set(setting, value)
    with contextlib.suppress(Exception):
        session.sparkContext.setLogLevel("OFF")
    return session


def _frame(session: SparkSession, form: str, files: list[str], known: Relation) -> DataFrame:
    """The columns of the files in the order in which DuckDB found them."""
    names = [one.name for one in known.shape.columns]
    reader = session.read
    if known.shape.partitions:
        reader = reader.option("basePath", _above(files, known.shape.partitions))
    if form == "CSV":
        return _csv(reader, files, names, known.shape.partitions)
    frame = reader.parquet(*files) if form == "Parquet" else reader.json(files, mode="FAILFAST")
    return frame.select(*map(_quoted, names))


def _csv(reader: DataFrameReader, files: list[str], names: Sequence[str], partitions: Sequence[str]) -> DataFrame:
    from pyspark.sql import functions  # noqa: PLC0415

    # Columns of the folders come last; those of the files have numbers, since a header may name one twice.
    inside = len(names) - len(partitions)
    frame = reader.csv(
        files, schema=", ".join(f"c{place} STRING" for place in range(inside)), header=True, enforceSchema=True,
        quote='"', escape='"', multiLine=True, nullValue="", emptyValue=_QUOTED_EMPTY, mode="FAILFAST",
    )  # fmt: skip
    given = [f"c{place}" for place in range(inside)] + [_quoted(name) for name in names[inside:]]
    columns = [functions.col(one) for one in given]
    return frame.select(*[functions.when(one == _QUOTED_EMPTY, "").otherwise(one) for one in columns])


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _above(files: list[str], folders: Sequence[str]) -> str:
    """The folder above all that hold columns."""
    parts = Path(files[0]).parts
    # The lowest ones: a folder of this machine above them may have such a name too.
    holding = [place for place, part in enumerate(parts[:-1]) if "=" in part][-len(folders) :]
    return str(Path(*parts[: holding[0]]))
