"""Files written whole or not at all, and owned by whoever owns the folder they are written into.

In a Docker action we are root inside a workspace of another user: what we leave there must be theirs.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

OURS = ".release-gate"
"""The folder in a repository where everything of ours lies; it ignores itself in git."""


FULL = (errno.ENOSPC, errno.EDQUOT)
"""What the system says where no room is left."""


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """An error in the block names `path` where Python names nothing, as for a write to a full disk."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


def make_folder(path: Path) -> Path:
    """Create a folder and those above it, each owned like the one that was there before."""
    missing = []
    while not path.exists():
        missing.append(path)
        path = path.parent
    made = path
    for made in reversed(missing):
        made.mkdir(exist_ok=True)
        _give(made, made.parent)
        if made.name == OURS:
            # Whoever types `git add --all` must not commit an environment or a model.
            (made / ".gitignore").write_text("*\n", encoding="utf-8")
            _give(made / ".gitignore", made.parent)
    return made


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader, or a kill at any moment, sees the old content or the new one whole."""
    with beside(path, content) as temporary:
        temporary.replace(path)


@contextmanager
def beside(path: Path, content: bytes) -> Iterator[Path]:
    """The content in a file of another name in the same folder, safe on the disk, to be given its name in the block."""
    make_folder(path.parent)
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    except OSError as error:
        error.filename = str(path)  # the name of the file in the making means nothing to a user
        raise
    temporary = Path(name)
    try:
        with naming(path), os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        _give(temporary, path.parent)
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def folder_whole(path: Path) -> Iterator[Path]:
    """A folder to fill, put in place of `path` only when the block ends well; leftovers are removed.

    A reader never sees it half-filled or half-removed. Between taking the old folder aside and putting the new one
    in its place a kill leaves neither: never old and new mixed.
    """
    make_folder(path.parent)
    building = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent))
    old = building.with_name(f"{building.name}.old.part")
    try:
        with naming(path):
            yield building
        building.chmod(0o755)
        give_tree(building, path.parent)
        if path.exists():
            path.replace(old)
        building.replace(path)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        if old.exists() and not path.exists():
            old.replace(path)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


@contextmanager
def file_whole(path: Path) -> Iterator[Path]:
    """The name of a file that another program writes; it takes the place of `path` only when the block ends well."""
    make_folder(path.parent)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", suffix=".part", dir=path.parent) as folder:
        written = Path(folder) / path.name
        with naming(path):
            yield written
            with written.open("rb") as file:
                os.fsync(file.fileno())
        written.chmod(0o644)
        _give(written, path.parent)
        written.replace(path)


def clear_unfinished(folder: Path) -> None:
    """Take away what a process that was killed outright left in the making below a folder."""
    for left in sorted(folder.rglob(".*.part")):
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def give_tree(tree: Path, like: Path) -> None:
    """Give a folder and all in it the owner of another folder; does nothing unless we are root."""
    if os.geteuid() != 0:
        return
    _give(tree, like)
    for inside in tree.rglob("*"):
        _give(inside, like)


def _give(path: Path, like: Path) -> None:
    if os.geteuid() != 0:
        return
    owner = like.stat()
    os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def sha256(path: Path) -> str:
    """The hex sha256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
