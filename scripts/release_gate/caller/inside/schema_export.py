"""Writes a pandera schema as data: what pandera itself checks in its own words, and a list of the caller's own checks.

Run by the caller's Python: `schema_export.py REFERENCE OUT`, the reference as module:name of a DataFrameSchema or a
DataFrameModel. Writes one JSON object to OUT; the exit status is 0 whenever it could be written. Needs pandera.
"""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import importlib.util
import json
import math
import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
LONGEST = 100_000
"""Values of a set beyond these are refused: a list so long is data, no schema."""
COERCING = {"coerce", "coerce_value", "try_coerce"}
"""Methods of a type that change values before they are checked."""


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


def exported(schema: Any) -> dict[str, Any]:
    """A schema in the shape of pandera's own JSON, with `custom` checks, and `refused` parts beside it."""
    custom: list[dict[str, Any]] = []
    names = list(schema.columns)
    index: Any = getattr(schema, "index", None)
    levels = list(getattr(index, "indexes", [index])) if index is not None else []
    columns, refused = [], []
    for name, column in schema.columns.items():
        # What the table says of the type takes the place of what a column or an index of one level says.
        dtype = column.dtype if schema.dtype is None else schema.dtype
        columns.append({"name": plain(name), **component(column, dtype)})
        custom += owned(column.checks, str(name))
        refused += coded(dtype, name, coerces=bool(column.coerce or schema.coerce))
    custom += owned(schema.checks, None)
    held = []
    for level in levels:
        dtype = level.dtype if schema.dtype is None or level is not index else schema.dtype
        held.append({"name": plain(level.name), **component(level, dtype)})
        refused += coded(dtype, level.name, coerces=bool(level.coerce or index.coerce or schema.coerce))
        refused += [f"the check `{title(one, 0)}` of the index" for one in own_checks(level.checks)]
    written = {
        "schema_type": "dataframe",
        "columns": {one.pop("name"): one for one in columns} if all(isinstance(one, str) for one in names) else columns,
        "checks": [entry(one) for one in schema.checks if schemas.builtin(one)],
        "index": held or None,
        "multiindex": together(index),
        "dtype": str(schema.dtype) if schema.dtype is not None else None,
        "name": None if schema.name is None else str(schema.name),
        "metadata": plain(getattr(schema, "metadata", None)),
        "parsers": bool(getattr(schema, "parsers", None)),
        "custom": custom,
        "refused": refused,
    }
    for key in ("coerce", "strict", "ordered", "unique", "add_missing_columns", "drop_invalid_rows", "description"):
        written[key] = plain(getattr(schema, key, None))
    return {key: value for key, value in written.items() if value not in (None, [], False)}


def component(column: Any, dtype: Any) -> dict[str, Any]:
    """A column or a level of an index, with pandera's own checks as a list, and the categories of its type as one."""
    written = {
        "dtype": None if column.dtype is None else str(column.dtype),
        "checks": [entry(one) for one in column.checks if schemas.builtin(one)] + categories(dtype),
        "metadata": plain(getattr(column, "metadata", None)),
        "parsers": bool(getattr(column, "parsers", None)),
        "default": plain(getattr(column, "default", None)),
    }
    for key in ("nullable", "unique", "coerce", "regex", "drop_invalid_rows", "description"):
        written[key] = plain(getattr(column, key, None))
    # A default of 0 or false is a value; of the others false is what holds where nothing is written.
    kept = {key: value for key, value in written.items() if value not in (None, [], False)}
    if written["default"] is not None:
        kept["default"] = written["default"]
    return kept if getattr(column, "required", True) else {**kept, "required": False}


def categories(dtype: Any) -> list[dict[str, Any]]:
    """The values that a type of categories allows, as the check that demands the same: its name tells none of them."""
    if not any(one.__name__ == "Category" and one.__module__.startswith("pandera.") for one in type(dtype).__mro__):
        return []
    if dtype.categories is None:
        return []
    return [{"allowed_values": plain(dtype.categories), "options": {"check_name": "isin"}}]


