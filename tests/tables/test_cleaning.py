"""The table as its contract declares it to be read: held against pandas, and doing it twice changes nothing."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from release_gate.contracts.contract import Column, Contract, Kind, OnInvalid, OnNull, Policy, Rule, RuleKind
from release_gate.contracts.judgement import data_findings
from release_gate.tables.cleaning import unwritable, write_clean
from release_gate.tables.quarantine import write
from release_gate.tables.scan import scan
from release_gate.verdict import Severity

if TYPE_CHECKING:
    import pandas as pd


def column(name: str, kind: Kind, *rules: Rule, null: OnNull = OnNull.KEEP, **policy: Any) -> Column:
    return Column(name, kind, rules, Policy(null, **{"on_invalid": OnInvalid.REJECT, **policy}))


RANGE = (Rule(RuleKind.AT_LEAST, 0), Rule(RuleKind.AT_MOST, 10))


def cleaned(tmp_path: Path, table: pa.Table, *columns: Column) -> pd.DataFrame:
    """The table after it was written twice; both times it must come out the same."""
    contract = Contract("c", "1.0.0", columns)
    source, once, twice = tmp_path / "t.parquet", tmp_path / "once.parquet", tmp_path / "twice.parquet"
    pq.write_table(table, source)
    for given_, written in ((source, once), (once, twice)):
        found = scan(given_, contract, shown="t")
        rows = write_clean(written, found)
        found.close()
        assert rows == pq.read_metadata(written).num_rows
    first, second = pq.read_table(once), pq.read_table(twice)
    assert first.equals(second)
    assert first.schema.names == table.schema.names
    return first.to_pandas()


def test_what_is_out_of_its_range_is_clipped(tmp_path: Path) -> None:
    table = pa.table({"a": [-5, 0, 7, 99, None], "b": [-0.5, 10.5, math.inf, math.nan, 3.0]})
    clip: dict[str, Any] = {"on_invalid": OnInvalid.CLIP}
    found = cleaned(
        tmp_path, table, column("a", Kind.INTEGER, *RANGE, **clip), column("b", Kind.NUMBER, *RANGE, **clip)
    )
    assert found["a"].tolist()[:4] == [0, 0, 7, 10]
    assert found["b"].tolist()[:3] == [0.0, 10.0, 10.0]
    assert found["a"].isna().tolist() == [False] * 4 + [True]
    assert found["b"].isna().tolist() == [False, False, False, True, False]


def test_integers_are_clipped_beside_a_bound_that_is_excluded(tmp_path: Path) -> None:
    bounds = (Rule(RuleKind.ABOVE, 0), Rule(RuleKind.BELOW, 10))
    clip = column("a", Kind.INTEGER, *bounds, on_invalid=OnInvalid.CLIP)
    assert cleaned(tmp_path, pa.table({"a": [0, 5, 10]}), clip)["a"].tolist() == [1, 5, 9]
    number = column("a", Kind.NUMBER, *bounds, on_invalid=OnInvalid.CLIP)
    assert [name for name, _ in unwritable(Contract("c", "1.0.0", (number,)))] == ["a"]


def test_what_is_invalid_becomes_null_and_null_what_is_declared(tmp_path: Path) -> None:
    table = pa.table({"a": [1, 99, None], "b": ["x", "?", None], "c": [1.0, -1.0, 2.0], "n": [1, 2, 3]})
    known = Rule(RuleKind.ONE_OF, ("x", "y"))
    null: dict[str, Any] = {"on_invalid": OnInvalid.SET_NULL}
    found = cleaned(
        tmp_path,
        table,
        column("a", Kind.INTEGER, *RANGE, null=OnNull.IMPUTE, impute=5, **null),
        column("b", Kind.STRING, known, null=OnNull.IMPUTE, impute="y", **null),
        column("c", Kind.NUMBER, *RANGE, null=OnNull.DROP_ROW, **null),
    )
    assert found.to_dict("list") == {"a": [1, 5], "b": ["x", "y"], "c": [1.0, 2.0], "n": [1, 3]}


def test_rows_for_the_quarantine_are_left_out_and_the_others_keep_their_order(tmp_path: Path) -> None:
    table = pa.table({"id": list(range(1000)), "a": [n % 100 for n in range(1000)]})
    held = column("a", Kind.INTEGER, Rule(RuleKind.BELOW, 99), on_invalid=OnInvalid.QUARANTINE, share=0.5)
    found = cleaned(tmp_path, table, column("id", Kind.INTEGER), held)
    assert found["id"].tolist() == [n for n in range(1000) if n % 100 != 99]


def test_text_is_written_as_the_types_of_its_contract(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b,c,d,e,extra\n007,1.5,true,2020-02-29,2020-02-29T01:02:03Z,x\nNA,,,,,\n")
    kinds = (Kind.INTEGER, Kind.NUMBER, Kind.BOOLEAN, Kind.DATE, Kind.TIMESTAMP)
    contract = Contract("c", "1.0.0", tuple(column(name, kind) for name, kind in zip("abcde", kinds, strict=True)))
    found = scan(tmp_path / "t.csv", contract, shown="t")
    assert write_clean(tmp_path / "clean.parquet", found) == 2
    written = pq.read_table(tmp_path / "clean.parquet")
    types = ["int64", "double", "bool", "date32[day]", "timestamp[us]", "string"]
    assert [str(kind) for kind in written.schema.types] == types
    assert written.column("a").to_pylist() == [7, None]
    again = scan(tmp_path / "clean.parquet", contract, shown="t")
    assert write_clean(tmp_path / "twice.parquet", again) == 2
    assert pq.read_table(tmp_path / "twice.parquet").equals(written)


@pytest.mark.parametrize("text", ["a\n99999999999999999999\n"])
def test_an_integer_that_no_column_holds_leaves_no_file(tmp_path: Path, text: str) -> None:
    from release_gate.tables.relation import Unanswered

    (tmp_path / "t.csv").write_text(text)
    found = scan(tmp_path / "t.csv", Contract("c", "1.0.0", (column("a", Kind.INTEGER),)), shown="t")
    with pytest.raises(Unanswered):
        write_clean(tmp_path / "clean.parquet", found)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["t.csv"]


POLICIES = st.sampled_from(
    [
        {"on_invalid": OnInvalid.CLIP},
        {"on_invalid": OnInvalid.SET_NULL},
        {"on_invalid": OnInvalid.QUARANTINE, "share": 0.99},
    ]
)
NULLS = st.sampled_from([{"null": OnNull.KEEP}, {"null": OnNull.DROP_ROW}, {"null": OnNull.IMPUTE, "impute": 3}])


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(st.none() | st.integers(-5, 15), st.none() | st.sampled_from([-1.0, 0.0, 3.0, 10.0, 11.0, math.nan])),
        min_size=1, max_size=12,
    ),
    said=st.tuples(POLICIES, POLICIES), missing=st.tuples(NULLS, NULLS),
)  # fmt: skip
def test_what_is_written_keeps_the_contract(tmp_path: Path, rows: Any, said: Any, missing: Any) -> None:
    table = pa.table(
        {"a": pa.array([a for a, _ in rows], pa.int64()), "b": pa.array([b for _, b in rows], pa.float64())}
    )
    columns = (
        column("a", Kind.INTEGER, *RANGE, **said[0], **missing[0]),
        column("b", Kind.NUMBER, *RANGE, **said[1], **missing[1]),
    )
    found = cleaned(tmp_path, table, *columns)
    for one in columns:
        values = found[one.name].dropna()
        assert ((values >= 0) & (values <= 10)).all()
        if one.policy.on_null is not OnNull.KEEP:
            assert found[one.name].notna().all()
    keep = Policy(OnNull.KEEP, OnInvalid.REJECT)
    strict = Contract("c", "1.0.0", tuple(Column(one.name, one.kind, one.rules, keep) for one in columns))
    again = scan(tmp_path / "once.parquet", strict, shown="t")
    errors = {one.code for one in data_findings(strict, again.counts) if one.severity is Severity.ERROR}
    assert errors <= {"table-empty"}


def test_a_column_may_be_called_self(tmp_path: Path) -> None:
    sent = column("self", Kind.INTEGER, *RANGE, on_invalid=OnInvalid.QUARANTINE, share=0.5)
    table = pa.table({"self": [1, 11], "b": [1, 2]})
    assert cleaned(tmp_path, table, sent)["self"].tolist() == [1]
    found = scan(tmp_path / "t.parquet", Contract("c", "1.0.0", (sent,)), shown="t")
    assert write(tmp_path / "q.parquet", found, Contract("c", "1.0.0", (sent,)), ["self"]) == 1
    found.close()
    assert pq.read_table(tmp_path / "q.parquet")["self"].to_pylist() == [11]
