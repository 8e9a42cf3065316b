from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pandera.pandas as pandera
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from release_gate.contracts.bounds import keeps
from release_gate.contracts.contract import Kind, Metric, OnInvalid, OnNull, Reading, Rule, RuleKind
from release_gate.contracts.reading import read as read_any
from release_gate.contracts.standards.pandera_columns import slipped
from release_gate.documents import parse
from release_gate.findings import BadInput
from release_gate.verdict import Severity

SAID = {"on_null": "reject", "on_invalid": "reject", "backfill": "Load again; the data team."}


def text(columns: dict[str, Any], **rest: Any) -> bytes:
    policies = dict.fromkeys(columns, SAID)
    metadata = {"version": "1.2.3", "owner": "@octo-air", "policy": policies}
    return yaml.safe_dump({"schema_type": "dataframe", "columns": columns, "metadata": metadata, **rest}).encode()


def read(written: bytes) -> Reading:
    return read_any(parse(written, "s.yml"))


def codes(written: bytes) -> list[str]:
    try:
        return [one.code for one in read(written).findings]
    except BadInput as refusal:
        return [one.code for one in refusal.findings]


SCHEMA = pandera.DataFrameSchema(
    {
        "a": pandera.Column("int64", [pandera.Check.ge(0), pandera.Check.lt(9)], unique=True, description="x"),
        "f": pandera.Column("float64", pandera.Check.in_range(0, 1, include_max=False)),
        "s": pandera.Column(
            str, [pandera.Check.isin(["ab", "b"]), pandera.Check.str_matches("a"), pandera.Check.str_length(1, 3)]
        ),
        "t": pandera.Column("datetime64[ns]", pandera.Check.gt("2013-01-01")),
    },
    unique=["a", "s"],
    name="rides",
)


def test_what_pandera_writes_is_read() -> None:
    written = yaml.safe_load(str(SCHEMA.to_yaml()))
    written["metadata"] = {"version": "2.0.0", "owner": "@octo-air", "policy": dict.fromkeys(SCHEMA.columns, SAID)}
    reading = read(yaml.safe_dump(written, sort_keys=False).encode())
    assert reading.findings == ()
    found = reading.contract
    assert (found.name, found.version, found.key, found.format) == ("rides", "2.0.0", ("a", "s"), "pandera")
    assert [(one.name, one.kind, one.storage) for one in found.columns] == [
        ("a", Kind.INTEGER, "int64"),
        ("f", Kind.NUMBER, "double"),
        ("s", Kind.STRING, None),
        ("t", Kind.TIMESTAMP, "timestamp[ns]"),
    ]
    assert [one.rules for one in found.columns] == [
        (Rule(RuleKind.AT_LEAST, 0), Rule(RuleKind.BELOW, 9)),
        (Rule(RuleKind.AT_LEAST, 0), Rule(RuleKind.BELOW, 1)),
        (
            Rule(RuleKind.ONE_OF, ("ab", "b")),
            Rule(RuleKind.PATTERN, "^(?:a)"),
            Rule(RuleKind.SHORTEST, 1),
            Rule(RuleKind.LONGEST, 3),
        ),
        (Rule(RuleKind.ABOVE, "2013-01-01"),),
    ]
    assert found.columns[0].unique


OLD_SHAPES: list[dict[str, Any]] = [
    {"greater_than": {"value": 3, "options": {"check_name": "greater_than", "ignore_na": True}}},
    {"greater_than": 3},
]


@pytest.mark.parametrize("checks", [*OLD_SHAPES, [{"value": 3, "options": {"check_name": "greater_than"}}]])
def test_the_older_shapes_of_checks_are_read(checks: object) -> None:
    (column,) = read(text({"a": {"dtype": "int64", "checks": checks}})).contract.columns
    assert column.rules == (Rule(RuleKind.ABOVE, 3),)


@pytest.mark.parametrize(
    ("check", "rules"),
    [
        ({"equal_to": 3}, (Rule(RuleKind.ONE_OF, (3,)),)),
        ({"not_equal_to": 3}, (Rule(RuleKind.NONE_OF, (3,)),)),
        ({"notin": [1, 2]}, (Rule(RuleKind.NONE_OF, (1, 2)),)),
        ({"eq": 3}, (Rule(RuleKind.ONE_OF, (3,)),)),
        ({"between": {"min_value": 1, "max_value": 2}}, (Rule(RuleKind.AT_LEAST, 1), Rule(RuleKind.AT_MOST, 2))),
        ({"isin": [1, None]}, (Rule(RuleKind.ONE_OF, (1,)),)),
        ({"less_than": {"max_value": 3, "raise_warning": True}}, (Rule(RuleKind.BELOW, 3, warns=True),)),
        (
            {"in_range": {"min_value": 1, "max_value": 2, "include_min": False}},
            (Rule(RuleKind.ABOVE, 1), Rule(RuleKind.AT_MOST, 2)),
        ),
    ],
)
def test_every_check_becomes_rules(check: dict[str, Any], rules: tuple[Rule, ...]) -> None:
    (column,) = read(text({"a": {"dtype": "int64", **check}})).contract.columns
    assert column.rules == rules


