"""Finds migration files that are new since a commit, and reads them as text."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from release_gate.findings import BadInput
from release_gate.lifecycle.migration_files import candidate, partner
from release_gate.registry.repository import files_at, inspect
from release_gate.registry.selection import NEVER

MOST_FILES = 5_000
MOST_BYTES = 1024 * 1024
"""A migration larger than this is a dump; it is not read."""


@dataclass(frozen=True)
class Sighted:
    """New files that may be migrations, by path, and the text of each and of its way back; None: not readable.

    `named` are those that the configuration says are migrations.
    """

    new: tuple[str, ...] = ()
    named: frozenset[str] = frozenset()
    texts: dict[str, str | None] = field(default_factory=dict)


def sighted(root: Path, since: str | None, globs: Sequence[str] = ()) -> Sighted | None:
    """The files below `root` that may be migrations and that the commit `since` does not hold; None where git does
    not have that commit. Without a commit every such file is new.

    What `globs` match is added to what is found by its path: a change can't hide a migration by naming others.

    Raises:
        BadInput: `migrations-many`.
    """
    before = frozenset() if since is None else files_at(root, since)
    if before is None:
        return None
    named = _matching(root, globs)
    new = sorted(name for name in named | _present(root) if name not in before)
    if len(new) > MOST_FILES:
        raise BadInput.because("migrations-many", f"{len(new):,} new files may be migrations; {MOST_FILES:,} are read")
    backs = [back for name in new if (back := partner(name)) is not None and (root / back).exists()]
    return Sighted(tuple(new), named.intersection(new), {name: _text(root, name) for name in (*new, *backs)})


def _matching(root: Path, globs: Sequence[str]) -> frozenset[str]:
    names = {path.relative_to(root) for one in globs for path in root.glob(one) if not path.is_dir()}
    return frozenset(name.as_posix() for name in names if NEVER.isdisjoint(name.parts) and name.name != "__init__.py")


def _present(root: Path) -> frozenset[str]:
    """The files that may be migrations by their path: those git knows or would track, or all without git."""
    repository = inspect(root)
    if repository.tracked is not None:
        here = {*repository.tracked, *_below(root, repository.untracked)}
        return frozenset(name for name in here if candidate(name) and _is_there(root / name))
    found = (path.relative_to(root) for path in root.rglob("*") if path.suffix in (".py", ".sql"))
    return frozenset(name.as_posix() for name in found if NEVER.isdisjoint(name.parts) and candidate(name.as_posix()))


def _below(root: Path, untracked: Sequence[str]) -> list[str]:
    """Untracked files; git names a folder of which it tracks nothing with a `/` at its end."""
    found: list[str] = []
    for name in untracked:
        if not name.endswith("/"):
            found.append(name)
        else:
            inner = (path.relative_to(root) for path in (root / name).rglob("*"))
            found += [one.as_posix() for one in inner if NEVER.isdisjoint(one.parts)]
    return found


def _is_there(path: Path) -> bool:
    return path.is_symlink() or path.is_file()


def _text(root: Path, name: str) -> str | None:
    """The text of a plain file inside `root`; None for a link, for what is too large, and for what is no UTF-8."""
    path = root / name
    try:
        if not path.resolve().is_relative_to(root.resolve()):
            return None
        known = path.lstat()
        if not stat.S_ISREG(known.st_mode) or known.st_size > MOST_BYTES:
            return None
        return path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return None
