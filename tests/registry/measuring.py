"""What a registry costs: 1 GB stored against `sha256sum` and `cp`, the state of 10,000 events; for scripts/bench."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from release_gate.lifecycle.events import Draft, Event, Judged, identity
from release_gate.registry.layers import make_layers
from release_gate.registry.packages import seal
from release_gate.verdict import Outcome
from tests.registry.making import contents

BYTES = 1_000_000_000
EVENTS = 10_000
GATES = ("schema-check", "transform-tests", "build-candidate", "endpoint-test", "threshold-comparison")

STORE = """
import os, re, sys, time
from pathlib import Path
from release_gate.registries import Registries
from release_gate.registry.opened import open_registry
from release_gate.registry.packages import open_package
root = Path(sys.argv[1])
registry = open_registry(Registries.of("registry"), root=root, environment=os.environ)
began = time.monotonic()
registry.store(open_package(root / "sealed", verify=False))
seconds = time.monotonic() - began
print(seconds, int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""
STATE = """
import json, os, sys
from pathlib import Path
from release_gate.lifecycle.state import fold
from release_gate.registries import Registries
from release_gate.registry.opened import open_registry
def cpu():
    import resource
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)
registry = open_registry(Registries.of(sys.argv[1]), root=Path(sys.argv[2]), environment=os.environ,
                         cache=Path(sys.argv[3]))
began = cpu()
events = registry.ledger("flights").read()
fold(events)
assert len(events) == 10_000
print(cpu() - began)
"""


def measured() -> Iterator[tuple[str, str, str]]:
    """Rows for scripts/bench: what, how much, what is promised."""
    with tempfile.TemporaryDirectory() as folder:
        yield from _stored(Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        yield from _state(Path(folder))


def _run(program: str, *arguments: str) -> list[str]:
    known = {**os.environ, "PYTHONPATH": "scripts"}
    words = [sys.executable, "-c", program, *arguments]
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True, env=known).stdout.split()


def _stored(root: Path) -> Iterator[tuple[str, str, str]]:
    (root / "tree").mkdir()
    (root / "trained").mkdir()
    (root / "tree" / "lock.txt").write_text("#")
    with (root / "trained" / "large.bin").open("wb") as file:
        for _ in range(BYTES // 1_000_000):
            file.write(os.urandom(1_000_000))
    made = make_layers(root / "layers", code={}, model=root / "trained", lock=("lock.txt", root / "tree" / "lock.txt"))
    seal(root / "sealed", made, contents(made, root), commit=None)
    for part in ("layers", "trained"):
        shutil.rmtree(root / part)
    model = max((root / "sealed/blobs/sha256").iterdir(), key=lambda path: path.stat().st_size)
    ratios, memory = [], 0
    for _ in range(3):
        os.sync()
        began = time.monotonic()
        subprocess.run(["sha256sum", str(model)], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["cp", str(model), str(root / "copy")], check=True)
        subprocess.run(["sync", str(root / "copy")], check=True)  # ours lies on the disk when it is done, too
        peer = time.monotonic() - began
        (root / "copy").unlink()
        os.sync()
        seconds, peak = _run(STORE, str(root))
        ratios.append(float(seconds) / peer)
        memory = max(memory, int(peak))
        shutil.rmtree(root / "registry")
    yield (
        "a package of 1 GB stored, against sha256sum, cp, sync",
        f"{statistics.median(ratios):.2f} x",
        "promised: 1.5 x",
    )
    yield "  peak memory", f"{memory} MB", "promised: 300 MB"


def _state(root: Path) -> Iterator[tuple[str, str, str]]:
    history(root / "releases")
    git = ["git", "-c", "user.name=octo-air", "-c", "user.email=octo-air@example.org"]
    for words in (
        ["init", "-q", "--bare", str(root / "remote.git")],
        ["-C", str(root / "releases"), "init", "-q", "-b", "release-gate"],
        ["-C", str(root / "releases"), "add", "--all"],
        ["-C", str(root / "releases"), "commit", "-qm", "10,000 events"],
        ["-C", str(root / "releases"), "remote", "add", "origin", str(root / "remote.git")],
        ["-C", str(root / "releases"), "push", "-q", "origin", "release-gate"],
    ):
        subprocess.run([*git, *words], check=True)
    for name, place in (("a folder", str(root / "releases")), ("a git branch", "branch:release-gate")):
        arguments = (place, str(root / "releases"), str(root / "cache"))
        _run(STATE, *arguments)  # the first time a branch is fetched
        seconds = statistics.median(float(_run(STATE, *arguments)[0]) for _ in range(5))
        yield f"state of 10,000 events from {name}, CPU", f"{seconds:.2f} s", "promised: 0.5 s"


def history(folder: Path) -> None:
    """A ledger of 10,000 events as releases leave it: every fifth one names its verdicts."""
    last: str | None = None
    (folder / "ledger" / "flights").mkdir(parents=True)
    for number in range(1, EVENTS + 1):
        judged = tuple(Judged(gate=gate, outcome=Outcome.PASS, identity=f"sha256:{number:064x}") for gate in GATES)
        draft = Draft(
            at=datetime.now(UTC),
            actor="octo-air",
            run="https://github.com/octo-air/flights/actions/runs/1234567890",
            kind=("registered", "deployed", "stepping", "stepped", "promoted")[number % 5],
            package=f"sha256:{number // 5:064x}",
            verdicts=judged if number % 5 == 0 else (),
            because=f"commit {number:040x}",
        )
        event = Event(sequence=number, previous=last, **dict(draft))
        content = event.to_json()
        last = identity(content)
        # Not `put_new`, which waits for the disk each time.
        (folder / "ledger" / "flights" / f"{number:08}.json").write_bytes(content)
