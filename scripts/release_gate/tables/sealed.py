"""The database that a contract's own SQL is asked in: it sees one table, and no file, no network, no setting."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from release_gate.tables.causes import cause_of
from release_gate.tables.relation import Unanswered
from release_gate.tables.spoken import as_name, as_text, escaped, first_alike, texts

TABLE = "contract_data"
SESSION = ("TimeZone = 'UTC'", "enable_progress_bar = false")  # its progress bar goes to our standard output


@dataclass
class Reach:
    """What a database may read, so that a second one can be given the same.

    Attributes:
        settings: how it is connected.
        files: paths of the files, with their names for people.
        folders: folders whose files are all part of the table.
        extensions: files of DuckDB extensions.
        systems: fsspec file systems, which keep as `ended` the exception of a signal that ended a read.
        given: an Arrow table that is registered as `given`.
    """

    settings: dict[str, Any]
    files: dict[str, str] = field(default_factory=dict)
    folders: tuple[str, ...] = ()
    extensions: list[str] = field(default_factory=list)
    systems: list[Any] = field(default_factory=list)
    given: Any = None


def raise_end(reach: Reach) -> None:
    """Raise what ended a read of our own: the engine tells a signal's exception as an error like any other."""
    for system in reach.systems:
        if system.ended is not None:
            raise system.ended


def sealed(
    reach: Reach, names: Sequence[tuple[str, str]], source: str, seen: str | None, spill: str
) -> duckdb.DuckDBPyConnection:
    """A database with the view `TABLE` of the data under its own names.

    `names` are the columns' names with those they are held under in `source`, a SELECT. `seen` is a SELECT of them as
    the contract reads them, where that differs.

    Raises:
        Unanswered: SQL can't tell two columns apart, or the engine refuses.
    """
    if alike := first_alike(name for name, _ in names):
        raise Unanswered(f"SQL can't tell the columns '{alike[0]}' and '{alike[1]}' apart")
    connection = duckdb.connect(":memory:", config=reach.settings)
    try:
        for setting in SESSION:
            connection.execute(f"SET {setting}")
        for extension in reach.extensions:
            connection.execute(f"LOAD {as_text(extension)}")
        for system in reach.systems:
            connection.register_filesystem(system)
        if reach.given is not None:
            connection.register("given", reach.given)
        shown = ", ".join(f"{held} AS {as_name(name)}" for name, held in names)
        connection.execute(f"CREATE TEMP VIEW data AS {source}")
        connection.execute(f"CREATE TEMP VIEW {TABLE} AS {seen or f'SELECT {shown} FROM data'}")
        for setting in _seals([*reach.files, *escaped(reach.files), spill], reach.folders):
            connection.execute(f"SET {setting}")
    except duckdb.Error as error:
        connection.close()
        raise_end(reach)
        raise Unanswered(cause_of(str(error), reach.files)) from error
    return connection


def _seals(paths: Iterable[str], folders: Iterable[str]) -> tuple[str, ...]:
    return (
        f"allowed_paths = {texts(paths)}",
        f"allowed_directories = {texts(folders)}",
        "enable_external_access = false",
        "lock_configuration = true",
    )


def asked(connection: duckdb.DuckDBPyConnection, text: str, column: str | None, files: Mapping[str, str]) -> str:
    """A query of the contract with its table and column named.

    Raises:
        Unanswered: it is not one SELECT.
    """
    named = text.replace("{table}", TABLE).replace("{column}", as_name(column or ""))
    try:
        statements = connection.extract_statements(named)
    except duckdb.Error as error:
        raise Unanswered(cause_of(str(error), files)) from error
    if [one.type for one in statements] != [duckdb.StatementType.SELECT]:
        raise Unanswered("it is not one SELECT, and a contract only reads")
    return named
