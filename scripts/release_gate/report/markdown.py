"""Markdown from templates: what a template puts out is escaped unless it is Markdown of our own making."""

from __future__ import annotations

import functools
from typing import Any

import jinja2

from release_gate.gates.overall import Overall
from release_gate.report import escape
from release_gate.report.cells import Safe
from release_gate.report.page import Detail, Origin, Page
from release_gate.verdict import Verdict

WHOLE = Detail(reasons=500, remarks=500, rows=2000, tables=50, subjects=500, evidence=20, text=4000)


def verdict_markdown(verdict: Verdict) -> str:
    """One gate's verdict as a document."""
    page = Page(Overall(verdict.model, verdict.outcome, (verdict,)), Origin(), WHOLE)
    return written("verdict.md.jinja", page=page, verdict=verdict)


def written(template: str, **values: Any) -> str:
    """A template filled in, without blank lines at its ends or more than one within."""
    lines: list[str] = []
    for line in _environment().get_template(template).render(**values).strip().split("\n"):
        if line.strip() or (lines and lines[-1]):
            lines.append(line.rstrip() if line.strip() else "")
    return "\n".join(lines) + "\n"


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("release_gate.report"),
        undefined=jinja2.StrictUndefined,
        finalize=_safe,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701 - escaping for HTML would not do for Markdown: `finalize` escapes every value
    )
    environment.filters["code"] = lambda value: Safe(escape.code(str(value)))
    environment.filters["html"] = lambda value: Safe(escape.html(str(value)))
    return environment


def _safe(value: Any) -> str:
    return value if isinstance(value, Safe) else escape.text(str(value), 8000)
