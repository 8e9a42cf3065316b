"""One question to a server and its answer, read within a time and a size: servers hang, drip and flood."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

from release_gate.edges import Clock, Session

PATIENCE = 10.0
"""Seconds for a whole answer."""
MOST = 16 * 1024 * 1024
"""Bytes of an answer; more is an error."""
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class NoAnswer(Exception):
    """No whole answer came: the text says why."""


@dataclass(frozen=True)
class Reply:
    """A whole answer."""

    status: int
    body: bytes
    seconds: float

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            ValueError: it is none, or it holds NaN or infinity.
        """
        return json.loads(self.body, parse_constant=_refuse)


class _Streamed(Protocol):
    status_code: int

    def iter_content(self, chunk_size: int) -> Iterator[bytes]: ...
    def close(self) -> None: ...


def ask(
    session: Session,
    clock: Clock,
    method: str,
    url: str,
    *,
    body: str | None = None,
    data: Any = None,
    keep_alive: bool = False,
    patience: float | None = None,
) -> Reply:
    """Ask once: `body` is sent as it is, said to be JSON; otherwise `data` as JSON unless it is None.

    Unless `keep_alive`, on a connection of its own: servers close one after an error of theirs, and the next question
    must not be blamed for it. `patience`: seconds for a whole answer, `PATIENCE` where not given.

    Raises:
        NoAnswer: connection refused or broken, time or size exceeded.
    """
    import requests  # noqa: PLC0415 - takes 100 ms, and only its errors are needed

    began = clock.monotonic()
    patience = PATIENCE if patience is None else patience
    content = body if body is not None else (None if data is None else json.dumps(data, allow_nan=False))
    options: dict[str, Any] = {"timeout": patience, "stream": True, "allow_redirects": False}
    if content is not None:
        options |= {"data": content.encode(), "headers": {"Content-Type": "application/json"}}
    if urlsplit(url).hostname in LOOPBACK:
        options["proxies"] = dict.fromkeys(("http", "https", "all"))  # a proxy can't reach our own loopback
    if not keep_alive:
        session.close()
    try:
        answer = cast("_Streamed", session.request(method, url, **options))
        pieces: list[bytes] = []
        size = 0
        for piece in answer.iter_content(65536):
            size += len(piece)
            if size > MOST or clock.monotonic() - began > patience:
                answer.close()
                cause = f"more than {MOST:,} bytes" if size > MOST else f"not whole after {patience:g} s"
                raise NoAnswer(f"the answer is {cause}")
            pieces.append(piece)
    except requests.Timeout as error:
        raise NoAnswer(f"no answer in {patience:g} s") from error
    except requests.ConnectionError as error:
        raise NoAnswer(f"no connection: {_cause(error)}") from error
    except requests.RequestException as error:
        raise NoAnswer(f"no answer: {_cause(error)}") from error
    return Reply(answer.status_code, b"".join(pieces), clock.monotonic() - began)


def _cause(error: BaseException) -> str:
    while error.__cause__ or error.__context__:
        error = cast("BaseException", error.__cause__ or error.__context__)
    return f"{type(error).__name__}: {error}"[:200]


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON")
