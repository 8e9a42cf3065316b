"""Runs git for a store: in a repository of our own, never asked for a password, never waited for without end.

Addresses and credentials reach git through its environment: no argument list, and no file of ours, ever holds them.
"""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from release_gate.files import give_tree, make_folder
from release_gate.findings import CannotJudge
from release_gate.registry.stores.failures import one_line

LIMIT = 60.0
SSH = "ssh -o BatchMode=yes -o ConnectTimeout=10 -o ServerAliveInterval=15 -o ServerAliveCountMax=3"
Settings = Sequence[tuple[str, str]]
REDIRECTING = re.compile(r"GIT_(DIR|WORK_TREE|COMMON_DIR|INDEX_FILE|OBJECT_DIRECTORY|ALTERNATE_.*|NAMESPACE|TRACE.*)")
"""Variables that would lead git elsewhere, or make it write down what it sends."""


class Failed(Exception):
    """Git refused, in its own words; `lost` where it was ended because it took too long."""

    def __init__(self, text: str, output: bytes = b"", *, lost: bool = False) -> None:
        super().__init__(text)
        self.text, self.output, self.lost = text, output, lost


class Git:
    """Git in a bare repository of ours below the cache, one for each remote and branch."""

    def __init__(
        self, folder: Path, environment: Mapping[str, str], settings: Settings = (), secrets: Sequence[str] = ()
    ) -> None:
        """`settings` reach git through its environment; `secrets` are never shown."""
        self.folder, self._secrets = folder, secrets
        self._environment = surroundings(environment, settings)
        self._held: tuple[int, ...] = ()

    def start(self) -> None:
        """Make the repository, unless it is there."""
        with self.alone():
            if not (self.folder / "HEAD").exists():
                self.run("init", "--quiet", "--bare", "--template=")

    @contextmanager
    def alone(self, wait: float = 60.0) -> Iterator[None]:
        """One process, and one thread, at a time: git's own locks refuse instead of waiting.

        Git inherits our lock, and lives no longer than it: a lock of its own that is found then belongs to nobody any
        more, and without this whoever was killed once would stand in the way for ever, of a rollback too.
        """
        make_folder(self.folder)
        ours = self.folder / "release-gate.lock"
        with ours.open("ab") as lock:
            _take(lock.fileno(), wait)
            for left in (*self.folder.glob("*.lock"), *(self.folder / "refs").rglob("*.lock")):
                if left != ours:
                    left.unlink(missing_ok=True)
            self._held = (lock.fileno(),)
            try:
                yield
            finally:
                self._held = ()
                self.give()

    def give(self) -> None:
        """Leave all of it to the owner of the cache: in a container that is somebody else than us."""
        if os.geteuid() == 0 and self.folder.parent.stat().st_uid != 0:
            give_tree(self.folder, self.folder.parent)

    def run(
        self, *arguments: str, content: bytes | None = None, index: Path | None = None, limit: float = LIMIT
    ) -> bytes:
        """The output of a git command.

        Raises:
            Failed: in words without credentials.
            CannotJudge: `registry-git-missing`.
        """
        extra = {"GIT_INDEX_FILE": str(index)} if index else {}
        try:
            done = subprocess.run(
                ["git", *arguments],
                input=content if content is not None else b"",
                capture_output=True,
                check=False,
                timeout=limit,
                pass_fds=self._held,
                env={**self._environment, "GIT_DIR": str(self.folder), **extra},
                cwd=self.folder,
            )
        except FileNotFoundError as error:
            raise CannotJudge.because("registry-git-missing", "git is not installed") from error
        except subprocess.TimeoutExpired as error:
            raise Failed(f"no answer within {limit:.0f} s", lost=True) from error
        if done.returncode:
            raise Failed(self.scrubbed(done.stderr), done.stdout)
        return done.stdout

    def pieces(self, *arguments: str, size: int = 4 * 1024 * 1024) -> Iterator[bytes]:
        """The output of a git command, piece by piece.

        Raises:
            Failed: at the end, where it did not end well.
        """
        environment = {**self._environment, "GIT_DIR": str(self.folder)}
        with subprocess.Popen(
            ["git", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=self.folder,
        ) as running:
            try:
                while piece := running.stdout.read(size):  # type: ignore[union-attr]
                    yield piece
                told = running.stderr.read()  # type: ignore[union-attr]
            except BaseException:
                running.kill()
                raise
        if running.returncode:
            raise Failed(self.scrubbed(told))

    def blobs(self, names: Iterable[str], *, most: int) -> dict[str, bytes]:
        """The contents of blobs that are here and hold no more than `most` bytes: one process for all of them.

        Raises:
            Failed: git can't read them.
        """
        environment = {**self._environment, "GIT_DIR": str(self.folder)}
        found: dict[str, bytes] = {}
        with tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as told:
            asked.write("".join(f"{name}\n" for name in names).encode())
            asked.seek(0)
            command = ["git", "cat-file", "--batch", "--buffer"]
            done = subprocess.run(
                command, stdin=asked, stdout=told, stderr=subprocess.PIPE, check=False, env=environment, cwd=self.folder
            )
            if done.returncode:
                raise Failed(self.scrubbed(done.stderr))
            told.seek(0)
            # A header with name, kind and size, the bytes, a line's end; `missing` in place of kind and size.
            while header := told.readline().split():
                if len(header) != 3:
                    continue
                size = int(header[2])
                if size > most:
                    told.seek(size + 1, os.SEEK_CUR)
                else:
                    found[header[0].decode()] = told.read(size)
                    told.read(1)
        return found

    def scrubbed(self, told: bytes) -> str:
        """What git said, without any credential it was given."""
        text = told.decode(errors="replace")
        for secret in self._secrets:
            text = text.replace(secret, "…")
        lines = [line for line in text.splitlines() if not line.startswith(("hint:", "warning:"))]
        return one_line("; ".join(line.strip() for line in lines if line.strip()) or "it said nothing")


def surroundings(environment: Mapping[str, str], settings: Settings) -> dict[str, str]:
    """Git's environment: the caller's, less what would lead it elsewhere, and our settings after the caller's."""
    kept = {name: value for name, value in environment.items() if not REDIRECTING.fullmatch(name)}
    given = environment.get("GIT_CONFIG_COUNT", "")
    first = int(given) if given.isdecimal() else 0
    ours = (
        # In a container the folders belong to another user than us, which git would refuse.
        ("safe.directory", "*"),
        ("core.hooksPath", os.devnull),
        ("core.fsmonitor", "false"),
        ("gc.autoDetach", "false"),
        ("http.lowSpeedLimit", "1000"),
        ("http.lowSpeedTime", "30"),
        ("protocol.version", "2"),
        ("push.gpgSign", "false"),
        *settings,
    )
    numbered: dict[str, str] = {}
    for number, (name, value) in enumerate(ours, start=first):
        numbered |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    ssh = {} if "GIT_SSH" in kept else {"GIT_SSH_COMMAND": SSH}
    if any(name == "core.sshCommand" for name, _ in settings):
        ssh = {}
    return {
        "GIT_ASKPASS": "",  # set, so that nobody's window pops up; the caller's own program is kept
        **ssh,
        **kept,
        **numbered,
        "GIT_CONFIG_COUNT": str(first + len(ours)),
        "GIT_TERMINAL_PROMPT": "0",
        "GCM_INTERACTIVE": "never",
        "LC_ALL": "C",
    }


def _take(lock: int, wait: float) -> None:
    """Wait for the lock, but not for ever: its holder may itself be waiting for a remote that does not answer.

    Raises:
        Failed: it was not let go of in time.
    """
    until = time.monotonic() + wait
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise Failed(f"another process has held the registry's cache for {wait:.0f} s", lost=True) from None
            time.sleep(0.05)
