"""What a file said at the base of a change: at a given revision, the merge base, or the commit before."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from release_gate.findings import BadInput, CannotJudge

_LIMIT = 60.0


@dataclass(frozen=True)
class Base:
    """The revision compared with and the file's content there; `absent` says why there is none."""

    name: str
    content: bytes | None = None
    absent: str | None = None


def at_base(path: Path, asked: str | None, environment: Mapping[str, str]) -> Base:
    """The content of a file at the base; outside git, or where the file is new, the reason why there is none.

    Raises:
        BadInput: `base-unknown`, the revision asked for does not exist.
        CannotJudge: `base-unanswered`, git hangs.
    """
    history = _History(path.resolve(), environment)
    if history.ask("rev-parse", "--is-inside-work-tree") is None:
        if asked:
            raise BadInput.because("base-unknown", f"--base {asked}: {path.name} does not stand in a git repository")
        return Base("", absent="it does not stand in a git repository")
    if asked:
        commit = history.commit(asked)
        if commit is None:
            raise BadInput.because("base-unknown", f"--base {asked}: no such commit, branch or tag here")
        return history.base(asked, commit)
    found = history.on_runner() if environment.get("GITHUB_ACTIONS") == "true" else history.on_laptop()
    return history.base(*found) if found else Base("", absent="no earlier commit is there")


def before_merge(path: Path, environment: Mapping[str, str]) -> Base | None:
    """The content of a file where a change wants to go; None where nothing waits to be merged.

    On a runner that is a pull request or a merge group, on a laptop a branch that left the default branch. After the
    merge the file as it stands is the one that holds.
    """
    history = _History(path.resolve(), environment)
    found = history.waiting()
    if found is None and history.must_wait:
        return Base("", absent="no earlier commit was fetched")
    return history.base(*found) if found else None


def rewritten(folder: Path, environment: Mapping[str, str]) -> list[str]:
    """The files of a folder that the base of a change has and the change alters or deletes; new ones don't count."""
    history = _History(folder.resolve() / "any", environment)
    found = history.waiting()
    if found is None:
        return []
    told = history.ask("diff", "--name-only", "--no-renames", "--diff-filter=DMT", "-z", found[1], "--", str(folder))
    return sorted(name for name in (told or b"").decode(errors="replace").split("\0") if name)


def compared_with(folder: Path, environment: Mapping[str, str]) -> tuple[str, str] | None:
    """Name and commit of what this checkout is held against: the merge base, else the commit before; None without."""
    history = _History(folder.resolve() / "any", environment)
    return history.on_runner() if history.on_github else history.branched() or history.before()


class _History:
    """A file's past, read from git's objects; nothing is fetched, asked for or changed on the way."""

    def __init__(self, file: Path, environment: Mapping[str, str]) -> None:
        self.file = file
        self.target = environment.get("GITHUB_BASE_REF")
        self.on_github = environment.get("GITHUB_ACTIONS") == "true"
        self.event = environment.get("GITHUB_EVENT_NAME")
        self.environment = {
            **{name: environment[name] for name in ("PATH", "HOME") if name in environment},
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_OPTIONAL_LOCKS": "0",
        }

    def base(self, name: str, commit: str) -> Base:
        content = self.content(commit)
        return Base(name, content, None if content is not None else f"it is new since {name}")

    def on_runner(self) -> tuple[str, str] | None:
        """The merge base with the pull request's target; the commit before where that was not fetched, or on a push."""
        if self.target and (merged := self.merge_base(f"refs/remotes/origin/{self.target}")):
            return f"the merge base with {self.target}", merged
        return self.before()

    def on_laptop(self) -> tuple[str, str] | None:
        """Where the branch left the default branch; on that itself, what the edited file or last commit replaced."""
        if branched := self.branched():
            return branched
        head = self.commit("HEAD")
        committed = self.content("HEAD")
        if head and committed is not None and self.file.is_file() and committed != self.file.read_bytes():
            return "the last commit", head
        return self.before()

    @property
    def must_wait(self) -> bool:
        """Whether the event of this run is about a change that waits to be merged."""
        events = ("pull_request", "pull_request_target", "merge_group")
        return self.on_github and self.event in events

    def waiting(self) -> tuple[str, str] | None:
        """Where the change wants to go, None where nothing waits to be merged or the base is not here."""
        if self.on_github:
            return self.on_runner() if self.must_wait else None
        return self.branched()

    def branched(self) -> tuple[str, str] | None:
        """Where the branch left the default branch; None on that branch itself."""
        head = self.commit("HEAD")
        for branch in ("origin/HEAD", "main", "master"):
            merged = self.merge_base(branch)
            if merged and merged != head:
                return f"the merge base with {branch}", merged
        return None

    def before(self) -> tuple[str, str] | None:
        commit = self.commit("HEAD^1")
        return ("the commit before", commit) if commit else None

    def merge_base(self, branch: str) -> str | None:
        found = self.ask("merge-base", "HEAD", branch)
        return found.decode().strip() if found else None

    def commit(self, name: str) -> str | None:
        found = self.ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        return found.decode().strip() if found else None

    def content(self, commit: str) -> bytes | None:
        return self.ask("cat-file", "blob", f"{commit}:./{self.file.name}")

    def ask(self, *arguments: str) -> bytes | None:
        """What git answers, None where it refuses or is not installed."""
        folder = next(parent for parent in self.file.parents if parent.is_dir())
        # In a container the workspace belongs to another user than us, which git would refuse.
        command = ["git", "-c", "safe.directory=*", "-C", str(folder), *arguments]
        try:
            done = subprocess.run(command, capture_output=True, check=False, timeout=_LIMIT, env=self.environment)
        except FileNotFoundError:
            return None
        except subprocess.TimeoutExpired as error:
            message = f"git did not answer within {_LIMIT:.0f} s"
            raise CannotJudge.because("base-unanswered", message) from error
        return done.stdout if done.returncode == 0 else None
