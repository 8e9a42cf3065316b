"""One version's table of predictions: a file a partition, and a manifest of what each was made from.

The manifest is written whole after each partition, so that a kill loses nothing that was finished. Where a partition
is made anew the manifest names both contents while the file is exchanged: at no moment is the table other than told.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, ValidationError

from release_gate.files import clear_unfinished, make_folder, sha256, write_whole
from release_gate.verdict import Value

MANIFEST, SUFFIX = "_manifest.json", ".parquet"
"""Readers of a folder of Parquet pass over names that begin with an underscore."""
LETTERS = 12
"""Letters of a digest that name its folder."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, Field(pattern=r"^[^/\\]+$", max_length=250)]


class Scored(Value):
    """One partition: what was read, what was written, how many rows, when."""

    model_config = ConfigDict(extra="ignore")

    input: Sha256
    output: Sha256
    rows: Annotated[int, Field(ge=0)]
    scored: datetime


class Manifest(Value):
    """The partitions of a table, the columns of key and score; `replacing` holds what some are about to become."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True, serialize_by_alias=True)

    schema_: Annotated[Literal[1], Field(alias="schema")] = 1
    version: str
    key: str = ""
    score: str = ""
    partitions: dict[Name, Scored] = Field(default_factory=dict)
    replacing: dict[Name, Scored] = Field(default_factory=dict)


class PredictionTable:
    """The table of one version below the folder of all tables."""

    def __init__(self, tables: Path, digest: str) -> None:
        self.digest = digest
        self.folder = tables / digest.removeprefix("sha256:")[:LETTERS]
        self._hashed: dict[Path, tuple[tuple[int, ...], str]] = {}

    def file(self, partition: str) -> Path:
        """Where a partition's predictions lie."""
        return self.folder / f"{partition}{SUFFIX}"

    def entries(self) -> dict[str, Scored | None]:
        """Every partition the manifest names; None where its file is lost or is not what was written.

        A manifest that can't be read, or is another version's, proves nothing: then there are none.
        """
        manifest = self._manifest()
        return {name: self._entry(manifest, name) for name in manifest.partitions}

    def faults(self) -> list[str]:
        """What keeps the table from being whole, in words."""
        entries = self.entries()
        if not entries:
            return [f"{self.folder} holds no table of {self.digest}"]
        lost = [name for name, entry in entries.items() if entry is None]
        return [
            f"{self.file(name)} is {'not what was scored' if self.file(name).exists() else 'lost'}" for name in lost
        ]

    @property
    def key(self) -> str:
        """The column that names a row."""
        return self._manifest().key

    @property
    def score(self) -> str:
        """The column of the scores."""
        return self._manifest().score

    def put(self, partition: str, made: Path, scored: Scored, *, key: str, score: str) -> None:
        """Take a partition's predictions in from a file on the same disk."""
        manifest = self._manifest().model_copy(update={"key": key, "score": score})
        if (now := self._entry(manifest, partition)) is not None:
            both = {
                "partitions": {**manifest.partitions, partition: now},
                "replacing": {**manifest.replacing, partition: scored},
            }
            self._write(manifest.model_copy(update=both))
        with made.open("rb") as file:
            os.fsync(file.fileno())
        made.chmod(0o644)
        made.replace(self.file(partition))
        replacing = {name: one for name, one in manifest.replacing.items() if name != partition}
        partitions = dict(sorted({**manifest.partitions, partition: scored}.items()))
        self._write(manifest.model_copy(update={"partitions": partitions, "replacing": replacing}))

    def retire(self, names: Iterable[str]) -> None:
        """Take partitions out: the files first, so that what a kill leaves is one whose file was taken away."""
        manifest, going = self._manifest(), set(names)
        for name in going & set(manifest.partitions):
            self.file(name).unlink(missing_ok=True)
        if going:
            kept = {name: one for name, one in manifest.partitions.items() if name not in going}
            self._write(manifest.model_copy(update={"partitions": kept}))

    def prepare(self) -> Path:
        """The folder, without what a killed run left in the making."""
        make_folder(self.folder)
        clear_unfinished(self.folder)
        return self.folder

    def _entry(self, manifest: Manifest, name: str) -> Scored | None:
        """What the manifest says of a partition's file as it is; None where it says nothing of it."""
        try:
            found = self._sha256(self.file(name))
        except OSError:
            return None
        known = (manifest.partitions.get(name), manifest.replacing.get(name))
        return next((one for one in known if one is not None and one.output == found), None)

    def _sha256(self, path: Path) -> str:
        """The hash of a file, computed once as long as it is the same file."""
        stat = path.stat()
        mark = (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
        if path not in self._hashed or self._hashed[path][0] != mark:
            self._hashed[path] = (mark, sha256(path))
        return self._hashed[path][1]

    def _manifest(self) -> Manifest:
        try:
            manifest = Manifest.model_validate_json((self.folder / MANIFEST).read_bytes())
        except (OSError, ValidationError):
            return Manifest(version=self.digest)
        return manifest if manifest.version == self.digest else Manifest(version=self.digest)

    def _write(self, manifest: Manifest) -> None:
        write_whole(self.folder / MANIFEST, (manifest.model_dump_json(indent=1) + "\n").encode())
