"""Whatever stands where in a contract: it is read, or refused with a place; reading never fails in another way."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from release_gate.contracts.contract import Contract
from release_gate.contracts.reading import read
from release_gate.documents import parse
from release_gate.findings import BadInput
from release_gate.verdict import Finding
from tests.contracts.written import POLICY, column, odcs, valid

SAID = {"on_null": {"impute": 0}, "on_invalid": "clip up to 5%", "backfill": {"how": "x", "who": "y"}, "since": "1.0.0"}
STANDARD = yaml.safe_load(
    odcs(
        column("id", "string", primaryKey=True, logicalTypeOptions={"pattern": "^a", "minLength": 1, "format": "uuid"}),
        column("at", "timestamp", logicalTypeOptions={"minimum": "2020-01-01", "timezone": True}, classification="pii"),
        column("km", "number", quality=[{"metric": "nullValues", "mustBeBetween": [1, 2], "unit": "percent"}]),
        column("city", "string", quality=valid("x"), enum=[{"value": "x"}], physicalName="CITY"),
        column("list", "array", logicalTypeOptions={"maxItems": 3}, items={"logicalType": "string"}),
        quality=[
            {"type": "sql", "query": "select count(*) from {object}", "mustBe": 1, "name": "q"},
            {"metric": "duplicateValues", "arguments": {"properties": ["id", "city"]}, "mustBe": 0},
        ],
        slaProperties=[{"property": "latency", "value": 1, "unit": "d", "element": "rides.at"}],
        slaDefaultElement="at",
        customProperties=[{"property": "owner", "value": "x"}],
    )
)
PANDERA: dict[str, Any] = {
    "schema_type": "dataframe",
    "columns": {
        "a": {"dtype": "int64", "in_range": {"min_value": 0, "max_value": 5}, "nullable": True, "default": 1},
        "b": {"dtype": "str", "checks": [{"value": "x", "options": {"check_name": "str_matches", "ignore_na": False}}]},
        "c": {"dtype": "category", "isin": ["x"], "unique_values_eq": {"values": ["x"], "raise_warning": True}},
    },
    "checks": {"not_equal_to": {"value": 99, "options": {}}},
    "index": [{"name": "i", "dtype": "int64"}],
    "multiindex": {"unique": ["i"]},
    "unique": ["a", "b"],
    "strict": True,
    "metadata": {
        "version": "1.0.0",
        "owner": "x",
        "rows_at_least": 1,
        "policy": {name: dict(SAID) for name in ("a", "b", "c", "i")},
    },
}
ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 300)
    | st.floats()
    | st.sampled_from(["", "x", "0", "a.b", "5%", "(?=a)"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["value", "name", "how"]), inner, max_size=2)
    ),
    max_leaves=3,
)


def paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place in a document below its top."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [one for key, part in inner for one in [(*path, key), *paths(part, (*path, key))]]


@pytest.mark.parametrize("whole", [STANDARD, PANDERA], ids=["standard", "pandera"])
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_any_value_anywhere_is_read_or_refused_with_its_place(whole: dict[str, Any], data: st.DataObject) -> None:
    changed = copy.deepcopy(whole)
    for path in data.draw(st.lists(st.sampled_from(paths(whole)), min_size=1, max_size=2)):
        spot: Any = changed
        try:
            for step in path[:-1]:
                spot = spot[step]
            spot[path[-1]] = data.draw(ANY)
        except (KeyError, IndexError, TypeError):
            continue  # the first change took the second's place away
    contract, findings = outcome(yaml.safe_dump(changed).encode())
    assert contract is not None or findings
    assert all(one.where.file == "c.yml" for one in findings)
    if contract is not None:
        sound(contract)


def outcome(text: bytes) -> tuple[Contract | None, tuple[Finding, ...]]:
    """The contract and what is said of it; None where it is refused."""
    try:
        reading = read(parse(text, "c.yml"), "rides")
    except BadInput as refusal:
        return None, refusal.findings
    return reading.contract, reading.findings


def sound(contract: Contract) -> None:
    """Hold the values to the types that everything later relies on."""
    texts: list[object] = [contract.name, contract.table, contract.version, *(one.name for one in contract.columns)]
    assert all(isinstance(text, str) for text in texts)
    maybe: list[object] = [contract.owner, *(one.description for one in contract.columns)]
    assert all(text is None or isinstance(text, str) for text in maybe)
    values: list[object] = [rule.value for one in contract.columns for rule in one.rules]
    values += [one.policy.impute for one in contract.columns if one.policy.impute is not None]
    assert not any(isinstance(value, dict | list) for value in values)
    assert all(contract.column(name) is not None for name in contract.key)


def test_the_contracts_that_are_changed_are_read_as_they_stand() -> None:
    assert set(POLICY) == {"onNull", "onInvalid", "backfill"}
    for whole in (STANDARD, PANDERA):
        assert read(parse(yaml.safe_dump(whole).encode(), "c.yml"), "rides").contract.columns
