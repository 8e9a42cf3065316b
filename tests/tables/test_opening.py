"""Files of every format as they lie on a disk: names, types, nulls, numbers of rows over several files, partitions."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from release_gate.findings import BadInput
from release_gate.tables.opening import open_files
from release_gate.tables.places import data_at
from release_gate.tables.relation import FILE, ROW, Relation, Unanswered


def put(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def parquet(path: Path, **columns: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)


def opened(root: Path, pattern: str) -> tuple[Relation, list[tuple[Any, ...]]]:
    """The table, and its rows in order, each with its file and its number last."""
    relation = open_files(root / pattern, pattern)
    try:
        table = relation.numbered if relation.numbered is not None else relation.table
        held = [one.held for one in relation.shape.columns]
        return relation, relation.rows(table.order_by(FILE, ROW).select(*held, FILE, ROW))
    finally:
        relation.close()


def columns(relation: Relation) -> list[tuple[str, str]]:
    return [(one.name, one.storage) for one in relation.shape.columns]


def refusal(root: Path, pattern: str) -> str:
    with pytest.raises(BadInput) as caught:
        opened(root, pattern)
    (found,) = caught.value.findings
    assert found.remedy
    assert str(root) not in found.message
    return f"{found.code}: {found.message}"


@pytest.mark.parametrize(
    ("text", "names", "rows"),
    [
        ("a,b\n1,x\n", ["a", "b"], [("1", "x")]),
        ("\ufeffa,b\n1,x\n", ["a", "b"], [("1", "x")]),
        ("a,b\r\n1,x\r\n", ["a", "b"], [("1", "x")]),
        ("a,b\r1,x\r", ["a", "b"], [("1", "x")]),
        ("a,b\n,x\n", ["a", "b"], [(None, "x")]),
        ('a,b\n"",x\n', ["a", "b"], [("", "x")]),
        ('a,b\n"one\ntwo","say ""hi"""\n', ["a", "b"], [("one\ntwo", 'say "hi"')]),
        ('"a\nb",c\n1,2\n', ["a\nb", "c"], [("1", "2")]),
        ("a, b\n1, 2\n", ["a", " b"], [("1", " 2")]),
        ("a,a,A,,é\n1,2,3,4,5\n", ["a", "a", "A", "", "é"], [("1", "2", "3", "4", "5")]),
        ('"say ""q""","x\'y"\n1,2\n', ['say "q"', "x'y"], [("1", "2")]),
        ("a,b\n007,1e5\n", ["a", "b"], [("007", "1e5")]),
        ("a,b\n1,x\n\n\n", ["a", "b"], [("1", "x")]),
        ("a\n1\n\n2\n", ["a"], [("1",), (None,), ("2",)]),
        ("a,b\n", ["a", "b"], []),
        ("a,b", ["a", "b"], []),
    ],
)
def test_a_csv_is_text_with_the_names_of_its_header(
    tmp_path: Path, text: str, names: list[str], rows: list[tuple[Any, ...]]
) -> None:
    put(tmp_path / "t.csv", text)
    put(tmp_path / "t.csv.gz", gzip.compress(text.encode()))
    for name in ("t.csv", "t.csv.gz"):
        relation, found = opened(tmp_path, name)
        assert columns(relation) == [(one, "text") for one in names]
        assert [row[:-2] for row in found] == rows
        assert [row[-1] for row in found] == list(range(1, len(rows) + 1))


def test_rows_of_several_files_count_from_one_in_each(tmp_path: Path) -> None:
    for place, rows in enumerate((2, 0, 3)):
        put(tmp_path / f"c/{place}.csv", "a\n" + "".join(f"{place}-{row}\n" for row in range(rows)))
        put(tmp_path / f"j/{place}.jsonl", "".join(f'{{"a":"{place}-{row}"}}\n' for row in range(rows)))
        parquet(tmp_path / f"p/{place}.parquet", a=pa.array([f"{place}-{row}" for row in range(rows)], pa.string()))
    expected = [("0-0", "0", 1), ("0-1", "0", 2), ("2-0", "2", 1), ("2-1", "2", 2), ("2-2", "2", 3)]
    for pattern in ("c/*.csv", "j/*.jsonl", "p/*.parquet"):
        relation, rows_found = opened(tmp_path, pattern)
        files = relation.shape.files
        assert [(row[0], files[row[1]].split(".")[0], row[2]) for row in rows_found] == expected, pattern


