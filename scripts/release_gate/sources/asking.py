"""One question to a source of totals and its whole answer, within a time and a size; anything else is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

from release_gate.edges import Clock, Session
from release_gate.findings import CannotJudge
from release_gate.verdict import Where

PATIENCE = 10.0
"""Seconds for a whole answer."""
MOST = 1024 * 1024
"""Bytes of an answer: totals of a few versions are a few hundred."""
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
SHOWN = 300


@dataclass(frozen=True)
class Asked:
    """What is asked: the source and the metric, as a refusal names them."""

    source: str
    metric: str = ""

    def refused(self, code: str, cause: str, *, remedy: str | None = None) -> CannotJudge:
        """The refusal for a reason."""
        what = f"{self.source}, {self.metric}" if self.metric else self.source
        return CannotJudge.because(code, f"{what}: {cause}", remedy=remedy, where=Where(metric=self.metric or None))


class _Streamed(Protocol):
    status_code: int
    headers: Mapping[str, str]

    def iter_content(self, chunk_size: int) -> Iterator[bytes]: ...
    def close(self) -> None: ...


def ask(
    session: Session, clock: Clock, url: str, asked: Asked, parameters: Mapping[str, str] | None = None
) -> tuple[int, bytes]:
    """Status and body of an answer.

    Raises:
        CannotJudge: `source-unreachable`, `source-too-large`, `source-redirected`.
    """
    import requests  # noqa: PLC0415 - takes 100 ms, and only its errors are needed

    began = clock.monotonic()
    options: dict[str, Any] = {"timeout": PATIENCE, "stream": True, "allow_redirects": False, "params": parameters}
    if urlsplit(url).hostname in LOOPBACK:
        options["proxies"] = dict.fromkeys(("http", "https", "all"))  # a proxy can't reach our own loopback
    try:
        answer = cast("_Streamed", session.request("GET", url, **options))
        try:
            body = _whole(answer, asked, lambda: clock.monotonic() - began)
        finally:
            answer.close()
    except requests.Timeout as error:
        raise asked.refused("source-unreachable", f"no answer in {PATIENCE:g} s") from error
    except requests.RequestException as error:
        raise asked.refused("source-unreachable", f"no answer: {_cause(error)}") from error
    if 300 <= answer.status_code < 400:
        to = str(answer.headers.get("Location", "nowhere"))[:SHOWN]
        raise asked.refused("source-redirected", f"status {answer.status_code}, to {to}")
    return answer.status_code, body


def _whole(answer: _Streamed, asked: Asked, seconds: Callable[[], float]) -> bytes:
    pieces: list[bytes] = []
    for piece in answer.iter_content(65536):
        pieces.append(piece)
        if sum(map(len, pieces)) > MOST:
            raise asked.refused("source-too-large", f"the answer holds more than {MOST:,} bytes")
        if seconds() > PATIENCE:
            raise asked.refused("source-unreachable", f"the answer is not whole after {PATIENCE:g} s")
    return b"".join(pieces)


def parsed(text: bytes | str, asked: Asked) -> Any:
    """JSON, in which no key stands twice and every number is one.

    Raises:
        CannotJudge: `source-not-json`, `source-number`, `source-version-twice`.
    """

    def constant(name: str) -> float:
        raise asked.refused("source-number", f"the answer holds {name}")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise asked.refused("source-version-twice", f"the key {twice[:SHOWN]!r} stands twice")
        return found

    try:
        return json.loads(text, parse_constant=constant, object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise asked.refused("source-not-json", f"the answer is not JSON: {shown(text)}") from error


def shown(value: object) -> str:
    """A value short enough for a message."""
    return repr(value.decode(errors="replace") if isinstance(value, bytes) else value)[:SHOWN]


def _cause(error: BaseException) -> str:
    while error.__cause__ or error.__context__:
        error = cast("BaseException", error.__cause__ or error.__context__)
    return f"{type(error).__name__}: {error}"[:SHOWN]
