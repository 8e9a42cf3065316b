"""Runs the training transform on a sample of rows at once, the serving transform on each row after JSON; compares.

Serving is asked again for several rows in one request, and for the same rows in another order: what a row's features
are must not depend on its neighbours. Training runs in a process of its own, as it does everywhere: what it leaves in
memory would answer for serving. Run by the caller's Python: `transforms.py PLAN OUT`, two JSON files; OUT holds
one object, and the exit status is 0 whenever it could be written. Needs pandas, and pyarrow for Parquet.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import importlib.util
import inspect
import json
import random
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
sampling, comparing, apart = own("sampling"), own("comparing"), own("apart")

FEW = 7
"""Rows in a small request of several: no divisor of usual sizes, so that the last request is shorter."""


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


def sampled(plan: dict[str, Any]) -> tuple[Any, list[int]]:
    """The rows of the plan's data that are compared, and their numbers in it."""
    frame, numbers = sampling.read(plan["data"])
    positions = sampling.chosen(frame, plan["rows"])
    return frame.iloc[positions].reset_index(drop=True), [numbers[position] for position in positions]


def trained(plan: dict[str, Any]) -> dict[str, Any]:
    """What training makes of the sample, as `table`, or else what stands in its way."""
    try:
        function, file = load(plan["training"])
    except BaseException as error:  # noqa: BLE001 - importing runs the caller's code
        return {"missing": [{"reference": plan["training"], **said(error)}], "files": []}
    result: dict[str, Any] = {"missing": [], "files": [file]}
    sample, _ = sampled(plan)
    if sample.empty:
        return result
    try:
        whole = comparing.table(function(sample.copy(deep=True)), rows=len(sample))
    except BaseException as error:  # noqa: BLE001 - whatever the caller's code raises is a finding
        return {**result, "raised": [{"side": "training", "rows": len(sample), "row": None, **said(error)}]}
    if len(whole) != len(sample):
        changed = {"side": "training", "rows": 1, "row": None, "given": len(sample), "returned": len(whole)}
        return {**result, "changed": [changed]}
    return {**result, "table": comparing.bare(comparing.in_order(whole))}


def agreement(plan: dict[str, Any]) -> dict[str, Any]:
    """Everything that is found comparing the two on a sample of the plan's data."""
    training = apart.Apart(lambda: trained(plan))  # before pandas is here: no thread of its libraries is cut off
    failed: Exception | None = None
    rows: list[int] = []
    try:
        sample, rows = sampled(plan)
    except Exception as error:  # noqa: BLE001 - said once training, which reads the same, has ended
        failed = error
    try:
        told = training.result()
    except apart.Died as end:
        ended = {"side": "training", "rows": len(rows), "row": None, "error": str(end), "file": None, "line": None}
        told = {"missing": [], "files": [], "raised": [ended]}
    result = {"rows": len(rows), "raised": [], "changed": [], "outputs": [], **told}
    whole = result.pop("table", None)
    try:
        serving, file = load(plan["serving"])
    except BaseException as error:  # noqa: BLE001 - importing runs the caller's code
        return {**result, "rows": 0, "missing": [*result["missing"], {"reference": plan["serving"], **said(error)}]}
    result["files"] = list(dict.fromkeys([*result["files"], file]))
    if result["missing"]:
        return {**result, "rows": 0}
    if failed is not None:
        raise failed
    if whole is None:
        return result
    result["outputs"].append(written(whole, plan["outputs"], "training"))
    result["unused"] = [name for name in plan["tolerance"]["columns"] if name not in set(whole.columns)]
    stored = sampling.stored(plan["data"], sample, rows, plan["texts"])
    requests = [json.dumps(comparing.plain(one), allow_nan=False) for one in stored.to_dict("records")]
    compared = served(serving, requests, whole, rows, plan=plan, result=result)
    return {**result, **comparing.together(compared)} if compared else result


