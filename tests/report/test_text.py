"""Verdicts on a terminal and in a job's log."""

from __future__ import annotations

import click

from release_gate.report.text import rendered
from release_gate.verdict import Verdict
from tests.report import cases


def test_findings_come_worst_first_with_their_remedies() -> None:
    text = click.unstyle(rendered(cases.unit_changed().verdicts[4]))
    assert text.startswith("FAIL  threshold-comparison  flight-delay  (2.0 s)")
    assert text.index("error [threshold-missed]") < text.index("warning [threshold-inconclusive]")
    assert "remedy: Find what changed for all rows" in text


def test_no_line_of_a_hostile_verdict_is_a_command() -> None:
    for verdict in cases.hostile().verdicts:
        lines = click.unstyle(rendered(verdict)).splitlines()
        assert not any(line.strip().startswith("::") or "##[" in line for line in lines)


def test_no_line_of_a_hostile_verdict_s_json_is_a_command_and_it_reads_the_same() -> None:
    for verdict in cases.hostile().verdicts:
        lines = verdict.to_json().decode()
        assert "##[" not in lines
        assert not any(line.strip().startswith("::") for line in lines.splitlines())
        assert Verdict.parse(lines.encode()).findings == verdict.findings
