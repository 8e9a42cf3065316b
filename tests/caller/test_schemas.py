"""Schemas of pandera in the caller's code, written down by a real second Python and read as contracts."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pandera.pandas as pandera
import pytest
import yaml

from release_gate.caller.environments import given_environment
from release_gate.caller.inside.schemas import load
from release_gate.caller.processes import Processes
from release_gate.caller.schemas import CUSTOM, MAXIMUM_BYTES, parsed, schema_of
from release_gate.contracts.contract import Contract, Custom, Kind, OnNull, Rule, RuleKind
from release_gate.contracts.reading import read, read_exported
from release_gate.contracts.standards.pandera_yaml import read as read_pandera
from release_gate.documents import Document, parse
from release_gate.findings import BadInput

CODE = """
import enum
import re

import pandas as pd
import pandera.pandas as pa
from pandera.typing import Series

SAID = {"on_null": "reject", "on_invalid": "reject", "backfill": "Load again."}


class City(enum.Enum):
    OSLO = "Oslo"
    BERN = "Bern"


rides = pa.DataFrameSchema(
    {
        "id": pa.Column("int64", [pa.Check.ge(0), pa.Check(lambda s: s % 2 == 0, name="even")], unique=True),
        "city": pa.Column(str, pa.Check.isin([City.OSLO.value, City.BERN.value])),
        "fare": pa.Column(float, [pa.Check(lambda v: v < 100, element_wise=True, raise_warning=True)], nullable=True),
        "name": pa.Column(str, [pa.Check.str_matches(re.compile("^[a-z]+$", re.I))], required=False),
        "at": pa.Column("datetime64[ns]", pa.Check.gt(pd.Timestamp("2020-01-01"))),
    },
    checks=[pa.Check(lambda frame: frame["id"].is_monotonic_increasing, error="rows are in order"), pa.Check.ne(-5)],
    strict=True,
    name="rides",
    metadata={"version": "1.0.0", "owner": "@octo-air", "policy": {
        **{name: SAID for name in ("id", "city", "name", "at")}, "fare": {**SAID, "on_null": "keep"}}},
)


class Rides(pa.DataFrameModel):
    id: Series[int] = pa.Field(ge=0, unique=True, metadata=SAID)
    city: Series[str] = pa.Field(isin=["Oslo", "Bern"], metadata=SAID, nullable=True)

    @pa.check("id")
    def is_even(cls, series):
        return series % 2 == 0

    class Config:
        strict = True
        metadata = {"version": "2.0.0", "owner": "@octo-air"}


parsed = pa.DataFrameSchema({"a": pa.Column(int, parsers=pa.Parser(lambda s: s.abs()))})
spread = pa.DataFrameSchema({"a": pa.Column(float, pa.Hypothesis.one_sample_ttest(popmean=0))})
named = pa.DataFrameSchema({"a": pa.Column(int, pa.Check(lambda s: s > 3, name="greater_than"))})
number = 3
"""
LIMIT = 120.0


def exported(runner: Processes, root: Path, reference: str, code: str = CODE, limit: float = LIMIT) -> Document:
    (root / "schemas.py").write_text(code)
    environment = given_environment(Path(sys.executable), root)
    return schema_of(reference, root=root, environment=environment, runner=runner, limit=limit)


def contract(runner: Processes, root: Path, name: str) -> Contract:
    reading = read_exported(exported(runner, root, f"schemas:{name}"), f"schemas:{name}")
    assert reading.findings == ()
    return reading.contract


def test_a_schema_becomes_a_contract_with_its_own_checks_by_place(runner: Processes, tmp_path: Path) -> None:
    found = contract(runner, tmp_path, "rides")
    assert (found.name, found.version, found.owner, found.closed) == ("rides", "1.0.0", "@octo-air", True)
    assert (found.reference, found.format, found.file) == ("schemas:rides", "pandera", "schemas.py")
    assert found.custom == (
        Custom("even", 1, "id"),
        Custom("check 1", 0, "fare", warns=True),
        Custom("rows are in order", 0, None),
    )
    assert [(one.name, one.kind, one.required, one.unique) for one in found.columns] == [
        ("id", Kind.INTEGER, True, True),
        ("city", Kind.STRING, True, False),
        ("fare", Kind.NUMBER, True, False),
        ("name", Kind.STRING, False, False),
        ("at", Kind.TIMESTAMP, True, False),
    ]
    everywhere = Rule(RuleKind.NONE_OF, (-5,))
    assert found.columns[0].rules == (Rule(RuleKind.AT_LEAST, 0), everywhere)
    assert found.columns[1].rules == (Rule(RuleKind.ONE_OF, ("Oslo", "Bern")),)
    assert found.columns[2].policy.on_null is OnNull.KEEP
    line = found.columns[0].where.line
    assert line is not None
    assert CODE.splitlines()[line - 1].startswith("rides =")


def test_a_model_becomes_a_contract_with_the_policy_of_its_fields(runner: Processes, tmp_path: Path) -> None:
    found = contract(runner, tmp_path, "Rides")
    assert (found.version, found.closed, found.custom) == ("2.0.0", True, (Custom("is_even", 1, "id"),))
    assert [one.rules for one in found.columns] == [
        (Rule(RuleKind.AT_LEAST, 0),),
        (Rule(RuleKind.ONE_OF, ("Oslo", "Bern")),),
    ]
    assert found.columns[0].policy.backfill is not None


def test_a_hypothesis_and_a_check_that_borrows_a_name_are_the_callers_own(runner: Processes, tmp_path: Path) -> None:
    for name, custom in (("spread", Custom("one_sample_ttest", 0, "a")), ("named", Custom("greater_than", 0, "a"))):
        found = read_exported(exported(runner, tmp_path, f"schemas:{name}"), name).contract
        assert (found.custom, found.columns[0].rules) == ((custom,), ())


def test_a_parser_is_refused_by_name(runner: Processes, tmp_path: Path) -> None:
    findings = read_exported(exported(runner, tmp_path, "schemas:parsed"), "schemas:parsed").findings
    (found,) = [one for one in findings if one.code == "contract-rule-unjudged"]
    assert "parsers" in found.message
    assert found.where.file == "schemas.py"


DTYPES = """
import enum

