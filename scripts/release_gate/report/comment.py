"""The comment on a pull request: the decision first, why, what to do, what changed; cut to fit, never the outcome."""

from __future__ import annotations

from collections.abc import Iterator

from release_gate.gates.overall import Overall
from release_gate.report.cells import Safe
from release_gate.report.markdown import written
from release_gate.report.page import Detail, Origin, Page

LIMIT = 65_536
"""What GitHub takes, in characters; we count bytes, which are never fewer."""

LEVELS = (
    Detail(reasons=20, remarks=60, rows=200, tables=20, subjects=60, evidence=12, text=2000),
    Detail(reasons=15, remarks=30, rows=60, tables=10, subjects=30, evidence=8, text=800),
    Detail(reasons=10, remarks=15, rows=20, tables=6, subjects=15, evidence=5, text=400),
    Detail(reasons=8, remarks=5, rows=8, tables=3, subjects=10, evidence=3, text=200),
    Detail(reasons=5, remarks=0, rows=0, tables=0, subjects=5, evidence=0, text=100),
    Detail(reasons=1, remarks=0, rows=0, tables=0, subjects=0, evidence=0, text=60),
)
"""From all a reader may want to what nobody can do without."""


def comment(overall: Overall, origin: Origin, marker: str = "", limit: int = LIMIT) -> str:
    """The comment for one model, beginning with the hidden marker, in at most `limit` bytes."""
    head = f"{marker}\n" if marker else ""
    room = limit - len(head.encode())
    for body in _attempts(overall, origin, marked=bool(marker)):
        if len(body.encode()) <= room:
            return head + body
    return head + written("shortest.md.jinja", page=Page(overall, origin, LEVELS[-1]))


def _attempts(overall: Overall, origin: Origin, *, marked: bool) -> Iterator[str]:
    for detail in LEVELS:
        page = Page(overall, origin, detail)
        # The body is made first: only then is it known what was left out.
        body = Safe(written("model.md.jinja", page=page).strip())
        yield written(
            "comment.md.jinja",
            page=page,
            body=body,
            left=str(page.left),
            marked=marked,
            run_url=Safe(origin.run_url or ""),
        )
