"""What changed in the numbers that are counted over a whole table: which are counted, and between which bounds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from release_gate.contracts.comparison.change import Change
from release_gate.contracts.contract import Bounds, Measure, Metric


def measure_changes(old: Sequence[Measure], new: Sequence[Measure]) -> Iterator[Change]:
    """Every difference; measures are matched by what they count."""
    left = list(new)
    for measure in sorted(old, key=lambda one: one not in new):  # those that stay as they are find themselves first
        same = [one for one in left if _counted(one) == _counted(measure)]
        if not same:
            yield _told("measure-removed", measure, "is no longer held to any bounds")
            continue
        found = next((one for one in same if replace(one, where=measure.where) == measure), same[0])
        left.remove(found)
        yield from _between(measure, found)
    for measure in left:
        yield _told("measure-added", measure, f"must be {measure.bounds} now")


def _counted(measure: Measure) -> tuple[object, ...]:
    """What is counted, whatever it is held to and however it is called; True is another value than 1."""
    kinds = tuple(type(value) for value in measure.values)
    sets = (rule.value if isinstance(rule.value, tuple) else (rule.value,) for rule in measure.rules)
    flags = tuple(tuple(isinstance(value, bool) for value in values) for values in sets)
    said = measure.metric, measure.share, measure.columns, measure.rules, measure.values, measure.query, measure.zone
    return *said, flags, kinds


def _between(old: Measure, new: Measure) -> Iterator[Change]:
    if old.warns is not new.warns:
        kind, words = ("check-softened", "only warns") if new.warns else ("check-hardened", "blocks now")
        yield _told(kind, new, words)
    if old.bounds != new.bounds:
        words = f"must be {new.bounds}, not {old.bounds}"
        if old.warns and new.warns:
            kind = "warning-changed"
        else:
            tighter, looser = _within(new.bounds, old.bounds), _within(old.bounds, new.bounds)
            kind = "rule-rewritten" if tighter and looser else ""
            kind = kind or f"measure-{'tightened' if tighter else 'loosened' if looser else 'changed'}"
        yield _told(kind, new, words)
    if old.name != new.name:
        yield _told("measure-renamed", new, f"is called '{new.name or 'nothing'}' now, not '{old.name or 'nothing'}'")


def _within(inner: Bounds, outer: Bounds) -> bool:
    """Whether every number that keeps the one keeps the other."""
    if inner.outside != outer.outside:
        return False
    if inner.outside:
        inner, outer = replace(outer, outside=False), replace(inner, outside=False)
    low = outer.least is None or (
        inner.least is not None
        and (inner.least, inner.least_excluded or not outer.least_excluded) >= (outer.least, True)
    )
    high = outer.most is None or (
        inner.most is not None and (-inner.most, inner.most_excluded or not outer.most_excluded) >= (-outer.most, True)
    )
    return low and high


def _told(kind: str, measure: Measure, words: str) -> Change:
    column = measure.columns[0] if len(measure.columns) == 1 else None
    together = f" of {', '.join(measure.columns)}" if len(measure.columns) > 1 else ""
    named = f" '{measure.name}'" if measure.name else ""
    unit = " (% of the rows)" if measure.share else " (seconds)" if measure.metric is Metric.AGE else ""
    return Change(kind, f"{measure.metric}{together}{named}{unit} {words}", column, measure.where)
