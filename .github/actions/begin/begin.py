"""Removes what a stranger can have put where verdicts are read, and names the artifacts of this call.

A pull request may commit any file, also `.release-gate/from/judge/MODEL/verdicts/…` or a link in its place; a build
may put any file into its artifact. What a gate writes afterwards is then the only thing that is found. Runs on the
runner's own Python, before anything is installed.
"""

import hashlib
import os
import posixpath
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

OURS = ".release-gate"
RUN = ".release-gate/run"
CONFIG = "release-gate.yml"
REGISTRY = "registry"
"""May be committed, and holds packages and a ledger; no verdict is read from it."""


def suffix(config: str) -> str:
    """End of the names of a call's artifacts; empty for the usual configuration. gathering.py computes the same."""
    path = posixpath.normpath(config or CONFIG)
    return "" if path == CONFIG else f"-{hashlib.sha256(path.encode()).hexdigest()[:8]}"


def remove(path: Path) -> None:
    """Remove a file, a link (not what it leads to), or a folder."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def entries(folder: Path) -> list[Path]:
    """What a folder holds; a link in its place, or a file, is removed and holds nothing."""
    if folder.is_symlink() or folder.is_file():
        remove(folder)
    return list(folder.iterdir()) if folder.is_dir() else []


def everything(root: Path, _: str) -> None:
    """Right after a checkout: all of ours but a committed registry."""
    for path in entries(root / OURS):
        if path.name != REGISTRY:
            remove(path)


def all_but_builds(root: Path, run: str) -> None:
    """Right after the download of a candidate: of each model only its `build`, without links."""
    for model in entries(root / (run or RUN)):
        for path in entries(model):
            if path.name != "build":
                remove(path)
        for path in entries(model / "build"):
            for one in [path, *path.rglob("*")]:
                if one.is_symlink():
                    one.unlink()


def verdicts(root: Path, run: str) -> None:
    """Before every gate of a job that keeps the rest: the verdicts in the run folder."""
    folder = root / (run or RUN)
    for model in folder.iterdir() if folder.is_dir() else ():
        path = model / "verdicts"
        if path.is_symlink() or path.exists():  # a link that leads nowhere would keep a gate from writing
            remove(path)


CLEAR = {"everything": everything, "all-but-builds": all_but_builds, "verdicts": verdicts}


def main(environ: Mapping[str, str]) -> None:
    """Clear as asked; an unknown word or a path that can't be removed ends the job, and so blocks."""
    config = environ.get("INPUT_CONFIG") or CONFIG
    CLEAR[environ.get("INPUT_CLEAR") or "everything"](Path(config).parent, environ.get("INPUT_RUN", ""))
    with Path(environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as file:
        file.write(f"suffix={suffix(config)}\n")


if __name__ == "__main__":
    sys.exit(main(os.environ))
