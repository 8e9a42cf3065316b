"""Shares as the whole-numbered weights that proxies know.

>>> weights({"a": 0.05, "b": 0.95})
{'a': 1, 'b': 19}
"""

from __future__ import annotations

from collections.abc import Mapping

LARGEST = 256
"""HAProxy's largest weight."""
CLOSE = 1e-4
"""Of all weights that come this near to the shares the smallest are taken: small ones take turns more evenly."""


def weights(shares: Mapping[str, float], largest: int = LARGEST) -> dict[str, int]:
    """The whole numbers from 1 to `largest` whose parts of their sum come nearest to the shares.

    Only versions with a share get one. With two versions the difference is at most 0.4 points.
    """
    wanted = {name: share for name, share in shares.items() if share > 0}
    top = max(wanted.values())
    best: dict[str, int] = {}
    least = 2.0
    for scale in range(1, largest + 1):
        given = {name: max(1, round(share / top * scale)) for name, share in wanted.items()}
        total = sum(given.values())
        off = max(abs(given[name] / total - share) for name, share in wanted.items())
        if off < least - CLOSE or (off < least and least > CLOSE):
            best, least = given, off
    return best
