"""What proving saves where processes don't start: `python -m benchmarks.scan_alone CONTRACT DATA`, seconds as JSON."""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

from release_gate.contracts.reading import read
from release_gate.documents import read as read_document
from release_gate.tables.scan import scan

TIMES = 3


def timed(contract: Path, data: Path, *, exact: bool) -> tuple[float, object]:
    """The median of a scan's seconds, and what it found; `exact` counts every check, whatever could be proven."""
    reading = read(read_document(contract, shown=contract.name))
    times = []
    for _ in range(TIMES + 1):
        began = time.monotonic()
        scanned = scan(data, reading.contract, shown=data.name, exact=exact)
        times.append(time.monotonic() - began)
        scanned.close()
    return statistics.median(times[1:]), scanned.counts.columns  # the first one imports the engine


if __name__ == "__main__":
    contract, data = (Path(name) for name in sys.argv[1:])
    (proven, told), (counted, expected) = (timed(contract, data, exact=exact) for exact in (False, True))
    if told != expected:
        raise SystemExit("scan_alone: proving and counting disagree")
    json.dump({"proven": proven, "counted": counted}, sys.stdout)
