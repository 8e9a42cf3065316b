"""Users of a model: asks for predictions at a steady rate, and logs for each answer when it came, by which version.

    python examples/traffic.py send --url http://127.0.0.1:8080/predict --rows data/evaluation.parquet --log traffic.csv
    python examples/traffic.py show traffic.csv

Requests are sent when they are due, whether or not earlier ones were answered, as users do; connections are kept
alive and used again, so that a proxy that drops one is seen. The version is what the server says of itself in
`X-Model-Version`. The log: seconds since the start, version, status (0: no answer), milliseconds.
"""

from __future__ import annotations

import argparse
import csv
import http.client
import json
import signal
import threading
import time
from collections import Counter
from pathlib import Path
from queue import Queue
from urllib.parse import urlsplit

WORKERS = 16
PATIENCE = 5.0
UNKNOWN = "-"
Answer = tuple[float, str, int, float]
"""Seconds since the start, version, status, milliseconds."""


def bodies(path: Path, most: int) -> list[bytes]:
    """One request body a row of the table, in a shuffled order that is always the same."""
    import pandas as pd  # noqa: PLC0415 - showing a log takes no tables

    rows = pd.read_parquet(path).sample(frac=1, random_state=13).head(most)
    records = json.loads(rows.to_json(orient="records", date_format="iso"))
    return [json.dumps({"rows": [record]}).encode() for record in records]


class Log:
    """A line an answer, written as it comes: whoever is killed leaves what was seen."""

    def __init__(self, path: Path) -> None:
        self.began = time.monotonic()
        self._file = path.open("a", encoding="utf-8", buffering=1)
        self._held = threading.Lock()

    def add(self, due: float, version: str, status: int) -> None:
        """An answer that came now to a request that was due then."""
        now = time.monotonic()
        with self._held:
            self._file.write(f"{now - self.began:.3f},{version},{status},{1000 * (now - due):.1f}\n")


def work(url: str, queue: Queue[tuple[float, bytes] | None], log: Log) -> None:
    """Ask what is in the queue, on one connection that is kept alive."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port or 80, timeout=PATIENCE)
    while (item := queue.get()) is not None:
        due, body = item
        try:
            connection.request("POST", parts.path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            version, status = answer.headers.get("X-Model-Version", UNKNOWN), answer.status
        except (OSError, http.client.HTTPException):
            connection.close()
            version, status = UNKNOWN, 0
        log.add(due, version, status)


def wait_for_an_answer(url: str, body: bytes, ended: threading.Event) -> None:
    """Users come once there is something to ask."""
    parts = urlsplit(url)
    while not ended.wait(0.2):
        connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port or 80, timeout=PATIENCE)
        try:
            connection.request("POST", parts.path, body, {"Content-Type": "application/json"})
            if 200 <= connection.getresponse().status < 300:
                return
        except (OSError, http.client.HTTPException):
            continue
        finally:
            connection.close()


def send(arguments: argparse.Namespace) -> None:
    """Ask until the time is over or somebody ends us."""
    asked = bodies(arguments.rows, 20_000)
    queue, ended = Queue[tuple[float, bytes] | None](), threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    wait_for_an_answer(arguments.url, asked[0], ended)
    log = Log(arguments.log)
    workers = [threading.Thread(target=work, args=(arguments.url, queue, log)) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    number = 0
    while not ended.is_set() and time.monotonic() - log.began < arguments.seconds:
        due = log.began + number / arguments.rate
        if ended.wait(max(0.0, due - time.monotonic())):
            break
        queue.put((due, asked[number % len(asked)]))
        number += 1
    for _ in workers:
        queue.put(None)
    for worker in workers:
        worker.join()


def parts_of(answers: list[Answer], every: int) -> list[tuple[int, int, list[Answer]]]:
    """The answers by time; neighbours in which one version answered everything, and well, are told as one."""
    parts: list[tuple[int, int, list[Answer]]] = []
    quiet: set[str] = set()
    for start in range(0, int(max((at for at, *_ in answers), default=0)) + 1, every):
        part = [one for one in answers if start <= one[0] < start + every]
        versions = {one[1] for one in part}
        calm = len(versions) == 1 and all(200 <= one[2] < 300 for one in part)
        if calm and versions == quiet:
            first, _, before = parts.pop()
            parts.append((first, start + every, [*before, *part]))
        else:
            parts.append((start, start + every, part))
        quiet = versions if calm else set()
    return parts


def show(arguments: argparse.Namespace) -> None:
    """Who answered when, a line each few seconds, and every failure counted."""
    with arguments.log.open(encoding="utf-8", newline="") as file:
        answers = [(float(at), version, int(status), float(ms)) for at, version, status, ms in csv.reader(file)]
    versions = list(dict.fromkeys(version for _, version, _, _ in answers if version != UNKNOWN))
    names = {version: f"v{number} {version.removeprefix('sha256:')[:8]}" for number, version in enumerate(versions, 1)}
    names[UNKNOWN] = "no version"
    shown = [*versions, *([UNKNOWN] if any(version == UNKNOWN for _, version, _, _ in answers) else [])]
    print("  seconds   " + "  ".join(f"{names[version]:>14}" for version in shown) + "     failed   slowest")
    for start, end, part in parts_of(answers, arguments.every):
        counted, failed = Counter(one[1] for one in part), sum(not 200 <= one[2] < 300 for one in part)
        cells = "  ".join(f"{counted[version] or '·':>14}" for version in shown)
        slowest = max((one[3] for one in part), default=0.0)
        print(f"  {start:>4}-{end:<4} {cells}  {failed or '·':>9}  {slowest:>5.0f} ms")
    failures = Counter((version, status) for _, version, status, _ in answers if not 200 <= status < 300)
    for version in shown:
        total = sum(one[1] == version for one in answers)
        bad = ", ".join(f"{n} x {s or 'no answer'}" for (v, s), n in failures.items() if v == version)
        print(f"  {names[version]}: {total:,} answers, failed: {bad or 'none'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    sending = commands.add_parser("send", help="send requests")
    sending.add_argument("--url", required=True, help="where predictions are asked for")
    sending.add_argument("--rows", type=Path, required=True, help="Parquet file of rows to ask about")
    sending.add_argument("--log", type=Path, required=True)
    sending.add_argument("--rate", type=float, default=50.0, help="requests a second")
    sending.add_argument("--seconds", type=float, default=3600.0)
    sending.set_defaults(run=send)
    showing = commands.add_parser("show", help="who answered when")
    showing.add_argument("log", type=Path)
    showing.add_argument("--every", type=int, default=5, help="seconds a line")
    showing.set_defaults(run=show)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
