"""Gives the transforms rows that the contract allows, and finds the smallest on which one breaks a promise.

Run by the caller's Python: `fuzzing.py JOB`, a JSON file: {training, serving: module:function; data: the file whose
types the rows have; rows: a file of rows for the columns that could be made, the first of them ordinary; promises: what
the features must keep; batches: whether serving takes several rows; limit: seconds; out}. Writes one JSON object to
`out`; the exit status is 0 whenever it could be written. Needs pandas, nothing else.
"""

from __future__ import annotations

import importlib.util
import json
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

HERE = Path(__file__).resolve().parent
FAILURES = 5
"""Different failures of one side that are told."""


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
transforms, promises, shrinking, ready_tests = (
    own(name) for name in ("transforms", "promises", "shrinking", "ready_tests")
)


def given(data: str, made: str) -> tuple[Any, list[str]]:
    """The rows as the caller's pandas reads such data; columns that could not be made hold values of the data.

    Returns:
        The rows, and the names of the columns that were taken from the data.
    """
    import pandas as pd

    whole, _ = transforms.sampling.read(data)
    rows = transforms.sampling.read(made)[0]
    rows = rows[[name for name in rows.columns if name in whole.columns]]
    rows = rows.astype({name: wider(rows[name].dtype, whole[name].dtype) for name in rows.columns})
    filled = [name for name in whole.columns if name not in rows.columns]
    if filled and not whole.empty:
        chosen = transforms.sampling.chosen(whole, len(rows))
        places = [chosen[number % len(chosen)] for number in range(len(rows))]
        rows = pd.concat([rows, whole.loc[:, filled].iloc[places].reset_index(drop=True)], axis=1)
    return rows[[name for name in whole.columns if name in rows.columns]], [str(name) for name in filled]


def wider(made: Any, data: Any) -> Any:
    """Whole numbers become fractions where those of the data are; all else keeps its type."""
    return data if made.kind in "iu" and data.kind == "f" else made


def representable(frame: Any) -> Any:
    """The rows that a request can carry: JSON knows no infinity."""
    endless = [
        any(isinstance(value, float) and math.isinf(value) for value in record)
        for record in frame.itertuples(index=False)
    ]
    return frame.loc[[not one for one in endless]].reset_index(drop=True)


def found(side: Any, frame: Any, *, batches: bool) -> tuple[list[dict[str, Any]], int]:
    """Each different failure once, with its smallest rows, and how many rows were tried."""
    plain = shrinking.taken(frame, [0])
    told: dict[tuple[Any, ...], dict[str, Any]] = {}
    for position in range(len(frame)):
        if side.late:
            return list(told.values()), position
        row = shrinking.taken(frame, [position])
        failure = side.failure(row)
        if failure is None:
            continue
        wanted = promises.signature(failure)
        if wanted in told:
            told[wanted]["rows"] += 1
        elif len(told) < FAILURES:
            told[wanted] = {**smallest(side, row, plain, side.failure), "rows": 1, "alone": True}
    for check in (side.failure, side.reordered) if batches and not side.late else ():
        failure = check(frame)
        # What a row does alone it would only do again in the batch.
        if failure is not None and promises.signature(failure) not in told:
            rows = shrinking.fewest(frame, failing(check, failure), lambda: side.late)
            wanted = promises.signature(failure)
            told[wanted] = {**smallest(side, rows, plain, check), "rows": len(rows), "alone": False}
    return list(told.values()), len(frame)


def failing(check: Callable[[Any], Any], wanted: dict[str, Any]) -> Callable[[Any], bool]:
    """Whether the check still fails in that very way."""

    def fails(frame: Any) -> bool:
        failure = check(frame)
        return failure is not None and promises.signature(failure) == promises.signature(wanted)

    return fails


def smallest(side: Any, rows: Any, plain: Any, check: Callable[[Any], Any]) -> dict[str, Any]:
    """The failure on rows as ordinary as they can be, with the columns that matter and a test to paste."""
    first = check(rows)
    fails = failing(check, first)
    rows, needed = shrinking.ordinary(rows, plain, fails, lambda: side.late)
    rows = shrinking.read(rows, plain, fails, side.made, lambda: side.late)
    # A transform that fails now and then may not fail again: then what was seen first is told.
    failure = check(rows) or first
    try:
        made = side.call(side.present(rows))
    except (Exception, SystemExit):  # noqa: BLE001 - that is the failure
        made = None
    built = ready_tests.table(rows) if side.name == "training" else ready_tests.requests(side.requests(rows))
    facts = {key: failure.get(key) for key in ("kind", "error", "file", "line", "column")}
    test = ready_tests.test(side.reference, built, failure, made)
    return {**facts, "side": side.name, "columns": needed[:20], "test": test}


def fuzzed(job: dict[str, Any]) -> dict[str, Any]:
    """Everything that is found about both transforms within the limit; half of it is for each."""
    frame, filled = given(job["data"], job["rows"])
    result: dict[str, Any] = {"rows": len(frame), "columns": frame.shape[1], "filled": filled, "failures": []}
    tools = SimpleNamespace(comparing=transforms.comparing, said=transforms.said, load=transforms.load)
    result["tried"] = {}
    started = time.monotonic()
    for share, name in ((0.5, "training"), (1.0, "serving")):
        rows = frame if name == "training" else representable(frame)
        until = started + share * job["limit"]
        side = promises.Side(name, job[name], promises=job["promises"], until=until, tools=tools)
        failures, tried = found(side, rows, batches=name == "training" or job["batches"])
        result["failures"] += failures
        result["tried"][name] = tried
        result["ended"] = result.get("ended", False) or side.late
    return result


def main(job_file: str) -> None:
    """Load, try, write."""
    job = json.loads(Path(job_file).read_text(encoding="utf-8"))
    try:
        result = fuzzed(job)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - said as the reason why nothing was tried
        result = {"failed": transforms.said(error)["error"]}
    Path(job["out"]).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
