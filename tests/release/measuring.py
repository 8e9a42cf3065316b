"""What a rollback costs behind a real HAProxy, users' log in hand; for scripts/bench."""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.release.project import build
from tests.release.scene import Scene, set_up

RUNS = 5
Row = tuple[str, str, str]


@dataclass(frozen=True)
class Run:
    """One rollback: seconds from the command to the last answer by the bad version, and to the command's end."""

    last: float
    whole: float
    asked: int
    failed: int


def measured() -> Iterator[Row]:
    """Rows of what is measured, its value, and what is promised."""
    haproxy = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin")
    if haproxy is None:
        yield "rollback behind HAProxy", "not measured", "no haproxy on this machine: apt-get install -y haproxy"
        return
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "built").mkdir()
        built = build(folder / "built")
        (folder / "scene").mkdir()
        scene = set_up(folder / "scene", built, haproxy, f"{folder}/scene/registry", shared=True)
        try:
            scene.registered(0)
            scene.serves(0)
            scene.registered(1, compared=0)
            for name, cold in (("runs still", False), ("must be started", True)):
                runs = [_one(scene, cold=cold) for _ in range(RUNS)]
                what = f"rollback, old version {name}"
                yield f"{what}: to the last bad answer", _seconds([run.last for run in runs]), "promised: 2 s"
                yield f"{what}: whole command", _seconds([run.whole for run in runs]), "promised: 10 s"
                total = sum(run.asked for run in runs)
                failed = f"{sum(run.failed for run in runs)} of {total:,}"
                yield f"{what}: requests failed, 200 a second", failed, "promised: 0"
        finally:
            scene.close()


def _one(scene: Scene, *, cold: bool) -> Run:
    """The second version serves, is rolled back, and is let go, so that the next run begins as this one did."""
    first, second, _ = scene.built.digests
    scene.serves(1)
    if cold:
        with scene.hands() as hands:
            hands.target.stop(first)
    with scene.users() as users:
        time.sleep(1)
        began = time.monotonic()
        done = scene.gate("rollback", "--because", "measured")
        time.sleep(1)
        users.end()
    if done.code:
        raise SystemExit(f"bench: the rollback failed\n{done.text}")
    seen = users.seen()
    last = max(one.at for one in seen if one.version == second) - began
    if seen[-1].version != first:
        raise SystemExit(f"bench: {seen[-1]} answered last, not {first}")
    scene.happened("unblocked", 1)
    scene.happened("lifted")
    return Run(last, done.seconds, len(seen), len(users.failed()))


def _seconds(runs: list[float]) -> str:
    return f"{statistics.median(runs):.1f} s, worst {max(runs):.1f} s"
