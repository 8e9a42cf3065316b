"""What a step of a rollout has to say, for a reader at three in the morning: sentences and one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from release_gate.gates.canary_windows import Seen
from release_gate.lifecycle.events import Stage
from release_gate.lifecycle.state import Progress
from release_gate.statistics import ceiling, sequential
from release_gate.statistics.ceiling import Above
from release_gate.statistics.sequential import Evidence, Tally
from release_gate.verdict import Scalar, Table


@dataclass(frozen=True)
class Bar:
    """What is declared for a metric; `above` is the time from which an answer is slow."""

    metric: str
    at_most: float
    times: float
    above: float | None = None


@dataclass(frozen=True)
class Judged:
    """A metric and what both tests say; without `against` there is nothing to compare with."""

    bar: Bar
    candidate: Tally
    production: Tally | None
    against: Evidence | None
    above: Above
    worse: bool
    beyond: bool

    @property
    def harmful(self) -> bool:
        """Whether one of the tests says so."""
        return self.worse or self.beyond

    @property
    def high(self) -> bool:
        """Whether the share measured is above the bar, proven or not."""
        return _rate(self.candidate) > self.bar.at_most


@dataclass(frozen=True)
class Step:
    """The step that is told of: its windows, the seconds they cover, the chance each test may spend."""

    going: Progress
    stage: Stage
    seen: Seen
    watched: float
    alpha: float

    @property
    def sure(self) -> str:
        """How sure a proof is."""
        return f"sure to {1 - self.alpha:.2%}"


def harmful(told: Step, judged: Sequence[Judged]) -> str:
    """What harm was seen, metric by metric."""
    found = []
    for one in judged:
        if one.worse and one.against is not None:
            allowed = "" if one.bar.times == 1 else f", {one.bar.times:g} times are tolerated"
            least = f"at least {one.against.at_least:.2g} times production's share, {told.sure}{allowed}"
            found.append(f"{one.bar.metric}: {_compared(told, one)}: {least}")
        if one.beyond:
            least = f"a share of at least {share(one.above.at_least)}, {told.sure}; {share(one.bar.at_most)} is allowed"
            found.append(f"{one.bar.metric}: {_own(one)}: {least}")
    return "; ".join(found)


def passed(told: Step, judged: Sequence[Judged]) -> str:
    """What was seen of a step that passed."""
    each = [f"{one.bar.metric}: {_compared(told, one)}" for one in judged]
    return f"watched for {told.watched:.0f} s; {'; '.join(each)}"


def starved(told: Step, judged: Sequence[Judged], missing: Sequence[str], now: datetime) -> str:
    """Why a step was given up, and what would have been needed."""
    waited = (now - told.going.since).total_seconds()
    needed = [_needed(told, one) for one in judged]
    return "; ".join([f"not proven good after {waited:.0f} s: {', '.join(missing)}", *needed])


def blind(told: Step) -> str:
    """Why nothing is known any more."""
    since = f"since {told.seen.good:%H:%M:%SZ}" if told.seen.good else "in this step"
    return f"the counters could not be read {since}: {told.seen.problem or 'nobody looked'}"


def unmeasured(seen: Seen) -> str:
    """What is declared and not measured."""
    return f"{' and '.join(seen.unmeasured)} is declared under `rollout`, but the counters do not hold it"


def high(one: Judged) -> str:
    """A share above its bar that may yet be chance."""
    return f"{one.bar.metric}: {_own(one)} ({share(_rate(one.candidate))}), {share(one.bar.at_most)} is allowed"


def reset(version: str, going: Progress) -> str:
    """Whose totals fell."""
    role = "the candidate" if version == going.package else "production"
    return f"the totals of {role} ({short(version)}) fell: what was answered in that window is not counted"


def table(told: Step, judged: Sequence[Judged]) -> Table:
    """A row a metric: counts and shares of both versions, their ratio, and what judges it."""
    number, of = max(told.going.step, 1), len(told.going.schedule.stages)
    title = (
        f"Step {number} of {of}: {told.stage.share:.0%} of traffic to {short(told.going.package)}, watched "
        f"{told.watched:.0f} s of {told.stage.seconds:g} s in {len(told.seen.windows)} windows"
    )
    columns = ["metric", "candidate", "share", "production", "production's share", "ratio", "bar", "result"]
    return Table(title=title, columns=columns, rows=[_row(told, one) for one in judged])


def _row(told: Step, one: Judged) -> list[Scalar]:
    bars = [f"at most {share(one.bar.at_most)}"]
    ratio: str | None = None
    if one.against is not None:
        bars.append(f"at most {one.bar.times:g} times production")
        if one.against.ratio is not None:
            ratio = f"{one.against.ratio:.2g} ({one.against.at_least:.2g} to {one.against.at_most:.2g})"
    result = "harmful" if one.harmful else "above its bar" if one.high else "no harm"
    return [
        one.bar.metric,
        f"{one.candidate.bad:,} of {one.candidate.requests:,}",
        share(_rate(one.candidate)) if one.candidate.requests else None,
        _alone(told) if one.production is None else f"{one.production.bad:,} of {one.production.requests:,}",
        share(_rate(one.production)) if one.production is not None and one.production.requests else None,
        ratio,
        ", ".join(bars),
        result,
    ]


def _alone(told: Step) -> str:
    return "no version before it" if told.going.replaces is None else "not compared: it gets no traffic"


def _needed(told: Step, one: Judged) -> str:
    """How many requests of the candidate would have shown a doubling of what is tolerated."""
    metric, times = one.bar.metric, one.bar.times
    try:
        if one.production is not None and one.production.requests:
            rate = _rate(one.production)
            count = _comparing(rate, times, _portion(told, one.candidate, one.production), told.alpha)
            worse = f"{2 * times:g} times production's {share(rate)}"
        else:
            count = ceiling.requests_to_see(min(1.0, 2 * one.bar.at_most), one.bar.at_most, alpha=told.alpha)
            worse = f"twice the {share(one.bar.at_most)} allowed"
    except ValueError:
        return f"how many requests would show a doubling of {metric} can't be told: production had none"
    return f"to see {metric} at {worse} takes about {_round(count)} requests of the candidate"


def _comparing(rate: float, times: float, portion: float, alpha: float) -> int:
    """Requests to see a doubling of `times` production's rate: tolerating it is like having less of production."""
    others = (1 - portion) / times
    return sequential.requests_to_see(times * rate, 2, portion / (portion + others), alpha=alpha)


def _portion(told: Step, candidate: Tally, production: Tally) -> float:
    """The share of the traffic the candidate had, or was meant to have where it had none."""
    return candidate.requests / (candidate.requests + production.requests) or told.stage.share


def _round(count: int) -> str:
    """Two digits: it is an estimate."""
    return f"{int(float(f'{count:.2g}')):,}"


def _own(one: Judged) -> str:
    what = "failed" if one.bar.above is None else f"took longer than {one.bar.above:g} s for"
    return f"the candidate {what} {one.candidate.bad:,} of {one.candidate.requests:,} requests"


def _compared(told: Step, one: Judged) -> str:
    mine = f"{_own(one)} ({share(_rate(one.candidate))})"
    if one.production is None:
        return mine
    theirs = f"{one.production.bad:,} of {one.production.requests:,} ({share(_rate(one.production))})"
    return f"{mine}, production {theirs} in the same {len(told.seen.windows)} windows"


def _rate(tally: Tally) -> float:
    return tally.bad / tally.requests if tally.requests else 0.0


def share(value: float) -> str:
    """A share in percent, in three digits."""
    return f"{100 * value:.3g}%"


def short(digest: str) -> str:
    """A digest, short enough for a sentence."""
    return digest[: len("sha256:") + 12]
