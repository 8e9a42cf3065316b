"""Has the caller's Python run its own checks of a schema over the data, and reads what they found."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from release_gate.caller.commands import last_lines
from release_gate.caller.environments import Environment
from release_gate.contracts.contract import Custom
from release_gate.contracts.counts import CustomCount, Example
from release_gate.edges import Runner

SCRIPT = Path(__file__).parent / "inside" / "schema_checks.py"
MAXIMUM_BYTES = 8 * 1024 * 1024
BATCH = 100_000
"""Rows that a check of single values sees at a time."""

_LEFT_OUT = "what was said is left out, since it may quote a value of a sensitive column"

Number = Annotated[int, Field(ge=0, lt=2**53)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Example(_Record):
    row: Annotated[int, Field(ge=1, lt=2**53)]
    value: Annotated[str, Field(max_length=200)] | None


class _Checked(_Record):
    column: Annotated[str, Field(max_length=2000)] | None
    place: Number
    rows: Number
    examples: Annotated[tuple[_Example, ...], Field(max_length=10)]
    failed: Annotated[str, Field(max_length=2000)] | None
    whole: bool


class _Result(_Record):
    checks: tuple[_Checked, ...]
    failed: Annotated[str, Field(max_length=2000)] | None


def checked(
    reference: str,
    customs: Sequence[Custom],
    data: Path,
    *,
    root: Path,
    environment: Environment,
    runner: Runner,
    limit: float,
    sensitive: Collection[str] = (),
) -> tuple[CustomCount, ...]:
    """What each own check counts in a Parquet file; one that could not be run says why in its `cause`."""
    if not customs:
        return ()
    with tempfile.TemporaryDirectory(prefix="release-gate-") as folder:
        request, out = Path(folder) / "request.json", Path(folder) / "checked.json"
        asked = [{"column": one.column, "place": one.place} for one in customs]
        request.write_text(
            json.dumps(
                {
                    "reference": reference,
                    "data": str(data),
                    "checks": asked,
                    "sensitive": sorted(sensitive),
                    "batch": BATCH,
                }
            ),
            encoding="utf-8",
        )
        words = [str(environment.python), str(SCRIPT), str(request), str(out)]
        done = runner.run(words, cwd=root, environment=environment.variables, limit=limit)
        if done.timed_out:
            return _unrun(customs, f"the checks took longer than {limit:g} s")
        if not done.ok or not out.is_file():
            told = f": {_LEFT_OUT}" if sensitive else f"\n{last_lines(done.tail, 15)}"
            return _unrun(customs, f"they ended with status {done.status} and no result{told}")
        with out.open("rb") as opened:
            return parsed(opened.read(MAXIMUM_BYTES + 1), customs, sensitive)


def parsed(text: bytes, customs: Sequence[Custom], sensitive: Collection[str] = ()) -> tuple[CustomCount, ...]:
    """What `inside/schema_checks.py` wrote; the caller's code ran in that process, so it is held to shape and size."""
    if len(text) > MAXIMUM_BYTES:
        return _unrun(customs, "the result of the checks is too large to be ours")
    try:
        result = _Result.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        why = _LEFT_OUT if sensitive else f"{place} {first['msg']}"
        return _unrun(customs, f"the result of the checks is broken: {why}"[:500])
    if result.failed is not None:
        return _unrun(customs, result.failed)
    told = {(one.column, one.place): one for one in result.checks}
    return tuple(_count(one, told.get((one.column, one.place)), sensitive) for one in customs)


def _count(check: Custom, told: _Checked | None, sensitive: Collection[str]) -> CustomCount:
    """One check's count; values of a sensitive column are left out whatever the process wrote."""
    if told is None:
        return CustomCount(check, cause="it has no result")
    hidden = check.column in sensitive or (check.column is None and bool(sensitive))
    examples = tuple(Example(one.row, None, None if hidden else one.value) for one in told.examples)
    return CustomCount(check, told.rows, examples, _cause(check, told.failed, sensitive), told.whole)


def _cause(check: Custom, said: str | None, sensitive: Collection[str]) -> str | None:
    """Why a check could not be run: with sensitive columns the kind of the error alone, whatever it met."""
    if said is None or not sensitive or said == f"the column '{check.column}' is not in the data":
        return said
    kind = said.partition(":")[0]
    return kind if re.fullmatch(r"[A-Za-z_][\w.]{0,99}", kind, re.ASCII) else _LEFT_OUT


def _unrun(customs: Sequence[Custom], cause: str) -> tuple[CustomCount, ...]:
    return tuple(CustomCount(check, cause=cause) for check in customs)
