"""The layers of a package: code, model and lock, each one blob, and the list of the files in them."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from release_gate.findings import BadInput
from release_gate.lifecycle.package import File
from release_gate.registry import archives, blobs
from release_gate.verdict import Where

TYPES = {
    "code": "application/vnd.release-gate.code.v1.tar",
    "model": "application/vnd.release-gate.model.v1.tar",
    "lock": "application/vnd.release-gate.lock.v1",
}


@dataclass(frozen=True)
class Layers:
    """The layers of a package to be, in a folder of their own: descriptors by name, and the files in them."""

    layout: Path
    descriptors: Mapping[str, Mapping[str, Any]]
    files: tuple[File, ...]
    lock: str

    def size(self, name: str) -> int:
        """Bytes of a layer."""
        return int(self.descriptors[name]["size"])


def make_layers(folder: Path, *, code: Mapping[str, Path], model: Path, lock: tuple[str, Path]) -> Layers:
    """Write the layers of a package: code files by name, the files of the model folder, the lock by its name."""
    blobs.start(folder)
    code = {name: path for name, path in code.items() if name != lock[0]}
    trained = {path.relative_to(model).as_posix(): path for path in model.rglob("*") if path.is_file()}
    descriptors = {
        "code": _tar(folder, "code", code),
        "model": _tar(folder, "model", trained),
        "lock": _copied(folder, "lock", lock[1]),
    }
    files = [*(_file(f"code/{name}", path) for name, path in code.items())]
    files += [_file(f"model/{name}", path) for name, path in trained.items()]
    return Layers(folder, descriptors, tuple(sorted(files, key=lambda file: file.path)), lock[0])


def unpack(layers: Layers, folder: Path) -> tuple[Path, Path]:
    """Put code (with its lock) and model into `folder`: exactly the files listed, each verified; both folders.

    Raises:
        BadInput: `package-corrupt` for a file that is not listed, is missing, or is not what its digest says;
            `archive-unsafe`, `archive-broken`.
    """
    folders = folder / "code", folder / "model"
    for target in folders:
        target.mkdir(parents=True)
        archives.extract(blobs.path_of(layers.layout, layers.descriptors[target.name]["digest"]), target)
    found = {_file(path.relative_to(folder).as_posix(), path) for path in folder.rglob("*") if path.is_file()}
    if odd := sorted({file.path for file in found ^ set(layers.files)}):
        named = ", ".join(odd[:5]) + ", …" * (len(odd) > 5)
        raise BadInput.because("package-corrupt", f"the layers and the list of files don't agree on {named}")
    lock = folders[0] / archives.safe_name(layers.lock, Where(file="lock layer"))
    lock.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(blobs.path_of(layers.layout, layers.descriptors["lock"]["digest"]), lock)
    return folders


def _tar(folder: Path, name: str, members: Mapping[str, Path]) -> dict[str, Any]:
    with blobs.writing(folder) as blob:
        archives.write_tar(blob, members.items())
    return {"mediaType": TYPES[name], "digest": blob.digest, "size": blob.size}


def _copied(folder: Path, name: str, path: Path) -> dict[str, Any]:
    with blobs.writing(folder) as blob, path.open("rb") as content:
        shutil.copyfileobj(content, blob, blobs.PIECE)
    return {"mediaType": TYPES[name], "digest": blob.digest, "size": blob.size}


def _file(name: str, path: Path) -> File:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return File(path=name, size=path.stat().st_size, sha256=digest, executable=archives.executable(path))
