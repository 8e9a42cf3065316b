"""What a rollout or a rollback acts with: every effect on the world goes through one of these."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from release_gate.counts import Counts
from release_gate.edges import Clock, Store
from release_gate.findings import CannotJudge, Refused
from release_gate.lifecycle.events import Draft, Event
from release_gate.lifecycle.state import State, fold
from release_gate.verdict import Finding, Table

if TYPE_CHECKING:
    from release_gate.gates.canary import Look
    from release_gate.registry.ledger import Ledger
    from release_gate.serving.targets.target import Target

AGAIN = (1.0, 2.0, 4.0)
"""Seconds to wait before an effect that the world refused is tried once more."""


@dataclass(frozen=True)
class By:
    """Who acts, and the page of the run that says so."""

    actor: str
    run: str | None


class Looks:
    """What was seen of each step, kept one record a look, so that whoever resumes goes on from there."""

    def __init__(self, store: Store, prefix: str) -> None:
        self._store, self._prefix = store, prefix

    def read(self, sequence: int) -> list[Look]:
        """The looks since the `stepped` event of that number, oldest first."""
        # Only a rollout looks: a rollback must not wait until all that judges looks is imported.
        from release_gate.gates.canary import Look

        keys = self._store.keys(f"{self._prefix}/{sequence:08}")
        return [Look.parse(content) for key in keys if (content := self._store.get(key))]

    def add(self, sequence: int, look: Look, number: int) -> None:
        """Keep one more; of two who look at once the first is kept."""
        self._store.put_new(f"{self._prefix}/{sequence:08}/{number:06}.json", look.to_json())


@dataclass
class Aside:
    """What effects have to show in the verdict besides what went wrong."""

    findings: list[Finding] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)

    def tell(self, *findings: Finding) -> None:
        """Add what was not said before: an effect may be had several times."""
        self.findings += [one for one in findings if one not in self.findings]


@dataclass(frozen=True)
class Hands:
    """The effects of one model's rollout.

    `start` makes a version ready for traffic and gives the address where it alone answers, None where there is none.
    `proven` asks an address the smoke checks of a version, which only the versions named may answer; it returns what
    went wrong. `counted` reads running totals of versions. `kept` tells the target which version is known to be good.
    `owed`: what GitHub has to be told once traffic is safe; `follow` tells it how a rollout goes on, and may fail.
    `say` tells a person who looks on. `afterwards` does what is left once a version serves; what it and the others
    have to show stands in `aside`.
    """

    ledger: Ledger
    target: Target
    clock: Clock
    start: Callable[[str], str | None]
    proven: Callable[[str, str, Collection[str]], Sequence[Finding]]
    counted: Callable[[Collection[str]], Mapping[str, Counts]]
    looks: Looks
    by: By
    owed: tuple[str, ...] = ()
    follow: Callable[[], None] = lambda: None
    say: Callable[[str], None] = lambda _: None
    afterwards: Callable[[str], None] = lambda _: None
    aside: Aside = field(default_factory=Aside)

    def read(self) -> tuple[list[Event], State]:
        """The history and what follows from it."""
        events = self.ledger.read()
        return events, fold(events)

    def record(self, after: State, kind: str, package: str, **fields: Any) -> State | None:
        """Append an event if nothing came after that state: the state with it, None where somebody was faster."""
        draft = Draft(at=self.clock.now(), actor=self.by.actor, run=self.by.run, kind=kind, package=package, **fields)
        event, before = self.ledger.append(lambda events: draft if len(events) == after.sequence else None)
        return None if event is None else fold([*before, event])

    def let_go(self, state: State) -> None:
        """Stop versions that take no traffic and are needed no more; what fails here is tidied up by the next run."""
        if state.restoring is not None:
            return  # what is needed is decided elsewhere at this moment
        needed = {state.production, state.rollout.package if state.rollout else None}
        try:
            busy = {digest for digest, share in self.target.routed().items() if share > 0}
            for digest in self.target.running():
                if digest not in needed | busy:
                    self.target.stop(digest)
        except Refused as refusal:
            self.say(f"left running: {refusal}")

    def trying(self, effect: Callable[[], None]) -> None:
        """Have an effect, again after a while where the world refuses; the last refusal is raised."""
        for seconds in AGAIN:
            try:
                effect()
            except CannotJudge as refusal:
                self.say(f"{refusal}; again in {seconds:g} s")
                self.clock.sleep(seconds)
            else:
                return
        effect()
