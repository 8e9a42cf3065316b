from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.contracts.standards.queries import Unsafe, checked

NAMES = ("rides", "rides_v2")


@pytest.mark.parametrize(
    ("query", "spoken"),
    [
        ("SELECT COUNT(*) FROM ${object} WHERE ${property} > 1", "SELECT COUNT(*) FROM {table} WHERE {column} > 1"),
        (
            "select count(*) from {object} o where o.{property} = 1",
            "SELECT COUNT(*) FROM {table} AS o WHERE o.{column} = 1",
        ),
        ("select max(a) from ${table} where ${column} = 'x'", "SELECT MAX(a) FROM {table} WHERE {column} = 'x'"),
        ("select count(*) from Rides -- ours", 'SELECT COUNT(*) FROM {table} AS "Rides"'),
        ("select count(*) from public.rides_v2 r", "SELECT COUNT(*) FROM {table} AS r"),
        (
            "with a as (select * from {table}) select count(*) from a;",
            "WITH a AS (SELECT * FROM {table}) SELECT COUNT(*) FROM a",
        ),
        ("select sum(a) over (partition by b) from {table}", "SELECT SUM(a) OVER (PARTITION BY b) FROM {table}"),
    ],
)
def test_one_select_over_the_own_table_is_taken(query: str, spoken: str) -> None:
    assert checked(query, NAMES, "distance") == spoken


def test_what_is_taken_runs_and_counts_what_was_asked() -> None:
    connection = duckdb.connect()
    connection.execute("create table t as select unnest([1, 2, null, 4]) as distance")
    for query in ("select count(*) from rides where rides.distance > 1", "select count({property}) - 1 from {object}"):
        spoken = checked(query, NAMES, "distance").replace("{table}", "t").replace("{column}", "distance")
        assert connection.execute(spoken).fetchall() == [(2,)]


@pytest.mark.parametrize(
    ("query", "cause"),
    [
        ("drop table {table}", "DROP"),
        ("insert into {table} values (1)", "INSERT"),
        ("update {table} set a = 1", "UPDATE"),
        ("create table x as select * from {table}", "CREATE"),
        ("copy {table} to 'x'", "COPY"),
        ("attach 'x'", "ATTACH"),
        ("pragma database_list", "PRAGMA"),
        ("install httpfs", "INSTALL"),
        ("set threads = 1", "SET"),
        ("call x()", "no SELECT"),
        ("select 1; select 2", "one statement"),
        ("", "one statement"),
        ("select (", "can't be read"),
        ("with x as (delete from {table}) select 1", "DELETE"),
        ("select a into b from {table}", "INTO"),
        ("select 1 from {table} for update", "LOCK"),
        ("select * from people", "'people'"),
        ("select * from {table} join people using (id)", "'people'"),
        ("select (select max(x) from people) from {table}", "'people'"),
        ("with people as (select * from people) select count(*) from people", "'people'"),
        ("select * from people, (with people as (select 1) select * from people) x", "'people'"),
        ("select * from '/etc/passwd'", "/etc/passwd"),
        ('with "a.csv" as (select * from "a.csv") select count(*) from "a.csv"', "a.csv"),
        ("select * from read_csv('/etc/passwd')", "READ_CSV"),
        ("select * from read_parquet('x')", "READ_PARQUET"),
        ("select * from read_text('x')", "read_text"),
        ("select * from glob('*')", "glob"),
        ("select * from query_table('x')", "query_table"),
        ("select query('drop table x')", "query"),
        ("select getenv('HOME')", "getenv"),
        ("select current_setting('x')", "current_setting"),
        ("select nextval('x')", "nextval"),
        ("select pg_read_file('x')", "pg_read_file"),
        ("select * from information_schema.tables", "information_schema"),
        ("select $1", "parameter"),
        ("select " + "(" * 5000 + "1" + ")" * 5000, "can't be read"),
    ],
)
def test_what_does_more_than_read_the_own_table_is_refused(query: str, cause: str) -> None:
    with pytest.raises(Unsafe) as refusal:
        checked(query, NAMES, "distance")
    assert cause in str(refusal.value)


def test_a_property_is_spoken_of_only_at_a_column() -> None:
    with pytest.raises(Unsafe, match="stands at the table"):
        checked("select count(*) from {object} where {property} > 1", NAMES, None)


WORDS = [
    "select",
    "*",
    "from",
    "{table}",
    "people",
    "(",
    ")",
    "with",
    "as",
    "x",
    ",",
    "'f.csv'",
    "join",
    "on",
    "1",
    "=",
    "read_csv",
    "union",
    "delete",
    "into",
    "count",
]


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join))
def test_no_query_that_is_taken_names_another_table_or_file(query: str) -> None:
    try:
        spoken = checked(query, NAMES, "distance")
    except Unsafe:
        return
    connection = duckdb.connect(config={"enable_external_access": "false"})
    connection.execute("create table t as select 1 as x, 2 as people")
    try:
        connection.execute(spoken.replace("{table}", "t").replace("{column}", "x"))
    except duckdb.PermissionException as error:  # it would have read a file
        raise AssertionError(spoken) from error
    except duckdb.CatalogException as error:
        if "Table with name" in str(error):
            raise AssertionError(spoken) from error
    except duckdb.Error:
        return


@pytest.mark.parametrize("query", ["select 1", "with a as (select 1) select * from a"])
def test_what_reads_no_table_is_refused(query: str) -> None:
    with pytest.raises(Unsafe, match="reads no table"):
        checked(query, NAMES, None)
