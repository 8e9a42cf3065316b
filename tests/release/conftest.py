"""A scene for each test: its own proxy, registry and clones; nothing outlives it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.registry.conftest import S3, s3, s3_server  # noqa: F401 - fixtures
from tests.release.project import Built, build
from tests.release.scene import Scene, set_up

Set = Callable[..., Scene]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="session")
def haproxy() -> str:
    program = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        reason = "no haproxy on this machine: apt-get install -y haproxy"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return program


@pytest.fixture
def scene(tmp_path: Path, built: Built, haproxy: str, request: pytest.FixtureRequest) -> Iterator[Set]:
    """Sets a scene with a registry of a kind: `folder`, `branch` or `bucket`."""
    scenes: list[Scene] = []

    def make(kind: str = "folder", *, shared: bool = True) -> Scene:
        registry, environment = f"{tmp_path}/registry", dict[str, str]()
        if kind == "branch":
            registry = "branch:release-gate"
        elif kind == "bucket":
            bucket: S3 = request.getfixturevalue("s3")
            registry, environment = bucket.url, dict(bucket.environment)
        scenes.append(set_up(tmp_path, built, haproxy, registry, shared=shared, **environment))
        return scenes[-1]

    yield make
    for one in scenes:
        one.close()
