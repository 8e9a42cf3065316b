"""Runs the caller's own checks of a pandera schema over a Parquet file, batch by batch where that is the same.

Run by the caller's Python: `schema_checks.py REQUEST OUT`; the request is JSON with `reference`, `data`, `checks`
(column or null, place), `sensitive` columns and `batch` (rows). A check of single values sees a batch at a time; every
other one may look at what is beside a value (a mean, a group), so it sees the whole column, or the whole table.
Of a table with sensitive columns only the kind of an error is told: whatever raised it may have quoted a value.
Writes one JSON object to OUT; the exit status is 0 whenever it could be written. Needs pandera and pyarrow.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
EXAMPLES = 5
LONGEST = 100
EXACT = 2**53
"""Beyond this a float can't hold every integer."""
NULLABLE = {f"{sign}int{bits}": f"{sign.upper()}Int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
"""pandas' integers that hold nulls, by Arrow's."""


def own(name: str) -> Any:
    """A module beside this one, under a name that no module of the caller has."""
    spec = importlib.util.spec_from_file_location(f"release_gate_inside_{name}", HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Python puts a script's folder first; there our files would hide the caller's modules of the same name.
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != HERE]
schemas = own("schemas")


def read(path: str, columns: list[str] | None, batch: int | None, schema: Any) -> Iterator[Any]:
    """The rows as pandas frames: `columns` of them (None: all), `batch` rows at a time (None: all at once)."""
    import pyarrow as pa
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        if batch is None:
            yield framed(file.read(columns=columns), schema)
        else:
            for one in file.iter_batches(batch_size=batch, columns=columns):
                yield framed(pa.Table.from_batches([one]), schema)


def framed(table: Any, schema: Any) -> Any:
    """A table of Arrow as a pandas frame; pandas makes floats of integers beside nulls, which would lose digits."""
    import pandas as pd

    frame = table.to_pandas(ignore_metadata=True)
    for place, name in enumerate(table.column_names):
        column = table.column(place)
        integers = NULLABLE.get(str(column.type))
        if integers and column.null_count and keeps_digits(schema, name, column):
            kept = table.select([place]).to_pandas(
                ignore_metadata=True, types_mapper={column.type: pd.api.types.pandas_dtype(integers)}.get
            )
            frame.isetitem(place, kept.iloc[:, 0])
    return frame


def keeps_digits(schema: Any, name: str, column: Any) -> bool:
    """Whether a column of integers and nulls is shown as pandas' nullable integers, by the type declared for it.

    A nullable type does. Others are shown floats, as pandas reads them, unless integers are declared that floats
    can't hold.
    """
    import numpy as np
    from pyarrow import compute

    dtype = schema.dtype
    if dtype is None and name in schema.columns:
        dtype = schema.columns[name].dtype
    if dtype is None:
        return False
    stored = getattr(dtype, "type", None)
    if not isinstance(stored, np.dtype):
        return True
    ends: Any = compute.min_max(column).as_py()
    return stored.kind in "iu" and ends["min"] is not None and (ends["min"] < -EXACT or ends["max"] > EXACT)


def names(path: str) -> list[str]:
    """The columns of the file."""
    from pyarrow import parquet

    return list(parquet.read_schema(path).names)


def typed(frame: Any, schema: Any) -> Any:
    """The frame with each column of the type that the schema names, where its values can be of it."""
    for name, column in schema.columns.items():
        if name in frame.columns and column.dtype is not None and str(frame[name].dtype) != str(column.dtype):
            try:
                frame[name] = column.dtype.coerce(frame[name])
            except Exception:  # noqa: BLE001, S112 - the column's type is judged elsewhere; its check says what it meets
                continue
    return frame


def beside(check: Any) -> bool:
    """Whether a check may look at more than one value or row at a time."""
    return not check.element_wise or needs_frame(check)


def needs_frame(check: Any) -> bool:
    """Whether a check of a column needs the other columns too: groups, hypotheses."""
    return check.groupby is not None or any(one.__name__ == "Hypothesis" for one in type(check).__mro__)


def words(error: BaseException, *, quiet: bool) -> str:
    """An exception in words; where values are sensitive only its kind, since its text may quote one."""
    return type(error).__name__ if quiet else str(schemas.said(error)["error"])


class Tally:
    """What one check came to, filled frame by frame; `hidden` leaves out values, `quiet` the words of errors."""

    def __init__(self, check: Any, column: str | None, *, hidden: bool, quiet: bool) -> None:
        self.check = check
        self.column = column
        self.hidden = hidden
        self.quiet = quiet
        self.rows = 0
        self.examples: list[dict[str, Any]] = []
        self.error: str | None = None

    def see(self, frame: Any, offset: int) -> None:
        """Run the check over a frame whose first row has the number `offset` in the file."""
        if self.error is not None:
            return
        try:
            self.note(self.run(frame), frame, offset)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the caller's code raises is told
            self.error = words(error, quiet=self.quiet)

    def run(self, frame: Any) -> Any:
        """What pandera says of the frame: true or false for each row, or for all together."""
        if self.column is None:
            return self.check(frame).check_output
        if needs_frame(self.check):
            return self.check(frame, self.column).check_output
        return self.check(frame[self.column]).check_output

    def note(self, output: Any, frame: Any, offset: int) -> None:
        """Count what fails; a check that only says yes or no speaks of all rows together."""
        if getattr(output, "ndim", 0) == 0:
            self.rows += 0 if bool(output) else len(frame)
            return
        good = output.astype(bool)
        good = good.all(axis=1) if good.ndim == 2 else good
        if not good.index.isin(frame.index).all():
            raise ValueError("the check answers for rows that it was not given")
        bad = good.index[~good.to_numpy()]
        self.rows += len(bad)
        for row in bad[: EXAMPLES - len(self.examples)]:
            value = None if self.hidden or self.column is None else str(frame[self.column].loc[row])[:LONGEST]
            self.examples.append({"row": offset + int(row) + 1, "value": value})


def checked(schema: Any, request: dict[str, Any], there: set[str]) -> list[dict[str, Any]]:
    """Every asked check, in the order asked; of the columns `there`, and of those that may be absent nothing fails."""
    path, batch, quiet = request["data"], int(request["batch"]), bool(request["sensitive"])
    tallies = []
    for one in request["checks"]:
        column = one["column"]
        checks = schema.checks if column is None else schema.columns[column].checks
        # A check of the table may have met any column.
        hidden = column in request["sensitive"] or (column is None and quiet)
        tally = Tally(checks[one["place"]], column, hidden=hidden, quiet=quiet)
        if column is not None and column not in there and schema.columns[column].required:
            tally.error = f"the column '{column}' is not in the data"
        tallies.append(tally)
    run([one for one in tallies if one.column is None or one.column in there], schema, path, batch)
    return [
        {**one, "rows": tally.rows, "examples": tally.examples, "failed": tally.error, "whole": beside(tally.check)}
        for one, tally in zip(request["checks"], tallies, strict=True)
    ]


def run(tallies: list[Tally], schema: Any, path: str, batch: int) -> None:
    """Once through the file for all checks of single values, then the column or table that each other one needs."""
    single = [one for one in tallies if not beside(one.check)]
    if any(one.column is None for one in single):
        over(single, schema, read(path, None, batch, schema))
    elif single:
        columns = sorted({one.column for one in single if one.column is not None})
        over(single, schema, read(path, columns, batch, schema))
    alone: dict[str, list[Tally]] = {}
    tables = []
    for one in tallies:
        if beside(one.check) and one.column is not None and not needs_frame(one.check):
            alone.setdefault(one.column, []).append(one)
        elif beside(one.check):
            tables.append(one)
    for column, several in alone.items():
        over(several, schema, read(path, [column], None, schema))
    if tables:
        over(tables, schema, read(path, None, None, schema))


def over(tallies: list[Tally], schema: Any, frames: Iterator[Any]) -> None:
    """Show every frame to every check; one that changes its frame changes it for itself alone."""
    offset = 0
    for frame in frames:
        shown = typed(frame.reset_index(drop=True), schema)
        for tally in tallies:
            tally.see(shown.copy(deep=False), offset)
        offset += len(frame)


def main(request: str, out: str) -> None:
    """Load, run, write."""
    asked = json.loads(Path(request).read_text(encoding="utf-8"))
    result: dict[str, Any] = {"checks": [], "failed": None}
    quiet = False
    try:
        schema, _ = schemas.load(asked["reference"])
        there = set(names(asked["data"]))
        quiet = bool(asked["sensitive"])  # up to here no value was met
        result["checks"] = checked(schema, asked, there)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - said as the reason why nothing was checked
        result["failed"] = words(error, quiet=quiet)
    Path(out).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
