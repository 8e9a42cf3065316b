"""Rollbacks in a small world: without the ledger, pressed twice, at once, against versions that can't be checked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

import pytest

from release_gate.commands.hands import Hands
from release_gate.commands.outbox import pay
from release_gate.commands.restoring import give_back, restore
from release_gate.findings import CannotJudge
from release_gate.verdict import Finding, Outcome
from tests.commands.test_rolling import NEW, NEWER, OLD, codes, run, world
from tests.commands.world import Killed, World


def three() -> World:
    """OLD, NEW and NEWER were promoted, one after the other."""
    made = world()
    run(made)
    made.happened("registered", NEWER, serves="after-rollout", compared=made.state.production)
    run(made, NEWER)
    assert made.good == [NEWER, NEW, OLD]
    return made


@pytest.mark.parametrize("first", ["killed", "complete"])
def test_pressed_again_without_the_ledger_it_goes_no_further_and_never_forward(first: str) -> None:
    made = three()
    if first == "killed":
        made.fault.at, made.fault.how, made.fault.after = made.fault.seen + 3, "kill", True
        with pytest.raises(Killed):
            restore(made.hands(), to=None, because="bad")
        assert made.shares == {NEW: 1.0}, "the traffic went back, and nothing more"
    else:
        restore(made.hands(), to=None, because="bad")
    made.store.reachable = False
    told = restore(made.hands(), to=None, because="pressed again")
    assert (told.outcome, told.restored, made.shares) == (Outcome.PASS, NEW, {NEW: 1.0})
    made.store.reachable = True
    pay(made.hands())
    assert made.state.production == NEW
    assert made.state.blocked == {NEWER}


def test_a_version_named_without_the_ledger_blocks_what_had_the_traffic() -> None:
    made = three()
    made.store.reachable = False
    told = restore(made.hands(), to=NEW, because="bad")
    assert (told.restored, told.replaced) == (NEW, NEWER)
    made.store.reachable = True
    assert codes(run(made, NEWER)) == ["deploy-blocked"]
    assert made.shares == {NEW: 1.0}


def test_named_after_a_rollback_that_was_never_proven_the_first_one_stays_at_fault() -> None:
    made = three()
    made.bad_smoke = {NEW, OLD}
    assert restore(made.hands(), to=None, because="bad").restored is None
    made.bad_smoke = set()
    made.store.reachable = False
    told = restore(made.hands(), to=OLD, because="then that one")
    assert (told.restored, told.replaced) == (OLD, NEWER)


def meanwhile(made: World, hands: Hands, act: Callable[[], object]) -> Hands:
    """The hands of a run during whose smoke test somebody acts."""

    def proven(digest: str, url: str, answering: Collection[str]) -> Sequence[Finding]:
        act()
        return made.proven(digest, url, answering)

    return replace(hands, proven=proven)


def test_a_rollback_is_not_stopped_by_the_end_of_an_older_one() -> None:
    made = three()
    older = restore(meanwhile(made, made.hands(), lambda: began(made, OLD)), to=None, because="first")
    assert [one.code for one in older.findings] == ["rollback-overtaken"]
    assert made.state.restoring is not None
    assert made.state.restoring.package == OLD, "the newer decision stands, and nothing was recorded over it"


def began(made: World, package: str) -> None:
    if made.state.restoring is None or made.state.restoring.package != package:
        made.happened("rolling-back", package, replaces=NEWER)


def test_an_older_rollback_that_ends_later_changes_nothing_of_a_newer_one() -> None:
    made = three()

    def newer() -> None:
        assert restore(made.hands("on-call"), to=OLD, because="further").outcome is Outcome.PASS

    older = restore(meanwhile(made, made.hands(), newer), to=None, because="first")
    assert (older.outcome, older.restored) == (Outcome.INCONCLUSIVE, None)
    assert (made.state.production, made.shares, made.state.restoring) == (OLD, {OLD: 1.0}, None)


def test_two_who_press_at_once_restore_the_same_version_and_both_are_told_so() -> None:
    made = three()
    twice: list[Outcome] = []

    def newer() -> None:
        if not twice:
            twice.append(Outcome.ERROR)
            twice[0] = restore(made.hands("on-call"), to=None, because="me too").outcome

    older = restore(meanwhile(made, made.hands(), newer), to=None, because="first")
    assert [older.outcome, *twice] == [Outcome.PASS, Outcome.PASS]
    assert (made.state.production, made.shares) == (NEW, {NEW: 1.0})
    assert made.state.blocked == {NEWER}


def test_what_runs_takes_the_traffic_before_its_package_is_proven_and_though_it_can_not_be() -> None:
    made = world()
    run(made, tick=True)
    assert made.shares == {OLD: 0.95, NEW: 0.05}
    seen: list[dict[str, float]] = []

    def start(_: str) -> str:
        seen.append(dict(made.shares))
        raise CannotJudge.because("environment-failed", "no package index answers")

    told = restore(replace(made.hands(), start=start), to=None, because="bad")
    assert (told.outcome, told.restored, made.shares) == (Outcome.PASS, OLD, {OLD: 1.0})
    assert seen[0] == {OLD: 1.0}
    assert "rollback-unchecked" in [one.code for one in told.findings]


def test_what_a_person_blocked_is_no_version_to_fall_back_on() -> None:
    made = three()
    made.happened("blocked", OLD)
    restore(made.hands(), to=None, because="bad")
    assert made.good == [NEW]


def test_words_that_are_no_unicode_stop_no_rollback() -> None:
    made = three()
    told = restore(made.hands("h\udce9l\udce8ne" + "e" * 300), to=None, because="caf\udce9")
    assert told.outcome is Outcome.PASS
    events, _ = made.hands().read()
    assert (events[-1].because, events[-1].actor[:5]) == ("caf?", "h?l?n")


def test_a_rollout_that_nobody_can_record_is_given_back_by_what_the_target_shows() -> None:
    made = world()
    run(made, tick=True)
    made.store.reachable = False
    told = give_back(made.hands(), "the job ended")
    assert told is not None
    assert (told.outcome, told.restored, made.shares) == (Outcome.PASS, OLD, {OLD: 1.0})
    made.store.reachable = True
    pay(made.hands())
    state = made.state
    assert (state.production, state.rollout, state.hold) == (OLD, None, None)
    assert state.blocked == set()
    assert state.given_up == {NEW}
    assert give_back(made.hands(), "nothing is under way") is None


def test_every_rollback_without_the_ledger_is_owed_and_paid_in_its_order() -> None:
    made = three()
    made.store.reachable = False
    restore(made.hands(), to=None, because="first")
    restore(made.hands(), to=OLD, because="second")
    assert len(made.outbox) == 2
    made.store.reachable = True
    pay(made.hands())
    events, state = made.hands().read()
    assert [(one.because, one.package) for one in events[-2:]] == [("first", NEW), ("second", OLD)]
    assert (state.production, made.outbox) == (OLD, [])
    assert NEWER in state.blocked


def test_what_another_rollback_came_to_owe_is_not_paid_with_ours() -> None:
    made = world()
    made.restore(OLD, owes="first")
    made.restore(OLD, owes="second")
    made.paid("first", 3)
    assert made.outbox == ["second"]


def test_a_ledger_that_lost_its_last_events_is_not_believed_and_not_written() -> None:
    made = three()
    made.fence = 10_000
    before, _ = made.hands().read()
    told = restore(made.hands(), to=None, because="bad")
    assert (told.outcome, told.restored, made.shares) == (Outcome.PASS, NEW, {NEW: 1.0})
    assert "the target obeys event 10000" in next(one.message for one in told.findings)
    assert made.hands().read()[0] == before, "what comes back from a copy must find its place free"
    with pytest.raises(CannotJudge, match="later events are gone"):
        pay(made.hands())
    made.fence = 0
    pay(made.hands())
    assert (made.state.production, made.outbox) == (NEW, [])


def test_an_entry_of_the_outbox_that_nobody_understands_stops_no_rollback() -> None:
    made = three()
    made.outbox = ["what is this"]
    told = restore(made.hands(), to=None, because="bad")
    assert (told.outcome, made.shares) == (Outcome.PASS, {NEW: 1.0})
    assert made.outbox == ["what is this"], "it is left for a person, and what this rollback owed is paid"
    assert "outbox-broken" in [one.code for one in told.findings]


@pytest.mark.parametrize("reachable", [True, False])
def test_where_nothing_is_older_what_serves_is_started_again_and_proven(*, reachable: bool) -> None:
    made = world()
    made.started.clear()
    made.store.reachable = reachable
    told = restore(made.hands(), to=None, because="it is down")
    assert (told.outcome, told.restored, made.started, made.shares) == (Outcome.INCONCLUSIVE, None, {OLD}, {OLD: 1.0})
    assert [one.code for one in told.findings][-2:] == ["rollback-nothing", "rollback-stays"]
    made.store.reachable = True
    assert (made.state.production, made.state.restoring, made.outbox) == (OLD, None, [])
    made.bad_smoke = {OLD}
    assert restore(made.hands(), to=None, because="still").outcome is Outcome.ERROR
