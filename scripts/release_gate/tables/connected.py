"""Tables in a database or on a cluster, asked through Ibis: the same expressions, in the words of that engine."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis
import sqlglot
from sqlglot import exp

from release_gate.contracts.found import Found, described, found
from release_gate.contracts.standards.queries import Unsafe, reading
from release_gate.data_places import Connection
from release_gate.findings import BadInput
from release_gate.tables import cells
from release_gate.tables.checks import under_names
from release_gate.tables.portable import portable
from release_gate.tables.relation import Counted, Relation, Shape, Unanswered
from release_gate.verdict import Where

if TYPE_CHECKING:
    import pyarrow as pa

_EXTRAS = frozenset({"bigquery", "postgres", "pyspark", "snowflake", "sqlite", "trino"})
_IN_FILES = {"sqlite": "sqlite", "duckdb": "duckdb"}
_BACKENDS = {"postgresql": "postgres", "spark": "pyspark"}
_TABLE = "contract_data"
_BATCH = 100_000


class Connected:
    """A table of an Ibis backend; its columns are held as `c0`, `c1`, …, since engines fold names differently."""

    def __init__(self, backend: Any, source: Any, columns: Sequence[Found], shape: Shape) -> None:
        self.backend = backend
        self.shape = shape
        self.queries = 0
        self._table = source.select(**{one.held: source[place] for place, one in enumerate(columns)})

    @property
    def table(self) -> Any:
        """The Ibis table."""
        return self._table

    @property
    def numbered(self) -> Any | None:
        """Rows of a database have no number."""
        return None

    def counted(self) -> Counted:
        """Nothing is counted ahead."""
        return Counted()

    def rows(self, expression: Any) -> list[tuple[Any, ...]]:
        """The rows of an expression; see `Relation.rows`."""
        self.queries += 1
        answered = self._arrow(portable(expression, self.backend.name))
        return list(zip(*(column.to_pylist() for column in answered.columns), strict=True))

    def query(self, text: str, column: str | None, seen: Any | None = None) -> Any:
        """The one value of a SELECT of the contract; see `Relation.query`."""
        self.queries += 1
        engine = self.backend.dialect
        named = text.replace("{table}", _TABLE).replace("{column}", '"' + (column or "").replace('"', '""') + '"')
        spoken = sqlglot.parse_one(named, dialect="duckdb")
        own = sqlglot.parse_one(str(ibis.to_sql(self._named(), dialect=self.backend.name)), dialect=engine)
        for table in list(spoken.find_all(exp.Table)):
            if table.name == _TABLE:
                alias = exp.TableAlias(this=exp.to_identifier(table.alias or _TABLE, quoted=True))
                table.replace(exp.Subquery(this=own.copy(), alias=alias))
        answered = self._value(spoken.sql(dialect=engine))
        if len(answered) != 1 or len(answered[0]) != 1:
            raise Unanswered(f"it gives {len(answered)} rows, and one value is needed")
        return answered[0][0]

    def write(self, expression: Any, path: str) -> int:
        """Write the rows of an expression to Parquet, batch by batch; see `Relation.write`."""
        import pyarrow.parquet as pq  # noqa: PLC0415 - heavy, and few runs write

        self.queries += 1
        spoken = portable(expression, self.backend.name)
        rows = 0
        with _told():
            batches = self.backend.to_pyarrow_batches(spoken, chunk_size=_BATCH)
            with pq.ParquetWriter(path, batches.schema, compression="zstd") as writer:
                for batch in batches:
                    writer.write_batch(batch)
                    rows += batch.num_rows
        return rows

    def close(self) -> None:
        """Close the connection."""
        with contextlib.suppress(Exception):
            self.backend.disconnect()

    def _named(self) -> Any:
        """The table under its own names, without those that stand there twice."""
        names = [one.name for one in self.shape.columns]
        once = [one for one in self.shape.columns if names.count(one.name) == 1]
        return under_names(self._table, {one.name: self._table[one.held] for one in once})

    def _arrow(self, expression: Any) -> pa.Table:
        with _told():
            found: pa.Table = self.backend.to_pyarrow(expression)
            return found

    def _value(self, text: str) -> list[tuple[Any, ...]]:
        with _told():
            cursor = self.backend.raw_sql(text)
            if self.backend.name == "pyspark":
                return [tuple(row) for row in cursor.collect()]
            found = [tuple(row) for row in cursor.fetchall()]
            if cursor is not self.backend.con:  # DuckDB answers by the connection itself
                cursor.close()
            return found


@contextlib.contextmanager
def _told() -> Any:
    """Every driver has errors of its own, and only their words are common to them."""
    try:
        yield
    except (Unanswered, BadInput):
        raise
    except Exception as error:
        raise Unanswered(said_by(error)) from error


def said_by(error: BaseException) -> str:
    """What a driver says, in one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300]


