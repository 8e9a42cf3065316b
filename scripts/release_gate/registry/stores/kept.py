"""What a bucket gave before: small objects, each with the tag it had, so that only what is new or changed is fetched.

A ledger is read before every decision, and thousands of requests for events that never change would cost seconds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from release_gate.files import write_whole
from release_gate.lifecycle.events import identity

LARGEST = 64 * 1024
PUT_OFF = 32
"""So many new objects are fetched again each time before the file is written anew: it grows with the ledger."""


class Kept:
    """One file for a prefix of a bucket; one that can't be read or written keeps nothing."""

    def __init__(self, cache: Path, place: str) -> None:
        self.file = cache / "objects" / f"{identity(place.encode())[7:31]}.json"

    def objects(self) -> dict[str, tuple[str, bytes]]:
        """Tag and content by key."""
        try:
            kept = json.loads(self.file.read_bytes())
            return {key: (str(tag), text.encode()) for key, (tag, text) in kept.items()}
        except (OSError, ValueError, TypeError, AttributeError, RecursionError):
            return {}

    def keep(self, objects: Mapping[str, tuple[str, bytes]]) -> None:
        """Keep these in place of what was kept: texts that are not large."""
        small = {key: one for key, one in objects.items() if len(one[1]) <= LARGEST}
        try:
            plain = {key: [tag, content.decode()] for key, (tag, content) in small.items()}
            write_whole(self.file, json.dumps(plain, ensure_ascii=False).encode())
        except (OSError, UnicodeDecodeError):
            return
