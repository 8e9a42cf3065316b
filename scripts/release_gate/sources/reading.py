"""Running totals by version, from whatever source is declared.

A source that knows one of the versions asked for, but not another, says that the other has answered nothing it knows
of: counters by version appear with the first answer. Such a version is absent from the result, never read as 0, so
that its later totals can't pass for answers of one window; nothing is promoted without counted answers. A source that
knows none of them is misread, and refused.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from release_gate.counts import Counts
from release_gate.edges import Clock, Runner, Session
from release_gate.rollouts import Source
from release_gate.sources import command, http, prometheus


def read(
    source: Source, *, session: Session, clock: Clock, runner: Runner, cwd: Path, versions: Collection[str]
) -> dict[str, Counts]:
    """The totals of these versions, named by digest; a command runs in `cwd`.

    Raises:
        CannotJudge: the `source-…` code that says what kept the totals from being read.
        BadInput: there is no such command, or it is malformed.
    """
    if source.prometheus is not None:
        return prometheus.read(source.prometheus, session, clock, versions)
    if source.http is not None:
        return http.read(source.http, session, clock, versions)
    assert source.command is not None  # noqa: S101 - for the type checker: a source is one of the three
    return command.read(source.command, runner, cwd, versions)