def test_numbers_hold_over_a_csv_larger_than_one_block(tmp_path: Path) -> None:
    for place in range(3):
        put(tmp_path / f"{place}.csv", "a,b\n" + "".join(f"{place},{row}\n" for row in range(1, 200_001)))
    relation = open_files(tmp_path / "*.csv", "*.csv", memory=500_000_000)
    numbered = relation.numbered
    assert numbered is not None
    wrong = (numbered.c1.cast("int64") != numbered[ROW]) | (numbered.c0.cast("int64") != numbered[FILE])
    assert relation.rows(numbered.aggregate(wrong=wrong.sum(), rows=numbered.count())) == [(0, 600_000)]
    relation.close()


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl"])
def test_folders_that_hold_columns_give_text_that_the_contract_reads(tmp_path: Path, suffix: str) -> None:
    for city, code, value in (("S%C3%A3o", "007", 1), ("__HIVE_DEFAULT_PARTITION__", "700", 2)):
        path = tmp_path / f"d/city={city}/code={code}/part.{suffix}"
        if suffix == "parquet":
            parquet(path, v=[value])
        else:
            put(path, f"v\n{value}\n" if suffix == "csv" else f'{{"v":{value}}}\n')
    relation, rows = opened(tmp_path, f"d/city=*/**/*.{suffix}")
    names = [one.name for one in relation.shape.columns]
    assert sorted(names) == ["city", "code", "v"]
    assert all(one.text for one in relation.shape.columns if one.name != "v")
    found = {tuple(str(row[names.index(name)]) for name in ("v", "city", "code")) for row in rows}
    assert found == {("1", "São", "007"), ("2", "None", "700")}
    assert set(relation.shape.files) == {
        f"city=S%C3%A3o/code=007/part.{suffix}", f"city=__HIVE_DEFAULT_PARTITION__/code=700/part.{suffix}"
    }  # fmt: skip


def test_a_column_in_files_and_folders_is_the_files_own(tmp_path: Path) -> None:
    parquet(tmp_path / "year=2024/x.parquet", v=[1, 2], year=[1, 2])
    relation, rows = opened(tmp_path, "year=2024/x.parquet")
    assert columns(relation) == [("v", "int64"), ("year", "int64")]
    assert [row[:2] for row in rows] == [(1, 1), (2, 2)]
    parquet(tmp_path / "both/year=2024/day=1/x.parquet", v=[1], year=[1])
    assert "'year' is in the files and in the names of their folders" in refusal(tmp_path, "both/**/*.parquet")


def test_files_in_folders_of_other_columns_are_refused(tmp_path: Path) -> None:
    parquet(tmp_path / "d/year=2024/x.parquet", v=[1])
    parquet(tmp_path / "d/jahr=2024/x.parquet", v=[1])
    assert "folders of different columns: year and jahr" in refusal(tmp_path, "d/**/*.parquet")


def test_a_folder_named_in_full_holds_its_column_too(tmp_path: Path) -> None:
    parquet(tmp_path / "d/year=2024/x.parquet", v=[1])
    for pattern in ("d/year=2024/*.parquet", "d/year=2024/x.parquet"):
        relation, _ = opened(tmp_path, pattern)
        assert columns(relation) == [("v", "int64"), ("year", "text")]


