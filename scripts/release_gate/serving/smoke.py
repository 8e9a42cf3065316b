"""Asks a running server the questions of smoke.yml over HTTP; every check is asked, whatever the others say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from release_gate.edges import Clock, Running, Session
from release_gate.findings import finding
from release_gate.lifecycle.package import Golden, largest_difference
from release_gate.serving.checks import Ask, Check, Smoke
from release_gate.serving.http import NoAnswer, Reply, ask
from release_gate.verdict import Finding, Where

WARM_UP = 5
"""Requests before those that are timed: the first ones load caches."""

SEEN_FROM_INSIDE = ("smoke-no-answer", "smoke-status")
"""What the server's own output explains better than its answer."""
LINES = 15


@dataclass(frozen=True)
class Result:
    """How one check ended. `finding` is None where the server did as it should."""

    name: str
    seconds: float
    detail: str
    finding: Finding | None = None


class Failed(Exception):
    """A check failed: the code of its finding, and what happened."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Server:
    """A server to ask: where it is, which version it should say it is, and what it should predict."""

    url: str
    session: Session
    clock: Clock
    version: str
    golden: Golden | None = None

    def ask(self, method: str, route: str, **content: Any) -> Reply:
        """Ask for a path of the server.

        Raises:
            NoAnswer: nothing whole came back.
        """
        return ask(self.session, self.clock, method, self.url.rstrip("/") + route, **content)


def run(smoke: Smoke, server: Server, process: Running | None = None) -> list[Result]:
    """Every check in order. `process` is the server's where we started it: once it is dead nothing more is asked."""
    results: list[Result] = []
    died: Finding | None = None
    for check in smoke.checks:
        if died is not None:
            results.append(Result(check.name, 0.0, "not asked: the server has ended", died))
            continue
        began = server.clock.monotonic()
        failed: Finding | None = None
        try:
            detail = _one(check, smoke, server)
        except (Failed, NoAnswer) as problem:
            detail = str(problem)
            code = problem.code if isinstance(problem, Failed) else "smoke-no-answer"
            told = f"{check.name}: {detail}{_printed(process, server.clock) if code in SEEN_FROM_INSIDE else ''}"
            failed = finding(code, told, where=Where(step=check.name))
            if isinstance(problem, NoAnswer) and process is not None and _ended(process, server.clock):
                told = f"the server ended during the check '{check.name}'\n{process.tail()[-4000:]}"
                failed = died = finding("serve-died", told)
        results.append(Result(check.name, round(server.clock.monotonic() - began, 3), detail, failed))
    return results


def _printed(process: Running | None, clock: Clock) -> str:
    """The server's last lines, where it is ours: they often hold the traceback behind an answer."""
    if process is None:
        return ""
    clock.sleep(0.1)  # what it printed arrives on another way than its answer
    last = process.tail().rstrip().splitlines()[-LINES:]
    return "\nLast lines of the server:\n" + "\n".join(last)[-3000:] if last else ""


def _ended(process: Running, clock: Clock) -> bool:
    """Whether a process that broke off a connection is gone, given a moment to go."""
    for _ in range(20):
        if not process.alive():
            return True
        clock.sleep(0.01)
    return False


def predictions(how: Ask, server: Server, rows: Sequence[dict[str, Any]]) -> list[float]:
    """The scores a server gives for these rows, in order.

    Raises:
        NoAnswer: nothing whole came back.
        Failed: `smoke-status`, `smoke-json`, or `smoke-scores` where they are not one finite number a row.
    """
    batches = [[row] for row in rows] if how.one_by_one else [list(rows)]
    scores: list[float] = []
    for batch in batches:
        reply = server.ask("POST", how.post, data=how.filled(batch))
        _expect_status(reply, 200)
        scores.extend(_scores(how, _json(reply), len(batch)))
    return scores


def _one(check: Check, smoke: Smoke, server: Server) -> str:
    if check.golden is not None and smoke.predict is not None:
        return _golden(smoke.predict, check.golden.tolerance, server)
    if check.latency is not None and smoke.predict is not None:
        return _latency(smoke.predict, check.latency.requests, check.latency.p95_below, server)
    reply = reply_to(check, server)
    hold(check, reply, server.version)
    return f"{reply.status} in {reply.seconds * 1000:.0f} ms"


def reply_to(check: Check, server: Server) -> Reply:
    """What a server answers to a check that asks for one path.

    Raises:
        NoAnswer: nothing whole came back.
    """
    if check.get is not None:
        return server.ask("GET", check.get)
    return server.ask("POST", check.post or "/", **check.content)


