"""From replicates to bounds and error probabilities: a t interval corrected for skewness.

Percentiles of a bootstrap are too narrow in few groups and lean the wrong way where a metric is skewed, and their
tails are noise at the levels that many comparisons ask for. So the replicates give a standard error and a skewness,
and Hall's transformation (1992, "On the removal of skewness by transformation", J. R. Statist. Soc. B 54) the rest:
of T = (centre - truth) / error, g(T) = T + a T^2 / 3 + a^2 T^3 / 27 + a / 6 follows Student's t.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit  # scipy.stats takes two seconds to import

from release_gate.statistics.additive import Floats

_STEEPEST = 1.2
"""Skewness beyond this is not believed: a thousand replicates of few rows can't measure it."""
_DEFINED = 0.9
STILL = 1e-12
"""Replicates that differ by less do not scatter: that is rounding."""
_SYMMETRIC = 1e-9


@dataclass(frozen=True)
class Curve:
    """One sampling distribution: its centre, standard error, skewness and degrees of freedom."""

    centre: float
    error: float
    skew: float
    freedom: float

    def bound(self, level: float) -> float:
        """The value below which the truth lies with probability `level`."""
        quantile = -float(stdtrit(self.freedom, level))
        if abs(self.skew) > _SYMMETRIC:
            quantile = 3 / self.skew * (float(np.cbrt(1 + self.skew * (quantile - self.skew / 6))) - 1)
        return self.centre - self.error * quantile

    def below(self, bar: float) -> float:
        """Probability to see a centre so far above `bar` if the truth were at it; turned, above: 1 - this."""
        distance = (self.centre - bar) / self.error
        turned = distance + self.skew * distance**2 / 3 + self.skew**2 * distance**3 / 27 + self.skew / 6
        return float(stdtr(self.freedom, -turned))


@dataclass(frozen=True)
class Scatter:
    """What is known of a value where more is better; without curves it is certain.

    Of several curves the most cautious speaks. `rooted` says that they are of the value's square, with its sign.
    """

    value: float
    curves: tuple[Curve, ...]
    rooted: bool = False
    known: bool = True

    def low(self, risk: float) -> float:
        """The truth is below this with a probability of at most `risk`."""
        if not self.known:
            return -math.inf
        return min([self.value, *(self._plain(curve.bound(risk)) for curve in self.curves)])

    def high(self, risk: float) -> float:
        """The truth is above this with a probability of at most `risk`."""
        if not self.known:
            return math.inf
        return max([self.value, *(self._plain(curve.bound(1 - risk)) for curve in self.curves)])

    def too_low(self, bar: float) -> float:
        """p-value of "the truth is no better than `bar`": small where it is proven better."""
        if not self.curves:
            return 0.0 if self.known and self.value >= bar else 1.0
        return max(curve.below(self._bent(bar)) for curve in self.curves)

    def high_enough(self, bar: float) -> float:
        """p-value of "the truth is no worse than `bar`": small where it is proven worse."""
        if not self.curves:
            return 0.0 if self.known and self.value < bar else 1.0
        return max(1 - curve.below(self._bent(bar)) for curve in self.curves)

    @property
    def error(self) -> float:
        """The standard error, on the scale of the value."""
        if not self.known:
            return math.inf
        widest = max((curve.error for curve in self.curves), default=0.0)
        return widest / max(2 * abs(self.value), widest**0.5) if self.rooted else widest

    def reversed(self) -> Scatter:
        """The same, where less is better."""
        curves = tuple(Curve(-one.centre, one.error, -one.skew, one.freedom) for one in self.curves)
        return Scatter(-self.value, curves, rooted=self.rooted, known=self.known)

    def _plain(self, bound: float) -> float:
        return math.copysign(math.sqrt(abs(bound)), bound) if self.rooted else bound

    def _bent(self, bar: float) -> float:
        return math.copysign(bar**2, bar) if self.rooted else bar


def certain(value: float) -> Scatter:
    """A value that no other data would change: the difference of identical predictions."""
    return Scatter(value, ())


def scattered(drawn: Sequence[Floats], freedom: float, *, rooted: bool = False) -> Scatter:
    """What replicates say of a value; each array holds the value of the data first.

    The first array is plain; the second, if there is one, was drawn with rows of doubt and is taken as symmetric,
    since those rows make the skewness their own. Where nothing scatters, nothing is known: never a width of zero.
    """
    curves = []
    for index, values in enumerate(drawn):
        centre, replicates = float(values[0]), values[1:][np.isfinite(values[1:])]
        if len(replicates) < _DEFINED * (len(values) - 1) or not math.isfinite(centre):
            return Scatter(float(drawn[0][0]), (), known=False)
        error = float(replicates.std(ddof=1)) * math.sqrt((freedom + 1) / freedom)
        if error > STILL * max(abs(centre), 1.0):
            skew = _skewness(replicates) if index == 0 else 0.0
            curves.append(Curve(centre, error, max(-_STEEPEST, min(_STEEPEST, skew)), freedom))
    value = float(drawn[0][0])
    return Scatter(-math.sqrt(-value) if rooted else value, tuple(curves), rooted=rooted, known=bool(curves))


def _skewness(values: Floats) -> float:
    """The third central moment over the second's power 3/2; NaN where nothing varies."""
    from_mean = values - values.mean()
    spread = float(np.mean(from_mean**2))
    return float(np.mean(from_mean**3)) / spread**1.5 if spread > 0 else float("nan")