def test_a_folder_of_the_machine_is_no_partition(tmp_path: Path) -> None:
    parquet(tmp_path / "run=5/x.parquet", v=[1])
    relation, _ = opened(tmp_path / "run=5", "x.parquet")
    assert columns(relation) == [("v", "int64")]


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl"])
def test_rows_keep_their_file_where_a_filter_leaves_folders_out(tmp_path: Path, suffix: str) -> None:
    for year in range(4):
        path = tmp_path / f"d/year={year}/x.{suffix}"
        if suffix == "parquet":
            parquet(path, v=[year] * (year + 1))
        else:
            put(path, f"v\n{year}\n" if suffix == "csv" else f'{{"v":{year}}}\n')
    relation = open_files(tmp_path / f"d/**/*.{suffix}", f"d/**/*.{suffix}")
    table = relation.numbered
    assert table is not None
    (row,) = relation.rows(table.filter(table.c1 == "2").order_by(ROW).limit(1).select("c1", FILE, ROW))
    assert (row[0], relation.shape.files[row[1]], row[2]) == ("2", f"year=2/x.{suffix}", 1)
    assert relation.query("SELECT count(DISTINCT year) FROM {table}", None) == 4
    relation.close()


@pytest.mark.parametrize("above", ["run=5", "year=1"])
def test_a_folder_of_the_machine_above_a_pattern_is_no_partition(tmp_path: Path, above: str) -> None:
    parquet(tmp_path / above / "d/year=2024/x.parquet", v=[1])
    relation, rows = opened(tmp_path / above, "d/*/x.parquet")
    assert columns(relation) == [("v", "int64"), ("year", "text")]
    assert rows == [(1, "2024", 0, 1)]


def test_two_folders_of_one_column_are_refused(tmp_path: Path) -> None:
    parquet(tmp_path / "d/year=1/Year=2/x.parquet", v=[1])
    assert "two folders of one column: year and Year" in refusal(tmp_path, "d/**/*.parquet")


def test_names_that_differ_in_case_only_are_neither_asked_by_sql_nor_written(tmp_path: Path) -> None:
    parquet(tmp_path / "t.parquet", a=[1], A=[2])
    relation = open_files(tmp_path / "t.parquet", "t.parquet")
    with pytest.raises(Unanswered, match="SQL can't tell the columns 'a' and 'A' apart"):
        relation.query("SELECT count(*) FROM {table}", None)
    named = relation.table.select(a="c0", A="c1")
    with pytest.raises(Unanswered, match="the columns 'a' and 'A' differ in case only"):
        relation.write(named, str(tmp_path / "out.parquet"))
    relation.close()
    assert not (tmp_path / "out.parquet").exists()


def test_a_file_that_a_pattern_gains_meanwhile_is_not_read_and_is_seen(tmp_path: Path) -> None:
    parquet(tmp_path / "1.parquet", v=[1])
    place = data_at(tmp_path, "*.parquet", now=datetime(2026, 1, 1, tzinfo=UTC), environment={})
    before = place.state()
    assert place.state() == before
    parquet(tmp_path / "2.parquet", v=[2])
    relation = place.open()
    assert relation.shape.files == ("1.parquet",)
    relation.close()
    assert place.state() != before


@pytest.mark.parametrize(
    ("second", "cause"),
    [
        ({"w": [1]}, "2.parquet differs from 1.parquet: it lacks the column 'v'"),
        ({"v": ["x"]}, "its column 'v' holds VARCHAR, not BIGINT"),
        ({"v": pa.array([1], pa.int32())}, "its column 'v' holds INTEGER, not BIGINT"),
        ({"v": [1.5]}, "its column 'v' holds DOUBLE, not BIGINT"),
        ({"v": [[1]]}, "its column 'v' holds nested values, not BIGINT"),
        ({"v": [1], "w": [1]}, "it also has the column 'w'"),
    ],
)
def test_parquet_files_of_other_columns_are_refused(tmp_path: Path, second: dict[str, Any], cause: str) -> None:
    parquet(tmp_path / "1.parquet", v=[1])
    parquet(tmp_path / "2.parquet", **second)
    assert cause in refusal(tmp_path, "*.parquet")


