"""Has the caller's Python write down a pandera schema of its code (`module:Schema`), and reads what it wrote."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from release_gate.caller.commands import last_lines
from release_gate.caller.environments import Environment
from release_gate.documents import Document
from release_gate.edges import Runner
from release_gate.findings import BadInput
from release_gate.verdict import Where

SCRIPT = Path(__file__).parent / "inside" / "schema_export.py"
MAXIMUM_BYTES = 8 * 1024 * 1024
CUSTOM = 10_000
"""A schema with more own checks than these is refused: the result of more could be larger than what is read of it."""

Text = Annotated[str, Field(max_length=2000)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Failed(_Record):
    error: Text
    file: Text | None
    line: int | None


class _Custom(_Record):
    column: Text | None
    place: Annotated[int, Field(ge=0, lt=CUSTOM)]
    name: Text
    warns: bool


class _Exported(_Record):
    """What `inside/schema_export.py` writes; the schema itself is held to its shape where it is read as a contract."""

    schema_: Annotated[dict[str, Any] | None, Field(alias="schema")]
    file: Text | None
    line: Annotated[int, Field(ge=1)]
    failed: _Failed | None


def schema_of(reference: str, *, root: Path, environment: Environment, runner: Runner, limit: float) -> Document:
    """The schema as data, in the shape of pandera's JSON; its places are the line of the caller's file that defines it.

    Raises:
        BadInput: `contract-python-failed`: it could not be imported, or is no schema of pandera.
    """
    with tempfile.TemporaryDirectory(prefix="release-gate-") as folder:
        out = Path(folder) / "schema.json"
        words = [str(environment.python), str(SCRIPT), reference, str(out)]
        done = runner.run(words, cwd=root, environment=environment.variables, limit=limit)
        if done.timed_out:
            raise _refused(reference, f"it took longer than {limit:g} s\n{last_lines(done.tail, 5)}")
        if not done.ok or not out.is_file():
            raise _refused(reference, f"it ended with status {done.status}\n{last_lines(done.tail, 15)}")
        with out.open("rb") as opened:
            return parsed(opened.read(MAXIMUM_BYTES + 1), reference, root)


def parsed(text: bytes, reference: str, root: Path) -> Document:
    """What the caller's process wrote: its code ran there, so it is held to shape and size.

    Raises:
        BadInput: `contract-python-failed`.
    """
    if len(text) > MAXIMUM_BYTES:
        raise _refused(reference, "what it wrote is too large to be a schema")
    try:
        exported = _Exported.model_validate_json(text)
        custom = [_Custom.model_validate(one) for one in (exported.schema_ or {}).get("custom") or []]
    except (ValidationError, TypeError) as error:
        raise _refused(reference, f"what it wrote is broken: {str(error).splitlines()[0]}"[:500]) from error
    if len(custom) > CUSTOM:
        raise _refused(reference, f"it has {len(custom):,} checks of its own; at most {CUSTOM:,} are run")
    if exported.failed is not None or exported.schema_ is None:
        failed = exported.failed or _Failed(error="it is empty", file=None, line=None)
        raise _refused(reference, failed.error, Where(file=failed.file or reference, line=failed.line))
    value = {**exported.schema_, "schema_type": "dataframe"}
    value["custom"] = [one.model_dump() for one in custom]
    return Document(_shown(exported.file, reference, root), value, {(): (exported.line, 1)})


def _shown(file: str | None, reference: str, root: Path) -> str:
    """The file as people of the repository call it; of code from elsewhere the reference."""
    path = Path(file).resolve() if file else None
    inside = path is not None and path.is_relative_to(root.resolve()) and "site-packages" not in path.parts
    return str(path.relative_to(root.resolve())) if path is not None and inside else reference


def _refused(reference: str, cause: str, where: Where | None = None) -> BadInput:
    message = f"the schema {reference} could not be read: {cause}"
    return BadInput.because("contract-python-failed", message, where=where or Where(file=reference))
