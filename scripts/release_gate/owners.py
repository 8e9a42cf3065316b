"""Who decides about a model, as it is declared: people, business hours, and who decides outside of them.

>>> str(Owners.of("@octo-air"))
'@octo-air'
"""

from __future__ import annotations

import difflib
import functools
import re
import zoneinfo
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, GetJsonSchemaHandler, model_validator

from release_gate.forms import OWNER, is_owner
from release_gate.forms import Owner as Name
from release_gate.verdict import Value

if TYPE_CHECKING:
    from pydantic_core import CoreSchema

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""Days as they are written; their order is `date.weekday()`."""

_MACHINE_S_OWN = {"localtime", "Factory"}
"""Names of zone files that mean something else on every machine."""


def weekdays(written: str) -> frozenset[int]:
    """The days a text names, Monday is 0: single days and ranges, which may go over the end of the week.

    >>> sorted(weekdays("sun-tue, thu"))
    [0, 1, 3, 6]

    Raises:
        ValueError: it names none; the message says what would.
    """
    found: set[int] = set()
    for part in written.lower().split(","):
        first, dash, last = (word.strip() for word in part.partition("-"))
        last = last if dash else first
        if first not in DAYS or last not in DAYS:
            raise ValueError("write days as mon-fri, sun-thu or mon,wed,fri")
        begin, end = DAYS.index(first), DAYS.index(last)
        found |= {day % 7 for day in range(begin, end + 1 if end >= begin else end + 8)}
    return frozenset(found)


def _days(written: str) -> str:
    weekdays(written)
    return written


def minutes(written: str) -> int:
    """Minutes since midnight of `HH:MM`; the end of a day may be written 24:00.

    Raises:
        ValueError: it is no time of day.
    """
    if re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00", written) is None:
        raise ValueError('write a time of day as HH:MM in quotes, such as "09:00" or "17:30"')
    return int(written[:2]) * 60 + int(written[3:])


def _time(written: str) -> str:
    minutes(written)
    return written


def _zone(written: str) -> str:
    known = zoneinfo.available_timezones() - _MACHINE_S_OWN
    if written not in known:
        near = difflib.get_close_matches(written, known, n=1)
        hint = f"did you mean {near[0]}?" if near else "write one such as Europe/Berlin or UTC"
        raise ValueError(f"no time zone is called so; {hint}")
    return written


def _date(written: object) -> object:
    if isinstance(written, date) or (isinstance(written, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", written)):
        return written
    raise ValueError("write a date as YYYY-MM-DD, such as 2026-12-25")


def _country(written: str) -> str:
    if re.fullmatch(r"[A-Z]{2}(-[A-Za-z0-9]{1,20})?", written) is None:
        raise ValueError("write a country, such as DE, or a part of it, such as DE-BE (ISO 3166)")
    try:
        public_holidays(written, 2026)
    except NotImplementedError as error:
        raise ValueError(f"whose public holidays are not known: {error}") from error
    return written


@functools.lru_cache(maxsize=64)
def public_holidays(country: str, year: int) -> Mapping[date, str]:
    """Public holidays of a country or a part of it by date, with their names.

    Raises:
        NotImplementedError: the country or part is not known.
    """
    import holidays  # noqa: PLC0415 - costs 0.2 s, and few name a country

    whole, _, part = country.partition("-")
    return dict(holidays.country_holidays(whole, subdiv=part or None, years=year, language="en_US"))


class Hours(Value):
    """Business hours: a shift begins on each of the days, unless that day is a holiday."""

    days: Annotated[
        str, AfterValidator(_days), Field(description="mon-fri, sun-thu or mon,wed,fri", examples=["mon-fri"])
    ]
    from_: Annotated[
        str, AfterValidator(_time), Field(alias="from", description="time the shift begins", examples=["09:00"])
    ]
    to: Annotated[
        str,
        AfterValidator(_time),
        Field(description="time it ends; earlier than from: on the next day", examples=["17:30"]),
    ]
    zone: Annotated[str, AfterValidator(_zone), Field(description="time zone of both", examples=["Europe/Berlin"])]
    holidays: Annotated[
        tuple[Annotated[date, BeforeValidator(_date)], ...],
        Field(max_length=1000, description="days on which no shift begins"),
    ] = ()
    holidays_of: Annotated[
        Annotated[str, AfterValidator(_country)] | None,
        Field(description="country, or part of it (DE, DE-BE), whose public holidays count too"),
    ] = None

    @model_validator(mode="after")
    def _has_length(self) -> Hours:
        if self.from_ == "24:00":
            raise ValueError('a shift begins at "00:00" of a day, not at 24:00')
        if self.from_ == self.to:
            raise ValueError('from and to are the same time; a whole day is from: "00:00", to: "24:00"')
        return self

    @property
    def overnight(self) -> bool:
        """Whether a shift ends on the day after it began."""
        return minutes(self.to) < minutes(self.from_)

    def holiday(self, day: date) -> str | None:
        """What keeps a shift from beginning on a day: the holiday's name, `a holiday`, or None."""
        named = public_holidays(self.holidays_of, day.year).get(day) if self.holidays_of else None
        return named or ("a holiday" if day in self.holidays else None)

    def __str__(self) -> str:
        """As a person would say it."""
        over = " of the next day" if self.overnight else ""
        return f"{self.days} {self.from_} to {self.to}{over} {self.zone}"


