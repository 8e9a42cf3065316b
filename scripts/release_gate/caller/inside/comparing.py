"""Makes tables of what transforms return, and says where two tables differ. Loaded by transforms.py."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

EXAMPLES = 3
EXACT = 1e-9
"""A relative tolerance that is for the last digits of fractions only."""
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


def table(made: Any, names: list[str] | None = None, rows: int = 1) -> Any:
    """What a transform returned for so many rows as a DataFrame; names of columns by position where it has none."""
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
        # One value for each of several rows is a column; a row of features is what answers a single one.
        column = dimensions == 1 and rows > 1 and len(made) == rows
        frame = pd.DataFrame(list(made) if dimensions == 2 or column else [list(made)])
        if not (records and isinstance(made[0], dict)) and names is not None and len(names) == frame.shape[1]:
            frame.columns = names
    frame.columns = [str(name) for name in frame.columns]
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise ValueError(f"it returns more than one column called '{twice[0]}'")
    return frame


def bare(made: Any) -> Any:
    """A table of pandas' own with the values alone: a type of the caller's would bring the caller's modules along."""
    import pandas as pd

    columns = [made.iloc[:, place] for place in range(made.shape[1])]
    plain_columns = {
        place: pd.Series(column.array, copy=True)
        if type(column.dtype).__module__.partition(".")[0] in _KNOWN and str(column.dtype) != "object"
        else pd.Series([_bare(cell) for cell in column.tolist()], dtype=object)
        for place, column in enumerate(columns)
    }
    table = pd.DataFrame(plain_columns, index=range(len(made)))
    table.columns = list(made.columns)
    return table


_KNOWN = {"builtins", "datetime", "decimal", "numpy", "pandas", "uuid"}
"""Modules whose types are nobody's own."""


def _bare(cell: Any) -> Any:
    if isinstance(cell, dict):
        return {str(key): _bare(inner) for key, inner in cell.items()}
    if isinstance(cell, (list, tuple)) or (getattr(cell, "ndim", False) and hasattr(cell, "tolist")):
        return [_bare(inner) for inner in (cell if isinstance(cell, (list, tuple)) else cell.tolist())]
    return cell if type(cell).__module__.partition(".")[0] in _KNOWN else plain(cell)


def missing(value: Any) -> bool:
    """Whether a value is null in any of pandas' ways."""
    import pandas as pd

    return value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def equal(one: Any, other: Any, tolerance: float, scale: float, absolute: float = 0.0) -> bool:
    """Numbers within the tolerance of the larger of them, or of the column's usual size; all else exactly.

    `absolute` is a difference that is tolerated whatever the size. Of lists and objects each value is compared so.
    """
    one, other = unpacked(one), unpacked(other)
    if isinstance(one, (list, dict)) or isinstance(other, (list, dict)):
        if type(one) is not type(other) or len(one) != len(other) or (isinstance(one, dict) and set(one) != set(other)):
            return False
        pairs = ((one[key], other[key]) for key in one) if isinstance(one, dict) else zip(one, other, strict=True)
        return all(equal(inner, outer, tolerance, scale, absolute) for inner, outer in pairs)
    if missing(one) or missing(other):
        return missing(one) and missing(other)
    if isinstance(one, (bool, int, float)) and isinstance(other, (bool, int, float)):
        if math.isinf(one) or math.isinf(other):
            return one == other
        if isinstance(one, int) and isinstance(other, int) and tolerance <= EXACT:
            return abs(one - other) <= absolute  # whole numbers have no digits to lose
        return abs(one - other) <= max(absolute, tolerance * max(abs(one), abs(other), scale))
    try:
        return bool(one == other)
    except (TypeError, ValueError):
        return False  # what can't be compared is different


def unpacked(value: Any) -> Any:
    """Arrays and tuples as lists, decimals as numbers."""
    if isinstance(value, tuple):
        return list(value)
    if getattr(value, "ndim", False) and hasattr(value, "tolist"):
        return value.tolist()
    return float(value) if type(value).__name__ == "Decimal" else value


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


def kind(values: list[Any]) -> str | None:
    """What a column holds, as a model would see it; None where every value is missing.

    Whole numbers and fractions are one kind, since JSON does not tell 1 from 1.0; a category is what it stands for.
    """
    found = {_kind(value) for value in values if not missing(value)}
    return None if not found else found.pop() if len(found) == 1 else "mixed"


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, (dt.datetime, dt.date)):
        return "time"
    return {"str": "text", "Decimal": "number", "Timedelta": "duration"}.get(type(value).__name__, "other")


