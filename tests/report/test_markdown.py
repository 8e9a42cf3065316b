"""One verdict as Markdown, as `--format markdown` prints it."""

from __future__ import annotations

from pathlib import Path

import jinja2
import pytest

from release_gate.report.cells import Safe, grid, number, scalar
from release_gate.report.markdown import verdict_markdown, written
from tests.conftest import Golden
from tests.report import cases
from tests.report.rendering import assert_ours

GOLDEN = Path(__file__).parent / "golden"


def test_a_verdict_as_reviewed(golden: Golden) -> None:
    text = verdict_markdown(cases.unit_changed().verdicts[4])
    assert_ours(text)
    golden(GOLDEN / "verdict_threshold.md", text)


def test_a_hostile_verdict_prints_no_command() -> None:
    for verdict in cases.hostile().verdicts:
        assert_ours(verdict_markdown(verdict))


def test_a_template_that_names_what_is_not_there_fails() -> None:
    with pytest.raises(jinja2.UndefinedError):
        written("shortest.md.jinja", page=object())


def test_what_a_template_puts_out_is_escaped_unless_made_by_us() -> None:
    from release_gate.report.markdown import _environment

    template = _environment().from_string("{{ a }} {{ b }} {{ a|code }} {{ 3 }}")
    assert template.render(a="<x>", b=Safe("**b**")) == "&lt;x&gt; **b** `<x>` 3"


@pytest.mark.parametrize(
    ("value", "signed", "shown"),
    [
        (0.74213, False, "0.7421"),
        (-0.0557, True, "\u22120.0557"),
        (0.0062, True, "+0.0062"),
        (12345, False, "12,345"),
        (3, True, "+3"),
        (float("nan"), False, "\u2013"),
        (float("inf"), False, "∞"),
        (-float("inf"), False, "\u2212∞"),
        (123456.0, False, "123,456"),
    ],
)
def test_numbers_can_be_compared_at_a_glance(value: float, signed: bool, shown: str) -> None:
    assert number(value, signed=signed) == shown


def test_cells_say_what_their_column_means() -> None:
    assert scalar(None, "slice") == "all rows"
    assert scalar("fail", "outcome") == "❌ fail"
    assert scalar("fail", "reason") == "fail"
    assert scalar(True) == "yes"
    assert scalar("NaN") == "\u2013"
    assert scalar(0.5, "Difference") == "+0.5"


def test_a_column_of_numbers_is_aligned_to_the_right_and_rows_are_made_to_fit() -> None:
    lines = grid(["a", "b"], [[1, "x"], [2], ["Infinity", "y", "z"]]).split("\n")
    assert lines == ["| a | b |", "| --: | :-- |", "| 1 | x |", "| 2 | \u2013 |", "| ∞ | y |"]
