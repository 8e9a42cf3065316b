"""What the tests of targets do with proxies: clients that count what they see, and an end of everything started."""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
import requests

from release_gate.caller.daemons import MARK
from release_gate.findings import CannotJudge
from release_gate.serving.targets.target import Target


def all_below(folder: Path) -> dict[psutil.Process, str | None]:
    """Every process whose mark lies below a folder, with the version it serves, None for a proxy."""
    family = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            known = process.environ()
            if known.get(MARK, "").startswith(f"{folder}/"):
                family[process] = known.get("RELEASE_GATE_VERSION")
    return family


def end_all_below(folder: Path) -> None:
    """End every process whose mark lies below a folder."""
    family = all_below(folder)
    for process in family:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(list(family), timeout=5)


def let_go_while_asked(target: Target, before: str, after: str) -> list[int]:
    """Let go of a version that is answering still when its traffic goes to another; the statuses of what was asked."""
    target.route({before: 1.0}, fence=1)
    got: list[int] = []
    asked = [
        threading.Thread(target=lambda: got.append(requests.get(f"{target.url}/slow", timeout=10).status_code))
        for _ in range(3)
    ]
    for thread in asked:
        thread.start()
    time.sleep(0.1)
    target.route({after: 1.0}, fence=2)
    with pytest.raises(CannotJudge):
        target.stop(after)
    target.stop(before)
    for thread in asked:
        thread.join()
    return got


def twenty_changes(target: Target, before: str, after: str) -> Client:
    """Change the shares of two versions twenty times under a client that asks all the while; what it saw."""
    took = []
    with asking(target.url) as client:
        for change in range(20):
            began = time.monotonic()
            shares = (0.5, 0.5) if change % 2 else (0.95, 0.05)
            target.route(dict(zip((before, after), shares, strict=True)), fence=2 + change)
            took.append(time.monotonic() - began)
            time.sleep(0.1)
    name = type(target).__name__.lower()
    print(f"{name}: {client.total} requests, {len(client.failures)} failed; 20 changes, {max(took):.3f} s at most")
    return client


def answers(url: str, count: int, path: str = "/predict") -> Counter[str]:
    """Which versions answer that many requests on one connection; an answer without a version by its status."""
    seen: Counter[str] = Counter()
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    for _ in range(count):
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            seen[answer.getheader("X-Version") or str(answer.status)] += 1
        except (OSError, http.client.HTTPException) as error:
            seen[type(error).__name__] += 1
            connection.close()
    connection.close()
    return seen


class Client:
    """A client that keeps its connections and asks at a rate, from several threads, and keeps what it saw."""

    def __init__(self, url: str, *, rate: float = 200.0, threads: int = 4) -> None:
        self.seen: Counter[str] = Counter()
        self.failures: list[str] = []
        self._url, self._ended = url, threading.Event()
        self._held = threading.Lock()
        self._threads = [threading.Thread(target=self._ask, args=(threads / rate,)) for _ in range(threads)]

    def _ask(self, pause: float) -> None:
        connection = http.client.HTTPConnection(urlsplit(self._url).netloc, timeout=10)
        due = time.monotonic()
        while not self._ended.is_set():
            try:
                connection.request("POST", "/predict", b"{}")
                answer = connection.getresponse()
                answer.read()
                problem = None if answer.status == 200 else f"status {answer.status}"
                name = answer.getheader("X-Version") or "-"
            except (OSError, http.client.HTTPException) as error:
                problem, name = f"{type(error).__name__}: {error}", "-"
                connection.close()
            with self._held:
                self.seen[name] += 1
                if problem:
                    self.failures.append(problem)
            due += pause
            time.sleep(max(0.0, due - time.monotonic()))
        connection.close()

    @property
    def total(self) -> int:
        """Requests asked so far."""
        return sum(self.seen.values())


@contextlib.contextmanager
def asking(url: str, *, rate: float = 200.0) -> Iterator[Client]:
    """A client that asks for the length of the block."""
    client = Client(url, rate=rate)
    for thread in client._threads:
        thread.start()
    try:
        yield client
    finally:
        client._ended.set()
        for thread in client._threads:
            thread.join()
