"""A target of the caller's own commands: believed only when it says so itself."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from release_gate.counts import Counts
from release_gate.findings import BadInput, CannotJudge
from release_gate.rollouts import Rollout
from release_gate.serving.targets.target import Fenced
from tests.serving.targets.conftest import A, B, Open, declared, version

ROUTER = """
import json, sys
from pathlib import Path
what, *words = sys.argv[1:]
traffic, calls = Path("traffic.json"), Path("calls.txt")
with calls.open("a") as file:
    file.write(" ".join([what, *words]) + "\\n")
if what == "route":
    traffic.write_text(Path(words[0]).read_text())
elif what == "read":
    print("reading…", file=sys.stderr)
    print(json.dumps(json.loads(traffic.read_text()) if traffic.exists() else {}))
elif what == "counts":
    print(json.dumps({one: {"requests": 10, "errors": 1} for one in json.loads(traffic.read_text())}))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "router.py").write_text(ROUTER)
    return tmp_path


def rollout(**changes: Any) -> Rollout:
    python = f"{shlex.quote(sys.executable)} router.py"
    words: dict[str, object] = {
        "start": f"{python} start {{version}} {{package}}",
        "route": f"{python} route {{shares}} {{fence}}",
        "read": f"{python} read",
        "stop": f"{python} stop {{version}} {{package}}",
        "counts": f"{python} counts",
        "url": "http://127.0.0.1:1",
        "limit": "20s",
    }
    return declared(command={name: value for name, value in {**words, **changes}.items() if value is not None})


def python(code: str) -> str:
    return f"{shlex.quote(sys.executable)} -c {shlex.quote(code)}"


def test_versions_are_started_routed_counted_and_let_go(opened: Open, folder: Path) -> None:
    target = opened(rollout(), cwd=folder)
    assert target.start(version(A, folder / "a")) is None
    target.start(version(B, folder / "b"))
    target.route({A: 0.95, B: 0.05}, fence=1)
    assert target.routed() == {A: 0.95, B: 0.05}
    assert target.counts() == {one: Counts(requests=10, errors=1) for one in (A, B)}
    with pytest.raises(CannotJudge) as refusal:
        target.stop(B)
    assert refusal.value.findings[0].code == "stop-refused"
    with pytest.raises(Fenced):
        target.route({B: 1.0}, fence=0)
    target.restore(A, owes="event")
    target.stop(B)
    target.stop(B)  # gone already is well
    assert target.running() == (A,)
    calls = (folder / "calls.txt").read_text().splitlines()
    assert calls[0] == f"start {A} {folder / 'a'}"
    assert [one for one in calls if one.startswith("stop")] == [f"stop {B} {folder / 'b'}"]
    assert [one.split()[2] for one in calls if one.startswith("route")] == ["1", "1"]


def test_a_route_that_does_nothing_is_found_out_by_read(opened: Open, folder: Path) -> None:
    opened(rollout(), cwd=folder).route({A: 1.0}, fence=1)
    target = opened(rollout(route=python("pass")), cwd=folder)
    with pytest.raises(CannotJudge, match="asked for") as refusal:
        target.route({B: 1.0}, fence=2)
    assert refusal.value.findings[0].code == "route-not-taken"


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("print('all is well')", "no JSON object"),
        ("pass", "nothing"),
        ("print('[1]')", "no JSON object"),
        ("print('{\"a\": NaN}')", "no JSON object"),
        ("print('{\"a\": true}')", "no number from 0 to 1"),
        ('print(\'{"a": "1"}\')', "no number from 0 to 1"),
        ("print('{\"a\": 1.5}')", "no number from 0 to 1"),
        ("print('{\"a\": 0.5}')", "sum to 0.5"),
        ("import json; print(json.dumps({str(n): 0 for n in range(200)}))", "at most 100"),
        ("print('[' * 5000)", "no JSON object"),
    ],
)
def test_what_read_prints_must_be_shares(opened: Open, folder: Path, code: str, told: str) -> None:
    with pytest.raises(CannotJudge, match=told) as refusal:
        opened(rollout(read=python(code)), cwd=folder).routed()
    assert refusal.value.findings[0].code == "target-command-output"


def test_words_before_the_answer_are_no_obstacle(opened: Open, folder: Path) -> None:
    printed = python("print('warming up'); print('{\"a\": 1, \"b\": 0}')")
    assert opened(rollout(read=printed), cwd=folder).routed() == {"a": 1.0}


@pytest.mark.parametrize("totals", [{"requests": 1}, {"requests": "1", "errors": 0}, {"requests": 1, "errors": 2}, 5])
def test_what_counts_prints_must_be_totals(opened: Open, folder: Path, totals: object) -> None:
    printed = python(f"print({json.dumps({'a': totals})!r})")
    with pytest.raises(CannotJudge, match="the totals of a"):
        opened(rollout(counts=printed), cwd=folder).counts()


def test_without_counts_it_is_said_what_to_declare(opened: Open, folder: Path) -> None:
    with pytest.raises(CannotJudge) as refusal:
        opened(rollout(counts=None), cwd=folder).counts()
    assert refusal.value.findings[0].code == "counts-undeclared"


def test_a_command_that_fails_hangs_or_is_not_there_is_named(opened: Open, folder: Path) -> None:
    with pytest.raises(CannotJudge, match=r"rollout\.target\.command\.start ended with status 3") as refusal:
        opened(rollout(start=python("raise SystemExit(3)")), cwd=folder).start(version(A, folder / "a"))
    assert refusal.value.findings[0].code == "target-command-failed"
    with pytest.raises(CannotJudge, match="time limit of 1 s"):
        opened(rollout(read=python("import time; time.sleep(60)"), limit="1s"), cwd=folder).routed()
    with pytest.raises(CannotJudge, match="no-such-command"):
        opened(rollout(read="no-such-command-here"), cwd=folder).routed()


def test_a_placeholder_that_does_not_exist_is_named(opened: Open, folder: Path) -> None:
    with pytest.raises(BadInput, match="share"):
        opened(rollout(route="route {share}"), cwd=folder).route({A: 1.0}, fence=1)


def test_start_and_stop_may_be_left_out(opened: Open, folder: Path) -> None:
    target = opened(rollout(start=None, stop=None), cwd=folder)
    target.start(version(A, folder / "a"))
    assert target.running() == (A,)
    target.stop(A)
    assert target.running() == ()
    (folder / "state" / "started.json").write_text("[")
    assert target.running() == ()
