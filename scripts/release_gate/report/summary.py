"""The job summary: every model's page in full, within what GitHub shows."""

from __future__ import annotations

from collections.abc import Sequence

from release_gate.gates.overall import Overall
from release_gate.report.cells import SIGN
from release_gate.report.comment import comment
from release_gate.report.markdown import written
from release_gate.report.page import DECISION, Origin

LIMIT = 1024 * 1024
"""A step's summary, in bytes; a larger one is dropped whole by GitHub."""


def summary(overalls: Sequence[Overall], origin: Origin, limit: int = LIMIT) -> str:
    """One document for all models, the room shared evenly."""
    head = written("summary.md.jinja", overalls=overalls, signs=SIGN, decisions=DECISION) if len(overalls) > 1 else ""
    room = (limit - len(head.encode())) // max(len(overalls), 1) - 10
    pages = [comment(overall, origin, limit=room).rstrip() for overall in overalls]
    return "\n\n---\n\n".join([head.rstrip(), *pages] if head else pages) + "\n"
