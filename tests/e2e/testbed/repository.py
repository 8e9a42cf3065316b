"""A user's repository: an example, its data, and the caller workflows, under git as GitHub would present it."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.e2e.testbed.part import PROJECT, cache_folder, held, run, run_own

if TYPE_CHECKING:
    from collections.abc import Callable

_AUTHOR = ("-c", "user.name=octocat", "-c", "user.email=octocat@example.com", "-c", "commit.gpgsign=false")
_LEFT_OUT = (".venv", "__pycache__", ".release-gate", ".pytest_cache", ".coverage")


@dataclass(frozen=True)
class UserRepository:
    """A checkout whose `main` is the default branch."""

    folder: Path

    @property
    def name(self) -> str:
        """`owner/name` on GitHub."""
        return f"octo-air/{self.folder.name}"

    def git(self, *words: str) -> str:
        """Run git in it."""
        return run(
            ["git", *_AUTHOR, *words], part="the user's repository", remedy="see above.", cwd=self.folder
        ).strip()

    def commit(self, message: str) -> str:
        """Commit everything; return the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def propose(self, branch: str, change: Callable[[Path], None]) -> str:
        """Put a change on a branch and leave HEAD where GitHub's does: on the merge of main and the branch."""
        self.git("checkout", "--quiet", "-B", branch, "main")
        change(self.folder)
        head = self.commit(f"{branch}: a change")
        self.git("checkout", "--quiet", "--detach", "main")
        self.git("merge", "--quiet", "--no-ff", "--message", f"Merge {branch} into main", branch)
        return head

    def release(self) -> None:
        """Make what `main` holds the version in production, its registry committed, as docs/github.md says."""
        config = self.folder / "release-gate.yml"
        config.write_text(config.read_text().replace("version: 1\n", "version: 1\nregistry: releases\n", 1))
        self.commit("Keep the registry")
        for command in ("check", "publish-artifact"):
            run_own([PROJECT / ".venv/bin/release-gate", command], cwd=self.folder)
        self.commit("The first release")
        self.git("clean", "--quiet", "-dfx")  # nothing that a runner would not have


def made(example: str, folder: Path, workflows: dict[str, str]) -> UserRepository:
    """Copy an example to `folder` as it is after `init` and a first commit of its data."""
    source = PROJECT / "examples" / example
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns(*_LEFT_OUT))
    if not (folder / "data").exists():
        shutil.copytree(_data(source), folder / "data")
    for name, text in workflows.items():
        (folder / ".github/workflows").mkdir(parents=True, exist_ok=True)
        (folder / ".github/workflows" / name).write_text(text)
    return committed(folder)


def committed(folder: Path) -> UserRepository:
    """Put a folder under git, as GitHub would present it."""
    repository = UserRepository(folder)
    repository.git("init", "--quiet", "--initial-branch", "main")
    for allowed in ("allowAnySHA1InWant", "allowFilter"):  # as on GitHub
        repository.git("config", f"uploadpack.{allowed}", "true")
    repository.git("remote", "add", "origin", f"https://github.com/{repository.name}")
    repository.commit("The first commit")
    return repository


def patched(*names: str) -> Callable[[Path], None]:
    """Return a change that applies pull requests of the examples."""

    def change(folder: Path) -> None:
        for name in names:
            patch = PROJECT / "examples/pull-requests" / folder.name / f"{name}.patch"
            run_own(["git", "apply", patch], cwd=folder)

    return change


def _data(example: Path) -> Path:
    """Make the example's tables with its own command, once per version of that command."""
    recipe = hashlib.sha256((example / "flight_delay/data.py").read_bytes() + (example / "uv.lock").read_bytes())
    data = cache_folder() / f"data-{recipe.hexdigest()[:12]}"
    with held("data"):
        if not data.exists():
            making = data.with_suffix(".making")
            shutil.rmtree(making, ignore_errors=True)
            making.mkdir()
            run(
                ["uv", "run", "--quiet", "--frozen", "python", "-m", "flight_delay.data", "--out", making],
                part="the example's data",
                remedy="give this machine access to PyPI.",
                cwd=example,
                env={"UV_PROJECT_ENVIRONMENT": str(cache_folder() / "data-environment")},
            )
            making.rename(data)
    return data
