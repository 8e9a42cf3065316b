"""The identity of the data and contracts a package was made with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from release_gate.documents import read
from release_gate.files import sha256
from release_gate.findings import Refused
from release_gate.lifecycle.package import Contract
from release_gate.verdict import Subject


def datasets_of(root: Path, names: Iterable[str]) -> tuple[Subject, ...]:
    """Each data file that is there, by the sha256 of its bytes; one that is not has no identity to tell."""
    files = {name: root / name for name in sorted(set(names))}
    return tuple(
        Subject(kind="data", name=name, identity=f"sha256:{sha256(path)}")
        for name, path in files.items()
        if path.is_file()
    )


def contracts_of(root: Path, names: Mapping[str, str]) -> tuple[Contract, ...]:
    """Each contract file that is there, with the version it says it has."""
    return tuple(found for name in sorted(names) if (found := contract_of(root, name)) is not None)


def contract_of(root: Path, name: str) -> Contract | None:
    """A contract file with the version it says it has; None where it is not there, or lies outside."""
    path = root / name
    if not path.is_file() or not path.resolve().is_relative_to(root.resolve()):
        return None
    return Contract(name=name, version=_version(path), identity=f"sha256:{sha256(path)}")


def _version(path: Path) -> str | None:
    """The version of an ODCS contract, or the one under a pandera schema's metadata."""
    try:
        written: Any = read(path).value
    except Refused:
        return None
    if not isinstance(written, dict):
        return None
    metadata = written.get("metadata")
    version = written.get("version") if written.get("schema_type") is None else None
    if version is None and isinstance(metadata, dict):
        version = metadata.get("version")
    return str(version)[:100] if version is not None else None
