"""What every holder of traffic can do, whatever it is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from release_gate.counts import Counts
from release_gate.lifecycle.restoration import Restored
from release_gate.verdict import Finding


@dataclass(frozen=True)
class Version:
    """A version that can be started: where it was unpacked and how its server runs.

    `command` makes the words for a port, None where the target starts nothing itself. `health` is the path of
    smoke.yml's first GET, "/" where there is none.
    """

    digest: str
    folder: Path
    command: Callable[[int], tuple[str, ...]] | None
    cwd: Path
    variables: Mapping[str, str]
    health: str
    start_within: float


class Fenced(Exception):
    """Somebody newer decided; `fence` is theirs."""

    def __init__(self, fence: int) -> None:
        super().__init__(f"decision {fence} is newer")
        self.fence = fence


class Target(Protocol):
    """What holds the traffic. Versions are named by their package's digest, shares are parts of 1."""

    @property
    def url(self) -> str:
        """Where users ask."""
        ...

    @property
    def problems(self) -> Sequence[Finding]:
        """What was found broken in the target's own memory and put right."""
        ...

    def start(self, version: Version) -> str | None:
        """Have its server running and answering; where it alone answers, None where there is no such place.

        What runs already is used on; what runs but does not answer is ended first.

        Raises:
            CannotJudge: it does not come up (`serve-died`, `serve-not-ready`), or the target can't be reached.
        """
        ...

    def route(self, shares: Mapping[str, float], *, fence: int) -> None:
        """Give each version its share of the traffic and all others none; back when the target itself says so.

        Raises:
            Fenced: a decision with a larger fence was routed, or one is owed to the ledger.
            CannotJudge: `route-not-taken`: the target says something else; or it can't be reached.
        """
        ...

    def answers(self, digest: str) -> bool | None:
        """Whether it runs and answers now, so that it can take traffic without a start; None where nobody can tell."""
        ...

    def restore(
        self,
        digest: str,
        *,
        replaces: str | None = None,
        fence: int | None = None,
        owes: str = "",
        instead: str | None = None,
    ) -> None:
        """All traffic to a version by a rollback; `replaces` loses it and is known to be good no more.

        Without `fence` nothing newer stops it: then `owes` is kept first, and no `route` goes on until it is `paid`.
        `instead`: what the same rollback left owed before, which `owes` replaces.

        Raises:
            Fenced, CannotJudge: as `route`.
        """
        ...

    def obeyed(self) -> int:
        """The newest decision that reached it: a sequence of the ledger, 0 where none ever did."""
        ...

    def restored(self) -> Restored | None:
        """What the last rollback gave all traffic to, None since a release shared it anew."""
        ...

    def owes(self) -> tuple[str, ...]:
        """What is owed to the ledger since each `restore`, the oldest first."""
        ...

    def paid(self, owed: str | None, fence: int) -> None:
        """That event is owed no more, if it was; `fence` is the sequence that the ledger gave to it."""
        ...

    def routed(self) -> dict[str, float]:
        """The shares that the target itself says it routes, never what we remember; unknown servers by address."""
        ...

    def counts(self) -> dict[str, Counts]:
        """The target's own running totals, by version."""
        ...

    def running(self) -> tuple[str, ...]:
        """The versions whose servers were started and not stopped."""
        ...

    def stop(self, digest: str) -> None:
        """Let go of a version without traffic, once its last answers are given. Gone already is well.

        Raises:
            CannotJudge: `stop-refused`: it has traffic.
        """
        ...

    def keep(self, digest: str, fence: int | None = None) -> None:
        """Remember a version as known to be good; not by a decision older than the one obeyed, where `fence` tells."""
        ...

    def forget(self, digest: str) -> None:
        """A version is not known to be good any more: no rollback without the ledger may fall back on it."""
        ...

    def kept(self) -> tuple[str, ...]:
        """The versions known to be good, the latest first: for a rollback when nothing else answers."""
        ...

    def remember(self, configuration: bytes) -> None:
        """Keep the configuration that a release went by, where a rollback finds it."""
        ...

    def remembered(self) -> bytes | None:
        """The configuration of the latest release."""
        ...

    def close(self) -> None:
        """Let go of connections. What serves goes on serving."""
        ...
