"""Makes tables of what transforms return, and says where two tables differ. Loaded by transforms.py."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

EXAMPLES = 3
COLUMNS = 200


def plain(value: Any) -> Any:
    """A value as JSON carries it: times as ISO 8601 text, what is missing or infinite as null."""
    import pandas as pd

    if isinstance(value, dict):
        return {str(key): plain(inside) for key, inside in value.items()}
    if isinstance(value, (list, tuple, set)) or (hasattr(value, "tolist") and getattr(value, "ndim", False)):
        return [plain(inside) for inside in value]
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, (str, bool, int)):
        return value
    try:
        number = float(value)  # floats, decimals, fractions
    except (TypeError, ValueError):
        return str(value)
    return number if math.isfinite(number) else None


def table(made: Any, names: list[str] | None = None) -> Any:
    """What a transform returned as a DataFrame; names of columns by position where it has none."""
    import pandas as pd

    if hasattr(made, "to_pandas"):
        made = made.to_pandas()
    if isinstance(made, pd.DataFrame):
        frame = made
    elif isinstance(made, pd.Series):
        frame = (
            made.to_frame().T if made.index.dtype == object or made.index.inferred_type == "string" else made.to_frame()
        )
    elif isinstance(made, dict):
        listed = any(isinstance(value, (list, tuple)) or getattr(value, "ndim", False) for value in made.values())
        frame = pd.DataFrame(made) if listed else pd.DataFrame([made])
    else:
        made = made.toarray() if hasattr(made, "toarray") else made
        records = isinstance(made, (list, tuple)) and made and isinstance(made[0], (dict, list, tuple))
        dimensions = getattr(made, "ndim", 2 if records else 1)
        frame = pd.DataFrame(list(made) if dimensions == 2 else [list(made)])
        if not (records and isinstance(made[0], dict)) and names is not None and len(names) == frame.shape[1]:
            frame.columns = names
    frame.columns = [str(name) for name in frame.columns]
    return frame


def missing(value: Any) -> bool:
    """Whether a value is null in any of pandas' ways."""
    import pandas as pd

    return value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def equal(one: Any, other: Any, tolerance: float, scale: float) -> bool:
    """Numbers within the tolerance of the larger of them, or of the column's usual size; all else exactly."""
    if missing(one) or missing(other):
        return missing(one) and missing(other)
    if isinstance(one, (bool, int, float)) and isinstance(other, (bool, int, float)):
        if math.isinf(one) or math.isinf(other):
            return one == other
        return abs(one - other) <= tolerance * max(abs(one), abs(other), scale)
    try:
        return bool(one == other)
    except (TypeError, ValueError):
        return str(one) == str(other)


def scalars(column: Any) -> list[Any]:
    """The values as Python's own."""
    single = ((value, hasattr(value, "item") and not getattr(value, "ndim", False)) for value in column.tolist())
    return [value.item() if boxed else value for value, boxed in single]


def usual_size(column: list[Any]) -> float:
    """The median of the absolute values of a column of numbers, 0 without any."""
    numbers = sorted(abs(value) for value in column if isinstance(value, (int, float)) and math.isfinite(value))
    return float(numbers[len(numbers) // 2]) if numbers else 0.0


def shown(value: Any) -> Any:
    """A value for the eye: short, and of JSON's types."""
    value = plain(value) if not (isinstance(value, float) and math.isinf(value)) else str(value)
    return value if value is None or isinstance(value, (bool, int, float)) else str(value)[:100]


def compare(training: Any, serving: Any, rows: list[int], tolerance: float) -> dict[str, Any]:
    """Where two tables of equally many rows differ; `rows` are the row numbers to name."""
    only_training = [name for name in training.columns if name not in set(serving.columns)]
    only_serving = [name for name in serving.columns if name not in set(training.columns)]
    common = [name for name in training.columns if name not in set(only_training)]
    found = []
    for name in common:
        tolerated = max(tolerance, 1e-6 if str(training[name].dtype).lower() in ("float32", "float16") else 0.0)
        ours, theirs = scalars(training[name]), scalars(serving[name])
        scale = usual_size(ours)
        differing = [
            i
            for i, (one, other) in enumerate(zip(ours, theirs, strict=True))
            if not equal(one, other, tolerated, scale)
        ]
        if differing:
            examples = [
                {"row": rows[i], "training": shown(ours[i]), "serving": shown(theirs[i])} for i in differing[:EXAMPLES]
            ]
            found.append({"column": name, "count": len(differing), "examples": examples})
    found.sort(key=lambda one: -one["count"])
    return {
        "columns": len(common),
        "only_training": only_training[:COLUMNS],
        "only_serving": only_serving[:COLUMNS],
        "reordered": common != [name for name in serving.columns if name in set(common)],
        "disagreements": found[:COLUMNS],
        "disagreeing_columns": len(found),
    }


def concatenated(answers: list[Any]) -> Any:
    """One-row tables one below the other; a column that some rows lack counts as lacking."""
    import pandas as pd

    names = [name for name in answers[0].columns if all(name in answer.columns for answer in answers)]
    return pd.DataFrame(
        {name: pd.Series([answer[name].iloc[0] for answer in answers], dtype=object) for name in names}, columns=names
    )
