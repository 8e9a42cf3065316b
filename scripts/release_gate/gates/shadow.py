"""A candidate's table of predictions against the one in use: the same rows, sound scores, not too many changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from release_gate.findings import finding
from release_gate.verdict import Finding, Scalar, Table, Where

if TYPE_CHECKING:
    from numpy.typing import NDArray

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
MOVERS = 5
"""Partitions named for having changed most."""
SHOWN = 5


@dataclass(frozen=True)
class Scores:
    """The predictions of one partition."""

    keys: NDArray[Any] = field(repr=False)
    scores: NDArray[np.float64] = field(repr=False)


@dataclass(frozen=True)
class Pair:
    """One partition in the shadow table, and in the one in use where there is one."""

    partition: str
    shadow: Scores
    used: Scores | None = None


@dataclass(frozen=True)
class Compared:
    """What speaks against the shadow table, what is to be said besides, and the numbers."""

    problems: tuple[Finding, ...]
    notes: tuple[Finding, ...] = ()
    table: Table | None = None


def judge(
    pairs: Iterable[Pair], *, gone: Sequence[str] = (), change: float, at_most: float, probability: bool
) -> Compared:
    """Compare partition by partition; one partition's rows are held at a time, and one number for each row.

    `gone`: partitions of the table in use that the shadow table lacks. `change`: the difference of a score that
    counts as changed; `at_most`: the largest share of rows that may. `probability`: scores must lie in 0 to 1.
    """
    problems = [_gone(gone)] if gone else []
    moved: dict[str, NDArray[np.float64]] = {}
    before: list[NDArray[np.float64]] = []
    first, rows = True, 0
    for pair in pairs:
        rows += len(pair.shadow.keys)
        faults = _unsound(pair.partition, pair.shadow, probability=probability)
        problems += faults
        if pair.used is None:
            continue
        first = False
        found = _matched(pair.partition, pair.shadow, pair.used)
        if isinstance(found, list):
            problems += found
        elif not faults:
            moved[pair.partition] = pair.shadow.scores - found
            before.append(found)
    if first:
        if not rows:
            problems.append(finding("shadow-empty", "the shadow table has no rows"))
        message = f"{rows:,} rows were scored; there is no table in use to compare them with"
        return Compared(tuple(problems), (finding("shadow-first", message),))
    if problems:
        return Compared(tuple(problems))
    if not sum(map(len, moved.values())):
        return Compared((finding("shadow-empty", "neither table has rows that could be compared"),))
    return _weighed(moved, np.concatenate(before), change=change, at_most=at_most)


def _gone(gone: Sequence[str]) -> Finding:
    message = f"{_count(len(gone), 'partition')} of the table in use would be lost: {_some(gone)}"
    return finding("shadow-partitions-gone", message, evidence={"partitions": list(gone[:1000]), "count": len(gone)})


def _unsound(partition: str, shadow: Scores, *, probability: bool) -> list[Finding]:
    """What is wrong with scores by themselves."""
    found = []
    finite = np.isfinite(shadow.scores)
    if odd := int((~finite).sum()):
        found.append(_of(partition, "shadow-not-finite", odd, len(finite), "scores are null, NaN or infinite"))
    if probability:
        inside = (shadow.scores >= 0) & (shadow.scores <= 1)
        if outside := int((finite & ~inside).sum()):
            found.append(_of(partition, "shadow-out-of-range", outside, len(finite), "scores lie outside 0 to 1"))
    return found


def _matched(partition: str, shadow: Scores, used: Scores) -> NDArray[np.float64] | list[Finding]:
    """The scores in use in the order of the shadow's keys; or everything that keeps the rows from being the same."""
    keys, others = _index(shadow.keys), _index(used.keys)
    found = []
    for index, of in ((keys, "the shadow table"), (others, "the table in use")):
        if twice := int(index.duplicated().sum()):
            found.append(_of(partition, "shadow-rows-duplicated", twice, len(index), f"rows of {of} repeat a key"))
    if lost := int((~others.isin(keys)).sum()):
        found.append(_of(partition, "shadow-rows-missing", lost, len(others), "rows of the table in use are missing"))
    if extra := int((~keys.isin(others)).sum()):
        text = "rows of the shadow table are not in the one in use"
        found.append(_of(partition, "shadow-rows-extra", extra, len(keys), text))
    return found or used.scores[others.get_indexer(keys)]


def _index(keys: NDArray[Any]) -> pd.Index[Any]:
    """Keys as they are: pandas would make Arrow's text of them, in which looking up takes many times longer."""
    index: pd.Index[Any] = pd.Index(keys, dtype=keys.dtype)
    return index


def _of(partition: str, code: str, count: int, total: int, text: str) -> Finding:
    evidence: dict[str, Scalar] = {"partition": partition, "rows": count, "of": total}
    return finding(code, f"{partition}: {count:,} of {total:,} {text}", where=Where(table=partition), evidence=evidence)


def _weighed(
    moved: dict[str, NDArray[np.float64]], before: NDArray[np.float64], *, change: float, at_most: float
) -> Compared:
    """Whether too many scores changed, in numbers."""
    differences = np.concatenate(list(moved.values()))
    # A score in use that is no number was changed by being one now.
    changed = ~(np.abs(differences) <= change)
    share = float(changed.mean())
    finite = differences[np.isfinite(differences)]
    quantiles = [float(one) for one in np.quantile(finite, QUANTILES)] if len(finite) else [float("nan")] * 7
    largest = float(finite[np.abs(finite).argmax()]) if len(finite) else float("nan")
    known = before[np.isfinite(before)]
    was = float(known.mean()) if len(known) else float("nan")
    now = float((differences[np.isfinite(before)] + known).mean()) if len(known) else float("nan")
    movers = _movers(moved, change)
    told = (
        f"{share:.2%} of {len(differences):,} rows changed by more than {change:g}, at most {at_most:.2%} may; "
        f"mean {was:.6g} -> {now:.6g}; half of the differences lie between {quantiles[2]:.4g} and {quantiles[4]:.4g}, "
        f"the largest is {largest:+.4g}"
    )
    evidence: dict[str, Scalar | Sequence[Scalar]] = {
        "share_changed": share,
        "changed_at_most": at_most,
        "change": change,
        "rows": len(differences),
        "mean_before": was,
        "mean_after": now,
        "quantiles": list(QUANTILES),
        "difference_at_quantiles": quantiles,
        "largest_difference": largest,
        "changed_most": [name for name, _ in movers],
    }
    table = Table(
        title="Shadow table against the one in use",
        columns=["what", "value"],
        rows=[
            ["rows", len(differences)],
            [f"changed by more than {change:g}", f"{share:.2%}"],
            ["may change at most", f"{at_most:.2%}"],
            ["mean in use", was],
            ["mean in the shadow table", now],
            *([f"difference at quantile {at:g}", one] for at, one in zip(QUANTILES, quantiles, strict=True)),
            ["largest difference", largest],
            *([f"changed in {name}", f"{part:.2%}"] for name, part in movers),
        ],
    )
    if share > at_most:
        return Compared((finding("shadow-changed", told, evidence=evidence),), (), table)
    return Compared((), (finding("shadow-compared", told, evidence=evidence),), table)


def _movers(moved: dict[str, NDArray[np.float64]], change: float) -> list[tuple[str, float]]:
    """The partitions with the largest shares of changed rows, where there are several."""
    shares = [(name, float((~(np.abs(one) <= change)).mean())) for name, one in moved.items() if len(one)]
    return sorted(shares, key=lambda one: (-one[1], one[0]))[:MOVERS] if len(moved) > 1 else []


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else "")