def test_parquet_files_may_order_their_columns_as_they_like(tmp_path: Path) -> None:
    parquet(tmp_path / "1.parquet", v=[1], w=["a"])
    parquet(tmp_path / "2.parquet", w=["b"], v=[2])
    _, rows = opened(tmp_path, "*.parquet")
    assert [row[:2] for row in rows] == [(1, "a"), (2, "b")]


def test_csv_and_arrow_files_of_other_columns_are_refused(tmp_path: Path) -> None:
    put(tmp_path / "1.csv", "a,b\n1,2\n")
    put(tmp_path / "2.csv", "b,a\n1,2\n")
    assert "2.csv has other columns than 1.csv" in refusal(tmp_path, "*.csv")
    pyarrow.feather.write_feather(pa.table({"a": [1]}), str(tmp_path / "1.arrow"))
    pyarrow.feather.write_feather(pa.table({"a": [1], "b": [2]}), str(tmp_path / "2.arrow"))
    assert "2.arrow has other columns than 1.arrow" in refusal(tmp_path, "*.arrow")


def test_names_of_parquet_columns_may_be_anything(tmp_path: Path) -> None:
    table = pa.table([pa.array([value]) for value in range(8)], names=["a", "a", "A", "", '"q"', "é\n", "c0", ROW])
    pq.write_table(table, tmp_path / "t.parquet")
    relation, rows = opened(tmp_path, "t.parquet")
    assert [one.name for one in relation.shape.columns] == ["a", "a", "A", "", '"q"', "é\n", "c0", ROW]
    assert rows == [(0, 1, 2, 3, 4, 5, 6, 7, 0, 1)]


def test_exact_types_of_parquet_are_those_that_were_written(tmp_path: Path) -> None:
    written = {
        "int8": pa.array([1], pa.int8()),
        "uint64": pa.array([2**63], pa.uint64()),
        "halffloat": pa.array([1.0], pa.float16()),
        "timestamp[ms]": pa.array([1], pa.timestamp("ms")),
        "timestamp[ns]": pa.array([1], pa.timestamp("ns")),
        "timestamp[us, tz=UTC]": pa.array([1], pa.timestamp("us", "UTC")),
        "decimal128(9, 2)": pa.array([Decimal("1.50")], pa.decimal128(9, 2)),
        "decimal256(50, 2)": pa.array([Decimal("1.50")], pa.decimal256(50, 2)),
        "null": pa.nulls(1),
        "binary": pa.array([b"\xff"]),
        "list": pa.array([[1]]),
    }
    parquet(tmp_path / "t.parquet", **written)
    relation = open_files(tmp_path / "t.parquet", "t.parquet")
    relation.close()
    assert columns(relation) == [(one, one) for one in written]
    too_many_digits = relation.shape.columns[7]
    assert too_many_digits.kind is None  # read as another number by the engine, and so judged by no rule


def test_json_lines_keep_whole_numbers_and_leave_moments_to_the_contract(tmp_path: Path) -> None:
    put(tmp_path / "t.jsonl", '{"a":9007199254740993,"day":"2024-01-01","l":[1]}\n\n{"a":null}\n')
    put(tmp_path / "t.jsonl.gz", gzip.compress((tmp_path / "t.jsonl").read_bytes()))
    for name in ("t.jsonl", "t.jsonl.gz"):
        relation, rows = opened(tmp_path, name)
        assert columns(relation) == [("a", "int64"), ("day", "text"), ("l", "list")]
        assert rows == [(9007199254740993, "2024-01-01", [1], 0, 1), (None, None, None, 0, 2)]


def test_json_names_that_differ_in_case_are_refused_and_a_number_at_the_end_is_not(tmp_path: Path) -> None:
    put(tmp_path / "t.jsonl", '{"b":1}\n{"B":2}\n')
    assert "the names 'B' and 'b' differ in case only" in refusal(tmp_path, "t.jsonl")
    put(tmp_path / "n.jsonl", '{"b":1,"b_1":2}\n')
    relation, rows = opened(tmp_path, "n.jsonl")
    assert [one.name for one in relation.shape.columns] == ["b", "b_1"]
    assert rows == [(1, 2, 0, 1)]


