"""The caller's git repository: which commit and tree it stands at, what is tracked, what differs.

Read with git itself and nothing of the repository's own configuration that could run a program.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from release_gate.lifecycle.package import Source

SAFE = (
    # `status` would write the index anew, as root in a Docker action.
    "--no-optional-locks",
    # In a Docker action the workspace belongs to another user; we only read.
    *("-c", "safe.directory=*"),
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.quotePath=false"),
)


@dataclass(frozen=True)
class Repository:
    """What git knows of a folder; paths count from that folder. `tracked` is None outside a repository."""

    source: Source
    tracked: tuple[str, ...] | None = None
    changed: tuple[str, ...] = ()
    untracked: tuple[str, ...] = ()


def inspect(root: Path) -> Repository:
    """Ask git; a folder outside any repository, or a machine without git, is a repository that knows nothing."""
    listed = _git(root, "ls-files", "-z")
    if listed is None:
        return Repository(Source(dirty=True))
    status = _git(root, "status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=normal", "--", ".") or ""
    prefix = (_git(root, "rev-parse", "--show-prefix") or "").strip()
    entries = [(entry[:2], entry[3:].removeprefix(prefix)) for entry in status.split("\0") if entry]
    changed = tuple(sorted(name for mark, name in entries if mark not in ("??", "!!")))
    untracked = tuple(sorted(name for mark, name in entries if mark == "??"))
    commit, tree = (_git(root, "rev-parse", "--verify", "--quiet", name) for name in ("HEAD", "HEAD:./"))
    source = Source(commit=_name(commit), tree=_name(tree), dirty=bool(changed) or not commit)
    return Repository(source, tuple(sorted({name for name in listed.split("\0") if name})), changed, untracked)


def name_and_place(root: Path) -> tuple[str | None, tuple[str, ...] | None]:
    """The repository's name as its remote `origin` has it, and where in the repository a folder lies.

    A remote that is a path on this machine names none. The place is None outside any repository.
    """
    prefix = _git(root, "rev-parse", "--show-prefix")
    if prefix is None:
        return None, None
    address = _git(root, "remote", "get-url", "origin") or ""
    return named(address.strip()), Path(prefix.removesuffix("\n")).parts


def named(address: str) -> str | None:
    """The owner and name of a repository on a host, by its address.

    >>> named("https://github.com/octo-air/flights.git"), named("git@github.com:octo-air/flights")
    ('octo-air/flights', 'octo-air/flights')
    >>> named("file:///srv/octo-air/flights.git"), named("../octo-air/flights")
    (None, None)
    """
    part = r"[A-Za-z0-9_][A-Za-z0-9._-]*"
    host = r"(?:(?:https?|ssh|git)://[^/]+/|(?:[^@/:]+@)?[^@/:]+:(?!//)/?)"
    found = re.fullmatch(rf"{host}({part}(?:/{part})+)", address.removesuffix("/").removesuffix(".git"))
    return found[1] if found is not None else None


def is_ancestor(root: Path, older: str, newer: str) -> bool | None:
    """Whether one commit comes before another; None where git does not know both, as in a shallow checkout."""
    if any(_git(root, "cat-file", "-e", f"{commit}^{{commit}}") is None for commit in (older, newer)):
        return None
    base = _git(root, "merge-base", older, newer)
    return base is not None and base.strip() == older


def versions_of(root: Path, file: str, most: int = 50) -> Iterator[tuple[str, bytes]]:
    """What a file was in the newest commits that changed it, each with the commit's name."""
    commits = (_git(root, "log", f"-n{most}", "--format=%H", "--", file) or "").split()
    for commit in commits:
        content = _git(root, "show", f"{commit}:./{file}")
        if content is not None:
            yield commit, content.encode(errors="surrogateescape")


def files_at(root: Path, commit: str) -> frozenset[str] | None:
    """The files below a folder as a commit holds them, by path from that folder; None where git has no such commit."""
    if _git(root, "cat-file", "-e", f"{commit}^{{commit}}") is None:
        return None
    listed = _git(root, "ls-tree", "-r", "-z", "--name-only", commit, "--", ".")
    return None if listed is None else frozenset(name for name in listed.split("\0") if name)


def is_as_in(file: Path, commit: str) -> bool | None:
    """Whether a file is as a commit has it; None where git does not know the commit, as outside any repository.

    A link is followed: what it leads to is compared. Git compares, so that it knows of line ends it converts.
    """
    real = file.resolve()
    named = ("--", f"./{real.name}")
    # Asked first: `diff` says nothing of a file that neither the commit nor the index has.
    held = _git(real.parent, "ls-tree", "--name-only", commit, *named)
    if held is None:
        return None
    # A file that differs in the index's times or in its mode alone has the same text.
    text = ("-c", "diff.autoRefreshIndex=true", "-c", "core.fileMode=false", "--literal-pathspecs")
    changed = _git(real.parent, *text, "diff", "--name-only", "--no-ext-diff", "--no-renames", commit, *named)
    return bool(held) and changed == ""


def identity(root: Path) -> str | None:
    """The name under which commits are made here, None where git knows none."""
    return _name(_git(root, "config", "user.name"))


def _name(answer: str | None) -> str | None:
    return answer.strip() or None if answer else None


def _git(root: Path, *arguments: str) -> str | None:
    """The output of git, None where it refuses."""
    try:
        done = subprocess.run(["git", *SAFE, *arguments], cwd=root, capture_output=True, check=False, timeout=120)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode(errors="surrogateescape") if done.returncode == 0 else None
