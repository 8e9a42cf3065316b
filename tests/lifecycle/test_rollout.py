"""The plan of a rollout over random histories, moments and looks: what it never does, and what it does at each turn."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.lifecycle.events import Event, Schedule, Stage
from release_gate.lifecycle.rollout import (
    Action,
    Begin,
    Ended,
    Promote,
    Standing,
    Step,
    TakeBack,
    Watch,
    Watched,
    next_action,
    schedule_of,
)
from release_gate.lifecycle.state import State, fold
from release_gate.rollouts import Rollout
from tests.lifecycle.histories import AT, PACKAGES, SCHEDULE

STANDINGS: tuple[Standing, ...] = ("watching", "passed", "harmful", "starved", "blind")
KINDS = (
    "registered", "deployed", "stepping", "stepped", "promoted", "taking-back", "taken-back", "rolling-back",
    "rolled-back", "blocked", "unblocked", "held", "lifted", "settled",
)  # fmt: skip
UNWATCHED = SCHEDULE.model_copy(update={"watched": False})
ROLLOUT = Rollout.model_validate({"target": {"caddy": {}}, "watch": "60s", "bake": "60s", "look": "10s"})


@st.composite
def _event(draw: st.DrawFn, number: int, after: datetime) -> Event:
    kind = draw(st.sampled_from(KINDS))
    package = draw(st.sampled_from(PACKAGES))
    step = draw(st.integers(1, len(SCHEDULE.stages)))
    return Event(
        sequence=number,
        # Clocks of several machines: time may jump back between two events.
        at=after + timedelta(seconds=draw(st.integers(-100, 100))),
        actor="octo-air",
        kind=kind,
        package=package,
        serves=draw(st.sampled_from(("after-rollout", None))) if kind == "registered" else None,
        compared=draw(st.sampled_from((*PACKAGES, None))) if kind == "registered" else None,
        schedule=draw(st.sampled_from((SCHEDULE, UNWATCHED))) if kind == "deployed" else None,
        step=step if kind in ("stepping", "stepped") else None,
        share=SCHEDULE.stages[step - 1].share if kind in ("stepping", "stepped") else None,
        replaces=draw(st.sampled_from((*PACKAGES, None))) if kind.startswith("roll") else None,
        blocks=draw(st.booleans()) if kind in ("taking-back", "taken-back", "rolled-back") else None,
    )


@st.composite
def states(draw: st.DrawFn) -> State:
    """The state after any history, sensible or not."""
    events: list[Event] = []
    for number in range(draw(st.integers(0, 14))):
        events.append(draw(_event(number + 1, events[-1].at if events else AT)))
    return fold(events)


@st.composite
def under_way(draw: st.DrawFn) -> State:
    """A rollout of the second package over the first, at any step and phase, and whatever came between."""
    kinds: list[dict[str, Any]] = [
        {"kind": "registered", "package": PACKAGES[0]},
        {"kind": "promoted", "package": PACKAGES[0]},
        {"kind": "registered", "package": PACKAGES[1], "serves": "after-rollout", "compared": PACKAGES[0]},
        {"kind": "deployed", "package": PACKAGES[1], "schedule": draw(st.sampled_from((SCHEDULE, UNWATCHED)))},
    ]
    for step in range(1, draw(st.integers(0, len(SCHEDULE.stages))) + 1):
        kinds += [{"kind": kind, "package": PACKAGES[1], "step": step} for kind in ("stepping", "stepped")]
    if draw(st.booleans()) and kinds[-1]["kind"] == "stepped":
        kinds.pop()
    kinds += draw(
        st.lists(
            st.sampled_from(
                [
                    {"kind": "held", "package": PACKAGES[1]},
                    {"kind": "lifted"},
                    {"kind": "blocked", "package": PACKAGES[1]},
                    {"kind": "unblocked", "package": PACKAGES[1]},
                    {"kind": "registered", "package": PACKAGES[2], "serves": "after-rollout"},
                    {"kind": "rolling-back", "package": PACKAGES[0], "replaces": PACKAGES[1]},
                    {"kind": "registered", "package": PACKAGES[3], "serves": "on-registration"},
                    {"kind": "taking-back", "package": PACKAGES[1], "blocks": True, "because": "harm"},
                ]
            ),
            max_size=3,
        )
    )
    return fold(
        Event(sequence=number, at=AT + timedelta(seconds=number), actor="octo-air", **fields)
        for number, fields in enumerate(kinds, 1)
    )


moments = st.integers(-(10**6), 10**6).map(lambda seconds: AT + timedelta(seconds=seconds))
looks = st.none() | st.builds(Watched, st.sampled_from(STANDINGS), st.just("because"), st.none() | moments)
wishes = st.fixed_dictionaries({"behind": st.booleans(), "again": st.booleans(), "abort": st.none() | st.just("why")})
any_state = states() | under_way()


def planned(state: State, package: str, now: datetime, watched: Watched | None, wish: dict[str, Any]) -> Action:
    return next_action(state, package, ROLLOUT, now=now, watched=watched, **wish)


@given(any_state, st.sampled_from(PACKAGES), moments, looks, wishes)
def test_there_is_never_more_than_one_rollout(
    state: State, package: str, now: datetime, watched: Watched | None, wish: dict[str, Any]
) -> None:
    action = planned(state, package, now, watched, wish)
    if isinstance(action, Begin):
        assert state.rollout is None
        assert package in state.registered
    elif not isinstance(action, Ended):
        assert state.rollout is not None
        assert state.rollout.package == package


@given(any_state, st.sampled_from(PACKAGES), moments, looks, wishes)
def test_no_share_grows_and_nothing_is_promoted_against_a_hold_a_block_a_rollback_or_an_abort(
    state: State, package: str, now: datetime, watched: Watched | None, wish: dict[str, Any]
) -> None:
    action = planned(state, package, now, watched, wish)
    if isinstance(action, Begin | Step | Promote | Watch):
        assert state.restoring is None
        assert state.hold is None
        assert package not in state.blocked
        assert wish["abort"] is None
    if isinstance(action, Step | Promote | Watch):
        assert state.rollout is not None
        assert state.rollout.phase != "taking-back"
        assert state.production == state.rollout.replaces, "it was compared with what serves"
    if isinstance(action, Begin):
        assert not wish["behind"]
        assert package not in state.given_up or wish["again"]
    if state.restoring is not None:
        # One that was left for longer than the lease keeps nobody from taking the candidate back.
        assert isinstance(action, Ended | TakeBack)
        assert isinstance(action, TakeBack) or action.finding.code == "deploy-overtaken"


@given(any_state, st.sampled_from(PACKAGES), moments, looks, wishes)
def test_nothing_goes_on_unwatched(
    state: State, package: str, now: datetime, watched: Watched | None, wish: dict[str, Any]
) -> None:
    action, going = planned(state, package, now, watched, wish), state.rollout
    if isinstance(action, Promote):
        assert going is not None
        assert going.phase == "stepped"
        if going.schedule.watched:
            assert watched is not None
            assert watched.standing == "passed"
            assert going.step == len(going.schedule.stages)
    if isinstance(action, Step):
        assert going is not None
        assert action.share == going.schedule.stages[action.step - 1].share
        if action.step > going.step + (going.phase == "deployed"):
            assert (action.step, going.phase) == (going.step + 1, "stepped")
            assert watched is not None
            assert watched.standing == "passed"


@given(under_way(), moments, looks)
def test_a_clock_that_jumps_never_promotes_early_and_never_widens_a_step(
    state: State, now: datetime, watched: Watched | None
) -> None:
    """However late or early it is: without the looks that passed, time alone leads nowhere but back."""
    if watched is not None and watched.standing == "passed":
        watched = Watched("watching", last_look=watched.last_look)
    going = state.rollout
    action = next_action(state, PACKAGES[1], ROLLOUT, now=now, watched=watched)
    if going is not None and going.schedule.watched:
        assert not isinstance(action, Promote)
        assert not isinstance(action, Step) or action.step <= max(1, going.step)


@given(under_way(), st.integers(1, 10**6))
def test_nobody_who_looked_for_longer_than_the_lease_means_it_is_taken_back(state: State, late: int) -> None:
    going = state.rollout
    if going is None or state.restoring is not None or not going.schedule.watched:
        return
    now = going.since + timedelta(seconds=going.schedule.lease + late)
    for watched in (None, Watched("passed"), Watched("watching", last_look=going.since)):
        assert isinstance(next_action(state, PACKAGES[1], ROLLOUT, now=now, watched=watched), TakeBack)
    fresh = next_action(state, PACKAGES[1], ROLLOUT, now=now, watched=Watched("watching", last_look=now))
    assert isinstance(fresh, TakeBack) == (going.phase == "taking-back" or _stopped_otherwise(state))


def _stopped_otherwise(state: State) -> bool:
    going = state.rollout
    assert going is not None
    return going.package in state.blocked or state.hold is not None or state.production != going.replaces


@given(any_state, st.sampled_from(PACKAGES), moments, looks, wishes)
def test_it_is_a_plan_and_says_the_same_twice(
    state: State, package: str, now: datetime, watched: Watched | None, wish: dict[str, Any]
) -> None:
    assert planned(state, package, now, watched, wish) == planned(state, package, now, watched, wish)


def test_every_action_done_twice_leads_where_it_leads_once() -> None:
    """Resumed after a kill between an effect and its record, the plan asks for that same effect again."""
    events: list[Event] = []

    def happened(kind: str, **fields: Any) -> State:
        at = AT + timedelta(seconds=len(events))
        events.append(Event(sequence=len(events) + 1, at=at, actor="octo-air", kind=kind, **fields))
        return fold(events)

    happened("registered", package=PACKAGES[0])
    happened("promoted", package=PACKAGES[0])
    state = happened("registered", package=PACKAGES[1], serves="after-rollout", compared=PACKAGES[0])
    now, asked = AT, []
    for _ in range(12):
        watched = Watched("passed", last_look=now) if state.rollout and state.rollout.phase == "stepped" else None
        action = next_action(state, PACKAGES[1], ROLLOUT, now=now, watched=watched)
        asked.append(type(action).__name__)
        if isinstance(action, Begin):
            state = happened("deployed", package=PACKAGES[1], schedule=action.schedule)
        elif isinstance(action, Step):
            state = happened("stepping", package=PACKAGES[1], step=action.step, share=action.share)
            assert next_action(state, PACKAGES[1], ROLLOUT, now=now) == action, "killed after the intent"
            state = happened("stepped", package=PACKAGES[1], step=action.step, share=action.share)
        elif isinstance(action, Promote):
            state = happened("promoted", package=PACKAGES[1])
    assert asked == ["Begin", "Step", "Step", "Step", "Promote", *["Ended"] * 7]
    state = fold(
        [*events[:6], Event(sequence=7, at=AT, actor="a", kind="taking-back", package=PACKAGES[1], because="x")]
    )
    back = next_action(state, PACKAGES[1], ROLLOUT, now=now, watched=Watched("passed"))
    assert back == TakeBack("x", blocks=False), "killed after the intent it is taken back, whatever the looks say now"


def base(*more: dict[str, Any]) -> State:
    kinds = [
        {"kind": "registered", "package": PACKAGES[0]},
        {"kind": "promoted", "package": PACKAGES[0]},
        {"kind": "registered", "package": PACKAGES[1], "serves": "after-rollout", "compared": PACKAGES[0]},
        *more,
    ]
    return fold(
        Event(sequence=number, at=AT + timedelta(seconds=number), actor="octo-air", **fields)
        for number, fields in enumerate(kinds, 1)
    )


DEPLOYED: dict[str, Any] = {"kind": "deployed", "package": PACKAGES[1], "schedule": SCHEDULE}


@pytest.mark.parametrize(
    ("state", "wish", "code", "says"),
    [
        (base({"kind": "blocked", "package": PACKAGES[1]}), {}, "deploy-blocked", "is blocked"),
        (base({"kind": "held", "because": "the pager rang"}), {}, "deploy-held", "by octo-air, the pager rang"),
        (base({"kind": "held"}), {}, "deploy-held", "no reason given"),
        (base(), {"behind": True}, "deploy-backwards", "is older than production"),
        (base({"kind": "promoted", "package": PACKAGES[1]}), {}, "deploy-serves", "is production already"),
        (base(DEPLOYED, {"kind": "taken-back", "package": PACKAGES[1]}), {}, "deploy-given-up-before", "given up"),
        (
            base({"kind": "rolled-back", "package": PACKAGES[2]}),
            {},
            "deploy-production-moved",
            f"was judged against {PACKAGES[0]}; production is now {PACKAGES[2]}",
        ),
        (base(DEPLOYED), {"package": PACKAGES[0]}, "deploy-busy", "is being rolled out since 2026-01-01 00:00Z"),
        (base(DEPLOYED), {"package": PACKAGES[0], "abort": "x"}, "deploy-nothing-under-way", "nothing was changed"),
        (base(), {"abort": "x"}, "deploy-nothing-under-way", "nothing was changed"),
        (base(), {"package": PACKAGES[3]}, "deploy-unregistered", "was never registered"),
    ],
)
def test_each_reason_that_nothing_begins_is_said(state: State, wish: dict[str, Any], code: str, says: str) -> None:
    package = wish.pop("package", PACKAGES[1])
    action = next_action(state, package, ROLLOUT, now=AT, **wish)
    assert isinstance(action, Ended)
    assert action.finding.code == code
    assert says in action.finding.message


@pytest.mark.parametrize(
    ("more", "because"),
    [
        ({"kind": "blocked", "package": PACKAGES[1]}, "it was blocked meanwhile"),
        ({"kind": "held", "because": "the pager rang"}, "by octo-air, the pager rang"),
        ({"kind": "promoted", "package": PACKAGES[2]}, None),
        ({"kind": "registered", "package": PACKAGES[2], "serves": "on-registration"}, f"meanwhile to {PACKAGES[2]}"),
    ],
)
def test_what_comes_between_takes_it_back_and_blocks_nothing(more: dict[str, Any], because: str | None) -> None:
    state = base(DEPLOYED, {"kind": "stepping", "package": PACKAGES[1], "step": 1}, more)
    action = next_action(state, PACKAGES[1], ROLLOUT, now=AT)
    if because is None:
        assert isinstance(action, Ended), "another version was promoted: the rollout ended with that event"
        return
    assert isinstance(action, TakeBack)
    assert because in action.because
    assert not action.blocks


@pytest.mark.parametrize(("standing", "blocks"), [("harmful", True), ("starved", False), ("blind", False)])
def test_only_harm_blocks(standing: Standing, blocks: bool) -> None:
    state = base(DEPLOYED, {"kind": "stepped", "package": PACKAGES[1], "step": 1})
    action = next_action(state, PACKAGES[1], ROLLOUT, now=AT, watched=Watched(standing, "why"))
    assert action == TakeBack("why", blocks)


def test_a_table_goes_in_one_step_that_nobody_watches() -> None:
    tables = {"batch": {"data": "d", "tables": "t", "pointer": "p.json"}}
    schedule = schedule_of(Rollout.model_validate({"target": tables, "lease": "1h"}), first=False)
    assert schedule == Schedule(stages=(Stage(share=1.0, seconds=0.0),), lease=3600.0, watched=False)
    deployed = {**DEPLOYED, "schedule": schedule}
    stepping = {"kind": "stepping", "package": PACKAGES[1], "step": 1}
    late = AT + timedelta(days=1)
    assert next_action(base(deployed, stepping), PACKAGES[1], ROLLOUT, now=late) == Step(1, 1.0)
    stepped = {**stepping, "kind": "stepped"}
    assert next_action(base(deployed, stepped), PACKAGES[1], ROLLOUT, now=late) == Promote()


def test_a_first_release_is_watched_under_all_traffic() -> None:
    assert [stage.share for stage in schedule_of(ROLLOUT, first=True).stages] == [1.0]
    assert [stage.share for stage in schedule_of(ROLLOUT, first=False).stages] == [0.05, 0.5, 1.0]