def test_an_empty_file_among_json_lines_has_no_say(tmp_path: Path) -> None:
    put(tmp_path / "0.jsonl", "")
    put(tmp_path / "1.jsonl", '{"json":1}\n')
    relation, rows = opened(tmp_path, "*.jsonl")
    assert columns(relation) == [("json", "int64")]
    assert rows == [(1, 0, 1)]


def test_arrow_files_are_one_table_whose_rows_count_through(tmp_path: Path) -> None:
    for place in range(2):
        table = pa.table({"a": pa.array([place, None], pa.int8()), "d": pa.array(["x", "y"]).dictionary_encode()})
        pyarrow.feather.write_feather(table, str(tmp_path / f"{place}.feather"))
    relation, rows = opened(tmp_path, "*.feather")
    assert columns(relation) == [("a", "int8"), ("d", "string")]
    assert rows == [(0, "x", 0, 1), (None, "y", 0, 2), (1, "x", 0, 3), (None, "y", 0, 4)]
    assert relation.shape.files == ("*.feather",)


@pytest.mark.parametrize("name", ["we'ird é", "a*b", "a?b", "[x]", "[*]", "a\nb", "%41", 'q"q'])
def test_a_file_may_have_any_name(tmp_path: Path, name: str) -> None:
    parquet(tmp_path / f"{name}.parquet", a=[1])
    put(tmp_path / f"{name}.csv", "a\n1\n")
    put(tmp_path / f"{name}.jsonl", '{"a":1}\n')
    for other in ("a-b", "axb", "x", "*"):
        if other != name:
            parquet(tmp_path / f"{other}.parquet", b=[1, 2])
    for suffix in ("parquet", "csv", "jsonl"):
        relation = open_files(tmp_path / f"{name}.{suffix}", f"{name}.{suffix}")
        assert [one.name for one in relation.shape.columns] == ["a"]
        assert relation.query("SELECT count(*) FROM {table}", None) == 1
        relation.close()


def test_a_single_column_is_no_wrong_delimiter(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a\n1\n")
    relation = open_files(tmp_path / "t.csv", "t.csv")
    assert relation.shape.delimiter is None
    relation.close()


def test_a_blank_file_of_json_lines_shifts_no_value_of_a_folder(tmp_path: Path) -> None:
    for year, text in ((1, ""), (5, '{"v": 5}'), (7, "\n"), (9, '{"v": 9}')):
        (tmp_path / f"d/year={year}").mkdir(parents=True)
        (tmp_path / f"d/year={year}/p.jsonl").write_text(text)
    _, rows = opened(tmp_path, "d/*/*.jsonl")
    assert [row[:2] for row in rows] == [(5, "5"), (9, "9")]


@pytest.mark.parametrize(
    ("first", "second", "exact"),
    [
        (pa.timestamp("ms"), pa.timestamp("us"), "timestamp[us]"),
        (pa.timestamp("ms", "UTC"), pa.timestamp("us", "UTC"), "timestamp[us, tz=UTC]"),
        (pa.time32("ms"), pa.time64("us"), "time64[us]"),
        (pa.float16(), pa.float32(), "float"),
        (pa.timestamp("ms"), pa.timestamp("ms"), "timestamp[ms]"),
    ],
)
def test_of_several_exact_types_the_widest_is_the_columns(
    tmp_path: Path, first: pa.DataType, second: pa.DataType, exact: str
) -> None:
    for names in (("1.parquet", "2.parquet"), ("2.parquet", "1.parquet")):
        for name, kind in zip(names, (first, second), strict=True):
            parquet(tmp_path / name, v=pa.array([None], kind))
        relation = open_files(tmp_path / "*.parquet", "*.parquet")
        assert relation.shape.columns[0].storage == exact
        relation.close()
