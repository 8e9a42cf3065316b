"""Rollouts in a small world: how they end, who wins, and that a kill at any effect changes nothing of the end."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Sequence
from datetime import timedelta

import pytest

from release_gate.commands.hands import Hands
from release_gate.commands.log import table
from release_gate.commands.outbox import pay
from release_gate.commands.restoring import restore
from release_gate.commands.rolling import Told, roll
from release_gate.counts import Counts
from release_gate.findings import BadInput, CannotJudge
from release_gate.lifecycle.state import State
from release_gate.rollouts import Caddy, Rollout, Target
from release_gate.verdict import Finding, Outcome
from tests.commands.world import Fault, Killed, World

OLD, NEW, NEWER = (f"sha256:{digit * 64}" for digit in "abc")
ROLLOUT = Rollout.model_validate(
    {
        "target": {"caddy": {}},
        "steps": ["5%", "50%"],
        "watch": "60s",
        "bake": "120s",
        "look": "10s",
        "lease": "100s",
        "least_requests": 50,
    }
)


def world(**given: object) -> World:
    """OLD is production and serves; NEW is registered."""
    made = World(**given)  # type: ignore[arg-type]
    made.happened("registered", OLD, serves="after-rollout")
    made.happened("promoted", OLD)
    made.happened("registered", NEW, serves="after-rollout", compared=OLD)
    made.started, made.shares, made.good = {OLD}, {OLD: 1.0}, [OLD]
    return made


def run(made: World, package: str = NEW, **wishes: object) -> Told:
    hands = made.hands()
    pay(hands)
    return roll(hands, package, ROLLOUT, **wishes)  # type: ignore[arg-type]


def codes(told: Told) -> list[str]:
    return [one.code for one in told.findings]


def shares_seen(made: World) -> list[float]:
    seen: list[float] = []
    for _, shares in made.served:
        share = round(shares.get(NEW, 0.0), 3)
        if not seen or seen[-1] != share:
            seen.append(share)
    return seen


def test_the_ledger_tells_on_what_evidence_a_version_went_on_and_was_promoted() -> None:
    made = world()
    run(made)
    events, _ = made.hands().read()
    seen = {one.kind + str(one.step or ""): one.because for one in events if one.package == NEW}
    assert seen["stepping1"] == "", "nothing was seen before"
    for kind in ("stepping2", "stepping3", "promoted"):
        assert re.match(r"watched for \d+ s; errors: the candidate failed 0 of \d", seen[kind]), seen[kind]
    assert "production 0 of" in seen["stepping2"]
    local = table("m", events)
    assert (local.columns[-1], local.rows[-1][-1]) == ("on what evidence", seen["promoted"])
    page = "https://github.com/octo-air/flights/actions/runs/7"
    there = table("m", [*events[:-1], events[-1].model_copy(update={"run": page})])
    assert (there.columns[-1], there.rows[-1][-1], there.rows[0][-1]) == ("run", page, None)


def test_a_good_version_goes_step_by_step_to_all_traffic_and_is_promoted() -> None:
    made = world()
    told = run(made)
    assert (told.outcome, made.state.production, made.state.previous) == (Outcome.PASS, NEW, OLD)
    assert shares_seen(made) == [0.05, 0.5, 1.0]
    assert made.good[0] == NEW
    assert made.started == {NEW}, "the version before is let go after the bake"
    assert made.monotonic() >= 60 + 60 + 120
    assert made.state.owed


def test_a_version_that_fails_users_is_taken_back_blocked_and_releases_are_held() -> None:
    made = world(failing={NEW: 0.3})
    told = run(made)
    assert told.outcome is Outcome.FAIL
    assert codes(told) == ["deploy-taken-back"]
    state = made.state
    assert (state.production, state.rollout) == (OLD, None)
    assert NEW in state.blocked
    assert state.hold is not None
    assert made.shares == {OLD: 1.0}
    assert shares_seen(made) == [0.05, 0.0], "it never got more than its first step"
    assert codes(run(made)) == ["deploy-blocked"]


def test_without_traffic_nothing_is_promoted_and_nothing_is_blocked() -> None:
    made = world(rate=0.0)
    told = run(made)
    assert (told.outcome, codes(told)) == (Outcome.INCONCLUSIVE, ["deploy-given-up"])
    assert made.state.blocked == frozenset()
    assert made.shares == {OLD: 1.0}
    assert codes(run(made)) == ["deploy-given-up-before"]
    made.rate = 100.0
    assert run(made, again=True).outcome is Outcome.PASS


def test_a_version_that_fails_its_smoke_test_gets_no_traffic_at_all() -> None:
    made = world(bad_smoke={NEW})
    told = run(made)
    assert told.outcome is Outcome.FAIL
    assert set(shares_seen(made)) <= {0.0}
    assert NEW in made.state.blocked


def test_a_version_that_does_not_start_is_taken_back() -> None:
    made = world(unstartable={NEW})
    assert run(made).outcome is not Outcome.PASS
    assert made.shares == {OLD: 1.0}


def test_counters_that_can_not_be_read_promote_nothing() -> None:
    made = world()
    hands = made.hands()

    def unreadable(_: object) -> dict[str, object]:
        raise CannotJudge.because("registry-unreachable", "Prometheus does not answer")

    object.__setattr__(hands, "counted", unreadable)
    told = roll(hands, NEW, ROLLOUT)
    assert (told.outcome, made.state.production) == (Outcome.INCONCLUSIVE, OLD)
    assert made.shares == {OLD: 1.0}


def test_a_hold_in_the_middle_stops_the_rollout() -> None:
    made = world()
    done: list[None] = []

    def hold(here: World) -> None:
        if here.shares.get(NEW) == 0.5 and not done:
            done.append(None)
            here.happened("held", NEW, because="the pager rang")

    made.meanwhile = hold
    told = run(made)
    assert (told.outcome, codes(told)) == (Outcome.INCONCLUSIVE, ["deploy-given-up"])
    assert made.shares == {OLD: 1.0}


@pytest.mark.parametrize("share", [0.05, 0.5, 1.0])
def test_a_rollback_in_the_middle_wins_over_the_rollout(share: float) -> None:
    made = world()
    done: list[None] = []

    def meanwhile(here: World) -> None:
        if here.shares.get(NEW) == share and not done:
            done.append(None)
            restore(here.hands("on-call"), to=None, because="customers complain")

    made.meanwhile = meanwhile
    told = run(made)
    assert codes(told)[0] in ("deploy-blocked", "deploy-overtaken", "deploy-held")
    assert (made.state.production, made.shares) == (OLD, {OLD: 1.0})
    assert NEW in made.state.blocked
    assert made.state.hold is not None


def test_an_abandoned_candidate_is_taken_back_by_whoever_comes_next() -> None:
    made = world()
    assert codes(run(made, tick=True)) == ["deploy-under-way"]
    assert made.shares[NEW] == 0.05
    made.time += timedelta(seconds=ROLLOUT.lease + 1)
    told = run(made, tick=True)
    assert codes(told) == ["deploy-given-up"]
    assert made.shares == {OLD: 1.0}


def test_ticks_carry_a_rollout_to_its_end() -> None:
    made = world()
    for _ in range(100):
        if "deploy-promoted" in codes(run(made, tick=True)):
            break
        made.sleep(20)
    assert made.state.production == NEW
    assert shares_seen(made) == [0.05, 0.5, 1.0]


def test_an_older_version_never_deploys_over_a_newer_one() -> None:
    made = world()
    made.happened("registered", NEWER, serves="after-rollout", compared=made.state.production)
    assert run(made, NEWER).outcome is Outcome.PASS
    assert codes(run(made, NEW)) == ["deploy-backwards"]
    assert codes(run(made, OLD)) == ["deploy-backwards"]
    assert made.shares == {NEWER: 1.0}


def test_a_version_judged_against_another_production_is_judged_again_first() -> None:
    made = world()
    made.happened("registered", NEWER, serves="after-rollout", compared=OLD)
    assert run(made, NEW).outcome is Outcome.PASS
    assert codes(run(made, NEWER)) == ["deploy-production-moved"]
    made.happened("registered", NEWER, serves="after-rollout", compared=NEW)
    assert run(made, NEWER).outcome is Outcome.PASS


def test_there_is_never_more_than_one_rollout() -> None:
    made = world()
    made.happened("registered", NEWER, serves="after-rollout", compared=made.state.production)
    run(made, NEW, tick=True)
    assert codes(run(made, NEWER)) == ["deploy-busy"]


def test_abort_takes_back_what_is_under_way_and_blocks_nothing() -> None:
    made = world()
    nothing = run(made, abort="cancelled")
    assert (nothing.outcome, codes(nothing)) == (Outcome.PASS, ["deploy-nothing-under-way"])
    run(made, tick=True)
    aborted = run(made, abort="the run was cancelled")
    assert (aborted.outcome, codes(aborted)) == (Outcome.PASS, ["deploy-given-up"])
    assert (made.shares, made.state.blocked) == ({OLD: 1.0}, frozenset())


def test_a_first_release_takes_all_traffic_and_is_watched() -> None:
    made = World()
    made.happened("registered", NEW, serves="after-rollout")
    assert run(made).outcome is Outcome.PASS
    assert shares_seen(made) == [1.0]
    bad = World(failing={NEW: 0.4})
    bad.happened("registered", NEW, serves="after-rollout")
    told = run(bad)
    assert (told.outcome, codes(told)) == (Outcome.FAIL, ["deploy-taken-back", "deploy-nothing-before"])


# -- whatever happens at whichever effect, who runs it again ends where the undisturbed run ends --


def ends(state: State) -> tuple[object, ...]:
    hold = state.hold is not None
    served = (state.production, state.previous, state.last_known_good)
    return (*served, state.blocked, hold, state.rollout, state.restoring)


CASES = {"good": {}, "harmful": {NEW: 0.3}}
DISTURBED = [(how, after) for how in ("kill", "refuse") for after in (False, True)]


@pytest.mark.parametrize(("how", "after"), DISTURBED, ids=["killed before", "killed after", "refused", "answer lost"])
@pytest.mark.parametrize("case", CASES)
def test_a_fault_at_any_effect_of_a_rollout_changes_nothing_of_its_end(case: str, how: str, *, after: bool) -> None:
    quiet = world(failing=dict(CASES[case]))
    before = quiet.fault.seen
    run(quiet)
    effects = quiet.fault.seen
    assert effects - before > 10
    for at in range(before, effects):
        made = world(failing=dict(CASES[case]))
        made.fault.at, made.fault.how, made.fault.after = at, how, after
        for _ in range(5):
            try:
                run(made)
            except (Killed, CannotJudge):
                made.sleep(1)
            else:
                break
        run(made)  # a duplicate of the job changes nothing
        where = f"{how} {'after' if after else 'before'} effect {at}"
        assert ends(made.state) == ends(quiet.state), where
        assert made.shares == quiet.shares, where
        assert made.good[:1] == quiet.good[:1], where
        assert all(sum(shares.values()) == pytest.approx(1) for _, shares in made.served if shares), where


@pytest.mark.parametrize(("how", "after"), DISTURBED, ids=["killed before", "killed after", "refused", "answer lost"])
@pytest.mark.parametrize("moment", ["idle", "canary"])
def test_a_fault_at_any_effect_of_a_rollback_changes_nothing_of_its_end(moment: str, how: str, *, after: bool) -> None:
    def prepared() -> World:
        made = world()
        run(made, tick=moment == "canary")
        return made

    quiet = prepared()
    before = quiet.fault.seen
    assert restore(quiet.hands(), to=None, because="bad").outcome is Outcome.PASS
    effects = quiet.fault.seen
    assert effects - before >= 4
    for at in range(before, effects):
        made = prepared()
        made.fault.at, made.fault.how, made.fault.after = at, how, after
        for _ in range(5):
            try:
                told = restore(made.hands(), to=None, because="bad")
                pay(made.hands())
            except (Killed, CannotJudge):
                made.sleep(1)
            else:
                if told.restored:
                    break
        restore(made.hands(), to=None, because="pressed twice")
        where = f"{how} {'after' if after else 'before'} effect {at}"
        assert ends(made.state) == ends(quiet.state), where
        assert (made.shares, made.outbox) == (quiet.shares, []), where


def test_without_its_ledger_a_rollback_goes_by_what_the_target_keeps_and_the_event_is_owed() -> None:
    made = world()
    run(made)
    assert made.good == [NEW, OLD]
    made.store.reachable = False
    told = restore(made.hands(), to=None, because="all is down")
    assert (told.outcome, told.restored, made.shares) == (Outcome.PASS, OLD, {OLD: 1.0})
    assert "rollback-unrecorded" in codes(told)  # type: ignore[arg-type]
    made.store.reachable = True
    assert made.state.production == NEW, "the ledger does not know yet"
    told_later = run(made)
    assert codes(told_later) == ["deploy-blocked"], "the event came first"
    assert (made.state.production, made.outbox) == (OLD, [])
    assert NEW in made.state.blocked


def test_a_rollback_pays_first_what_an_earlier_one_owes() -> None:
    made = world()
    run(made)
    made.store.reachable = False
    restore(made.hands(), to=None, because="all is down")
    made.store.reachable = True
    told = restore(made.hands(), to=None, because="pressed again")
    assert (told.outcome, told.restored, made.outbox) == (Outcome.PASS, OLD, [])
    assert (made.state.production, made.state.restoring) == (OLD, None)


def test_a_version_that_fails_its_smoke_test_after_a_rollback_gives_way_to_the_one_before() -> None:
    made = world()
    run(made)
    made.happened("registered", NEWER, serves="after-rollout", compared=made.state.production)
    run(made, NEWER)
    made.bad_smoke = {NEW}
    told = restore(made.hands(), to=None, because="bad")
    assert (told.restored, made.shares, made.state.production) == (OLD, {OLD: 1.0}, OLD)


def test_where_nothing_proves_itself_the_newest_good_version_keeps_the_traffic() -> None:
    made = world()
    run(made)
    made.bad_smoke = {OLD}
    told = restore(made.hands(), to=None, because="bad")
    assert told.restored is None
    assert "rollback-unproven" in [one.code for one in told.findings]
    assert made.shares == {OLD: 1.0}


def test_the_target_of_the_rollout_is_what_is_declared() -> None:
    assert ROLLOUT.target == Target(caddy=Caddy())
    assert Fault().at == -1


# -- what takes the traffic back, what is told of it, and what is remembered --


def stored(made: World) -> str:
    """All that the store holds: events and looks."""
    return b"".join(made.store.content.values()).decode()


def spoilt(made: World, digest: str) -> Hands:
    """Hands that can neither start nor prove a version: what the registry holds of it is not what it was."""

    def start(one: str) -> str:
        if one == digest:
            raise BadInput.because("package-corrupt", f"{one} is not what its digest says")
        return made.start(one)

    def proven(one: str, url: str, answering: Collection[str]) -> Sequence[Finding]:
        start(one)
        return made.proven(one, url, answering)

    return dataclasses.replace(made.hands(), start=start, proven=proven)


@pytest.mark.parametrize("knows", [True, False], ids=["asked whether it answers", "can't say"])
def test_a_version_that_can_not_be_proven_takes_its_traffic_back_all_the_same(
    monkeypatch: pytest.MonkeyPatch, *, knows: bool
) -> None:
    made = world(failing={NEW: 0.3})
    if not knows:
        monkeypatch.setattr(made, "answers", lambda _: False)
    assert codes(run(made, tick=True)) == ["deploy-under-way"]
    told = roll(spoilt(made, OLD), NEW, ROLLOUT)
    assert (told.outcome, codes(told)) == (Outcome.FAIL, ["package-corrupt", "deploy-taken-back"])
    assert (made.shares, made.state.rollout) == ({OLD: 1.0}, None)
    assert NEW in made.state.blocked


def test_what_answers_takes_the_traffic_back_before_it_is_proven(monkeypatch: pytest.MonkeyPatch) -> None:
    made, seen = world(failing={NEW: 0.3}), list[dict[str, float]]()
    run(made, tick=True)

    def start(digest: str) -> str:
        if digest == OLD:
            seen.append(dict(made.shares))
        return World.start(made, digest)

    monkeypatch.setattr(made, "start", start)
    assert run(made).outcome is Outcome.FAIL
    assert seen == [{OLD: 1.0}]


@pytest.mark.parametrize("comes_up", [True, False])
def test_what_has_died_is_started_before_it_takes_the_traffic_back(*, comes_up: bool) -> None:
    made = world(failing={NEW: 0.3})
    done: list[None] = []

    def dies(here: World) -> None:
        if here.shares.get(NEW) and not done:
            done.append(None)
            here.started.discard(OLD)
            here.unstartable = set() if comes_up else {OLD}

    made.meanwhile = dies
    if comes_up:
        assert run(made).outcome is Outcome.FAIL
        assert (made.shares, made.started) == ({OLD: 1.0}, {OLD})
        return
    with pytest.raises(CannotJudge, match="does not start"):
        run(made)
    assert made.shares == {NEW: 0.05, OLD: 0.95}, "what is down gets no more of the traffic than it had"


def test_production_during_a_rollback_is_not_known_to_be_good() -> None:
    made = world()
    run(made)
    made.good = [OLD]
    made.happened("rolling-back", OLD, replaces=NEW)
    told = run(made)
    assert (told.outcome, codes(told)) == (Outcome.INCONCLUSIVE, ["deploy-overtaken"])
    assert made.good == [OLD]


@pytest.mark.parametrize("kinds", [["rolling-back"], ["rolling-back", "rolled-back"]])
def test_a_rollback_right_after_the_promotion_is_told_instead_of_it(kinds: list[str]) -> None:
    made = world()
    put = made.store.put_new

    def putting(key: str, content: bytes) -> bool:
        written = put(key, content)
        if b'"promoted"' in content:
            for kind in kinds:
                made.happened(kind, OLD, replaces=NEW, blocks=True if kind == "rolled-back" else None)
        return written

    made.store.put_new = putting  # type: ignore[method-assign]
    told = run(made)
    assert (told.outcome, codes(told)) == (Outcome.INCONCLUSIVE, ["deploy-promoted", "deploy-overtaken"])
    assert made.good == [OLD]


def test_what_is_blocked_does_not_stay_among_the_good_versions_that_the_target_keeps() -> None:
    made = world()
    run(made)
    assert made.good == [NEW, OLD]
    made.happened("blocked", OLD)
    assert codes(run(made)) == ["deploy-serves"]
    assert made.good == [NEW]
    made.happened("blocked", NEW)
    made.good = [NEWER, "another", "a third"]
    assert codes(run(made)) == ["deploy-serves"]
    assert made.good == [NEWER, "another", "a third"], "it takes no other's place either"


def test_what_a_server_printed_stays_out_of_the_ledger_and_in_the_verdict() -> None:
    made = world()
    hands = made.hands()

    def start(digest: str) -> str:
        if digest == NEW:
            raise CannotJudge.because("serve-died", f"{digest} ended before it answered\npassword=hunter2")
        return made.start(digest)

    told = roll(dataclasses.replace(hands, start=start), NEW, ROLLOUT)
    assert "hunter2" in told.findings[0].message
    assert f"{NEW} ended before it answered" in told.findings[-1].message
    assert "ended before it answered" in stored(made)
    assert "hunter2" not in stored(made)


def test_what_a_source_printed_stays_out_of_the_looks_and_the_ledger() -> None:
    made = world()

    def counted(_: object) -> dict[str, Counts]:
        raise CannotJudge.because("source-command-failed", "it ended with status 1\npassword=hunter2")

    told = roll(dataclasses.replace(made.hands(), counted=counted), NEW, ROLLOUT)
    assert "it ended with status 1" in told.findings[-1].message
    assert "it ended with status 1" in stored(made)
    assert "hunter2" not in stored(made)


def test_what_is_found_twice_while_the_ledger_is_away_is_told_once() -> None:
    made = world(bad_smoke={NEW})
    put, failed = made.store.put_new, list[str]()

    def putting(key: str, content: bytes) -> bool:
        if b'"taking-back"' in content and not failed:
            failed.append(key)
            raise CannotJudge.because("registry-unreachable", "the store does not answer")
        return put(key, content)

    made.store.put_new = putting  # type: ignore[method-assign]
    told = run(made)
    assert failed
    assert codes(told) == ["smoke-status", "deploy-taken-back"]
