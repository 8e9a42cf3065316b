"""Files behind a URL, read in place: https, S3, Google Cloud Storage, Azure; patterns where the protocol lists.

DuckDB asks Python for ranges of bytes, and sees neither the address nor the credentials: its paths are `gate://…`.
"""

from __future__ import annotations

import fnmatch
import hashlib
import io
import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from fsspec import AbstractFileSystem

from release_gate.bucket_settings import settings
from release_gate.data_places import loopback, scheme_of, without_secrets
from release_gate.findings import BadInput
from release_gate.tables.opening import format_of, opened_by, partitions_of, unreadable
from release_gate.tables.relation import Relation, Unanswered
from release_gate.verdict import Where

if TYPE_CHECKING:
    from obstore.store import ObjectStore

    from release_gate.contracts.contract import Contract

PROTOCOL = "gate"
_MAGIC = re.compile(r"[*?\[]")
_BLOCK = 1 << 20
"""Bytes asked for at least: a reader of Parquet asks for many small pieces that lie together."""
_PIECE = 8 << 20
"""Bytes asked for at least where a file is read from its start to its end."""
_AGAIN: Any = {"max_retries": 2, "retry_timeout": timedelta(seconds=60)}
_NEEDED = {
    "s3": (("AWS_ACCESS_KEY_ID", "AWS_ROLE_ARN", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
           "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or AWS_ROLE_ARN with AWS_WEB_IDENTITY_TOKEN_FILE)"),
    "gs": (("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_SERVICE_ACCOUNT_KEY"), "GOOGLE_APPLICATION_CREDENTIALS"),
    "az": (("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT"),
           "AZURE_STORAGE_ACCOUNT_NAME with AZURE_STORAGE_ACCOUNT_KEY or AZURE_FEDERATED_TOKEN_FILE"),
}  # fmt: skip


@dataclass(frozen=True)
class Meta:
    """One object as its store describes it."""

    path: str
    size: int
    etag: str | None
    modified: str


@dataclass(frozen=True)
class Files:
    """The files that a URL or a pattern names; `pattern` is that pattern."""

    shown: str
    name: str
    store: ObjectStore
    found: Sequence[Meta]
    pattern: str | None = None

    def open(self, memory: int | None, contract: Contract | None = None) -> Relation:
        """Open them as one table; what is worth knowing for a `contract` is asked ahead.

        Raises:
            BadInput: `file-unreadable`, `table-format` or `data-unreachable`.
        """
        from release_gate.tables.embedded import Embedded  # noqa: PLC0415

        form = format_of(self.name, self.shown)
        paths = {f"{PROTOCOL}://{place}/{one.path}": one for place, one in enumerate(self.found)}
        names = [self.shown] if len(paths) == 1 else [one.path for one in self.found]
        system = _Ranges(self.store, paths)
        engine = Embedded(memory, contract=contract)
        engine.filesystem(system)
        try:
            named = dict(zip(paths, names, strict=True))
            return opened_by(engine, form, named, self.shown, partitions_of([*paths]), begin=system.begin)
        except Unanswered as refusal:
            engine.close()
            raise unreadable(self.shown, form, str(refusal)) from refusal
        except BaseException:
            engine.close()
            raise

    def identity(self) -> str:
        """What the store says of the state of one object, or a digest of that of several."""
        tags = [one.etag or f"{one.size}-{one.modified}" for one in self.found]
        if len(tags) == 1:
            return "etag:" + re.sub(r"\s", "", tags[0].strip('"'))
        listed = "".join(f"{tag}  {one.path}\n" for tag, one in zip(tags, self.found, strict=True))
        return f"etags:{hashlib.sha256(listed.encode()).hexdigest()}"

    def state(self) -> Hashable:
        """The same as long as no object was replaced, and none came to a pattern."""
        if self.pattern is not None:
            return tuple(_listed(self.store, self.pattern, self.shown))
        return tuple(_head(self.store, one.path, self.shown) for one in self.found)


def remote_files(url: str, shown: str, environment: Mapping[str, str]) -> Files:
    """Find what a URL names.

    Raises:
        BadInput: `data-credentials`, `data-unreachable` or `file-missing`.
    """
    scheme, where = scheme_of(url) or "", Where(file=shown)
    parts = urlsplit(url)
    store = _store(url, shown, environment)
    path = (parts.path if scheme in {"http", "https"} else unquote(parts.path)).lstrip("/")
    name = path.rsplit("/", 1)[-1]
    if not _MAGIC.search(path):
        return Files(shown, name, store, [_head(store, path, shown)])
    if scheme in {"http", "https"}:
        message = f"{shown} is a pattern, and no files can be listed over {scheme}"
        raise BadInput.because("file-missing", message, where=where, remedy="Name one file, or use a bucket's own URL.")
    found = _listed(store, path, shown)
    if not found:
        raise BadInput.because("file-missing", f"no file matches {shown}", where=where)
    return Files(shown, name, store, found, path)


def _store(url: str, shown: str, environment: Mapping[str, str]) -> Any:
    from obstore.store import HTTPStore, from_url  # noqa: PLC0415 - heavy

    scheme, parts = scheme_of(url) or "", urlsplit(url)
    options: Any = {"connect_timeout": "10s", "timeout": "6h", "read_timeout": "60s"}
    if scheme in {"http", "https"}:
        _encrypted(url, shown)
        # A signed address keeps its query for every request.
        base = f"{scheme}://{parts.netloc}/" + (f"?{parts.query}" if parts.query else "")
        return HTTPStore(base, client_options=options | {"allow_http": scheme == "http"}, retry_config=_AGAIN)
    any_of, variables = _NEEDED[scheme]
    if not any(environment.get(name) for name in any_of):
        message = f"{shown} can't be read without credentials, and none are set"
        remedy = f"Set {variables} for an identity that may list and read there."
        raise BadInput.because("data-credentials", message, where=Where(file=shown), remedy=remedy)
    config = settings(scheme, environment)
    endpoint = config.get("aws_endpoint_url") or config.get("azure_storage_endpoint") or ""
    if endpoint.startswith("http:"):
        _encrypted(endpoint, shown)
        options["allow_http"] = True
    given_config: Any = config
    return from_url(f"{scheme}://{parts.netloc}", config=given_config, client_options=options, retry_config=_AGAIN)


def _encrypted(url: str, shown: str) -> None:
    if url.startswith("http:") and not loopback(url):
        message = (
            f"{shown} would be read without encryption from {without_secrets(url)}: anyone between could change it"
        )
        raise BadInput.because("data-unreachable", message, where=Where(file=shown), remedy="Give an https address.")


def _head(store: Any, path: str, shown: str) -> Meta:
    try:
        return _meta(store.head(path))
    except FileNotFoundError as error:
        raise BadInput.because("file-missing", f"{shown} does not exist", where=Where(file=shown)) from error
    except Exception as error:
        raise _unreachable(shown, error) from error


def _listed(store: Any, pattern: str, shown: str) -> list[Meta]:
    """The objects of a pattern: `*` within a folder, `**` across."""
    above = _MAGIC.split(pattern)[0].rpartition("/")[0]
    parts = [re.escape("") if part == "**/" else part for part in re.split(r"(\*\*/)", pattern)]
    spoken = "".join("(?:.*/)?" if not part else _glob(part) for part in parts)
    try:
        pages = [page for chunk in store.list(prefix=above or None) for page in chunk]
    except Exception as error:
        raise _unreachable(shown, error) from error
    return sorted((_meta(one) for one in pages if re.fullmatch(spoken, one["path"])), key=lambda one: one.path)


def _glob(part: str) -> str:
    said = fnmatch.translate(part).removeprefix("(?s:").removesuffix(")\\Z")
    return said.replace(".*", "[^/]*")


def _meta(found: Mapping[str, Any]) -> Meta:
    return Meta(found["path"], found["size"], found["e_tag"], found["last_modified"].isoformat())


def _unreachable(shown: str, error: Exception) -> BadInput:
    refused = isinstance(error, PermissionError) or "403" in str(error) or "401" in str(error)
    code = "data-credentials" if refused else "data-unreachable"
    said = "the credentials may not read it" if refused else _cause(error)
    remedy = "Give the identity the right to list and read there." if refused else None
    return BadInput.because(code, f"{shown} can't be read: {said}", where=Where(file=shown), remedy=remedy)


def _cause(error: Exception) -> str:
    first = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return re.sub(r"\S+://\S+", "the address", first)[:200]


class _Ranges(AbstractFileSystem):  # type: ignore[misc]
    """Objects of a store as files that DuckDB can read pieces of."""

    protocol = PROTOCOL
    cachable = False

    def __init__(self, store: Any, files: Mapping[str, Meta]) -> None:
        super().__init__()
        self.store = store
        self.files = files
        self.ended: BaseException | None = None

    def begin(self, path: str) -> io.BufferedReader:
        """A file, to be read from its start in large pieces."""
        return io.BufferedReader(_Object(self, self._of(path)), _PIECE)

    def _open(self, path: str, mode: str = "rb", **_: Any) -> io.BufferedReader:
        return io.BufferedReader(_Object(self, self._of(path)), _BLOCK)

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """Name and size."""
        return {"name": path, "size": self._of(path).size, "type": "file"}

    def glob(self, path: str, **_: Any) -> list[str]:
        """Every path names itself alone."""
        named = re.sub(r"\[([*?\[])\]", r"\1", path)
        return [named] if self._key(named) in self.files else []

    def exists(self, path: str, **_: Any) -> bool:
        """Whether it is one of ours."""
        return self._key(path) in self.files

    def created(self, path: str) -> Any:
        """DuckDB asks; that nothing changed is looked after elsewhere."""
        raise NotImplementedError

    def modified(self, path: str) -> Any:
        """The same for every question."""
        return datetime(2000, 1, 1, tzinfo=UTC)

    def _of(self, path: str) -> Meta:
        return self.files[self._key(path)]

    @staticmethod
    def _key(path: str) -> str:
        return path if path.startswith(f"{PROTOCOL}://") else f"{PROTOCOL}://{path}"


class _Object(io.RawIOBase):
    """An object read from any place."""

    def __init__(self, system: _Ranges, meta: Meta) -> None:
        self.system = system
        self.meta = meta
        self.at = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """The place."""
        return self.at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        self.at = offset + (0, self.at, self.meta.size)[whence]
        return self.at

    def readinto(self, buffer: Any) -> int:
        """Ask for the next bytes."""
        length = min(len(buffer), self.meta.size - self.at)
        if length <= 0:
            return 0
        try:
            found = bytes(self.system.store.get_range(self.meta.path, start=self.at, length=length))
        except Exception:
            raise
        except BaseException as end:
            self.system.ended = end
            raise
        buffer[: len(found)] = found
        self.at += len(found)
        return len(found)