def test_the_policy_of_the_metadata_is_read() -> None:
    value = yaml.safe_load(text({"a": {"dtype": "Int64", "nullable": True, "less_than": 3}}))
    value["metadata"]["policy"]["a"] = {
        **SAID,
        "on_null": "keep",
        "on_invalid": "quarantine up to 1%",
        "sensitive": True,
    }
    value["metadata"]["rows_at_least"] = 5
    contract = read(yaml.safe_dump(value).encode()).contract
    said = contract.columns[0].policy
    assert (said.on_null, said.on_invalid, said.share, said.sensitive) == (
        OnNull.KEEP,
        OnInvalid.QUARANTINE,
        0.01,
        True,
    )
    assert (contract.rows_least, contract.owner) == (5, "@octo-air")


def test_a_column_without_policy_lacks_all_three() -> None:
    assert codes(text({"a": {"dtype": "int64"}}, metadata={"version": "1.0.0", "owner": "x"})) == [
        "contract-null-undeclared",
        "contract-invalid-undeclared",
        "contract-backfill-undocumented",
    ]


def test_a_version_that_is_missing_is_found_where_it_should_stand() -> None:
    (found,) = read(text({"a": {"dtype": "int64"}}, metadata={"owner": "x", "policy": {"a": SAID}})).findings
    assert (found.code, found.where.line) == ("contract-version-invalid", 4)


@pytest.mark.parametrize(
    ("written", "named"),
    [
        (text({"a": {"dtype": "int64", "my_check": 3}}), "`my_check`"),
        (text({"a": {"dtype": "int64", "checks": [{"x": 1}]}}), "`None`"),
        (text({"a": {"dtype": "int64", "greater_than": {"value": 1, "groupby": "b"}}}), "in groups"),
        (text({"a": {"dtype": "int64"}}, checks={"x": 1}), "`x` of the whole table"),
        (text({"a": {"dtype": "str"}}, checks={"str_startswith": "x"}), "of the whole table"),
        (text({"a": {"dtype": "int64", "drop_invalid_rows": True}}), "drop_invalid_rows"),
        (text({"a": {"dtype": "int64"}}, drop_invalid_rows=True), "drop_invalid_rows"),
        (text({"a": {"dtype": "int64"}}, index=[{"dtype": "int64"}]), "an index without a name"),
    ],
)
def test_what_cannot_be_judged_is_refused_by_name(written: bytes, named: str) -> None:
    (found,) = read(written).findings
    assert (found.code, found.severity) == ("contract-rule-unjudged", Severity.ERROR)
    assert named in found.message


def test_a_check_of_the_whole_table_holds_for_every_column() -> None:
    given = text({"a": {"dtype": "int64"}, "b": {"dtype": "float64", "less_than": 9}}, checks={"greater_than": 0})
    rules = [one.rules for one in read(given).contract.columns]
    assert rules == [(Rule(RuleKind.ABOVE, 0),), (Rule(RuleKind.BELOW, 9), Rule(RuleKind.ABOVE, 0))]


def test_values_that_must_all_be_there_are_a_set_and_a_measure() -> None:
    reading = read(text({"a": {"dtype": "int64", "unique_values_eq": [1, 2]}}))
    assert reading.contract.columns[0].rules == (Rule(RuleKind.ONE_OF, (1, 2)),)
    (measure,) = reading.contract.measures
    assert (measure.metric, measure.values, measure.columns) == (Metric.ABSENT, (1, 2), ("a",))
    assert measure.bounds.hold(0)
    assert not measure.bounds.hold(1)


def test_what_a_table_says_of_its_columns_is_read() -> None:
    columns = {"a": {"dtype": "int64", "required": False}, "b": {"dtype": "int64", "nullable": True}}
    found = read(text(columns, strict=True, ordered=True, unique="a")).contract
    assert (found.closed, found.ordered, found.key) == (True, True, ("a",))
    assert [one.required for one in found.columns] == [False, True]
    assert not read(text(columns, strict="filter")).contract.closed
    assert not read(text(columns, add_missing_columns=True)).contract.columns[1].required


