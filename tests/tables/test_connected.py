"""One verdict on every engine: the same rows in files, DuckDB, SQLite, PostgreSQL and Spark."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from release_gate.contracts.contract import Column, Contract, Kind, Rule, RuleKind
from release_gate.contracts.counts import Counts
from release_gate.contracts.reading import read as read_contract
from release_gate.data_places import Connection
from release_gate.documents import parse
from release_gate.findings import BadInput
from release_gate.tables.connected import open_connection
from release_gate.tables.opening import open_files
from release_gate.tables.relation import Relation, Unanswered
from release_gate.tables.scan import scanned
from tests.contracts.test_pattern_dialects import PATTERNS, WORDS, by_re2
from tests.contracts.written import column, odcs, valid
from tests.tables.engines import no_java, postgres, postgres_programs

pytestmark = pytest.mark.filterwarnings("ignore")  # Ibis asks DuckDB and pandas in ways that they call old
KEEP = {"onNull": "keep"}
CONTRACT = read_contract(
    parse(
        odcs(
            column("a", "integer", primaryKey=True, logicalTypeOptions={"minimum": 0, "multipleOf": 2}),
            column("b", "string", unique=True, policy=KEEP, logicalTypeOptions={"minLength": 2, "pattern": "^[a-z]+$"},
                   quality=valid("ab", "cd", "x\n")),
            column("f", "number", policy=KEEP, logicalTypeOptions={"minimum": 0, "multipleOf": 0.5}),
            column("d", "date", policy=KEEP, logicalTypeOptions={"minimum": "2024-01-01"}),
            column("t", "timestamp", policy=KEEP, logicalTypeOptions={"minimum": "2024-01-01T00:00:00"}),
            quality=[
                {"type": "sql", "query": "SELECT count(*) FROM {table} WHERE a IS NOT NULL AND b IS NULL", "mustBe": 0},
                {"type": "library", "metric": "duplicateValues", "arguments": {"properties": ["a", "b"]}, "mustBe": 0},
            ],
        ),
        "c.yml",
    )
).contract  # fmt: skip
Row = tuple[int, str | None, float | None, dt.date | None, dt.datetime | None]
ROWS: list[Row] = [
    (1, "ab", 1.5, dt.date(2024, 1, 1), dt.datetime(2024, 1, 1)),  # noqa: DTZ001 - no zone meant
    (2, "ab", -1.25, dt.date(2023, 1, 1), dt.datetime(2023, 1, 1)),  # noqa: DTZ001
    (2, "x\n", float("inf"), None, None),
    (4, None, None, dt.date(2024, 5, 1), dt.datetime(2024, 5, 1, 12, 0, 0, 5)),  # noqa: DTZ001
    (5, "", 0.0, None, None),
    (5, "", -0.5, dt.date(1969, 2, 28), dt.datetime(1969, 2, 28)),  # noqa: DTZ001
    (9007199254740993, "éé", 1e300, dt.date(9999, 12, 31), None),
]
KINDS: dict[str, pa.DataType] = {
    "a": pa.int64(), "b": pa.string(), "f": pa.float64(), "d": pa.date32(), "t": pa.timestamp("us"),
}  # fmt: skip
SCHEMA = pa.schema(KINDS)


def table(rows: list[Row]) -> pa.Table:
    return pa.table({name: [row[place] for row in rows] for place, name in enumerate(SCHEMA.names)}, schema=SCHEMA)


def told(counts: Counts) -> tuple[Any, ...]:
    columns = [
        (
            one.name,
            one.fit,
            one.nulls,
            one.invalid,
            one.unjudgeable,
            [(str(part.rule), part.rows) for part in one.broken],
        )
        for one in counts.columns
    ]
    return (
        counts.rows,
        columns,
        [(key.columns, key.rows) for key in counts.keys],
        [one.value for one in counts.measures],
    )


def verdict(relation: Relation) -> tuple[Any, ...]:
    try:
        return told(scanned(relation, CONTRACT, "t").counts)
    finally:
        relation.close()


def expected(tmp_path: Path, rows: list[Row]) -> tuple[Any, ...]:
    pq.write_table(table(rows), tmp_path / "t.parquet")
    return verdict(open_files(tmp_path / "t.parquet", "t.parquet"))


def in_sqlite(path: Path, rows: list[Row]) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t(a bigint, b text, f double, d date, t timestamp)")
    written = [(a, b, f, d and d.isoformat(), t and t.isoformat(" ")) for a, b, f, d, t in rows]
    connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?)", written)
    connection.execute("CREATE TABLE words(s text)")
    connection.executemany("INSERT INTO words VALUES (?)", [(word,) for word in WORDS])
    connection.commit()
    connection.close()


def in_duckdb(path: Path, rows: list[Row]) -> None:
    given = table(rows)
    words = pa.table({"s": WORDS})
    with duckdb.connect(str(path)) as connection:
        connection.register("given", given)
        connection.register("given_words", words)
        connection.execute("CREATE TABLE t AS FROM given; CREATE SCHEMA s; CREATE TABLE s.t AS FROM given")
        connection.execute("CREATE TABLE words AS FROM given_words")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    if postgres_programs() is None:
        pytest.skip("there is no PostgreSQL server on this machine (Debian: apt-get install postgresql)")
    with postgres() as url:
        yield url


def in_postgres(url: str, rows: list[Row]) -> None:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS t; DROP TABLE IF EXISTS words")
        connection.execute("CREATE TABLE t(a bigint, b text, f double precision, d date, t timestamp)")
        connection.execute("CREATE TABLE words(s text)")
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO t VALUES (%s, %s, %s, %s, %s)", rows)
            cursor.executemany("INSERT INTO words VALUES (%s)", [(word,) for word in WORDS])


def same_patterns(relation: Relation) -> None:
    """Every pattern finds in every word what RE2 finds."""
    held = relation.table.c0
    asked = relation.table.select(word=held, **{f"p{place}": held.re_search(one) for place, one in enumerate(PATTERNS)})
    found = {row[0]: row[1:] for row in relation.rows(asked)}
    relation.close()
    for place, pattern in enumerate(PATTERNS):
        assert {word: bool(found[word][place]) for word in WORDS} == dict(
            zip(WORDS, by_re2(pattern, WORDS), strict=True)
        ), pattern


@pytest.mark.parametrize("rows", [ROWS, ROWS[:1], []], ids=["bad", "good", "none"])
def test_databases_in_files_give_the_verdict_of_files(tmp_path: Path, rows: list[Row]) -> None:
    in_sqlite(tmp_path / "t.db", rows)
    in_duckdb(tmp_path / "t.duckdb", rows)
    known = expected(tmp_path, rows)
    for url, name in (("sqlite://t.db", "t"), ("duckdb://t.duckdb", "t"), ("duckdb://t.duckdb", "s.t")):
        assert verdict(open_connection(Connection(url, name), tmp_path)) == known, url
        selected = Connection(url, sql=f"SELECT * FROM {name}")
        assert verdict(open_connection(selected, tmp_path)) == known, url


@pytest.mark.parametrize("rows", [ROWS, ROWS[:1], []], ids=["bad", "good", "none"])
def test_postgres_gives_the_verdict_of_files(tmp_path: Path, postgres_url: str, rows: list[Row]) -> None:
    in_postgres(postgres_url, rows)
    known = expected(tmp_path, rows)
    for how in ({"table": "t"}, {"table": "public.t"}, {"sql": "SELECT * FROM t"}):
        assert verdict(open_connection(Connection(postgres_url, **how), tmp_path)) == known, how


def test_patterns_mean_the_same_everywhere(tmp_path: Path, postgres_url: str) -> None:
    in_sqlite(tmp_path / "t.db", [])
    in_duckdb(tmp_path / "t.duckdb", [])
    in_postgres(postgres_url, [])
    # PostgreSQL has no flags for a part of a pattern.
    for url in ("sqlite://t.db", "duckdb://t.duckdb"):
        same_patterns(open_connection(Connection(url, "words"), tmp_path))
    relation = open_connection(Connection(postgres_url, "words"), tmp_path)
    held = relation.table.c0
    for pattern in PATTERNS:
        if "(?i:" in pattern:
            with pytest.raises(Unanswered, match="no words"):
                relation.rows(relation.table.select(found=held.re_search(pattern)))
            continue
        found = dict(relation.rows(relation.table.select(word=held, found=held.re_search(pattern))))
        assert [found[word] for word in WORDS] == by_re2(pattern, WORDS), pattern
    relation.close()


@pytest.mark.skipif(no_java(), reason="Spark needs Java 17 or newer, and there is none on this machine")
def test_spark_gives_the_verdict_of_duckdb(tmp_path: Path) -> None:
    from release_gate.tables.cluster import open_by_spark

    pq.write_table(table(ROWS), tmp_path / "bad.parquet")
    pq.write_table(table([]), tmp_path / "none.parquet")
    pyarrow.csv.write_csv(table(ROWS[:6]), tmp_path / "bad.csv")
    (tmp_path / "odd.csv").write_text(
        'a,b,f,d,t\n2,"",,,\n,"x\ny",1e3,2024-01-01,\n4,"say ""hi""",nan,bad,2024-13-01\n'
    )
    for day in ("2024-01-01", "2023-01-01"):
        (tmp_path / f"days/d={day}").mkdir(parents=True)
        pq.write_table(table(ROWS[:3]).drop(["d"]), tmp_path / f"days/d={day}/part.parquet")
    for name in ("bad.parquet", "none.parquet", "bad.csv", "odd.csv", "days/**/*.parquet"):
        path = tmp_path / name
        assert verdict(open_by_spark(path, name)) == verdict(open_files(path, name)), name
    pq.write_table(pa.table({"s": WORDS}), tmp_path / "words.parquet")
    same_patterns(open_by_spark(tmp_path / "words.parquet", "words.parquet"))


