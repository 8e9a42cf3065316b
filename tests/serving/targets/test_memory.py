"""What every target remembers, across runs."""

from __future__ import annotations

from pathlib import Path

from release_gate.serving.standing import KEPT
from tests.serving.targets.conftest import Open, declared


def test_good_versions_owed_events_and_configuration_are_remembered(opened: Open, state: Path) -> None:
    rollout = declared(haproxy={"socket": "/no/socket", "backend": "b", "url": "http://127.0.0.1:1"})
    target = opened(rollout)
    assert target.remembered() is None
    assert (target.kept(), target.owes(), target.running()) == ((), (), ())
    for name in ("a", "b", "a", *"cdef"):
        target.keep(name)
    target.remember(b"version: 1\n")
    target.close()
    later = opened(rollout)
    assert later.kept() == tuple("fedca")
    assert len(later.kept()) == KEPT
    assert (state / "release-gate.yml").read_bytes() == b"version: 1\n"
    assert later.remembered() == b"version: 1\n"
    later.paid(None, 4)
    later.paid(None, 0)
    assert later.standing.fence == 4  # type: ignore[attr-defined]
    assert later.problems == ()
