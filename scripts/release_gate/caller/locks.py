"""Finds the lock file that says which packages the caller's code runs with."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from release_gate.findings import BadInput
from release_gate.verdict import Where

Kind = Literal["uv", "pylock", "requirements"]

EXPORTS = {
    "poetry.lock": "poetry export --with dev -o requirements.txt",
    "pdm.lock": "pdm export -o requirements.txt",
    "Pipfile.lock": "pipenv requirements > requirements.txt",
    "conda-lock.yml": "pip list --format freeze > requirements.txt (inside the conda environment)",
    "environment.yml": "pip list --format freeze > requirements.txt (inside the conda environment)",
    "pixi.lock": "pixi exec pip list --format freeze > requirements.txt",
}
"""Lock files known and not read → how to get one that is."""
DEVELOPMENT = ("requirements-dev.txt", "dev-requirements.txt", "requirements/dev.txt")
"""Where a requirements.txt project pins what only its tests need."""
_OPTIONS = (
    "--hash",
    "--index-url",
    "-i ",
    "--extra-index-url",
    "--find-links",
    "--no-binary",
    "--only-binary",
    "--require-hashes",
)
_PINNED = re.compile(
    r"^[A-Za-z0-9][\w.-]*(\[[^]]*\])?\s*(===?\s*[\w.!+-]+(?<!\*)|@\s*\S+#sha256=[0-9a-f]{64})\s*(;.*)?$"
)


@dataclass(frozen=True)
class Lock:
    """A lock file; `digest` is the sha256 of its bytes and those of the files that belong to it."""

    kind: Kind
    path: Path
    digest: str


def find_lock(folder: Path, named: str | None = None) -> Lock:
    """The lock of a folder: the one named, else uv.lock, pylock.toml, requirements.txt, in this order.

    Raises:
        BadInput: `lock-missing`, `lock-unsupported` or `lock-unpinned`.
    """
    for name in (named,) if named else ("uv.lock", "pylock.toml", "requirements.txt"):
        path = folder / name
        if path.is_file():
            return _read(path)
        if named:
            raise BadInput.because("lock-missing", f"the lock file {name} does not exist", where=Where(file=name))
    for name, export in EXPORTS.items():
        if (folder / name).is_file():
            raise _unsupported(name, export)
    expected = "uv.lock, pylock.toml or requirements.txt"
    raise BadInput.because("lock-missing", f"no lock file: looked for {expected} in {folder.name or folder}/")


def _unsupported(name: str, export: str) -> BadInput:
    return BadInput.because(
        "lock-unsupported",
        f"{name} is a lock file that environments are not made from",
        where=Where(file=name),
        remedy=f"Run `{export}` and commit requirements.txt beside it, or move to uv (`uvx migrate-to-uv`).",
    )


def _read(path: Path) -> Lock:
    name = path.name
    if name in EXPORTS:
        raise _unsupported(name, EXPORTS[name])
    content = path.read_bytes()
    if name == "uv.lock":
        kind: Kind = "uv"
    elif re.fullmatch(r"pylock(\.[\w-]+)?\.toml", name):
        kind = "pylock"
    elif path.suffix in (".txt", ".lock"):
        kind = "requirements"
        for extra in (path, *development_files(path)):
            _require_pins(extra)
            content += extra.read_bytes()
    else:
        raise BadInput.because(
            "lock-unsupported",
            f"{name} is none of the lock files known",
            where=Where(file=name),
            remedy="Name a uv.lock, pylock.toml or requirements.txt.",
        )
    return Lock(kind, path, hashlib.sha256(content).hexdigest())


def development_files(path: Path) -> list[Path]:
    """The pinned requirements that tests need on top of those in `path`."""
    return [path.parent / name for name in DEVELOPMENT if (path.parent / name).is_file()]


def _require_pins(path: Path) -> None:
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput.because(
            "file-unreadable", f"{path.name} is not UTF-8 text", where=Where(file=path.name)
        ) from error
    loose = unpinned(text)
    if loose:
        line, requirement = loose[0]
        more = f" and {len(loose) - 1} more" if len(loose) > 1 else ""
        raise BadInput.because(
            "lock-unpinned",
            f"`{requirement[:200]}`{more} has no exact version",
            where=Where(file=path.name, line=line),
        )


def unpinned(text: str) -> list[tuple[int, str]]:
    """The requirements of a requirements.txt without an exact version, with their line numbers.

    >>> unpinned("numpy==2.1\\npandas>=2  # newer\\n")
    [(2, 'pandas>=2')]
    """
    found = []
    start, held = 1, ""
    for number, line in enumerate(text.splitlines(), start=1):
        start = start if held else number
        held += re.sub(r"(^|\s)#.*$", "", line).strip()
        if held.endswith("\\"):
            held = held[:-1] + " "
            continue
        requirement = re.sub(r"\s--hash[= ]\S+", "", held).strip()
        held = ""
        if requirement and not requirement.startswith(_OPTIONS) and not _PINNED.match(requirement):
            found.append((start, requirement))
    return found
