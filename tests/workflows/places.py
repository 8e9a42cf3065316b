"""Where our workflows, our actions and the examples' callers lie, and what `uses:` in them names."""

from __future__ import annotations

import re
from pathlib import Path

from tests.workflows.permissions import Workflow, read

PROJECT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((PROJECT / ".github/workflows").glob("*.yml"))
INNER = sorted((PROJECT / ".github/actions").glob("*/action.yml"))  # steps of our own jobs, no command behind them
ACTIONS = sorted([PROJECT / "action.yml", *(PROJECT / "actions").glob("*/action.yml")])
CALLERS = sorted((PROJECT / "examples").glob("*/.github/workflows/*.yml"))

# Ours, from outside (OWNER/release-gate/…@ref, whoever the owner is) and from inside ($/…).
_OURS = re.compile(r"^(?:[^/\s]+/release-gate|\$)/(?P<path>\.github/workflows/[\w.-]+\.yml)(?:@\S+)?$")


def called(name: str, uses: str) -> tuple[str, Workflow] | None:
    """The workflow that `uses:` in the file `name` (a path from the project's folder) names; None: a stranger's."""
    if uses.startswith("./"):
        owner = name.split(".github/", maxsplit=1)[0]
        path = owner + uses.removeprefix("./")
    elif ours := _OURS.match(uses):
        path = ours["path"]
    else:
        return None
    return path, read((PROJECT / path).read_text())


def shown(file: Path) -> str:
    """A path as messages show it."""
    return str(file.relative_to(PROJECT))
