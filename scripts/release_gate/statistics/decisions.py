"""Pass, fail or undecided, for many comparisons at once.

All bars must be cleared, so each is proven at the full risk (intersection-union, Berger 1982). One bar missed blocks,
so chances of a false alarm add up: they are held down by Holm's procedure (1979) over all comparisons.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from release_gate.statistics.scatter import Scatter


class Decision(StrEnum):
    """What the data say about one bar."""

    CLEARED = "cleared"
    MISSED = "missed"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Comparison:
    """A value, more being better, and the bar that it must lie above."""

    scatter: Scatter
    bar: float

    @property
    def gap(self) -> float:
        """How far the value lies above the bar."""
        return self.scatter.value - self.bar


def decided(comparisons: Sequence[Comparison], wrong_pass: float, wrong_block: float) -> list[Decision]:
    """A decision for each comparison, at the accepted risks of a wrong pass and of any wrong block."""
    blocked = holm([one.scatter.high_enough(one.bar) for one in comparisons], wrong_block)
    return [_decided(one, bad, wrong_pass) for one, bad in zip(comparisons, blocked, strict=True)]


def _decided(one: Comparison, blocked: bool, wrong_pass: float) -> Decision:
    if one.scatter.too_low(one.bar) <= wrong_pass:
        return Decision.CLEARED
    return Decision.MISSED if blocked else Decision.UNDECIDED


def holm(chances: Sequence[float], risk: float) -> list[bool]:
    """Which hypotheses are rejected when the chance of any wrong rejection is to stay below `risk`.

    >>> holm([0.01, 0.04, 0.03], 0.05)
    [True, False, False]
    """
    rejected = np.zeros(len(chances), dtype=bool)
    for rank, index in enumerate(np.argsort(chances, kind="stable")):
        if chances[index] > risk / (len(chances) - rank):
            break
        rejected[index] = True
    return [bool(one) for one in rejected]
