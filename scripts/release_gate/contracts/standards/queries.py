"""Holds an SQL rule of a contract to one SELECT over its own table: it may read the data and nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot.expressions import Expr

_TABLE, _COLUMN = "release_gate_table", "release_gate_column"
_PLACEHOLDERS = re.compile(r"\$?\{\s*(object|table|property|column)\s*\}")
_SPOKEN = {"object": "table", "table": "table", "property": "column", "column": "column"}
_READING = frozenset(
    {
        "age", "array_length", "avg", "bit_count", "bool_and", "bool_or", "count_if", "date_diff", "date_part",
        "date_trunc", "datediff", "epoch", "even", "favg", "fsum", "geomean", "hash", "isfinite", "isinf", "isnan",
        "isodow", "json_extract", "json_extract_string", "json_valid", "julian", "kurtosis", "len", "list_contains",
        "list_distinct", "list_unique", "mad", "now", "printf", "product", "quantile_cont", "quantile_disc",
        "regexp_full_match", "regexp_matches", "sem", "skewness", "strlen", "struct_extract", "today", "trunc",
        "try_cast", "weekofyear", "yearweek",
    }
)  # fmt: skip
"""Functions the parser has no type for, and that only compute."""
_CLOSED = frozenset(
    {
        "currentcatalog", "currentdatabase", "currentrole", "currentschema", "currentschemas", "currentuser",
        "explodinggenerateseries", "generateseries", "loadfile", "nextvaluefor", "readcsv", "readparquet",
        "sessionuser", "version",
    }
)  # fmt: skip
"""Functions the parser has a type for, and that read more than values."""


class Unsafe(ValueError):
    """A query does more than read its own table; the message says what."""


def checked(query: str, table: tuple[str, ...], column: str | None) -> str:
    """The query with `{table}` and `{column}` as its only placeholders.

    `table` holds the names under which the query may speak of its own data, beside the placeholder.

    Raises:
        Unsafe: it is not one SELECT, reads another table or a file, or calls what is not known to only compute.
    """
    import sqlglot  # noqa: PLC0415 - 0.3 s, and few contracts hold SQL
    from sqlglot import exp  # noqa: PLC0415

    if column is None and re.search(r"\$?\{\s*(property|column)\s*\}", query):
        raise Unsafe("it speaks of a property, and stands at the table")
    text = _PLACEHOLDERS.sub(lambda found: _TABLE if _SPOKEN[found[1]] == "table" else _COLUMN, query)
    try:
        statements = [one for one in sqlglot.parse(text, dialect="duckdb") if one is not None]
    except (sqlglot.errors.SqlglotError, RecursionError) as error:
        raise Unsafe(f"it can't be read as SQL: {str(error).splitlines()[0]}"[:300]) from error
    if len(statements) != 1:
        raise Unsafe(f"it must be one statement, and holds {len(statements)}")
    (statement,) = statements
    if not isinstance(statement, exp.Query):
        raise Unsafe(f"it is no SELECT but {statement.key.upper()}")
    _only_reads(statement)
    _own_tables(statement, table)
    spoken = statement.sql(dialect="duckdb", comments=False)
    return spoken.replace(_TABLE, "{table}").replace(_COLUMN, "{column}")


def reading(query: str, dialect: str) -> str:
    """A SELECT that a user gives as the table itself: of any tables, but it does nothing but read.

    Raises:
        Unsafe: it is not one SELECT, or calls what is not known to only compute.
    """
    import sqlglot  # noqa: PLC0415
    from sqlglot import exp  # noqa: PLC0415

    try:
        statements = [one for one in sqlglot.parse(query, dialect=dialect) if one is not None]
    except (sqlglot.errors.SqlglotError, RecursionError, ValueError) as error:
        raise Unsafe(f"it can't be read as SQL: {str(error).splitlines()[0]}"[:300]) from error
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise Unsafe("--sql must be one SELECT")
    _only_reads(statements[0])
    for table in statements[0].find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier):
            raise Unsafe(f"it reads {table.sql(dialect=dialect)}, which is no table")
    return statements[0].sql(dialect=dialect, comments=False)


def _only_reads(statement: Expr) -> None:
    from sqlglot import exp  # noqa: PLC0415

    for node in statement.walk():
        if isinstance(node, exp.DML | exp.DDL | exp.Command | exp.Into | exp.Lock) and not isinstance(node, exp.Query):
            raise Unsafe(f"it holds {node.key.upper()}: a contract may only read")
        if isinstance(node, exp.Parameter | exp.Placeholder | exp.SessionParameter):
            raise Unsafe(f"it holds the parameter {node.sql(dialect='duckdb')}, which nothing fills")
        if isinstance(node, exp.Anonymous) and node.name.lower() not in _READING:
            raise Unsafe(f"the function {node.name} is not known to only compute")
        if isinstance(node, exp.Func) and type(node).__name__.lower() in _CLOSED:
            raise Unsafe(f"the function {node.sql_name()} reads more than the table")


def _own_tables(statement: Expr, allowed: tuple[str, ...]) -> None:
    """Refuse every table but our own, and let our own be said by the placeholder."""
    from sqlglot import exp  # noqa: PLC0415

    common = _common(statement)
    own = {name.lower() for name in allowed}
    reads = False
    for node in statement.find_all(exp.Table):
        if not isinstance(node.this, exp.Identifier):
            raise Unsafe(f"it reads {node.sql(dialect='duckdb')}, which is not the table")
        name, qualified = node.name.lower(), bool(node.args.get("db") or node.args.get("catalog"))
        if id(node) in common and not qualified:
            continue
        reads = True
        if name == _TABLE and not qualified:
            continue
        if name not in own:
            raise Unsafe(f"it reads '{node.sql(dialect='duckdb')}', and only the contract's own table is at hand")
        if not node.alias and name != _TABLE:
            node.set("alias", exp.TableAlias(this=exp.to_identifier(node.name, quoted=True)))
        node.set("this", exp.to_identifier(_TABLE))
        node.set("db", None)
        node.set("catalog", None)
    if not reads:
        raise Unsafe("it reads no table, and so says nothing of the data; name it by {object}")


def _common(statement: Expr) -> set[int]:
    """The places where a name means a query of the same text (WITH): elsewhere the name may be a real table's."""
    from sqlglot.optimizer.scope import traverse_scope  # noqa: PLC0415

    found: set[int] = set()
    for scope in traverse_scope(statement):
        found |= {id(node) for node in scope.tables if node.name in scope.cte_sources}
    return found
