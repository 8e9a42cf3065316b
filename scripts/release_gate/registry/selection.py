"""Which files of a repository go into its package: the code that runs the model, and neither data nor tests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from release_gate.findings import BadInput, finding
from release_gate.registry.repository import Repository
from release_gate.verdict import Finding, Where

NEVER = {".git", ".release-gate", ".venv", "__pycache__"}
DATA = {".parquet", ".csv", ".tsv", ".feather", ".arrow", ".orc", ".avro", ".jsonl"}


@dataclass(frozen=True)
class Selection:
    """The files to package by name, and what is worth saying about the choice."""

    files: dict[str, Path]
    findings: list[Finding] = field(default_factory=list)


def select(
    root: Path,
    repository: Repository,
    *,
    globs: Sequence[str] | None,
    data: Iterable[str],
    tests: Iterable[str],
    always: Iterable[str],
) -> Selection:
    """Tracked files without data and tests, or what the globs match; `always` are taken if they exist.

    Data are the files named, and files of a data format that lie beside or below one of them.

    Raises:
        BadInput: `package-files-unknown` without globs and outside a repository; `package-files-none` where
            nothing is chosen; `package-file-outside` for a link that leads out of the repository.
    """
    notes: list[Finding] = []
    if globs is not None:
        names = _matching(root, globs)
        source = "candidate.files"
    elif repository.tracked is not None:
        names, left = _tracked(repository.tracked, set(data), tuple(tests))
        source = f"tracked files, without {left} of data and tests"
    else:
        raise BadInput.because(
            "package-files-unknown", f"{root.name}/ is no git repository, so which files belong to it is not known"
        )
    chosen = {name: path for name in names if (path := _file(root, name)) is not None}
    if not chosen:
        raise BadInput.because("package-files-none", f"no file to package among the {source}")
    chosen |= {name: path for name in always if (path := _file(root, name)) is not None}
    notes.append(finding("package-files", f"{len(chosen)} files are packaged ({source})"))
    notes.extend(_unlike_the_commit(repository, chosen, explicit=globs is not None))
    return Selection(dict(sorted(chosen.items())), notes)


def _tracked(tracked: Iterable[str], data: set[str], tests: tuple[str, ...]) -> tuple[list[str], int]:
    folders = {Path(name).parent for name in data} - {Path()}
    taken, left = [], 0
    for name in tracked:
        path = Path(name)
        is_data = name in data or (path.suffix in DATA and not folders.isdisjoint(path.parents))
        is_test = any(name == test or name.startswith(f"{test.rstrip('/')}/") for test in tests)
        if is_data or is_test:
            left += 1
        else:
            taken.append(name)
    return taken, left


def _matching(root: Path, globs: Sequence[str]) -> list[str]:
    found: set[str] = set()
    for pattern in globs:
        if pattern.startswith("/") or ".." in pattern.split("/"):
            raise BadInput.because("package-file-outside", f"the glob {pattern!r} leads out of the repository")
        matched = {path.relative_to(root) for path in root.glob(pattern)}
        found |= {name.as_posix() for name in matched if NEVER.isdisjoint(name.parts)}
        if not matched:
            raise BadInput.because("package-files-none", f"candidate.files: nothing matches {pattern!r}")
    return sorted(found)


def _file(root: Path, name: str) -> Path | None:
    """The file of a name; a link is followed as long as it stays inside; None for folders and what is gone."""
    path = root / name
    if path.is_symlink() and not path.resolve().is_relative_to(root.resolve()):
        raise BadInput.because(
            "package-file-outside", f"{name} is a link that leads out of the repository", where=Where(file=name)
        )
    return path if path.is_file() else None


def _unlike_the_commit(repository: Repository, chosen: dict[str, Path], *, explicit: bool) -> list[Finding]:
    """What a reader must know when the package can't be made again from the commit alone."""
    notes = []
    if repository.tracked is None:
        return [finding("tree-dirty", "there is no git repository, so no commit names this code")]
    unknown = [name for name in chosen if name not in set(repository.tracked)]
    if differ := [*repository.changed, *unknown]:
        notes.append(finding("tree-dirty", f"no commit holds these files as they are: {_few(differ)}"))
    # Who lists the files has chosen to leave the rest out.
    if not explicit and (
        left := [name for name in repository.untracked if name not in chosen and not name.startswith(".release-gate")]
    ):
        notes.append(finding("package-untracked", f"not tracked by git, so not packaged: {_few(left)}"))
    return notes


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
