"""Has training and serving compared by the caller's Python, and reads what it found."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from release_gate.caller.commands import last_lines
from release_gate.caller.environments import Environment
from release_gate.config import Transforms
from release_gate.edges import Runner
from release_gate.gates.transform_facts import Agreement, Unloadable

SCRIPT = Path(__file__).parent / "inside" / "transforms.py"
MAXIMUM_BYTES = 8 * 1024 * 1024


def compared(
    transforms: Transforms,
    data: Path,
    *,
    root: Path,
    environment: Environment,
    runner: Runner,
    texts: Sequence[str] = (),
    outputs: Path | None = None,
) -> Agreement:
    """Both transforms on the same rows of `data`; whatever stops the comparison stands in `failed`.

    `texts` are the columns that hold texts by contract: of a CSV file serving gets what stands there. What each side
    made is left in the folder `outputs`, if one is given.
    """
    with tempfile.TemporaryDirectory(prefix="release-gate-") as folder:
        plan, out = Path(folder) / "plan.json", Path(folder) / "agreement.json"
        plan.write_text(json.dumps(_plan(transforms, data, texts, outputs)), encoding="utf-8")
        words = [str(environment.python), str(SCRIPT), str(plan), str(out)]
        done = runner.run(words, cwd=root, environment=environment.variables, limit=transforms.limit)
        if done.timed_out:
            return Agreement(
                failed=f"the comparison took longer than {transforms.limit:g} s\n{last_lines(done.tail, 5)}"
            )
        if not done.ok or not out.is_file():
            return Agreement(
                failed=f"the comparison ended with status {done.status} and no result\n{last_lines(done.tail, 15)}"
            )
        return _inside(parsed(out.read_bytes()[: MAXIMUM_BYTES + 1]), root)


def _plan(transforms: Transforms, data: Path, texts: Sequence[str], outputs: Path | None) -> dict[str, object]:
    """What `inside/transforms.py` is asked to do."""
    return {
        "training": transforms.training,
        "serving": transforms.serving,
        "data": str(data),
        "rows": transforms.rows,
        "texts": [*texts],
        "tolerance": transforms.tolerance.model_dump(),
        "batches": transforms.serving_rows == "any",
        "outputs": str(outputs) if outputs is not None else None,
    }


def parsed(text: bytes) -> Agreement:
    """What `inside/transforms.py` wrote; the caller's code ran in that process, so it is held to shape and size."""
    if len(text) > MAXIMUM_BYTES:
        return Agreement(failed="the result of the comparison is too large to be ours")
    try:
        return Agreement.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        return Agreement(failed=f"the result of the comparison is broken: {place} {first['msg']}"[:500])


def _inside(agreement: Agreement, root: Path) -> Agreement:
    """Only files of the repository are judged: a transform from elsewhere is one that no pull request changes."""
    files, elsewhere = [], []
    for file in agreement.files:
        path = Path(file).resolve() if file is not None else None
        if path is not None and path.is_relative_to(root.resolve()) and "site-packages" not in path.parts:
            files.append(str(path))
        else:
            error = f"it is defined outside the repository, in {file or 'compiled code'}"
            elsewhere.append(Unloadable(reference="a transform", error=error, file=None, line=None))
    missing = (*agreement.missing, *elsewhere)[:2]
    return agreement.model_copy(update={"files": tuple(files), "missing": missing})
