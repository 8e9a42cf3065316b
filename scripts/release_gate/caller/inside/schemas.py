"""Loads a pandera schema by its name in the caller's Python. Loaded by schema_export.py and schema_checks.py."""

from __future__ import annotations

import difflib
import importlib
import inspect
import re
import traceback
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def load(reference: str) -> tuple[Any, Any]:
    """The pandera schema of `module:name`, and the module; a model is asked for its schema."""
    name, _, attribute = reference.partition(":")
    module = importlib.import_module(name)
    if not hasattr(module, attribute):
        known = [one for one, value in vars(module).items() if is_schema(value) or is_model(value)]
        near = difflib.get_close_matches(attribute, known, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"it has {', '.join(known[:20]) or 'none'}"
        raise AttributeError(f"module {name} has no schema '{attribute}'; {hint}")
    made = getattr(module, attribute)
    schema = made.to_schema() if is_model(made) else made
    if not is_schema(schema):
        raise TypeError(f"{attribute} is a {type(made).__name__}, not a DataFrameSchema or DataFrameModel of pandera")
    if ".api.pandas" not in type(schema).__module__:
        raise TypeError(f"{attribute} is a schema of {type(schema).__module__}; only those of pandera.pandas are read")
    if getattr(schema, "metadata", None) is None:
        # A model's schema leaves out what its Config says of the table.
        schema.metadata = getattr(getattr(made, "Config", None), "metadata", None)
    return schema, module


def is_schema(value: Any) -> bool:
    """Whether it is a schema of a table, whatever library its tables are of."""
    names = {one.__name__ for one in type(value).__mro__ if one.__module__.startswith("pandera.")}
    return "DataFrameSchema" in names


def is_model(value: Any) -> bool:
    """Whether it is a class that describes a table."""
    return inspect.isclass(value) and callable(getattr(value, "to_schema", None))


def place(module: Any, attribute: str) -> tuple[str | None, int]:
    """The file that defines a name, and the line where it does; 1 where that is not found."""
    try:
        file = inspect.getsourcefile(module)
        lines = Path(str(file)).read_text(encoding="utf-8").splitlines()
    except (TypeError, OSError, UnicodeDecodeError):
        return None, 1
    pattern = re.compile(rf"(?:class\s+)?{re.escape(attribute)}\b\s*[:=(]")
    return str(file), next((number for number, line in enumerate(lines, 1) if pattern.match(line)), 1)


def builtin(check: Any) -> str | None:
    """The name of a check that pandera brings, None where it is of the caller's own code."""
    if any(one.__name__ == "Hypothesis" for one in type(check).__mro__):
        return None
    function = check._check_fn  # noqa: SLF001 - pandera tells in no other way which function a check calls
    name = getattr(function, "__name__", None)
    known = getattr(type(check), "CHECK_FUNCTION_REGISTRY", {}).get(name)
    # A schema copies its checks, and with them pandera's dispatchers: those are told by their class.
    copied = type(known) is type(function) and not inspect.isroutine(function)
    return name if known is not None and (known is function or copied) else None


def said(error: BaseException) -> dict[str, Any]:
    """An exception as its last line, with the place in the caller's own code where there is one."""
    text = traceback.format_exception_only(type(error), error)[-1].strip()[:500]
    here = Path.cwd()
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = Path(frame.filename)
        if file.is_relative_to(here) and "site-packages" not in file.parts and HERE not in file.parents:
            return {"error": text, "file": str(file.relative_to(here)), "line": frame.lineno}
    return {"error": text, "file": None, "line": None}
