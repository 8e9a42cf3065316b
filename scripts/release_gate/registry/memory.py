"""What this machine remembers of a ledger: its newest event, so that a history cut off at its end is noticed.

Only for places that everybody shares (a bucket, a branch of the remote): there events are only ever added, and one
that was seen stays. A folder goes back whenever an older commit is checked out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from release_gate.files import write_whole
from release_gate.lifecycle.events import identity


class Memory:
    """One file for a ledger; one that can't be read or written remembers nothing."""

    def __init__(self, cache: Path, place: Callable[[], str], model: str) -> None:
        """`place` tells, when it is asked, where the ledger lies."""
        self._cache, self._place, self._model = cache, place, model

    @cached_property
    def file(self) -> Path:
        """The file of this ledger."""
        return self._cache / "ledgers" / f"{self._model}-{identity(self._place().encode())[7:23]}.json"

    def last(self) -> tuple[int, str] | None:
        """Number and identity of the newest event seen."""
        try:
            kept = json.loads(self.file.read_bytes())
            number, seen = kept["sequence"], kept["identity"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None
        right = type(number) is int and isinstance(seen, str) and re.fullmatch(r"sha256:[0-9a-f]{64}", seen)
        return (number, seen) if right else None

    def keep(self, number: int, seen: str) -> None:
        """Remember an event, unless a newer one was seen meanwhile."""
        last = self.last()
        if last is not None and last[0] >= number:
            return
        try:
            write_whole(self.file, json.dumps({"sequence": number, "identity": seen}).encode())
        except OSError:
            return