import pandas as pd
import pandera.pandas as pa
from pandera import dtypes
from pandera.engines import pandas_engine


class City(str, enum.Enum):
    OSLO = "Oslo"


@pandas_engine.Engine.register_dtype
@dtypes.immutable
class Ip(pandas_engine.NpString):
    def check(self, pandera_dtype, data_container=None):
        return super().check(pandera_dtype, data_container)


class Address(Ip):
    pass


@pandas_engine.Engine.register_dtype
@dtypes.immutable
class Lower(pandas_engine.NpString):
    def coerce(self, data_container):
        return data_container.str.lower()


@pandas_engine.Engine.register_dtype
@dtypes.immutable
class Named(pandas_engine.NpString):
    pass


categories = pa.DataFrameSchema({
    "v": pa.Column(pd.CategoricalDtype(["x", "y"])),
    "c": pa.Column(pa.Category(categories=["x"]), pa.Check(lambda s: s == "x", name="x"), coerce=True),
    "n": pa.Column(pd.CategoricalDtype([1, 2])),
    "e": pa.Column(City),
    "w": pa.Column("category"),
}, index=pa.Index(pd.CategoricalDtype(["k"]), name="k"))
everywhere = pa.DataFrameSchema({"v": pa.Column(), "w": pa.Column(str)}, dtype=pd.CategoricalDtype(["x", "y"]),
                              index=pa.Index(str, name="k"))
coded = pa.DataFrameSchema({
    "v": pa.Column(Ip), "l": pa.Column(Lower, coerce=True), "k": pa.Column(Lower), "n": pa.Column(Named),
}, index=pa.Index(Address, name="i"))
table = pa.DataFrameSchema({"v": pa.Column(), "w": pa.Column()}, dtype=Lower, coerce=True)
SAID = {"on_null": "reject", "on_invalid": "reject", "backfill": "Load again."}
META = {"version": "1.0.0", "owner": "@octo-air"}
levels = pa.DataFrameSchema(
    {"v": pa.Column(int, metadata=SAID)},
    index=pa.MultiIndex(
        [pa.Index("int64", name="a", metadata=SAID), pa.Index("int64", name="b", coerce=True, metadata=SAID)],
        unique=["a", "b"], strict=True,
    ),
    unique=["v"], strict=True, metadata=META,
)
converted = pa.DataFrameSchema(
    {"v": pa.Column(int, metadata=SAID)},
    index=pa.MultiIndex([pa.Index("int64", name=name, metadata=SAID) for name in "ab"], coerce=True),
    metadata=META,
)


class Levels(pa.DataFrameModel):
    a: pa.typing.Index[int] = pa.Field(metadata=SAID)
    b: pa.typing.Index[int] = pa.Field(metadata=SAID)
    v: int = pa.Field(metadata=SAID)

    class Config:
        multiindex_unique = ["a", "b"]
        metadata = META
