"""Annotations: the worst first, as many as GitHub keeps, at the right file."""

from __future__ import annotations

from release_gate.report.annotations import commands
from release_gate.verdict import Where
from tests.report import cases


def test_an_error_stands_at_its_line_below_the_folder_of_the_configuration() -> None:
    first = commands([cases.unit_changed()], "services/delay")[0]
    assert first.startswith("::error file=services/delay/flight_delay/features.py,line=41,title=")
    assert "%0ATo do: Compute the column" in first


def test_errors_come_before_warnings_and_ten_of_each_at_most() -> None:
    lines = commands([cases.oversized()])
    assert sum(line.startswith("::error") for line in lines) == 10
    assert lines[10] == "release-gate: 290 more of these are in the summary."
    assert not any(line.startswith("::notice") for line in lines)


def test_a_note_comes_only_with_a_file_and_a_place_is_told_where_there_is_none() -> None:
    noted = cases.found("note", "config-default", "default", where=Where(file="release-gate.yml", line=3, column=2))
    warned = cases.found("warning", "value-null", "nulls", where=Where(table="flights", column="c"))
    overall = cases.together(cases.verdict("schema-check", findings=[noted, warned]))
    lines = [line for line in commands([overall]) if not line.startswith("::error")]
    assert lines == [
        (
            "::warning title=flight-delay%3A schema-check%3A value-null::flights, column c: nulls"
            "%0ATo do: See the gate's page."
        ),
        "::notice file=release-gate.yml,line=3,col=2,title=flight-delay%3A schema-check%3A config-default::default",
    ]


def test_a_stranger_s_path_names_no_file_outside_and_no_second_command() -> None:
    lines = commands([cases.hostile()])
    assert not any("file=.." in line for line in lines)
    assert all(line.startswith(("::error", "::warning", "::notice")) and "\n" not in line for line in lines)
