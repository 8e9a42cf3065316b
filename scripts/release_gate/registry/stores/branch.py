"""A store on a branch of a git remote: each key a file, added by a commit that is pushed without force.

The branch is read into a repository of our own below the cache, its newest commit only and without large files, so
that the caller's clone, work tree, index and branches are never touched and its depth does not matter. Of two pushes
at once the remote takes one; the other reads again. What a push without an answer did is found by reading, too.
"""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from functools import cached_property
from pathlib import Path

from release_gate.findings import BadInput, CannotJudge
from release_gate.registry.stores.failures import Unreachable, unreachable, why
from release_gate.registry.stores.git import LIMIT, Failed, Git
from release_gate.registry.stores.keys import valid
from release_gate.registry.stores.parts import Part
from release_gate.registry.stores.remotes import Remote, repository_of
from release_gate.registry.stores.trees import Trees

ATTEMPTS = 30
SMALL = 1024 * 1024
"""Bytes of the largest file that comes with the branch; larger ones are fetched when they are asked for."""
MOST = 32 * 1024 * 1024
"""Bytes of the largest document that anyone reads into memory; `get` brings a little more, so that it is refused."""
LARGEST = 50 * 1024 * 1024
"""Bytes of the largest file to commit: hosts warn above that, and every clone of the branch would carry it."""
SLOWEST = 250_000
"""Bytes a second at which a push of large files still counts as going on."""
AUTHOR = {"NAME": "release-gate", "EMAIL": "noreply@release-gate.invalid"}
CLOSED = (
    "Authentication failed",
    "could not read Username",
    "could not read Password",
    "Permission denied",
    "Repository not found",
    "error: 401",
    "error: 403",
)
"""What hosts say to whom they don't let in."""
CROWDED = (
    "fetch first",
    "non-fast-forward",
    "cannot lock ref",
    "failed to update ref",
    "stale info",
    "reference already",
)
"""What a remote says where another push came first, or is under way."""
FILTER = ("remote.origin.promisor", "true"), ("remote.origin.partialCloneFilter", f"blob:limit={SMALL}")


