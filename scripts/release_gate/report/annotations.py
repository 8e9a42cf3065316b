"""Annotations at the lines findings speak of: as many as GitHub shows of each level, the worst first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from release_gate.gates.overall import Overall
from release_gate.report import escape
from release_gate.verdict import Finding, Severity

MOST = 10
"""What GitHub keeps of a level in a step; it drops the others without a word."""

_LEVEL = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def commands(overalls: Sequence[Overall], folder: str = "") -> list[str]:
    """Workflow commands; `folder` leads from the repository's top to the folder that findings' files count from.

    Notes come only where they speak of a file: the others would fill the page and ask for nothing.
    """
    errors = [(overall.model, gate, found) for overall in overalls for gate, found in overall.errors]
    others = [
        (overall.model, verdict.gate, found)
        for overall in overalls
        for verdict in overall.verdicts
        for found in verdict.findings
    ]
    warnings = [entry for entry in others if entry[2].severity is Severity.WARNING]
    notes = [entry for entry in others if entry[2].severity is Severity.NOTE and entry[2].where.file]
    lines: list[str] = []
    for level in (errors, warnings, notes):
        lines.extend(_command(*entry, folder) for entry in level[:MOST])
        if len(level) > MOST:
            lines.append(f"release-gate: {len(level) - MOST} more of these are in the summary.")
    return lines


def _command(model: str, gate: str, found: Finding, folder: str) -> str:
    file = _file(found.where.file, folder)
    remedy = f"\nTo do: {found.remedy}" if found.severity is not Severity.NOTE else ""
    place = str(found.where)
    message = found.message if file or not place else f"{place}: {found.message}"
    return escape.command(
        _LEVEL[found.severity],
        escape.cut(message, 2000) + escape.cut(remedy, 1000),
        title=f"{model}: {gate}: {found.code}",
        file=file,
        line=found.where.line if file else None,
        column=found.where.column if isinstance(found.where.column, int) else None,
    )


def _file(file: str | None, folder: str) -> str:
    if not file or file.startswith("/") or ".." in PurePosixPath(file).parts:
        return ""
    return str(PurePosixPath(folder, file))
