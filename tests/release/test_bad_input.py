"""What a release and its way back do with a registry, a ledger and a target that are not what they should be."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.release.conftest import Set
from tests.release.project import git
from tests.release.scene import Scene


def layer(scene: Scene, number: int) -> Path:
    """The largest file of a version's package in the registry that no other version has."""
    blobs = Path(scene.registry) / "packages" / "blobs" / "sha256"
    manifest = json.loads((blobs / scene.built.digests[number].removeprefix("sha256:")).read_bytes())
    own: dict[str, int] = {one["digest"].removeprefix("sha256:"): one["size"] for one in manifest["layers"]}
    for other in range(len(scene.built.digests)):
        path = blobs / scene.built.digests[other].removeprefix("sha256:")
        if other != number and path.exists():
            for one in json.loads(path.read_bytes())["layers"]:
                own.pop(one["digest"].removeprefix("sha256:"), None)
    return blobs / max(own, key=own.__getitem__)


def spoil(path: Path, how: str) -> None:
    if how == "missing":
        path.unlink()
    else:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.chmod(0o644)
        path.write_bytes(content)


CODES = {"wrong bytes": "package-corrupt", "missing": "package-incomplete"}


@pytest.mark.parametrize("how", CODES)
def test_a_package_that_is_not_whole_is_not_released_and_not_gone_back_to(scene: Set, how: str) -> None:
    made = scene()
    made.registered(0)
    made.serves(0)
    made.registered(1, compared=0)
    spoil(layer(made, 1), how)
    done = made.gate("deploy")
    assert done.code != 0
    assert CODES[how] in done.text, done.text
    assert made.built.digests[1] in done.text
    assert made.routed() == {made.built.digests[0]: 1.0}
    assert made.state.production == made.built.digests[0]
    # Were it known to be good, and the third in production: a rollback goes on to the next.
    made.happened("promoted", 1)
    made.registered(2)
    made.serves(2)
    done = made.gate("rollback")
    assert done.code == 0, done.text
    assert CODES[how] in done.text
    assert made.routed() == {made.built.digests[0]: 1.0}
    assert made.state.production == made.built.digests[0]


def forged(scene: Scene) -> str:
    path = Path(scene.registry) / "ledger" / "tiny" / "00000002.json"
    path.chmod(0o644)
    path.write_text(path.read_text().replace("octocat", "mallory"))
    return "00000002"


def taken_out(scene: Scene) -> str:
    (Path(scene.registry) / "ledger" / "tiny" / "00000002.json").unlink()
    return "00000003"


def no_event(scene: Scene) -> str:
    path = Path(scene.registry) / "ledger" / "tiny" / "00000003.json"
    path.chmod(0o644)
    path.write_text("{}")
    return "00000003"


@pytest.mark.parametrize("how", [forged, taken_out, no_event], ids=lambda how: how.__name__)
def test_a_forged_ledger_is_named_stops_releases_and_no_rollback(scene: Set, how: Callable[[Scene], str]) -> None:
    made = scene()
    made.registered(0)
    made.serves(0)
    made.registered(1, compared=0)
    made.serves(1)
    place = how(made)
    done = made.gate("deploy")
    assert done.code == 4, done.text
    assert "ledger-broken" in done.text
    assert place in done.text
    done = made.gate("rollback")
    assert done.code == 0, done.text
    assert "rollback-unrecorded" in done.text
    assert made.routed() == {made.built.digests[0]: 1.0}
    assert made.standing()["owed"]


def test_a_ledger_cut_off_at_its_end_is_noticed_where_it_was_seen(scene: Set) -> None:
    made = scene("branch")
    made.registered(0)
    made.serves(0)
    made.registered(1, compared=0)
    made.serves(1)
    assert made.gate("deploy").code == 0
    tip = (made.remote / "refs" / "heads" / "release-gate").read_text().strip()
    git(made.remote, "update-ref", "refs/heads/release-gate", f"{tip}~1")
    done = made.gate("deploy")
    assert done.code == 4, done.text
    assert "ledger-shortened" in done.text
    assert made.routed() == {made.built.digests[1]: 1.0}


def test_a_target_that_accepts_and_does_nothing_is_not_believed(scene: Set) -> None:
    made = scene()
    made.registered(0)
    config = made.one / "release-gate.yml"
    text = config.read_text()
    start = text.index("  target:")
    end = text.index("\n", start)
    nothing = f'  target: {{command: {{route: "true", read: "cat {made.folder}/shares.json", url: "{made.url}"}}}}'
    config.write_text(text[:start] + nothing + text[end:])
    (made.folder / "shares.json").write_text(json.dumps({made.built.digests[2]: 1.0}))
    done = made.gate("deploy")
    assert done.code in (3, 4), done.text
    assert "route-not-taken" in done.text
    assert made.built.digests[2] in done.text
    assert made.state.production is None
    assert made.state.blocked == frozenset(), "the target is at fault, not the version"


def test_a_version_that_was_never_registered_is_bad_use(scene: Set) -> None:
    made = scene()
    made.registered(0)
    made.serves(0)
    before = made.events()
    for words in (("deploy", "--version"), ("rollback", "--to")):
        done = made.gate(*words, made.built.digests[2])
        assert done.code == 2, done.text
        assert "version-unknown" in done.text
        assert made.built.digests[2] in done.text
    assert made.events() == before
    assert made.routed() == {made.built.digests[0]: 1.0}
