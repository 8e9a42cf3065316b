"""An OCI image layout in a folder: contents under their sha256, and an index of the manifests among them.

Format: https://github.com/opencontainers/image-spec/blob/main/image-layout.md
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from release_gate.files import give_tree, make_folder, naming, write_whole
from release_gate.findings import BadInput
from release_gate.lifecycle.events import identity

PIECE = 1024 * 1024
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
MAXIMUM_DOCUMENT = 32 * 1024 * 1024
"""The most that an index, a manifest or a config may hold: they are read into memory."""


class Hashed:
    """A file that knows the sha256 and the size of what was written to it. It can't be read or rewound."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._sha256, self.size = file, hashlib.sha256(), 0

    def write(self, piece: bytes) -> int:
        """Write and count."""
        self._sha256.update(piece)
        self.size += len(piece)
        return self._file.write(piece)

    def tell(self) -> int:
        """The bytes written so far."""
        return self.size

    @property
    def digest(self) -> str:
        """`sha256:…` of what was written so far."""
        return f"sha256:{self._sha256.hexdigest()}"


def start(layout: Path) -> None:
    """Make a folder a layout, unless it is one."""
    make_folder(layout / "blobs" / "sha256")
    if not (layout / "oci-layout").exists():
        write_whole(layout / "oci-layout", _json({"imageLayoutVersion": "1.0.0"}))


@contextmanager
def writing(layout: Path) -> Iterator[Hashed]:
    """A blob to write; it takes its name, its sha256, when the block ends well."""
    folder = make_folder(layout / "blobs" / "sha256")
    descriptor, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=folder)
    temporary = Path(name)
    try:
        with naming(folder), os.fdopen(descriptor, "wb") as file:
            hashed = Hashed(file)
            yield hashed
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        give_tree(temporary, folder)
        temporary.replace(path_of(layout, hashed.digest))
    finally:
        temporary.unlink(missing_ok=True)


def put(layout: Path, content: bytes) -> str:
    """Write a small blob; its digest."""
    with writing(layout) as blob:
        blob.write(content)
    return identity(content)


def path_of(layout: Path, digest: object) -> Path:
    """The file of a blob.

    Raises:
        BadInput: `package-corrupt` for what is no digest: it could name any file.
    """
    if not isinstance(digest, str) or not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        raise BadInput.because("package-corrupt", f"{str(digest)[:100]!r} is no sha256 digest")
    return layout / "blobs" / "sha256" / digest.removeprefix("sha256:")


def verified(layout: Path, digest: str, size: int | None, what: str) -> Path:
    """The file of a blob whose every byte was read and found right.

    Raises:
        BadInput: `package-incomplete` where it is missing, `package-corrupt` where size or bytes are not right.
    """
    path = path_of(layout, digest)
    try:
        actual = path.stat().st_size
    except FileNotFoundError as error:
        raise BadInput.because("package-incomplete", f"the {what} is missing: {digest}") from error
    if size is not None and actual != size:
        raise BadInput.because("package-corrupt", f"the {what} holds {actual:,} bytes instead of {size:,}: {digest}")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if f"sha256:{found}" != digest:
        raise BadInput.because("package-corrupt", f"the {what} is not what its digest says: {digest}, found {found}")
    return path


def document(layout: Path, digest: str, size: int | None, what: str) -> Any:
    """A verified blob read as JSON.

    Raises:
        BadInput: as `verified`, and `package-corrupt` where it is too large or not JSON.
    """
    path = path_of(layout, digest)
    if path.exists() and path.stat().st_size > MAXIMUM_DOCUMENT:
        raise BadInput.because("package-corrupt", f"the {what} is larger than {MAXIMUM_DOCUMENT:,} bytes")
    return _read(verified(layout, digest, size, what), what)


def bring(source: Path, layout: Path, digest: str) -> None:
    """Copy a blob from one layout into another, proving it on the way; one that is there whole is left alone.

    Raises:
        BadInput: `package-incomplete`, `package-corrupt`.
    """
    if path_of(layout, digest).exists():
        verified(layout, digest, path_of(source, digest).stat().st_size, "blob that is stored already")
        return
    try:
        content = path_of(source, digest).open("rb")
    except FileNotFoundError as error:
        raise BadInput.because("package-incomplete", f"the blob to copy is missing: {digest}") from error
    with content, writing(layout) as blob:
        shutil.copyfileobj(content, blob, PIECE)
        if blob.digest != digest:
            found = blob.digest.removeprefix("sha256:")
            message = f"the blob to copy is not what its digest says: {digest}, found {found}"
            raise BadInput.because("package-corrupt", message)


def index(layout: Path) -> list[dict[str, Any]]:
    """The manifests of a layout, as they are listed.

    Raises:
        BadInput: `package-missing` where the folder is no layout, `package-corrupt` where the index can't be read.
    """
    path = layout / "index.json"
    if not path.exists() or not (layout / "oci-layout").exists():
        raise BadInput.because("package-missing", f"{layout.name}/ holds no package: it is no OCI image layout")
    if path.stat().st_size > MAXIMUM_DOCUMENT:
        raise BadInput.because("package-corrupt", f"the index is larger than {MAXIMUM_DOCUMENT:,} bytes")
    listed = _read(path, "index")
    manifests = listed.get("manifests") if isinstance(listed, dict) else None
    if not isinstance(manifests, list) or not all(isinstance(one, dict) for one in manifests):
        raise BadInput.because("package-corrupt", "the index lists no manifests")
    return manifests


def register(layout: Path, descriptor: Mapping[str, Any]) -> None:
    """List a manifest in the index, unless it is listed; writers wait for each other."""
    with (layout / "oci-layout").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        manifests = index(layout) if (layout / "index.json").exists() else []
        if all(one.get("digest") != descriptor["digest"] for one in manifests):
            listed = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [*manifests, dict(descriptor)]}
            write_whole(layout / "index.json", _json(listed))


def _read(path: Path, what: str) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise BadInput.because("package-corrupt", f"the {what} is not JSON: {error}") from error


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()
