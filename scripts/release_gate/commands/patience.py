"""Waits for a ledger that does not answer: of hundreds of reads one may fail, and that must not end a rollout."""

from __future__ import annotations

from collections.abc import Callable

from release_gate.edges import Clock
from release_gate.findings import CannotJudge

AWAY = ("ledger-unreachable", "registry-unreachable")
"""What is said where nobody answers. A history that is broken says something else, and no waiting mends it."""
PAUSE, LONGEST = 1.0, 10.0
"""Seconds before the first and the later tries."""
TICK = 60.0
"""Seconds a tick waits at most: the next one comes anyhow."""


class Patience:
    """How long the ledger has been away, and whether to wait for it still."""

    def __init__(self, clock: Clock, say: Callable[[str], None], *, tick: bool) -> None:
        self._clock, self._say, self._tick = clock, say, tick
        self._since: float | None = None
        self._pause = PAUSE

    def answered(self) -> None:
        """It answers: the next time that it is away is another one."""
        self._since, self._pause = None, PAUSE

    def wait(self, refusal: CannotJudge, lease: float) -> None:
        """Let some time pass before the next try: up to half of the lease, after which nothing is promoted any more.

        Raises:
            CannotJudge: the refusal itself, where it says something else, or has been said for too long.
        """
        if any(one.code not in AWAY for one in refusal.findings):
            raise refusal
        now, most = self._clock.monotonic(), min(lease / 2, TICK) if self._tick else lease / 2
        if self._since is None:
            self._since = now
            self._say(f"{refusal}; nothing is decided until it answers, for up to {most:g} s")
        left = self._since + most - now
        if left <= 0:
            raise refusal
        self._clock.sleep(min(self._pause, left))
        self._pause = min(2 * self._pause, LONGEST)
