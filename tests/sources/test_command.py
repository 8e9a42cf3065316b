"""Totals printed by a command, run by the real runner."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from release_gate.caller.processes import Processes
from release_gate.counts import Counts
from release_gate.edges import Clock, Session
from release_gate.findings import BadInput, CannotJudge
from release_gate.rollouts import Source
from release_gate.sources import reading
from tests.sources.conftest import NEW, OLD, Told


def read(code: str, session: Session, clock: Clock, *, flood: int = 10**6, limit: str = "20s") -> dict[str, Counts]:
    words = shlex.join([sys.executable, "-c", code])
    source = Source.model_validate({"command": {"run": words, "limit": limit}})
    runner = Processes(dict(os.environ), flood=flood)
    return reading.read(source, session=session, clock=clock, runner=runner, cwd=Path.cwd(), versions=[NEW, OLD])


def printing(document: Any) -> str:
    """A program that prints a document, without braces of its own: those are placeholders in a configuration."""
    return f"print(bytes.fromhex('{json.dumps(document).encode().hex()}').decode())"


def test_what_a_command_prints_last_is_read(session: Session, clock: Clock) -> None:
    both = {NEW: {"requests": 5, "errors": 1, "slow": 0}, OLD[7:20]: {"requests": 7, "errors": 0}, "v1": 0}
    code = f"import sys; print('a warning', file=sys.stderr, flush=True); {printing(both)}"
    assert read(code, session, clock) == {
        NEW: Counts(requests=5, errors=1, slow=0),
        OLD: Counts(requests=7, errors=0),
    }
    assert read(printing({NEW: both[NEW]}), session, clock) == {NEW: Counts(requests=5, errors=1, slow=0)}


@pytest.mark.parametrize(
    ("code", "expected", "says"),
    [
        ("print('no totals today'); raise SystemExit(3)", "source-command-failed", "status 3\nno totals today"),
        ("raise SystemExit(3)", "source-command-failed", "and printed nothing"),
        ("import time; time.sleep(60)", "source-command-failed", "it was ended after 0.5 s"),
        ("print('x' * 10**7)", "source-command-failed", "it printed without end"),
        ("print('none')", "source-not-json", "'none'"),
        ("pass", "source-not-json", "''"),
        ("print([])", "source-shape", "no object of versions but []"),
        (printing({}), "source-version-missing", "it names none (the keys of what it printed)"),
        (printing({NEW: 7}), "source-shape", "has 7, no object"),
        (printing({NEW: {"requests": 7}}), "source-shape", f"errors: {NEW} has no errors"),
        (printing({NEW: {"requests": "7", "errors": 0}}), "source-number", "requests: "),
        (printing({NEW: {"requests": float("nan"), "errors": 0}}), "source-number", "holds NaN"),
        (printing({NEW: {"requests": 1, "errors": 0, "slow": 2}}), "source-inconsistent", "slow 2"),
        (printing({NEW: {}, NEW[7:]: {}}), "source-version-twice", NEW),
    ],
)
def test_what_is_no_total_by_version_is_refused_by_name(
    session: Session, clock: Clock, code: str, expected: str, says: str
) -> None:
    with pytest.raises(CannotJudge) as refusal:
        read(code, session, clock, limit="500ms" if "sleep" in code else "20s")
    (found,) = refusal.value.findings
    assert found.code == expected
    assert says in found.message
    assert found.message.startswith("the command `")


def test_a_version_named_by_a_key_twice_is_refused(session: Session, clock: Clock) -> None:
    entry = '{"requests": 1, "errors": 0}'
    twice = f'{{"{NEW}": {entry}, "{NEW}": {entry}}}'.encode().hex()
    with pytest.raises(CannotJudge, match="source-version-twice"):
        read(f"print(bytes.fromhex('{twice}').decode())", session, clock)


def test_a_command_that_does_not_exist_is_the_users_to_mend(session: Session, clock: Clock) -> None:
    source = Source.model_validate({"command": {"run": "no-such-command-anywhere"}})
    runner = Processes(dict(os.environ))
    with pytest.raises(BadInput, match="command-missing"):
        reading.read(source, session=session, clock=clock, runner=runner, cwd=Path.cwd(), versions=[NEW])


def test_each_kind_of_source_is_read_by_its_own_reader(told: Told, session: Session, clock: Clock) -> None:
    entry = {"version": NEW, "requests": 3, "errors": 0}
    result = [{"metric": {"v": NEW}, "value": [1, "3"]}]
    told.json({"all": [entry], "status": "success", "data": {"resultType": "vector", "result": result}})
    query = {"url": told.url, "label": "v", "requests": "a", "errors": "b - b"}
    runner = Processes(dict(os.environ))
    for declared, errors in (({"http": {"url": told.url, "versions": "all"}}, 0), ({"prometheus": query}, 3)):
        source = Source.model_validate(declared)
        found = reading.read(source, session=session, clock=clock, runner=runner, cwd=Path.cwd(), versions=[NEW])
        assert found == {NEW: Counts(requests=3, errors=errors)}
