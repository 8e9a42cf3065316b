"""Packages in a bucket and on a branch: stored once, listed last, pulled whole, and never trusted unread."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from release_gate.findings import Refused
from release_gate.registry import blobs
from release_gate.registry.layers import unpack
from release_gate.registry.packages import Sealed, open_package
from release_gate.registry.shipping import Depot, describe, pull, store
from release_gate.registry.stores.bucket import BucketStore
from tests.registry.conftest import S3, Repositories
from tests.registry.making import COMMIT, package


@dataclass(frozen=True)
class Place:
    """Somewhere to store packages: opened as often as one likes, as on different machines."""

    opened: Callable[[], Depot]
    replace: Callable[[str, bytes | None], None]


@pytest.fixture(params=["s3", "file", "branch"])
def depot(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "branch":
        repositories: Repositories = request.getfixturevalue("repositories")
        clone = repositories.clone("one")

        def commit(key: str, content: bytes | None) -> None:
            """What somebody with the right to push could do by hand."""
            repositories.git("fetch", "-q", "origin", "release-gate")
            repositories.git("checkout", "-q", "-B", "by-hand", "FETCH_HEAD")
            if content is None:
                (clone / key).unlink()
            else:
                (clone / key).write_bytes(content)
            repositories.git("add", "--all")
            repositories.git("commit", "-qm", "by hand")
            repositories.git("push", "-q", "origin", "by-hand:release-gate")

        yield Place(repositories.store, commit)
    elif request.param == "s3":
        s3: S3 = request.getfixturevalue("s3")

        def put(key: str, content: bytes | None) -> None:
            s3.asked("DELETE" if content is None else "PUT", f"/{s3.bucket}/models/{key}", content)

        yield Place(lambda: BucketStore(s3.url, s3.environment), put)
    else:
        folder = tmp_path / "bucket"

        def write(key: str, content: bytes | None) -> None:
            (folder / key).unlink() if content is None else (folder / key).write_bytes(content)

        yield Place(lambda: BucketStore(f"file://{folder}", {}), write)


@pytest.fixture
def sealed(tmp_path: Path) -> Sealed:
    (tmp_path / "making").mkdir()
    package(tmp_path / "making", tmp_path / "sealed")
    return open_package(tmp_path / "sealed")


def key(digest: str) -> str:
    return f"packages/blobs/sha256/{digest.removeprefix('sha256:')}"


def refused(action: object) -> tuple[str, str]:
    with pytest.raises(Refused) as refusal:
        action()  # type: ignore[operator]
    (found,) = refusal.value.findings
    return found.code, found.message


def test_what_is_pulled_is_what_was_stored_and_twice_is_once(depot: Place, sealed: Sealed, tmp_path: Path) -> None:
    store(sealed, depot.opened())
    keys = list(depot.opened().keys("packages"))
    store(sealed, depot.opened())
    assert list(depot.opened().keys("packages")) == keys
    pulled = pull(sealed.package.digest, depot.opened(), tmp_path / "cache", "here")
    assert pulled.package == sealed.package
    assert pulled.package.source.commit == COMMIT
    code, model = unpack(pulled.layers, tmp_path / "unpacked")
    assert (code / "app/run.py").exists()
    assert (model / "weights.bin").read_text() == "weights"
    # What stands in the cache is an OCI image layout like any other.
    assert open_package(tmp_path / "cache", sealed.package.digest).package == sealed.package


def test_what_a_package_is_made_of_is_told_without_its_layers(depot: Place, sealed: Sealed, tmp_path: Path) -> None:
    store(sealed, depot.opened())
    digest, cache = sealed.package.digest, tmp_path / "cache"
    assert describe(digest, depot.opened(), cache, "here") == sealed.package.contents
    layer = blobs.path_of(cache, sealed.layers.descriptors["model"]["digest"])
    assert not layer.exists()
    # A cache with a part of a package is no package, and becomes one when it is pulled.
    assert refused(lambda: open_package(cache, digest))[0] == "package-missing"
    assert pull(digest, depot.opened(), cache, "here").package == sealed.package


def test_a_package_that_is_not_there_or_not_what_it_says_is_not_described(
    depot: Place, sealed: Sealed, tmp_path: Path
) -> None:
    absent = f"sha256:{1:064x}"
    assert refused(lambda: describe(absent, depot.opened(), tmp_path / "cache", "here"))[0] == "package-missing"
    assert refused(lambda: describe("../x", depot.opened(), tmp_path / "cache", "here"))[0] == "package-corrupt"
    store(sealed, depot.opened())
    depot.replace(key(sealed.package.digest), b"{}")
    found = refused(lambda: describe(sealed.package.digest, depot.opened(), tmp_path / "cache", "here"))
    assert found[0] == "package-corrupt"


def test_a_package_that_is_here_whole_needs_no_store(depot: Place, sealed: Sealed, tmp_path: Path) -> None:
    store(sealed, depot.opened())
    pull(sealed.package.digest, depot.opened(), tmp_path / "cache", "here")
    unreachable = BucketStore("s3://nowhere", {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, patience=1.0)
    assert pull(sealed.package.digest, unreachable, tmp_path / "cache", "here").package == sealed.package


def test_a_cache_that_was_damaged_is_mended_from_the_store(depot: Place, sealed: Sealed, tmp_path: Path) -> None:
    store(sealed, depot.opened())
    cache = tmp_path / "cache"
    pull(sealed.package.digest, depot.opened(), cache, "here")
    for name in ("model", "lock"):
        blobs.path_of(cache, sealed.layers.descriptors[name]["digest"]).write_bytes(b"damaged")
    blobs.path_of(cache, sealed.package.digest).unlink()
    assert pull(sealed.package.digest, depot.opened(), cache, "here").package == sealed.package
    assert open_package(cache, sealed.package.digest).package == sealed.package


def test_two_that_pull_at_once_both_get_it_whole(depot: Place, sealed: Sealed, tmp_path: Path) -> None:
    store(sealed, depot.opened())
    got: list[Sealed] = []

    def fetch() -> None:
        got.append(pull(sealed.package.digest, depot.opened(), tmp_path / "cache", "here"))

    threads = [threading.Thread(target=fetch) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.package for one in got] == [sealed.package] * 3
    assert len(blobs.index(tmp_path / "cache")) == 1
    assert not list((tmp_path / "cache").rglob(".*.part"))


def test_wrong_bytes_are_named_and_never_kept(depot: Place, sealed: Sealed, tmp_path: Path) -> None:
    store(sealed, depot.opened())
    layer = sealed.layers.descriptors["model"]["digest"]
    depot.replace(key(layer), b"wrong")
    code, message = refused(lambda: pull(sealed.package.digest, depot.opened(), tmp_path / "cache", "s3://here"))
    assert (code, f"s3://here/{key(layer)}" in message) == ("package-corrupt", True)
    assert not blobs.path_of(tmp_path / "cache", layer).exists()
    assert refused(lambda: open_package(tmp_path / "cache", sealed.package.digest))[0] == "package-missing"


def test_a_missing_layer_is_named(depot: Place, sealed: Sealed, tmp_path: Path) -> None:
    store(sealed, depot.opened())
    layer = sealed.layers.descriptors["lock"]["digest"]
    depot.replace(key(layer), None)
    code, message = refused(lambda: pull(sealed.package.digest, depot.opened(), tmp_path / "cache", "here"))
    assert (code, key(layer) in message) == ("package-incomplete", True)


def test_a_listing_of_what_is_not_there_is_named(depot: Place, sealed: Sealed, tmp_path: Path) -> None:
    digest = sealed.package.digest
    listed = json.dumps({"digest": digest}).encode()
    depot.opened().put_new(f"packages/listed/{digest.removeprefix('sha256:')}.json", listed)
    code, message = refused(lambda: pull(digest, depot.opened(), tmp_path / "cache", "here"))
    assert (code, "manifest" in message) == ("package-incomplete", True)


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"digest": "sha256:other"}'])
def test_a_listing_that_describes_something_else_is_named(
    depot: Place, sealed: Sealed, tmp_path: Path, content: bytes
) -> None:
    digest = sealed.package.digest
    depot.opened().put_new(f"packages/listed/{digest.removeprefix('sha256:')}.json", content)
    assert refused(lambda: pull(digest, depot.opened(), tmp_path / "cache", "here"))[0] == "package-corrupt"


def test_a_package_never_stored_and_a_word_that_is_no_digest(depot: Place, sealed: Sealed, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert refused(lambda: pull(f"sha256:{0:064x}", depot.opened(), cache, "here")) == (
        "package-missing",
        f"here does not hold sha256:{0:064x}",
    )
    assert refused(lambda: pull("sha256:../../etc", depot.opened(), cache, "here"))[0] == "package-corrupt"


def test_a_package_with_wrong_bytes_is_not_listed(depot: Place, sealed: Sealed, tmp_path: Path) -> None:
    blobs.path_of(sealed.layers.layout, sealed.layers.descriptors["model"]["digest"]).write_bytes(b"other")
    assert refused(lambda: store(sealed, depot.opened()))[0] == "package-corrupt"
    assert list(depot.opened().keys("packages/listed")) == []
    blobs.path_of(sealed.layers.layout, sealed.layers.descriptors["lock"]["digest"]).unlink()
    assert refused(lambda: store(sealed, depot.opened()))[0] == "package-incomplete"


def test_a_manifest_of_the_wrong_shape_is_named(depot: Place, tmp_path: Path) -> None:
    for content in (b"[]", b"{}", b'{"config": 5}', b'{"config": {"digest": 5}, "layers": []}'):
        digest = blobs.put(tmp_path, content)
        depot.opened().put_new(key(digest), content)
        listed = json.dumps({"digest": digest}).encode()
        depot.opened().put_new(f"packages/listed/{digest.removeprefix('sha256:')}.json", listed)
        found = refused(lambda digest=digest: pull(digest, depot.opened(), tmp_path / "cache", "here"))
        assert found[0] == "package-corrupt"


KILLED = """
import os, signal, sys
from pathlib import Path
from release_gate.registry import shipping
from release_gate.registry.packages import open_package
from release_gate.registry.stores.bucket import BucketStore

def killed(self, key, content):
    os.kill(os.getpid(), signal.SIGKILL)

BucketStore.put_new = killed
shipping.store(open_package(Path(sys.argv[1])), BucketStore(sys.argv[2], os.environ))
"""


def test_a_kill_between_blobs_and_listing_leaves_nothing_that_counts(s3: S3, sealed: Sealed, tmp_path: Path) -> None:
    words = [sys.executable, "-c", KILLED, str(tmp_path / "sealed"), s3.url]
    known = {**s3.environment, "PYTHONPATH": os.pathsep.join(["scripts", "."])}
    done = subprocess.run(words, capture_output=True, check=False, env=known)
    assert done.returncode == -signal.SIGKILL, done.stderr
    depot = BucketStore(s3.url, s3.environment)
    assert len(list(depot.keys("packages/blobs"))) == 5
    assert refused(lambda: pull(sealed.package.digest, depot, tmp_path / "cache", "here"))[0] == "package-missing"
    store(sealed, depot)
    assert pull(sealed.package.digest, depot, tmp_path / "cache", "here").package == sealed.package
