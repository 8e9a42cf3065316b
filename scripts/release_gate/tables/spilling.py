"""The folder for what does not fit in memory: private, and taken away also where its process was killed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

_PREFIX = "release-gate-spill-"


@dataclass(frozen=True)
class Spill:
    """A folder that is held by a lock, which the system gives back when its process ends, however it ends."""

    path: Path
    lock: int

    def close(self) -> None:
        """Take the folder away; a second time nothing happens."""
        if self.path.exists():
            shutil.rmtree(self.path, ignore_errors=True)
            os.close(self.lock)


def spill(above: Path | None = None) -> Spill:
    """A new folder in `above` (the system's folder for temporary files); what the dead left there is taken away."""
    _take_away(Path(above or tempfile.gettempdir()))
    while True:
        path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=above))
        with contextlib.suppress(FileNotFoundError):
            lock = os.open(path, os.O_RDONLY)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if path.exists():
                return Spill(path, lock)
            os.close(lock)  # another process took it for a dead one's, just before it was locked


def _take_away(above: Path) -> None:
    for left in above.glob(f"{_PREFIX}*"):
        # Folders of the living are locked, and those of other users can't be opened.
        with contextlib.suppress(OSError):
            lock = os.open(left, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left, ignore_errors=True)
            finally:
                os.close(lock)
