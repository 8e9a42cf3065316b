"""The registry of a configuration in every place it can be: the same history, the same packages, the same refusals."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from release_gate.findings import CannotJudge, Refused
from release_gate.lifecycle.events import Draft, Event, identity
from release_gate.registries import Branch, Bucket, Folder, Place, Registries
from release_gate.registry.memory import Memory
from release_gate.registry.opened import Registry, open_registry, user_cache
from release_gate.registry.packages import open_package
from release_gate.registry.stores.failures import Unreachable
from tests.registry.conftest import S3, Repositories
from tests.registry.making import package

Opened = Callable[[str], Registry]


def draft(because: str = "") -> Draft:
    return Draft(at=datetime.now(UTC), actor="octo-air", kind="held", because=because)


def appended(registry: Registry, because: str = "") -> Event:
    event, _ = registry.ledger("flights").append(lambda _: draft(because))
    assert event is not None
    return event


@pytest.fixture(params=["folder", "file", "s3", "branch", "both"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    """Opens the same registry as if on one machine or another."""
    s3: S3 | None = request.getfixturevalue("s3") if request.param in ("s3", "both") else None
    repositories: Repositories | None = (
        request.getfixturevalue("repositories") if request.param in ("branch", "both") else None
    )
    packages: Place
    ledger: Place
    if s3 is not None:
        packages = ledger = Bucket(url=s3.url)
    else:
        packages = ledger = Folder(path="releases") if request.param == "folder" else Bucket(url=f"file://{tmp_path}/b")
    if repositories is not None:
        ledger = Branch(name="release-gate")
        packages = packages if s3 else ledger
    known = dict(s3.environment) if s3 else dict(os.environ)

    def made(machine: str) -> Registry:
        root = repositories.clone(machine) if repositories else tmp_path
        cache = tmp_path / f"cache of {machine}"
        return open_registry(Registries(packages=packages, ledger=ledger), root=root, environment=known, cache=cache)

    return made


def test_a_package_and_its_history_travel_from_one_machine_to_another(opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "making").mkdir()
    digest = package(tmp_path / "making", tmp_path / "sealed").digest
    one = opened("one")
    one.store(open_package(tmp_path / "sealed"))
    one.store(open_package(tmp_path / "sealed"))
    appended(one, "the pager rang")
    other = opened("two")
    assert other.open(digest).package == open_package(tmp_path / "sealed").package
    assert [event.because for event in other.ledger("flights").read()] == ["the pager rang"]
    assert other.ledger("other").read() == []
    with pytest.raises(Refused, match="package-missing"):
        other.open(f"sha256:{0:064x}")


def test_observations_are_small_records_of_one_model(opened: Opened) -> None:
    looks = opened("one").observations("flights")
    assert list(looks.keys()) == []
    assert looks.put_new("looks/7/1", b"{}")
    assert not looks.put_new("looks/7/1", b"[]")
    assert looks.put_new("looks/8/1", b"{}")
    seen = opened("two").observations("flights")
    assert seen.get("looks/7/1") == b"{}"
    assert seen.get("looks/7/2") is None
    assert list(seen.keys("looks/7")) == ["looks/7/1"]
    assert list(seen.keys()) == ["looks/7/1", "looks/8/1"]
    assert list(opened("two").observations("flights-2").keys()) == []
    assert opened("one").ledger("flights").read() == [], "an observation is no event"


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from release_gate.lifecycle.events import Draft
from release_gate.registries import Registries
from release_gate.registry.opened import open_registry
import json, os
places, root, cache, name = json.loads(sys.argv[1]), *sys.argv[2:]
registry = open_registry(Registries.model_validate(places), root=Path(root), environment=os.environ, cache=Path(cache))
for number in range(4):
    draft = Draft(at=datetime.now(UTC), actor=name, kind="held", because=f"{name} {number}")
    assert registry.ledger("flights").append(lambda _: draft)[0] is not None
"""


def test_processes_on_two_machines_leave_one_order_and_lose_nothing(opened: Opened) -> None:
    running = []
    for name, machine in (("a", "one"), ("b", "two"), ("c", "one")):
        registry = opened(machine)
        places = {"packages": str(registry.places.packages), "ledger": str(registry.places.ledger)}
        words = [sys.executable, "-c", WRITER, json.dumps(places), str(registry.root), str(registry.cache), name]
        known = {**registry.environment, "PYTHONPATH": os.pathsep.join([str(Path("scripts").absolute())])}
        running.append(subprocess.Popen(words, env=known, stderr=subprocess.PIPE))
    for one in running:
        _, told = one.communicate(timeout=120)
        assert one.returncode == 0, told.decode()
    history = opened("two").ledger("flights").read()
    assert [event.sequence for event in history] == list(range(1, 13))
    assert sorted(event.because for event in history) == sorted(f"{name} {n}" for name in "abc" for n in range(4))
    for name in "abc":
        assert [event.because for event in history if event.actor == name] == [f"{name} {n}" for n in range(4)]


def test_nothing_is_reached_before_it_is_asked_for(tmp_path: Path) -> None:
    places = Registries.of("branch:release-gate")
    known = {**os.environ, "GIT_CEILING_DIRECTORIES": str(tmp_path.parent)}
    registry = open_registry(places, root=tmp_path, environment=known, cache=tmp_path / "cache")
    ledger = registry.ledger("flights")
    registry.observations("flights")
    with pytest.raises(CannotJudge, match="registry-git-missing"):
        ledger.read()
    assert (registry.ledger_folder, str(registry)) == (None, "branch:release-gate")
    folder = open_registry(Registries.of("releases"), root=tmp_path, environment={})
    assert folder.ledger_folder == tmp_path / "releases" / "ledger"