def coded(dtype: Any, name: Any, *, coerces: bool) -> list[str]:
    """A type whose class is not pandera's and judges by code of its own, which its name does not tell."""
    said = {
        method for one in type(dtype).__mro__ if one.__module__.partition(".")[0] != "pandera" for method in vars(one)
    }
    verb = "checks" if "check" in said else "converts" if coerces and said & COERCING else None
    called = f"the dtype {type(dtype).__name__} of column '{name}'"
    return [f"{called}, which {verb} values by its own code,"] if verb else []


def together(index: Any) -> dict[str, Any] | None:
    """What an index of several levels demands of them all, where it is not what every index demands."""
    if not hasattr(index, "indexes"):
        return None
    # pandera's `coerce` is also true where a single level is converted, and then only that one is.
    written = {"coerce": getattr(index, "_coerce", index.coerce), "strict": index.strict, "unique": index.unique}
    return {key: plain(value) for key, value in written.items() if value} or None


def entry(check: Any) -> dict[str, Any]:
    """One of pandera's checks: its values, and its options where they are not the usual ones."""
    options = {"check_name": schemas.builtin(check)}
    if not check.ignore_na:
        options["ignore_na"] = False
    if check.raise_warning:
        options["raise_warning"] = True
    if check.groupby is not None:
        options["groupby"] = "a function" if callable(check.groupby) else plain(check.groupby)
    given = {key: value for key, value in (check.statistics or {}).items() if value is not None}
    return {**{key: plain(value) for key, value in given.items()}, "options": options}


def own_checks(checks: Any) -> list[Any]:
    """Checks of the caller's own code."""
    return [one for one in checks or [] if not schemas.builtin(one)]


def owned(checks: Any, column: str | None) -> list[dict[str, Any]]:
    """The caller's own checks of a column or of the table, by their place among all."""
    return [
        {"column": column, "place": place, "name": title(one, place), "warns": bool(one.raise_warning)}
        for place, one in enumerate(checks or [])
        if not schemas.builtin(one)
    ]


def title(check: Any, place: int) -> str:
    """What to call a check: its name, else what it says when it fails, else its place."""
    named = check.name if check.name and check.name != "<lambda>" else check.error
    return str(named)[:200] if named and not callable(named) else f"check {place + 1}"


def plain(value: Any) -> Any:
    """A value as JSON carries it: times as ISO 8601 text, sets as sorted lists, patterns with their flags."""
    if isinstance(value, enum.Enum):
        return plain(value.value)
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, dict):
        return {str(key): plain(inside) for key, inside in value.items()}
    if hasattr(value, "__iter__") and getattr(value, "ndim", 1) != 0:
        return listed(value)
    return scalar(value)


def scalar(value: Any) -> Any:
    """One value that JSON has no word for."""
    if isinstance(value, float):
        return None if math.isnan(value) else float(value)
    if isinstance(value, re.Pattern):
        flags = "".join(letter for letter in "imsx" if value.flags & getattr(re, letter.upper()))
        return f"(?{flags}){value.pattern}" if flags else value.pattern
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    return plain(value.item()) if hasattr(value, "item") else str(value)


def listed(values: Any) -> list[Any]:
    """The values of a list, a set (in order), an array or an enumeration."""
    made = [plain(one) for _, one in zip(range(LONGEST + 1), values, strict=False)]
    if len(made) > LONGEST:
        raise ValueError(f"a list of the schema holds more than {LONGEST:,} values")
    unordered = isinstance(values, (set, frozenset)) and all_scalars(made)
    return sorted(made, key=lambda one: (str(type(one)), one)) if unordered else made


def all_scalars(values: list[Any]) -> bool:
    """Whether values of one type can be put in order."""
    return all(isinstance(one, (bool, int, float, str)) for one in values)


def main(reference: str, out: str) -> None:
    """Load, export, write."""
    result: dict[str, Any] = {"schema": None, "file": None, "line": 1, "failed": None}
    try:
        schema, module = schemas.load(reference)
        result["file"], result["line"] = schemas.place(module, reference.partition(":")[2])
        result["schema"] = exported(schema)
        text = json.dumps(result)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - importing runs the caller's code
        text = json.dumps({**result, "schema": None, "failed": schemas.said(error)})
    Path(out).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
