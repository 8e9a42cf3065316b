"""Totals by version as JSON at an address, found in it by JMESPath."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from release_gate.counts import Counts
from release_gate.edges import Clock, Session
from release_gate.rollouts import Http
from release_gate.sources import counting
from release_gate.sources.asking import Asked, ask, parsed, shown


def read(source: Http, session: Session, clock: Clock, versions: Collection[str]) -> dict[str, Counts]:
    """The totals of these versions; one without an entry is absent.

    Raises:
        CannotJudge: a `source-…` code.
    """
    asked = Asked(f"the totals at {source.url}")
    status, body = ask(session, clock, source.url, asked)
    if status != 200:
        raise asked.refused("source-status", f"status {status}: {shown(body)}")
    entries = _found(source.versions, parsed(body, asked), asked)
    if not isinstance(entries, list):
        raise asked.refused("source-shape", f"at {source.versions} stands no list but {shown(entries)}")
    named = [(_name(source, entry, asked), entry) for entry in entries]
    known = counting.by_version(named, versions, asked)
    if not known:
        raise counting.none_known((name for name, _ in named), versions, asked, f"at {source.version} of each entry")
    return {version: _counts(source, entry, asked, version) for version, entry in known.items()}


def _counts(source: Http, entry: Any, asked: Asked, version: str) -> Counts:
    paths = {"requests": source.requests, "errors": source.errors, "slow": source.slow}
    totals: dict[str, int] = {}
    for metric, path in paths.items():
        if path is not None:
            here = Asked(asked.source, metric)
            value = _found(path, entry, here)
            if value is None:
                raise here.refused("source-shape", f"{version} has nothing at {path}")
            totals[metric] = counting.total(value, here, version)
    return counting.counts(totals, asked, version)


def _name(source: Http, entry: Any, asked: Asked) -> str:
    name = _found(source.version, entry, asked)
    if not isinstance(name, str):
        raise asked.refused("source-shape", f"an entry names no version at {source.version}: {shown(entry)}")
    return name


def _found(path: str, document: Any, asked: Asked) -> Any:
    try:
        return jmespath.search(path, document)
    except JMESPathError as error:
        cause = " ".join(str(error).split())[:300]
        raise asked.refused("source-shape", f"`{path}` can't be looked up: {cause}") from error
