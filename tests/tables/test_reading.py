from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from release_gate.findings import BadInput
from release_gate.tables.reading import read


def refusal(path: Path, shown: str = "data/t") -> tuple[str, str]:
    with pytest.raises(BadInput) as refused:
        read(path, shown)
    (found,) = refused.value.findings
    assert found.remedy
    assert found.where.file == shown
    return found.code, found.message


def test_only_the_columns_asked_for_are_read(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1], "b": [2]}), tmp_path / "t.parquet")
    found = read(tmp_path / "t.parquet", "t", ("b", "zz"))
    assert (found.table.schema.names, found.names) == (["b"], ("a", "b"))


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_rows_are_counted_where_no_column_is_known(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t{suffix}"
    if suffix == ".csv":
        path.write_text("a,b\n1,2\n3,4\n")
    else:
        pq.write_table(pa.table({"a": [1, 3], "b": [2, 4]}), path)
    found = read(path, "t", ("zz",))
    assert (found.table.num_rows, found.table.schema.names, found.names) == (2, [], ("a", "b"))


def test_a_csv_file_is_text_and_an_unquoted_nothing_is_null(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('\ufeffa,b,c\n007,,"x\ny"\nNA,"",2020-01-01\n', encoding="utf-8")
    found = read(tmp_path / "t.csv", "t")
    assert found.table.to_pydict() == {"a": ["007", "NA"], "b": [None, ""], "c": ["x\ny", "2020-01-01"]}
    assert not found.typed


def test_repeated_names_are_kept_among_the_names_only(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b,a\n1,2,3\n")
    found = read(tmp_path / "t.csv", "t")
    assert (found.names, found.table.schema.names) == (("a", "b", "a"), ["b"])
    table = pa.table([pa.array([1]), pa.array([2]), pa.array([3])], names=["a", "b", "a"])
    pq.write_table(table, tmp_path / "t.parquet")
    found = read(tmp_path / "t.parquet", "t", ("a", "b"))
    assert (found.names, found.table.schema.names) == (("a", "b", "a"), ["b"])


def test_an_empty_csv_file_has_no_rows(tmp_path: Path) -> None:
    for text in ("", "\n", "a,b\n"):
        (tmp_path / "t.csv").write_text(text)
        assert read(tmp_path / "t.csv", "t", ("a",)).table.num_rows == 0


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.parquet")[0] == "file-missing"
    assert refusal(tmp_path)[0] == "table-format"
    (tmp_path / "t.xlsx").write_bytes(b"PK")
    assert refusal(tmp_path / "t.xlsx") == (
        "table-format",
        "data/t has the suffix '.xlsx'; read are .parquet, .pq, .csv",
    )
    for content in (b"", b"PAR1", b"not a parquet file at all"):
        (tmp_path / "t.parquet").write_bytes(content)
        code, message = refusal(tmp_path / "t.parquet")
        assert code == "file-unreadable"
        assert str(tmp_path) not in message
    (tmp_path / "ragged.csv").write_text("a,b\n1,2\n1,2,3\n")
    assert refusal(tmp_path / "ragged.csv")[0] == "file-unreadable"
    (tmp_path / "latin.csv").write_bytes("a,b\n1,\xe9\n".encode("latin-1"))
    assert refusal(tmp_path / "latin.csv")[0] == "file-unreadable"


def test_a_truncated_parquet_file_is_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": list(range(10_000))}), path)
    whole = path.read_bytes()
    for length in (4, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert refusal(path)[0] == "file-unreadable"
    damaged = bytearray(whole)
    damaged[4:200] = bytes(196)
    path.write_bytes(bytes(damaged))
    assert refusal(path)[0] == "file-unreadable"
