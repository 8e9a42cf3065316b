"""Opens the files a contract is held against: which format, which files a pattern names, what a CSV's header says."""

from __future__ import annotations

import csv
import glob
import gzip
import io
import itertools
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import unquote

from release_gate.contracts.examples import file_names
from release_gate.findings import BadInput
from release_gate.tables.relation import Relation, Unanswered
from release_gate.tables.spoken import Partitions, first_alike
from release_gate.verdict import Where

if TYPE_CHECKING:
    from release_gate.contracts.contract import Contract
    from release_gate.tables.embedded import Embedded

SUFFIXES = {
    ".parquet": "Parquet", ".pq": "Parquet", ".csv": "CSV", ".csv.gz": "CSV",
    ".jsonl": "JSON lines", ".ndjson": "JSON lines", ".jsonl.gz": "JSON lines", ".ndjson.gz": "JSON lines",
    ".arrow": "Arrow", ".feather": "Arrow", ".ipc": "Arrow",
}  # fmt: skip
Begin = Callable[[str], BinaryIO]
"""Opens a file to be read from its start."""
MOST_COLUMNS = 10_000
_BROKEN = (OSError, EOFError, zlib.error)
_PIECE = 1 << 20
_DELIMITERS = (";", "\t", "|")
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
"""What Hive and Spark call the folder of rows without a value."""
_HEADER = 4_000_000
"""Bytes in which a CSV file's header must end."""


def open_files(
    path: Path, shown: str, *, memory: int | None = None, files: Sequence[Path] | None = None,
    contract: Contract | None = None,
) -> Relation:  # fmt: skip
    """Open the file or files of a path or a pattern (`days/**/*.parquet`); `shown` is its name in messages.

    `files` are those that it named when they were looked for: what came since is none of them. What is worth knowing
    for a `contract` is asked ahead.

    Raises:
        BadInput: `file-missing`, `table-format` (a folder, an unknown suffix) or `file-unreadable`.
    """
    files = matched(path, shown) if files is None else files
    form = format_of(path.name, shown)
    from release_gate.tables.embedded import Embedded  # noqa: PLC0415 - DuckDB takes 0.1 s to import

    engine = Embedded(memory, contract=contract)
    try:
        names = names_of(path, files, shown)
        # Only what is named by the user holds columns: a folder of this machine above it may have any name.
        above = [] if list(files) == [path] else _fixed(Path(shown))
        partitions = partitions_of(["/".join([*above, one]) for one in names], _told(names, shown, contract))
        named = dict(zip(map(str, files), names, strict=True))
        return opened_by(engine, form, named, shown, partitions, contract=contract)
    except Unanswered as refusal:
        engine.close()
        raise unreadable(shown, form, str(refusal), files) from refusal
    except BaseException:
        engine.close()
        raise


def matched(path: Path, data: str) -> list[Path]:
    """The files that a path or a pattern names, in order.

    Raises:
        BadInput: `file-missing` or, for a folder, a pipe or a device, `table-format`.
    """
    try:
        return _matched(path, data)
    except OSError as error:
        raise _missing(data, f"{data} can't be reached: {error.strerror}") from error


def _matched(path: Path, data: str) -> list[Path]:
    where = Where(file=data)
    if path.is_file():
        return [path]
    if path.is_dir():
        message = f"{data} is a folder; a file or a pattern is needed"
        remedy = f"Name its files by a pattern: {data.rstrip('/')}/**/*.parquet"
        raise BadInput.because("table-format", message, where=where, remedy=remedy)
    if path.exists():
        # A pipe has no end until its writer goes, and no second reading.
        message = f"{data} is a pipe, a socket or a device; a file is needed"
        raise BadInput.because("table-format", message, where=where, remedy="Write the rows to a file first.")
    if path.is_symlink():
        raise _missing(data, f"{data} is a symbolic link to a file that does not exist")
    if not glob.has_magic(str(path)):
        raise _missing(data, f"{data} does not exist")
    # Hidden files are what writers leave while they write.
    names = glob.glob(str(path), recursive=True)  # noqa: PTH207 - the pattern is absolute
    found = sorted(Path(name) for name in names if Path(name).is_file())
    if not found:
        raise _missing(data, f"no file matches {data}")
    return found


def _missing(data: str, message: str) -> BadInput:
    return BadInput.because("file-missing", message.replace("\0", "\\0"), where=Where(file=data.replace("\0", "\\0")))


def names_of(path: Path, files: Sequence[Path], data: str) -> list[str]:
    """What each file is called in messages: its path below the pattern's own folder."""
    if list(files) == [path]:
        return [data]
    return [str(file.relative_to(Path(*_fixed(path)))) for file in files]


def _fixed(pattern: Path) -> list[str]:
    return list(itertools.takewhile(lambda part: not glob.has_magic(part), pattern.parts))


