"""Running totals by version from Caddy's own log of answers: exact for any bound, across reloads, restarts and rolls.

The log says version, status and duration of every answer. We note how far we have read (the file by its first line,
since rolling renames it) together with the totals, in one file written whole: whoever is killed, a line counts once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from pydantic import ConfigDict, Field, ValidationError

from release_gate.counts import Counts
from release_gate.files import write_whole
from release_gate.verdict import Value

VERSIONS = 50
"""Versions whose totals are kept."""
LONGEST = 4096
"""Bytes of a first line."""


class Tally(Value):
    """The totals, and how far the log has been read: the file by its first line, and the bytes of it."""

    model_config = ConfigDict(extra="ignore")

    above: float | None = None
    head: str = ""
    offset: int = 0
    totals: dict[str, Counts] = Field(default_factory=dict)


class Answers:
    """The log in `log`, read on from what `note` says. `above`: seconds after which an answer is slow."""

    def __init__(self, log: Path, note: Path, above: float | None) -> None:
        self._log, self._note, self._above = log, note, above

    def count(self) -> dict[str, Counts]:
        """The totals up to now. Not to be called by two at once."""
        tally = self._noted()
        sums = {name: [one.requests, one.errors, one.slow or 0] for name, one in tally.totals.items()}
        for path, head in self._files(tally):
            with path.open("rb") as file:
                if file.read(len(head)) != head:
                    break  # rolled this moment: the next look finds it under its new name
                offset = tally.offset if head == tally.head.encode() else 0
                file.seek(offset)
                for line in _lines(file):
                    offset += len(line)
                    self._add(sums, line)
            tally = tally.model_copy(update={"head": head.decode(errors="replace"), "offset": offset})
        totals = {name: self._counts(one) for name, one in list(sums.items())[-VERSIONS:]}
        write_whole(self._note, tally.model_copy(update={"totals": totals}).model_dump_json().encode())
        return totals

    def _noted(self) -> Tally:
        """How far we were; from the beginning where that is not known, or where slow meant something else."""
        try:
            tally = Tally.model_validate_json(self._note.read_bytes())
        except (OSError, ValidationError):
            return Tally(above=self._above)
        return tally if tally.above == self._above else Tally(above=self._above)

    def _files(self, tally: Tally) -> list[tuple[Path, bytes]]:
        """The files to read with their first lines, oldest first: from the one we were in, or all where it is gone."""
        rolled = sorted(self._log.parent.glob(f"{self._log.stem}-*{self._log.suffix}"), key=_age)
        files = [(path, head) for path in (*rolled, self._log) if (head := _head(path))]
        last = [index for index, (_, head) in enumerate(files) if tally.head and head == tally.head.encode()]
        return files[last[-1] :] if last else files

    def _add(self, sums: dict[str, list[int]], line: bytes) -> None:
        try:
            answer = json.loads(line)
            version, status, seconds = answer.get("version"), int(answer["status"]), float(answer["duration"])
        except (ValueError, KeyError, TypeError, AttributeError):
            return  # no line of ours; an answer always has these
        if not version or version == "-":
            return
        one = sums.setdefault(version, [0, 0, 0])
        one[0] += 1
        # No time at all: the answer broke off halfway, and Caddy gave up telling how long it took. A client that left
        # in the middle looks the same; that happens to every version alike.
        one[1] += status >= 500 or seconds == 0
        one[2] += self._above is not None and seconds > self._above

    def _counts(self, sums: list[int]) -> Counts:
        return Counts(requests=sums[0], errors=sums[1], slow=sums[2] if self._above is not None else None)


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Whole lines, each with its end; what is not whole yet is left for the next look."""
    for line in file:
        if not line.endswith(b"\n"):
            return
        yield line


def _head(path: Path) -> bytes:
    """The first line, by which a file is known: durations go down to the nanosecond. Empty while it is not whole."""
    try:
        with path.open("rb") as file:
            line = file.readline(LONGEST)
    except FileNotFoundError:
        return b""
    return line if line.endswith(b"\n") else b""


def _age(path: Path) -> tuple[float, str]:
    try:
        return path.stat().st_mtime, path.name
    except FileNotFoundError:
        return 0.0, path.name