def served(
    serving: Any, requests: list[str], whole: Any, rows: list[int], *, plan: dict[str, Any], result: dict[str, Any]
) -> dict[str, dict[str, Any]]:
    """The comparison of each mode in which serving is asked; what goes wrong on the way goes into `result`."""
    tolerance = comparing.Tolerance(**plan["tolerance"])
    compared: dict[str, dict[str, Any]] = {}
    order = list(range(len(requests)))
    for mode in modes(len(requests), batches=plan["batches"]):
        size = {"alone": 1, "few": FEW}.get(mode, max(1, len(order)))
        # Seeded, so that a run can be repeated.
        asked = random.Random(FEW).sample(order, len(order)) if mode == "shuffled" else order  # noqa: S311
        answered, kept, wrong = answers(serving, requests, asked, size, list(whole.columns))
        for what, found in wrong.items():
            result[what].append({"side": "serving", "mode": mode, **found, "row": rows[found["row"]]})
        if answered:
            table = comparing.bare(comparing.concatenated(answered, list(whole.columns)))
            compared[mode] = comparing.compare(whole.iloc[kept], table, [rows[one] for one in kept], tolerance)
        if mode == "alone":
            if answered:
                result["outputs"].append(written(comparing.typed(table, whole), plan["outputs"], "serving"))
            # A row that can't be answered alone would only fail each batch for the same reason.
            order = kept
        elif wrong:
            break
        if len(order) < 2:
            break
    return compared


def modes(rows: int, *, batches: bool) -> list[str]:
    """In which ways serving is asked for so many rows."""
    if not batches or rows < 2:
        return ["alone"]
    return ["alone", "together", *(["few"] if rows > FEW else []), "shuffled"]


def answers(
    serving: Any, requests: list[str], order: list[int], size: int, names: list[str]
) -> tuple[list[Any], list[int], dict[str, dict[str, Any]]]:
    """What serving answers to requests of `size` rows: tables, the positions in them, and what went wrong."""
    import pandas as pd

    made: list[Any] = []
    kept: list[int] = []
    wrong: dict[str, dict[str, Any]] = {}
    for start in range(0, len(order), size):
        group = order[start : start + size]
        # Parsed for each call: what one did to its request is no other's.
        asked = pd.DataFrame([json.loads(requests[one]) for one in group])
        try:
            answer = comparing.table(serving(asked), names, len(group))
        except BaseException as error:  # noqa: BLE001 - whatever the caller's code raises is a finding
            wrong.setdefault("raised", {"row": group[0], "rows": 0, **said(error)})["rows"] += len(group)
            continue
        if len(answer) != len(group):
            first = {"row": group[0], "rows": 0, "given": len(group), "returned": len(answer)}
            wrong.setdefault("changed", first)["rows"] += len(group)
            continue
        made.append(comparing.in_order(answer))
        kept.extend(group)
    return made, kept, wrong


def written(table: Any, folder: str | None, side: str) -> dict[str, Any]:
    """Keeps what one side made, for the feature contract: its file, or why there is none."""
    told: dict[str, Any] = {"side": side, "file": None, "error": None}
    if folder is None:
        return told
    table = table.reset_index(drop=True).infer_objects()
    try:
        table.to_parquet(Path(folder, f"{side}.parquet"), index=False)
        told["file"] = f"{side}.parquet"
    except ImportError:
        table.to_csv(Path(folder, f"{side}.csv"), index=False)
        told["file"] = f"{side}.csv"
    except Exception as error:  # noqa: BLE001 - values of no common type: said as the reason why nothing was judged
        told["error"] = said(error)["error"]
    return told


def main(plan_file: str, out: str) -> None:
    """Compare, write."""
    plan = json.loads(Path(plan_file).read_text(encoding="utf-8"))
    try:
        result = agreement(plan)
    except Exception as error:  # noqa: BLE001 - said as the reason why nothing was compared
        result = {"missing": [], "files": [], "failed": said(error)["error"]}
    Path(out).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
