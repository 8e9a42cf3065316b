"""What a migration file is, by its path and as a value."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

FOLDERS = {"versions", "migrations", "migration"}
"""Folders in which the tools keep their migrations."""

Kind = Literal["irreversible", "loses", "unreadable"]


@dataclass(frozen=True)
class Problem:
    """What keeps a migration, at a line, from being taken back as if it had not been."""

    kind: Kind
    line: int
    because: str


@dataclass(frozen=True)
class Migration:
    """A migration file, the tool it is of, and what stands in the way back."""

    file: str
    tool: str
    problems: tuple[Problem, ...] = ()

    @property
    def reverses(self) -> bool:
        """Whether the tool can take it back; data that it dropped do not come back with it."""
        return all(problem.kind == "loses" for problem in self.problems)


def candidate(name: str) -> bool:
    """Whether a file may be a migration, by its path alone."""
    path = PurePosixPath(name)
    if path.name == "__init__.py" or path.suffix not in (".py", ".sql"):
        return False
    return bool(FOLDERS & {part.lower() for part in path.parts[:-1]}) or (
        path.suffix == ".sql" and (way(name) is not None or partner(name) is not None)
    )


_UP = re.compile(r"(^|\.)up(?=\.sql$)", re.IGNORECASE)
_DOWN = re.compile(r"(^|\.)down(?=\.sql$)", re.IGNORECASE)
_FLYWAY = re.compile(r"^V(?=[0-9][0-9._]*__[^/]*\.sql$)")
_FLYWAY_UNDO = re.compile(r"^U(?=[0-9][0-9._]*__[^/]*\.sql$)")


def way(name: str) -> Literal["down"] | None:
    """Whether an SQL file is the way back of another."""
    last = PurePosixPath(name).name
    return "down" if _DOWN.search(last) or _FLYWAY_UNDO.match(last) else None


def partner(name: str) -> str | None:
    """The file that takes an SQL file back, by the names of golang-migrate, diesel and Flyway; None for others."""
    path = PurePosixPath(name)
    if _UP.search(path.name):
        return str(path.with_name(_UP.sub(r"\1down", path.name)))
    if _FLYWAY.match(path.name):
        return str(path.with_name(_FLYWAY.sub("U", path.name)))
    return None
