"""A way back while the world is broken: the remote gone, GitHub down, the configuration unreadable, servers hung."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.github.double import Answer, Request, serving
from tests.release.conftest import Set
from tests.release.project import git
from tests.release.scene import Scene

PROMISED = 10.0
"""Seconds that a broken world may cost, beside what a rollback takes anyway."""


def released(scene: Scene) -> Scene:
    """The second version serves; the first was good, and its server was let go."""
    scene.registered(0)
    scene.serves(0)
    scene.registered(1, compared=0)
    scene.serves(1)
    return scene


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes connections and never answers: a machine that hangs."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        yield int(listening.getsockname()[1])


@pytest.mark.parametrize("broken", ["the remote moved away", "the bucket is down", "the bucket hangs"])
def test_it_goes_back_without_the_ledger_and_the_next_command_pays(scene: Set, broken: str, silent: int) -> None:
    made = released(scene("branch" if "remote" in broken else "bucket"))
    first, second, _ = made.built.digests
    away = made.remote.with_name("away.git")
    elsewhere: dict[str, str] = {}
    if "remote" in broken:
        made.remote.rename(away)
    else:
        port = silent if "hangs" in broken else 1
        elsewhere["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{port}"
    with made.users() as users:
        done = made.gate("rollback", "--because", "it is bad", known=elsewhere)
        assert done.code == 0, done.text
        assert "rollback-unrecorded" in done.text
        texts = made.standing()["owed"]
        assert isinstance(texts, list)
        owed = json.loads(texts[0])
        assert (owed["kind"], owed["package"], owed["replaces"]) == ("rolled-back", first, second)
        if "hangs" not in broken:  # that takes a release its full patience
            # Nobody releases against a ledger that can't be read.
            refused = made.gate("deploy", known=elsewhere)
            assert refused.code == 4, refused.text
        if "remote" in broken:
            away.rename(made.remote)
        assert made.routed() == {first: 1.0}
        before = len(made.events())
        paying = made.gate("deploy")
        users.end()
    assert paying.code == 1, paying.text
    event = made.events()[before]
    assert (event.kind, event.package, event.because) == ("rolled-back", first, "it is bad")
    state = made.state
    assert state.production == first
    assert state.blocked == {second}
    assert made.standing()["owed"] == []
    assert made.routed() == {first: 1.0}
    assert users.failed() == []
    print(f"{broken}: {done.seconds:.1f} s")
    assert done.seconds < 3 * PROMISED


@pytest.mark.parametrize("how", ["503", "silence"])
def test_it_goes_back_while_github_is_down_and_the_next_run_tells(scene: Set, how: str, silent: int) -> None:
    made = released(scene())
    usual = made.gate("rollback").seconds
    made.happened("unblocked", 1)
    made.happened("lifted")
    made.serves(1)
    first = made.built.digests[0]
    known = {"GITHUB_REPOSITORY": "octo-air/tiny", "GITHUB_TOKEN": "token"}

    def unavailable(_: Request) -> Answer:
        return Answer(503, {"message": "Service unavailable"})

    with serving(unavailable) as github:
        url = github.url if how == "503" else f"http://127.0.0.1:{silent}"
        done = made.gate("rollback", known={**known, "GITHUB_API_URL": url})
        assert done.code == 0, done.text
        assert made.routed() == {first: 1.0}
        assert "owed" in done.text
        assert set(made.state.owed) == {"deployment", "comment", "revert"}
        assert (how == "503") == bool(github.asked)
    print(f"usually {usual:.1f} s, now {done.seconds:.1f} s")
    assert done.seconds < 2 * usual + PROMISED


def test_nothing_that_judges_a_candidate_is_imported_before_the_traffic_is_safe() -> None:
    names = "rollback, releasing, restoring, versions, smoking, telling"
    code = f"import sys; from release_gate.commands import {names}; print(*sys.modules)"
    known = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "scripts")}
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=known)
    imported = {name.partition(".")[0] for name in done.stdout.split()}
    assert "release_gate" in imported
    assert imported.isdisjoint({"numpy", "scipy", "pandas", "pyarrow", "github", "obstore"})


@pytest.mark.parametrize("place", ["folder", "bucket"])
def test_it_goes_back_though_no_file_takes_a_byte(scene: Set, place: str) -> None:
    made = released(scene(place))
    second, third = made.built.digests[1:]
    made.registered(2, compared=1)
    begun = made.gate("deploy", "--tick")
    assert begun.code == 0, begun.text
    assert made.routed() == {second: 0.5, third: 0.5}
    with made.users() as users:
        done = made.gate("rollback", "--because", "the disk is full", full=True)
        users.end()
    assert done.code == 0, done.text
    assert made.routed() == {second: 1.0}
    assert users.failed() == []
    assert "standing-unwritten" in done.text
    assert "release-gate.json" not in done.text
    recorded = made.state
    if place == "folder":
        assert recorded.rollout is not None, "its ledger lies on the same disk"
        assert "rollback-unrecorded" in done.text
        assert made.gate("rollback", "--because", "there is room again").code == 0
    state = made.state
    assert (state.production, state.rollout, state.restoring) == (second, None, None)
    assert state.blocked == {third}


def test_what_runs_takes_the_traffic_though_its_package_is_gone(scene: Set) -> None:
    made = released(scene())
    second, third = made.built.digests[1:]
    made.registered(2, compared=1)
    assert made.gate("deploy", "--tick").code == 0
    assert set(made.servers()) >= {second, third}
    shutil.rmtree(made.state_folder / "versions")
    shutil.rmtree(Path(made.registry) / "packages")
    with made.users() as users:
        done = made.gate("rollback", "--because", "somebody cleaned up")
        users.end()
    assert done.code == 0, done.text
    assert "rollback-unchecked" in done.text
    assert (made.routed(), users.failed()) == ({second: 1.0}, [])
    assert set(made.servers()) == {second}


BROKEN = "version: 1\nmodel: [\n"


@pytest.mark.parametrize("found", ["what the target kept", "what git holds"])
def test_it_goes_back_with_a_broken_configuration_on_main(scene: Set, found: str) -> None:
    made = released(scene(shared="git" in found))
    config = made.one / "release-gate.yml"
    if "git" in found:
        git(made.one, "commit", "-qam", "where the proxy is")
    else:
        deployed = made.gate("deploy")  # a release keeps the configuration it went by
        assert deployed.code == 0, deployed.text
    config.write_text(BROKEN)
    git(made.one, "commit", "-qam", "a mistake")
    refused = made.gate("deploy")
    assert refused.code == 2
    done = made.gate("rollback")
    assert done.code == 0, done.text
    assert "rollback-config-broken" in done.text
    assert made.routed() == {made.built.digests[0]: 1.0}
    assert made.state.production == made.built.digests[0]


def stop(scene: Scene, number: int, how: signal.Signals) -> None:
    for pid in scene.servers()[scene.built.digests[number]]:
        os.kill(pid, how)


def test_it_goes_back_to_a_version_that_does_not_run(scene: Set) -> None:
    made = released(scene())
    stop(made, 0, signal.SIGKILL)
    with made.users() as users:
        done = made.gate("rollback")
        users.end()
    assert done.code == 0, done.text
    assert users.failed() == []
    assert made.routed() == {made.built.digests[0]: 1.0}
    assert users.seen()[-1].version == made.built.digests[0]


def test_it_goes_back_while_the_bad_version_hangs(scene: Set) -> None:
    made = released(scene())
    with made.users() as users:
        stop(made, 1, signal.SIGSTOP)
        time.sleep(0.5)
        done = made.gate("rollback")
        over = time.monotonic()
        time.sleep(4)  # what hung meanwhile is given up by the proxy after 3 s
        users.end()
    assert done.code == 0, done.text
    late = [one for one in users.seen() if one.at > over]
    assert {one.version for one in late if one.status == 200} == {made.built.digests[0]}
    assert sum(one.status == 200 for one in late) > 100
    assert sum(one.status != 200 for one in late) <= 4, "no more than was under way on each connection"


def test_without_the_proxys_socket_it_says_so_and_changes_nothing(scene: Set) -> None:
    made = released(scene())
    there, away = made.folder / "ha.sock", made.folder / "ha.away"
    there.rename(away)
    with made.users() as users:
        done = made.gate("rollback")
        users.end()
    assert done.code == 4, done.text
    assert "proxy-unreachable" in done.text
    assert str(there) in done.text
    assert {one.version for one in users.seen()} == {made.built.digests[1]}
    away.rename(there)
    again = made.gate("rollback")
    assert again.code == 0, again.text
    assert made.routed() == {made.built.digests[0]: 1.0}
    assert made.state.restoring is None
