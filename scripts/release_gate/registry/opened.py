"""The registry of a configuration, opened: its ledgers, packages and observations, wherever they lie."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from release_gate.edges import Store
from release_gate.lifecycle.package import Contents
from release_gate.registries import Branch, Bucket, Folder, Registries
from release_gate.registry.ledger import Ledger
from release_gate.registry.memory import Memory
from release_gate.registry.packages import Sealed, copy, described, open_package
from release_gate.registry.shipping import Depot, describe, pull, store
from release_gate.registry.stores.folder import FolderStore
from release_gate.registry.stores.git import LIMIT

if TYPE_CHECKING:
    from release_gate.registry.stores.remotes import Remote


UNHURRIED, HURRIED = 20.0, 4.0
"""Seconds for an answer where users wait for a rollback; git, which asks several times, has twice that."""


class Observations:
    """Small records of a model that are only ever added, under `watch/<model>/…`; keys count from there."""

    def __init__(self, store: Store, model: str) -> None:
        self._store, self._prefix = store, f"watch/{model}"

    def put_new(self, key: str, content: bytes) -> bool:
        """Write, unless the key exists: one of two writers at once gets True, the other False."""
        return self._store.put_new(f"{self._prefix}/{key}", content)

    def get(self, key: str) -> bytes | None:
        """What stands under the key, or None."""
        return self._store.get(f"{self._prefix}/{key}")

    def keys(self, prefix: str = "") -> Iterator[str]:
        """The keys below a prefix, sorted."""
        below = f"{self._prefix}/{prefix}".rstrip("/")
        return (key.removeprefix(f"{self._prefix}/") for key in self._store.keys(below))


@dataclass(frozen=True)
class Registry:
    """Where packages and ledgers lie; nothing is reached before it is asked for.

    `hurried`: something more urgent waits for the ledger, which has but a few seconds to answer.
    """

    places: Registries
    root: Path
    environment: Mapping[str, str]
    cache: Path
    hurried: bool = False

    def __str__(self) -> str:
        """As it is written in the configuration."""
        return str(self.places)

    @property
    def ledger_folder(self) -> Path | None:
        """The folder of the ledgers where they lie in one, None where they lie elsewhere."""
        place = self.places.ledger
        return self.root / place.path / "ledger" if isinstance(place, Folder) else None

    @property
    def absent(self) -> str | None:
        """In words, that there is no folder of ledgers, which an empty history would not tell; None where it is."""
        folder = self.ledger_folder
        return None if folder is None or folder.is_dir() else f"the registry {self.places.ledger} is not here"

    def ledger(self, model: str) -> Ledger:
        """The history of a model."""
        place = self.places.ledger
        if isinstance(place, Folder):
            return Ledger(self._ledgers, model)
        return Ledger(self._ledgers, model, Memory(self.cache, lambda: self._shown(place), model))

    def observations(self, model: str) -> Observations:
        """Small records of a model, kept where its ledger is."""
        return Observations(self._ledgers, model)

    def store(self, sealed: Sealed) -> None:
        """Copy a package in, proving every byte, and list it last; twice is once.

        Raises:
            BadInput: `package-corrupt`, `package-incomplete`, `package-too-large`.
            CannotJudge: `registry-unreachable`, `registry-refused`, `registry-missing`, `registry-contended`.
        """
        place = self.places.packages
        if isinstance(place, Folder):
            copy(sealed, self.root / place.path / "packages")
        else:
            store(sealed, self._depot)

    def open(self, digest: str) -> Sealed:
        """A package by its digest, every byte proven; from a bucket or a branch by way of the cache.

        Raises:
            BadInput: `package-missing`, `package-incomplete`, `package-corrupt`, `package-newer`.
            CannotJudge: as `store`.
        """
        place = self.places.packages
        if isinstance(place, Folder):
            return open_package(self.root / place.path / "packages", digest)
        return pull(digest, self._depot, self.cache / "packages", str(place))

    def describe(self, digest: str) -> Contents:
        """What is sealed in a package, without fetching its layers.

        Raises:
            BadInput: `package-missing`, `package-incomplete`, `package-corrupt`, `package-newer`.
            CannotJudge: as `store`.
        """
        place = self.places.packages
        if isinstance(place, Folder):
            return described(self.root / place.path / "packages", digest)
        return describe(digest, self._depot, self.cache / "packages", str(place))

    @cached_property
    def _ledgers(self) -> Store:
        place = self.places.ledger
        if isinstance(place, Folder):
            return FolderStore(self.root / place.path)
        return self._distant(place, HURRIED if self.hurried else None)

    @cached_property
    def _depot(self) -> Depot:
        place = self.places.packages
        if isinstance(place, Folder):
            raise TypeError("packages in a folder need no depot")
        return self._distant(place)

    def _distant(self, place: Bucket | Branch, patience: float | None = None) -> Depot:
        if isinstance(place, Bucket):
            from release_gate.registry.stores.bucket import BucketStore  # noqa: PLC0415

            return BucketStore(place.url, self.environment, cache=self.cache, patience=patience or UNHURRIED)
        from release_gate.registry.stores.branch import BranchStore  # noqa: PLC0415

        limit = LIMIT if patience is None else 2 * patience
        return BranchStore(place.name, self._origin, self.cache, self.environment, limit=limit)

    def _origin(self) -> Remote:
        from release_gate.registry.stores.remotes import origin  # noqa: PLC0415

        return origin(self.root, self.environment)

    def _shown(self, place: Bucket | Branch) -> str:
        """A place, told apart from those of the same name elsewhere."""
        if isinstance(place, Branch):
            return f"{place} of {self._origin().shown}"
        from release_gate.registry.stores.clients import address  # noqa: PLC0415

        return address(place.url, self.environment)


def open_registry(
    places: Registries,
    *,
    root: Path,
    environment: Mapping[str, str],
    cache: Path | None = None,
    hurried: bool = False,
) -> Registry:
    """The registry of a configuration that stands in `root`; `cache` is the user's own where none is given."""
    return Registry(places, root, environment, cache or user_cache(environment), hurried)


def user_cache(environment: Mapping[str, str]) -> Path:
    """Where what can be fetched again is kept for this user."""
    base = environment.get("XDG_CACHE_HOME") or (f"{home}/.cache" if (home := environment.get("HOME")) else "")
    return (Path(base) if base else Path(tempfile.gettempdir())) / "release-gate"
