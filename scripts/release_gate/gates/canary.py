"""What the looks of one step say about a candidate: harmful, passed, starved, blind, or to be watched longer.

Two tests judge each metric, both of the kind that may be looked at as often as one likes: the candidate's rate against
production's in the same windows (`statistics.sequential`), and its share against `at_most` (`statistics.ceiling`). The
declared chance of a wrong alarm is split evenly over all tests of the whole rollout (Bonferroni). Once harmful, further
looks never take that back.

The last stage has nothing to compare with: production gets no traffic then, and its rate in an earlier stage was
measured at another time. Only `at_most` judges there, and all of a first release.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from release_gate.findings import finding
from release_gate.gates import canary_words as words
from release_gate.gates.canary_windows import Look, Seen, windows
from release_gate.gates.canary_words import Bar, Judged
from release_gate.lifecycle.events import Schedule, Stage
from release_gate.lifecycle.rollout import Watched
from release_gate.lifecycle.state import Progress
from release_gate.rollouts import Rollout
from release_gate.statistics import ceiling, sequential
from release_gate.statistics.sequential import Increment
from release_gate.verdict import Finding, Table

__all__ = ["Canary", "Look", "judge_step"]

PATIENCE = 5
"""Looks in a row that may fail before nothing is known any more."""


@dataclass(frozen=True)
class Canary:
    """What is known of a step: for the plan, for a reader, and what there is to note."""

    watched: Watched
    table: Table
    notes: tuple[Finding, ...] = ()


def judge_step(looks: Sequence[Look], going: Progress, rollout: Rollout, now: datetime) -> Canary:
    """What the looks since the step began say; looks from before it are left out."""
    stage = going.schedule.stages[max(going.step, 1) - 1]
    compared = going.replaces if stage.share < 1 else None
    bars = _bars(rollout)
    seen = windows(looks, going.package, compared, rollout.metrics, going.since)
    alpha = _alpha(going, rollout, bars)
    judged = [_judged(bar, seen, compared is not None, alpha) for bar in bars]
    longest = max(PATIENCE * rollout.look, going.schedule.lease / 2)
    told = words.Step(going, stage, seen, seen.watched(longest), alpha)
    standing = _standing(told, judged, rollout, longest, now)
    notes = tuple(finding("counter-reset", words.reset(version, going)) for version in seen.resets)
    return Canary(standing, words.table(told, judged), notes)


def _bars(rollout: Rollout) -> list[Bar]:
    bars = [Bar("errors", rollout.errors.at_most, rollout.errors.times_production)]
    if rollout.slow is not None:
        slow = rollout.slow
        bars.append(Bar("slow", slow.at_most, slow.times_production, slow.above))
    return bars


def _alpha(going: Progress, rollout: Rollout, bars: Sequence[Bar]) -> float:
    """The chance of a wrong alarm that each test of the rollout may spend."""
    compared = sum(stage.share < 1 and going.replaces is not None for stage in going.schedule.stages)
    return rollout.wrong_alarm / (len(bars) * (compared + len(going.schedule.stages)))


def _judged(bar: Bar, seen: Seen, compared: bool, alpha: float) -> Judged:
    sides = [window.tallies(bar.metric) for window in seen.windows]
    mine = [candidate for candidate, _ in sides]
    against = sequential.weigh([Increment(*side) for side in sides], tolerated=bar.times, alpha=alpha)
    above = ceiling.weigh(mine, bar.at_most, alpha=alpha)
    return Judged(
        bar,
        candidate=against.candidate,
        production=against.production if compared else None,
        against=against if compared else None,
        above=above,
        worse=compared and against.harmful(alpha),
        beyond=above.harmful(alpha),
    )


def _standing(told: words.Step, judged: Sequence[Judged], rollout: Rollout, longest: float, now: datetime) -> Watched:
    seen, going = told.seen, told.going
    if any(one.harmful for one in judged):
        return Watched("harmful", words.harmful(told, judged), seen.good)
    if seen.unmeasured:
        return Watched("blind", words.unmeasured(seen), seen.good)
    if (now - (seen.good or going.since)).total_seconds() > longest:
        return Watched("blind", words.blind(told), seen.good)
    missing = _missing(told, judged, going.schedule, told.stage)
    if not missing:
        return Watched("passed", words.passed(told, judged), seen.good)
    # The first look comes a little after the step began, and a window may be lost: patience counts on top.
    patience = going.schedule.wait_at_most * told.stage.seconds + PATIENCE * rollout.look
    if (now - going.since).total_seconds() >= patience:
        return Watched("starved", words.starved(told, judged, missing, now), seen.good)
    return Watched("watching", "; ".join(missing), seen.good)


def _missing(told: words.Step, judged: Sequence[Judged], schedule: Schedule, stage: Stage) -> list[str]:
    """What a pass still lacks."""
    found = []
    if told.watched < stage.seconds - 1e-6 or not told.seen.windows:
        found.append(f"watched for {told.watched:.0f} s of {stage.seconds:g} s")
    least = max(1, schedule.least_requests)
    if told.seen.candidate < least:
        found.append(f"the candidate answered {told.seen.candidate:,} of at least {least:,} requests")
    found += [words.high(one) for one in judged if one.high]
    silent = [one for one in judged if one.production is not None and not one.production.requests]
    if silent:
        found.append("production answered nothing to compare with in the same windows")
    return found
