"""What a reviewer reads about a bar: missed, undecided, or not judged."""

from __future__ import annotations

import math
from collections.abc import Sequence

from release_gate.config import Risk
from release_gate.gates.bars import Judged, Unjudged
from release_gate.statistics.metrics import BOUNDED, sign
from release_gate.thresholds import Threshold

_SHOWN = 5


def number(value: float, metric: str) -> str:
    """A metric's value with the digits that matter; a loss of 0.0004 is not shown as 0.000."""
    if not math.isfinite(value):
        return "unknown"
    if value == 0:
        return "0"  # a turned zero carries a sign
    if metric in BOUNDED and abs(value) >= 0.001:
        return f"{value:.3f}"
    return f"{value:.4g}" if metric not in BOUNDED else f"{value:.1g}"


def interval(one: Judged) -> tuple[float, float]:
    """Bounds in the metric's own units: of candidate - production, or of the candidate."""
    turn = sign(one.bar.metric) if one.bar.relative else (1 if one.bar.kind == "at_least" else -1)
    return (one.low, one.high) if turn == 1 else (-one.high, -one.low)


def bar_text(one: Judged) -> str:
    """The bar as it was declared."""
    return f"{one.bar.kind.replace('_', ' ')} {one.bar.value:g}"


def missed(one: Judged, risk: Risk) -> str:
    """Why a bar blocks: proven harm."""
    metric, sure = one.bar.metric, _percent(1 - risk.wrong_block)
    head = f"{metric} in {one.bar.named} is {number(one.answer.candidate, metric)}"
    if one.bar.relative and one.answer.production is not None:
        return (
            f"{head}, production has {number(one.answer.production, metric)}: worse by "
            f"{number(-one.estimate, metric)} ({sure} sure by at least {number(-one.high, metric)}); "
            f"at most {one.bar.value:g} is allowed"
        )
    side, least = ("at most", "at least") if one.bar.kind == "at_least" else ("at least", "at most")
    bound = one.high if one.bar.kind == "at_least" else -one.high
    return f"{head} ({sure} sure: {side} {number(bound, metric)}); it must be {least} {one.bar.value:g}"


def undecided(one: Judged, risk: Risk) -> str:
    """Why the rows prove neither side, and what would."""
    metric = one.bar.metric
    low, high = (number(bound, metric) for bound in interval(one))
    sure = _percent(1 - max(risk.wrong_pass, risk.wrong_block))
    if one.bar.relative and one.answer.production is not None:
        head = (
            f"{metric} in {one.bar.named} is {number(one.answer.candidate, metric)}, production has "
            f"{number(one.answer.production, metric)}; the true difference lies between {low} and {high} "
            f"({sure} sure of each side), so a loss above {one.bar.value:g} is neither shown nor ruled out"
        )
        return f"{head}. {outlook(one)}"
    return (
        f"{metric} in {one.bar.named} is {number(one.answer.candidate, metric)}; the truth lies between {low} and "
        f"{high} ({sure} sure of each side), so '{bar_text(one)}' is neither met nor missed for certain. {outlook(one)}"
    )


def outlook(one: Judged) -> str:
    """Power at the present rows, and the rows needed."""
    who = "an equally good candidate" if one.bar.relative else "a candidate this good"
    head = f"With {one.rows:,} rows {who} passes in {_percent(one.power)} of cases"
    if one.rows_needed is None:
        return f"{head}; {_never(one)}"
    return f"{head}; {one.rows_needed:,} rows would make it 80 %"


def _never(one: Judged) -> str:
    if not math.isfinite(one.low) and not math.isfinite(one.high):
        return "nothing varies in them, so nothing can be proven"
    return "more rows can't prove it" + (
        ", since a margin of 0 leaves no room" if one.bar.relative else " at this value"
    )


def unseen(group: Sequence[Judged], slices: int) -> str:
    """Guards that the rows could neither clear nor miss, those that see least first."""
    first = group[0].bar
    worst = sorted(group, key=lambda one: -(one.smallest_seen or math.inf))
    what = "drop against production" if first.relative else f"miss of '{bar_text(group[0])}'"
    each = [
        f"{one.bar.named} ({one.rows:,} rows): {_seen(one)}, {_percent(one.power)} power"
        + ("" if one.rows_needed is None else f", {one.rows_needed:,} rows needed")
        for one in worst[:_SHOWN]
    ]
    more = f"; and {len(group) - _SHOWN} more" if len(group) > _SHOWN else ""
    count = "" if first.slice is None else f" in {len(group)} of {slices_of(slices, first.slice[0])}"
    return (
        f"{first.metric}{count}: '{bar_text(group[0])}' is neither shown to hold nor to be broken. "
        f"Smallest {what} these rows would have caught (four times of five): {'; '.join(each)}{more}"
    )


def _seen(one: Judged) -> str:
    return "none" if one.smallest_seen is None else number(one.smallest_seen, one.bar.metric)


def too_small(group: Sequence[Unjudged]) -> str:
    """Slices left out, with the reason of each."""
    first = group[0]
    what = "all rows" if first.slice is None else slices_of(len(group), first.slice[0])
    return f"{first.metric} is not judged in {what}: {_each(group)}"


def _each(group: Sequence[Unjudged]) -> str:
    each = ", ".join(f"{one.slice[1] if one.slice else 'all rows'} ({one.reason})" for one in group[:_SHOWN])
    return each + (f", and {len(group) - _SHOWN} more" if len(group) > _SHOWN else "")


def slices_of(count: int, column: str) -> str:
    """A number of slices, in words."""
    return f"{count:,} slice{'s' * (count != 1)} of {column}"


def nowhere(threshold: Threshold, column: str, group: Sequence[Unjudged]) -> str:
    """A column in which no slice was judged."""
    if not group:
        return f"{threshold.metric} is judged nowhere by {column}: it has no value in any row"
    return f"{threshold.metric} is judged nowhere by {column}: {_each(group)}"


def _percent(share: float) -> str:
    if 0 < share < 0.01:
        return "less than 1 %"
    return f"{100 * share:.0f} %" if 100 * share <= 99 else f"{100 * share:.3g} %"
