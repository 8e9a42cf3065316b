"""Is the candidate worse than production? A test that may be looked at as often as one likes.

Data come as increments: what both versions answered between two looks, and how much of it was bad. Within one, n_c and
n_p requests reached candidate and production; c and p of them were bad, at rates that may be other ones in the next.
The null says rate_c <= r * rate_p in every increment, r = 1 unless a worse rate is tolerated. With the measured share
w = r n_c / (r n_c + n_p), an alternative rho > 1 scores each increment by

    e(rho) = rho^c / D^(c + p),   D = rho w + 1 - w.

Under the null its expectation is at most 1, whatever the rates: write a = rho / D >= 1 and b = 1 / D <= 1; requests
that are bad independently of each other, each with a chance of its own, give, by 1 + x <= exp(x),

    log E e(rho) <= n_c rate_c (a - 1) - n_p rate_p (1 - b) <= rate_p (r n_c a + n_p b - r n_c - n_p) = 0.

So the product over increments is a non-negative supermartingale, a mixture over rho is one too (Robbins 1970), and it
ever reaches 1 / alpha with a chance of at most alpha, over any number of looks (Ville 1939; Ramdas et al. 2023,
"Game-theoretic statistics and safe anytime-valid inference"). As no increment is scored by another's share, a rate that
rises while the share does says nothing against the candidate: never add up counts of different steps.

What holds, and when
- Exactly, for every r and every rate, also common ones: where requests are bad independently given the rates at the
  time. It holds on average over the number of bad requests; given that number (Fisher's non-central hypergeometric,
  whose odds ratio exceeds r) it holds for r = 1, and for r > 1 only as bad requests become rare.
- Exactly, for r = 1: where versions do equally well and the router picks at random, however requests hang together (an
  outage fails a whole window). Given the total, c is hypergeometric, below the binomial in convex order (Hoeffding
  1963, section 6), and rho^c is convex.
- Not: where failures multiply on the side where they began, as when clients repeat failed requests and are held to a
  version. Count a user's first failure, or answers before retries.
- An increment must lie within one step, so that the share does not change inside it. A request that never comes back
  must be counted as bad, else a candidate that hangs looks well.
- Each test spends its alpha by itself. Several metrics and steps of one rollout: the caller splits alpha over them
  (Bonferroni), `harmful(alpha / tests)` and `weigh(…, alpha=alpha / tests)`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, ndtri

Floats = NDArray[np.float64]

# Evenly spaced in the logarithm of the logarithm: every size of harm finds an alternative near it, none is favoured.
RATIOS: Floats = np.exp(np.geomspace(math.log(1.05), math.log(50), 12))
LOG_RATIOS: Floats = np.log(RATIOS)
WIDEST = 40.0  # bounds are sought among ratios from exp(-40) to exp(40)
HALVINGS = 48


@dataclass(frozen=True)
class Tally:
    """Requests that one version answered, and how many of them were bad (failed, or slower than declared)."""

    requests: int
    bad: int

    def __post_init__(self) -> None:
        if not 0 <= self.bad <= self.requests < math.inf:  # also refuses NaN
            raise ValueError(f"{self.bad} bad of {self.requests} requests is no tally: 0 <= bad <= requests must hold")

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.requests + other.requests, self.bad + other.bad)


@dataclass(frozen=True)
class Increment:
    """What both versions answered in the same window, between two looks and within one step."""

    candidate: Tally
    production: Tally


@dataclass(frozen=True)
class Evidence:
    """What all looks so far say about the candidate's rate of bad answers against production's."""

    log_e: float  # logarithm of the evidence against the null, as of the last look
    looks: int
    candidate: Tally
    production: Tally
    ratio: float | None  # rate of the candidate by that of production, windows weighted (Mantel and Haenszel 1959)
    at_least: float  # the ratio lies above this with a chance of 1 - alpha, over all looks together; 0 if not known
    at_most: float  # below this, with that chance; infinite if not known
    peak: float = -math.inf  # the largest log_e of any look

    def harmful(self, alpha: float) -> bool:
        """Whether any look proved the candidate worse, wrongly with a chance of at most `alpha`; never taken back."""
        return max(self.peak, self.log_e) >= -math.log(_chance("alpha", alpha))


def weigh(increments: Sequence[Increment], *, tolerated: float = 1.0, alpha: float = 0.05) -> Evidence:
    """The evidence that the candidate's rate exceeds `tolerated` times production's, and bounds of the ratio.

    The bounds are what the test does not refuse when asked about every ratio, each at `alpha` by itself: together they
    hold with a chance of 1 - 2 alpha. `at_least` reaches `tolerated` when, and only when, `harmful(alpha)` says so.
    A window in which either version had no request says nothing and changes nothing.

    >>> quiet = Increment(candidate=Tally(100, 1), production=Tally(1900, 19))
    >>> loud = Increment(candidate=Tally(100, 8), production=Tally(1900, 19))
    >>> weigh([quiet] * 9).harmful(0.05), weigh([quiet] * 6 + [loud] * 3).harmful(0.05)
    (False, True)
    """
    if not 0 < tolerated < math.inf:
        raise ValueError(f"the tolerated ratio is {tolerated}: it must be a positive number")
    threshold = -math.log(_chance("alpha", alpha))
    candidate = sum((one.candidate for one in increments), Tally(0, 0))
    production = sum((one.production for one in increments), Tally(0, 0))
    if not increments:
        return Evidence(0.0, 0, candidate, production, None, 0.0, math.inf)
    sides = [[(side.requests, side.bad) for side in (one.candidate, one.production)] for one in increments]
    (n_c, c), (n_p, p) = np.array(sides, dtype=float).transpose(1, 2, 0)
    path = log_evidence(n_c, n_p, c, p, tolerated)
    inverse = _lower(n_p, n_c, p, c, threshold)
    return Evidence(
        log_e=float(path[-1]),
        looks=len(increments),
        candidate=candidate,
        production=production,
        ratio=_ratio(n_c, n_p, c, p),
        at_least=_lower(n_c, n_p, c, p, threshold),
        at_most=1 / inverse if inverse else math.inf,
        peak=float(path.max()),
    )


def log_evidence(n_c: ArrayLike, n_p: ArrayLike, c: ArrayLike, p: ArrayLike, tolerated: float = 1.0) -> Floats:
    """The logarithm of the evidence after each look.

    Requests `n_c`, `n_p` and bad ones `c`, `p` of candidate and production, an increment each, of shape (looks,) or
    (runs, looks) or any that fit; the last axis is time. The result has the widest of their shapes.
    """
    n_c, n_p, c, p = (np.asarray(one, dtype=float) for one in (n_c, n_p, c, p))
    told = (n_c > 0) & (n_p > 0)
    share = np.where(told, tolerated * n_c / np.where(told, tolerated * n_c + n_p, 1.0), 0.0)
    steps = np.where(told, c, 0.0)[..., None] * LOG_RATIOS - (c + p)[..., None] * _log_scale(share)
    return _mixed(steps.cumsum(axis=-2))


def requests_to_see(rate: float, ratio: float, share: float, *, alpha: float, power: float = 0.95) -> int:
    """Candidate requests after which a rate of `ratio` times `rate` has been seen with a chance of `power`.

    `share` is the candidate's of all requests. Computed, not simulated, for a single look at the end: binomial counts
    of the candidate against a smooth quantile grid of production's (Cornish and Fisher 1938). Earlier looks can only
    have seen it before, so the answer errs to the safe side, by about 10 %. No rate is taken to exceed 1.

    Raises ValueError for what can never be seen: no bad answers at all, or a ratio within about 2 % of 1.

    >>> requests_to_see(rate=0.01, ratio=2, share=0.05, alpha=0.05) < 6000
    True
    """
    _chance("alpha", alpha), _chance("power", power), _chance("share", share)
    worse = min(1.0, rate * ratio)
    others = (1 - share) / share
    growth = worse * LOG_RATIOS - (worse + others * rate) * _log_scale(np.array(share)) if rate > 0 else np.zeros(1)
    if not (0 < rate < 1 and growth.max() > 0):
        raise ValueError(f"a rate of {rate} that becomes {ratio} times as large can never be seen by this test")

    def seen(requests: int) -> float:
        return _seen(requests, others * requests, worse, rate, -math.log(alpha))

    low, high = 0, 1
    while seen(high) < power:
        low, high = high, 2 * high
    while high - low > max(1, high // 10_000):
        middle = (low + high) // 2
        low, high = (low, middle) if seen(middle) >= power else (middle, high)
    return high


def _seen(n_c: int, n_p: float, worse: float, rate: float, threshold: float) -> float:
    """The chance that one look after `n_c` and `n_p` requests sees the candidate's rate `worse`."""
    z = ndtri((np.arange(64) + 0.5) / 64)
    deviation = math.sqrt(n_p * rate * (1 - rate))
    p = np.clip(n_p * rate + deviation * z + (1 - 2 * rate) * (z * z - 1) / 6, 0, n_p)
    scale = _log_scale(np.array(n_c / (n_c + n_p)))

    def evidence(c: Floats) -> Floats:
        return _mixed(c[..., None] * LOG_RATIOS - (c + p)[..., None] * scale)

    low, high = np.zeros_like(p), np.full_like(p, n_c)
    possible = evidence(high) >= threshold
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        enough = evidence(middle) >= threshold
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    least = np.ceil(high - 1e-6)
    return float(np.mean(np.where(possible, betainc(least, n_c - least + 1, worse), 0.0)))  # at least so many of n_c


