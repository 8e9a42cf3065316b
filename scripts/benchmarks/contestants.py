"""Who takes part in the contract benchmark: how each is asked, and how its answer is read."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import Environment, Run, checked, run

PEERS = Path(__file__).resolve().parent / "peers"
BIN = Path(sys.executable).parent

Failed = frozenset[tuple[str, str]]
"""Checks that failed, each as its column and kind."""


@dataclass(frozen=True)
class Task:
    """One table and its checks in every form that a contestant takes."""

    data: Path
    contract: Path
    listed: Path
    conditions: Path


@dataclass(frozen=True)
class Contestant:
    """Who is measured: the command for a task, and which checks its output says to have failed."""

    name: str
    command: Callable[[Task], list[str]]
    failed: Callable[[Run], Failed]
    codes: tuple[int, ...] = (0,)


def told(contestant: Contestant, task: Task, place: Path, expected: Failed) -> Run:
    """A run whose answer is the one expected; anything else ends the benchmark."""
    command = contestant.command(task)
    done = checked(run(command, place), command, contestant.codes)
    try:
        failed = contestant.failed(done)
    except ValueError as error:
        raise SystemExit(f"bench: {contestant.name} answered unreadably ({error}): {done.out[:300]!r}") from error
    if failed != expected:
        missed, extra = sorted(expected - failed), sorted(failed - expected)
        raise SystemExit(f"bench: {contestant.name} on {task.data.name}: did not find {missed}, found {extra}")
    return done


def release_gate(memory: str | None = None) -> Contestant:
    """Ourselves, with the default of memory or a limit such as `1GB`."""
    limit = ["--memory", memory] if memory else []
    gate = str(BIN / "release-gate")
    return Contestant(
        "release-gate schema-check",
        lambda task: [
            *(gate, "schema-check", "--contract", task.contract.name, "--data", task.data.name),
            *("--format", "json", *limit),
        ],
        _by_release_gate,
        codes=(0, 1),
    )


def _by_release_gate(done: Run) -> Failed:
    kinds = {
        "null-rejected": "not null",
        "value-duplicate": "unique",
        "value-pattern": "pattern",
        "value-set": "one of",
    }
    failed = set()
    verdict = json.loads(done.out)
    if verdict["outcome"] not in {"pass", "fail"}:
        raise SystemExit(f"bench: release-gate could not judge: {done.out[:3000]}")
    for found in verdict["findings"]:
        if found["severity"] == "error":
            kind = kinds.get(found["code"], found["code"])
            if kind == "value-range":
                kind = next(end for end in ("at least", "at most") if end in found["message"])
            failed.add((found["where"]["column"], kind))
    return frozenset(failed)


def by_hand(way: str, memory: str | None = None) -> Contestant:
    """The engine alone; `way` is all checks `together` in one query or each `apart`."""
    script = str(PEERS / "duckdb_query.py")
    limit = [memory] if memory else []
    name = {"together": "one DuckDB query by hand", "apart": "one DuckDB query a check"}[way]
    return Contestant(
        name, lambda task: [sys.executable, script, way, str(task.conditions), str(task.data), *limit], _by_script
    )


def _by_script(done: Run) -> Failed:
    return frozenset((column, kind) for column, kind in json.loads(done.out))


def scripted(name: str, environment: Environment, script: str) -> Contestant:
    """A library with a script of `peers/` in its own environment."""
    python = str(environment.bin / "python")
    return Contestant(name, lambda task: [python, str(PEERS / script), str(task.listed), str(task.data)], _by_script)


def datacontract(environment: Environment, place: Path) -> Contestant:
    """`datacontract test` on the same contract; its report is left in `place` until it is read."""
    report = place / "datacontract.json"
    kinds = {
        "field_required": "not null",
        "field_unique": "unique",
        "field_regex": "pattern",
        "field_invalid_values": "one of",
        "field_minimum": "at least",
        "field_maximum": "at most",
    }

    def failed(_: Run) -> Failed:
        said = json.loads(report.read_text())["checks"]
        report.unlink()
        wrong = [one for one in said if one["result"] not in {"passed", "warning"}]
        return frozenset((one.get("field") or "", kinds.get(one["type"], one["type"])) for one in wrong)

    return Contestant(
        "datacontract-cli",
        lambda task: [
            *(str(environment.bin / "datacontract"), "test", str(task.contract)),
            *("--output", str(report), "--output-format", "json"),
        ],
        failed,
        codes=(0, 1),
    )
