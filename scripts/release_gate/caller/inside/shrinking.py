"""Makes the rows on which something fails as few and as ordinary as can be. Loaded by fuzzing.py."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

Fails = Callable[[Any], bool]
"""Whether the failure that is being looked at still happens on a table."""


def fewest(frame: Any, fails: Fails, late: Callable[[], bool]) -> Any:
    """Rows that fail together: parts are left out as long as the rest fails, halves first, then smaller.

    Delta debugging: Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input, 2002, section 3.
    """
    kept, parts = list(range(len(frame))), 2
    while len(kept) > 1 and not late():
        size = math.ceil(len(kept) / parts)
        rests = [kept[:start] + kept[start + size :] for start in range(0, len(kept), size)]
        smaller = next((rest for rest in rests if rest and fails(taken(frame, rest))), None)
        if smaller is not None:
            kept, parts = smaller, max(parts - 1, 2)
        elif size == 1:
            break
        else:
            parts = min(2 * parts, len(kept))
    return taken(frame, kept)


def taken(frame: Any, positions: list[int]) -> Any:
    """Some of the rows, numbered anew."""
    return frame.iloc[positions].reset_index(drop=True)


def ordinary(rows: Any, plain: Any, fails: Fails, late: Callable[[], bool]) -> tuple[Any, list[str]]:
    """The rows with every value that is not needed replaced by the ordinary one, and the columns that are needed."""
    needed = []
    for name in list(rows.columns):
        usual = plain[name].iloc[[0] * len(rows)].reset_index(drop=True)
        if late() or rows[name].equals(usual):
            continue
        simpler = rows.copy(deep=True)
        simpler[name] = usual
        if fails(simpler):
            rows = simpler
        else:
            needed.append(str(name))
    return rows, needed


def read(rows: Any, plain: Any, fails: Fails, made: Callable[[Any], Any], late: Callable[[], bool]) -> Any:
    """The rows without the columns that nothing reads.

    That is known only where the ordinary row goes through, with the same result: a column that is read after the place
    of the failure would be missing once the failure is mended.
    """
    try:
        usual = made(plain)
    except BaseException:  # noqa: BLE001 - the ordinary row fails as well: nothing is known
        return rows
    for name in list(rows.columns):
        if late() or len(rows.columns) == 1:
            break
        fewer = plain.drop(columns=name)
        try:
            unread = bool(made(fewer).equals(usual)) and fails(rows.drop(columns=name))
        except BaseException:  # noqa: BLE001 - then it is read
            unread = False
        if unread:
            rows, plain = rows.drop(columns=name), fewer
    return rows
