"""A contract exported to pandera: read back it is the same, and pandera itself judges by it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pandera.errors
import pytest

from release_gate.contracts.contract import (
    NOWHERE,
    Backfill,
    Bounds,
    Column,
    Contract,
    Kind,
    Measure,
    Metric,
    OnInvalid,
    OnNull,
    Policy,
    Rule,
    RuleKind,
)  # fmt: skip
from release_gate.contracts.reading import read
from release_gate.contracts.standards.pandera_schema import left_out, schema, written
from release_gate.documents import parse
from release_gate.documents import read as read_document

SAID = Policy(OnNull.REJECT, OnInvalid.REJECT, backfill=Backfill("Run the load again", "the data team", "2020-01-01"))
IMPUTED = replace(SAID, on_null=OnNull.IMPUTE, impute="Oslo")
QUARANTINED = replace(SAID, on_invalid=OnInvalid.QUARANTINE, share=0.05)
COLUMNS = (
    Column("id", Kind.INTEGER, (Rule(RuleKind.AT_LEAST, 1),), SAID, unique=True),
    Column("city", Kind.STRING, (Rule(RuleKind.ONE_OF, ("Oslo", "Bern")), Rule(RuleKind.LONGEST, 4)), IMPUTED),
    Column("share", Kind.NUMBER, (Rule(RuleKind.ABOVE, 0), Rule(RuleKind.AT_MOST, 1)), QUARANTINED),
    Column("code", Kind.STRING, (Rule(RuleKind.PATTERN, "^[A-Z]+$"),), replace(SAID, sensitive=True)),
)
CONTRACT = Contract("rides", "1.2.0", COLUMNS, table="rides", owner="@octo-air", rows_least=1, closed=True)


def test_an_exported_contract_is_read_back_the_same() -> None:
    again = read(parse(written(CONTRACT).encode(), "exported.yml"))
    assert again.findings == ()
    for column, read_back in zip(CONTRACT.columns, again.contract.columns, strict=True):
        assert replace(read_back, where=NOWHERE, storage=None) == column
    assert (again.contract.version, again.contract.owner, again.contract.rows_least) == ("1.2.0", "@octo-air", 1)
    assert again.contract.closed


@pytest.mark.parametrize("name", ["flight-delay/contracts/flights.yml", "batch-scores/contracts/rain.yml"])
def test_the_contracts_of_the_examples_can_be_exported(name: str) -> None:
    path = Path(__file__).parents[2] / "examples" / name
    contract = read(read_document(path, shown=name), path.stem).contract
    again = read(parse(written(contract).encode(), "exported.yml")).contract
    assert [(one.name, one.kind, one.rules, one.policy) for one in again.columns] == [
        (one.name, one.kind, one.rules, one.policy) for one in contract.columns
    ]


def test_pandera_judges_by_what_is_exported() -> None:
    good = pd.DataFrame({"id": [1, 2], "city": ["Oslo", None], "share": [0.5, 1.0], "code": ["A", "B"]})
    schema(CONTRACT).validate(good.astype({"city": "string", "code": "string"}))
    bad = good.assign(id=[1, 1], share=[0.0, 2.0]).astype({"city": "string", "code": "string"})
    with pytest.raises(pandera.errors.SchemaErrors) as refused:
        schema(CONTRACT).validate(bad, lazy=True)
    assert set(refused.value.failure_cases["column"]) == {"id", "share"}


def test_what_pandera_cannot_say_is_named() -> None:
    step = Column("n", Kind.NUMBER, (Rule(RuleKind.MULTIPLE_OF, 5),), SAID)
    fresh = Measure(Metric.AGE, Bounds(most=60), columns=("at",), name="fresh")
    lost = left_out(replace(CONTRACT, columns=(step,), measures=(fresh,)))
    assert lost == ["column 'n': a multiple of 5", "fresh: at most 60"]
    assert "# Not in this schema: fresh: at most 60\n" in written(replace(CONTRACT, columns=(step,), measures=(fresh,)))
