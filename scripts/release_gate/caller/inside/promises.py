"""A transform as a party to promises, and the first that it breaks on given rows. Loaded by fuzzing.py.

It does not raise, leaves its input as it is, returns a row for each row in the same order, and nothing that the
contract of the features forbids.
"""

from __future__ import annotations

import copy
import datetime as dt
import json
import math
import time
from typing import Any

Failure = dict[str, Any]


class Side:
    """A transform, how rows are handed to it, and what its features must keep; the search ends at `until`.

    `names` are those of the features, for answers that have none of their own. `usual` are the features of an ordinary
    row, which every row must have; None where it does not go through.
    """

    def __init__(
        self, name: str, reference: str, *, promises: list[Failure], names: list[str] | None, tools: Any
    ) -> None:
        self.name, self.reference, self.promises, self.until = name, reference, promises, math.inf
        self.comparing, self.said = tools.comparing, tools.said
        self.call = tools.load(reference)[0]
        self.names = names
        self.usual: list[str] | None = None

    @property
    def late(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() > self.until

    def present(self, frame: Any) -> Any:
        """The rows as the side gets them: serving through JSON, as a request arrives."""
        import pandas as pd

        return deep(frame) if self.name == "training" else pd.DataFrame(self.requests(frame))

    def requests(self, frame: Any) -> list[dict[str, Any]]:
        """Rows as a request carries them."""
        plain = [self.comparing.plain(record) for record in frame.to_dict("records")]
        return [dict(json.loads(json.dumps(record, allow_nan=False))) for record in plain]

    def made(self, frame: Any) -> Any:
        """What the side returns for the rows, as a table; raises what the transform raises."""
        return self.table(self.call(self.present(frame)), len(frame))

    def table(self, returned: Any, rows: int) -> Any:
        """What the transform returned for so many rows, as a table."""
        return self.comparing.table(returned, self.names, rows)

    def ask_usual(self, ordinary: Any) -> None:
        """See what an ordinary row has, if it goes through."""
        try:
            self.usual = [str(name) for name in self.made(ordinary).columns]
        except BaseException:  # noqa: BLE001 - raising is found by `failure`
            self.usual = None

    def failure(self, frame: Any) -> Failure | None:
        """What is wrong with the side on these rows, the first thing only."""
        given = self.present(frame)
        before = deep(given)
        try:
            returned = self.call(given)
            if (changed := input_changed(given, before)) is not None:
                return {"kind": "input-changed", "error": changed}
            made = self.table(returned, len(frame))
        except BaseException as error:  # noqa: BLE001 - whatever the caller's code raises is a finding
            return {"kind": "raised", "type": type(error).__name__, **self.said(error)}
        if len(made) != len(frame):
            return {"kind": "rows-changed", "error": f"it was given {len(frame)} and returned {len(made)}"}
        return self.forbidden(made)

    def reordered(self, frame: Any) -> Failure | None:
        """Whether rows come back in another order: their index says so, or each made alone stands elsewhere."""
        try:
            made = self.made(frame)
            order = list(made.index)
            moved = order != sorted(order) if set(order) == set(range(len(frame))) else False
            if not moved and len(made) == len(frame):
                rows = range(len(frame))
                alone = [self.made(frame.iloc[[row]].reset_index(drop=True)) for row in rows if not self.late]
                moved = len(alone) == len(frame) and elsewhere(self.comparing, made, alone)
        except BaseException:  # noqa: BLE001 - raising is found by `failure`
            return None
        if moved:
            return {"kind": "reordered", "error": "the rows come back in another order than they were given in"}
        return None

    def forbidden(self, made: Any) -> Failure | None:
        """The first promise of the features' contract that a table breaks; columns never there are told elsewhere."""
        for promise in self.promises:
            name = promise["column"]
            if name not in made.columns:
                if promise["required"] and name in (self.usual or ()):
                    return {"kind": "forbidden", "column": name, "rule": "there", "error": f"it makes no '{name}'"}
                continue
            values = self.comparing.scalars(made[name])
            there = [value for value in values if not self.comparing.missing(value)]
            found = {"kind": "forbidden", "column": name}
            if len(there) < len(values) and not promise["nulls"]:
                return {**found, "rule": "not null", "error": f"'{name}' is null"}
            for kind, written in promise["rules"]:
                bound = typed(written, there)
                broken = [self.comparing.shown(one) for one in there if not keeps(one, kind, bound)]
                if broken:
                    shown = "breaks its rule" if promise["sensitive"] else f"is {broken[0]!r}"
                    words = f"'{name}' {shown}; it must be {kind} {written}"
                    return {**found, "rule": kind, "bound": bound, "error": words}
        return None


def signature(failure: Failure) -> tuple[Any, ...]:
    """What makes two failures the same one: their kind and place, not the values they were found with."""
    return tuple(failure.get(key) for key in ("kind", "type", "file", "line", "column", "rule"))


def deep(frame: Any) -> Any:
    """A copy that shares nothing: pandas copies no list or object inside a cell."""
    import pandas as pd

    made = frame.copy(deep=True)
    for place in range(made.shape[1]):
        if str(made.dtypes.iloc[place]) == "object":
            cells = [copy.deepcopy(cell) for cell in made.iloc[:, place].tolist()]
            made.isetitem(place, pd.Series(cells, dtype=object, index=made.index))
    return made


def elsewhere(comparing: Any, made: Any, alone: list[Any]) -> bool:
    """Whether a table holds just the rows that were made alone, and not in their order."""
    if any(len(one) != 1 or list(one.columns) != list(made.columns) for one in alone):
        return False
    one_by_one = [row for one in alone for row in _rows(comparing, one)]
    together = _rows(comparing, made)
    return together != one_by_one and sorted(together) == sorted(one_by_one)


def _rows(comparing: Any, table: Any) -> list[str]:
    """Each row as a text, in which 1 is 1.0 and the last digits don't count."""
    return [json.dumps([_plain(comparing, value) for value in row]) for row in table.itertuples(index=False, name=None)]


def _plain(comparing: Any, value: Any) -> Any:
    value = comparing.plain(value)
    return f"{value:.9g}" if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def typed(bound: Any, values: list[Any]) -> Any:
    """A bound as the values can be compared with it: moments and days come as text."""
    if isinstance(bound, list):
        return [typed(one, values) for one in bound]
    first = values[0] if values else None
    if not isinstance(bound, str) or not isinstance(first, (dt.date, dt.time)):
        return bound
    written = bound[:-1] + "+00:00" if bound.endswith("Z") else bound  # as Python before 3.11 reads it
    try:
        if isinstance(first, dt.time):
            return dt.time.fromisoformat(written)
        moment = dt.datetime.fromisoformat(written)
    except ValueError:
        return bound
    if not isinstance(first, dt.datetime):
        return moment.date()
    utc = dt.timezone.utc  # noqa: UP017 - the caller's Python may be older
    if first.tzinfo is None:
        return moment if moment.tzinfo is None else moment.astimezone(utc).replace(tzinfo=None)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=utc)


