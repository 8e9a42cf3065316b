"""The runner's files: outputs, summary, variables of later steps."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from release_gate.findings import CannotJudge

OUTPUT, SUMMARY = "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"


def append(environment: Mapping[str, str], variable: str, content: str) -> bool:
    """Add text to the file a variable names; False where the runner gave none.

    Raises:
        CannotJudge: the file can't be written.
    """
    path = environment.get(variable)
    if not path:
        return False
    try:
        with Path(path).open("a", encoding="utf-8", newline="\n") as file:
            file.write(content)
    except OSError as error:
        raise CannotJudge.because("write-refused", f"{variable} can't be written: {error.strerror}") from error
    return True