def _told(names: Sequence[str], data: str, contract: Contract | None) -> tuple[str, ...]:
    """The files as a refusal may name them: by number where the column that a folder holds is sensitive.

    Where no contract is at hand, any column may be.
    """
    if list(names) == [data]:
        return (data,)  # as the user wrote it
    folders = (folder for name in names for folder in name.split("/")[:-1] if "=" in folder)
    columns = {unquote(folder.partition("=")[0]) for folder in folders}
    return file_names(names, columns if contract is None else contract.sensitive)


def partitions_of(names: Sequence[str], told: Sequence[str] | None = None) -> Partitions:
    """The columns that the names of folders hold, as in `year=2024/day=7/part.parquet`, all text: only the contract
    knows that 007 is a word. All files have the same. A refusal calls the files as they are `told`, else by number.

    Raises:
        Unanswered: a file lies in folders of other columns, or two folders hold one column.
    """
    told = [f"file {number}" for number in range(1, len(names) + 1)] if told is None else told
    parts = [[part.partition("=") for part in Path(name).parts[:-1] if "=" in part] for name in names]
    found = [[column for column, _, _ in one] for one in parts]
    for name, columns in zip(told, found, strict=True):
        if columns != found[0]:
            several = " and ".join(", ".join(one) or "none" for one in (columns, found[0]))
            raise Unanswered(f"{name} and {told[0]} lie in folders of different columns: {several}", unreadable=True)
    if alike := first_alike(found[0]):
        raise Unanswered(f"{told[0]} lies in two folders of one column: {' and '.join(alike)}", unreadable=True)
    return {column: [_value(one[place][2]) for one in parts] for place, column in enumerate(found[0])}


def _value(written: str) -> str | None:
    return None if written == _NO_VALUE else unquote(written)


def format_of(name: str, data: str) -> str:
    """The format that the suffix of a file's name names; `data` is what it is called in messages.

    Raises:
        BadInput: `table-format`.
    """
    suffix = max((one for one in SUFFIXES if name.lower().endswith(one)), key=len, default=None)
    if suffix is None:
        shown = Path(name).suffix
        message = f"{data} has the suffix '{shown}'; read are {', '.join(SUFFIXES)}"
        raise BadInput.because("table-format", message, where=Where(file=data))
    return SUFFIXES[suffix]


def unreadable(data: str, form: str, cause: str, files: Sequence[Path] = ()) -> BadInput:
    """The refusal of a file that can't be read, without the machine's own paths."""
    for file in files:
        cause = cause.replace(str(file), data if len(files) == 1 else file.name)
    return BadInput.because("file-unreadable", f"{data} can't be read as {form}: {cause}", where=Where(file=data))


def opened_by(
    engine: Embedded, form: str, files: Mapping[str, str], data: str, partitions: Partitions,
    *, begin: Begin | None = None, contract: Contract | None = None,
) -> Relation:  # fmt: skip
    """Open files, paths with their names for people; `begin` opens one that is not on this disk.

    The `contract` says which columns are sensitive: a refusal, now or while they are read, quotes no folder of theirs.

    Raises:
        BadInput: `file-unreadable`.
        Unanswered: the engine can't read them.
    """
    begin = begin or _begin
    told = _told([*files.values()], data, contract)
    named = dict(zip(told, files.values(), strict=True))
    files = dict(zip(files, told, strict=True))
    for file in files:
        if file.lower().endswith(".gz"):
            _unpack(file, files[file] if len(files) > 1 else data, form, begin)
    if form == "Parquet":
        relation: Relation = engine.parquet(files, partitions)
    elif form == "Arrow":
        relation = _arrow(engine, files, data)
    elif form == "CSV":
        relation = _csv(engine, files, data, partitions, begin)
    else:
        relation = _json_lines(engine, files, data, partitions, begin)
    if len(relation.shape.columns) > MOST_COLUMNS:
        raise Unanswered(_too_wide(len(relation.shape.columns)), unreadable=True)
    # Whoever names a row's file asks the contract first.
    relation.shape = replace(relation.shape, files=tuple(named.get(one, one) for one in relation.shape.files))
    return relation


def _csv(engine: Embedded, files: Mapping[str, str], data: str, partitions: Partitions, begin: Begin) -> Relation:
    first, *others = files
    names = header(first, data, begin)
    for other in others:
        if header(other, data, begin) != names:
            raise Unanswered(f"{files[other]} has other columns than {files[first]}", unreadable=True)
    return engine.csv(files, names, _delimiter(names), partitions) if names else _nothing(engine, files)


