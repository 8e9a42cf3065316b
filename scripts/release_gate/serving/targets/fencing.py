"""Lets a decision reach the traffic only when none newer was made: fence, effect and read-back under one lock.

>>> differing({"a": 0.05, "b": 0.95}, {"a": 0.0502, "b": 0.9498})
False
>>> differing({"a": 1.0}, {"a": 0.5, "b": 0.5})
True
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from release_gate.findings import CannotJudge
from release_gate.serving.standing import Running, Standing, StandingFile
from release_gate.serving.targets.target import Fenced

TOLERANCE = 0.005
"""How far a share may be from the one declared: proxies know whole-numbered weights."""

Apply = Callable[[Mapping[str, float], Standing], Standing]
"""Puts shares into effect; returns what is remembered from then on."""


def route(
    file: StandingFile,
    shares: Mapping[str, float],
    *,
    fence: int | None,
    owes: str | None = None,
    apply: Apply,
    read: Callable[[], Mapping[str, float]],
) -> None:
    """Put shares into effect. Without a fence it is a restoration: nothing stops it, and `owes` is kept first.

    Raises:
        Fenced: a newer decision was routed, or one that the ledger does not know yet.
        CannotJudge: `route-not-taken`.
        ValueError: shares that are no parts of 1: a mistake of ours.
    """
    asked = {digest: share for digest, share in shares.items() if share != 0}
    if not math.isclose(math.fsum(asked.values()), 1, abs_tol=1e-9) or min(asked.values()) < 0:
        raise ValueError(f"{dict(shares)} are no parts of 1")
    with file.held():
        standing = file.read()
        if fence is not None and (standing.fence > fence or standing.owed is not None):
            raise Fenced(standing.fence)
        standing = standing.model_copy(update={"fence": fence} if fence is not None else {"owed": owes})
        file.write(standing)  # first: whoever is older must be refused from here on, even if we are killed now
        standing = apply(asked, standing)
        got = read()
        file.write(standing.model_copy(update={"shares": dict(got)}))
        if differing(asked, got):
            raise CannotJudge.because("route-not-taken", f"asked for {shown(asked)}, but it routes {shown(got)}")


def started(standing: Standing, digest: str) -> Running:
    """The server of a version that is to take traffic.

    Raises:
        CannotJudge: `version-not-started`.
    """
    running = standing.running.get(digest)
    if running is None or running.stopping:
        raise CannotJudge.because("version-not-started", f"{digest} can't take traffic: its server was not started")
    return running


def differing(asked: Mapping[str, float], got: Mapping[str, float]) -> bool:
    """Whether what is routed is not what was asked for."""
    return set(asked) != {one for one in got if got[one] > 0} or any(
        abs(share - got[one]) > TOLERANCE for one, share in asked.items()
    )


def shown(shares: Mapping[str, float]) -> str:
    """Shares in words, the largest first."""
    ordered = sorted(shares.items(), key=lambda one: (-one[1], one[0]))
    return ", ".join(f"{share:.4g} to {name}" for name, share in ordered) or "nothing"
