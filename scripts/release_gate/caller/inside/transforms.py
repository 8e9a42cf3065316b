"""Runs the training transform on a sample of rows at once, the serving transform on each row after JSON; compares.

Run by the caller's Python: `transforms.py TRAINING SERVING DATA ROWS TOLERANCE OUT`, references as module:function.
Writes one JSON object to OUT; the exit status is 0 whenever it could be written. Needs pandas, nothing else.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import importlib.util
import inspect
import json
import sys
import traceback
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


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
sampling, comparing = own("sampling"), own("comparing")


def load(reference: str) -> tuple[Any, str | None]:
    """The function of a reference, and the file that defines it."""
    module, _, name = reference.partition(":")
    function = attribute(importlib.import_module(module), name)
    inner = inspect.unwrap(function)
    while isinstance(inner, functools.partial):
        inner = inspect.unwrap(inner.func)
    if not callable(function):
        raise TypeError(f"{name} is a {type(function).__name__}, not a function")
    try:
        file = inspect.getsourcefile(inner if inspect.isroutine(inner) or inspect.isclass(inner) else type(inner))
    except TypeError:
        file = None
    return function, str(Path(file).resolve()) if file else None


def attribute(module: Any, name: str) -> Any:
    """What a module calls by a name; the error names the function that was most likely meant, or all there are."""
    if hasattr(module, name):
        return getattr(module, name)
    functions = [one for one, value in vars(module).items() if inspect.isfunction(value) and not one.startswith("_")]
    near = difflib.get_close_matches(name, functions, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"it has {', '.join(functions[:20]) or 'none'}"
    raise AttributeError(f"module {module.__name__} has no function '{name}'; {hint}")


def said(error: BaseException) -> dict[str, Any]:
    """An exception as its last line, with the place in the caller's own code where there is one."""
    text = traceback.format_exception_only(type(error), error)[-1].strip()[:500]
    here = Path.cwd()
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = Path(frame.filename)
        if file.is_relative_to(here) and "site-packages" not in file.parts and HERE not in file.parents:
            return {"error": text, "file": str(file.relative_to(here)), "line": frame.lineno}
    return {"error": text, "file": None, "line": None}


def agreement(training: Any, serving: Any, data: str, *, wanted: int, tolerance: float) -> dict[str, Any]:
    """Everything that is found comparing the two on a sample of the rows of `data`."""
    frame, numbers = sampling.read(data)
    positions = sampling.chosen(frame, wanted)
    rows = [numbers[position] for position in positions]
    sample = frame.iloc[positions].reset_index(drop=True)
    result: dict[str, Any] = {"rows": len(sample)}
    if sample.empty:
        return result
    try:
        whole = comparing.table(training(sample.copy(deep=True)))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the caller's code raises is a finding
        result["raised"] = [{"side": "training", "rows": len(sample), "row": None, **said(error)}]
        return result
    if len(whole) != len(sample):
        result["changed"] = [{"side": "training", "rows": 1, "row": None, "given": len(sample), "returned": len(whole)}]
        return result
    if whole.index.is_unique and set(whole.index) == set(range(len(sample))):
        whole = whole.sort_index()
    answers, kept = served(serving, sample, rows, list(whole.columns), result)
    if answers:
        together = comparing.concatenated(answers)
        result.update(comparing.compare(whole.iloc[kept], together, [rows[position] for position in kept], tolerance))
    return result


def served(
    serving: Any, sample: Any, rows: list[int], names: list[str], result: dict[str, Any]
) -> tuple[list[Any], list[int]]:
    """What serving answers to each row alone, and the positions it answered; what went wrong goes into `result`."""
    import pandas as pd

    answers, kept, raised, changed = [], [], [], []
    for position, record in enumerate(sample.to_dict("records")):
        request = json.loads(json.dumps(comparing.plain(record), allow_nan=False))
        try:
            answer = comparing.table(serving(pd.DataFrame([request])), names)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the caller's code raises is a finding
            raised.append({"row": rows[position], **said(error)})
            continue
        if len(answer) != 1:
            changed.append({"row": rows[position], "given": 1, "returned": len(answer)})
            continue
        # As objects: joining rows of different types must not turn one into the other.
        answers.append(answer.astype(object))
        kept.append(position)
    if raised:
        result["raised"] = [{"side": "serving", "rows": len(raised), **raised[0]}]
    if changed:
        result["changed"] = [{"side": "serving", "rows": len(changed), **changed[0]}]
    return answers, kept


def main(training: str, serving: str, data: str, *numbers_and_out: str) -> None:
    """Load, compare, write."""
    rows, tolerance, out = numbers_and_out
    result: dict[str, Any] = {"missing": [], "files": []}
    functions = []
    for reference in (training, serving):
        try:
            function, file = load(reference)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - importing runs the caller's code
            result["missing"].append({"reference": reference, **said(error)})
            continue
        functions.append(function)
        if file not in result["files"]:
            result["files"].append(file)
    if len(functions) == 2:
        try:
            result.update(agreement(functions[0], functions[1], data, wanted=int(rows), tolerance=float(tolerance)))
        except Exception as error:  # noqa: BLE001 - said as the reason why nothing was compared
            result["failed"] = said(error)["error"]
    Path(out).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
