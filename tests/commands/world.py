"""A small world for rollouts: time, traffic, a proxy and a store, each effect of which can be made to fail.

Time passes only when somebody sleeps, and then users ask: `rate` requests a second, split as the proxy routes, each
version failing as often as it is told to. The proxy keeps its promise of the fence as real targets do.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from release_gate.commands.hands import By, Hands, Looks
from release_gate.counts import Counts
from release_gate.findings import CannotJudge, finding
from release_gate.lifecycle.events import Draft
from release_gate.lifecycle.restoration import Restored
from release_gate.lifecycle.state import State, fold
from release_gate.registry.ledger import Ledger
from release_gate.serving.targets.target import Fenced
from release_gate.verdict import Finding

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Killed(BaseException):
    """The process ends here: nothing of ours runs any more."""


@dataclass
class Fault:
    """What happens at the effect of a number: `kill` or `refuse`, before or after it took place."""

    at: int = -1
    how: str = "kill"
    after: bool = False
    seen: int = 0

    def around(self, name: str, effect: Callable[[], Any]) -> Any:
        """Have an effect, or what the fault makes of it."""
        number, self.seen = self.seen, self.seen + 1
        if number != self.at:
            return effect()
        if self.after:
            effect()
        if self.how == "kill":
            raise Killed(name)
        raise CannotJudge.because("registry-unreachable", f"{name} got no answer")


class Store:
    """Bytes under keys, in memory."""

    def __init__(self, fault: Fault) -> None:
        self.fault, self.content = fault, dict[str, bytes]()
        self.reachable = True

    def put_new(self, key: str, content: bytes) -> bool:
        self._reach()
        return bool(self.fault.around(f"put {key}", lambda: self._put(key, content)))

    def _put(self, key: str, content: bytes) -> bool:
        return self.content.setdefault(key, content) is content

    def get(self, key: str) -> bytes | None:
        self._reach()
        return self.content.get(key)

    def keys(self, prefix: str) -> Iterator[str]:
        self._reach()
        return iter(sorted(key for key in self.content if key.startswith(f"{prefix}/")))

    def _reach(self) -> None:
        if not self.reachable:
            raise CannotJudge.because("registry-unreachable", "the store does not answer")


@dataclass(eq=False)
class World:
    """Everything outside: what lasts when a process of ours is killed."""

    rate: float = 100.0
    failing: dict[str, float] = field(default_factory=dict)
    bad_smoke: set[str] = field(default_factory=set)
    unstartable: set[str] = field(default_factory=set)
    fault: Fault = field(default_factory=Fault)

    def __post_init__(self) -> None:
        self.time = START
        self.store = Store(self.fault)
        self.shares: dict[str, float] = {}
        self.started: set[str] = set()
        self.fence = 0
        self.good: list[str] = []
        self.outbox: list[str] = []
        self.went_back: Restored | None = None
        self.remembers: bytes | None = None
        self.asked: dict[str, float] = {}
        self.failed: dict[str, float] = {}
        self.served: list[tuple[datetime, dict[str, float]]] = []
        self.meanwhile: Callable[[World], None] = lambda _: None

    # -- the clock --
    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return (self.time - START).total_seconds()

    def sleep(self, seconds: float) -> None:
        """Time passes, users ask."""
        self.time += timedelta(seconds=seconds)
        for digest, share in self.shares.items():
            asked = self.rate * seconds * share
            down = digest not in self.started
            self.asked[digest] = self.asked.get(digest, 0.0) + asked
            self.failed[digest] = self.failed.get(digest, 0.0) + asked * (1.0 if down else self.failing.get(digest, 0))
        self.served.append((self.time, dict(self.shares)))
        self.meanwhile(self)

    # -- the target --
    url = "http://public"

    def start(self, version: object) -> str:
        digest = str(getattr(version, "digest", version))

        def effect() -> str:
            if digest in self.unstartable:
                raise CannotJudge.because("serve-died", f"{digest} does not start")
            self.started.add(digest)
            return f"http://{digest[-4:]}"

        return str(self.fault.around(f"start {digest[-4:]}", effect))

    def route(self, shares: Mapping[str, float], *, fence: int) -> None:
        def effect() -> None:
            if fence < self.fence or self.outbox:
                raise Fenced(self.fence)
            self.fence, self.shares = fence, dict(shares)
            if self.went_back is not None and set(shares) != {self.went_back.package}:
                self.went_back = None
            self.served.append((self.time, dict(shares)))

        self.fault.around(f"route {sorted(shares.values())}", effect)

    def restore(
        self,
        digest: str,
        *,
        replaces: str | None = None,
        fence: int | None = None,
        owes: str = "",
        instead: str | None = None,
    ) -> None:
        def effect() -> None:
            if fence is not None:
                if fence < self.fence or self.outbox:
                    raise Fenced(self.fence)
                self.fence = fence
            else:
                self.outbox = [*(one for one in self.outbox if one not in (owes, instead)), owes]
            self.went_back = Restored(package=digest, replaces=replaces)
            self.good = [one for one in self.good if one != replaces]
            self.shares = {digest: 1.0}
            self.served.append((self.time, dict(self.shares)))

        self.fault.around("restore", effect)

    def obeyed(self) -> int:
        return self.fence

    def restored(self) -> Restored | None:
        return self.went_back

    def answers(self, digest: str) -> bool:
        return digest in self.started

    def routed(self) -> dict[str, float]:
        return dict(self.shares)

    def counts(self) -> dict[str, Counts]:
        return {
            digest: Counts(requests=int(self.asked.get(digest, 0)), errors=int(self.failed.get(digest, 0)))
            for digest in {*self.asked, *self.shares}
        }

    def stop(self, digest: str) -> None:
        assert self.shares.get(digest, 0) == 0, "a version with traffic is never stopped"
        self.fault.around(f"stop {digest[-4:]}", lambda: self.started.discard(digest))

    problems: Sequence[Finding] = ()

    def running(self) -> tuple[str, ...]:
        return tuple(sorted(self.started))

    def keep(self, digest: str, fence: int | None = None) -> None:
        def effect() -> None:
            if fence is not None and (self.fence > fence or self.outbox):
                return
            self.good = [digest, *(one for one in self.good if one != digest)][:3]
            if self.went_back is not None and self.went_back.package == digest:
                self.went_back = self.went_back.model_copy(update={"proven": True})

        self.fault.around("keep", effect)

    def forget(self, digest: str) -> None:
        self.good = [one for one in self.good if one != digest]

    def kept(self) -> tuple[str, ...]:
        return tuple(self.good)

    def remember(self, configuration: bytes) -> None:
        self.remembers = configuration

    def owes(self) -> tuple[str, ...]:
        return tuple(self.outbox)

    def remembered(self) -> bytes | None:
        return self.remembers

    def paid(self, owed: str | None, fence: int) -> None:
        self.outbox, self.fence = [one for one in self.outbox if one != owed], max(self.fence, fence)

    def close(self) -> None:
        """Nothing to let go of."""

    # -- what a command is given --
    def proven(self, digest: str, url: str, answering: Collection[str]) -> Sequence[Finding]:
        bad = digest in self.bad_smoke or digest not in self.started
        return [finding("smoke-status", f"{digest} answers 500")] if bad else []

    def hands(self, actor: str = "octo-air") -> Hands:
        """As a new process has them."""
        return Hands(
            ledger=Ledger(self.store, "m"),
            target=self,
            clock=self,
            start=self.start,
            proven=self.proven,
            counted=lambda _: self.counts(),
            looks=Looks(self.store, "looks"),
            by=By(actor, None),
            owed=("deployment", "comment", "revert"),
        )

    def happened(self, kind: str, package: str, **fields: Any) -> None:
        """An event of somebody else's."""
        draft = Draft(at=self.time, actor="octo-air", kind=kind, package=package, **fields)
        Ledger(self.store, "m").append(lambda _: draft)

    @property
    def state(self) -> State:
        """What the ledger says, its chain verified."""
        return fold(Ledger(self.store, "m").read())
