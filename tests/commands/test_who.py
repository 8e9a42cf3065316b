"""Who decides at a moment, as a person and as a program reads it."""

from __future__ import annotations

import json

import pytest

from release_gate.commands import holds
from tests.tiny.calling import call, context
from tests.tiny.project import Project

Capture = pytest.CaptureFixture[str]
HOURS = (
    '{people: ["@octo-air", "@octo-air/ml"], '
    'hours: {days: mon-fri, from: "09:00", to: "17:30", zone: Europe/Berlin, holidays_of: DE}, '
    'out_of_hours: ["@octo-air/on-call"], members: {"@octo-air/on-call": ["@octocat"]}}'
)


@pytest.fixture
def staffed(project: Project) -> Project:
    project.replace("release-gate.yml", '"@octo-air"', HOURS)
    return project


def hold(project: Project, *words: str) -> None:
    holds.hold.main([*words], obj=context(project, GITHUB_ACTOR="hubot"), standalone_mode=False)


def test_at_night_those_on_call(staffed: Project, capsys: Capture) -> None:
    said = call(staffed, capsys, "who", "--at", "2026-12-24T20:00Z")
    lines = [line.split(maxsplit=1) for line in said.text.splitlines()[3:]]
    assert said.code == 0
    assert dict(lines[:2]) == {"at": "Thu 2026-12-24 21:00 CET (2026-12-24 20:00Z)", "decides": "@octo-air/on-call"}
    assert "@octo-air/on-call is  @octocat" in said.text
    assert "until                 Mon 2026-12-28 09:00 CET (2026-12-28 08:00Z)" in said.text
    assert "then                  @octo-air, @octo-air/ml" in said.text


def test_on_a_holiday_the_reason_names_it(staffed: Project, capsys: Capture) -> None:
    found = json.loads(call(staffed, capsys, "who", "--at", "2026-12-25T11:00+01:00", "--format", "json").text)
    assert found == {
        "tiny": {
            "at": "2026-12-25T10:00:00+00:00",
            "people": ["@octo-air/on-call"],
            "persons": ["@octocat"],
            "unlisted": [],
            "reason": "holiday",
            "because": "Fri 2026-12-25 is a holiday, Christmas Day",
            "until": "2026-12-28T08:00:00+00:00",
            "then": ["@octo-air", "@octo-air/ml"],
            "held": None,
        }
    }


def test_in_hours(staffed: Project, capsys: Capture) -> None:
    found = json.loads(call(staffed, capsys, "who", "--at", "2026-06-01T12:00Z", "--format", "json").text)["tiny"]
    assert (found["people"], found["unlisted"]) == (["@octo-air", "@octo-air/ml"], ["@octo-air/ml"])
    assert "decides" in call(staffed, capsys, "who", "--format", "markdown").text


def test_that_releases_are_held_stands_above_who_could_let_them_go_on(project: Project, capsys: Capture) -> None:
    hold(project, "--because", "the *pager* rang")
    capsys.readouterr()
    first, second, *_ = call(project, capsys, "who").text.splitlines()
    assert first.startswith("  tiny: releases are held since 20")
    assert "Z by hubot: the *pager* rang; to let them go on: release-gate hold --lift --model tiny" in first
    assert second == "  tiny: who decides"
    markdown = call(project, capsys, "who", "--format", "markdown").text
    assert markdown.startswith("tiny: releases are held since")
    assert "*pager*" not in markdown
    held = json.loads(call(project, capsys, "who", "--format", "json").text)["tiny"]["held"]
    assert (held["by"], held["because"], held["package"]) == ("hubot", "the *pager* rang", None)


def test_who_decides_is_told_even_where_the_ledger_can_not_be_read(project: Project, capsys: Capture) -> None:
    hold(project, "--because", "x")
    capsys.readouterr()
    for file in (project.root / ".release-gate/registry/ledger").rglob("*.json"):
        file.write_text("{}")
    said = call(project, capsys, "who")
    assert said.code == 0
    assert "whether releases are held can't be told: " in said.text
    assert "decides  @octo-air" in said.text
    found = json.loads(call(project, capsys, "who", "--format", "json").text)["tiny"]
    assert list(found["held"]) == ["unknown"]


def test_one_who_decides_at_all_hours_and_now(project: Project, capsys: Capture) -> None:
    said = call(project, capsys, "who")
    assert "decides  @octo-air" in said.text
    assert "until" not in said.text


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        ("tomorrow", "write a moment such as"),
        ("2026-12-24T20:00", "say in which zone, such as 2026-12-24T20:00Z"),
        ("2026-12-24", "say in which zone"),
        ("1800-01-01T00:00Z", "the year must be from 1980"),
        ("9999-12-31T23:59-12:00", "the year must be from 1980"),
    ],
)
def test_a_moment_must_be_one(staffed: Project, capsys: Capture, moment: str, told: str) -> None:
    said = call(staffed, capsys, "who", "--at", moment)
    assert said.code == 2
    assert told in said.text
