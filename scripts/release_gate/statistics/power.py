"""How much a comparison could have seen, by the normal approximation around a standard error.

With z(p) the normal quantile and `gap` the distance from what is assumed true to the bar, the chance to prove that
the bar is cleared is Phi(gap / error - z(1 - risk)) (Chow, Shao and Wang 2008, section 3.1). Errors shrink with the
square root of the rows, so proving it four times of five takes rows * ((z(1 - risk) + z(0.8)) * error / gap)^2.
"""

from __future__ import annotations

import math

from scipy.special import ndtr, ndtri

AIM = 0.8


def power(gap: float, error: float, risk: float) -> float:
    """The chance to prove, at `risk`, that a value lies above a bar when it is `gap` above it.

    >>> round(power(gap=0.03, error=0.01, risk=0.05), 3)
    0.912
    """
    if error == 0:
        return 1.0 if gap > 0 else 0.0
    return float(ndtr(gap / error + ndtri(risk))) if math.isfinite(error) else 0.0


def rows_needed(rows: int, gap: float, error: float, risk: float) -> int | None:
    """Rows at which that chance reaches four in five; None where no number of rows gets there.

    >>> rows_needed(rows=1000, gap=0.03, error=0.01, risk=0.05)
    687
    """
    if gap <= 0 or not math.isfinite(error):
        return None
    return max(1, math.ceil(rows * ((ndtri(AIM) - ndtri(risk)) * error / gap) ** 2))


def smallest_seen(margin: float, error: float, risk: float) -> float | None:
    """The smallest loss that would have been proven to exceed `margin`, at `risk`, four times of five."""
    return margin + float(ndtri(AIM) - ndtri(risk)) * error if math.isfinite(error) else None
