"""The hidden first lines of what we write on GitHub: how a later run finds it and tells which is newer.

Each kind begins in its own way, so that none is ever taken for another.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

_MODEL = r"([a-z0-9][a-z0-9._-]{0,99})"
_SHAPE = re.compile(
    rf"<!-- release-gate:comment v1 model={_MODEL} head=([0-9a-f]{{40,64}}) run=([0-9]{{1,18}})\.([0-9]{{1,9}}) -->"
)
_RELEASE = re.compile(rf"<!-- release-gate:release v1 model={_MODEL} sequence=([0-9]{{1,8}}) -->")
_REVERT = re.compile(r"<!-- release-gate:revert v1 pull=([1-9][0-9]{0,9}) -->")


@dataclass(frozen=True)
class Marker:
    """Of the gates' comment: model, judged commit, and the run that judged: (run id, attempt)."""

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


@dataclass(frozen=True)
class ReleaseMarker:
    """Of the release's comment: model, and the sequence of the ledger's event that it tells of."""

    model: str
    sequence: int

    def __str__(self) -> str:
        """The line itself."""
        return f"<!-- release-gate:release v1 model={self.model} sequence={self.sequence} -->"

    @classmethod
    def of(cls, body: str) -> Self | None:
        """The marker a comment begins with."""
        found = _RELEASE.match(body)
        return cls(found.group(1), int(found.group(2))) if found else None


@dataclass(frozen=True)
class RevertMarker:
    """Of the description of a revert pull request: the number of the one it reverts."""

    pull: int

    def __str__(self) -> str:
        """The line itself."""
        return f"<!-- release-gate:revert v1 pull={self.pull} -->"

    @classmethod
    def of(cls, body: str) -> Self | None:
        """The marker a description begins with."""
        found = _REVERT.match(body)
        return cls(int(found.group(1))) if found else None
