"""Where a rollback goes, from every kind of state."""

from __future__ import annotations

import pytest

from release_gate.lifecycle.restoration import Restoration, Stuck, restoration
from release_gate.lifecycle.state import State, fold
from tests.lifecycle.histories import PACKAGES, history

A, B, C, D = PACKAGES


def planned(state: State, to: str | None = None) -> Restoration:
    plan = restoration(state, to)
    assert isinstance(plan, Restoration), plan
    return plan


def refused(state: State, to: str | None = None) -> str:
    plan = restoration(state, to)
    assert isinstance(plan, Stuck), plan
    return plan.finding.code


def test_it_goes_to_the_newest_version_that_proved_itself() -> None:
    plan = planned(fold(history(("promoted", A), ("promoted", B), ("promoted", C))))
    assert (plan.candidates, plan.replaces) == ((B, A), C)


def test_a_blocked_version_is_passed_over() -> None:
    plan = planned(fold(history(("promoted", A), ("promoted", B), ("blocked", B), ("promoted", C))))
    assert plan.candidates == (A,)


def test_in_the_middle_of_a_rollout_production_keeps_serving_and_the_candidate_loses_its_share() -> None:
    for phase in ("deployed", "stepping", "stepped", "taking-back"):
        rest = [(phase, C)] if phase != "deployed" else []
        plan = planned(fold(history(("promoted", A), ("promoted", B), ("deployed", C), *rest)))
        assert (plan.candidates, plan.replaces) == ((B, A), C)


def test_a_second_press_proves_again_what_the_first_restored() -> None:
    past = [("promoted", A), ("promoted", B), ("promoted", C), ("rolling-back", B), ("rolled-back/blocks", B)]
    plan = planned(fold(history(*past, replaces=C)))
    assert plan.replaces is None
    assert (plan.candidates, plan.replaces) == ((B, A), None)


def test_after_a_canary_was_taken_back_production_is_proven_again() -> None:
    plan = planned(fold(history(("promoted", A), ("promoted", B), ("deployed", C), ("taken-back/blocks", C))))
    assert plan.replaces is None
    assert plan.candidates == (B, A)


@pytest.mark.parametrize("how", ["taken-back/blocks", "taken-back"])
def test_after_a_candidate_lost_its_traffic_the_same_press_touches_no_innocent_production(how: str) -> None:
    plan = planned(fold(history(("promoted", A), ("promoted", B), ("deployed", C), (how, C))))
    assert (plan.candidates, plan.replaces) == ((B, A), None)


def test_where_nothing_is_older_what_serves_stays_and_blocked_ones_are_named() -> None:
    stuck = restoration(fold(history(("promoted", A))))
    assert isinstance(stuck, Stuck)
    assert (stuck.finding.code, stuck.stays) == ("rollback-nothing", A)
    stuck = restoration(fold(history(("promoted", A), ("promoted", B), ("blocked", A))))
    assert isinstance(stuck, Stuck)
    assert stuck.stays == B
    assert f"could take over from {B}; blocked, but good once: {A}" in stuck.finding.message
    stuck = restoration(fold(history(("promoted", A), ("blocked", A))))
    assert isinstance(stuck, Stuck)
    assert stuck.stays is None, "what may not serve is not seen to"


def test_once_a_newer_version_is_promoted_a_rollback_is_a_new_one() -> None:
    past = [("promoted", A), ("promoted", B), ("rolled-back/blocks", A), ("promoted", D)]
    plan = planned(fold(history(*past, replaces=B)))
    assert (plan.candidates, plan.replaces) == ((A,), D)


def test_a_rollback_that_was_killed_goes_on_to_where_it_went() -> None:
    plan = planned(fold(history(("promoted", A), ("promoted", B), ("promoted", C), ("rolling-back", A), replaces=C)))
    assert (plan.candidates, plan.replaces) == ((A, B), C)


def test_nothing_that_proved_itself_is_nowhere_to_go() -> None:
    assert refused(fold([])) == "rollback-nothing"
    assert refused(fold(history(("registered", A), ("deployed", A)))) == "rollback-nothing"
    assert refused(fold(history(("promoted", A)))) == "rollback-nothing"


def test_a_hold_is_never_in_the_way() -> None:
    assert planned(fold(history(("promoted", A), ("promoted", B), ("held", None)))).candidates == (A,)


@pytest.mark.parametrize(
    ("name", "code"), [(B, "rollback-to-blocked"), (D, "rollback-to-unproven")], ids=["blocked", "unproven"]
)
def test_a_version_that_a_person_names_is_restored_with_a_warning(name: str, code: str) -> None:
    past = [("registered", D), ("registered", B), ("promoted", A), ("blocked", B), ("promoted", C)]
    plan = planned(fold(history(*past)), name)
    assert plan.candidates == (name,)
    assert [one.code for one in plan.findings] == [code]


def test_a_version_never_registered_can_not_be_named() -> None:
    assert refused(fold(history(("promoted", A), ("promoted", B))), D) == "rollback-unknown"


def test_the_version_being_rolled_out_can_not_be_named() -> None:
    assert refused(fold(history(("promoted", A), ("registered", B), ("deployed", B))), B) == "rollback-unknown"
