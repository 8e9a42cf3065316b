"""From counts alone: what is told, and how severely."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from release_gate.contracts.contract import Contract, Rule, RuleKind
from release_gate.contracts.counts import Broken, ColumnCount, Counts, Example, Fit
from release_gate.contracts.judgement import data_findings
from release_gate.contracts.reading import read
from release_gate.documents import parse
from release_gate.verdict import Severity
from tests.contracts.written import column, odcs

RULE = Rule(RuleKind.AT_MOST, 9)


def contract(**said: Any) -> Contract:
    return read(parse(odcs(column("a", "integer", policy=said, logicalTypeOptions={"maximum": 9})), "c.yml")).contract


def counts(rows: int, invalid: int) -> Counts:
    broken = (Broken(RULE, invalid, (Example(3, None, "12"),)),) if invalid else ()
    return Counts("t", rows, (ColumnCount("a", "int64", Fit.FITS, invalid=invalid, broken=broken),))


@given(st.integers(1, 10**9), st.floats(0, 1), st.floats(0.001, 0.999))
def test_a_share_blocks_exactly_when_it_is_exceeded(rows: int, part: float, share: float) -> None:
    invalid = int(rows * part)
    found = data_findings(contract(onInvalid={"quarantine": share}), counts(rows, invalid))
    blocked = any(one.severity is Severity.ERROR for one in found)
    assert blocked == (invalid > share * rows)
    assert bool(found) == (invalid > 0)


def test_a_rejected_value_is_told_with_its_number_share_and_example() -> None:
    (found,) = data_findings(contract(), counts(200, 3))
    assert found.message == "3 rows (1.50%) not at most 9, such as '12' in row 3"
    assert found.evidence == {"rows": 3, "examples": ["row 3, value 12"]}


def test_a_single_row_of_very_many_is_not_rounded_to_nothing() -> None:
    (found,) = data_findings(contract(), counts(10**7, 1))
    assert found.message.startswith("1 row (<0.01%)")


def test_undeclared_behaviour_is_judged_as_reject() -> None:
    (found,) = data_findings(contract(onInvalid=None), counts(10, 1))
    assert (found.code, found.severity) == ("value-range", Severity.ERROR)
    nulls = Counts("t", 9, (ColumnCount("a", "int64", nulls=1),))
    assert [one.code for one in data_findings(contract(onNull=None), nulls)] == ["null-rejected"]


def test_a_missing_column_names_the_one_that_may_have_taken_its_place() -> None:
    given_counts = Counts("t", 5, missing=("a",), undeclared=("A",))
    missing, undeclared = data_findings(contract(), given_counts)
    assert (missing.code, undeclared.code) == ("column-missing", "column-undeclared")
    assert missing.message == "the column 'a' is missing; did 'A' take its place?"


def test_a_wrong_zone_is_told_in_words() -> None:
    described = column("a", "timestamp", logicalTypeOptions={"timezone": True})
    promised = read(parse(odcs(described), "c.yml")).contract
    found = data_findings(promised, Counts("t", 5, (ColumnCount("a", "timestamp[us]", Fit.WRONG),)))
    assert found[0].message == "holds timestamp[us], the contract says timestamp with a time zone"


def test_a_column_the_contract_does_not_know_is_not_judged() -> None:
    assert data_findings(contract(), Counts("t", 5, (ColumnCount("zz", "int64", nulls=5),))) == []


def test_a_failing_row_is_located_by_number_and_key_and_a_sensitive_value_is_not_told() -> None:
    examples = (Example(3, "id=R3", "12"), Example(4, "id=R4", "12"), Example(9, "id=R9", "77"))
    count = ColumnCount("a", "int64", nulls=2, invalid=4, broken=(Broken(RULE, 4, examples),),
                        null_examples=(Example(1, None, None), Example(2, None, None)))  # fmt: skip
    nulls, range_ = data_findings(contract(), Counts("t", 10, (count,)))
    assert nulls.message.endswith("which the contract rejects, such as row 1, row 2")
    assert range_.message.endswith("not at most 9, such as '12' in row 3 (id=R3), '77' in row 9 (id=R9)")


def test_a_file_without_columns_is_empty_and_nothing_else() -> None:
    (found,) = data_findings(contract(), Counts("t", 0, missing=("a",)))
    assert (found.code, found.message) == ("table-empty", "the file is empty: no columns and no rows")


def test_of_a_table_without_rows_that_is_said_first() -> None:
    (only,) = data_findings(contract(), Counts("t", 0, (ColumnCount("a", "int64"),)))
    assert only.code == "table-empty"
    codes = [one.code for one in data_findings(contract(), Counts("t", 0, missing=("a",), undeclared=("b",)))]
    assert codes == ["table-empty", "column-missing", "column-undeclared"]


def test_one_row_is_one_row() -> None:
    text = odcs(column("a", "integer"), quality=[{"type": "library", "metric": "rowCount", "mustBeGreaterThan": 4}])
    found = data_findings(read(parse(text, "c.yml")).contract, Counts("t", 1, (ColumnCount("a", "int64"),)))
    assert [one.message for one in found] == ["1 row; the contract asks for at least 5"]
