"""Users in a process of their own: ask at a steady rate on kept-alive connections, and log every answer.

    python client.py URL LOG RATE

A line an answer: seconds of the machine's steady clock, status (0 where there was none), version. It ends on SIGTERM.
"""

from __future__ import annotations

import http.client
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TextIO
from urllib.parse import urlsplit

THREADS = 4
PATIENCE = 10.0


def ask(netloc: str, log: TextIO, pause: float, ended: threading.Event) -> None:
    """Ask on one connection until the end; a request that is late is asked at once."""
    connection = http.client.HTTPConnection(netloc, timeout=PATIENCE)
    due = time.monotonic()
    while not ended.is_set():
        try:
            connection.request("POST", "/predict", b'{"rows": [{"x": 1}]}')
            answer = connection.getresponse()
            answer.read()
            status, version = answer.status, answer.getheader("X-Version") or "-"
        except (OSError, http.client.HTTPException) as error:
            status, version = 0, type(error).__name__
            connection.close()
        log.write(f"{time.monotonic():.4f} {status} {version}\n")
        due = max(due + pause, time.monotonic() - pause)
        ended.wait(max(0.0, due - time.monotonic()))
    connection.close()


def main() -> None:
    url, log, rate = sys.argv[1:]
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    with Path(log).open("w", encoding="ascii", buffering=1) as lines:
        words = (urlsplit(url).netloc, lines, THREADS / float(rate), ended)
        threads = [threading.Thread(target=ask, args=words) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    main()
