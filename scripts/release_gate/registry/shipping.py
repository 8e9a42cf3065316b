"""Packages in a store (a bucket, a branch): stored blob by blob, pulled into a local layout, proven byte by byte.

The blobs have the keys they have in an OCI image layout. There is no `index.json` that every writer would have to
replace: each package is listed by a record of its own, `packages/listed/<digest>.json`, made once, after all it names
is there. So nobody waits for anybody, nothing is ever overwritten, and a kill between blobs and record leaves blobs
that count for nothing until the next attempt lists them. What is pulled is a whole OCI image layout, index included.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from release_gate.edges import Store
from release_gate.findings import BadInput
from release_gate.lifecycle.package import Contents
from release_gate.registry import blobs
from release_gate.registry.packages import Sealed, described, open_package
from release_gate.registry.stores.parts import Part


class Depot(Store, Protocol):
    """A store that takes large files."""

    def bring(self, parts: list[Part]) -> None:
        """Bring files here, each proven on the way; those that are here already are proven too."""
        ...

    def pieces(self, key: str) -> Iterator[bytes]:
        """What stands under a key, piece by piece; FileNotFoundError where nothing does."""
        ...


def store(sealed: Sealed, depot: Depot) -> None:
    """Bring a package into a store, and list it once all of it is there. Twice is once.

    Raises:
        BadInput: `package-corrupt`, `package-incomplete`, `package-too-large`.
        CannotJudge: the store's own.
    """
    layout = sealed.layers.layout
    manifest = blobs.document(layout, sealed.package.digest, None, "manifest")
    named = (*sealed.layers.descriptors.values(), manifest["config"], sealed.descriptor)
    depot.bring([_part(layout, one["digest"]) for one in named])
    depot.put_new(_listed(sealed.package.digest), json.dumps(dict(sealed.descriptor), sort_keys=True).encode())


def pull(digest: str, depot: Depot, layout: Path, place: str) -> Sealed:
    """A package from a store, by way of a local layout; what is there whole already is not fetched again.

    Two at once do the same work twice and leave one result. A package that is here whole needs no store.

    Raises:
        BadInput: `package-missing`, `package-incomplete`, `package-corrupt`, `package-newer`.
        CannotJudge: the store's own.
    """
    blobs.path_of(layout, digest)  # refuses what is no digest
    try:
        return open_package(layout, digest)
    except BadInput:
        descriptor = _descriptor(depot.get(_listed(digest)), digest, place)
    blobs.start(layout)
    _fetched(depot, layout, digest, "manifest", place)
    manifest = blobs.document(layout, digest, None, "manifest")
    try:
        named = {"description": manifest["config"]["digest"]}
        named |= {f"layer {number}": one["digest"] for number, one in enumerate(manifest["layers"], start=1)}
    except (KeyError, TypeError, AttributeError) as error:
        raise BadInput.because("package-corrupt", f"{place}: the manifest {digest} is malformed") from error
    for what, blob in named.items():
        _fetched(depot, layout, blob, what, place)
    blobs.register(layout, descriptor)
    return open_package(layout, digest, verify=False)


def describe(digest: str, depot: Depot, layout: Path, place: str) -> Contents:
    """What is sealed in a package, without its layers: two small documents by way of a local layout.

    Raises:
        BadInput: `package-missing`, `package-incomplete`, `package-corrupt`, `package-newer`.
        CannotJudge: the store's own.
    """
    blobs.path_of(layout, digest)  # refuses what is no digest
    try:
        return described(layout, digest)
    except BadInput:
        _descriptor(depot.get(_listed(digest)), digest, place)
    blobs.start(layout)
    _fetched(depot, layout, digest, "manifest", place)
    manifest = blobs.document(layout, digest, None, "manifest")
    try:
        description = manifest["config"]["digest"]
    except (KeyError, TypeError) as error:
        raise BadInput.because("package-corrupt", f"{place}: the manifest {digest} is malformed") from error
    _fetched(depot, layout, description, "description", place)
    return described(layout, digest)


def _part(layout: Path, digest: str) -> Part:
    path = blobs.path_of(layout, digest)
    if not path.is_file():
        raise BadInput.because("package-incomplete", f"a blob of the package is missing: {digest}")
    return Part(_key(digest), path, digest, path.stat().st_size)


def _fetched(depot: Depot, layout: Path, digest: str, what: str, place: str) -> None:
    """Bring one blob here, unless it is here whole."""
    blobs.path_of(layout, digest)  # refuses what is no digest
    key = _key(digest)
    try:
        blobs.verified(layout, digest, None, what)
    except BadInput:
        pass  # absent or damaged: it is brought anew
    else:
        return
    try:
        with blobs.writing(layout) as blob:
            for piece in depot.pieces(key):
                blob.write(piece)
            if blob.digest != digest:
                message = f"{place}/{key}: the {what} is not what its digest says: found {blob.digest}"
                raise BadInput.because("package-corrupt", message)
    except FileNotFoundError as error:
        raise BadInput.because("package-incomplete", f"{place}/{key}: the {what} is missing") from error


def _descriptor(content: bytes | None, digest: str, place: str) -> Mapping[str, Any]:
    if content is None:
        raise BadInput.because("package-missing", f"{place} does not hold {digest}")
    try:
        listed = json.loads(content)
    except (ValueError, RecursionError):
        listed = None
    if not isinstance(listed, dict) or listed.get("digest") != digest:
        raise BadInput.because("package-corrupt", f"{place}/{_listed(digest)} does not describe {digest}")
    return listed


def _key(digest: str) -> str:
    return f"packages/blobs/{digest.replace(':', '/')}"


def _listed(digest: str) -> str:
    return f"packages/listed/{digest.removeprefix('sha256:')}.json"