"""


def test_the_categories_of_a_dtype_are_a_set_of_values(runner: Processes, tmp_path: Path) -> None:
    document = exported(runner, tmp_path, "schemas:categories", DTYPES)
    found = read_exported(document, "schemas:categories").contract
    assert [(one.name, one.kind, one.rules) for one in found.columns] == [
        ("v", Kind.STRING, (Rule(RuleKind.ONE_OF, ("x", "y")),)),
        ("c", Kind.STRING, (Rule(RuleKind.ONE_OF, ("x",)),)),
        ("n", Kind.INTEGER, (Rule(RuleKind.ONE_OF, (1, 2)),)),
        ("e", Kind.STRING, (Rule(RuleKind.ONE_OF, ("Oslo",)),)),
        ("w", Kind.STRING, ()),
        ("k", Kind.STRING, (Rule(RuleKind.ONE_OF, ("k",)),)),
    ]
    assert found.custom == (Custom("x", 0, "c"),)
    everywhere = read_exported(exported(runner, tmp_path, "schemas:everywhere", DTYPES), "schemas:everywhere")
    assert [one.rules for one in everywhere.contract.columns] == [(Rule(RuleKind.ONE_OF, ("x", "y")),)] * 3


def unjudged(runner: Processes, root: Path, name: str) -> list[str]:
    findings = read_exported(exported(runner, root, f"schemas:{name}", DTYPES), f"schemas:{name}").findings
    return [one.message for one in findings if one.code == "contract-rule-unjudged"]


def test_a_dtype_that_judges_by_its_own_code_is_refused_by_name(runner: Processes, tmp_path: Path) -> None:
    assert unjudged(runner, tmp_path, "coded") == [
        "the dtype Ip of column 'v', which checks values by its own code, can't be judged",
        "the dtype Lower of column 'l', which converts values by its own code, can't be judged",
        "the dtype Address of column 'i', which checks values by its own code, can't be judged",
    ]
    assert unjudged(runner, tmp_path, "table") == [
        f"the dtype Lower of column '{name}', which converts values by its own code, can't be judged" for name in "vw"
    ]


def test_what_an_index_demands_of_its_levels_together_is_kept(runner: Processes, tmp_path: Path) -> None:
    reading = read_exported(exported(runner, tmp_path, "schemas:levels", DTYPES), "schemas:levels")
    assert reading.findings == ()
    assert (reading.contract.key, reading.contract.unique_together) == (("v",), (("a", "b"),))
    assert [one.storage for one in reading.contract.columns] == ["int64", "int64", None]
    model = read_exported(exported(runner, tmp_path, "schemas:Levels", DTYPES), "schemas:Levels")
    assert (model.findings, model.contract.key) == ((), ("a", "b"))
    converted = read_exported(exported(runner, tmp_path, "schemas:converted", DTYPES), "schemas:converted")
    assert [one.storage for one in converted.contract.columns] == ["int64", None, None]


def test_no_check_of_many_is_left_out_and_too_many_are_refused(tmp_path: Path) -> None:
    def of(count: int) -> bytes:
        custom = [{"column": f"c{place}", "place": 0, "name": "x", "warns": False} for place in range(count)]
        return json.dumps({"schema": {"custom": custom}, "file": None, "line": 1, "failed": None}).encode()

    assert len(parsed(of(1001), "schemas:rides", tmp_path).value["custom"]) == 1001
    with pytest.raises(BadInput, match=f"has {CUSTOM + 1:,} checks of its own; at most {CUSTOM:,} are run") as refusal:
        parsed(of(CUSTOM + 1), "schemas:rides", tmp_path)
    assert refusal.value.findings[0].code == "contract-python-failed"


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("ride", "did you mean 'rides'"),
        ("number", "is a int, not a DataFrameSchema"),
        ("nothing_like_it", "no schema 'nothing_like_it'; it has rides, Rides"),
    ],
)
def test_what_is_no_schema_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, cause: str) -> None:
    (tmp_path / "schemas_to_load.py").write_text(CODE)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises((AttributeError, TypeError), match=cause):
        load(f"schemas_to_load:{name}")


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("import sys\nx = 1 / 0\n", "ZeroDivisionError"),
        ("import absent_module", "No module named 'absent_module'"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("import os\nos._exit(4)", "ended with status 4"),
        ("while True: pass", "longer than 5 s"),
    ],
)
def test_code_that_does_not_import_says_where_it_ended(
    runner: Processes, tmp_path: Path, code: str, cause: str
) -> None:
    with pytest.raises(BadInput) as refusal:
        exported(runner, tmp_path, "schemas:rides", code, limit=5)
    (found,) = refusal.value.findings
    assert cause in found.message
    if "1 / 0" in code:
        assert (found.where.file, found.where.line) == ("schemas.py", 2)


def test_what_the_process_writes_is_held_to_shape_and_size(tmp_path: Path) -> None:
    whole: dict[str, Any] = {"schema": {"columns": {}}, "file": None, "line": 1, "failed": None}
    custom = {"column": "a", "place": 0, "name": "x", "warns": False}
    broken: list[bytes] = [
        b"",
        b"[]",
        b"{}",
        b"x" * (MAXIMUM_BYTES + 1),
        b'{"schema":' + b'{"a":' * 100_000,
        json.dumps({**whole, "more": 1}).encode(),
        json.dumps({**whole, "schema": None}).encode(),
        json.dumps({**whole, "schema": {"custom": [{**custom, "place": -1}]}}).encode(),
        json.dumps({**whole, "schema": {"custom": 7}}).encode(),
    ]
    for text in broken:
        with pytest.raises(BadInput) as refusal:
            parsed(text, "schemas:rides", tmp_path)
        assert refusal.value.findings[0].code == "contract-python-failed"
    assert parsed(json.dumps(whole).encode(), "schemas:rides", tmp_path).file == "schemas:rides"


@pytest.mark.parametrize(
    "schema",
    [
        {"columns": 7},
        {"columns": {"a": 7}},
        {"columns": {"a": {"dtype": ["int64"], "checks": "x"}}, "metadata": [1]},
        {"columns": [7, {"name": 3}], "checks": 7, "index": 7, "unique": 7, "multiindex": 7},
        {"columns": {"a": {"dtype": "int64", "metadata": 7, "default": {}}}, "name": {}, "refused": "x"},
    ],
)
def test_a_schema_of_any_shape_is_read_or_refused(schema: dict[str, Any], tmp_path: Path) -> None:
    text = json.dumps({"schema": schema, "file": None, "line": 1, "failed": None}).encode()
    document = parsed(text, "schemas:rides", tmp_path)
    try:
        findings = read_exported(document, "schemas:rides").findings
    except BadInput as refusal:
        findings = refusal.findings
    assert findings


SCHEMAS = [
    pandera.DataFrameSchema(
        {
            "a": pandera.Column("Int64", [pandera.Check.in_range(1, 5, include_min=False)], nullable=True, unique=True),
            "s": pandera.Column(str, [pandera.Check.str_length(1, 3), pandera.Check.unique_values_eq({"x", "y"})]),
        },
        index=pandera.Index("int64", pandera.Check.ge(0), name="row"),
        ordered=True,
        coerce=True,
        unique=["a", "s"],
    ),
    pandera.DataFrameSchema(
        {"v": pandera.Column("int64")},
        index=pandera.MultiIndex(
            [pandera.Index("int64", name="a"), pandera.Index("int8", name="b")], unique=["a", "b"], coerce=True
        ),
        unique=["v"],
    ),
    pandera.DataFrameSchema({"d": pandera.Column("category", pandera.Check.isin(["x"]), default="x")}, strict="filter"),
]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_what_we_export_means_what_pandera_itself_writes(schema: pandera.DataFrameSchema) -> None:
    from release_gate.caller.inside.schema_export import exported as ours  # its names are ours alone here

    theirs = read_any(yaml.safe_dump(yaml.safe_load(str(schema.to_yaml()))).encode())
    mine = read_any(json.dumps(ours(schema)).encode())
    assert [(one.name, one.kind, one.rules, one.unique, one.storage) for one in mine.columns] == [
        (one.name, one.kind, one.rules, one.unique, one.storage) for one in theirs.columns
    ]
    assert [(one.metric, one.values) for one in mine.measures] == [(one.metric, one.values) for one in theirs.measures]
    assert (mine.key, mine.ordered, mine.closed) == (theirs.key, theirs.ordered, theirs.closed)
    assert mine.unique_together == theirs.unique_together


def read_any(text: bytes) -> Contract:
    return read(parse(text, "c.json")).contract


def test_only_our_own_export_may_name_checks_of_code() -> None:
    given = parse(b'{"schema_type": "dataframe", "columns": {"a": {"dtype": "int64"}}, "custom": []}', "c.json")
    with pytest.raises(BadInput, match="unknown key 'custom'"):
        read_pandera(given)
