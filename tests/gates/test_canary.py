"""What the looks of a step say: who is harmful, what passes, and what never may."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from release_gate.counts import Counts
from release_gate.gates.canary import Canary, judge_step
from release_gate.gates.canary_windows import Look
from release_gate.lifecycle.rollout import schedule_of
from release_gate.lifecycle.state import Progress
from release_gate.rollouts import Rollout

BEGAN = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
NEW, OLD = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
EVERY = 10.0


def rollout(**fields: Any) -> Rollout:
    target = {"haproxy": {"socket": "x", "backend": "b", "url": "http://127.0.0.1:1"}}
    return Rollout.model_validate({"target": target, "watch": "600s", "bake": "600s", "wait_at_most": 3.0, **fields})


def going(declared: Rollout, step: int = 1, *, first: bool = False) -> Progress:
    replaces = None if first else OLD
    schedule = schedule_of(declared, first=first)
    return Progress(
        package=NEW, replaces=replaces, schedule=schedule, began=BEGAN, step=step, phase="stepped", since=BEGAN
    )


Totals = tuple[int, int] | tuple[int, int, int] | None


def look(seconds: float, new: Totals = None, old: Totals = None, problem: str | None = None) -> Look:
    sides = {NEW: new, OLD: old}
    if problem is not None:
        return Look(at=BEGAN + timedelta(seconds=seconds), problem=problem)
    counts = {
        version: Counts(requests=each[0], errors=each[1], slow=each[2] if len(each) == 3 else None)
        for version, each in sides.items()
        if each is not None
    }
    return Look(at=BEGAN + timedelta(seconds=seconds), counts=counts)


def steady(seconds: float, new: tuple[float, float], old: tuple[float, float], start: int = 1000) -> list[Look]:
    """Looks every 10 s at rates (requests, errors) a second, on top of what an earlier step had counted."""
    times = [EVERY * number for number in range(int(seconds / EVERY) + 1)]
    return [
        look(at, (start + int(at * new[0]), int(at * new[1])), (start + int(at * old[0]), int(at * old[1])))
        for at in times
    ]


def judged(looks: Sequence[Look], declared: Rollout | None = None, *, after: float = 0.0, **step: Any) -> Canary:
    declared = declared or rollout()
    return judge_step(looks, going(declared, **step), declared, looks[-1].at + timedelta(seconds=after))


def standing(looks: Sequence[Look], declared: Rollout | None = None, *, after: float = 0.0, **step: Any) -> str:
    return judged(looks, declared, after=after, **step).watched.standing


GOOD = ((10.0, 0.1), (190.0, 1.9))


def test_an_equally_good_candidate_is_watched_for_the_whole_time_and_then_passes() -> None:
    looks = steady(600, *GOOD)
    assert standing(looks[:-1]) == "watching"
    seen = judged(looks)
    assert seen.watched.standing == "passed"
    assert seen.watched.last_look == looks[-1].at
    assert seen.watched.because == (
        "watched for 600 s; errors: the candidate failed 60 of 6,000 requests (1%), "
        "production 1,140 of 114,000 (1%) in the same 60 windows"
    )
    assert seen.notes == ()
    assert seen.table.title == (
        "Step 1 of 3: 5% of traffic to sha256:aaaaaaaaaaaa, watched 600 s of 600 s in 60 windows"
    )
    (row,) = seen.table.rows
    assert row[:5] == ["errors", "60 of 6,000", "1%", "1,140 of 114,000", "1%"]
    assert row[6:] == ["at most 5%, at most 1 times production", "no harm"]


def test_harm_is_told_with_the_metric_the_counts_of_both_the_shares_and_how_sure_it_is() -> None:
    seen = judged(steady(100, (10.0, 0.8), (190.0, 1.9)), rollout(errors={"at_most": "50%"}))
    assert seen.watched.standing == "harmful"
    # Five tests in all, one a compared step and one a step for the bar: each may spend a fifth of 5%.
    assert seen.watched.because.startswith(
        "errors: the candidate failed 80 of 1,000 requests (8%), production 190 of 19,000 (1%) in the same 10 windows: "
        "at least "
    )
    assert seen.watched.because.endswith("times production's share, sure to 99.00%")
    assert seen.table.rows[0][-1] == "harmful"


def test_a_rate_that_is_tolerated_is_no_harm_and_more_than_that_is() -> None:
    declared = rollout(errors={"times_production": 3, "at_most": "50%"})
    assert standing(steady(600, (10.0, 0.25), (190.0, 1.9)), declared) == "passed"
    seen = judged(steady(600, (10.0, 0.8), (190.0, 1.9)), declared)
    assert seen.watched.standing == "harmful"
    assert "3 times are tolerated" in seen.watched.because


def test_more_than_at_most_is_harm_also_where_production_does_no_better_or_answers_nothing() -> None:
    for old in ((190.0, 57.0), (0.0, 0.0)):
        seen = judged(steady(60, (10.0, 3.0), old))
        assert seen.watched.standing == "harmful"
        assert "a share of at least 2" in seen.watched.because
        assert "5% is allowed" in seen.watched.because


def test_a_share_above_at_most_that_may_be_chance_is_neither_passed_nor_harm() -> None:
    declared = rollout(least_requests=10, watch="60s")
    looks = [look(0, (0, 0), (0, 0)), look(30, (8, 0), (160, 9)), look(60, (16, 1), (320, 17))]
    assert standing(looks, declared) == "watching"
    late = [*looks, *(look(at, (16, 1), (320, 17)) for at in range(90, 241, 30))]
    seen = judged(late, declared)
    assert seen.watched.standing == "starved"
    assert "the candidate failed 1 of 16 requests (6.25%), 5% is allowed" in seen.watched.because


@pytest.mark.parametrize("of", ["last stage", "first release"])
def test_without_production_to_compare_with_only_the_bar_judges_and_the_table_says_so(of: str) -> None:
    step: dict[str, Any] = {"step": 3} if of == "last stage" else {"step": 1, "first": True}
    # Production's totals of an earlier step still stand there, and would make the candidate look bad.
    looks = [look(at, (at * 10, at // 10 * 4), (10**6, 10)) for at in range(0, 601, 10)]
    seen = judged(looks, **step)
    assert seen.watched.standing == "passed"
    alone = "not compared: it gets no traffic" if of == "last stage" else "no version before it"
    assert seen.table.rows[0][3:] == [alone, None, None, "at most 5%", "no harm"]
    bad = [look(at, (at * 10, at), (10**6, 10)) for at in range(0, 601, 10)]
    assert standing(bad, **step) == "harmful"


@pytest.mark.parametrize("step", [{"step": 3}, {"step": 1, "first": True}], ids=["last stage", "first release"])
@pytest.mark.parametrize("metric", ["errors", "slow"])
def test_no_version_that_always_fails_passes_where_nothing_is_compared(metric: str, step: dict[str, Any]) -> None:
    for declared in (rollout(slow={"above": "1s"}), rollout(errors={"at_most": "99%"}, slow={"above": "1s"})):
        bad = [
            look(at, (at * 10, at * 10 * (metric == "errors"), at * 10 * (metric == "slow")))
            for at in range(0, 601, 10)
        ]
        assert standing(bad, declared, **step) == "harmful"


@pytest.mark.parametrize("fields", [{"errors": {"at_most": None}}, {"slow": {"above": "1s", "at_most": None}}])
def test_a_bar_left_out_in_words_is_refused_with_what_to_write(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="judges a first release and the last step: write a share above prod"):
        rollout(**fields)


def test_the_first_look_of_a_step_is_its_baseline_and_looks_of_the_step_before_do_not_count() -> None:
    before = [look(-20, (0, 0), (0, 0)), look(-10, (500, 500), (0, 0))]
    seen = judged([*before, look(0, (1000, 1000), (0, 0)), look(10, (1010, 1000), (190, 1))])
    assert seen.watched.standing == "watching"
    assert seen.table.rows[0][1] == "0 of 10"


def test_a_counter_that_falls_costs_its_window_and_is_said() -> None:
    looks = [
        look(0, (100, 1), (100, 1)),
        look(10, (200, 2), (200, 2)),
        look(20, (5, 0), (300, 3)),
        look(30, (105, 1), (400, 4)),
        look(40, (205, 2), (3, 0)),
    ]
    seen = judged(looks, rollout(watch="40s"))
    assert [one.code for one in seen.notes] == ["counter-reset", "counter-reset"]
    assert "the candidate (sha256:aaaaaaaaaaaa)" in seen.notes[0].message
    assert "production (sha256:bbbbbbbbbbbb)" in seen.notes[1].message
    assert seen.table.rows[0][1] == "2 of 200"
    assert "watched 20 s of 40 s" in seen.table.title


def test_production_that_begins_anew_costs_nothing_where_it_is_not_compared() -> None:
    seen = judged([look(0, (0, 0), (9, 0)), look(10, (50, 0), (0, 0))], step=3)
    assert (seen.notes, seen.table.rows[0][1]) == ((), "0 of 50")


def test_a_version_that_appears_begins_with_what_it_shows_then() -> None:
    looks = [look(0, None, (0, 0)), look(10, (700, 700), (190, 1)), look(20, (710, 700), (380, 2))]
    assert judged(looks).table.rows[0][1] == "0 of 10"
    gone = [*looks, look(30, None, (570, 3)), look(40, (720, 705), (760, 4))]
    assert judged(gone).table.rows[0][1] == "0 of 10"
    # Production that answers nothing while it has a share of the traffic is nothing to be compared with.
    alone = [look(at, (at * 10, 0)) for at in range(0, 601, 10)]
    assert standing(alone) == "watching"


def test_errors_that_are_counted_before_their_requests_wait_for_the_next_look() -> None:
    looks = [look(0, (10, 0), (10, 0)), look(10, (10, 1), (20, 0)), look(20, (12, 2), (30, 0))]
    seen = judged(looks)
    assert seen.table.rows[0][1] == "2 of 2"
    assert "in 1 windows" in seen.table.title


def test_looks_that_were_kept_late_change_nothing() -> None:
    looks = steady(600, *GOOD)
    late = [*looks[:30], looks[28], looks[29], *looks[30:]]
    assert judged(late) == judged(looks)


def test_too_little_traffic_for_too_long_starves_and_says_what_would_have_been_needed() -> None:
    looks = steady(1800 + 50, (0.01, 0.0), (190.0, 1.9))
    assert standing([one for one in looks if (one.at - BEGAN).total_seconds() < 1840]) == "watching"
    seen = judged(looks)
    assert seen.watched.standing == "starved"
    assert "the candidate answered 18 of at least 100 requests" in seen.watched.because
    assert "to see errors at 2 times production's 1% takes about " in seen.watched.because
    at_once = judged(looks, rollout(errors={"times_production": 2}))
    assert "at 4 times production's 1%" in at_once.watched.because
    nothing = judged(steady(1850, (0.0, 0.0), (190.0, 0.0)))
    assert nothing.watched.standing == "starved"
    assert "can't be told" in nothing.watched.because
    last = judged(looks, step=3)
    assert "to see errors at twice the 5% allowed takes about " in last.watched.because


def test_a_source_that_is_not_read_for_too_long_makes_blind_and_one_failed_look_does_not() -> None:
    looks = steady(100, *GOOD)
    failed = [look(100 + at, problem="Prometheus at x: no answer") for at in range(10, 161, 10)]
    assert standing([*looks, failed[0]]) == "watching"
    seen = judged([*looks, *failed])
    assert seen.watched.standing == "blind"
    assert seen.watched.because == "the counters could not be read since 03:01:40Z: Prometheus at x: no answer"
    assert standing(failed, after=300) == "blind"
    assert standing(looks, after=151) == "blind"
    # A look that succeeds in the end closes one long window, and nothing of it is lost.
    bridged = [*steady(100, *GOOD), failed[0], *steady(600, *GOOD)[12:]]
    assert standing(bridged) == "passed"


def test_time_in_which_nobody_looked_is_not_watched() -> None:
    looks = [look(0, (0, 0), (0, 0)), look(200, (2000, 20), (38000, 380)), look(600, (6000, 60), (114000, 1140))]
    seen = judged(looks)
    assert seen.watched.standing == "watching"
    assert "watched 0 s of 600 s" in seen.table.title


def test_a_declared_metric_that_is_not_measured_makes_blind() -> None:
    declared = rollout(slow={"above": "200ms"})
    assert standing(steady(600, *GOOD), declared) == "blind"
    both = [look(at, (at * 10, 0, at // 10), (at * 190, 0, at * 2)) for at in range(0, 601, 10)]
    assert standing(both, declared) == "passed"
    lost = [*both, look(610, (6100, 0), (115900, 0, 610))]
    seen = judged(lost, declared)
    assert seen.watched.standing == "blind"
    assert seen.watched.because.startswith("slow is declared")


def test_slow_answers_are_judged_as_errors_are() -> None:
    declared = rollout(slow={"above": "200ms", "at_most": "50%"})
    looks = [look(at, (at * 10, 0, at), (at * 190, 0, at)) for at in range(0, 601, 10)]
    seen = judged(looks, declared)
    assert seen.watched.standing == "harmful"
    assert "slow: the candidate took longer than 0.2 s for 600 of 6,000 requests (10%)" in seen.watched.because
    assert [row[0] for row in seen.table.rows] == ["errors", "slow"]


def test_a_kept_look_comes_back_and_a_broken_one_counts_as_one_that_saw_nothing() -> None:
    for one in (look(10, (1, 0), (2, 1, 0)), look(0, problem="no answer")):
        assert Look.parse(one.to_json()) == one
    broken = Look.parse(b"{")
    assert broken.counts is None
    assert "can't be read" in str(broken.problem)
    assert judged([broken, *steady(600, *GOOD)]) == judged(steady(600, *GOOD))


# --- properties: whatever the looks hold ---

SMALL = st.integers(0, 60)


@st.composite
def histories(draw: st.DrawFn, *, traffic: bool = True) -> list[Look]:
    """Looks with bursts, resets, gaps, absent versions and failures."""
    at, totals = 0.0, {NEW: [0, 0, 0], OLD: [0, 0, 0]}
    looks: list[Look] = []
    for _ in range(draw(st.integers(1, 25))):
        at += draw(st.sampled_from([0.5, 10.0, 40.0, 160.0]))
        for version, each in totals.items():
            if draw(st.integers(0, 19)) == 0:
                each[:] = [0, 0, 0]
            requests = draw(SMALL) if traffic or version == OLD else 0
            each[0] += requests
            for metric in (1, 2):
                each[metric] += min(requests, draw(SMALL) if draw(st.booleans()) else 0)
        if draw(st.integers(0, 9)) == 0:
            looks.append(look(at, problem="no answer"))
            continue
        present = [version for version in totals if draw(st.integers(0, 9))]
        counts = {one: Counts(requests=totals[one][0], errors=totals[one][1], slow=totals[one][2]) for one in present}
        looks.append(Look(at=BEGAN + timedelta(seconds=at), counts=counts))
    return looks


EAGER = rollout(watch="30s", bake="30s", least_requests=1, slow={"above": "1s"})
STEPS = st.sampled_from([{"step": 1}, {"step": 3}, {"step": 1, "first": True}])


@given(histories(traffic=False), STEPS)
def test_nothing_passes_without_traffic(looks: list[Look], step: dict[str, Any]) -> None:
    assert standing(looks, EAGER, **step) not in ("passed", "harmful")


@given(histories(), STEPS)
def test_nothing_passes_before_its_time_is_over(looks: list[Look], step: dict[str, Any]) -> None:
    good = [one.at for one in looks if one.counts is not None]
    if not good or (good[-1] - good[0]).total_seconds() < 30:
        assert standing(looks, EAGER, **step) != "passed"


@given(histories(), STEPS, st.sampled_from([NEW, OLD]))
def test_nothing_passes_with_a_metric_missing(looks: list[Look], step: dict[str, Any], lacks: str) -> None:
    if step != {"step": 1} and lacks == OLD:
        return  # not looked at where nothing is compared
    less = [
        one.model_copy(
            update={
                "counts": one.counts
                and {
                    version: each.model_copy(update={"slow": None}) if version == lacks else each
                    for version, each in one.counts.items()
                }
            }
        )
        for one in looks
    ]
    last = next((one.counts for one in reversed(less) if one.counts is not None), None)
    if last is not None and lacks in last:
        assert standing(less, EAGER, **step) in ("blind", "harmful")
    if lacks == NEW:
        assert standing(less, EAGER, **step) not in ("passed", "harmful")


@given(histories(), STEPS)
def test_harm_is_never_taken_back_by_further_looks(looks: list[Look], step: dict[str, Any]) -> None:
    path = [standing(looks[: number + 1], EAGER, **step) == "harmful" for number in range(len(looks))]
    assert path == sorted(path)


@given(histories(), STEPS)
def test_the_order_of_versions_in_a_look_means_nothing(looks: list[Look], step: dict[str, Any]) -> None:
    turned = [
        one.model_copy(update={"counts": one.counts and dict(reversed(list(one.counts.items())))}) for one in looks
    ]
    assert judged(turned, EAGER, **step) == judged(looks, EAGER, **step)