def test_what_is_converted_first_may_be_stored_in_any_way() -> None:
    (exact,) = read(text({"a": {"dtype": "int8"}})).contract.columns
    (coerced,) = read(text({"a": {"dtype": "int8", "coerce": True}})).contract.columns
    (everywhere,) = read(text({"a": {"dtype": "int8"}}, coerce=True)).contract.columns
    assert [one.storage for one in (exact, coerced, everywhere)] == ["int8", None, None]


@pytest.mark.parametrize(
    ("dtype", "kind", "storage"),
    [
        ("int", Kind.INTEGER, "int64"),
        ("float", Kind.NUMBER, "double"),
        ("category", Kind.STRING, None),
        ("datetime64[ns, UTC]", Kind.TIMESTAMP, "timestamp[ns, tz=UTC]"),
        ("string[pyarrow]", Kind.STRING, None),
        ("Decimal(10, 2)", Kind.NUMBER, "decimal128(10, 2)"),
        ("Date", Kind.DATE, None),
    ],
)
def test_pandas_names_of_types_are_known(dtype: str, kind: Kind, storage: str | None) -> None:
    (column,) = read(text({"a": {"dtype": dtype}})).contract.columns
    assert (column.kind, column.storage) == (kind, storage)


def test_a_category_of_numbers_is_of_numbers() -> None:
    (column,) = read(text({"a": {"dtype": "category", "isin": [1, 2]}})).contract.columns
    assert column.kind is Kind.INTEGER


def test_a_named_index_is_a_column_as_in_the_file_that_pandas_writes() -> None:
    value = yaml.safe_load(text({"a": {"dtype": "int64"}}, index=[{"name": "id", "dtype": "int64", "unique": True}]))
    value["metadata"]["policy"]["id"] = SAID
    reading = read(yaml.safe_dump(value).encode())
    assert reading.findings == ()
    assert [(one.name, one.unique) for one in reading.contract.columns] == [("a", False), ("id", True)]


def indexed(**rest: Any) -> bytes:
    """A table of one column with an index of two levels."""
    levels = [{"name": "a", "dtype": "int64"}, {"name": "b", "dtype": "int8"}]
    return text({"v": {"dtype": "int64"}}, **{"index": levels, **rest})


def test_the_levels_of_an_index_are_unique_together_beside_the_key_of_the_table() -> None:
    alone = read(indexed(multiindex={"unique": ["a", "b"]})).contract
    assert (alone.key, alone.unique_together) == (("a", "b"), ())
    both = read(indexed(unique=["v"], multiindex={"unique": ["a", "b"]})).contract
    assert (both.key, both.unique_together) == (("v",), (("a", "b"),))
    assert read(indexed(multiindex={"unique": "a"})).contract.key == ("a",)


def test_an_index_that_is_converted_first_may_be_stored_in_any_way() -> None:
    assert [one.storage for one in read(indexed()).contract.columns] == ["int64", "int64", "int8"]
    converted = read(indexed(multiindex={"coerce": True})).contract
    assert [one.storage for one in converted.columns] == ["int64", None, None]


def test_that_an_index_has_no_other_level_is_judged_only_where_the_table_has_no_other_column() -> None:
    assert codes(indexed(multiindex={"strict": True})).count("contract-rule-unjudged") == 1
    assert codes(indexed(multiindex={"strict": True}, strict="filter")).count("contract-rule-unjudged") == 1
    assert "contract-rule-unjudged" not in codes(indexed(multiindex={"strict": True}, strict=True))
    assert "contract-rule-unjudged" not in codes(indexed(multiindex={"strict": False, "ordered": True, "name": None}))


@pytest.mark.parametrize(
    ("values", "kind"),
    [([1, 2], Kind.INTEGER), ([1, 2.5], Kind.NUMBER), ([True], Kind.BOOLEAN), (["x", 1], Kind.STRING)],
)
def test_a_category_is_of_the_kind_of_its_values_in_every_shape_of_checks(values: list[Any], kind: Kind) -> None:
    listed = [{"allowed_values": values, "options": {"check_name": "isin"}}]
    for entry in ({"isin": values}, {"checks": {"isin": {"value": values}}}, {"checks": listed}):
        (column,) = read(text({"a": {"dtype": "category", **entry}})).contract.columns
        assert (column.kind, column.rules) == (kind, (Rule(RuleKind.ONE_OF, tuple(values)),))