def same(one: Any, other: Any) -> bool:
    """Whether two tables or columns hold the same; what can't be compared is different."""
    try:
        return bool(one.equals(other))
    except (TypeError, ValueError):
        return False


def input_changed(given: Any, before: Any) -> str | None:
    """What a transform did to the table it was given."""
    if list(given.columns) != list(before.columns):
        added = [str(name) for name in given.columns if name not in set(before.columns)]
        lost = [str(name) for name in before.columns if name not in set(given.columns)]
        words = [
            *([f"it added {', '.join(added[:5])}"] if added else []),
            *([f"it took away {', '.join(lost[:5])}"] if lost else []),
        ]
        return "; ".join(words) or "it changed the order of the columns"
    if not given.index.equals(before.index):
        return "it changed the rows or their index"
    pairs = ((str(name), given.iloc[:, place], before.iloc[:, place]) for place, name in enumerate(given.columns))
    changed = [
        name for name, now, then in pairs if now.dtype != then.dtype or not (same(now, then) or cells(now, then))
    ]
    return f"it changed {', '.join(changed[:5])}" if changed else None


def cells(now: Any, then: Any) -> bool:
    """Whether two columns of objects hold the same, arrays and lists inside them too."""
    return str(now.dtype) == "object" and all(
        alike(one, other) for one, other in zip(now.tolist(), then.tolist(), strict=True)
    )


def alike(one: Any, other: Any) -> bool:
    """Whether two values are the same, whatever is nested in them; what can't be compared is different."""
    if type(one) is not type(other):
        return False
    if getattr(one, "ndim", False) and hasattr(one, "tolist"):
        return one.shape == other.shape and alike(one.tolist(), other.tolist())
    if isinstance(one, dict):
        return list(one) == list(other) and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(alike, one, other))
    try:
        return bool(one == other) or bool(one != one and other != other)  # noqa: PLR0124 - NaN
    except (TypeError, ValueError):
        return False


def keeps(value: Any, kind: str, bound: Any) -> bool:
    """Whether a value keeps a rule; of one that can't be compared nothing is said: its type is judged elsewhere."""
    try:
        if kind == "one of":
            return bool(value in bound)
        if kind == "none of":
            return bool(value not in bound)
        if kind == "at least":
            return bool(value >= bound)
        if kind == "above":
            return bool(value > bound)
        return bool(value <= bound) if kind == "at most" else bool(value < bound)
    except TypeError:
        return True
