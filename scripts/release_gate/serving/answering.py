"""Who answers at an address: waits until a server is up there, and asks often enough to see every version behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from release_gate.findings import finding
from release_gate.serving.checks import Check, Smoke
from release_gate.serving.http import NoAnswer
from release_gate.serving.smoke import Failed, Result, Server, hold, reply_to
from release_gate.verdict import Finding, Where

PAUSE = 0.2
TIMES = 20
"""Requests that must all be answered by a version allowed: one that takes 20% of the traffic escapes 1 time in 87."""


def not_up(smoke: Smoke, server: Server, within: float) -> Finding | None:
    """None as soon as the health check answers with its status; else why it did not, `smoke-not-up`.

    Where there is no health check (a GET), any answer will do.
    """
    check = smoke.health or Check(name="any answer", get="/", status=200)
    until = server.clock.monotonic() + within
    while True:
        try:
            reply = reply_to(check, server)
        except NoAnswer as problem:
            last = str(problem)
        else:
            expected = str(check.status)
            if smoke.health is None or expected in (str(reply.status), f"{reply.status // 100}xx"):
                return None
            last = f"GET {check.get} answers {reply.status}, not {expected}"
        if server.clock.monotonic() >= until:
            told = f"{server.url} was not up within {within:g} s: {last}"
            return finding("smoke-not-up", told, where=Where(step=check.name))
        server.clock.sleep(PAUSE)


def versions_answering(check: Check, server: Server, versions: Collection[str], times: int = TIMES) -> Result:
    """Ask a check that names the version `times` times: each answer must come from one of the versions allowed."""
    began = server.clock.monotonic()
    seen: Counter[str] = Counter()
    wrong: list[tuple[str, str]] = []
    for _ in range(times):
        try:
            reply = reply_to(check, server)
        except NoAnswer as problem:
            wrong.append(("smoke-no-answer", str(problem)))
            break  # each of the others may take as long
        problems: dict[str, Failed] = {}
        for version in sorted(versions):
            try:
                hold(check, reply, version)
            except Failed as problem:
                problems[version] = problem
            else:
                seen[version] += 1
                break
        else:
            first = next(iter(problems.values()))
            code = "smoke-other-version" if first.code == "smoke-json" else first.code
            wrong.append((code, str(first)))
    detail = ", ".join(f"{count} from {version}" for version, count in sorted(seen.items())) or "none as it should be"
    name = f"{check.name}, {times} times"
    seconds = round(server.clock.monotonic() - began, 3)
    if not wrong:
        return Result(name, seconds, f"answers: {detail}")
    code, cause = wrong[0]
    told = f"{name}: {len(wrong)} of {len(wrong) + seen.total()} answers at {server.url} were wrong: {cause}"
    failed = finding(code, f"{told} (right: {detail})", where=Where(step=check.name))
    return Result(name, seconds, f"{len(wrong)} wrong: {cause}", failed)
