"""Packages: all that is needed to run a version, sealed under one digest in an OCI image layout.

The same code, model, lock and facts give the same digest anywhere: no time, host, path or run goes into it.
A package is sealed whole or not at all, and trusted only after every byte was read and found right.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from release_gate.files import folder_whole
from release_gate.findings import BadInput
from release_gate.lifecycle.package import SCHEMA, Contents, Package, Source
from release_gate.registry import blobs
from release_gate.registry.layers import TYPES, Layers

ARTIFACT_TYPE = "application/vnd.release-gate.package.v1"
CONFIG_TYPE = "application/vnd.release-gate.package.config.v1+json"
COMMIT, TITLE = "org.opencontainers.image.revision", "org.opencontainers.image.title"


@dataclass(frozen=True)
class Sealed:
    """A package that was opened and verified."""

    package: Package
    layers: Layers
    descriptor: Mapping[str, Any]

    @property
    def size(self) -> int:
        """Bytes of all layers."""
        return sum(self.layers.size(name) for name in TYPES)


def seal(layout: Path, layers: Layers, contents: Contents, *, commit: str | None) -> Package:
    """Make `layout` the image layout of one package: whole, or as it was before."""
    with folder_whole(layout) as building:
        blobs.start(building)
        for descriptor in layers.descriptors.values():
            blobs.bring(layers.layout, building, descriptor["digest"])
        config = _json({"schema": SCHEMA, **contents.model_dump(mode="json")})
        manifest = _json(
            {
                "schemaVersion": 2,
                "mediaType": blobs.MANIFEST_TYPE,
                "artifactType": ARTIFACT_TYPE,
                "config": {"mediaType": CONFIG_TYPE, "digest": blobs.put(building, config), "size": len(config)},
                "layers": [layers.descriptors[name] for name in TYPES],
                "annotations": {TITLE: contents.model},
            }
        )
        digest = blobs.put(building, manifest)
        blobs.register(building, _descriptor(digest, len(manifest), commit))
    return open_package(layout, digest, verify=False).package


def open_package(layout: Path, digest: str | None = None, *, verify: bool = True) -> Sealed:
    """The package of a layout, by digest or as the only one; `verify` reads every byte.

    Raises:
        BadInput: `package-missing`, `package-incomplete`, `package-corrupt`, `package-newer`.
    """
    descriptor = _listed(layout, digest)
    manifest = _manifest(layout, descriptor["digest"], descriptor.get("size"))
    try:
        contents, layers = _described(layout, manifest)
        source = Source(
            commit=(descriptor.get("annotations") or {}).get(COMMIT), tree=contents.tree, dirty=contents.dirty
        )
        package = Package(digest=descriptor["digest"], source=source, contents=contents)
        if verify:
            for name, layer in layers.items():
                blobs.verified(layout, layer["digest"], layer["size"], f"{name} layer")
        if layers["lock"]["digest"] != f"sha256:{contents.environment.sha256}":
            raise BadInput.because("package-corrupt", "its lock is not the one its description names")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInput.because("package-corrupt", f"manifest or description is malformed: {_line(error)}") from error
    return Sealed(package, Layers(layout, layers, contents.files, contents.environment.lock), descriptor)


def described(layout: Path, digest: str) -> Contents:
    """What is sealed in a package, of which only manifest and description need to be here.

    Raises:
        BadInput: as `open_package`.
    """
    manifest = _manifest(layout, digest, None)
    try:
        return _described(layout, manifest)[0]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInput.because("package-corrupt", f"manifest or description is malformed: {_line(error)}") from error


def copy(sealed: Sealed, layout: Path) -> None:
    """Bring a package into another layout: blobs first, the index last, so that what is listed is whole.

    Raises:
        BadInput: `package-corrupt` where a blob that was there already is not what its name says.
    """
    blobs.start(layout)
    source = sealed.layers.layout
    manifest = blobs.document(source, sealed.package.digest, None, "manifest")
    for descriptor in (*sealed.layers.descriptors.values(), manifest["config"], sealed.descriptor):
        blobs.bring(source, layout, descriptor["digest"])
    blobs.register(layout, sealed.descriptor)


def _listed(layout: Path, digest: str | None) -> Mapping[str, Any]:
    listed = blobs.index(layout)
    if digest is None and len(listed) != 1:
        raise BadInput.because("package-missing", f"{layout.name}/ holds {len(listed)} packages; name one by digest")
    found = next((one for one in listed if digest in (None, one.get("digest"))), None)
    if found is None or not isinstance(found.get("digest"), str):
        raise BadInput.because("package-missing", f"{layout.name}/ does not hold {digest or 'a package'}")
    return found


def _manifest(layout: Path, digest: str, size: int | None) -> Mapping[str, Any]:
    """The manifest of a package of the kind we read."""
    manifest = blobs.document(layout, digest, size, "manifest")
    if not isinstance(manifest, dict) or manifest.get("artifactType") != ARTIFACT_TYPE:
        kind = manifest.get("artifactType") if isinstance(manifest, dict) else "no object"
        raise BadInput.because("package-newer", f"it is of type {kind!r}; this version reads {ARTIFACT_TYPE}")
    return manifest


def _described(layout: Path, manifest: Mapping[str, Any]) -> tuple[Contents, dict[str, Any]]:
    """The description a manifest names, and its layers by name."""
    names = {media_type: name for name, media_type in TYPES.items()}
    layers = {names[layer["mediaType"]]: layer for layer in manifest["layers"]}
    if missing := [name for name in TYPES if name not in layers]:
        raise BadInput.because("package-incomplete", f"the manifest names no {' and no '.join(missing)} layer")
    config = manifest["config"]
    fields = dict(blobs.document(layout, config["digest"], config["size"], "description"))
    if (schema := fields.pop("schema", None)) != SCHEMA:
        raise BadInput.because("package-newer", f"its description has schema {schema!r}; this version reads {SCHEMA}")
    return Contents.model_validate(fields), layers


def _descriptor(digest: str, size: int, commit: str | None) -> dict[str, Any]:
    """How the index lists a package. The commit stands here, outside the digest (see lifecycle/package.py)."""
    listed = {"mediaType": blobs.MANIFEST_TYPE, "artifactType": ARTIFACT_TYPE, "digest": digest, "size": size}
    return {**listed, "annotations": {COMMIT: commit}} if commit else listed


def _json(value: object) -> bytes:
    """One writing of a value: sorted keys, no blanks."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
