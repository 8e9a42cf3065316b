"""A corpus of broken files: each is an error with a code, the file's own name, a cause and a remedy."""

from __future__ import annotations

import gzip
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from release_gate.contracts.reading import read as read_contract
from release_gate.documents import parse
from release_gate.findings import BadInput
from release_gate.tables.scan import scan
from tests.contracts.written import column, odcs

CONTRACT = read_contract(
    parse(
        odcs(
            column("a", "integer", primaryKey=True, logicalTypeOptions={"minimum": 0}),
            column("b", "string", logicalTypeOptions={"minLength": 1}),
        ),
        "c.yml",
    )
).contract
ROWS = 3000
TABLE = pa.table({"a": range(ROWS), "b": [f"x{row}" for row in range(ROWS)]})


def whole(tmp_path: Path) -> bytes:
    pq.write_table(TABLE, tmp_path / "whole")
    return (tmp_path / "whole").read_bytes()


def told(root: Path, name: str, **options: Any) -> str:
    """The code and message with which a file is refused."""
    with pytest.raises(BadInput) as caught:
        scan(root / name, CONTRACT, shown=name, **options)
    (found,) = caught.value.findings
    assert found.remedy
    assert found.where.file == name
    assert str(root) not in found.message + found.remedy
    assert "\n" not in found.message
    return f"{found.code}: {found.message}"


def refused_or_counted(root: Path, name: str, **options: Any) -> int | str:
    try:
        scanned = scan(root / name, CONTRACT, shown=name, **options)
    except BadInput:
        return told(root, name, **options)
    scanned.close()
    return scanned.counts.rows


def test_a_parquet_file_cut_at_any_place_is_refused(tmp_path: Path) -> None:
    good = whole(tmp_path)
    places = {*range(12), *range(0, len(good), len(good) // 40), *range(len(good) - 60, len(good))}
    for place in sorted(places):
        (tmp_path / "t.parquet").write_bytes(good[:place])
        assert told(tmp_path, "t.parquet").startswith("file-unreadable: t.parquet can't be read as Parquet: "), place


@pytest.mark.parametrize("exact", [False, True])
def test_a_corrupt_page_is_found_also_where_footers_prove(tmp_path: Path, exact: bool) -> None:
    good = bytearray(whole(tmp_path))
    for place in range(500, 900):
        good[place] ^= 0xFF
    (tmp_path / "t.parquet").write_bytes(good)
    assert told(tmp_path, "t.parquet", exact=exact).startswith("file-unreadable")


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.binary(min_size=1, max_size=40), st.booleans())
def test_flipped_bytes_are_refused_or_counted_and_never_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, place: int, noise: bytes, exact: bool
) -> None:
    root = tmp_path_factory.mktemp("flipped")
    good = bytearray(whole(root))
    start = place % len(good)
    good[start : start + len(noise)] = noise
    (root / "t.parquet").write_bytes(good)
    refused_or_counted(root, "t.parquet", exact=exact)


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"a,b\n1,x\n2\n", "line 3 has 1 value, and the header 2"),
        (b"a,b\n1,x\n2,y,z\n", "line 3 has 3 values, and the header 2"),
        (b'a,b\n1,"x\n2,y\n', "line 2 has a quote that is not closed"),
        (b'a,b\n1,"x"y\n', "line 2 has a quote that is not closed, or text after a closing one"),
        ("a,b\n1,é\n".encode("latin-1"), "line 2 is not text in UTF-8"),
        ("é,b\n1,x\n".encode("latin-1"), "its header is not text in UTF-8"),
        ("a,b\n1,x\n".encode("utf-16"), "it holds a NUL byte: a binary file, or text in UTF-16"),
        ("a,b\n1,x\n".encode("utf-16-le"), "it holds a NUL byte"),
        (b"a,b\n1,\x00\n", "it holds a NUL byte"),
        (b"\n\na,b\n1,x\n", "its first line is empty"),
        (b"a,b\n1," + b"x" * 3_000_000 + b"\n", "line 2 is longer than 2,000,000 bytes"),
        (",".join(f"c{place}" for place in range(1_000_000)).encode() + b"\n", "columns or more; at most 10,000"),
        (b"PAR1" + bytes(2000), "it holds a NUL byte"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_broken_csv_says_which_line_and_why(tmp_path: Path, content: bytes, cause: str) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    assert cause in told(tmp_path, "t.csv")
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(content))
    assert cause in told(tmp_path, "t.csv.gz")


