"""Totals by version as JSON, printed by a command of the caller."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from release_gate.commandlines import filled
from release_gate.counts import Counts
from release_gate.edges import Completed, Runner
from release_gate.rollouts import Counted
from release_gate.sources import counting
from release_gate.sources.asking import Asked, parsed, shown

LINES = 5


def read(source: Counted, runner: Runner, cwd: Path, versions: Collection[str]) -> dict[str, Counts]:
    """The totals of these versions; one that is not printed is absent.

    Raises:
        CannotJudge: a `source-…` code.
        BadInput: `command-missing`, `command-malformed`.
    """
    asked = Asked(f"the command `{source.run[:300]}`")
    done = runner.run(filled(source.run, {}), cwd=cwd, environment={}, limit=source.limit)
    if not done.ok or done.flooded:
        raise asked.refused("source-command-failed", _how(done, source.limit))
    printed = parsed(_last_object(done.tail), asked)
    if not isinstance(printed, dict):
        raise asked.refused("source-shape", f"it printed no object of versions but {shown(printed)}")
    known = counting.by_version(printed.items(), versions, asked)
    if not known:
        raise counting.none_known(printed, versions, asked, "the keys of what it printed")
    return {version: _counts(entry, asked, version) for version, entry in known.items()}


def _counts(entry: Any, asked: Asked, version: str) -> Counts:
    if not isinstance(entry, dict):
        raise asked.refused("source-shape", f"{version} has {shown(entry)}, no object with requests and errors")
    totals: dict[str, int] = {}
    for metric in ("requests", "errors", "slow"):
        here = Asked(asked.source, metric)
        if entry.get(metric) is not None:
            totals[metric] = counting.total(entry[metric], here, version)
        elif metric != "slow":
            raise here.refused("source-shape", f"{version} has no {metric}: {shown(entry)}")
    return counting.counts(totals, asked, version)


def _last_object(tail: str) -> str:
    """What was printed from the last line on that begins an object: warnings may stand before it."""
    lines = tail.splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("{")]
    return "\n".join(lines[starts[-1] :]) if starts else tail


def _how(done: Completed, limit: float) -> str:
    if done.timed_out:
        how = f"it was ended after {limit:g} s"
    elif done.flooded:
        how = "it printed without end"
    else:
        how = f"it ended with status {done.status}"
    last = "\n".join(done.tail.rstrip().splitlines()[-LINES:])[-2000:]
    return f"{how}\n{last}" if last else f"{how} and printed nothing"
