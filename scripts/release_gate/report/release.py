"""The comment on the pull request that brought a release: what its version takes now, why, and what to do next."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from release_gate.report import cells, escape
from release_gate.report.cells import Safe
from release_gate.report.comment import LIMIT
from release_gate.report.markdown import written

Phase = Literal["registered", "production", "rolling-out", "baking", "promoted", "taken-back", "rolled-back"]
Standing = Literal["watching", "passed", "harmful", "starved", "blind", "stopped"]

_SIGNS: dict[Phase, str] = {
    "registered": "📦",
    "production": "📦",
    "rolling-out": "🚦",
    "baking": "🚦",
    "promoted": "✅",
    "taken-back": "⏪",
    "rolled-back": "⏪",
}
_STANDING: dict[Standing, tuple[str, str]] = {
    "watching": ("⏳", "is watched"),
    "passed": ("✅", "no harm seen"),
    "harmful": ("❌", "harm seen"),
    "starved": ("🟡", "too little traffic to tell"),
    "blind": ("🟡", "could not be measured"),
    "stopped": ("⏹️", "ended early, without proof"),
}
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.:-]+(/[A-Za-z0-9._~/%-]*)?")


@dataclass(frozen=True)
class Answers:
    """What one version answered during a step; `slow` is None where nobody measures it."""

    version: str
    requests: int
    errors: int
    slow: int | None = None


@dataclass(frozen=True)
class Step:
    """A share of traffic: since when, for how many seconds so far, what was seen."""

    share: float
    since: datetime
    seconds: float
    standing: Standing
    answers: tuple[Answers, ...] = ()


@dataclass(frozen=True)
class Release:
    """A release as its pull request is told of it.

    `serves`: shares of traffic by digest, as read back from the target; empty where that is not known. `by` is empty
    where nobody pressed a button. `brought_by` is the number of the pull request that brought the version, where
    another one is told. `revert` is number and address of the pull request that reverts it, `commands` what a person
    types where there is none. `owed`: what the next run still has to do.
    """

    model: str
    digest: str
    commit: str
    phase: Phase
    sequence: int
    at: datetime
    replaces: str | None = None
    share: float = 0.0
    by: str = ""
    because: str = ""
    serves: tuple[tuple[str, float], ...] = ()
    steps: tuple[Step, ...] = ()
    to_do: str = ""
    brought_by: int | None = None
    revert: tuple[int, str] | None = None
    commands: tuple[str, ...] = ()
    owed: tuple[str, ...] = ()
    run_url: str | None = None


class Level(NamedTuple):
    """How much is told: characters of a text, steps, lines."""

    text: int
    steps: int
    lines: int


LEVELS = (Level(2000, 60, 60), Level(600, 20, 12), Level(150, 5, 4), Level(80, 0, 0))


def release_comment(view: Release, marker: str = "", limit: int = LIMIT) -> str:
    """The comment, beginning with its hidden marker, in at most `limit` bytes; the headline is never cut."""
    head = f"{marker}\n" if marker else ""
    for body in _attempts(view):
        if len((head + body).encode()) <= limit:
            break
    return head + body


def _attempts(view: Release) -> Iterator[str]:
    for level in LEVELS:
        shown = view.steps[-level.steps :] if level.steps else ()
        yield written(
            "release.md.jinja",
            view=view,
            sign=_SIGNS[view.phase],
            headline=_headline(view),
            because=escape.cut(view.because, level.text),
            to_do=escape.cut(view.to_do, level.text),
            serves=Safe(_serving(view)),
            steps=[
                (_STANDING[one.standing], percent(one.share), moment(one.since), span(one.seconds)) for one in shown
            ],
            left=len(view.steps) - len(shown),
            counts=_counts(view, shown),
            version=short(view.digest),
            commit=Safe(f", commit {escape.code(view.commit[:10])}") if view.commit else "",
            before=Safe(f"; before it {escape.code(short(view.replaces))}") if view.replaces else "",
            revert=_revert(view),
            commands=Safe(escape.block("\n".join(view.commands))) if view.commands and level.lines else None,
            owed=[escape.cut(one, level.text) for one in view.owed[: level.lines]],
            owed_more=len(view.owed) - len(view.owed[: level.lines]),
            at=moment(view.at),
            run=link("run", view.run_url),
        )


def _headline(view: Release) -> str:
    by = f" by {view.by}" if view.by else ""
    what = {
        "registered": "is registered, and takes no traffic yet",
        "production": "is registered and counts as production: no rollout is declared",
        "rolling-out": f"takes {percent(view.share)} of the traffic",
        "baking": "takes all traffic and is still watched",
        "promoted": "serves all users",
        "taken-back": f"was taken back{by or ' automatically'}",
        "rolled-back": f"was rolled back{by}",
    }[view.phase]
    return f"of {_whose(view)} {what}"


def _whose(view: Release) -> str:
    return "this pull request" if view.brought_by is None else f"pull request {view.brought_by}"


def _serving(view: Release) -> str:
    names = {view.digest: f"the version of {_whose(view)}", view.replaces: "the version before"}
    told = []
    for digest, share in view.serves:
        if share > 0:
            part = f" with {percent(share)} of the traffic" if share < 1 else ""
            name = f", {names[digest]}" if digest in names and not part else ""
            told.append(f"{escape.code(short(digest))}{name}{part}")
    return ", ".join(told)


def _counts(view: Release, steps: Sequence[Step]) -> Safe | None:
    """Answers by version, step for step: never added up over steps, whose shares differ."""
    rows: list[list[str]] = []
    measured = any(one.slow is not None for step in steps for one in step.answers)
    for step in steps:
        share = percent(step.share)
        for one in step.answers:
            role = {view.digest: "new", view.replaces: "before"}.get(one.version, f"`{short(one.version)}`")
            row = [share, role, cells.number(one.requests), _part(one.errors, one.requests)]
            rows.append([*row, _part(one.slow, one.requests)] if measured else row)
            share = ""
    if not rows:
        return None
    columns = ["Traffic", "Version", "Answers", "Errors", *(["Slow"] if measured else [])]
    lines = [columns, ["--:", ":--", *["--:"] * (len(columns) - 2)]]
    lines += [[escape.text(cell, 120) or " " for cell in row] for row in rows]
    return Safe("\n".join(f"| {' | '.join(line)} |" for line in lines))


def _part(count: int | None, of: int) -> str:
    if count is None:
        return cells.NOTHING
    return f"{count:,} ({100 * count / of:.2g}%)" if count and of else f"{count:,}"


def _revert(view: Release) -> Safe | None:
    if view.revert is None:
        return None
    number, url = view.revert
    return link(f"pull request {number}", url) or Safe(f"pull request {number}")


def link(label: str, url: str | None) -> Safe | None:
    """A link to an address that is one and nothing else."""
    return Safe(f"[{label}]({url})") if url and _ADDRESS.fullmatch(url) else None


def short(digest: str) -> str:
    """The first characters of a digest, enough to tell versions apart by eye."""
    return digest.removeprefix("sha256:")[:12]


def percent(share: float) -> str:
    """`5%`, `0.25%`."""
    return f"{100 * share:.4g}%"


def moment(at: datetime) -> str:
    """`2026-03-01 14:05 UTC`."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def span(seconds: float) -> str:
    """`45 s`, `10 min`, `2 h 5 min`."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
