"""The fold against a plain reading of the history, and a machine that writes histories in the ledger itself."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from release_gate.lifecycle.events import KINDS, Draft, Event, Schedule, Stage
from release_gate.lifecycle.state import State, fold
from release_gate.registry.ledger import Ledger
from release_gate.registry.stores.folder import FolderStore

PACKAGES = [f"sha256:{number:064x}" for number in range(4)]
AT = datetime(2026, 1, 1, tzinfo=UTC)
SCHEDULE = Schedule(stages=(Stage(share=0.5, seconds=60.0), Stage(share=1.0, seconds=60.0)), lease=60.0)


def events(*kinds: tuple[str, int | None]) -> list[Event]:
    return [
        Event(
            sequence=number,
            at=AT,
            actor="octocat",
            kind=kind.partition("/")[0],
            package=None if package is None else PACKAGES[package],
            serves="on-registration" if kind.endswith("/serves") else None,
            because="why",
            schedule=SCHEDULE if kind == "deployed" else None,
        )
        for number, (kind, package) in enumerate(kinds, start=1)
    ]


def test_nothing_has_happened() -> None:
    assert fold([]) == State()


def test_without_a_rollout_registering_makes_production_and_keeps_the_one_before() -> None:
    state = fold(events(("registered/serves", 0), ("registered/serves", 1)))
    assert (state.production, state.previous) == (PACKAGES[1], PACKAGES[0])
    assert state.last_known_good is None, "nothing proved itself"


def test_published_again_without_a_rollout_an_older_package_is_production_but_not_known_good() -> None:
    state = fold(events(("registered/serves", 0), ("registered/serves", 1), ("promoted/serves", 0)))
    assert (state.production, state.previous, state.last_known_good) == (PACKAGES[0], PACKAGES[1], None)
    baked = fold(events(("promoted", 0), ("registered/serves", 1), ("promoted/serves", 0)))
    assert (baked.production, baked.last_known_good) == (PACKAGES[0], PACKAGES[0])


def test_with_a_rollout_only_promotion_makes_production() -> None:
    state = fold(events(("registered", 0), ("deployed", 0)))
    assert state.production is None
    assert state.rollout is not None
    assert state.rollout.package == PACKAGES[0]
    state = fold(events(("registered", 0), ("deployed", 0), ("promoted", 0)))
    assert (state.production, state.last_known_good, state.rollout) == (PACKAGES[0], PACKAGES[0], None)


def test_a_rollback_restores_blocks_and_holds() -> None:
    history = events(("promoted", 0), ("promoted", 1), ("rolled-back", 0), ("blocked", 1), ("held", None))
    state = fold(history)
    assert (state.production, state.previous, state.last_known_good) == (PACKAGES[0], PACKAGES[1], PACKAGES[0])
    assert state.blocked == {PACKAGES[1]}
    assert state.hold is not None
    assert state.hold.because == "why"
    assert fold([*history, *events(("lifted", None), ("unblocked", 1))]).blocked == frozenset()


def test_a_blocked_package_is_not_known_good_and_is_again_when_unblocked() -> None:
    history = events(("promoted", 0), ("promoted", 1), ("blocked", 1))
    assert fold(history).last_known_good == PACKAGES[0]
    assert fold([*history, *events(("unblocked", 1))]).last_known_good == PACKAGES[1]


def test_owed_effects_are_those_of_the_last_event_that_speaks_of_them() -> None:
    first, second, third = events(("promoted", 0), ("judged", 0), ("judged", 0))
    owing = first.model_copy(update={"owed": ("comment",)})
    assert fold([owing, second]).owed == ("comment",)
    assert fold([owing, second, third.model_copy(update={"owed": ()})]).owed == ()


def test_an_event_of_a_newer_version_changes_nothing() -> None:
    before = fold(events(("promoted", 0)))
    assert fold(events(("promoted", 0), ("teleported", 1))) == before.model_copy(update={"sequence": 2})


def naive_production(history: Sequence[Event]) -> list[str]:
    """Every package that served, in order, the same one in a row once."""
    served: list[str] = []
    for event in history:
        takes_over = event.kind in ("promoted", "rolled-back") or event.serves == "on-registration"
        if takes_over and event.package and served[-1:] != [event.package]:
            served.append(event.package)
    return served


def naive_good(history: Sequence[Event]) -> str | None:
    """Walk back through the proofs until a package is found that is not blocked now."""
    blocked = {
        one
        for one in PACKAGES
        for last in [[e.kind for e in history if e.package == one and e.kind in ("blocked", "unblocked")][-1:]]
        if last == ["blocked"]
    }
    proofs = [event.package for event in history if event.kind in ("promoted", "rolled-back") and event.serves is None]
    return next((one for one in reversed(proofs) if one and one not in blocked), None)


KIND = st.sampled_from([*KINDS, "registered/serves", "promoted/serves"])
HISTORY = st.lists(st.tuples(KIND, st.sampled_from([0, 1, 2, 3])), max_size=25)


@given(HISTORY)
def test_the_fold_agrees_with_a_plain_reading_of_the_history(kinds: list[tuple[str, int | None]]) -> None:
    history = events(*kinds)
    state, served = fold(history), naive_production(history)
    assert state.production == (served[-1] if served else None)
    assert state.previous == (served[-2] if len(served) > 1 else None)
    assert state.last_known_good == naive_good(history)
    assert set(state.registered) == {event.package for event in history if event.kind == "registered"}


class Histories(RuleBasedStateMachine):
    """Writers on one ledger: what was read before stays, what is appended comes last, the state follows."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        store = FolderStore(Path(self.folder.name))
        self.writers = [Ledger(store, "m"), Ledger(store, "m")]
        self.model: list[tuple[str, str]] = []

    def teardown(self) -> None:
        self.folder.cleanup()

    @rule(
        writer=st.sampled_from([0, 1]),
        kind=st.sampled_from(["registered", "promoted", "blocked"]),
        package=st.sampled_from(PACKAGES),
    )
    def append(self, writer: int, kind: str, package: str) -> None:
        draft = Draft(at=AT, actor="octocat", kind=kind, package=package)
        event, before = self.writers[writer].append(lambda _: draft)
        assert event is not None
        assert [(one.kind, one.package) for one in before] == self.model
        self.model.append((kind, package))

    @rule(writer=st.sampled_from([0, 1]))
    def decide_not_to(self, writer: int) -> None:
        assert self.writers[writer].append(lambda _: None)[0] is None

    @invariant()
    def the_history_is_what_was_written(self) -> None:
        history = self.writers[0].read()
        assert [(one.kind, one.package) for one in history] == self.model
        assert fold(history).last_known_good == naive_good(history)


Histories.TestCase.settings = settings(max_examples=20, stateful_step_count=15, deadline=None)
TestHistories = Histories.TestCase
