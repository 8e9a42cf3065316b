"""A store in a bucket: each key an object, made only where there is none, through `obstore` (S3, GCS, Azure, file).

A put whose answer is lost is settled by reading again: our own bytes there means that it took effect.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from release_gate.findings import CannotJudge
from release_gate.registry.stores.clients import REMEDIES, Use, address, client
from release_gate.registry.stores.failures import Unreachable, one_line, unreachable, why
from release_gate.registry.stores.kept import PUT_OFF, Kept
from release_gate.registry.stores.keys import valid
from release_gate.registry.stores.parts import Part

if TYPE_CHECKING:
    from obstore.store import ObjectStore

ATTEMPTS = 3
AT_ONCE = 16
MOST = 32 * 1024 * 1024 + 1
"""The most that `get` brings: larger than any document that is read into memory may be, so that it is refused."""
NOBODY = ("169.254.169.254", "Account must be specified", "metadata.google.internal", "fd00:ec2::254")
"""Where a client asks last who it is: naming one of these means that the environment told it nothing."""
PIECE = 16 * 1024 * 1024
"""Bytes of one part of an upload; three are under way at a time, which bounds the memory."""


class BucketStore:
    """Bytes under keys below the prefix of a bucket."""

    def __init__(
        self, url: str, environment: Mapping[str, str], *, cache: Path | None = None, patience: float = 20.0
    ) -> None:
        """`cache`: where to keep what was read; `patience`: seconds after which a small request is unanswered."""
        self._url = url.rstrip("/")
        self._scheme = self._url.partition(":")[0]
        self._environment = environment
        self._patience, self._cache = patience, cache
        self._made: dict[str, ObjectStore] = {}

    def put_new(self, key: str, content: bytes) -> bool:
        """Write, unless the key exists: of two writers at once one gets True, the other False."""
        import obstore  # noqa: PLC0415 - heavy
        from obstore.exceptions import AlreadyExistsError, PreconditionError  # noqa: PLC0415

        valid(key)
        unsure = False
        for _ in range(ATTEMPTS):
            try:
                with self._told(key):
                    obstore.put(self._client("write"), key, content, mode="create", use_multipart=False)
            except (AlreadyExistsError, PreconditionError):
                ours = unsure  # only a put of ours without an answer can have left our own bytes
            except Unreachable:
                unsure = ours = True
            else:
                return True
            try:
                found = self.get(key)
            except Unreachable as error:
                told = " (whether it was written is not known)" if ours else ""
                raise unreachable(f"{self._place(key)}{told}", why(error)) from error
            if found is not None:
                return ours and found == content
        raise unreachable(self._place(key), f"{ATTEMPTS} attempts to write were not answered, and nothing is there")

    def get(self, key: str) -> bytes | None:
        """What stands under the key, or None; of what is too large to be ours only the beginning."""
        import obstore  # noqa: PLC0415

        try:
            with self._told(valid(key)):
                found = obstore.get(self._client("read"), key)
                if found.meta["size"] > MOST:
                    return bytes(obstore.get_range(self._client("read"), key, start=0, end=MOST))
                return bytes(found.bytes())
        except FileNotFoundError:
            return None

    def keys(self, prefix: str) -> Iterator[str]:
        """The keys below a prefix, sorted."""
        yield from sorted(self._tags(prefix))

    def read(self, prefix: str) -> Iterator[tuple[str, bytes]]:
        """The keys below a prefix, sorted, with what stands under each; what was read before is not fetched again."""
        tags = self._tags(prefix)
        kept = Kept(self._cache, f"{address(self._url, self._environment)}/{prefix}") if self._cache else None
        before = kept.objects() if kept else {}
        known = {key: one[1] for key, one in before.items() if one[0] == tags.get(key)}
        new = [key for key in tags if key not in known]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            known |= {key: content or b"" for key, content in zip(new, pool.map(self.get, new), strict=True)}
        if kept and len(new) >= PUT_OFF:
            kept.keep({key: (tag, known[key]) for key, tag in tags.items() if tag})
        yield from ((key, known[key]) for key in sorted(tags))

    def _tags(self, prefix: str) -> dict[str, str]:
        """The keys below a prefix, each with a tag that changes when its content does ("" where there is none)."""
        import obstore  # noqa: PLC0415

        found: dict[str, str] = {}
        try:
            with self._told(prefix):
                for page in obstore.list(self._client("read"), prefix=prefix.rstrip("/") or None, chunk_size=1000):
                    found |= {one["path"]: one["e_tag"] or "" for one in page}
        except FileNotFoundError as error:
            raise self._missing(error) from error
        return found

    def bring(self, parts: list[Part]) -> None:
        """Bring files here one after the other, each proven on the way; one that is here already is read and proven.

        Raises:
            BadInput: `package-corrupt`.
        """
        import obstore  # noqa: PLC0415

        for part in parts:
            if self._held(part):
                continue
            try:
                with self._told(part.key):
                    # Not `create`, which would need it whole in memory: the key is the digest of what it holds, and
                    # an upload whose source is refused at its end never counts.
                    obstore.put(self._client("bulk"), part.key, _proving(part), chunk_size=PIECE, max_concurrency=3)
            except FileNotFoundError as error:
                raise self._missing(error) from error

    def pieces(self, key: str) -> Iterator[bytes]:
        """What stands under the key, piece by piece.

        Raises:
            FileNotFoundError: nothing does.
        """
        import obstore  # noqa: PLC0415

        with self._told(key):
            for piece in obstore.get(self._client("bulk"), valid(key)).stream(min_chunk_size=4 * 1024 * 1024):
                yield bytes(piece)

    def _held(self, part: Part) -> bool:
        found = hashlib.sha256()
        try:
            for piece in self.pieces(part.key):
                found.update(piece)
        except FileNotFoundError as error:
            if _no_bucket(error):
                raise self._missing(error) from error
            return False
        part.proven(found.hexdigest(), f"what is stored already in {self._url}")
        return True

    def _client(self, use: Use) -> ObjectStore:
        """The client for reading (asks again), writing (never by itself: see `put_new`), or large files."""
        if use not in self._made:
            self._made[use] = client(self._url, self._environment, use, self._patience)
        return self._made[use]

    @contextmanager
    def _told(self, key: str) -> Iterator[None]:
        """Failures as findings that name bucket, key and cause; what a caller decides on passes through."""
        from obstore import exceptions  # noqa: PLC0415

        try:
            yield
        except (exceptions.AlreadyExistsError, exceptions.PreconditionError):
            raise
        except FileNotFoundError as error:
            if _no_bucket(error):
                raise self._missing(error) from error
            raise
        except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError, PermissionError) as error:
            message = f"{self._place(key)} refuses: {one_line(error)}"
            raise CannotJudge.because("registry-refused", message, remedy=REMEDIES[self._scheme]) from error
        except (exceptions.BaseError, OSError) as error:
            if _no_bucket(error):
                raise self._missing(error) from error
            if any(sign in str(error) for sign in NOBODY):
                message = f"{self._place(key)}: no credentials were found: {one_line(error)}"
                raise CannotJudge.because("registry-refused", message, remedy=REMEDIES[self._scheme]) from error
            raise unreachable(self._place(key), error) from error

    def _missing(self, error: Exception) -> CannotJudge:
        return CannotJudge.because("registry-missing", f"{self._url}: there is no such bucket: {one_line(error)}")

    def _place(self, key: str) -> str:
        return f"{self._url}/{key}" if key else self._url


def _proving(part: Part) -> Iterator[bytes]:
    """A file in pieces, which ends in a refusal where it is not what its digest says."""
    found = hashlib.sha256()
    with part.path.open("rb") as file:
        while piece := file.read(PIECE):
            found.update(piece)
            yield piece
    part.proven(found.hexdigest(), part.path.name)


def _no_bucket(error: Exception) -> bool:
    text = str(error)
    return any(sign in text for sign in ("NoSuchBucket", "ContainerNotFound", "bucket does not exist"))
