"""Gives the transforms rows that the contract allows, and finds the smallest on which one breaks a promise.

Run by the caller's Python: `fuzzing.py JOB`, a JSON file: {training, serving: module:function; data: the file whose
types the rows have; rows: a file of rows for the columns that could be made, the first of them ordinary; texts: the
columns that the contract calls texts; promises: what the features must keep; batches: whether serving takes several
rows; limit: seconds; out}. Writes one JSON object to `out`; the exit status is 0 whenever it could be written. Needs
pandas, nothing else.

Each side is tried in a process of its own, which says where it is: what one leaves in memory can't answer for the
other, and a row that ends the process or never returns is found like any other.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import math
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

HERE = Path(__file__).resolve().parent
PATIENCE = 10.0
"""Seconds after the end of the search in which a last call must return."""


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
transforms, searching = own("transforms"), own("searching")
apart = transforms.apart
TOOLS = SimpleNamespace(**{name: own(name) for name in ("promises", "shrinking", "ready_tests")})
ENDS = searching.FAILURES + 1
"""Processes of one side that may end before the search is given up."""


def given(job: dict[str, Any], *, client: bool) -> tuple[Any, list[str]]:
    """The rows as the caller's pandas reads such data; columns that could not be made hold values of the data.

    For a `client` values are what the file holds, whatever pandas makes of it.

    Returns:
        The rows, and the names of the columns that were taken from the data.
    """
    import pandas as pd

    sampling = transforms.sampling
    data, made, texts = job["data"], job["rows"], job["texts"]
    whole, _ = sampling.read(data)
    read = sampling.read(made)[0]
    rows = sampling.stored(made, read, list(range(len(read))), texts) if client else read
    rows = rows[[name for name in rows.columns if name in whole.columns]]
    if not client:
        rows = rows.astype({name: wider(rows[name].dtype, whole[name].dtype) for name in rows.columns})
    filled = [name for name in whole.columns if name not in rows.columns]
    if filled and not whole.empty:
        chosen = sampling.chosen(whole, len(rows))
        places = [chosen[number % len(chosen)] for number in range(len(rows))]
        rest = whole.loc[:, filled].iloc[places].reset_index(drop=True)
        rest = sampling.stored(data, rest, places, texts) if client else rest
        rows = pd.concat([rows, rest], axis=1)
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


def tried(job: dict[str, Any], name: str, file: Path, ended: str | None) -> dict[str, Any]:
    """One side on all rows, in this process."""
    here = time.monotonic()
    frame, filled = given(job, client=name == "serving")
    rows = frame if name == "training" else representable(frame)
    found = searching.Found(file)
    tools = SimpleNamespace(comparing=transforms.comparing, said=transforms.said, load=transforms.load)
    side = TOOLS.promises.Side(name, job[name], promises=job["promises"], names=job["names"], tools=tools)
    began = time.monotonic()
    if found.size is None:
        # Only now: starting and reading take none of the search's time.
        size = {"rows": len(frame), "columns": frame.shape[1], "filled": filled}
        found.say(size=size, load=began - here, until=began + job["seconds"])
    side.until = found.until
    search = searching.Search(side, rows, found, TOOLS)
    number = search.run(batches=name == "training" or job["batches"], ended=ended)
    left = max(0.0, side.until - time.monotonic())
    return {"tried": number, "late": side.late, "names": side.usual, "left": left}


def fuzzed(job: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Everything that is found about both transforms within the limit; half of it is for each."""
    result: dict[str, Any] = {"failures": [], "tried": {}, "ended": False}
    job = {**job, "names": None, "seconds": job["limit"] / 2}
    for name in ("training", "serving"):
        file = folder / f"{name}.jsonl"
        told, why = one_side(job, name, file)
        if "failed" in told:
            return told
        found = searching.Found(file)
        if found.at is None or found.size is None:
            return {"failed": f"the {name} transform could not be tried: {why}"}
        result |= found.size
        result["failures"] += found.told.values()
        result["tried"][name] = told.get("tried", max(found.at, 0))
        # Where each new process ended too, the rest was not tried.
        result["ended"] = result["ended"] or told.get("late", True)
        job = {**job, "names": told.get("names"), "seconds": job["limit"] / 2 + told.get("left", 0.0)}
    return result


def one_side(job: dict[str, Any], name: str, file: Path) -> tuple[dict[str, Any], str | None]:
    """What a process says that tried one side to its end, and how the last one ended that did not."""

    begun = 0.0

    def until() -> float | None:
        known = searching.Found(file)
        # The process that only says how the last one ended has its time too, and loads what that one loaded.
        return None if known.until is None else max(known.until, begun + known.load) + PATIENCE

    ended: str | None = None
    for _ in range(ENDS):
        begun = time.monotonic()
        try:
            work = functools.partial(answered, job, name, file, ended)
            return apart.Apart(work).result(until), ended
        except apart.Died as end:
            ended = str(end)
            found = searching.Found(file)
            if found.at is None:
                break
            if end.killed and not found.hangs:
                return {"tried": max(found.at, 0), "late": True}, None
    return {}, ended


def answered(job: dict[str, Any], name: str, file: Path, ended: str | None) -> dict[str, Any]:
    """One side tried, or why it could not be."""
    try:
        return tried(job, name, file, ended)
    except BaseException as error:  # noqa: BLE001 - said as the reason why nothing was tried
        return {"failed": transforms.said(error)["error"]}


def main(job_file: str) -> None:
    """Try, write."""
    job = json.loads(Path(job_file).read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="release-gate-") as folder:
        result = fuzzed(job, Path(folder))
    Path(job["out"]).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
