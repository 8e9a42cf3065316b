"""Finds what a column declares and can't hold together: an empty range, a value imputed outside its own rules."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from release_gate.contracts import storage
from release_gate.contracts.bounds import comparable, fits, is_number, keeps
from release_gate.contracts.contract import Bound, Column, Kind, OnInvalid, OnNull, Rule, RuleKind
from release_gate.findings import finding
from release_gate.verdict import Finding

_LOWER = {RuleKind.AT_LEAST, RuleKind.ABOVE}
_UPPER = {RuleKind.AT_MOST, RuleKind.BELOW}
_SIZES = (("text", RuleKind.SHORTEST, RuleKind.LONGEST), ("list", RuleKind.FEWEST_ITEMS, RuleKind.MOST_ITEMS))
_SETS = {RuleKind.ONE_OF, RuleKind.NONE_OF}


def contradictions(column: Column, *, required: bool, default: Bound | bool | None = None) -> list[Finding]:
    """Declarations of one column that can't all hold; `required` and `default` are what the format itself says."""
    causes = [*_policy(column, required=required, default=default), *_rules(column), *_clipping(column)]
    if not causes:
        causes = list(_imputed(column))
    where, name = column.where, column.name
    return [
        finding("contract-contradictory", f"column '{name}' contradicts itself: {cause}", where=where)
        for cause in dict.fromkeys(causes)
    ]


def _policy(column: Column, *, required: bool, default: Bound | bool | None) -> Iterator[str]:
    said = column.policy
    if required and said.on_null not in {OnNull.REJECT, None}:
        yield f"it is required, yet its null behaviour is `{said.on_null}`, not `reject`"
    if default is not None and said.on_null not in {OnNull.IMPUTE, None}:
        yield f"it has the default {default!r}, yet its null behaviour is `{said.on_null}`, not `impute`"
    if said.on_invalid is OnInvalid.CLIP and not any(rule.kind.is_range for rule in column.rules):
        yield "invalid values are clipped, yet it has no range to clip to"
    if said.on_invalid is OnInvalid.SET_NULL and said.on_null is OnNull.REJECT:
        yield "invalid values become null, yet nulls are rejected"


def _rules(column: Column) -> Iterator[str]:
    binding = [rule for rule in column.rules if not rule.warns]
    yield from _foreign(column, binding)
    if cause := _empty_range(column.kind, binding):
        yield cause
    for what, shortest, longest in _SIZES:
        least = max((rule.value for rule in binding if rule.kind is shortest), default=0, key=_size)
        most = min((rule.value for rule in binding if rule.kind is longest), default=math.inf, key=_size)
        if _size(least) > _size(most):
            yield f"no {what} is both {shortest.value} {least} and {longest.value} {most}"
    yield from _sets(column, binding)


def _foreign(column: Column, rules: list[Rule]) -> Iterator[str]:
    """Values of rules that the column's type can't hold."""
    limits = storage.limits(column.storage)
    for rule in rules:
        values: tuple[Any, ...] = rule.value if isinstance(rule.value, tuple) else (rule.value,)
        if rule.kind in _SETS:
            for value in values:
                if not fits(column.kind, value):
                    yield f"{value!r} of `{rule.kind.value}` is no value of type {column.kind.value}"
        if limits is None or not (rule.kind.is_range or rule.kind in _SETS):
            continue
        for value in values:
            if is_number(value) and not limits[0] <= value <= limits[1]:
                yield f"{rule.kind.value} {value} lies outside its exact type {column.storage}"


def _empty_range(kind: Kind, rules: list[Rule]) -> str | None:
    for low in (rule for rule in rules if rule.kind in _LOWER):
        for high in (rule for rule in rules if rule.kind in _UPPER):
            least, most = _inclusive(kind, low), _inclusive(kind, high)
            if least is None or most is None:
                continue
            open_end = RuleKind.ABOVE is low.kind or RuleKind.BELOW is high.kind
            if least > most or (least == most and open_end and kind not in {Kind.INTEGER, Kind.DATE}):
                return f"no value is both {low} and {high}"
    return None


def _inclusive(kind: Kind, rule: Rule) -> Any:
    """A bound as it compares; of whole numbers and days the next one that is included. None where it is no bound."""
    if not (is_number(rule.value) if kind in {Kind.INTEGER, Kind.NUMBER} else fits(kind, rule.value)):
        return None
    value = comparable(kind, rule.value)
    if kind is Kind.INTEGER and math.isfinite(value):
        return {
            RuleKind.AT_LEAST: math.ceil(value),
            RuleKind.ABOVE: math.floor(value) + 1,
            RuleKind.AT_MOST: math.floor(value),
            RuleKind.BELOW: math.ceil(value) - 1,
        }[rule.kind]
    if kind is Kind.DATE and rule.kind in {RuleKind.ABOVE, RuleKind.BELOW}:
        step = timedelta(days=1 if rule.kind is RuleKind.ABOVE else -1)
        return value + step if date.min < value < date.max else value
    return value


def _sets(column: Column, rules: list[Rule]) -> Iterator[str]:
    sets = [rule.value for rule in rules if rule.kind is RuleKind.ONE_OF and isinstance(rule.value, tuple)]
    for values in sets:
        if not values:
            yield "its set of valid values is empty"
    if sets and all(sets):
        possible = [value for value in sets[0] if fits(column.kind, value)]
        if possible and not any(all(keeps(column.kind, rule, value) for rule in rules) for value in possible):
            yield "not one of its valid values keeps its other rules"


def _clipping(column: Column) -> Iterator[str]:
    """What is clipped must end on a value that the contract allows, or clipping would never come to an end."""
    if column.policy.on_invalid is not OnInvalid.CLIP or column.kind not in {
        Kind.INTEGER, Kind.NUMBER, Kind.DATE, Kind.TIMESTAMP, Kind.TIME,
    }:  # fmt: skip
        return
    ranges = [rule for rule in column.rules if rule.kind.is_range and _inclusive(column.kind, rule) is not None]
    for rule in ranges:
        if rule.kind in {RuleKind.ABOVE, RuleKind.BELOW} and column.kind not in {Kind.INTEGER, Kind.DATE}:
            yield f"invalid values are clipped, yet `{rule}` leaves out its own bound: no value is the next to it"
        elif column.kind in {Kind.INTEGER, Kind.NUMBER}:
            end = _inclusive(column.kind, rule)
            others = [one for one in column.rules if not one.kind.is_range and not one.warns]
            for broken in (one for one in others if not keeps(column.kind, one, end)):
                yield f"invalid values are clipped to {end}, which is {broken.breach}"


def _imputed(column: Column) -> Iterator[str]:
    value = column.policy.impute
    if value is None:
        return
    limits = storage.limits(column.storage)
    if not fits(column.kind, value):
        yield f"missing values become {value!r}, which is no value of type {column.kind.value}"
        return
    if limits is not None and is_number(value) and not limits[0] <= float(value) <= limits[1]:
        yield f"missing values become {value!r}, which lies outside its exact type {column.storage}"
    for rule in column.rules:
        if not rule.warns and not keeps(column.kind, rule, value):
            yield f"missing values become {value!r}, which is {rule.breach}"


def _size(value: Any) -> float:
    return float(value) if is_number(value) else 0.0
