"""Commits and trees in our own repository of a branch: made and read there alone, without its remote."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from release_gate.findings import CannotJudge
from release_gate.registry.stores.git import Failed, Git

ALONE = (("remote.origin.promisor", "false"),)
"""Without a remote to ask, git tells what is not here, instead of bringing it however large it is."""


class Trees:
    """Files of a branch by their paths and blobs; `shown` names the branch in refusals."""

    def __init__(self, folder: Path, environment: Mapping[str, str], shown: str) -> None:
        self._git, self._shown = Git(folder, environment, ALONE), shown

    def blob(self, content: bytes) -> str:
        """Write a blob; its name."""
        with self._usable():
            return self._git.run("hash-object", "-w", "--stdin", content=content).decode().strip()

    def commit(self, tip: str | None, blobs: Mapping[str, str], subject: str) -> str:
        """A commit on top of `tip` that adds these blobs, each at its path; the first one stands alone."""
        lines = "".join(f"100644 {blob}\t{path}\0" for path, blob in blobs.items()).encode()
        with self._usable(), tempfile.TemporaryDirectory() as folder:
            index = Path(folder) / "index"
            if tip is not None:
                self._git.run("read-tree", tip, index=index)
            self._git.run("update-index", "-z", "--index-info", content=lines, index=index)
            # Large files of the branch may not be here: their names are all that a new tree needs.
            tree = self._git.run("write-tree", "--missing-ok", index=index).decode().strip()
            parents = [] if tip is None else ["-p", tip]
            message = f"{subject}\n\n[skip ci]\n".encode()
            return self._git.run("commit-tree", tree, *parents, content=message).decode().strip()

    def entries(self, tip: str | None, *paths: str) -> dict[str, str]:
        """The files of a commit at or below these paths, each with its blob."""
        if tip is None:
            return {}
        below = [path for path in paths if path]
        with self._usable():
            listed = self._git.run("ls-tree", "-r", "-z", "--full-tree", tip, "--", *below)
        rows = (line.partition("\t") for line in listed.decode(errors="surrogateescape").split("\0") if line)
        return {path: kind.split()[2] for kind, _, path in rows if kind.startswith("100")}

    def contents(self, blobs: Iterable[str], *, most: int) -> dict[str, bytes]:
        """What these blobs hold: those that are here and not larger than `most` bytes."""
        with self._usable():
            return self._git.blobs(blobs, most=most)

    @contextmanager
    def _usable(self) -> Iterator[None]:
        """What needs no remote failed: the repository is not as we left it."""
        try:
            yield
        except Failed as failure:
            message = f"git can't use {self._git.folder}, what is kept here of {self._shown}: {failure.text}"
            remedy = "Delete that folder, which is a cache, and run it again."
            raise CannotJudge.because("registry-unreachable", message, remedy=remedy) from failure