class Tolerance:
    """What is tolerated: relative and absolute for all columns, and both again for columns that have their own."""

    def __init__(self, relative: float, absolute: float, columns: dict[str, dict[str, float]]) -> None:
        self.relative, self.absolute, self.columns = relative, absolute, columns

    def of(self, name: str, dtype: str) -> tuple[float, float]:
        """Relative and absolute tolerance of a column; single precision has no more digits than it has."""
        own = self.columns.get(name)
        if own is not None:
            return own["relative"], own["absolute"]
        return max(self.relative, 1e-6 if dtype.lower() in ("float32", "float16") else 0.0), self.absolute


def compare(training: Any, serving: Any, rows: list[int], tolerance: Tolerance) -> dict[str, Any]:
    """Where two tables of equally many rows differ; `rows` are the row numbers to name."""
    only_training = [name for name in training.columns if name not in set(serving.columns)]
    only_serving = [name for name in serving.columns if name not in set(training.columns)]
    common = [name for name in training.columns if name not in set(only_training)]
    found, retyped = [], []
    for name in common:
        ours, theirs = scalars(training[name]), scalars(serving[name])
        kinds = kind(ours), kind(theirs)
        if None not in kinds and kinds[0] != kinds[1]:
            retyped.append({"column": name, "training": kinds[0], "serving": kinds[1]})
        differing = differences(ours, theirs, tolerance.of(name, str(training[name].dtype)))
        if differing:
            differing.sort(key=lambda place: rows[place])
            examples = [
                {"row": rows[i], "training": shown(ours[i]), "serving": shown(theirs[i])} for i in differing[:EXAMPLES]
            ]
            found.append({"column": name, "count": len(differing), "examples": examples})
    found.sort(key=lambda one: -one["count"])
    return {
        "columns": len(common),
        "only_training": only_training,
        "only_serving": only_serving,
        "reordered": common != [name for name in serving.columns if name in set(common)],
        "disagreements": found,
        "retyped": retyped,
    }


def differences(ours: list[Any], theirs: list[Any], tolerated: tuple[float, float]) -> list[int]:
    """The places at which two columns differ by more than a relative and an absolute tolerance."""
    relative, absolute = tolerated
    scale = usual_size(ours)
    pairs = enumerate(zip(ours, theirs, strict=True))
    return [place for place, (one, other) in pairs if not equal(one, other, relative, scale, absolute)]


def together(compared: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The comparisons of several modes as one: each column once, as the first mode shows it, with all that show it."""
    disagreements: dict[str, dict[str, Any]] = {}
    retyped: dict[str, dict[str, Any]] = {}
    for mode, found in compared.items():
        for one in found["disagreements"]:
            disagreements.setdefault(one["column"], {**one, "modes": []})["modes"].append(mode)
        for one in found["retyped"]:
            retyped.setdefault(one["column"], one)
    lacking = {
        side: list(dict.fromkeys(name for found in compared.values() for name in found[side]))[:COLUMNS]
        for side in ("only_training", "only_serving")
    }
    return {
        **lacking,
        "columns": min(found["columns"] for found in compared.values()),
        "reordered": any(found["reordered"] for found in compared.values()),
        "disagreements": list(disagreements.values())[:COLUMNS],
        "disagreeing_columns": len(disagreements),
        "retyped": list(retyped.values())[:COLUMNS],
        "modes": list(compared),
    }


def in_order(answer: Any) -> Any:
    """A table whose rows were sorted but kept their index, as they were given."""
    if answer.index.is_unique and set(answer.index) == set(range(len(answer))):
        return answer.sort_index()
    return answer


def typed(answers: Any, training: Any) -> Any:
    """Columns of answers without a single value take training's type, since nothing else says what they hold."""
    empty = [name for name in answers.columns if name in set(training.columns) and answers[name].isna().all()]
    return answers.astype({name: training[name].dtype for name in empty if training[name].isna().any()})


def concatenated(answers: list[Any], wanted: list[str]) -> Any:
    """Tables one below the other, as objects: joining must not turn one type into another.

    A wanted column that some of them lack counts as lacking; any other counts where one of them has it.
    """
    import pandas as pd

    every = list(dict.fromkeys(name for answer in answers for name in answer.columns))
    names = [name for name in every if name not in set(wanted) or all(name in answer.columns for answer in answers)]
    return pd.DataFrame(
        {
            name: pd.Series([value for answer in answers for value in _cells(answer, name)], dtype=object)
            for name in names
        },
        columns=names,
    )


def _cells(answer: Any, name: str) -> Any:
    return answer[name].astype(object) if name in answer.columns else [None] * len(answer)
