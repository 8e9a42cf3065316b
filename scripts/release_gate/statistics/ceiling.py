"""Is the share of bad answers above a ceiling? A test that may be looked at as often as one likes.

The null says that each of the requests is bad with a chance of at most `a`, whatever came before. An alternative that
multiplies the odds by rho > 1 scores a window of n requests, c of them bad, by

    e(rho) = rho^c / D^n,   D = 1 + (rho - 1) a.

A request that is bad with chance p scores (1 + (rho - 1) p) / D on average, at most 1 where p <= a. So the product over
windows is a non-negative supermartingale, and so is its mixture over rho (Robbins 1970), which ever reaches 1 / alpha
with a chance of at most alpha, over any number of looks (Ville 1939). It is the test of `sequential`, with the measured
share of the traffic replaced by the ceiling: the same mixture, so the same code.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import betainc

from release_gate.statistics.sequential import Tally, log_evidence

HALVINGS = 60
LEAST = 1e-15


@dataclass(frozen=True)
class Above:
    """What all looks so far say about a share against its ceiling."""

    total: Tally
    at_least: float  # the share lies above this with a chance of 1 - alpha, over all looks together; 0 if not known
    peak: float  # the largest logarithm of the evidence of any look

    def harmful(self, alpha: float) -> bool:
        """Whether any look proved the share above the ceiling, wrongly with a chance of at most `alpha`."""
        return self.peak >= -math.log(alpha)


def weigh(tallies: Sequence[Tally], ceiling: float, *, alpha: float) -> Above:
    """The evidence that the share of bad requests exceeds `ceiling` (between 0 and 1), window by window.

    >>> weigh([Tally(100, 2)] * 9, 0.05, alpha=0.05).harmful(0.05)
    False
    >>> weigh([Tally(100, 12)] * 9, 0.05, alpha=0.05).harmful(0.05)
    True
    """
    total = sum(tallies, Tally(0, 0))
    if not tallies:
        return Above(total, 0.0, -math.inf)
    bad = np.array([one.bad for one in tallies], dtype=float)
    good = np.array([one.requests for one in tallies], dtype=float) - bad

    def peak(share: float) -> float:
        return float(log_evidence(share, 1 - share, bad, good).max())

    return Above(total, _lower(peak, -math.log(alpha)), peak(ceiling))


def requests_to_see(rate: float, ceiling: float, *, alpha: float, power: float = 0.95) -> int:
    """Requests after which one look sees a share of `rate` above the ceiling, with a chance of `power`.

    Raises ValueError where `rate` is hardly above the ceiling: it could not be seen.
    """
    if not 0 < ceiling * 1.05 < rate <= 1:
        raise ValueError(f"a share of {rate} can't be seen above {ceiling} by this test")
    low, high = 0, 1
    while _seen(high, rate, ceiling, alpha) < power:
        low, high = high, 2 * high
    while high - low > max(1, high // 1000):
        middle = (low + high) // 2
        low, high = (low, middle) if _seen(middle, rate, ceiling, alpha) >= power else (middle, high)
    return high


def _seen(requests: int, rate: float, ceiling: float, alpha: float) -> float:
    """The chance that so many requests, bad at `rate`, are evidence enough."""

    def enough(bad: int) -> bool:
        return bool(log_evidence(ceiling, 1 - ceiling, [bad], [requests - bad]).max() >= -math.log(alpha))

    if not enough(requests):
        return 0.0
    low, high = -1, requests
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return 1.0 if rate == 1 or high == 0 else float(betainc(high, requests - high + 1, rate))


def _lower(peak: Callable[[float], float], threshold: float) -> float:
    """The largest ceiling that some look refuses; evidence falls as the ceiling rises."""
    low, high = 0.0, 1.0
    if peak(LEAST) < threshold:
        return 0.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if peak(middle) >= threshold else (low, middle)
    return low