def said(**more: Any) -> dict[str, Any]:
    return {"version": "1.0.0", "owner": "x", "policy": {"a": SAID}, **more}


def one(**entry: Any) -> bytes:
    """A table of one column of integers."""
    return text({"a": {"dtype": "int64", **entry}})


@pytest.mark.parametrize(
    ("written", "code", "words"),
    [
        (indexed(multiindex={"uniqe": ["a", "b"]}), "contract-unknown-key", "'uniqe'; did you mean 'unique'"),
        (indexed(multiindex={"unique": ["c"]}), "contract-invalid", "`unique` names 'c'"),
        (indexed(multiindex={"coerce": "false"}), "contract-invalid", "`coerce` must be true or false (it is 'false')"),
        (indexed(multiindex={"strict": "no"}), "contract-invalid", "`strict` must be true, false or filter"),
        (indexed(index={"name": "a", "dtype": "str"}), "contract-invalid", "`index` must be a list"),
        (indexed(index=["a"]), "contract-invalid", "a level of the index must hold keys and values (it is 'a')"),
        (one(checks="greater_than"), "contract-invalid", "`checks` must be a list or a mapping"),
        (text({"a": {"dtype": "int64"}}, checks="greater_than"), "contract-invalid", "`checks` must be a list"),
        (one(metadata={"sensitiv": True}), "contract-unknown-key", "'sensitiv'; did you mean 'sensitive'"),
        (one(metadata={"onNull": "keep"}), "contract-unknown-key", "'onNull'; did you mean 'on_null'"),
        (one(metadata={"null_share_drft": "1%"}), "contract-unknown-key", "did you mean 'null_share_drift'"),
        (one(unique=["a"]), "contract-invalid", "`unique` must be true or false"),
        (one(required="false"), "contract-invalid", "`required` must be true or false"),
        (one(nullable="no"), "contract-invalid", "`nullable` must be true or false"),
        (one(coerce="false"), "contract-invalid", "`coerce` must be true or false"),
        (text({"a": {"dtype": "int64"}}, coerce="false"), "contract-invalid", "`coerce` must be true or false"),
        (text({"a": {"dtype": "int64"}}, ordered="false"), "contract-invalid", "`ordered` must be true or false"),
        (
            one(in_range={"min_value": 0, "max_value": 2, "include_max": "false"}),
            "contract-invalid",
            "`include_max` must be true or false (it is 'false')",
        ),
        (one(greater_than={"value": 5, "raise_warning": "false"}), "contract-invalid", "`raise_warning` must be true"),
        (one(greater_than={"value": 5, "options": {"ignorena": False}}), "contract-invalid", "mean 'ignore_na'"),
        (one(greater_than={"value": 5, "options": "x"}), "contract-invalid", "takes one value, and has options, value"),
        (
            one(checks=[{"value": 5, "options": {"check_name": "greater_than", "ignorena": False}}]),
            "contract-invalid",
            "`greater_than` has no option 'ignorena'; did you mean 'ignore_na'?",
        ),
        (
            text({"a": {"dtype": "int64"}}, checks={"greater_than": {"value": 5, "ignore_na": "no"}}),
            "contract-invalid",
            "`ignore_na` must be true or false",
        ),
        (
            text({"a": {"dtype": "int64"}}, metadata=said(rows_atleast=5)),
            "contract-unknown-key",
            "mean 'rows_at_least'",
        ),
        (text({"a": {"dtype": "int64"}}, metadata=said(Owner="y")), "contract-unknown-key", "did you mean 'owner'"),
    ],
)
def test_what_is_misspelt_or_misshapen_is_refused_and_not_ignored(written: bytes, code: str, words: str) -> None:
    with pytest.raises(BadInput) as refusal:
        read(written)
    (found,) = refusal.value.findings
    assert found.code == code
    assert words in found.message


def test_metadata_may_hold_keys_of_others() -> None:
    columns = {"a": {"dtype": "int64", "metadata": {"pii": False, "unit": "km", "source": {"on": "null"}}}}
    assert codes(text(columns, metadata=said(team="air", name="rides", tags=["x"]))) == []


