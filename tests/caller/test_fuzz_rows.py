"""Rows of a contract in a file: typed as the data is, with what the data itself never held."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from release_gate.caller.fuzz_rows import written
from release_gate.contracts.contract import Column, Contract, Kind, OnInvalid, OnNull, Policy, Rule, RuleKind


def contract(*columns: Column) -> Contract:
    return Contract(name="c", version="1.0.0", columns=columns)


def test_a_null_is_written_where_the_data_declares_that_it_has_none(tmp_path: Path) -> None:
    data = tmp_path / "data.parquet"
    table = pa.table({"x": pa.array([1.0]), "n": pa.array([1], pa.int32())})
    never_null = table.schema.field("x").with_nullable(False)
    parquet.write_table(table.cast(table.schema.set(0, never_null)), data)
    bounds = Rule(RuleKind.AT_LEAST, 0), Rule(RuleKind.AT_MOST, 9)
    mended = Policy(on_null=OnNull.KEEP, on_invalid=OnInvalid.SET_NULL)
    whole = contract(Column("x", Kind.NUMBER, bounds, mended), Column("n", Kind.INTEGER, bounds, mended))
    rows = written(whole, data, tmp_path, seed=0, number=30)
    made = parquet.read_table(rows.file)
    assert (rows.left, rows.untried) == ((), {})
    assert [column.null_count > 0 for column in made.columns] == [True, True]
    assert [field.type for field in made.schema] == [pa.float64(), pa.int32()]


def test_edges_that_a_storage_makes_equal_count_once(tmp_path: Path) -> None:
    data = tmp_path / "data.parquet"
    parquet.write_table(pa.table({"x": pa.array([1.0], pa.float32())}), data)
    bounds = Rule(RuleKind.AT_LEAST, 0), Rule(RuleKind.AT_MOST, 1)
    file = written(contract(Column("x", Kind.NUMBER, bounds)), data, tmp_path, seed=0, number=5).file
    assert parquet.read_table(file)["x"].type == pa.float32()
    assert len(set(parquet.read_table(file)["x"].to_pylist())) == 5
