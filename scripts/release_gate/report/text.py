"""A verdict for a terminal: outcome, findings worst first, tables; colour is dropped by click off a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from release_gate.report.escape import terminal
from release_gate.verdict import Finding, Outcome, Scalar, Severity, Table, Verdict

if TYPE_CHECKING:
    from release_gate.gates.overall import Overall

_COLOUR = {
    Outcome.PASS: "green",
    Outcome.FAIL: "red",
    Outcome.ERROR: "red",
    Outcome.INCONCLUSIVE: "yellow",
    Outcome.SKIPPED: "cyan",
}


def plain(text: str) -> str:
    """Text that can neither repaint a terminal nor start a workflow command in a job's log."""
    return terminal(text)


def rendered(verdict: Verdict) -> str:
    """Several lines, without a final newline."""
    outcome = click.style(verdict.outcome.value.upper(), fg=_COLOUR[verdict.outcome], bold=True)
    lines = [f"{outcome}  {verdict.gate}  {plain(verdict.model)}  ({verdict.seconds:.1f} s)"]
    for severity in Severity:
        for found in verdict.of(severity):
            lines.extend(finding_lines(found))
    for table in verdict.tables:
        lines.extend(["", *table_lines(table)])
    return "\n".join(lines)


def finding_lines(found: Finding) -> list[str]:
    """A finding: place, code and message, then its remedy."""
    colour = {"error": "red", "warning": "yellow", "note": "cyan"}[found.severity.value]
    place = plain(str(found.where))
    head = f"  {click.style(found.severity.value, fg=colour)} [{found.code}] {place + ': ' if place else ''}"
    lines = [head + plain(found.message).replace("\n", "\n      | ")]
    if found.severity is not Severity.NOTE:
        lines.append(f"      remedy: {plain(found.remedy)}".replace("\n", "\n      | "))
    return lines


def table_lines(table: Table) -> list[str]:
    """A title, the columns, and a line a row."""
    rows = [[_cell(value) for value in row] for row in (list[Scalar](table.columns), *table.rows)]
    widths = [max(len(row[index]) for row in rows if index < len(row)) for index in range(len(table.columns))]
    body = [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip() for row in rows
    ]
    return [f"  {plain(table.title)}", body[0], "  " + "  ".join("-" * width for width in widths), *body[1:]]


def _cell(value: Scalar) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else plain(str(value)).replace("\n", " ")


_TOLD = 5
"""Reasons that the last lines repeat."""
_DECISIONS = {
    Outcome.PASS: "may be merged",
    Outcome.FAIL: "is blocked",
    Outcome.INCONCLUSIVE: "is blocked until it is proven",
    Outcome.ERROR: "is blocked: it could not be judged",
}


def decision(overall: Overall, comment: str | None) -> str:
    """The last lines: the first reasons, what was decided and by which gates, and where the comment stands."""
    good = (Outcome.PASS, Outcome.SKIPPED)
    gates = [
        f"{one.gate} ({one.outcome})"
        for one in overall.verdicts
        if one.outcome not in good and one.gate not in overall.waiting
    ]
    gates += [f"{gate} (no verdict)" for gate in overall.missing]
    why = f" by {', '.join(gates)}" if gates else ""
    errors = overall.errors
    reasons = [f"  {number}. {one.message} [{one.code}]" for number, (_, one) in enumerate(errors[:_TOLD], 1)]
    if len(errors) > _TOLD:
        reasons.append(f"  … and {len(errors) - _TOLD} more")
    told = "".join(f"{plain(one).splitlines()[0]}\n" for one in reasons)
    where = f"; the comment: {plain(comment)}" if comment else ""
    return f"\n{told}{plain(overall.model)} {_DECISIONS[overall.outcome]}{why}{where}"
