"""actionlint over our workflows and the examples' callers: `python3 -m tests.e2e.testbed.actionlint`.

It knows no `$/` yet, so it reads the copy that scripts/pin makes, where every reference is resolved.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.e2e.testbed import act, tools
from tests.e2e.testbed.part import UnavailableError


def main() -> int:
    """Lint; 0 when there is nothing to say, or when the linter cannot be had outside CI."""
    try:
        program = tools.actionlint()
    except UnavailableError as reason:
        print(f"actionlint: not run: {reason}")
        return 1 if os.environ.get("CI") == "true" else 0
    with tempfile.TemporaryDirectory() as folder:
        copy = act.pinned_project(Path(folder) / "copy")
        files = [*copy.glob(".github/workflows/*.yml"), *copy.glob("examples/*/.github/workflows/*.yml")]
        words = [str(program), "-no-color", *sorted(str(file.relative_to(copy)) for file in files)]
        return subprocess.run(words, cwd=copy, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