def hold(check: Check, reply: Reply, version: str) -> None:
    """Hold an answer to what the check expects of a version.

    Raises:
        Failed: `smoke-status`, `smoke-json`.
    """
    _expect_status(reply, check.status)
    if check.judges_json:
        _expect_json(_json(reply), versioned(check.expected, version))


def _golden(how: Ask, tolerance: float, server: Server) -> str:
    golden = _recorded(server)
    scores = predictions(how, server, golden.rows)
    far = largest_difference(scores, golden.scores)
    if far > tolerance:
        pairs = zip(scores, golden.scores, strict=True)
        wrong = sum(largest_difference([one], [other]) > tolerance for one, other in pairs)
        raise Failed(
            "smoke-golden",
            f"{wrong} of {len(scores)} recorded predictions came out otherwise, by up to {far:.3g} "
            f"({tolerance:g} is allowed)",
        )
    return f"{len(scores)} predictions, largest difference {far:.2g}"


def _latency(how: Ask, requests: int, p95_below: float, server: Server) -> str:
    rows = _recorded(server).rows
    times = []
    for number in range(WARM_UP + requests):
        reply = server.ask("POST", how.post, data=how.filled([rows[number % len(rows)]]), keep_alive=True)
        _expect_status(reply, 200)
        times.append(reply.seconds)
    p95 = percentile(times[WARM_UP:], 0.95)
    if p95 >= p95_below:
        raise Failed(
            "smoke-slow", f"p95 of {requests} requests is {p95 * 1000:.0f} ms, not below {p95_below * 1000:g} ms"
        )
    return f"p95 {p95 * 1000:.1f} ms of {requests} requests"


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed (nearest rank)."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def _recorded(server: Server) -> Golden:
    if server.golden is None:
        raise Failed("smoke-no-golden", "the package holds no recorded predictions to ask for")
    return server.golden


def _scores(how: Ask, answer: Any, rows: int) -> list[float]:
    found = how.scores_of(answer)
    if how.one_by_one and not isinstance(found, list):
        found = [found]
    if not isinstance(found, list) or len(found) != rows:
        what = f"{len(found)} score{'s' * (len(found) != 1)}" if isinstance(found, list) else "no list of scores"
        raise Failed("smoke-scores", f"the answer to {rows} row{'s' * (rows != 1)} holds {what} at {how.scores}")
    if not all(isinstance(one, int | float) and not isinstance(one, bool) and math.isfinite(one) for one in found):
        raise Failed("smoke-scores", f"not every score at {how.scores} is a finite number")
    return [float(one) for one in found]


def _expect_status(reply: Reply, expected: int | str) -> None:
    if str(reply.status) != str(expected) and f"{reply.status // 100}xx" != expected:
        raise Failed("smoke-status", f"status {reply.status} instead of {expected}: {shown(reply.body)}")


def _json(reply: Reply) -> Any:
    try:
        return reply.json()
    except (ValueError, RecursionError) as error:
        raise Failed("smoke-json", f"the answer is not JSON: {shown(reply.body)}") from error


def _expect_json(answer: Any, expected: Any) -> None:
    if difference := unlike(answer, expected, "answer"):
        raise Failed("smoke-json", difference)


def unlike(answer: Any, expected: Any, at: str) -> str | None:
    """The first place where an answer lacks what is expected; an object may hold more, a list may not."""
    if isinstance(expected, dict) and isinstance(answer, dict):
        for key, inside in expected.items():
            if key not in answer:
                return f"{at}.{key} is missing"
            if difference := unlike(answer[key], inside, f"{at}.{key}"):
                return difference
        return None
    if isinstance(expected, list) and isinstance(answer, list) and len(answer) == len(expected):
        pairs = enumerate(zip(answer, expected, strict=True))
        return next((found for at_, (one, other) in pairs if (found := unlike(one, other, f"{at}[{at_}]"))), None)
    same = answer == expected and isinstance(answer, bool) == isinstance(expected, bool)
    return None if same else f"{at} is {shown(answer)} instead of {shown(expected)}"


def versioned(expected: Any, version: str) -> Any:
    """What is expected, with {version} filled in."""
    if isinstance(expected, dict):
        return {key: versioned(inside, version) for key, inside in expected.items()}
    if isinstance(expected, list):
        return [versioned(inside, version) for inside in expected]
    return expected.replace("{version}", version) if isinstance(expected, str) else expected


def shown(value: Any) -> str:
    """A value short enough for a message."""
    return repr(value.decode(errors="replace") if isinstance(value, bytes) else value)[:200]
