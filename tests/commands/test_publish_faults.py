"""Publishing with a fault at every effect on the store: whoever runs it again ends where an undisturbed run does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar, cast

import pytest

from release_gate.commands.publish_artifact import _registered
from release_gate.config import ModelConfig
from release_gate.findings import CannotJudge
from release_gate.lifecycle.events import Draft
from release_gate.registries import Registries
from release_gate.registry.opened import Registry
from release_gate.registry.packages import Sealed, open_package
from release_gate.registry.stores.bucket import BucketStore
from release_gate.registry.stores.failures import unreachable
from release_gate.registry.stores.parts import Part
from tests.commands.world import Killed
from tests.registry.making import COMMIT, package

Made = TypeVar("Made")
MODEL = cast("ModelConfig", SimpleNamespace(model="tiny", rollout=object()))


@dataclass
class Faulty:
    """A real bucket in a folder; the effect number `at` is killed, refused, or its answer is lost."""

    bucket: BucketStore
    at: int = -1
    how: str = ""
    seen: int = 0

    def effect(self, act: Callable[[], Made]) -> Made:
        here, self.seen = self.seen == self.at, self.seen + 1
        if here and self.how == "killed before":
            raise Killed
        if here and self.how == "refused":
            raise unreachable("the bucket", "503")
        done = act()
        if here and self.how == "killed after":
            raise Killed
        if here and self.how == "answer lost":
            raise unreachable("the bucket", "no answer")
        return done

    def bring(self, parts: Sequence[Part]) -> None:
        for part in parts:
            self.effect(lambda part=part: self.bucket.bring([part]))  # type: ignore[misc]

    def put_new(self, key: str, content: bytes) -> bool:
        return self.effect(lambda: self.bucket.put_new(key, content))

    def get(self, key: str) -> bytes | None:
        return self.bucket.get(key)

    def keys(self, prefix: str) -> Iterator[str]:
        return self.effect(lambda: iter(list(self.bucket.keys(prefix))))

    def pieces(self, key: str) -> Iterator[bytes]:
        return self.bucket.pieces(key)


@dataclass
class Bench:
    """A bucket of its own, and a way to publish into it."""

    folder: Path
    sealed: Sealed
    store: Faulty

    @property
    def registry(self) -> Registry:
        made = Registry(Registries.of(f"file://{self.folder}/bucket"), self.folder, {}, self.folder / "cache")
        made.__dict__.update(_depot=self.store, _ledgers=self.store)
        return made

    def publish(self) -> list[str]:
        digest = self.sealed.package.digest
        draft = Draft(
            at=datetime.now(UTC),
            actor="octo-air",
            kind="registered",
            package=digest,
            commit=COMMIT,
            serves="after-rollout",
        )
        done = _registered(self.sealed, MODEL, self.registry, draft, frozenset(), root=self.folder)
        return [one.code for one in done]

    def whole(self) -> list[str]:
        """What the ledger names, its chain verified, each package opened with every byte proven."""
        named = [str(event.package) for event in self.registry.ledger("tiny").read()]
        return [self.registry.open(digest).package.digest for digest in named]


@pytest.fixture
def bench(tmp_path: Path) -> Callable[[str], Bench]:
    (tmp_path / "making").mkdir()
    package(tmp_path / "making", tmp_path / "sealed")
    sealed = open_package(tmp_path / "sealed")

    def make(name: str, **fault: Any) -> Bench:
        folder = tmp_path / name
        return Bench(folder, sealed, Faulty(BucketStore(f"file://{folder}/bucket", {}), **fault))

    return make


@pytest.mark.parametrize("how", ["killed before", "killed after", "refused", "answer lost"])
def test_a_fault_at_any_effect_of_publishing_changes_nothing_of_its_end(bench: Callable[..., Bench], how: str) -> None:
    quiet = bench("quiet")
    assert quiet.publish() == ["published"]
    effects = quiet.store.seen
    assert effects >= 8, "five blobs, their listing, the ledger read and written"
    for at in range(effects):
        made = bench(f"at-{at}", at=at, how=how)
        with pytest.raises((Killed, CannotJudge)):
            made.publish()
        made.store.at = -1
        assert set(made.whole()) <= {made.sealed.package.digest}, "what the ledger names is there, and whole"
        assert made.publish()[0] in ("published", "publish-twice"), f"{how} at effect {at}"
        assert made.publish() == ["publish-twice"]
        assert made.whole() == [made.sealed.package.digest], f"{how} at effect {at}"
