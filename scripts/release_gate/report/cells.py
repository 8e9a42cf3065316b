"""Scalars and tables as Markdown: numbers a person can compare, outcomes with a sign, columns aligned by kind."""

from __future__ import annotations

import math
from collections.abc import Sequence

from release_gate.report import escape
from release_gate.verdict import Outcome, Scalar

SIGN = {
    Outcome.PASS: "✅",
    Outcome.FAIL: "❌",
    Outcome.INCONCLUSIVE: "🟡",
    Outcome.ERROR: "⚠️",
    Outcome.SKIPPED: "⏭️",
}
_OUTCOMES = {outcome.value: sign for outcome, sign in SIGN.items()}
NOTHING = "\N{EN DASH}"
_MINUS = "\N{MINUS SIGN}"
_SIGNED = ("difference", "change", "delta")
_NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}  # as JSON carries them
Row = Sequence[Scalar]


class Safe(str):
    """Text that is Markdown already; everything else is escaped where a template puts it."""

    __slots__ = ()


def number(value: float, *, signed: bool = False) -> str:
    """A number at four significant digits; a difference carries its sign."""
    if math.isnan(value):
        return NOTHING
    if math.isinf(value):
        return f"{_MINUS}∞" if value < 0 else "∞"
    if isinstance(value, int) or (value.is_integer() and abs(value) >= 1000):
        shown = f"{int(value):+,}" if signed else f"{int(value):,}"
    else:
        shown = f"{value:+.4g}" if signed else f"{value:.4g}"
    return shown.replace("-", _MINUS, 1) if shown.startswith("-") else shown


def scalar(value: Scalar, column: str = "", most: int = 300) -> Safe:
    """One cell; `column` decides what a word or a number means."""
    named = column.strip().lower()
    if value is None or value == "":
        return Safe("all rows" if named == "slice" else NOTHING)
    if isinstance(value, bool):
        return Safe("yes" if value else "no")
    if isinstance(value, str) and value in _NOT_FINITE:
        value = _NOT_FINITE[value]
    if isinstance(value, int | float):
        return Safe(number(value, signed=named in _SIGNED))
    if named == "outcome" and value in _OUTCOMES:
        return Safe(f"{_OUTCOMES[value]} {value}")
    return Safe(escape.text(value, most))


def grid(columns: Sequence[str], rows: Sequence[Row], most: int = 300) -> Safe:
    """A Markdown table; a row that is short or long is made to fit, as readers of Markdown would do it."""
    width = len(columns)
    fitted = [[*row[:width], *[None] * (width - len(row))] for row in rows]
    align = ["--:" if _numeric([row[index] for row in fitted]) else ":--" for index in range(width)]
    lines = [_line([escape.text(column, 100) or " " for column in columns]), _line(align)]
    lines += [
        _line([scalar(value, column, most) for value, column in zip(row, columns, strict=True)]) for row in fitted
    ]
    return Safe("\n".join(lines))


def _numeric(values: list[Scalar]) -> bool:
    told = [_NOT_FINITE.get(value, value) if isinstance(value, str) else value for value in values if value is not None]
    return bool(told) and all(isinstance(value, int | float) and not isinstance(value, bool) for value in told)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
