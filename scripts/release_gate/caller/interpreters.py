"""Finds the Python that a folder asks for, among those of this machine."""

from __future__ import annotations

import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from release_gate.caller.commands import failed
from release_gate.edges import Runner
from release_gate.findings import BadInput, CannotJudge
from release_gate.verdict import Where


@dataclass(frozen=True)
class Interpreter:
    """A Python to make environments with; `version` also says which build."""

    path: Path
    version: str


def interpreter(folder: Path, runner: Runner, asked: str | None = None) -> Interpreter:
    """The Python asked for, else that of `.python-version` or `requires-python`: ours if it fits, else one uv finds.

    Raises:
        CannotJudge: `environment-failed`: none of this machine fits, and fetching one is not allowed.
    """
    ours = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    wanted = asked or pinned(folder) or _required(folder)
    if wanted is None:
        path = ours
    else:
        # Ours stands first in PATH, and PATH is asked before the Pythons that uv manages.
        environment = {"PATH": str(ours.parent), "UV_PYTHON_PREFERENCE": "system"}
        find = [uv(), "python", "find", "--system", "--no-project", wanted]
        done = runner.run(find, cwd=folder, environment=environment, limit=60)
        if not done.ok:
            raise CannotJudge(
                failed(f"no Python that fits `{wanted}` is installed: the search", done, code="environment-failed")
            )
        path = Path(done.tail.strip().splitlines()[-1])
    ask = "import sys; print(sys.implementation.name, *sys.version_info, flush=True)"
    done = runner.run([str(path), "-I", "-S", "-c", ask], cwd=folder, environment={}, limit=60)
    if not done.ok:
        raise CannotJudge(failed("asking Python for its version", done, code="environment-failed"))
    return Interpreter(path, done.tail.strip())


def pinned(folder: Path) -> str | None:
    """What `.python-version` says; None without that file."""
    path = folder / ".python-version"
    if not path.is_file():
        return None
    lines = [line.strip() for line in path.read_text("utf-8", "replace").splitlines()]
    return next((line for line in lines if line and not line.startswith("#")), None)


def _required(folder: Path) -> str | None:
    required = project(folder).get("requires-python")
    return required if isinstance(required, str) and required.strip() else None


def project(folder: Path) -> dict[str, object]:
    """The `[project]` table of a folder's pyproject.toml; empty without one."""
    path = folder / "pyproject.toml"
    if not path.is_file():
        return {}
    try:
        declared = tomllib.loads(path.read_text("utf-8")).get("project", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput.because(
            "file-unreadable", f"pyproject.toml is not TOML: {error}", where=Where(file="pyproject.toml")
        ) from error
    return declared if isinstance(declared, dict) else {}


def uv() -> str:
    """The uv that was installed with us."""
    from uv import find_uv_bin  # noqa: PLC0415 - looked for only when an environment is made

    return find_uv_bin()