def _json_lines(
    engine: Embedded, files: Mapping[str, str], data: str, partitions: Partitions, begin: Begin
) -> Relation:
    starts = {file: _start(file, data, "JSON lines", begin) for file in files}
    full = {file: files[file] for file, begun in starts.items() if begun.strip()}
    for file in full:
        fields = _fields(starts[file])
        if fields is None:
            raise Unanswered(f"the first line of {files[file]} is no object with at least one name", unreadable=True)
        if fields > MOST_COLUMNS:
            raise Unanswered(_too_wide(fields), unreadable=True)
    # Files without a line have no say in the columns, and would be taken for something else than objects.
    kept = [file in full for file in files]
    held = {name: tuple(itertools.compress(values, kept)) for name, values in partitions.items()}
    return engine.json_lines(full, held) if full else _nothing(engine, files)


def _fields(start: bytes) -> int | None:
    """How many names the first object of a JSON lines file has; None for what is no object, or has none."""
    first = start.lstrip().split(b"\n", 1)[0]
    try:
        read = json.loads(first)
    except (ValueError, RecursionError):
        # Broken, or cut off here: the engine says more about it.
        return first.count(b'":') if first.startswith(b"{") else None
    return (len(read) or None) if isinstance(read, dict) else None


def _nothing(engine: Embedded, files: Mapping[str, str]) -> Relation:
    import pyarrow as pa  # noqa: PLC0415 - heavy, and an empty file is rare

    nothing = pa.table({"nothing": pa.array([], pa.string())})
    return engine.arrow(nothing, [*files.values()], nothing.schema).empty()


def _arrow(engine: Embedded, files: Mapping[str, str], data: str) -> Relation:
    import pyarrow as pa  # noqa: PLC0415 - heavy, and only this format needs it
    import pyarrow.dataset  # noqa: PLC0415

    try:
        given = pyarrow.dataset.dataset([*files], format="feather")
        for file, fragment in zip(files, given.get_fragments(), strict=True):
            if not fragment.physical_schema.equals(given.schema):
                raise Unanswered(f"{files[file]} has other columns than {next(iter(files.values()))}", unreadable=True)
    except (pa.ArrowException, OSError) as error:
        raise unreadable(data, "Arrow", str(error).splitlines()[0], [Path(file) for file in files]) from error
    # The rows of all files are one table here: their number is their place in it.
    return engine.arrow(given, [data], given.schema)


def header(file: str, data: str, begin: Begin | None = None) -> tuple[str, ...]:
    """The column names of a CSV file; none of an empty one.

    Raises:
        BadInput: `file-unreadable` where it is no text in UTF-8, or has more columns than any table.
    """
    start = _start(file, data, "CSV", begin or _begin)
    if not start.strip():
        return ()
    if b"\0" in start:
        raise unreadable(data, "CSV", "it holds a NUL byte: a binary file, or text in UTF-16")
    if start[:1] in {b"\r", b"\n"}:
        raise unreadable(data, "CSV", "its first line is empty, and the names of the columns belong there")
    first = start.decode("utf-8-sig", errors="surrogateescape")
    names = tuple(next(csv.reader(io.StringIO(first, newline="")), ()))
    if len(names) > MOST_COLUMNS:
        raise unreadable(data, "CSV", _too_wide(len(names)))
    if any("\udc80" <= letter <= "\udcff" for name in names for letter in name):
        raise unreadable(data, "CSV", "its header is not text in UTF-8")
    return names


def _begin(file: str) -> BinaryIO:
    return open(file, "rb")  # noqa: PTH123 - a text, as the engine holds it; closed by who asked


def _start(file: str, data: str, form: str, begin: Begin) -> bytes:
    try:
        with begin(file) as opened:
            start = opened.read(_HEADER)
        if not file.lower().endswith(".gz") or not start:
            return start
        with gzip.open(io.BytesIO(start)) as source:
            return _until_cut(source)
    except _BROKEN as error:
        raise _broken(file, data, form, error) from error


def _unpack(file: str, data: str, form: str, begin: Begin) -> None:
    """Unpack a file to its end: DuckDB takes one that was cut, or whose checksum is wrong, for a whole one."""
    try:
        with begin(file) as opened, gzip.open(opened) as source:
            while source.read(_PIECE):
                pass
    except _BROKEN as error:
        raise _broken(file, data, form, error) from error


def _broken(file: str, data: str, form: str, error: Exception) -> BadInput:
    return unreadable(data, form, getattr(error, "strerror", None) or str(error), [Path(file)])


def _until_cut(source: gzip.GzipFile) -> bytes:
    """What unpacks of the start of a file, whose rest was not read."""
    found = b""
    try:
        while len(found) < _HEADER and (more := source.read1(1 << 16)):
            found += more
    except EOFError:
        pass
    return found


def _too_wide(columns: int) -> str:
    return f"it has {columns:,} columns or more; at most {MOST_COLUMNS:,} are read"


def _delimiter(names: Sequence[str]) -> str | None:
    """What seems to part the columns of a CSV file that came out as one column."""
    if len(names) != 1:
        return None
    return next((mark for mark in _DELIMITERS if mark in names[0]), None)