def test_a_default_is_what_is_imputed_and_belongs_to_no_other_behaviour() -> None:
    value = yaml.safe_load(text({"a": {"dtype": "int64", "default": 7, "less_than": 9}}))
    assert codes(yaml.safe_dump(value).encode()) == ["contract-contradictory"]
    value["metadata"]["policy"]["a"] = {**SAID, "on_null": "impute"}
    assert read(yaml.safe_dump(value).encode()).contract.columns[0].policy.impute == 7
    value["columns"]["a"]["default"] = 11
    assert codes(yaml.safe_dump(value).encode()) == ["contract-contradictory"]


def test_a_check_that_nulls_break_contradicts_a_policy_that_keeps_them() -> None:
    value = yaml.safe_load(
        text({"a": {"dtype": "int64", "nullable": True, "gt": {"min_value": 0, "ignore_na": False}}})
    )
    assert codes(yaml.safe_dump(value).encode()) == []
    value["metadata"]["policy"]["a"] = {**SAID, "on_null": "keep"}
    assert codes(yaml.safe_dump(value).encode()) == ["contract-contradictory"]


def test_bounds_of_the_rows_are_whole_numbers_that_fit() -> None:
    value = yaml.safe_load(text({"a": {"dtype": "int64"}}))
    for least, most in (("many", None), (-1, None), (5, 4)):
        value["metadata"] |= {"rows_at_least": least, "rows_at_most": most}
        assert codes(yaml.safe_dump(value).encode()) in (["contract-invalid"], ["contract-contradictory"])


CHECKS = {
    "numbers": [
        pandera.Check.eq(3),
        pandera.Check.ne(3),
        pandera.Check.gt(2),
        pandera.Check.ge(2),
        pandera.Check.lt(2),
        pandera.Check.le(2),
        pandera.Check.in_range(1, 4),
        pandera.Check.in_range(1, 4, include_min=False, include_max=False),
        pandera.Check.isin([1, 2, 7]),
        pandera.Check.notin([1, 2, 7]),
    ],
    "texts": [
        pandera.Check.str_matches("a|b+"),
        pandera.Check.str_contains("ab"),
        pandera.Check.str_startswith("a"),
        pandera.Check.str_endswith("b"),
        pandera.Check.str_length(1, 3),
        pandera.Check.str_length(max_value=2),
        pandera.Check.str_length(exact_value=2),
        pandera.Check.isin(["a", "ab"]),
        pandera.Check.eq("ab"),
    ],
}
VALUES = {"numbers": st.integers(-1, 8) | st.none(), "texts": st.text("abc", max_size=4) | st.none()}
DTYPES = {"numbers": "Int64", "texts": "string"}


@pytest.mark.parametrize("written", ["yaml", "json"])
@pytest.mark.parametrize(
    ("kind", "check"), [(kind, check) for kind, checks in CHECKS.items() for check in checks], ids=str
)
@settings(max_examples=8)
@given(data=st.data())
def test_what_pandera_writes_of_a_check_is_broken_by_the_very_same_values(
    written: str, kind: str, check: pandera.Check, data: st.DataObject
) -> None:
    schema = pandera.DataFrameSchema({"a": pandera.Column(DTYPES[kind], check, nullable=True)})
    dumped = schema.to_yaml(minimal=data.draw(st.booleans())) if written == "yaml" else schema.to_json()
    value = yaml.safe_load(str(dumped))
    value["metadata"] = {"version": "1.0.0", "owner": "x", "policy": {"a": {**SAID, "on_null": "keep"}}}
    reading = read((json.dumps(value) if written == "json" else yaml.safe_dump(value)).encode())
    assert reading.findings == ()
    (column,) = reading.contract.columns
    values = data.draw(st.lists(VALUES[kind], min_size=1, max_size=8))
    series = pd.Series(values, dtype=DTYPES[kind])
    theirs = check(series).check_output
    ours = [all(keeps(column.kind, rule, one) for rule in column.rules) for one in values if one is not None]
    assert ours == [bool(one) for one in theirs]


def test_a_whole_schema_means_to_us_what_pandera_reads_back_from_it() -> None:
    written = yaml.safe_load(str(SCHEMA.to_json()))
    again = pandera.DataFrameSchema.from_json(json.dumps(written))
    written["metadata"] = {"version": "2.0.0", "owner": "x", "policy": dict.fromkeys(SCHEMA.columns, SAID)}
    contract = read(json.dumps(written).encode()).contract
    assert contract.key == tuple(again.unique)
    for column in contract.columns:
        theirs = again.columns[column.name]
        assert (column.unique, column.required) == (theirs.unique, theirs.required)
        bounds = [
            value
            for one in theirs.checks
            for value in one.statistics.values()
            if not isinstance(value, list | bool | None)
        ]
        ours = [
            str(rule.value).removeprefix("^(?:").removesuffix(")")
            for rule in column.rules
            if rule.kind is not RuleKind.ONE_OF
        ]
        assert ours == [f"{value:%Y-%m-%d %H:%M:%S}" if hasattr(value, "strftime") else str(value) for value in bounds]


