"""Who decides at a moment, why, until when, and who follows.

A shift lasts from the moment its zone's clock first shows `from` to the moment it first shows `to`. A time that the
clock skips in spring is read with the offset from before, as calendars do (RFC 5545, section 3.3.5).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from release_gate.owners import Hours, Owners, minutes, weekdays

HORIZON = 400
"""Days to look ahead for a change: no year is without one, unless there is none at all."""

Reason = Literal["always", "in hours", "out of hours", "holiday"]


@dataclass(frozen=True)
class Deciders:
    """Who decides, and on what ground; `until` is the moment from which `then` decide, None where that is not near."""

    people: tuple[str, ...]
    reason: Reason
    because: str
    until: datetime | None = None
    then: tuple[str, ...] = ()


def deciders(owner: Owners, at: datetime) -> Deciders:
    """Who decides at a moment (with its time zone).

    Raises:
        ValueError: the moment has no time zone.
    """
    if at.tzinfo is None:
        raise ValueError("a moment without a time zone is no moment")
    hours = owner.hours
    if hours is None:
        return Deciders(owner.people, "always", "decides at all hours")
    now = at.astimezone(UTC)
    zone = ZoneInfo(hours.zone)
    # A day earlier, for a shift over midnight; one more, for zones that skipped a day.
    first = now.astimezone(zone).date() - timedelta(days=2)
    ends = _end(hours, zone, first, now)
    if ends is not None:
        return Deciders(owner.people, "in hours", f"in hours: {hours}", _near(ends, now), owner.out_of_hours)
    reason, because = _out(hours, zone, first, now)
    begins = next((begin for begin, end in _shifts(hours, zone, first) if begin > now and end > begin), None)
    return Deciders(owner.out_of_hours, reason, because, begins, owner.people)


def _end(hours: Hours, zone: ZoneInfo, first: date, now: datetime) -> datetime | None:
    """The moment at which the shift of now ends, with those that follow without a gap; None out of hours."""
    ends: datetime | None = None
    for begin, end in _shifts(hours, zone, first):
        if begin <= (now if ends is None else ends) < end:
            ends = end
        elif begin > (ends or now):
            break
    return ends


def _near(moment: datetime, now: datetime) -> datetime | None:
    """The moment, None where the shifts never end as far as was looked."""
    return moment if moment - now < timedelta(days=HORIZON - 10) else None


def _shifts(hours: Hours, zone: ZoneInfo, first: date) -> list[tuple[datetime, datetime]]:
    """Begin and end of every shift from a day on, as far as we look, in UTC."""
    working = weekdays(hours.days)
    days = [first + timedelta(days=number) for number in range(HORIZON)]
    return [_shift(hours, zone, day) for day in days if day.weekday() in working and hours.holiday(day) is None]


def _shift(hours: Hours, zone: ZoneInfo, day: date) -> tuple[datetime, datetime]:
    end = day + timedelta(days=1) if hours.overnight else day
    return _moment(day, hours.from_, zone), _moment(end, hours.to, zone)


def _moment(day: date, time: str, zone: ZoneInfo) -> datetime:
    """When a clock first shows a time of a day: Python's `fold=0`, for a skipped time too."""
    whole, rest = divmod(minutes(time), 24 * 60)
    wall = datetime(day.year, day.month, day.day, rest // 60, rest % 60, tzinfo=zone) + timedelta(days=whole)
    return wall.astimezone(UTC)


def _out(hours: Hours, zone: ZoneInfo, first: date, now: datetime) -> tuple[Reason, str]:
    """Whether it is out of hours, or a holiday that would have had a shift now."""
    for day in (first + timedelta(days=number) for number in range(4)):
        name = hours.holiday(day) if day.weekday() in weekdays(hours.days) else None
        begin, end = _shift(hours, zone, day)
        if name is not None and begin <= now < end:
            return "holiday", f"{day:%a %Y-%m-%d} is a holiday" + (f", {name}" if name != "a holiday" else "")
    return "out of hours", f"out of hours: {hours}"
