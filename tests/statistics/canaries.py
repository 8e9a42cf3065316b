"""Canaries simulated by the thousand, for tests and for the benchmark that counts false alarms and users harmed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from release_gate.statistics.sequential import Floats, log_evidence, requests_to_see

Counts = NDArray[Any]
Random = np.random.Generator
Rates = Callable[[Random, int, int], Floats]  # (runs, looks) -> rates of that shape

RATE = 0.01
SECONDS = 10  # between two looks
REQUESTS = 200 * SECONDS  # in a window, both versions together
LOOKS = 1000
LOOKS_OF_TEN_MINUTES = 600 // SECONDS
TESTS_OF_A_ROLLOUT = 6  # errors and latency in three steps, among which alpha is split
AT_ONCE = 100  # runs held in memory together


@dataclass(frozen=True)
class Canaries:
    """What some runs of a canary measured in each window, and which users only the candidate harmed."""

    n_c: Counts  # (looks,), or (runs, looks) where repeated requests are counted
    n_p: Counts
    c: Counts  # (runs, looks)
    p: Counts
    harmed: Counts  # (runs, looks)

    def found(self, alpha: float) -> Floats:
        """The number of looks after which each run calls its candidate harmful; infinite where it never does."""
        refused = log_evidence(self.n_c, self.n_p, self.c, self.p) >= -math.log(alpha)
        return np.where(refused.any(axis=1), refused.argmax(axis=1) + 1.0, math.inf)


def constant(_random: Random, runs: int, looks: int) -> Floats:
    """One rate all the time."""
    return np.full((runs, looks), RATE)


def wandering(random: Random, runs: int, looks: int) -> Floats:
    """A rate that drifts, and jumps, between a fifth and five times of what it was."""
    jumps = random.choice([0, -1, 1], (runs, looks), p=[0.98, 0.01, 0.01])
    walk = (random.normal(0, 0.1, (runs, looks)) + jumps).cumsum(axis=1) / math.log(5)
    folded = np.abs((walk + 1) % 4 - 2) - 1  # turned back at -1 and 1
    return np.asarray(RATE * np.exp(-math.log(5) * folded))


def draw(random: Random, shares: Floats, rates: Floats, ratio: float = 1.0, repeats: int = 0) -> Canaries:
    """Runs in which the candidate gets a share of each window's requests, and fails `ratio` times as often.

    `shares` is of shape (looks,), `rates` of (runs, looks). Each failed request is repeated `repeats` times by a client
    that is held to its version, and fails again.
    """
    n_c = random.binomial(REQUESTS, shares)
    alike = random.binomial(n_c, rates)
    harmed = random.binomial(n_c - alike, rates * (ratio - 1) / (1 - rates))
    c, p = alike + harmed, random.binomial(REQUESTS - n_c, rates)
    more_c, more_p = (repeats * c, repeats * p) if repeats else (0, 0)
    return Canaries(n_c + more_c, REQUESTS - n_c + more_p, c + more_c, p + more_p, harmed)


def false_alarms(shares: Floats, rates: Rates, *, runs: int, alpha: float, repeats: int = 0) -> float:
    """The share of runs in which any look calls a candidate harmful that is just as good as production."""
    random = np.random.default_rng(1)
    alarms = 0
    for _ in range(runs // AT_ONCE):
        drawn = draw(random, shares, rates(random, AT_ONCE, len(shares)), repeats=repeats)
        alarms += int(np.isfinite(drawn.found(alpha)).sum())
    return alarms / (runs // AT_ONCE * AT_ONCE)


@dataclass(frozen=True)
class Finds:
    """How soon a candidate was found that fails twice as often, and whom it harmed until then."""

    seconds: Floats  # (runs,), infinite where ten minutes were not enough
    harmed: Floats  # (runs,)


def doubled(share: float, *, runs: int, alpha: float) -> Finds:
    """Ten minutes of a candidate that doubles the rate, watched every ten seconds."""
    random = np.random.default_rng(2)
    shares = np.full(LOOKS_OF_TEN_MINUTES, share)
    drawn = draw(random, shares, constant(random, runs, len(shares)), ratio=2)
    looks = drawn.found(alpha)
    until = np.arange(1, len(shares) + 1) <= looks[:, None]
    return Finds(looks * SECONDS, np.asarray((drawn.harmed * until).sum(axis=1)))


def simulate(runs: int = 10_000) -> Iterator[tuple[str, str, str]]:
    """Rows for the benchmark: what is measured, its value, what is promised. Users are harmed until the next look."""
    alpha = 0.05
    promised = f"promised: {alpha:.0%}"
    steps = np.repeat([0.05, 0.5], LOOKS // 2)
    for what, shares, rates in (
        ("share 5 %", np.full(LOOKS, 0.05), constant),
        ("share 50 %", np.full(LOOKS, 0.5), constant),
        ("5, then 50 %, rate wanders", steps, wandering),
    ):
        alarms = false_alarms(shares, rates, runs=runs, alpha=alpha)
        yield f"false alarms in {LOOKS:,} looks, {what}", f"{alarms:.2%}", f"{promised} ({runs:,} runs)"
    alarms = false_alarms(np.full(LOOKS, 0.05), constant, runs=runs // 10, alpha=alpha, repeats=2)
    yield "  if clients repeat each failure twice, share 5 %", f"{alarms:.2%}", "not promised: count before retries"
    for what, spent in (("", alpha), (f", alpha/{TESTS_OF_A_ROLLOUT}", alpha / TESTS_OF_A_ROLLOUT)):
        found = doubled(0.05, runs=runs, alpha=spent)
        known = np.isfinite(found.seconds).mean()
        yield f"1 % doubled, seen in 10 min, 5 % of 200/s{what}", f"{known:.2%}", "promised: 95%"
        yield "  median time to see it", f"{np.median(found.seconds):.0f} s", ""
        mean, most = found.harmed.mean(), np.quantile(found.harmed, 0.95)
        yield "  users harmed until then, mean and 95 % point", f"{mean:.1f}, {most:.0f}", f"of {runs:,} runs"
        needed = requests_to_see(RATE, 2, 0.05, alpha=spent)
        yield "  candidate requests said to be needed for 95 %", f"{needed:,}", "10 min bring 6,000"
