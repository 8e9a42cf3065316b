"""Rollouts, rollbacks, holds, blocks and new versions in any order, killed anywhere, under clocks that jump.

What is routed is always what the ledger says may be; what was rolled back never comes back by itself; and once nothing
is under way, what serves is the ledger's production.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from release_gate.commands.outbox import pay
from release_gate.commands.restoring import restore
from release_gate.commands.rolling import roll
from release_gate.findings import CannotJudge
from release_gate.lifecycle.events import Draft
from release_gate.serving.targets.target import Fenced
from tests.commands.test_rolling import ROLLOUT
from tests.commands.world import Killed, World

faults = st.none() | st.tuples(st.integers(0, 12), st.sampled_from(("kill", "refuse")), st.booleans())
Faulty = tuple[int, str, bool] | None


class Watching(World):
    """A world that holds every change of the traffic against what may never serve again."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.banished: set[str] = set()

    def route(self, shares: Mapping[str, float], *, fence: int) -> None:
        before = dict(self.shares)
        super().route(shares, fence=fence)
        self._looked(before)

    def restore(self, digest: str, **decision: Any) -> None:
        before = dict(self.shares)
        super().restore(digest, **decision)
        self._looked(before)

    def _looked(self, before: Mapping[str, float]) -> None:
        if self.shares != before:
            back = {one for one, share in self.shares.items() if share > 0} & self.banished
            assert not back, f"{back} was rolled back, and takes traffic again"
            assert abs(sum(self.shares.values()) - 1) < 1e-9


