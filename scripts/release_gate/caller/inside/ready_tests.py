"""Writes a failing call of a transform as a whole test that runs where it is pasted. Loaded by fuzzing.py."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import math
from typing import Any

_BOUNDS = {"at least": ">=", "above": ">", "at most": "<=", "below": "<"}


def literal(value: Any) -> str:
    """A cell as Python source, in terms of `pd`, `datetime`, `decimal` and `numpy`."""
    import pandas as pd

    if value is None or value is pd.NA:
        return "None"
    if value is pd.NaT or isinstance(value, (dt.date, dt.time, dt.timedelta)):
        return _time(value)
    if isinstance(value, decimal.Decimal):
        return f"decimal.{value!r}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(key)}: {literal(inner)}" for key, inner in value.items()) + "}"
    if getattr(value, "ndim", False):
        return f"numpy.array({literal(value.tolist())})"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(literal(one) for one in value) + "]"
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    return json.dumps(value) if isinstance(value, str) else repr(value)


def _time(value: Any) -> str:
    import pandas as pd

    if value is pd.NaT:
        return "pd.NaT"
    if isinstance(value, pd.Timedelta):
        return f'pd.Timedelta("{value}")'
    if not isinstance(value, pd.Timestamp):
        return repr(value)  # datetime.date(2024, 2, 29)
    if value.tz is None:
        return f'pd.Timestamp("{value.isoformat()}")'
    # By the wall clock the hour that comes twice would be unclear; in UTC it never is.
    return f'pd.Timestamp("{value.tz_convert("UTC").isoformat()}").tz_convert({json.dumps(str(value.tz))})'


def table(frame: Any) -> list[str]:
    """The lines that build a DataFrame with the types that each column has."""
    lines = ["    frame = pd.DataFrame(", "        {"]
    for place, name in enumerate(frame.columns):
        column = frame.iloc[:, place]
        cells = ", ".join(literal(value) for value in column.tolist())
        lines.append(f"            {literal(name)}: pd.Series([{cells}], dtype={json.dumps(str(column.dtype))}),")
    return [*lines, "        }", "    )"]


def requests(records: list[dict[str, Any]]) -> list[str]:
    """The lines that build what serving makes of the rows of a request."""
    lines = ["    frame = pd.DataFrame(", "        ["]
    for record in records:
        cells = ", ".join(f"{literal(name)}: {literal(value)}" for name, value in record.items())
        lines.append(f"            {{{cells}}},")
    return [*lines, "        ]", "    )"]


def test(reference: str, built: list[str], failure: dict[str, Any], made: Any) -> str:
    """A test that fails as long as the transform does; `made` is what it returned, None where it raised."""
    module, _, function = reference.partition(":")
    what = "a_request" if built[1].strip() == "[" else "rows"
    body = [*built, *_checks(function, failure, made)]
    used = {name for name in ("datetime", "decimal", "numpy") if any(f"{name}." in line for line in body)}
    standard = [f"import {name}" for name in sorted(used - {"numpy"})]
    others = [*(["import numpy"] if "numpy" in used else []), "import pandas as pd"]
    head = [*standard, *([""] if standard else []), *others, "", f"from {module} import {function}"]
    name = f"test_{function.lstrip('_')}_on_{what}_that_the_contract_allows"
    return "\n".join([*head, "", "", f"def {name}():", *body, ""])


def _checks(function: str, failure: dict[str, Any], made: Any) -> list[str]:
    """The call, and what does not hold of it."""
    kind, call = failure["kind"], f"{function}(frame)"
    if kind == "raised":
        return [f"    {call}"]
    if kind == "input-changed":
        given, kept = "    given = frame.copy(deep=True)", "    pd.testing.assert_frame_equal(frame, given)"
        return [given, f"    {call}", kept]
    asked = f"    made = {_as_table(call, made)}"
    if kind == "rows-changed":
        return [asked, "    assert len(made) == len(frame)"]
    if kind == "reordered":
        return [
            asked,
            "    rows = [frame.iloc[[row]].reset_index(drop=True) for row in range(len(frame))]",
            f"    alone = pd.concat([{_as_table(f'{function}(row)', made)} for row in rows], ignore_index=True)",
            "    pd.testing.assert_frame_equal(made.reset_index(drop=True), alone, check_dtype=False)",
        ]
    return [asked, *_promise(failure)]


def _as_table(call: str, made: Any) -> str:
    """The call as a DataFrame, whatever the transform returns."""
    import pandas as pd

    if isinstance(made, pd.DataFrame):
        return call
    scalars = isinstance(made, dict) and not any(getattr(one, "__len__", None) for one in made.values())
    return f"pd.DataFrame([{call}])" if scalars else f"pd.DataFrame({call})"


def _promise(failure: dict[str, Any]) -> list[str]:
    column, rule, value = f"made[{literal(failure['column'])}]", failure["rule"], failure.get("bound")
    if rule == "there":
        return [f"    assert {literal(failure['column'])} in made.columns"]
    if rule == "not null":
        return [f"    assert {column}.notna().all()"]
    if rule in _BOUNDS:
        return [f"    assert ({column}.dropna() {_BOUNDS[rule]} {literal(value)}).all()"]
    negated = "" if rule == "one of" else "~"
    return [f"    assert ({negated}{column}.dropna().isin({literal(value)})).all()"]
