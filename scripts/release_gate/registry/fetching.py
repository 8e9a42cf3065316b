"""Brings a file trained elsewhere: over https in pieces, or from a path. The caller proves it by its digest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, cast

from release_gate.edges import Session
from release_gate.findings import BadInput, CannotJudge
from release_gate.verdict import Where

PIECE = 1024 * 1024
MOST = 50 * 1024**3


class _Streamed(Protocol):
    status_code: int

    def iter_content(self, chunk_size: int) -> Iterator[bytes]: ...


def local(root: Path, path: str) -> Path:
    """A file by its path, which counts from the configuration's folder.

    Raises:
        BadInput: `file-missing`.
    """
    found = root / path
    if not found.is_file():
        raise BadInput.because("file-missing", f"candidate.from: {path} is no file", where=Where(file=path))
    return found


def download(session: Session, url: str, target: Path) -> Path:
    """A file by its https address.

    Raises:
        BadInput: `candidate-unreachable` for an address of another kind.
        CannotJudge: `candidate-unreachable`.
    """
    import requests  # noqa: PLC0415 - takes 100 ms, and only its errors are needed

    shown = url.partition("?")[0]  # what follows may be a signature
    if not url.startswith("https://"):
        raise BadInput.because("candidate-unreachable", f"{shown} is not an https address")
    target.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    try:
        answer = cast("_Streamed", session.request("GET", url, timeout=60.0, stream=True))
        if answer.status_code != 200:
            raise CannotJudge.because("candidate-unreachable", f"{shown} answers with status {answer.status_code}")
        with target.open("wb") as file:
            for piece in answer.iter_content(PIECE):
                size += len(piece)
                if size > MOST:
                    raise CannotJudge.because("candidate-unreachable", f"{shown} sends more than {MOST:,} bytes")
                file.write(piece)
    except requests.RequestException as error:
        # The error quotes the address asked, or the one it was sent on to, with all that may be a signature.
        cause = re.sub(r"\?[^\s'\"]*", "", f"{type(error).__name__}: {error}")[:300]
        raise CannotJudge.because("candidate-unreachable", f"{shown} can't be fetched: {cause}") from error
    return target
