"""A transform as a party to promises, and the first that it breaks on given rows. Loaded by fuzzing.py.

It does not raise, leaves its input as it is, returns a row for each row in the same order, and nothing that the
contract of the features forbids.
"""

from __future__ import annotations

import json
import time
from typing import Any

Failure = dict[str, Any]


class Side:
    """A transform, how rows are handed to it, and what its features must keep; the search ends at `until`."""

    def __init__(self, name: str, reference: str, *, promises: list[Failure], until: float, tools: Any) -> None:
        self.name, self.reference, self.promises, self.until = name, reference, promises, until
        self.comparing, self.said = tools.comparing, tools.said
        self.call = tools.load(reference)[0]

    @property
    def late(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() > self.until

    def present(self, frame: Any) -> Any:
        """The rows as the side gets them: serving through JSON, as a request arrives."""
        import pandas as pd

        return frame.copy(deep=True) if self.name == "training" else pd.DataFrame(self.requests(frame))

    def requests(self, frame: Any) -> list[dict[str, Any]]:
        """Rows as a request carries them."""
        plain = [self.comparing.plain(record) for record in frame.to_dict("records")]
        return [dict(json.loads(json.dumps(record, allow_nan=False))) for record in plain]

    def made(self, frame: Any) -> Any:
        """What the side returns for the rows, as a table; raises what the transform raises."""
        return self.comparing.table(self.call(self.present(frame)), rows=len(frame))

    def failure(self, frame: Any) -> Failure | None:
        """What is wrong with the side on these rows, the first thing only."""
        given = self.present(frame)
        before = given.copy(deep=True)
        try:
            returned = self.call(given)
            if (changed := input_changed(given, before)) is not None:
                return {"kind": "input-changed", "error": changed}
            made = self.comparing.table(returned, rows=len(frame))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the caller's code raises is a finding
            return {"kind": "raised", "type": type(error).__name__, **self.said(error)}
        if len(made) != len(frame):
            return {"kind": "rows-changed", "error": f"it was given {len(frame)} and returned {len(made)}"}
        return self.forbidden(made)

    def reordered(self, frame: Any) -> Failure | None:
        """Whether rows come back in another order: their index says so, or turning them round changes nothing."""
        try:
            made, turned = self.made(frame), self.made(backwards(frame))
        except (Exception, SystemExit):  # noqa: BLE001 - raising is found by `failure`
            return None
        if len(made) != len(frame) or len(turned) != len(frame):
            return None
        order = list(made.index)
        moved = order != sorted(order) if set(order) == set(range(len(frame))) else False
        plain, turned = made.reset_index(drop=True), turned.reset_index(drop=True)
        if moved or (same(plain, turned) and not same(plain, backwards(plain))):
            return {"kind": "reordered", "error": "the rows come back in another order than they were given in"}
        return None

    def forbidden(self, made: Any) -> Failure | None:
        """The first promise of the features' contract that a table breaks; columns it lacks are told elsewhere."""
        for promise in self.promises:
            name = promise["column"]
            if name not in made.columns:
                continue
            values = self.comparing.scalars(made[name])
            there = [value for value in values if not self.comparing.missing(value)]
            found = {"kind": "forbidden", "column": name}
            if len(there) < len(values) and not promise["nulls"]:
                return {**found, "rule": "not null", "error": f"'{name}' is null"}
            for kind, bound in promise["rules"]:
                broken = [self.comparing.shown(one) for one in there if not keeps(one, kind, bound)]
                if broken:
                    words = f"'{name}' is {broken[0]!r}; it must be {kind} {bound}"
                    return {**found, "rule": kind, "bound": bound, "error": words}
        return None


def signature(failure: Failure) -> tuple[Any, ...]:
    """What makes two failures the same one: their kind and place, not the values they were found with."""
    return tuple(failure.get(key) for key in ("kind", "type", "file", "line", "column", "rule"))


def backwards(frame: Any) -> Any:
    """The rows in the opposite order."""
    return frame.iloc[::-1].reset_index(drop=True)


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
    changed = [name for name, now, then in pairs if now.dtype != then.dtype or not same(now, then)]
    return f"it changed {', '.join(changed[:5])}" if changed else None


def keeps(value: Any, kind: str, bound: Any) -> bool:
    """Whether a value keeps a rule; one that can't be compared keeps none."""
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
        return False