def test_a_name_beyond_16_bits_survives_json() -> None:
    value = {"schema_type": "dataframe", "columns": {"\U0001f600": {"dtype": "int64"}}}
    value["metadata"] = {"version": "1.0.0", "owner": "x", "policy": {"\U0001f600": SAID}}
    assert [one.name for one in read(json.dumps(value).encode()).contract.columns] == ["\U0001f600"]


def test_columns_that_are_no_texts_are_refused_by_name() -> None:
    schema = pandera.DataFrameSchema({("x", "y"): pandera.Column("int64"), 3: pandera.Column("int64")})
    with pytest.raises(BadInput) as refusal:
        read(str(schema.to_yaml()).encode())
    assert len(refusal.value.findings) == 2
    assert all("must be text" in one.message for one in refusal.value.findings)


def test_null_forbidden_and_kept_contradict_each_other() -> None:
    value = yaml.safe_load(text({"a": {"dtype": "int64", "nullable": False}}))
    value["metadata"]["policy"]["a"]["on_null"] = "keep"
    assert codes(yaml.safe_dump(value).encode()) == ["contract-contradictory"]


@pytest.mark.parametrize(
    ("written", "code"),
    [
        (text({"a": {"dtype": "complex"}}), "contract-invalid"),
        (text({"a": {"dtype": "timedelta64[ns]"}}), "contract-invalid"),
        (text({"a": {"unique": True}}), "contract-invalid"),
        (text({"a": {"dtype": "int64"}}, unique=["b"]), "contract-invalid"),
        (text({"a": {"dtype": "int64"}}, strict="no"), "contract-invalid"),
        (text({"a": {"dtype": "int64", "greater_than": "x"}}), "contract-invalid"),
        (text({"a": {"dtype": "str", "greater_than": "x"}}), "contract-invalid"),
        (text({"a": {"dtype": "str", "str_matches": "(?=x)"}}), "contract-invalid"),
        (text({"a": {"dtype": "str", "isin": "abc"}}), "contract-invalid"),
        (text({"a": {"dtype": "str", "str_length": {"least": 1}}}), "contract-invalid"),
        (text({"a": {"dtype": "int64"}}, custom=[]), "contract-unknown-key"),
        (text({"a": {"dtype": "int64", "regex": True}}), "contract-invalid"),
        (text({"a": {"dtype": "int64", "in_range": {"min_value": 3}}}), "contract-invalid"),
        (text({"a": {"dtype": "int64", "greater_than": {"value": 3, "more": 4}}}), "contract-invalid"),
        (text({}), "contract-invalid"),
        (text({"a": {"dtype": "int64"}}, colums={}), "contract-unknown-key"),
        (
            text({"a": {"dtype": "int64"}}, metadata={"version": "1.0.0", "policy": {"a": SAID, "b": SAID}}),
            "contract-unknown-key",
        ),
        (
            text({"a": {"dtype": "int64"}}, metadata={"version": "1.0.0", "policy": {"a": {**SAID, "on_nul": 1}}}),
            "contract-unknown-key",
        ),
        (
            text({"a": {"dtype": "int64"}}, metadata={"version": "1.0.0", "policy": {"a": {**SAID, "on_null": "x"}}}),
            "contract-invalid",
        ),
        (text({"a": {"dtype": "int64"}}, metadata={"version": "1.0.0", "policy": [1]}), "contract-invalid"),
        (b"schema_type: series", "contract-format"),
        (b"[1]", "contract-format"),
        (b"", "contract-format"),
    ],
)
def test_what_is_wrong_is_refused(written: bytes, code: str) -> None:
    with pytest.raises(BadInput) as refusal:
        read(written)
    assert {one.code for one in refusal.value.findings} == {code}


@pytest.mark.parametrize(
    ("written", "slip"),
    [
        ("sensitiv", True), ("sensitvie", True), ("sensitivee", False), ("snsitive", True), ("sensitive", True),
        ("xensitive", True), ("sensitivity", False), ("sensitives", False), ("sense", False), ("evitisnes", False),
    ],
)  # fmt: skip
def test_a_slip_is_one_letter_and_a_longer_word_is_another(written: str, slip: bool) -> None:
    assert slipped(written, "sensitive") is slip