CELLS = read_contract(
    parse(
        odcs(
            column("i", "integer", policy=KEEP),
            column("f", "number", policy=KEEP),
            column("b", "boolean", policy=KEEP),
            column("s", "string", policy=KEEP),
            column("d", "date", policy=KEEP, logicalTypeOptions={"minimum": "2024-01-01"}),
            column("t", "timestamp", policy=KEEP,
                   logicalTypeOptions={"minimum": "2024-01-01T00:00:00", "maximum": "2024-01-01T00:00:00"}),
        ),
        "c.yml",
    )
).contract  # fmt: skip


def cells(path: Path, *rows: tuple[Any, ...]) -> dict[str, tuple[str, str | None, int]]:
    """Of every column how its type fits, what it holds, and how many of its rows are invalid."""
    with sqlite3.connect(path / "t.db") as connection:
        connection.execute("CREATE TABLE t(i INTEGER, f REAL, b BOOLEAN, s TEXT, d DATE, t TIMESTAMP)")
        connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)", rows)
    connection.close()
    relation = open_connection(Connection("sqlite://t.db", "t"), path)
    counts = scanned(relation, CELLS, "t").counts
    relation.close()
    return {one.name: (one.fit.value, one.found, one.invalid) for one in counts.columns}


def test_cells_of_sqlite_are_what_they_are_and_not_what_their_column_says(tmp_path: Path) -> None:
    other = {"i": "abc", "f": "many", "b": 7, "s": b"x", "d": "zzz", "t": "2024"}
    good = (1, 1, True, "x", "2024-01-01", "2024-01-01 00:00:00")
    held = {"i": "int64", "f": "double", "b": "bool", "s": "string"}
    for place, name in enumerate(other):
        root = tmp_path / name
        root.mkdir()
        found = cells(root, good, tuple(None for _ in good), (*good[:place], other[name], *good[place + 1 :]))
        wrong = {one: f"{storage}{' and cells of another type' * (one == name)}" for one, storage in held.items()}
        assert {one: found[one][1] for one in held} == wrong
        assert [one for one, (fit, _, _) in found.items() if fit == "wrong"] == [name] * (name in held)
        assert [one for one, (_, _, invalid) in found.items() if invalid] == [name] * (name not in held)


