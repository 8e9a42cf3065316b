"""A limit of memory is kept by the whole process, and what does not fit spills to disk."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from release_gate.contracts.reading import read as read_contract
from release_gate.documents import parse
from release_gate.findings import BadInput
from release_gate.tables.scan import scan
from tests.contracts.written import column, odcs

ROWS = 4_000_000
CONTRACT = odcs(
    *[column(name, kind, unique=True) for name, kind in (("k", "string"), ("u", "string"), ("a", "integer"))]
)
PROGRAM = """
import sys
from pathlib import Path
from release_gate.contracts.reading import read
from release_gate.documents import parse
from release_gate.tables.scan import scan
path, contract, memory = Path(sys.argv[1]), Path(sys.argv[2]).read_bytes(), int(sys.argv[3])
scanned = scan(path, read(parse(contract, "c.yml")).contract, shown="t.parquet", memory=memory)
scanned.close()
keys = {key.columns[0]: key.rows for key in scanned.counts.keys}
# Not getrusage: a new process starts there with what its parent had.
most = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(scanned.counts.rows, keys["k"], keys["u"], keys["a"], int(most.split()[1]) // 1024)
"""


def written(path: Path) -> Path:
    # The first key is shared by two rows, the others by none.
    key = f"'order-' || lpad((CASE range WHEN 5 THEN 6 ELSE range * 7919 % {ROWS} END)::VARCHAR, 12, '0')"
    rows = f"SELECT {key} AS k, md5(range::VARCHAR) AS u, range * 1000 AS a FROM range({ROWS})"
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({rows}) TO '{path}' (FORMAT parquet)")
    return path


def test_unique_texts_that_do_not_fit_are_counted_within_the_limit(tmp_path: Path) -> None:
    path = written(tmp_path / "t.parquet")
    (tmp_path / "c.yml").write_bytes(CONTRACT)
    limit = 128
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path), str(tmp_path / "c.yml"), str(limit * 1_000_000)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    rows, shared, unique, whole, resident = map(int, done.stdout.split())
    assert (rows, shared, unique, whole) == (ROWS, 2, 0, 0)
    assert resident < limit + 250  # Python, its libraries, and DuckDB's own programs


def test_a_limit_that_is_too_small_says_so(tmp_path: Path) -> None:
    path = written(tmp_path / "t.parquet")
    with pytest.raises(BadInput) as caught:
        scan(path, read_contract(parse(CONTRACT, "c.yml")).contract, shown="t.parquet", memory=10_000_000)
    assert "give more by --memory" in caught.value.findings[0].message
