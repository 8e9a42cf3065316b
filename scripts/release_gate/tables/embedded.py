"""Tables in files, asked through an embedded DuckDB that keeps a memory limit and spills to a folder of its own.

Columns are held under names of ours (`c0`, `c1`, …): a file's own may repeat, differ in case only, or hold quotes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import duckdb

from release_gate.contracts.found import MOMENTS, Found, Type, found
from release_gate.tables.ahead import Ahead, Field, Known, sought
from release_gate.tables.causes import cause_of
from release_gate.tables.duckdb_types import compiled, type_of
from release_gate.tables.relation import FILE, ROW, Counted, Shape, Unanswered
from release_gate.tables.sealed import SESSION, Reach, asked, raise_end, sealed
from release_gate.tables.spilling import spill as spill_folder
from release_gate.tables.spoken import Partitions, as_text, by_file, first_alike, globs, outside
from release_gate.tables.stored import Footer, footers, of_parquet, stored

if TYPE_CHECKING:
    import pyarrow as pa

    from release_gate.contracts.contract import Contract

_UNREADABLE = (duckdb.IOException, duckdb.InvalidInputException, duckdb.SerializationException)
_LOCKED = ("autoinstall_known_extensions", "autoload_known_extensions", "allow_community_extensions")


class Embedded:
    """A table in an embedded DuckDB. Open it by `parquet`, `csv`, `json_lines` or `arrow`; close it afterwards."""

    def __init__(
        self, memory: int | None = None, *, spill: Path | None = None, contract: Contract | None = None
    ) -> None:
        """`memory` in bytes (DuckDB's own limit when absent); `spill` is the folder for what does not fit.

        For a `contract` that the table will be held to, what is worth knowing is asked ahead.
        """
        self._memory = memory
        self._contract = contract
        self._spill = spill_folder(spill)
        settings: dict[str, Any] = dict.fromkeys(_LOCKED, "false")
        settings["temp_directory"] = str(self._spill.path)
        if memory is not None:
            settings["memory_limit"] = f"{memory}B"
        self._reach = Reach(settings)
        self._connection = duckdb.connect(":memory:", config=settings)
        self._sealed: duckdb.DuckDBPyConnection | None = None
        self._ahead: Ahead | None = None
        self._source, self._selected = "", "*"
        for setting in SESSION:
            self._connection.execute(f"SET {setting}")
        self.shape = Shape("", ())
        self._queries = 0
        self._numbers: str | None = None
        self._numbered = False

    # Opening

    def parquet(self, files: Mapping[str, str], partitions: Partitions = MappingProxyType({})) -> Embedded:
        """Parquet files of one schema: paths with their names for people.

        `partitions` are the columns that the names of their folders hold, each with a value by file.

        Raises:
            Unanswered: a file can't be read, or has other columns than the first.
        """
        self._reach.files = dict(files)

        def ask(text: str) -> list[tuple[Any, ...]]:
            return self._ask(text, counted=False)

        known = stored(ask, self._reach.files)
        source = f"read_parquet({globs(files)}, hive_partitioning = false)"
        said = footers(ask, self._reach.files) if self._contract is not None else {}
        told = outside(partitions, [name for name, _ in known])
        self._view(source, len(known), told)
        # Asked of the view: DuckDB calls a nameless column C0, and then takes no other of that name.
        types = self._types("data")[: len(known)]
        self._ask_ahead([Field(known[place][0], f"c{place}", kind) for place, (_, kind) in enumerate(types)], said)
        columns = [of_parquet(place, type_of(kind), *known[place]) for place, (_, kind) in enumerate(types)]
        self._open(columns, f"file_row_number + 1 AS {ROW}, file_index AS {FILE}", [*files.values()], partitions=told)
        sure = self._ahead.known() if self._ahead is not None else Known()
        self.shape = replace(
            self.shape,
            columns=tuple(replace(one, sure=True) if one.held in sure.sure else one for one in self.shape.columns),
            rows=sure.rows,
            nulls={held: footer.nulls for held, footer in said.items() if footer.nulls is not None},
            ends=sure.ends,
        )
        return self

    def csv(
        self, files: Mapping[str, str], names: Sequence[str], delimiter: str | None,
        partitions: Partitions = MappingProxyType({}),
    ) -> Embedded:  # fmt: skip
        """CSV files with a header of these names; all is text: only the contract knows that 007 is a word."""
        self._reach.files = dict(files)
        held = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(len(names)))
        options = (
            "auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"', nullstr = '', "
            f"allow_quoted_nulls = false, strict_mode = true, columns = {{{held}}}, hive_partitioning = false"
        )
        source = f"read_csv({globs(files)}, {options})"
        folders = outside(partitions, names)
        self._view(source, len(names), folders)
        columns = [found(name, f"c{place}", type_of("VARCHAR"), text=True) for place, name in enumerate(names)]
        return self._open(columns, _COUNTED, [*files.values()], delimiter=delimiter, partitions=folders)

    def json_lines(self, files: Mapping[str, str], partitions: Partitions = MappingProxyType({})) -> Embedded:
        """One JSON object a line. JSON has no moments: what looks like one stays text until the contract reads it.

        Raises:
            Unanswered: a line is no object, or two names differ in case only.
        """
        self._reach.files = dict(files)
        options = "format = 'newline_delimited', records = true, hive_partitioning = false"
        kinds = self._types(f"read_json({globs(files)}, {options}, sample_size = -1)")
        self._one_case(files, [name for name, _ in kinds])
        guessed = [(name, type_of(kind)) for name, kind in kinds]
        unread = {name for name, one in guessed if one.kind in MOMENTS or one.word == "uuid"}
        held = ", ".join(f"{as_text(name)}: {as_text('VARCHAR' if name in unread else kind)}" for name, kind in kinds)
        columns = [
            found(name, f"c{place}", type_of("VARCHAR") if name in unread else kind, text=name in unread)
            for place, (name, kind) in enumerate(guessed)
        ]
        # One text that is no day, and the engine takes none of the column for days.
        columns = [replace(one, loose=one.type.word == "string" and not one.text) for one in columns]
        read = f"format = 'newline_delimited', columns = {{{held}}}, hive_partitioning = false"
        source = f"read_json({globs(files)}, {read})"
        folders = outside(partitions, [name for name, _ in kinds])
        self._view(source, len(kinds), folders)
        return self._open(columns, _COUNTED, [*files.values()], partitions=folders)

    def arrow(self, table: Any, shown: Sequence[str], stored: pa.Schema) -> Embedded:
        """An Arrow table or dataset of that schema."""
        positional = getattr(table, "rename_columns", None)
        held = [f"c{place}" for place in range(len(stored.names))]
        self._reach.given = positional(held) if positional else table
        self._connection.register("given", self._reach.given)
        described = self._described("given")
        columns = [
            found(name, f"c{place}", kind, _arrow_storage(str(stored.types[place])))
            for place, ((_, kind), name) in enumerate(zip(described, stored.names, strict=True))
        ]
        self._view("given", len(columns))
        return self._open(columns, _COUNTED, shown)

    def empty(self) -> Embedded:
        """What was opened, as a table without a single column: an empty file."""
        self.shape = replace(self.shape, columns=())
        return self

    def relation(self, source: str, shown: Sequence[str], folder: Path) -> Embedded:
        """Any table function of DuckDB, such as `delta_scan('…')`, over files in a folder."""
        self._reach.folders = (str(folder),)
        columns = [found(name, f"c{place}", kind) for place, (name, kind) in enumerate(self._described(source))]
        self._view(source, len(columns))
        return self._open(columns, None, shown)

    def extension(self, path: str) -> None:
        """Load an extension from a file; nothing is ever fetched by the engine itself."""
        self._ask(f"LOAD {as_text(path)}", counted=False)
        self._reach.extensions.append(path)

    def filesystem(self, given: Any) -> None:
        """Let paths of other protocols be read through an fsspec file system."""
        self._connection.register_filesystem(given)
        self._reach.systems.append(given)

    # Asking

    @property
    def table(self) -> Any:
        """The Ibis table."""
        return self._ibis("data", {})

    @property
    def numbered(self) -> Any | None:
        """The table with the number of each row."""
        if self._numbers is None:
            return None
        if not self._numbered:
            view = f"SELECT {self._selected}, {self._numbers_of_rows()} FROM {self._source}"
            self._ask(f"CREATE TEMP VIEW numbered AS {view}", counted=False)
            self._numbered = True
        return self._ibis("numbered", {ROW: "int64", FILE: "int64"})

    @property
    def queries(self) -> int:
        """How many queries were sent so far."""
        return self._queries + (self._ahead.queries if self._ahead is not None else 0)

    def counted(self) -> Counted:
        """What was counted ahead; waits for it."""
        if self._ahead is None:
            return Counted()
        numbers = self._ahead.counted()
        return Counted(numbers.distinct, numbers.broken)

    def rows(self, expression: Any) -> list[tuple[Any, ...]]:
        """The rows of an expression; see `Relation.rows`."""
        return self._ask(compiled().as_sql(expression))

    def query(self, text: str, column: str | None, seen: Any | None = None) -> Any:
        """The one value of a SELECT, asked in a database of its own that sees this table and nothing else."""
        if self._sealed is None:
            names = [(one.name, one.held) for one in self.shape.columns]
            source = f"SELECT {self._selected} FROM {self._source}"
            read = None if seen is None else compiled().as_sql(seen)
            self._sealed = sealed(self._reach, names, source, read, str(self._spill.path))
        self._queries += 1
        found = self._answer(self._sealed, asked(self._sealed, text, column, self._reach.files))
        if len(found) != 1 or len(found[0]) != 1:
            raise Unanswered(f"it gives {len(found)} rows, and one value is needed")
        return found[0][0]

    def write(self, expression: Any, path: str) -> int:
        """Write an expression to Parquet; see `Relation.write`."""
        if alike := first_alike(expression.columns):
            # DuckDB would give one of them another name.
            raise Unanswered(f"the columns '{alike[0]}' and '{alike[1]}' differ in case only")
        text = compiled().as_sql(expression)
        written = self._ask(f"COPY ({text}) TO {as_text(path)} (FORMAT parquet, COMPRESSION zstd)")
        return int(written[0][0])

    def close(self) -> None:
        """Close the connection and take the spilled files away."""
        try:
            if self._ahead is not None:
                self._ahead.stop()
        finally:
            for connection in (self._connection, self._sealed):
                with contextlib.suppress(duckdb.Error):
                    if connection is not None:
                        # A query that a signal ended here goes on in the engine, and closing would wait for it.
                        connection.interrupt()
                        connection.close()
            self._spill.close()

    # Inside

    def _view(self, source: str, columns: int, partitions: Partitions = MappingProxyType({})) -> None:
        """Name the columns of a source, and those of its folders after them."""
        held = [f"c{place}" for place in range(columns)]
        # Told by us: DuckDB would take the folders above for columns too, and number the files that a filter leaves.
        told = "".join(f", {by_file(values)} AS c{columns + place}" for place, values in enumerate(partitions.values()))
        self._source = f"{source} AS t({', '.join(held)})"
        self._selected = f"*{told}"
        self._ask(f"CREATE VIEW data AS SELECT {self._selected} FROM {self._source}", counted=False)

    def _ask_ahead(self, fields: Sequence[Field], said: Mapping[str, Footer]) -> None:
        if self._contract is not None:
            connection = self._connection.cursor()
            for setting in SESSION:
                connection.execute(f"SET {setting}")
            wanted = sought(self._contract, fields, said)
            later = self._from_the_middle(max((one.values for one in said.values()), default=0))
            self._ahead = Ahead(connection, "data", wanted, later=later, limited=self._memory is not None)
            if self._reach.systems:
                self._ahead.ask()
                raise_end(self._reach)
            else:
                self._ahead.begin()

    def _from_the_middle(self, rows: int) -> str | None:
        """The rows from the middle of Parquet files on; None over a network, where a look takes long."""
        files = [*self._reach.files]
        if self._reach.systems:
            return None
        if len(files) == 1:
            return f"(SELECT * FROM {self._source} WHERE file_row_number >= {rows // 2})"
        return self._source.replace(globs(files), globs(files[len(files) // 2 :]))

    def _open(
        self,
        columns: Sequence[Found],
        numbers: str | None,
        shown: Sequence[str],
        *,
        delimiter: str | None = None,
        partitions: Partitions = MappingProxyType({}),
    ) -> Embedded:
        folders = [
            found(name, f"c{len(columns) + place}", type_of("VARCHAR"), text=True)
            for place, name in enumerate(partitions)
        ]
        self._numbers = numbers
        self.shape = Shape(
            f"DuckDB {duckdb.__version__}", (*columns, *folders), tuple(shown), delimiter=delimiter,
            partitions=tuple(partitions), memory=self._memory,
        )  # fmt: skip
        return self

    def _ibis(self, name: str, more: dict[str, Any]) -> Any:
        return compiled().table_of(name, {one.held: one.dtype for one in self.shape.columns} | more)

    def _ask(self, text: str, *, counted: bool = True) -> list[tuple[Any, ...]]:
        self._queries += counted
        return self._answer(self._connection, text)

    def _answer(self, connection: duckdb.DuckDBPyConnection, text: str) -> list[tuple[Any, ...]]:
        try:
            return connection.execute(text).fetchall()
        except (duckdb.OutOfMemoryException, MemoryError) as error:
            raise_end(self._reach)
            cause = "the memory limit is too small for this table: give more by --memory"
            raise Unanswered(cause, full=True) from error
        except duckdb.Error as error:
            raise_end(self._reach)
            why = cause_of(str(error), self._reach.files)
            raise Unanswered(why, unreadable=isinstance(error, _UNREADABLE)) from error
        except RuntimeError as error:
            # DuckDB wraps what a signal's handler raises in an error of its own: the end must stay an end.
            if error.__cause__ is not None and not isinstance(error.__cause__, Exception):
                raise error.__cause__ from None
            raise

    def _numbers_of_rows(self) -> str | None:
        """How rows are numbered: where the format has no numbers, by their place less the rows of earlier files."""
        if self._numbers != _COUNTED or len(self._reach.files) < 2:
            return self._numbers
        by_file = dict(self._ask(f"SELECT file_index, count(*) FROM {self._source} GROUP BY 1", counted=False))
        before = [0]
        for place in range(len(self._reach.files) - 1):
            before.append(before[-1] + by_file.get(place, 0))
        return f"row_number() OVER () - ({before}::BIGINT[])[file_index::BIGINT + 1] AS {ROW}, file_index AS {FILE}"

    def _one_case(self, files: Iterable[str], names: Sequence[str]) -> None:
        """Refuse names that differ in case only: DuckDB renames one of them, and its values would be lost."""
        known = {name.casefold() for name in names}
        parted = [name.rpartition("_") for name in names]
        if not any(number.isdigit() and base.casefold() in known for base, _, number in parted):
            return
        keys = f"SELECT DISTINCT unnest(json_keys(json)) FROM read_json_objects({globs(files)}, "
        seen: dict[str, str] = {}
        for (name,) in sorted(self._ask(f"{keys}format = 'newline_delimited')", counted=False)):
            other = seen.setdefault(name.casefold(), name)
            if other != name:
                raise Unanswered(f"the names '{other}' and '{name}' differ in case only", unreadable=True)

    def _types(self, source: str) -> list[tuple[str, str]]:
        return [(row[0], row[1]) for row in self._ask(f"DESCRIBE SELECT * FROM {source}", counted=False)]

    def _described(self, source: str) -> list[tuple[str, Type]]:
        return [(name, type_of(kind)) for name, kind in self._types(source)]


_COUNTED = f"row_number() OVER () AS {ROW}, 0 AS {FILE}"


def _arrow_storage(written: str) -> str | None:
    """An Arrow type's own words, where they say more than the engine's type."""
    exact = ("timestamp[", "time32[", "time64[", "halffloat", "null", "int", "uint", "decimal")
    return written.replace("decimal256", "decimal128") if written.startswith(exact) else None