@pytest.mark.parametrize(
    "moment", ["2024-01-01T00:00:00", "2024-01-01 00:00:00.000000", "2024-01-01T01:00:00+01:00", "2024-01-01 00:00:00Z"]
)
def test_a_moment_in_sqlite_is_the_same_however_it_is_written(tmp_path: Path, moment: str) -> None:
    found = cells(tmp_path, (1, 1.5, True, "x", "2024-01-01", moment), (1, 1, 1, "", "2023-12-31", "2024-01-01 00:00"))
    assert {name: invalid for name, (_, _, invalid) in found.items()} == {**dict.fromkeys("ifbst", 0), "d": 1}


def test_what_is_written_from_a_database_is_its_rows(tmp_path: Path) -> None:
    in_duckdb(tmp_path / "t.duckdb", ROWS)
    relation = open_connection(Connection("duckdb://t.duckdb", "t"), tmp_path)
    assert relation.write(relation.table, str(tmp_path / "out.parquet")) == len(ROWS)
    relation.close()
    assert pq.read_table(tmp_path / "out.parquet").rename_columns(SCHEMA.names).equals(table(ROWS))


def test_nothing_can_be_written_into_a_database(tmp_path: Path, postgres_url: str) -> None:
    in_sqlite(tmp_path / "t.db", ROWS)
    in_duckdb(tmp_path / "t.duckdb", ROWS)
    in_postgres(postgres_url, ROWS)
    for url in ("sqlite://t.db", "duckdb://t.duckdb", postgres_url):
        relation = open_connection(Connection(url, "t"), tmp_path)
        with pytest.raises(Exception, match=r"read-only|readonly"):
            relation.backend.raw_sql("CREATE TABLE other(a integer)")  # type: ignore[attr-defined]
        relation.close()