def test_of_several_files_the_broken_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_bytes(b"a,b\n1,x\n")
    (tmp_path / "2.csv").write_bytes(b"a,b\n2\n")
    assert "2.csv: line 2 has 1 value" in told(tmp_path, "*.csv")


def test_what_is_wrong_with_a_line_never_shows_its_values(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"a,b\n1,secret,more\n")
    assert "secret" not in told(tmp_path, "t.csv")


@pytest.mark.parametrize(("text", "delimiter"), [("a;b\n1;x\n", ";"), ("a\tb\n1\tx\n", "\t"), ("a|b\n1|x\n", "|")])
def test_a_wrong_delimiter_is_told_as_such(tmp_path: Path, text: str, delimiter: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    scanned = scan(tmp_path / "t.csv", CONTRACT, shown="t.csv")
    scanned.close()
    assert scanned.counts.delimiter == delimiter


def test_values_of_mixed_types_are_counted_as_unreadable(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,x\nfoo,y\n1.5,z\n")
    scanned = scan(tmp_path / "t.csv", CONTRACT, shown="t.csv")
    scanned.close()
    assert [(count.name, count.invalid) for count in scanned.counts.columns] == [("a", 2), ("b", 0)]


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b'{"a":1}\n{"a":\n', "Malformed JSON"),
        (b'{"a":1,"a":2}\n', "duplicate key"),
        (b"[1]\n", "is no object with at least one name"),
        (b"3\n", "is no object with at least one name"),
        (b"{}\n", "is no object with at least one name"),
        (b'{"a":1}\n[2]\n', "file-unreadable"),
        (b'\xef\xbb\xbf{"a":1}\n', "byte order mark"),
        (b"PAR1" + bytes(100), "is no object"),
        (b'{"a":"\xff"}\n', "file-unreadable"),
        (b"{" + b",".join(b'"c%d":1' % place for place in range(50_000)) + b"}\n", "columns or more; at most 10,000"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, "nested too deep"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_broken_json_lines_are_refused(tmp_path: Path, content: bytes, cause: str) -> None:
    (tmp_path / "t.jsonl").write_bytes(content)
    assert cause in told(tmp_path, "t.jsonl")


def test_arrow_files_cut_or_corrupt_are_refused(tmp_path: Path) -> None:
    pyarrow.feather.write_feather(TABLE, str(tmp_path / "whole.arrow"))
    good = (tmp_path / "whole.arrow").read_bytes()
    for content in (b"", b"ARROW1\0\0" + b"x" * 100, good[: len(good) // 2], good[:-1]):
        (tmp_path / "t.arrow").write_bytes(content)
        assert told(tmp_path, "t.arrow").startswith("file-unreadable")
    (tmp_path / "t.arrow").write_bytes(good[:400] + bytes(byte ^ 0xFF for byte in good[400:900]) + good[900:])
    assert told(tmp_path, "t.arrow").startswith("file-unreadable")


@pytest.mark.parametrize("name", ["t.csv.gz", "t.jsonl.gz"])
def test_a_gzip_cut_at_any_place_or_with_a_wrong_checksum_is_refused(tmp_path: Path, name: str) -> None:
    lines = [b"%d,x\n" % row if "csv" in name else b'{"a":%d,"b":"x"}\n' % row for row in range(2000)]
    packed = gzip.compress(b"a,b\n" * ("csv" in name) + b"".join(lines))
    cut = [packed[:place] for place in (1, 5, 12, len(packed) // 3, *range(len(packed) - 12, len(packed)))]
    for content in (*cut, packed[:-8] + bytes(4) + packed[-4:]):
        (tmp_path / name).write_bytes(content)
        assert told(tmp_path, name).startswith(f"file-unreadable: {name} can't be read as "), len(content)


def test_of_several_gzips_the_cut_one_is_named_and_several_parts_are_read(tmp_path: Path) -> None:
    packed = gzip.compress(b"a,b\n1,x\n") + gzip.compress(b"2,y\n")
    for place in (1, 2):
        (tmp_path / f"{place}.csv.gz").write_bytes(packed)
    assert refused_or_counted(tmp_path, "*.csv.gz") == 4
    (tmp_path / "2.csv.gz").write_bytes(packed[:-1])
    with pytest.raises(BadInput, match=r"2\.csv\.gz can't be read as CSV"):
        scan(tmp_path / "*.csv.gz", CONTRACT, shown="*.csv.gz")


def test_a_gzip_cut_off_or_called_so_is_refused(tmp_path: Path) -> None:
    packed = gzip.compress(b"a,b\n" + b"".join(b"%d,x\n" % row for row in range(300_000)))
    for content in (packed[:-20], packed[: len(packed) // 2], b"a,b\n1,x\n"):
        (tmp_path / "t.csv.gz").write_bytes(content)
        assert told(tmp_path, "t.csv.gz").startswith("file-unreadable")


def folder(root: Path) -> None:
    (root / "t.csv").mkdir()


def pipe(root: Path) -> None:
    os.mkfifo(root / "t.csv")


def device(root: Path) -> None:
    (root / "t.csv").symlink_to("/dev/zero")


def loop(root: Path) -> None:
    (root / "t.csv").symlink_to("t.csv")


def nowhere(root: Path) -> None:
    (root / "t.csv").symlink_to("gone.csv")


@pytest.mark.parametrize(
    ("make", "name", "message"),
    [
        (folder, "t.csv", "table-format: t.csv is a folder"),
        (pipe, "t.csv", "table-format: t.csv is a pipe"),
        (device, "t.csv", "table-format: t.csv is a pipe, a socket or a device"),
        (loop, "t.csv", "file-missing: t.csv is a symbolic link to a file that does not exist"),
        (nowhere, "t.csv", "file-missing: t.csv is a symbolic link to a file that does not exist"),
        (pipe, "*.csv", "file-missing: no file matches *.csv"),
        (folder, "days/*.csv", "file-missing: no file matches days/*.csv"),
        (folder, "other.csv", "file-missing: other.csv does not exist"),
        (folder, "x" * 300 + ".csv", "can't be reached: File name too long"),
    ],
)
def test_what_is_no_file_is_refused_without_waiting(
    tmp_path: Path, make: Callable[[Path], None], name: str, message: str
) -> None:
    make(tmp_path)
    assert message in told(tmp_path, name)


@contextmanager
def somebody() -> Iterator[Path]:
    """A folder of a user who may not read everything: root takes the rights of nobody for the block."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    before = os.geteuid()
    try:
        if before == 0:
            os.seteuid(65534)
        yield folder
    finally:
        os.seteuid(before)
        shutil.rmtree(folder)


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl", "arrow"])
def test_a_file_without_permission_is_refused(suffix: str) -> None:
    with somebody() as place:
        path = place / f"t.{suffix}"
        path.write_bytes(whole(place))
        path.chmod(0)
        assert "ermission denied" in told(place, path.name)


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.csv.gz"])
def test_an_empty_file_is_a_table_without_columns(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    assert refused_or_counted(tmp_path, name) == 0


def test_a_file_that_is_called_another_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").write_text("a,b\n1,x\n")
    assert "t.parquet can't be read as Parquet" in told(tmp_path, "t.parquet")
    (tmp_path / "t.csv").write_bytes(whole(tmp_path))
    assert "t.csv can't be read as CSV" in told(tmp_path, "t.csv")
