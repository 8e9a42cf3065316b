"""Who decides at a moment: examples people would check by hand, and days of changing clocks against dateutil."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from dateutil import tz
from hypothesis import example, given, settings
from hypothesis import strategies as st

from release_gate.lifecycle.deciders import deciders
from release_gate.owners import Hours, Owners, minutes, weekdays

IN, OUT = ("@octo-air/ml",), ("@octo-air/on-call",)
# Clocks that change by an hour, by half an hour, in either hemisphere, at midnight, that skipped a day, that never do.
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "UTC",
)


def owners(**hours: Any) -> Owners:
    base = {"days": "mon-fri", "from": "09:00", "to": "17:30", "zone": "Europe/Berlin"}
    return Owners.model_validate({"people": IN, "out_of_hours": OUT, "hours": {**base, **hours}})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_one_who_decides_at_all_hours() -> None:
    found = deciders(Owners.of("@octo-air"), at("2026-12-25T03:00Z"))
    assert (found.people, found.reason, found.until, found.then) == (("@octo-air",), "always", None, ())


@pytest.mark.parametrize(
    ("moment", "people", "reason", "until"),
    [
        ("2026-06-01T07:00Z", IN, "in hours", "2026-06-01T15:30Z"),  # 09:00 in summer
        ("2026-06-01T06:59:59Z", OUT, "out of hours", "2026-06-01T07:00Z"),
        ("2026-06-01T15:30Z", OUT, "out of hours", "2026-06-02T07:00Z"),
        ("2026-12-01T07:30Z", OUT, "out of hours", "2026-12-01T08:00Z"),  # 08:30 in winter
        ("2026-06-05T16:00Z", OUT, "out of hours", "2026-06-08T07:00Z"),  # Friday evening, until Monday
        ("2026-12-24T12:00+01:00", OUT, "holiday", "2026-12-28T08:00Z"),  # Thursday, then Friday, then a weekend
        ("2026-12-25T12:00Z", OUT, "holiday", "2026-12-28T08:00Z"),
        ("2026-12-25T22:00Z", OUT, "out of hours", "2026-12-28T08:00Z"),
    ],
)
def test_business_hours_of_a_city(moment: str, people: tuple[str, ...], reason: str, until: str) -> None:
    found = deciders(owners(holidays=["2026-12-24"], holidays_of="DE"), at(moment))
    assert (found.people, found.reason, found.until) == (people, reason, at(until))
    assert found.then == (OUT if people == IN else IN)


def test_why_is_said() -> None:
    hours = owners(holidays=["2026-12-24"], holidays_of="DE")
    assert deciders(hours, at("2026-12-25T12:00Z")).because == "Fri 2026-12-25 is a holiday, Christmas Day"
    assert deciders(hours, at("2026-12-24T12:00Z")).because == "Thu 2026-12-24 is a holiday"
    assert deciders(hours, at("2026-12-23T12:00Z")).because == "in hours: mon-fri 09:00 to 17:30 Europe/Berlin"


def test_a_shift_over_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    night = owners(**{"from": "22:00", "to": "06:00", "days": "mon-fri", "zone": "UTC", "holidays": ["2026-06-03"]})
    for moment, people in (
        ("2026-06-01T05:00Z", OUT),  # Monday morning: Sunday has no shift
        ("2026-06-01T23:00Z", IN),
        ("2026-06-03T05:59Z", IN),  # the morning of the holiday belongs to Tuesday's shift
        ("2026-06-03T23:00Z", OUT),
        ("2026-06-06T05:00Z", IN),  # Saturday morning belongs to Friday's
        ("2026-06-06T06:00Z", OUT),
    ):
        assert deciders(night, at(moment)).people == people, moment
    assert "of the next day" in deciders(night, at("2026-06-01T23:00Z")).because


def test_shifts_without_a_gap_are_one_and_those_without_an_end_have_none() -> None:
    days = owners(**{"from": "00:00", "to": "24:00", "days": "mon-fri", "zone": "UTC"})
    assert deciders(days, at("2026-06-01T12:00Z")).until == at("2026-06-06T00:00Z")
    always = owners(**{"from": "00:00", "to": "24:00", "days": "mon-sun", "zone": "UTC"})
    found = deciders(always, at("2026-06-01T12:00Z"))
    assert (found.people, found.until) == (IN, None)
    never = owners(days="mon", holidays=[str(date(2026, 1, 5) + timedelta(weeks=week)) for week in range(120)])
    found = deciders(never, at("2026-06-01T12:00Z"))
    assert (found.people, found.until, found.then) == (OUT, None, IN)


def test_a_time_that_the_clock_skips_or_shows_twice() -> None:
    early = owners(**{"from": "02:30", "to": "12:00", "days": "sun"})
    # 2026-03-29, 02:00 becomes 03:00: a calendar reads 02:30 as 03:30. 2026-10-25, 03:00 becomes 02:00.
    assert deciders(early, at("2026-03-29T01:29Z")).people == OUT
    assert deciders(early, at("2026-03-29T01:30Z")).people == IN
    assert deciders(early, at("2026-10-25T00:29Z")).people == OUT
    assert deciders(early, at("2026-10-25T00:30Z")).people == IN, "the first 02:30"
    assert deciders(early, at("2026-10-25T01:10Z")).people == IN, "also while the clock shows 02:10 again"


def test_a_moment_needs_a_zone() -> None:
    with pytest.raises(ValueError, match="time zone"):
        deciders(owners(), datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point


def shifts_by_dateutil(hours: Hours, around: date) -> list[tuple[datetime, datetime]]:
    """The shifts of some days by another library's reading of the zone files."""
    zone = tz.gettz(hours.zone)

    def moment(day: date, time: str) -> datetime:
        whole, rest = divmod(minutes(time), 24 * 60)
        day += timedelta(days=whole)
        wall = datetime(day.year, day.month, day.day, rest // 60, rest % 60, tzinfo=zone)
        found: datetime = tz.resolve_imaginary(wall).astimezone(UTC)
        return found

    found = []
    for number in range(-4, 5):
        day = around + timedelta(days=number)
        if day.weekday() in weekdays(hours.days) and hours.holiday(day) is None:
            end = day + timedelta(days=minutes(hours.to) < minutes(hours.from_))
            found.append((moment(day, hours.from_), moment(end, hours.to)))
    return found


def in_hours(hours: Hours, moment: datetime) -> bool:
    zone = tz.gettz(hours.zone)
    return any(begin <= moment < end for begin, end in shifts_by_dateutil(hours, moment.astimezone(zone).date()))


times = st.integers(0, 24 * 4 - 1).map(lambda quarter: f"{quarter // 4:02}:{quarter % 4 * 15:02}")
# dateutil reads the zone files up to 2037 only.
moments = st.datetimes(datetime(2005, 1, 5), datetime(2036, 1, 1)).map(lambda one: one.replace(tzinfo=UTC))  # noqa: DTZ001
DAYS = st.sampled_from(["mon-fri", "sun-thu", "sat,sun", "mon-sun", "wed", "fri-mon"])
written = st.tuples(times, times, DAYS, st.sampled_from(ZONES)).filter(lambda one: one[0] != one[1])


@given(written, moments, st.lists(st.integers(-3, 3), max_size=2))
@example(("02:30", "03:15", "sun", "Europe/Berlin"), at("2026-03-29T01:20Z"), [])
@example(("02:30", "02:45", "sun", "Europe/Berlin"), at("2026-10-25T01:35Z"), [])
@example(("23:30", "00:30", "sat", "America/Sao_Paulo"), at("2018-11-04T03:15Z"), [])
@example(("09:00", "17:00", "fri", "Pacific/Apia"), at("2011-12-30T20:00Z"), [])
@example(("01:30", "01:45", "sun", "Australia/Lord_Howe"), at("2026-04-04T15:10Z"), [])
@settings(max_examples=400)
def test_as_another_library_reads_the_clock(
    one: tuple[str, str, str, str], moment: datetime, holidays: list[int]
) -> None:
    begin, end, days, zone = one
    free = [str(moment.date() + timedelta(days=number)) for number in holidays]
    owner = owners(**{"from": begin, "to": end, "days": days, "zone": zone, "holidays": free})
    assert owner.hours is not None
    found = deciders(owner, moment)
    assert (found.people == IN) == in_hours(owner.hours, moment)
    assert found.until is not None, "no shift of the day's quarters lasts for ever"
    # Nothing changes before `until`, and at that moment it does.
    assert found.until > moment
    assert found.then == (OUT if found.people == IN else IN)
    assert in_hours(owner.hours, found.until) == (found.people == OUT)
    span = found.until - moment
    for part in (0.25, 0.5, 0.75, 0.999999):
        between = moment + span * part
        assert in_hours(owner.hours, between) == (found.people == IN)