class TestABranch:
    """What only a branch can suffer."""

    @pytest.fixture
    def opened(self, repositories: Repositories, tmp_path: Path) -> Opened:
        def made(machine: str) -> Registry:
            places, cache = Registries.of("branch:release-gate"), tmp_path / f"cache of {machine}"
            return open_registry(places, root=repositories.clone("one"), environment=dict(os.environ), cache=cache)

        return made

    @pytest.fixture
    def shortened(self, opened: Opened, repositories: Repositories) -> None:
        for number in range(3):
            appended(opened("writer"), f"event {number}")
        assert len(opened("reader").ledger("flights").read()) == 3
        repositories.git("fetch", "-q", "origin", "release-gate")
        repositories.git("push", "-q", "--force", "origin", "FETCH_HEAD~1:refs/heads/release-gate")

    @pytest.mark.usefixtures("shortened")
    @pytest.mark.parametrize("machine", ["writer", "reader"])
    def test_a_tail_cut_off_is_noticed_where_it_was_seen(self, opened: Opened, machine: str) -> None:
        for _ in range(2):
            with pytest.raises(CannotJudge) as refusal:
                opened(machine).ledger("flights").read()
            (found,) = refusal.value.findings
            assert found.code == "ledger-shortened"
            assert "event ledger/flights/00000003.json" in found.message
            assert "the ledger ends at event 2" in found.message
        with pytest.raises(CannotJudge, match="ledger-shortened"):
            appended(opened(machine))
        # The file it names is the way to say that it was meant.
        Path(found.message.rpartition("remembered in ")[2]).unlink()
        assert len(opened(machine).ledger("flights").read()) == 2

    @pytest.mark.usefixtures("shortened")
    def test_a_fresh_machine_can_not_know_and_raises_no_alarm(self, opened: Opened) -> None:
        assert len(opened("fresh").ledger("flights").read()) == 2

    @pytest.mark.usefixtures("shortened")
    def test_other_events_in_the_place_of_those_cut_off_are_noticed(self, opened: Opened) -> None:
        for number in range(2):
            appended(opened("fresh"), f"another {number}")
        with pytest.raises(CannotJudge, match=r"ledger-shortened: .*another event stands there"):
            opened("reader").ledger("flights").read()

    def test_a_ledger_out_of_reach_says_so_by_its_own_code(self, opened: Opened, repositories: Repositories) -> None:
        appended(opened("one"))
        repositories.remote.rename(repositories.folder / "gone")
        for action in (lambda: opened("one").ledger("flights").read(), lambda: appended(opened("one"))):
            with pytest.raises(Unreachable) as refusal:
                action()
            assert [found.code for found in refusal.value.findings] == ["ledger-unreachable"]


def test_a_folder_that_goes_back_with_a_checkout_raises_no_alarm(tmp_path: Path) -> None:
    registry = open_registry(Registries.of("releases"), root=tmp_path, environment={}, cache=tmp_path / "cache")
    appended(registry)
    appended(registry)
    (tmp_path / "releases/ledger/flights/00000002.json").unlink()
    assert len(registry.ledger("flights").read()) == 1
    assert not (tmp_path / "cache").exists()


def test_an_event_whose_answer_was_lost_is_written_once(s3: S3, tmp_path: Path) -> None:
    registry = open_registry(Registries.of(s3.url), root=tmp_path, environment=s3.environment, cache=tmp_path)
    appended(registry)
    s3.fault("down")
    assert appended(registry).sequence == 2
    assert [event.sequence for event in registry.ledger("flights").read()] == [1, 2]


class TestMemory:
    """What a machine remembers of a ledger."""

    @pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"sequence": true, "identity": "x"}', b"\xff"])
    def test_a_file_that_makes_no_sense_remembers_nothing(self, tmp_path: Path, content: bytes) -> None:
        memory = Memory(tmp_path, lambda: "s3://models", "flights")
        memory.file.parent.mkdir()
        memory.file.write_bytes(content)
        assert memory.last() is None

    def test_the_newest_is_kept_and_places_are_told_apart(self, tmp_path: Path) -> None:
        memory = Memory(tmp_path, lambda: "s3://models", "flights")
        memory.keep(2, identity(b"2"))
        memory.keep(1, identity(b"1"))
        assert memory.last() == (2, identity(b"2"))
        assert Memory(tmp_path, lambda: "s3://others", "flights").last() is None

    def test_a_cache_that_can_not_be_written_is_no_failure(self, tmp_path: Path) -> None:
        (tmp_path / "ledgers").write_text("a file")
        memory = Memory(tmp_path, lambda: "s3://models", "flights")
        memory.keep(1, identity(b"1"))
        assert memory.last() is None


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/x/release-gate"),
        ({"HOME": "/h"}, "/h/.cache/release-gate"),
    ],
)
def test_the_cache_is_the_users_own(environment: dict[str, str], folder: str) -> None:
    assert user_cache(environment) == Path(folder)
    assert user_cache({}).name == "release-gate"
