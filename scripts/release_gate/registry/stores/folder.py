"""A store in a folder: each key a file, written whole, and never a second time."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from release_gate.files import beside
from release_gate.registry.stores.keys import valid

NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)


class FolderStore:
    """Bytes under keys such as `a/b/c`, below a folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put_new(self, key: str, content: bytes) -> bool:
        """Write, unless the key exists: of two writers at once one gets True, the other False."""
        path = self._path(key)
        with beside(path, content) as temporary:
            return _publish(temporary, path)

    def get(self, key: str) -> bytes | None:
        """What stands under the key, or None."""
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError:
            return None

    def keys(self, prefix: str) -> Iterator[str]:
        """The keys below a prefix, sorted; files in the making are no keys."""
        folder = self._path(prefix.rstrip("/")) if prefix else self._root
        yield from sorted(_below(folder, prefix.rstrip("/")))

    def read(self, prefix: str) -> Iterator[tuple[str, bytes]]:
        """The keys below a prefix, sorted, with what stands under each."""
        root = str(self._root)
        for key in self.keys(prefix):
            # Not pathlib: a ledger of 10,000 events is read before every decision.
            with open(f"{root}/{key}", "rb") as file:  # noqa: PTH123
                yield key, file.read()

    def _path(self, key: str) -> Path:
        return self._root / valid(key)


def _below(folder: Path | str, prefix: str) -> Iterator[str]:
    """The files below a folder, by their keys, in no order."""
    try:
        entries = os.scandir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return
    with entries:
        for entry in entries:
            key = f"{prefix}/{entry.name}" if prefix else entry.name
            if entry.is_dir(follow_symlinks=False):
                yield from _below(entry.path, key)
            elif not entry.name.startswith(".") and entry.is_file():
                yield key


def _publish(temporary: Path, path: Path) -> bool:
    """Give whole content its name unless that is taken: a link can't replace what is there."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        return _create(path, temporary.read_bytes())
    return True


def _create(path: Path, content: bytes) -> bool:
    """The same where the file system has no links: exclusive, but a kill in between leaves a broken event."""
    try:
        with path.open("xb") as file:
            file.write(content)
            os.fsync(file.fileno())
    except FileExistsError:
        return False
    return True