class BranchStore:
    """Bytes under keys on a branch of `origin`."""

    def __init__(
        self,
        branch: str,
        remote: Callable[[], Remote],
        cache: Path,
        environment: Mapping[str, str],
        *,
        sleep: Callable[[float], None] = time.sleep,
        limit: float = LIMIT,
    ) -> None:
        """`remote` is asked for on first use; `limit`: seconds after which it does not answer."""
        self._branch, self._remote_of, self._cache, self._sleep = branch, remote, cache, sleep
        self._ref = f"refs/heads/{branch}"
        known = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in AUTHOR.items()}
        self._environment = {**environment, **known}
        self._limit = limit
        self._tip: str | None = None
        self._read = False

    @cached_property
    def _remote(self) -> Remote:
        return self._remote_of()

    @cached_property
    def _shown(self) -> str:
        return f"branch {self._branch} of {self._remote.shown}"

    @cached_property
    def _git(self) -> Git:
        folder = repository_of(self._remote, self._branch, self._cache)
        return Git(folder, self._environment, (*self._remote.settings, *FILTER), self._remote.secrets)

    @cached_property
    def _trees(self) -> Trees:
        return Trees(self._git.folder, self._environment, self._shown)

    def put_new(self, key: str, content: bytes) -> bool:
        """Write, unless the key exists: of two writers at once one gets True, the other False."""
        self._newest()
        return self._append({valid(key): self._trees.blob(content)}, key) is None

    def get(self, key: str) -> bytes | None:
        """What stands under the key, or None; of what is too large to be ours only the beginning.

        A key that is there stays as it is, so the branch is fetched anew only for an absent one.
        """
        for again in (False, True):
            blob = self._trees.entries(self._newest(again=again), valid(key)).get(key)
            if blob is not None:
                return self._beginning(blob)
        return None

    def keys(self, prefix: str) -> Iterator[str]:
        """The keys below a prefix, sorted."""
        yield from sorted(self._trees.entries(self._newest(again=True), prefix))

    def read(self, prefix: str) -> Iterator[tuple[str, bytes]]:
        """The keys below a prefix, sorted, with what stands under each: one process for all, however many."""
        entries = self._trees.entries(self._newest(again=True), prefix)
        contents = self._trees.contents(entries.values(), most=SMALL)
        for key in sorted(entries):
            # What is too large to have come along is too large for whoever reads small records: they refuse zeros.
            yield key, contents.get(entries[key], bytes(SMALL + 1))

    def bring(self, parts: list[Part]) -> None:
        """Add files in one commit, each proven on the way; those that are here already are left alone.

        Raises:
            BadInput: `package-too-large`, `package-corrupt`.
        """
        if large := next((part for part in parts if part.size > LARGEST), None):
            message = f"{large.key} holds {large.size:,} bytes; {self._shown} takes {LARGEST:,} a file"
            raise BadInput.because("package-too-large", message)
        self._newest()
        blobs = {}
        for part in parts:
            content = part.path.read_bytes()
            part.proven(hashlib.sha256(content).hexdigest(), part.path.name)
            blobs[valid(part.key)] = self._trees.blob(content)
        size = sum(part.size for part in parts)
        taken = self._append(blobs, parts[-1].key, size)
        while taken is not None:
            odd = sorted(key for key, blob in taken.items() if blobs[key] != blob)
            if odd:
                raise BadInput.because("package-corrupt", f"{self._shown} holds something else under {odd[0]}")
            blobs = {key: blob for key, blob in blobs.items() if key not in taken}
            taken = self._append(blobs, parts[-1].key, size) if blobs else None

    def pieces(self, key: str) -> Iterator[bytes]:
        """What stands under the key, piece by piece.

        Raises:
            FileNotFoundError: nothing does.
        """
        for again in (False, True):
            blob = self._trees.entries(self._newest(again=again), valid(key)).get(key)
            if blob is not None:
                yield from self._pieces(blob)
                return
        raise FileNotFoundError(key)

    def _beginning(self, blob: str) -> bytes:
        content = bytearray()
        with closing(self._pieces(blob)) as pieces:
            for piece in pieces:
                content += piece
                if len(content) > MOST:
                    break
        return bytes(content[: MOST + 1])

    def _pieces(self, blob: str) -> Generator[bytes]:
        try:
            yield from self._git.pieces("cat-file", "blob", blob)
        except Failed as failure:
            raise self._unreachable(failure) from failure

    def _append(self, blobs: Mapping[str, str], subject: str, size: int = 0) -> dict[str, str] | None:
        """Commit and push all of these keys; those that others hold already, where there are any, instead."""
        unsure = False
        for attempt in range(ATTEMPTS):
            tip = self._tip
            taken = {key: blob for key, blob in self._trees.entries(tip, *blobs).items() if key in blobs}
            if taken:
                return None if unsure and taken == blobs else taken
            failure = self._push(self._trees.commit(tip, blobs, subject), self._limit + size / SLOWEST)
            if failure is None:
                return None
            unsure = unsure or failure.lost
            try:
                moved = self._newest(again=True) != tip
            except Unreachable as error:
                told = " (whether it was written is not known)" if unsure else ""
                raise unreachable(f"{self._shown}{told}", why(error)) from error
            if not moved:
                self._settle(failure, attempt)
        raise CannotJudge.because("registry-contended", f"{ATTEMPTS} pushes to {self._shown} came second to others")

    def _settle(self, failure: Failed, attempt: int) -> None:
        """A push failed, and the branch stands where it did: wait and try again where others are at it, else say so."""
        if failure.lost:
            if attempt >= 2:
                raise self._unreachable(failure)
        elif not any(sign in failure.text for sign in CROWDED):
            raise CannotJudge.because(
                "registry-refused",
                f"{self._shown} refuses to be added to: {failure.text}",
                remedy="Let the job push there (`permissions: contents: write`, a token under `token`), and exempt the "
                "branch from rules about pull requests and checks; forbid force-pushes and deletion instead.",
            )
        self._sleep(random.uniform(0.01, 0.1) * min(attempt + 1, 10))  # noqa: S311 - parts two writers, no secret

    def _push(self, commit: str, limit: float) -> Failed | None:
        """Push; None where the remote took it. `lost` where it did not say."""
        try:
            self._git.run("push", "--porcelain", "--no-verify", "origin", f"{commit}:{self._ref}", limit=limit)
        except Failed as failure:
            refused = [line for line in failure.output.decode(errors="replace").splitlines() if line.startswith("!")]
            said = f"{'; '.join(refused)}; {failure.text}" if refused else failure.text
            known = bool(refused) and "remote failure" not in refused[0]
            return Failed(self._git.scrubbed(said.encode()), lost=not known)
        finally:
            self._git.give()
        self._tip = commit
        return None

    def _newest(self, *, again: bool = False) -> str | None:
        """The branch's newest commit, None where there is no branch; asked for once, or again.

        Raises:
            Unreachable: `registry-unreachable`.
            CannotJudge: `registry-refused`.
        """
        if self._read and not again:
            return self._tip
        if not self._read:
            self._git.start()
        try:
            self._fetch()
        except Failed as failure:
            raise self._unreachable(failure) from failure
        self._read = True
        return self._tip

    def _fetch(self) -> None:
        with self._git.alone(self._limit):
            try:
                self._git.run(
                    *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--depth=1"),
                    *(f"--filter=blob:limit={SMALL}", "origin", f"+{self._ref}:{self._ref}"),
                    limit=self._limit,
                )
                self._tip = self._git.run("rev-parse", "--verify", self._ref).decode().strip()
            except Failed as failure:
                if "couldn't find remote ref" not in failure.text:
                    raise
                self._tip = None

    def _unreachable(self, failure: Failed) -> CannotJudge:
        if any(sign in failure.text for sign in CLOSED):
            return CannotJudge.because(
                "registry-refused",
                f"{self._shown} does not let us in: {failure.text}",
                remedy="Give the job `permissions: contents: write` and the action a `token`; on your own machine, "
                "see that `git fetch origin` works without being asked for a password.",
            )
        return unreachable(self._shown, failure.text)
