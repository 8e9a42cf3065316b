"""Versions unpacked beside the target that serves them, so that one can be started again when nothing else answers."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from release_gate.commands.context import Context
from release_gate.commands.staging import Staged
from release_gate.files import folder_whole, write_whole
from release_gate.findings import BadInput
from release_gate.lifecycle.package import Package
from release_gate.verdict import Where

if TYPE_CHECKING:
    from release_gate.registry.packages import Sealed

PACKAGE, PYTHON = "package.json", "python.txt"
SHORTEST = 4
"""Characters of a digest that may name a version."""


def one_of(known: Collection[str], name: str) -> str:
    """The version of that digest, or the one whose digest begins so.

    Raises:
        BadInput: `version-unknown`: none or several, or too few characters to tell.
    """
    start = name.removeprefix("sha256:")
    found = [one for one in known if one.removeprefix("sha256:").startswith(start)]
    if len(found) == 1 and len(start) >= SHORTEST:
        return found[0]
    if not found:
        raise BadInput.because("version-unknown", f"no registered version is called {name!r}")
    if len(start) < SHORTEST:
        message = f"{name!r} is too short to name a version: give at least {SHORTEST} characters of its digest"
    else:
        message = f"{len(found)} registered versions begin with {name!r}: give more of the digest"
    raise BadInput.because("version-unknown", message)


def folder_of(state: Path, digest: str) -> Path:
    """Where a version is unpacked."""
    return state / "versions" / digest.removeprefix("sha256:")[:32]


def unpacked(context: Context, state: Path, digest: str, fetch: Callable[[], Sealed]) -> tuple[Package, Staged]:
    """A version ready to be started: what is there already is proven file by file, else it is fetched and unpacked.

    Raises:
        Refused: it can be neither fetched nor used as it is.
    """
    from release_gate.caller.environments import cache_folder, environment_for, find_lock
    from release_gate.registry.layers import unpack

    folder = folder_of(state, digest)
    package = _kept(folder, digest)
    if package is None:
        sealed = fetch()
        package = sealed.package
        with folder_whole(folder) as building:
            unpack(sealed.layers, building)
            write_whole(building / PACKAGE, package.model_dump_json().encode())
    contents = package.contents
    code, model = folder / "code", folder / "model"
    environment = environment_for(
        code,
        find_lock(code, contents.environment.lock),
        context.runner(),
        cache=cache_folder(context.environment),
        version=context.python or _python_before(folder),
    )
    _note_python(folder, environment.python.resolve())
    return package, Staged(code, model, environment, contents.use, digest)


def noted(state: Path, digest: str) -> Package | None:
    """What is known of a version that is unpacked here, unproven: enough to say something, not to run anything."""
    try:
        package = Package.model_validate_json((folder_of(state, digest) / PACKAGE).read_bytes())
    except (OSError, ValueError):
        return None
    return package if package.digest == digest else None


def _python_before(folder: Path) -> str | None:
    """The Python that a version's environment was made with, where this machine has it still.

    Who runs us may ask for another Python today, or for none: a version that served must not need a new environment
    for that, least of all in a rollback, when the package index may be away.
    """
    try:
        python = Path((folder / PYTHON).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return str(python) if python.is_absolute() and os.access(python, os.X_OK) else None


def _note_python(folder: Path, python: Path) -> None:
    with suppress(OSError):  # on a full disk: it is found in another way then
        if _python_before(folder) != str(python):
            write_whole(folder / PYTHON, str(python).encode())


def _kept(folder: Path, digest: str) -> Package | None:
    """The package of a folder whose every file is as it was sealed; None where it must be fetched again."""
    try:
        package = Package.model_validate_json((folder / PACKAGE).read_bytes())
        whole = package.digest == digest
        return package if whole and not _differing(folder, package) else None
    except (OSError, ValueError):
        return None


def _differing(folder: Path, package: Package) -> list[str]:
    from release_gate.files import sha256

    lock = package.contents.environment
    sealed = {file.path: file.sha256 for file in package.contents.files} | {f"code/{lock.lock}": lock.sha256}
    differing = []
    for name, expected in sealed.items():
        path = folder / name
        if path.is_symlink() or not path.resolve().is_relative_to(folder.resolve()):
            raise BadInput.because("package-corrupt", f"{name} leads out of the package", where=Where(file=name))
        if not path.is_file() or sha256(path) != expected:
            differing.append(name)
    return differing