class Owners(Value):
    """Who decides: people at all hours, or in business hours with others outside of them."""

    people: Annotated[
        tuple[Name, ...], Field(min_length=1, max_length=50, description="users and teams who decide (in hours)")
    ]
    hours: Annotated[Hours | None, Field(description="business hours; people decide at all hours when absent")] = None
    out_of_hours: Annotated[
        tuple[Name, ...], Field(max_length=50, description="users and teams who decide out of hours")
    ] = ()
    members: Annotated[
        dict[Name, Annotated[tuple[Name, ...], Field(min_length=1, max_length=200)]],
        Field(description="team: the people in it, since a job's token can't read teams"),
    ] = Field(default_factory=dict)

    @classmethod
    def of(cls, written: str) -> Self:
        """One user or team, at all hours."""
        return cls.model_validate({"people": [written]})

    @model_validator(mode="after")
    def _fits_together(self) -> Owners:
        if self.hours is not None and not self.out_of_hours:
            raise ValueError("with hours, out_of_hours must say who decides at night and on holidays")
        if self.hours is None and self.out_of_hours:
            raise ValueError("out_of_hours means nothing without hours")
        for team, people in self.members.items():
            if team not in self.names:
                raise ValueError(f"members names {team}, who decides at no hour; known: {', '.join(self.names)}")
            if "/" not in team:
                raise ValueError(f"members: {team} is a user, and only a team has members")
            if inner := next((one for one in people if "/" in one), None):
                raise ValueError(f"members of {team}: {inner} is a team; name its people")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Everybody who decides at some hour, each once."""
        return tuple(dict.fromkeys((*self.people, *self.out_of_hours)))

    def persons(self, names: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The users behind names, and the teams among them whose people are not listed."""
        listed = [person for name in names for person in ([name] if "/" not in name else self.members.get(name, ()))]
        unlisted = [name for name in names if "/" in name and name not in self.members]
        return tuple(dict.fromkeys(listed)), tuple(dict.fromkeys(unlisted))

    def __str__(self) -> str:
        """As a person would say it."""
        people = ", ".join(self.people)
        return f"{people} ({self.hours}), else {', '.join(self.out_of_hours)}" if self.hours else people


def _either(written: Any) -> Any:
    """A text names one who decides at all hours; a mapping is read key by key."""
    if isinstance(written, dict | Owners):
        return written
    if isinstance(written, str) and is_owner(written):
        return {"people": [written]}
    raise ValueError("write @user or @organisation/team" + ("" if isinstance(written, str) else ", or a mapping"))


class _Written:
    """The JSON Schema of both written forms."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        one = {"type": "string", "pattern": f"^{OWNER}$", "examples": ["@octo-air/ml"]}
        return {"anyOf": [one, handler(schema)]}


Owner = Annotated[Owners, BeforeValidator(_either), _Written()]
"""The value of `owner:`."""