@pytest.mark.parametrize(
    ("url", "how", "code", "message"),
    [
        ("duckdb://t.duckdb", {}, "data-query", "name what is read there"),
        ("duckdb://t.duckdb", {"table": "t", "sql": "SELECT 1"}, "data-query", "name what is read there"),
        ("duckdb://t.duckdb", {"sql": "DROP TABLE t"}, "data-query", "one SELECT"),
        ("duckdb://t.duckdb", {"sql": "SELECT 1; SELECT 2"}, "data-query", "one SELECT"),
        ("duckdb://t.duckdb", {"sql": "SELECT * FROM read_csv('/etc/passwd')"}, "data-query", "READ_CSV"),
        ("duckdb://t.duckdb", {"sql": "SELECT * FROM '/etc/passwd'"}, "data-unreachable", "can't be read"),
        ("duckdb://t.duckdb", {"sql": "SELEC"}, "data-query", "SELECT"),
        ("postgres://127.0.0.1:1/d", {"sql": "SELECT pg_read_file('/etc/passwd')"}, "data-query", "not known to only"),
        ("duckdb://t.duckdb", {"table": "other"}, "data-unreachable", "there is no such table"),
        ("duckdb://other.duckdb", {"table": "t"}, "file-missing", "does not exist"),
        ("sqlite://other.db", {"table": "t"}, "file-missing", "does not exist"),
        ("postgres://me:secret@127.0.0.1:1/d", {"table": "t"}, "data-unreachable", "refused"),
        ("mysql://me:secret@127.0.0.1:1/d", {"table": "t"}, "data-driver", "not installed"),
        ("nothing://me:secret@127.0.0.1:1/d", {"table": "t"}, "data-driver", "not installed"),
    ],
)
def test_what_can_not_be_asked_is_told_without_secrets(
    tmp_path: Path, url: str, how: dict[str, str], code: str, message: str
) -> None:
    in_duckdb(tmp_path / "t.duckdb", [])
    with pytest.raises(BadInput) as caught:
        open_connection(Connection(url, **how), tmp_path)
    (found,) = caught.value.findings
    assert found.code == code
    assert message in found.message
    assert "secret" not in found.message
    assert str(tmp_path) not in found.message
    assert found.remedy


def test_numbers_without_an_end_are_judged(tmp_path: Path, postgres_url: str) -> None:
    import psycopg

    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS endless; CREATE TABLE endless(n numeric)")
        values = "(0.1), (0.3), (0.35), (10), (12345678901234567890.5), (NULL)"
        connection.execute(f"INSERT INTO endless VALUES {values}")
    rules = (
        Rule(RuleKind.AT_LEAST, 0.3), Rule(RuleKind.AT_MOST, 10), Rule(RuleKind.ABOVE, 0.1),
        Rule(RuleKind.BELOW, 10**15), Rule(RuleKind.ONE_OF, (0.1, 10, "x")), Rule(RuleKind.NONE_OF, (0.35,)),
        Rule(RuleKind.MULTIPLE_OF, 0.5),
    )  # fmt: skip
    contract = Contract("made", "1.0.0", (Column("n", Kind.NUMBER, rules),))
    relation = open_connection(Connection(postgres_url, "endless"), tmp_path)
    found = scanned(relation, contract, "endless")
    found.close()
    (column,) = found.counts.columns
    assert column.unjudgeable == ()
    assert {one.rule: one.rows for one in column.broken} == dict(zip(rules, (1, 1, 1, 1, 3, 1, 3), strict=True))