def open_connection(place: Connection, root: Path) -> Relation:
    """Connect, and open a table or a SELECT; paths of databases in files count from `root`.

    Raises:
        BadInput: `data-driver` (an extra is not installed), `data-unreachable`, `data-query` or `file-missing`.
    """
    name = _BACKENDS.get(place.scheme, place.scheme)
    where = Where(file=place.shown)
    statement = _select(place, name, where)
    backend = _connect(place, name, root, where)
    try:
        source = _selected(backend, statement) if statement is not None else _table(backend, place.table or "")
        known = enumerate(source.schema().items())
        columns = [found(column, f"c{number}", described(dtype)) for number, (column, dtype) in known]
        if name == "sqlite":
            columns, source = cells.columns(backend, source)
        _only_read(backend)
    except Exception as error:
        with contextlib.suppress(Exception):
            backend.disconnect()
        missing = isinstance(error, ibis.common.exceptions.TableNotFound)
        why = "there is no such table" if missing else place.without_secret(said_by(error))
        message = f"{place.shown} can't be read: {why}"
        raise BadInput.because("data-unreachable", message, where=where) from error
    return Connected(backend, source, columns, Shape(f"{name} {backend.version}", tuple(columns)))


def _select(place: Connection, name: str, where: Where) -> str | None:
    if (place.table is None) == (place.sql is None):
        message = f"{place.shown} is a database: name what is read there"
        remedy = "Give either --table T or --sql 'SELECT …' (in release-gate.yml `table:` or `sql:`)."
        raise BadInput.because("data-query", message, where=where, remedy=remedy)
    if place.sql is None:
        return None
    try:
        return reading(place.sql, name if name != "pyspark" else "spark")
    except Unsafe as refusal:
        raise BadInput.because("data-query", f"{place.shown}: {refusal}", where=where) from refusal


def _connect(place: Connection, name: str, root: Path, where: Where) -> Any:
    try:
        connect = getattr(ibis, name).connect
    except (ImportError, AttributeError) as error:
        package = f"release-gate[{name}]" if name in _EXTRAS else f"ibis-framework[{name}]"
        message = f"{place.shown} needs the driver of '{name}', which is not installed"
        remedy = f"Install it: pip install '{package}'"
        raise BadInput.because("data-driver", message, where=where, remedy=remedy) from error
    try:
        if name in _IN_FILES:
            return _in_file(connect, name, root / place.path, place.shown, where)
        return ibis.connect(place.url)
    except BadInput:
        raise
    except Exception as error:
        message = f"{place.shown} can't be reached: {place.without_secret(said_by(error))}"
        raise BadInput.because("data-unreachable", message, where=where) from error


def _in_file(connect: Any, name: str, path: Path, shown: str, where: Where) -> Any:
    """A database in a file, opened so that nothing can be written and no other file be read."""
    if not path.is_file():
        raise BadInput.because("file-missing", f"{shown} does not exist", where=where)
    if name == "sqlite":
        return connect(path)
    locked: Mapping[str, str] = {
        "autoinstall_known_extensions": "false", "autoload_known_extensions": "false",
        "enable_external_access": "false",
    }  # fmt: skip
    backend = connect(path, read_only=True, **locked)
    backend.raw_sql("SET TimeZone = 'UTC'")
    return backend


def _selected(backend: Any, statement: str) -> Any:
    """The rows of a SELECT. PostgreSQL says their types itself: Ibis would make a view, which reading may not."""
    if backend.name != "postgres":
        return backend.sql(statement)
    from ibis.backends.sql.datatypes import PostgresType  # noqa: PLC0415
    from ibis.expr.operations import SQLQueryResult  # noqa: PLC0415

    with backend.con.cursor() as cursor:
        cursor.execute(f"SELECT * FROM ({statement}) AS t LIMIT 0")  # noqa: S608 - one SELECT, as was checked
        kinds = [(column.type_code, cursor.pgresult.fmod(place)) for place, column in enumerate(cursor.description)]
        names = [column.name for column in cursor.description]
        cursor.execute(
            "SELECT " + ", ".join(["format_type(%s, %s)"] * len(kinds)), [part for kind in kinds for part in kind]
        )
        types = cursor.fetchone()
    backend.con.rollback()
    schema = ibis.schema({name: PostgresType.from_string(kind) for name, kind in zip(names, types, strict=True)})
    return SQLQueryResult(statement, schema, backend).to_expr()


def _only_read(backend: Any) -> None:
    """Where a session can be held to reading, it is; Ibis asks before for the types of a SELECT by a temporary view."""
    if backend.name == "sqlite":
        backend.raw_sql("PRAGMA query_only = ON").close()
    if backend.name == "postgres":
        with contextlib.closing(backend.raw_sql("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")):
            backend.con.commit()


def _table(backend: Any, name: str) -> Any:
    """A table by its name, with its schema and catalog before it where it has them (`sales.orders`)."""
    parts = [one[1:-1].replace('""', '"') if one.startswith('"') else one for one in re.findall(r'"[^"]*"|[^.]+', name)]
    *above, table = parts
    return backend.table(table, database=tuple(above) if len(above) > 1 else above[0] if above else None)
