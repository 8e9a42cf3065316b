"""From counts alone: what is told, and how severely."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.contracts.contract import Bounds, Column, Contract, Kind, Measure, Metric, Rule, RuleKind
from release_gate.contracts.counts import Broken, ColumnCount, Counts, Example, Fit, Measured
from release_gate.contracts.examples import file_names
from release_gate.contracts.judgement import data_findings
from release_gate.contracts.measured import exactly
from release_gate.contracts.reading import read
from release_gate.documents import parse
from release_gate.verdict import Finding, Severity
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
    assert blocked == (invalid > exactly(share) * rows)
    assert bool(found) == (invalid > 0)


def test_a_rejected_value_is_told_with_its_number_share_and_example() -> None:
    (found,) = data_findings(contract(), counts(200, 3))
    assert found.message == "3 rows (1.50%) not at most 9, such as '12' in row 3"
    assert found.evidence == {"rows": 3, "examples": ["row 3, value 12"]}


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        (RuleKind.SHORTEST, 2, "shorter than 2"),
        (RuleKind.LONGEST, 2, "longer than 2"),
        (RuleKind.NONE_OF, ("a", "b"), "one of a, b"),
        (RuleKind.ONE_OF, ("a", "b"), "not one of a, b"),
        (RuleKind.PATTERN, "^a$", "not matching ^a$"),
        (RuleKind.FEWEST_ITEMS, 1, "of fewer items than 1"),
        (RuleKind.MOST_ITEMS, 1, "of more items than 1"),
        (RuleKind.DISTINCT_ITEMS, True, "with an item twice"),
    ],
)
def test_what_breaks_a_rule_is_told_without_a_double_no(kind: RuleKind, value: Any, told: str) -> None:
    assert Rule(kind, value).breach == told


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


AGE = Measure(Metric.AGE, Bounds(most=2 * 86_400), columns=("a",))
QUERY = Measure(Metric.QUERY, Bounds(most=5), columns=("b",), query="SELECT max(a) FROM {table}", name="largest")
NULLS = Measure(Metric.NULLS, Bounds(most=5), columns=("a",))


def of_measures(**said: Any) -> list[Finding]:
    measured = tuple(Measured(one, value) for one, value in ((AGE, 15_213.0 * 86_400), (QUERY, 15_213), (NULLS, 7)))
    found = data_findings(contract(**said), Counts("t", 10, (ColumnCount("a", "int64"),), measures=measured))
    return [one for one in found if one.where.table == "t"]


def test_a_number_that_may_be_a_sensitive_value_is_judged_and_not_told() -> None:
    age, query, nulls = of_measures(sensitive=True)
    assert [one.code for one in (age, query, nulls)] == ["data-stale", "measure-breached", "measure-breached"]
    left_out = "; the number is left out, since it may be a sensitive value"
    assert age.message == f"age of the newest row: not what the contract asks for, at most 2 d{left_out}"
    assert query.message == f"'largest' (result of the query): not what the contract asks for, at most 5{left_out}"
    assert nulls.message == "null values: 7, the contract asks for at most 5"
    assert [one.evidence for one in (age, query)] == [{"bounds": str(AGE.bounds)}, {"bounds": "at most 5"}]


def test_where_nothing_is_sensitive_every_number_is_told() -> None:
    age, query, _ = of_measures()
    assert age.message == "age of the newest row: 15213 d, the contract asks for at most 2 d"
    assert query.message == "'largest' (result of the query): 15,213, the contract asks for at most 5"
    assert [one.evidence["value"] for one in (age, query)] == [15_213.0 * 86_400, 15_213]


@pytest.mark.parametrize("folder", ["mail=ann", "Mail=ann", "m%61il=ann"])
def test_files_in_folders_that_hold_a_sensitive_column_are_named_by_number(folder: str) -> None:
    files = [f"x/{folder}/p.parquet", f"x/{folder}/q.parquet"]
    assert file_names(files, {"mail"}) == ("file 1", "file 2")
    assert file_names(files, {"day"}) == tuple(files)


def test_a_share_in_percent_is_taken_as_it_is_written() -> None:
    found = data_findings(contract(onInvalid="quarantine up to 29%"), counts(100, 29))
    assert [one.code for one in found] == ["rows-quarantined"]
    found = data_findings(contract(onInvalid="quarantine up to 29%"), counts(10**9, 290_000_001))
    assert [one.code for one in found] == ["invalid-exceeded"]


def drifted(nulls: int, rows: int, before: float) -> list[str]:
    said = contract(nullShareDrift="2%", onNull="keep")
    held = Counts("t", rows, (ColumnCount("a", "int64", nulls=nulls),))
    return [one.message for one in data_findings(said, held, {"a": before}) if one.code == "null-share-drifted"]


def test_a_drift_of_just_what_is_declared_is_none() -> None:
    assert drifted(7, 100, 0.05) == []
    assert drifted(3, 100, 0.05) == []
    (told,) = drifted(700_001, 10**7, 0.05)
    assert told.startswith("7.00001% of the rows have no value, 5.00000% had none in the last accepted data")


def test_a_number_is_told_with_as_many_digits_as_show_that_it_is_out_of_bounds() -> None:
    share = Measure(Metric.NULLS, Bounds(most=33.33331, most_excluded=True), share=True, columns=("a",))
    rows = Measure(Metric.NULLS, Bounds(1234567, 1234568), columns=("a",))
    values = (Measured(share, 100 / 3), Measured(rows, 1234569))
    told = [one.message for one in data_findings(contract(), Counts("t", 9, measures=values))]
    assert told == [
        "null values: 33.33333% of the rows, the contract asks for below 33.33331%",
        "null values: 1,234,569, the contract asks for at least 1234567 and at most 1234568",
    ]


def test_rows_from_the_future_are_told_beside_the_age_of_the_others() -> None:
    values = (Measured(AGE, 3_600.0, ahead=2),)
    (found,) = data_findings(contract(), Counts("t", 9, measures=values))
    assert (found.code, found.severity) == ("data-ahead", Severity.WARNING)
    assert found.message == "age of the newest row: 2 rows from the future left out, of which no age can be told"


def test_a_key_whose_optional_column_is_absent_is_said_not_to_be_judged() -> None:
    columns = (Column("a", Kind.INTEGER, required=False), Column("b", Kind.INTEGER))
    promised = Contract("c", "1.0.0", columns, key=("a", "b"))
    (found,) = data_findings(promised, Counts("t", 2, (ColumnCount("b", "int64"),)))
    assert (found.code, found.severity) == ("rule-unjudgeable", Severity.ERROR)
    assert found.message == "that no two rows share their a, b can't be judged: the table has no column 'a'"
    both = (ColumnCount("a", "int64"), ColumnCount("b", "int64"))
    assert data_findings(promised, Counts("t", 2, both)) == []


def test_that_every_value_fits_is_said_where_it_was_looked_at() -> None:
    def told(kind: Kind, promised: str, found: str, fit: Fit) -> str:
        described = Contract("c", "1.0.0", (Column("a", kind, storage=promised),))
        (one,) = data_findings(described, Counts("t", 2, (ColumnCount("a", found, fit),)))
        return one.message

    stored = told(Kind.INTEGER, "int32", "int64", Fit.STORAGE)
    assert stored == "is stored as int64, the contract says int32; every value fits"
    assert told(Kind.NUMBER, "float", "double", Fit.STORAGE) == "is stored as double, the contract says float"
    assert told(Kind.INTEGER, "int32", "int64", Fit.WRONG) == "holds int64, the contract says int32"
    assert told(Kind.INTEGER, "int32", "string", Fit.WRONG) == "holds string, the contract says integer"


def test_a_watched_column_that_the_last_data_did_not_have_is_told() -> None:
    said = contract(nullShareDrift="2%", onNull="keep")
    held = Counts("t", 10, (ColumnCount("a", "int64", nulls=5),))
    for accepted in (None, {}, {"b": 0.1}):
        (found,) = [one for one in data_findings(said, held, accepted) if one.code == "null-drift-unknown"]
        assert found.message.endswith(": a")


@pytest.mark.parametrize("sensitive", [True, False])
def test_of_a_file_without_header_no_value_of_a_sensitive_column_is_shown(sensitive: bool) -> None:
    said = contract(**({"sensitive": True} if sensitive else {}))
    found = data_findings(said, Counts("t", 5, missing=("a",), undeclared=("u0@example.com", "")))
    told = " ".join(f"{one} {one.evidence}" for one in found)
    assert ("u0@example.com" in told) is not sensitive
    assert "does the file lack its header?" in told