class Interleavings(RuleBasedStateMachine):
    """One model's life."""

    def __init__(self) -> None:
        super().__init__()
        self.world = Watching()
        self.versions: list[str] = []
        self.named: set[str] = set()

    def disturbed(self, act: Callable[[], Any], fault: Faulty) -> Any:
        """Have an act with a fault at one of its effects; what it gave, None where it did not come to its end."""
        found = self.world.fault
        if fault is not None:
            found.at, found.how, found.after = found.seen + fault[0], fault[1], fault[2]
        try:
            return act()
        except (Killed, CannotJudge):
            return None
        finally:
            found.at = -1

    @initialize()
    def first(self) -> None:
        self.publish(failing=0.0, broken="")
        self.quiesce()
        assert self.world.state.production == self.versions[0]

    @rule(failing=st.sampled_from((0.0, 0.0, 0.3)), broken=st.sampled_from(("", "", "", "smoke", "start")))
    def publish(self, failing: float, broken: str) -> None:
        digest = f"sha256:{len(self.versions) + 1:064x}"
        self.versions.append(digest)
        self.world.failing[digest] = failing
        if broken:
            {"smoke": self.world.bad_smoke, "start": self.world.unstartable}[broken].add(digest)
        production = self.world.state.production
        self.world.happened("registered", digest, serves="after-rollout", compared=production)

    @rule(data=st.data())
    def publish_again(self, data: st.DataObject) -> None:
        digest = data.draw(st.sampled_from(self.versions))
        if digest not in self.world.state.blocked:
            production = self.world.state.production
            self.world.happened("registered", digest, serves="after-rollout", compared=production)

    @rule(data=st.data(), tick=st.booleans(), again=st.booleans(), abort=st.sampled_from((None, None, "x")), at=faults)
    def deploy(self, data: st.DataObject, tick: bool, again: bool, abort: str | None, at: Faulty) -> None:
        going = self.world.state.rollout
        package = data.draw(st.sampled_from([*self.versions[-2:], going.package if going else self.versions[-1]]))

        def act() -> None:
            hands = self.world.hands()
            pay(hands)
            roll(hands, package, ROLLOUT, tick=tick, again=again, abort=abort)

        self.disturbed(act, at)

    @rule(data=st.data(), named=st.sampled_from((False, False, True)), at=faults, reachable=st.booleans())
    def rollback(self, data: st.DataObject, named: bool, at: Faulty, reachable: bool) -> None:
        to = data.draw(st.sampled_from(self.versions)) if named else None
        if to is not None:
            self.world.banished.discard(to)  # a person wants it
            self.named.add(to)
        self.world.store.reachable = reachable

        def act() -> str | None:
            told = restore(self.world.hands("octocat"), to=to, because="customers complain")
            return told.replaced if told.restored is not None else None

        replaced = self.disturbed(act, at)
        self.world.store.reachable = True
        if replaced is not None:
            self.world.banished.add(replaced)

    @rule()
    def hold(self) -> None:
        self.world.happened("held", self.versions[-1], because="the pager rang")

    @rule()
    def lift(self) -> None:
        self.by_a_person(kind="lifted")

    @rule(data=st.data())
    def block(self, data: st.DataObject) -> None:
        self.by_a_person(kind="blocked", package=data.draw(st.sampled_from(self.versions)))

    @rule(data=st.data())
    def unblock(self, data: st.DataObject) -> None:
        package = data.draw(st.sampled_from(self.versions))
        if not self.world.outbox:
            self.by_a_person(kind="unblocked", package=package)
            self.world.banished.discard(package)

    def by_a_person(self, **fields: Any) -> None:
        draft = Draft(at=self.world.time, actor="octocat", **fields)
        self.world.hands().ledger.append(lambda _: draft)

    @rule(seconds=st.sampled_from((1.0, 30.0, 90.0, 500.0)))
    def wait(self, seconds: float) -> None:
        self.world.sleep(seconds)

    @rule(seconds=st.integers(-600, 600))
    def jump(self, seconds: int) -> None:
        self.world.time += timedelta(seconds=seconds)

    @rule()
    def proxy_is_asked_by_an_old_run(self) -> None:
        """A deploy that slept since the first event wakes up and routes."""
        old = self.world.hands()
        with contextlib.suppress(Fenced):
            old.target.route({self.versions[0]: 1.0}, fence=1)
            assert self.world.fence <= 1, "somebody newer decided"

    @rule()
    def quiesce(self) -> None:
        """Whoever comes next ends what others left undone."""
        for _ in range(4):
            hands = self.world.hands()
            pay(hands)
            state = self.world.state
            if state.restoring is not None:
                told = restore(hands, to=None, because="ended")
                if told.restored is None:
                    return  # none proves itself: that is said, and stays open
                if told.replaced is not None:
                    self.world.banished.add(told.replaced)
            elif state.rollout is not None:
                roll(hands, state.rollout.package, ROLLOUT)
            else:
                roll(hands, self.versions[-1], ROLLOUT)
                break
        state = self.world.state
        if state.production is not None and state.restoring is None and state.rollout is None:
            assert self.world.shares == {state.production: 1.0}
            assert self.world.started == {state.production}, "what is needed no more is let go"

    @invariant()
    def the_ledger_verifies_and_what_takes_traffic_may(self) -> None:
        state = self.world.state  # reads it, its chain verified
        may = {state.production}
        if state.rollout is not None:
            may |= {state.rollout.package, state.rollout.replaces}
        if state.restoring is not None:
            may |= {state.restoring.package, state.restoring.replaces}
        owed = Draft.model_validate_json(self.world.outbox[-1]) if self.world.outbox else None
        if owed is not None:
            may = {owed.package}
        taking = {one for one, share in self.world.shares.items() if share > 0}
        assert taking <= may or self._tried(taking), f"{taking} takes traffic, {may} may"

    def _tried(self, taking: set[str]) -> bool:
        """A rollback that has not ended may have tried any version that proved itself once, or that a person named."""
        state = self.world.state
        return state.restoring is not None and taking <= {*state.proven, *self.versions[:1], *self.named}

    @invariant()
    def last_known_good_is_not_blocked(self) -> None:
        state = self.world.state
        assert state.last_known_good not in state.blocked

    @precondition(lambda self: self.world.outbox)
    @rule()
    def nothing_is_released_over_what_is_owed(self) -> None:
        before = dict(self.world.shares)
        with contextlib.suppress(CannotJudge):
            roll(self.world.hands(), self.versions[-1], ROLLOUT)
        assert self.world.shares == before


TestInterleavings = Interleavings.TestCase
TestInterleavings.settings = settings(
    max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
