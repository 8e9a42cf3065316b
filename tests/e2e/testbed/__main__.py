"""Make every part, saying what it took: `python3 -m tests.e2e.testbed [part …]`."""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tests.e2e.testbed import docker, tools
from tests.e2e.testbed.part import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

PARTS: dict[str, Callable[[], object]] = {
    "act": tools.act,
    "actionlint": tools.actionlint,
    "haproxy": tools.haproxy,
    "node": tools.node_modules,
    "prometheus": tools.prometheus,
    "base": docker.base,
    "runner": docker.runner,
    "image": docker.release_gate,
}


def make(name: str) -> str | None:
    """Make one part; return why it cannot be had, or nothing."""
    started = time.monotonic()
    try:
        PARTS[name]()
    except UnavailableError as reason:
        print(f"test bed: {reason}", flush=True)
        return str(reason)
    print(f"test bed: {name} ready after {time.monotonic() - started:.1f} s", flush=True)
    return None


def main(names: list[str]) -> int:
    """Make the named parts, all of them without a name; what cannot be had is an error where CI=true."""
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        print(f"test bed: no part is called {', '.join(unknown)}; there are {', '.join(PARTS)}")
        return 2
    # Two at a time: one waits for the network while the other works.
    with ThreadPoolExecutor(max_workers=2) as workers:
        missing = [reason for reason in workers.map(make, names or list(PARTS)) if reason]
    return 1 if missing and (names or os.environ.get("CI") == "true") else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
