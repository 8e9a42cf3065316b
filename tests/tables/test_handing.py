"""What the caller's Python gets of a text file: the values that the contract's own checks judge, no reader's guess."""

from __future__ import annotations

import datetime as dt
import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from release_gate.contracts.contract import Column, Contract, Kind
from release_gate.tables.handing import as_it_lies, write_typed
from release_gate.tables.relation import Unanswered
from release_gate.tables.scan import scan

KINDS = {
    "code": Kind.STRING, "country": Kind.STRING, "stops": Kind.INTEGER, "km": Kind.NUMBER, "paid": Kind.BOOLEAN,
    "day": Kind.DATE, "at": Kind.TIMESTAMP,
}  # fmt: skip
CONTRACT = Contract("c", "1.0.0", tuple(Column(name, kind) for name, kind in KINDS.items()))
TEXT = (
    "code,country,stops,km,paid,day,at,note\n"
    "007,NA,1,1.50,false,2024-01-02,2024-01-02T03:04:05Z,010\n"
    ",,,NaN,,,,\n"
    "1e3,nan,+2,-2,TRUE,2024-01-03,2024-01-03,NULL\n"
)


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
def test_every_value_is_the_one_that_the_contract_reads(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(gzip.compress(TEXT.encode()) if name.endswith(".gz") else TEXT.encode())
    found = scan(tmp_path / name, CONTRACT, shown=name)
    assert not as_it_lies(found)
    assert write_typed(tmp_path / "typed.parquet", found) == 3
    found.close()
    table = pq.read_table(tmp_path / "typed.parquet")
    assert [str(kind) for kind in table.schema.types][:6] == [
        "string", "string", "int64", "double", "bool", "date32[day]",
    ]  # fmt: skip
    assert table.to_pydict() == {
        "code": ["007", None, "1e3"],
        "country": ["NA", None, "nan"],
        "stops": [1, None, 2],
        "km": [1.5, None, -2.0],
        "paid": [False, None, True],
        "day": [dt.date(2024, 1, 2), None, dt.date(2024, 1, 3)],
        "at": [dt.datetime(2024, 1, 2, 3, 4, 5), None, dt.datetime(2024, 1, 3)],  # noqa: DTZ001 - no zone is promised
        "note": ["010", None, "NULL"],
    }


def test_a_table_with_one_name_twice_is_not_handed_over(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("stops,km,km\n1,2,3\n")
    found = scan(tmp_path / "t.csv", Contract("c", "1.0.0", (Column("stops", Kind.INTEGER),)), shown="t.csv")
    with pytest.raises(Unanswered):
        write_typed(tmp_path / "typed.parquet", found)
    found.close()
    assert not (tmp_path / "typed.parquet").exists()


def test_parquet_lies_as_it_is_but_for_the_columns_of_its_folders(tmp_path: Path) -> None:
    (tmp_path / "days" / "day=2024-01-02").mkdir(parents=True)
    for path in (tmp_path / "t.parquet", tmp_path / "days" / "day=2024-01-02" / "t.parquet"):
        pq.write_table(pa.table({"stops": [1]}), path)
    contract = Contract("c", "1.0.0", (Column("stops", Kind.INTEGER), Column("day", Kind.DATE)))
    alone = scan(tmp_path / "t.parquet", contract, shown="t.parquet")
    assert as_it_lies(alone)
    alone.close()
    found = scan(tmp_path / "days" / "*" / "t.parquet", contract, shown="days/*/t.parquet")
    assert not as_it_lies(found)
    write_typed(tmp_path / "typed.parquet", found)
    found.close()
    assert pq.read_table(tmp_path / "typed.parquet").to_pylist() == [{"stops": 1, "day": dt.date(2024, 1, 2)}]
