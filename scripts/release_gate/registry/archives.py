"""Archives: tar files that depend on nothing but their contents, and the unpacking of those made by strangers.

Nothing is unpacked but plain files and folders, under relative names, inside the folder given, within limits.
"""

from __future__ import annotations

import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Protocol, cast

from release_gate.findings import BadInput
from release_gate.verdict import Where

PIECE = 1024 * 1024
SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")


class Sink(Protocol):
    """What a tar is written to."""

    def write(self, piece: bytes, /) -> int:
        """Write all of it."""
        ...

    def tell(self) -> int:
        """The bytes written so far."""
        ...


@dataclass(frozen=True)
class Limits:
    """The most that an archive may unpack to."""

    files: int = 100_000
    bytes: int = 50 * 1024**3
    name: int = 1000


@dataclass(frozen=True)
class Entry:
    """One thing in an archive; `open` is None for a folder."""

    name: str
    size: int
    executable: bool
    open: Callable[[], IO[bytes]] | None


def write_tar(file: Sink, members: Iterable[tuple[str, Path]]) -> None:
    """Write files under names, sorted by name, without times, owners or any mode but 644 and 755."""
    with tarfile.open(fileobj=cast("IO[bytes]", file), mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, path in sorted(members):
            with path.open("rb") as content:
                info = tarfile.TarInfo(name)
                info.size = path.stat().st_size
                info.mode = 0o755 if executable(path) else 0o644
                archive.addfile(info, content)


def executable(path: Path) -> bool:
    """Whether its owner may run a file."""
    return bool(path.stat().st_mode & stat.S_IXUSR)


def is_archive(name: str) -> bool:
    """Whether a file is one to unpack, by its name: many model files are zips inside and must stay one file."""
    return name.lower().endswith(SUFFIXES)


def extract(archive: Path, folder: Path, *, limits: Limits = Limits()) -> list[Path]:
    """Unpack a tar or zip into an existing folder; the files written, in the archive's order.

    Raises:
        BadInput: `archive-unsafe` for a link, a device, a name that leads out, a name given twice, or more than
            the limits allow; `archive-broken` where it can't be read.
    """
    where = Where(file=archive.name)
    written: dict[str, Path] = {}
    budget = limits.bytes
    try:
        with _entries(archive, where) as entries:
            for entry in entries:
                name = safe_name(entry.name, where, limits)
                target = folder / name
                if entry.open is None:
                    target.mkdir(parents=True, exist_ok=True)
                    continue
                if name in written or len(written) >= limits.files:
                    cause = "is in it twice" if name in written else f"is one more than {limits.files:,} files"
                    raise unsafe(where, f"{name[:200]} {cause}")
                target.parent.mkdir(parents=True, exist_ok=True)
                with entry.open() as source:
                    budget -= _copy(source, target, budget, where)
                target.chmod(0o755 if entry.executable else 0o644)
                written[name] = target
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise BadInput.because("archive-broken", f"{archive.name} can't be read: {error}", where=where) from error
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise unsafe(where, "the same name is a file and a folder in it") from error
    return list(written.values())


def safe_name(name: str, where: Where, limits: Limits = Limits()) -> str:
    """A name that stays inside the folder it is unpacked into.

    Raises:
        BadInput: `archive-unsafe`.
    """
    parts = PurePosixPath(name).parts
    leads_out = name.startswith("/") or ".." in parts or "\\" in name or (parts and ":" in parts[0])
    odd = not name or len(name) > limits.name or any(ord(letter) < 32 for letter in name)
    if leads_out or odd:
        raise unsafe(where, f"it holds the name {name[:200]!r}")
    return PurePosixPath(name).as_posix()


def unsafe(where: Where, what: str) -> BadInput:
    """A refusal to unpack."""
    return BadInput.because("archive-unsafe", f"{where.file} is not unpacked: {what}", where=where)


def _copy(source: IO[bytes], target: Path, budget: int, where: Where) -> int:
    """Copy what really comes, whatever size the archive declared."""
    size = 0
    with target.open("wb") as file:
        while piece := source.read(PIECE):
            size += len(piece)
            if size > budget:
                raise unsafe(where, "it unpacks to more bytes than are allowed")
            file.write(piece)
    return size


@contextmanager
def _entries(archive: Path, where: Where) -> Iterator[Iterator[Entry]]:
    # Not is_zipfile: it also finds a zip at the end of a tar that holds one.
    with archive.open("rb") as file:
        is_zip = file.read(2) == b"PK"
    if is_zip:
        with zipfile.ZipFile(archive) as opened:
            yield _zip_entries(opened, where)
    else:
        with tarfile.open(archive, mode="r:*") as tar:
            yield _tar_entries(tar, where)


def _zip_entries(opened: zipfile.ZipFile, where: Where) -> Iterator[Entry]:
    for info in opened.infolist():
        mode = info.external_attr >> 16
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise unsafe(where, f"{info.filename[:200]!r} is neither file nor folder")
        opener = None if info.is_dir() else lambda info=info: opened.open(info)
        yield Entry(info.filename, info.file_size, bool(mode & stat.S_IXUSR), opener)


def _tar_entries(tar: tarfile.TarFile, where: Where) -> Iterator[Entry]:
    for info in tar:
        if not (info.isreg() or info.isdir()):
            raise unsafe(where, f"{info.name[:200]!r} is neither file nor folder")
        opener = None if info.isdir() else lambda info=info: cast("IO[bytes]", tar.extractfile(info))
        yield Entry(info.name, info.size, bool(info.mode & stat.S_IXUSR), opener)
