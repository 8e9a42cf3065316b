"""Has the caller's tests run against small changes of the transforms, and reads which were not noticed."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from release_gate.caller.commands import last_lines
from release_gate.caller.environments import Environment
from release_gate.caller.pytest_run import DATA, SEEN
from release_gate.config import MutationCheck
from release_gate.edges import Runner
from release_gate.gates.transform_mutation import Mutation

SCRIPT = Path(__file__).parent / "inside" / "mutating.py"
MAXIMUM_BYTES = 8 * 1024 * 1024
GRACE = 60.0
"""Seconds beyond the limit for runs without a change, which import everything."""


def mutated(
    wanted: MutationCheck,
    tests: Sequence[str],
    files: Sequence[Path],
    traces: Path,
    *,
    root: Path,
    environment: Environment,
    runner: Runner,
) -> Mutation:
    """The tests on changes of `files`; `traces` is what `tested` left. Whatever stops the check is in `failed`."""
    if not (traces / DATA).is_file() or not (traces / SEEN).is_file():
        return Mutation(failed="the run of the tests left no traces of which test runs which line")
    with tempfile.TemporaryDirectory(prefix="release-gate-") as folder:
        job, out = Path(folder) / "job.json", Path(folder) / "mutation.json"
        asked = {
            "files": [str(file) for file in files],
            "tests": list(tests),
            "data": str(traces / DATA),
            "seen": str(traces / SEEN),
            **wanted.model_dump(),
            "out": str(out),
        }
        job.write_text(json.dumps(asked), encoding="utf-8")
        words = [str(environment.python), str(SCRIPT), str(job)]
        limit = 4 * wanted.limit + GRACE
        done = runner.run(words, cwd=root, environment=environment.variables, limit=limit)
        if done.timed_out:
            return Mutation(failed=f"it took longer than {limit:g} s")
        if not done.ok or not out.is_file():
            return Mutation(failed=f"it ended with status {done.status} and no result\n{last_lines(done.tail, 15)}")
        return _shown(parsed(out.read_bytes()[: MAXIMUM_BYTES + 1]), root)


def parsed(text: bytes) -> Mutation:
    """What `inside/mutating.py` wrote; the caller's code ran in that process, so it is held to shape and size."""
    if len(text) > MAXIMUM_BYTES:
        return Mutation(failed="the result is too large to be ours")
    try:
        return Mutation.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        return Mutation(failed=f"the result is broken: {place} {first['msg']}"[:500])


def _shown(mutation: Mutation, root: Path) -> Mutation:
    """Files as the repository names them."""
    folder = root.resolve()
    survived = tuple(
        one.model_copy(update={"file": str(Path(one.file).relative_to(folder))})
        if Path(one.file).is_relative_to(folder)
        else one
        for one in mutation.survived
    )
    return mutation.model_copy(update={"survived": survived})
