"""The looks of one step as windows: what both versions answered between two looks, and what could not be counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from pydantic import AwareDatetime, ValidationError

from release_gate.counts import Counts
from release_gate.statistics.sequential import Tally
from release_gate.verdict import Value

NOTHING = Counts(requests=0, errors=0, slow=0)
MOST = 2000
"""Characters of a problem that are kept."""


class Look(Value):
    """The running totals at a moment, by version; None where they could not be read, for the reason in `problem`.

    A version may be absent: it has answered nothing that its source knows of.
    """

    at: AwareDatetime
    counts: dict[str, Counts] | None = None
    problem: str | None = None

    def to_json(self) -> bytes:
        """The bytes in which a look is kept."""
        return (self.model_dump_json(exclude_none=True) + "\n").encode()

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Read a look. One that can't be read counts as one that saw nothing, long ago: totals lose nothing by that."""
        try:
            return cls.model_validate_json(content)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]["msg"]
            return cls(at=datetime.min.replace(tzinfo=UTC), problem=f"a kept look can't be read: {first}"[:MOST])


@dataclass(frozen=True)
class Window:
    """What was answered between two looks."""

    seconds: float
    candidate: Counts
    production: Counts

    def tallies(self, metric: str) -> tuple[Tally, Tally]:
        """Of candidate and production: answers, and those that were bad by a metric."""
        return _tally(self.candidate, metric), _tally(self.production, metric)


@dataclass(frozen=True)
class Seen:
    """The windows of a step.

    `good` is the time of the last look that could be read, `unmeasured` the metrics it did not hold, `resets` the
    versions whose totals fell, a mention each time, and `problem` why the latest look failed, where it did.
    """

    windows: tuple[Window, ...] = ()
    good: datetime | None = None
    unmeasured: tuple[str, ...] = ()
    resets: tuple[str, ...] = ()
    problem: str | None = None

    @property
    def candidate(self) -> int:
        """Answers by the candidate in all windows."""
        return sum(one.candidate.requests for one in self.windows)

    def watched(self, longest: float) -> float:
        """Seconds covered by windows; one longer than `longest` does not count: nobody looked meanwhile."""
        return sum(one.seconds for one in self.windows if one.seconds <= longest)


@dataclass
class _Folding:
    """The windows while looks are added."""

    versions: tuple[str, ...]
    metrics: tuple[str, ...]
    base: tuple[datetime, Mapping[str, Counts]] | None = None
    windows: list[Window] = field(default_factory=list)
    resets: list[str] = field(default_factory=list)
    unmeasured: tuple[str, ...] = ()

    def add(self, at: datetime, counts: Mapping[str, Counts]) -> None:
        here = {version: counts[version] for version in self.versions if version in counts}
        self.unmeasured = tuple(
            metric for metric in self.metrics if any(getattr(one, metric) is None for one in here.values())
        )
        if self.versions[0] not in here or self.unmeasured:
            # A version that appears begins with what it shows then: it may have answered in an earlier step.
            self.base = None
        elif self.base is None:
            self.base = (at, here)
        else:
            self._window(self.base, at, here)

    def _window(self, base: tuple[datetime, Mapping[str, Counts]], at: datetime, here: Mapping[str, Counts]) -> None:
        since, before = base
        fell = [one for one in here if one in before and _fell(before[one], here[one])]
        self.resets.extend(fell)
        if not fell:
            try:
                sides = [_answered(before.get(one), here.get(one)) for one in self.versions]
            except ValidationError:
                return  # errors were counted before their requests: the next look closes a longer window
            self.windows.append(Window((at - since).total_seconds(), sides[0], sides[1] if len(sides) > 1 else NOTHING))
        self.base = (at, here)


def windows(
    looks: Sequence[Look], candidate: str, production: str | None, metrics: Sequence[str], since: datetime
) -> Seen:
    """The windows between the looks from `since` on; `production` is None where there is nothing to compare with.

    The first look is the baseline, so that nothing of an earlier step counts. A window in which a total fell counts
    for neither version.
    """
    versions = (candidate,) if production is None else (candidate, production)
    folding = _Folding(versions, tuple(metrics))
    good: datetime | None = None
    problem: str | None = None
    for look in looks:
        if look.at < since or (good is not None and look.at <= good):
            continue  # of an earlier step, or kept late by another who looked at once: its totals are in the others
        if look.counts is None:
            problem = look.problem or "it could not be read"
            continue
        good, problem = look.at, None
        folding.add(look.at, look.counts)
    return Seen(tuple(folding.windows), good, folding.unmeasured, tuple(folding.resets), problem)


def _numbers(counts: Counts) -> tuple[int, int, int]:
    return counts.requests, counts.errors, counts.slow or 0


def _fell(before: Counts, now: Counts) -> bool:
    return any(new < old for old, new in zip(_numbers(before), _numbers(now), strict=True))


def _answered(before: Counts | None, now: Counts | None) -> Counts:
    """The difference of two totals; nothing where one of them is not known."""
    if before is None or now is None:
        return NOTHING
    requests, errors, slow = (new - old for old, new in zip(_numbers(before), _numbers(now), strict=True))
    fields: dict[str, Any] = {"requests": requests, "errors": errors, "slow": slow}
    return Counts(**fields)


def _tally(counts: Counts, metric: str) -> Tally:
    return Tally(counts.requests, getattr(counts, metric) or 0)
