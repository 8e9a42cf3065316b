"""Who decides, as it is written: every form is read, every mistake is told in words, with its place."""

from __future__ import annotations

import json
from datetime import date

import jsonschema
import pytest
import yaml

from release_gate.config import json_schema, parsed
from release_gate.documents import parse
from release_gate.findings import BadInput
from release_gate.owners import Owners, minutes, public_holidays, weekdays

REST = """\
version: 1
model: flight-delay
contracts: {c.yml: d.parquet}
candidate: {train: t, predict: p}
evaluation: {data: e.parquet, key: k, label: l}
thresholds: [{metric: roc_auc, at_least: 0.7}]
"""
FULL = """\
owner:
  people: ["@octo-air", "@octo-air/ml"]
  hours: {days: mon-fri, from: "09:00", to: "17:30", zone: Europe/Berlin, holidays: [2026-12-24], holidays_of: DE-BE}
  out_of_hours: ["@octo-air/on-call"]
  members: {"@octo-air/on-call": ["@octo-air", "@octocat"]}
"""


def owner(text: str) -> Owners:
    return parsed(parse((REST + text).encode(), "release-gate.yml")).models[0].owner


def test_one_name_decides_at_all_hours() -> None:
    assert owner('owner: "@octo-air/ml"\n') == Owners.of("@octo-air/ml")
    assert str(owner('owner: "@octo-air"\n')) == "@octo-air"


def test_the_whole_form_is_read_and_told_again() -> None:
    found = owner(FULL)
    assert found.hours is not None
    assert (found.hours.from_, found.hours.to, found.hours.overnight) == ("09:00", "17:30", False)
    assert str(found) == ("@octo-air, @octo-air/ml (mon-fri 09:00 to 17:30 Europe/Berlin), else @octo-air/on-call")
    assert found.names == ("@octo-air", "@octo-air/ml", "@octo-air/on-call")
    assert found.persons(found.names) == (("@octo-air", "@octocat"), ("@octo-air/ml",))
    assert found.hours.holiday(date(2026, 12, 24)) == "a holiday"
    assert found.hours.holiday(date(2026, 12, 25)) == "Christmas Day"
    assert found.hours.holiday(date(2026, 3, 8)) == "Women's Day", "of the part of the country"
    assert found.hours.holiday(date(2026, 12, 28)) is None


@pytest.mark.parametrize(
    ("written", "days"),
    [
        ("mon-fri", {0, 1, 2, 3, 4}),
        ("sun-thu", {6, 0, 1, 2, 3}),
        ("Mon, wed ,FRI", {0, 2, 4}),
        ("sat", {5}),
        ("fri-mon,wed", {4, 5, 6, 0, 2}),
        ("mon-sun", set(range(7))),
        ("tue-mon", set(range(7))),
        ("wed-wed", {2}),
    ],
)
def test_days_go_over_the_end_of_the_week(written: str, days: set[int]) -> None:
    assert weekdays(written) == days


@pytest.mark.parametrize("written", ["", "mon-", "-fri", "monday", "mon-fri-sun", "mon;tue", "1-5"])
def test_what_names_no_days_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="mon-fri, sun-thu"):
        weekdays(written)


def test_times_of_day() -> None:
    assert [minutes(one) for one in ("00:00", "09:05", "23:59", "24:00")] == [0, 545, 1439, 1440]
    for wrong in ("9:00", "24:01", "25:00", "12:60", "12", "12:00 ", "noon"):
        with pytest.raises(ValueError, match="HH:MM"):
            minutes(wrong)


@pytest.mark.parametrize(
    ("change", "line", "told"),
    [
        (("Europe/Berlin", "Europe/Berln"), 9, "no time zone is called so; did you mean Europe/Berlin?"),
        (("Europe/Berlin", "../etc/passwd"), 9, "no time zone is called so"),
        (("Europe/Berlin", "localtime"), 9, "no time zone is called so"),
        (('"17:30"', '"09:00"'), 9, "from and to are the same time"),
        (('"09:00"', '"24:00"'), 9, 'begins at "00:00"'),
        (('"09:00"', "9"), 9, "string"),
        (("mon-fri", "weekdays"), 9, "write days as mon-fri"),
        (("2026-12-24", "24.12.2026"), 9, "write a date as YYYY-MM-DD"),
        (("2026-12-24", "20261224"), 9, "write a date as YYYY-MM-DD"),
        (("2026-12-24", "2026-02-30"), 9, "date"),
        (("DE-BE", "XX"), 9, "not known"),
        (("DE-BE", "DE-QQ"), 9, "not known"),
        (("DE-BE", "Germany"), 9, "such as DE"),
        (("from:", "form:"), 9, "did you mean 'from'?"),
        (('  out_of_hours: ["@octo-air/on-call"]\n', ""), 7, "out_of_hours must say who decides at night"),
        (('"@octo-air/on-call": ["@octo-air", ', '"@octo-air/oncall": ["@octo-air", '), 7, "at no hour"),
        (('"@octo-air/on-call": ["@octo-air", ', '"@octo-air": ["@octo-air", '), 7, "is a user"),
        (('["@octo-air", "@octocat"]', '["@octo-air/ml"]'), 7, "is a team; name its people"),
        (('["@octo-air", "@octocat"]', "[]"), 11, "this is empty: write at least one"),
        (('people: ["@octo-air", ', 'people: ["octo-air", '), 8, "write @user or @organisation/team"),
    ],
)
def test_each_mistake_is_told_with_its_place(change: tuple[str, str], line: int, told: str) -> None:
    text = FULL.replace(*change)
    assert text != FULL
    with pytest.raises(BadInput) as refused:
        owner(text)
    found = [one for one in refused.value.findings if told in one.message]
    assert found, refused.value
    assert found[0].where.line == line


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("owner: octocat\n", "write @user or @organisation/team"),
        ('owner: ["@octocat"]\n', "or a mapping"),
        ("owner: 7\n", "or a mapping"),
        ("owner: {}\n", "this key is needed"),
        ('owner: {people: ["@a"], out_of_hours: ["@b"]}\n', "means nothing without hours"),
    ],
)
def test_other_forms_are_refused(written: str, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        owner(written)


@pytest.mark.parametrize(
    ("text", "right"),
    [
        (FULL, True),
        ('owner: "@octo-air/ml"\n', True),
        ("owner: octocat\n", False),
        (FULL.replace("hours:", "hourz:"), False),
    ],
)
def test_the_schema_for_editors_knows_both_forms(text: str, *, right: bool) -> None:
    value = json.loads(json.dumps(yaml.safe_load(REST + text), default=str))
    assert jsonschema.Draft202012Validator(json_schema()).is_valid(value) == right


def test_public_holidays_are_those_of_the_year() -> None:
    assert public_holidays("DE", 2027)[date(2027, 5, 1)]
    with pytest.raises(NotImplementedError):
        public_holidays("XX", 2026)
