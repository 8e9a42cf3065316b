"""Has the transforms tried on rows that their contract allows, by the caller's Python, and reads what it found."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from pydantic import ValidationError

from release_gate.caller import fuzz_rows
from release_gate.caller.commands import last_lines
from release_gate.caller.environments import Environment
from release_gate.config import Transforms
from release_gate.contracts.contract import Contract, Kind, OnInvalid, OnNull, RuleKind
from release_gate.edges import Runner
from release_gate.gates.transform_fuzz import Fuzz

SCRIPT = Path(__file__).parent / "inside" / "fuzzing.py"
MAXIMUM_BYTES = 8 * 1024 * 1024
GRACE = 60.0
"""Seconds for starting Python, reading the data and for last calls, which the limit of the search leaves out."""

_JUDGED = {RuleKind.AT_LEAST, RuleKind.ABOVE, RuleKind.AT_MOST, RuleKind.BELOW, RuleKind.ONE_OF, RuleKind.NONE_OF}


def fuzzed(
    transforms: Transforms,
    contract: Contract,
    data: Path,
    *,
    features: Contract | None,
    root: Path,
    environment: Environment,
    runner: Runner,
) -> Fuzz:
    """Both transforms on rows at the edges of `contract`, typed as `data` is; what stops the search is in `failed`."""
    with tempfile.TemporaryDirectory(prefix="release-gate-") as folder:
        wanted = transforms.fuzz
        try:
            made = fuzz_rows.written(contract, data, Path(folder), seed=wanted.seed, number=wanted.rows)
        except (OSError, ValueError) as error:
            return Fuzz(failed=f"no rows could be made: {error}"[:500])
        secret = [name for name in made.left if name in contract.sensitive]
        if secret:
            return Fuzz(failed=f"no values can be made for {_named(secret)}, and those of the data are sensitive")
        job, out = Path(folder) / "job.json", Path(folder) / "fuzz.json"
        asked = {
            "training": transforms.training,
            "serving": transforms.serving,
            "data": str(data),
            "rows": str(made.file),
            "texts": [column.name for column in contract.columns if column.kind is Kind.STRING],
            "promises": promises(features) if features is not None else [],
            "batches": transforms.serving_rows == "any",
            "limit": wanted.limit,
            "out": str(out),
        }
        job.write_text(json.dumps(asked), encoding="utf-8")
        words = [str(environment.python), str(SCRIPT), str(job)]
        done = runner.run(words, cwd=root, environment=environment.variables, limit=wanted.limit + GRACE)
        if done.timed_out:
            return Fuzz(failed=f"it took longer than {done.seconds:.0f} s: a transform hangs on a row of the contract")
        if not done.ok or not out.is_file():
            return Fuzz(failed=f"it ended with status {done.status} and no result\n{last_lines(done.tail, 15)}")
        return parsed(out.read_bytes()[: MAXIMUM_BYTES + 1]).model_copy(update={"untried": made.untried})


def promises(features: Contract) -> list[dict[str, object]]:
    """What the features must keep at once: what their contract rejects, not what it mends or sets aside."""
    return [
        {
            "column": column.name,
            "required": column.required,
            "sensitive": column.name in features.sensitive,
            "nulls": column.policy.on_null is not OnNull.REJECT,
            "rules": [
                (rule.kind.value, rule.value)
                for rule in column.rules
                if rule.kind in _JUDGED and not rule.warns and column.policy.on_invalid in {OnInvalid.REJECT, None}
            ],
        }
        for column in features.columns
    ]


def parsed(text: bytes) -> Fuzz:
    """What `inside/fuzzing.py` wrote; the caller's code ran in that process, so it is held to shape and size."""
    if len(text) > MAXIMUM_BYTES:
        return Fuzz(failed="the result is too large to be ours")
    try:
        return Fuzz.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        return Fuzz(failed=f"the result is broken: {place} {first['msg']}"[:500])


def _named(columns: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in columns[:5])
