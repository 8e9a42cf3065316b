"""The hidden first line of our comments: how a later run finds them and tells which is newer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

_SHAPE = re.compile(
    r"<!-- release-gate:comment v1 model=([a-z0-9][a-z0-9._-]{0,99}) "
    r"head=([0-9a-f]{40,64}) run=([0-9]{1,18})\.([0-9]{1,9}) -->"
)


@dataclass(frozen=True)
class Marker:
    """Model, judged commit, and the run that judged: (run id, attempt)."""

    model: str
    head: str
    run: tuple[int, int]

    def __str__(self) -> str:
        """The line itself."""
        return f"<!-- release-gate:comment v1 model={self.model} head={self.head} run={self.run[0]}.{self.run[1]} -->"

    @classmethod
    def of(cls, body: str) -> Self | None:
        """The marker a comment begins with; anywhere else it would be a quotation of ours."""
        found = _SHAPE.match(body)
        if found is None:
            return None
        return cls(found.group(1), found.group(2), (int(found.group(3)), int(found.group(4))))
