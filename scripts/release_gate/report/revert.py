"""The pull request that reverts a bad version, in words: what happened, what merging it does and does not do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from release_gate.report import escape
from release_gate.report.markdown import written
from release_gate.report.release import link, moment, short

LONGEST_TITLE = 250
"""Characters; GitHub takes a few more."""


@dataclass(frozen=True)
class Reverted:
    """What was taken from the users, and which pull request had brought it."""

    model: str
    digest: str
    restored: str | None
    what: Literal["taken-back", "rolled-back"]
    at: datetime
    number: int
    url: str
    title: str
    by: str = ""
    because: str = ""
    held: bool = True
    run_url: str | None = None


def revert_title(view: Reverted) -> str:
    """As GitHub's button names it."""
    title = escape.one_line(view.title)
    most = LONGEST_TITLE - len('Revert ""')
    return f'Revert "{title if len(title) <= most else title[: most - 1] + "…"}"'


def revert_body(view: Reverted, marker: str) -> str:
    """The description, beginning with its hidden marker."""
    body = written(
        "revert.md.jinja",
        view=view,
        pull=link(f"pull request {view.number}", view.url) or f"pull request {view.number}",
        version=short(view.digest),
        restored=short(view.restored) if view.restored else None,
        because=escape.cut(view.because, 2000),
        at=moment(view.at),
        run=link("the run", view.run_url),
    )
    return f"{marker}\n{body}"
