"""The data of a contract wherever it lies: how it is opened, what names its state, whether that changed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from release_gate.data_places import REMOTE, connection_of, scheme_of, without_secrets
from release_gate.files import sha256
from release_gate.findings import BadInput
from release_gate.tables.opening import format_of, matched, names_of, open_files, unreadable
from release_gate.tables.relation import Relation, Unanswered
from release_gate.verdict import Where

if TYPE_CHECKING:
    from release_gate.contracts.contract import Contract


@dataclass(frozen=True)
class Data:
    """Data that can be opened.

    Attributes:
        shown: its name in messages, without secrets.
        stem: the name of the table, for contracts that describe several.
        opened: opens it, for a contract or none.
        identity: what names its state in a verdict.
        state: equal as long as nothing changed; it costs little.
        refusal: the error for what the engine says while it reads.
    """

    shown: str
    stem: str
    opened: Callable[[Contract | None], Relation]
    identity: Callable[[], str]
    state: Callable[[], Hashable]
    refusal: Callable[[Unanswered], BadInput]

    def open(self, contract: Contract | None = None) -> Relation:
        """Open it; what is worth knowing for a contract is asked ahead.

        Raises:
            BadInput: it can't be read.
        """
        return self.opened(contract)


def data_at(
    root: Path, data: str, *, table: str | None = None, sql: str | None = None, engine: str = "duckdb",
    memory: int | None = None, now: datetime, environment: Mapping[str, str],
) -> Data:  # fmt: skip
    """The data that a path, a pattern, a URL or a connection names; paths count from `root`.

    Raises:
        BadInput: `file-missing`, `table-format`, `data-query`, `data-credentials` or `data-unreachable`.
    """
    connection = connection_of(data, table, sql)
    shown = without_secrets(data)
    if connection is None and (table is not None or sql is not None):
        message = f"{shown} is no database: --table and --sql are for a connection such as postgres://host/db"
        raise BadInput.because("data-query", message, where=Where(file=shown))
    if connection is not None:
        from release_gate.tables.connected import open_connection  # noqa: PLC0415 - Ibis and a driver

        return Data(
            connection.shown, (connection.table or "data").split(".")[-1], lambda _: open_connection(connection, root),
            # A database names no state of its tables: the moment of reading does.
            lambda: f"read:{now.isoformat()}", lambda: None, lambda cause: _unanswered(connection.shown, cause),
        )  # fmt: skip
    if scheme_of(data) in REMOTE:
        from release_gate.tables.remote import remote_files  # noqa: PLC0415 - few read over a network

        files = remote_files(data, shown, environment)
        stem = Path(files.name).stem
        return Data(
            shown,
            stem,
            lambda contract: files.open(memory, contract),
            files.identity,
            files.state,
            lambda cause: _broken(shown, cause),
        )
    if (root / data).is_dir():
        from release_gate.tables.lakes import lake_at  # noqa: PLC0415 - needs the engine

        lake = lake_at(root / data, data)
        if lake is not None:
            stem = (root / data).name
            return Data(data, stem, lambda _: lake.open(memory), lake.identity, lake.identity, lake.refusal)
    return _local(root / data, data, engine, memory)


def _local(path: Path, data: str, engine: str, memory: int | None) -> Data:
    files = matched(path, data)

    def opened(contract: Contract | None) -> Relation:
        if engine == "spark":
            from release_gate.tables.cluster import open_by_spark  # noqa: PLC0415 - an extra

            return open_by_spark(path, data, files)
        return open_files(path, data, memory=memory, files=files, contract=contract)

    def identity() -> str:
        if len(files) == 1:
            return f"sha256:{sha256(files[0])}"
        # Of several files their names count too: in folders that hold columns they are data.
        listed = "".join(
            f"{sha256(file)}  {name}\n" for file, name in zip(files, names_of(path, files, data), strict=True)
        )
        return f"sha256:{hashlib.sha256(listed.encode()).hexdigest()}"

    def state() -> Hashable:
        try:
            # Looked for again: a file that came meanwhile changes what the pattern names.
            stats = [(str(file), file.stat()) for file in matched(path, data)]
        except (BadInput, OSError):
            return ()
        return tuple((name, stat.st_size, stat.st_mtime_ns, stat.st_ino) for name, stat in stats)

    form = format_of(path.name, data)
    return Data(data, path.stem, opened, identity, state, lambda cause: unreadable(data, form, str(cause), files))


def _unanswered(shown: str, cause: Unanswered) -> BadInput:
    return BadInput.because("data-unreachable", f"{shown} can't be read: {cause}", where=Where(file=shown))


def _broken(shown: str, cause: Unanswered) -> BadInput:
    return BadInput.because("file-unreadable", f"{shown} can't be read: {cause}", where=Where(file=shown))