def _log_scale(share: Floats) -> Floats:
    """log D for every share and ratio, accurate also for the smallest shares."""
    return np.log1p((RATIOS - 1) * share[..., None])


def _mixed(logs: Floats) -> Floats:
    """The logarithm of the mean over the last axis, of numbers given by their logarithms."""
    top = logs.max(axis=-1, keepdims=True)
    return np.asarray(np.log(np.exp(logs - top).mean(axis=-1)) + top[..., 0])


def _lower(n_c: Floats, n_p: Floats, c: Floats, p: Floats, threshold: float) -> float:
    """The largest tolerated ratio that some look refuses; evidence falls as more is tolerated."""

    def refused(log_ratio: float) -> bool:
        return bool(log_evidence(n_c, n_p, c, p, math.exp(log_ratio)).max() >= threshold)

    low, high = -WIDEST, WIDEST
    if not refused(low):
        return 0.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if refused(middle) else (low, middle)
    return math.exp(low)


def _ratio(n_c: Floats, n_p: Floats, c: Floats, p: Floats) -> float | None:
    together = np.maximum(n_c + n_p, 1)
    above, below = float((c * n_p / together).sum()), float((p * n_c / together).sum())
    return above / below if below else None


def _chance(name: str, value: float) -> float:
    if not 0 < value < 1:
        raise ValueError(f"{name} is {value}: it must lie between 0 and 1")
    return value
