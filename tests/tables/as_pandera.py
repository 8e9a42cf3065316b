"""The oracle of the scan: the same contract as a pandera schema, validated by pandera on pandas, check by check.

Only pandera's own built-in checks are used, so that nothing of ours judges itself.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pandas as pd
import pandera.errors
import pandera.pandas as pa_pandas
import pyarrow as pa

from release_gate.contracts.contract import Column, Contract, Kind, OnNull, Rule, RuleKind

_SIMPLE: dict[RuleKind, Callable[..., pa_pandas.Check]] = {
    RuleKind.AT_LEAST: pa_pandas.Check.greater_than_or_equal_to,
    RuleKind.ABOVE: pa_pandas.Check.greater_than,
    RuleKind.AT_MOST: pa_pandas.Check.less_than_or_equal_to,
    RuleKind.BELOW: pa_pandas.Check.less_than,
    RuleKind.STARTS_WITH: pa_pandas.Check.str_startswith,
    RuleKind.ENDS_WITH: pa_pandas.Check.str_endswith,
}
_NULLABLE = {
    **{getattr(pa, f"int{bits}")(): getattr(pd, f"Int{bits}Dtype")() for bits in (8, 16, 32, 64)},
    **{getattr(pa, f"uint{bits}")(): getattr(pd, f"UInt{bits}Dtype")() for bits in (8, 16, 32, 64)},
    pa.bool_(): pd.BooleanDtype(),
}


def check(rule: Rule, stored: pa.DataType) -> pa_pandas.Check:
    """One rule as pandera's own check, its bound as a value of the stored type."""
    if rule.kind in _SIMPLE:
        return _SIMPLE[rule.kind](_value(rule.value, stored))
    if rule.kind in {RuleKind.ONE_OF, RuleKind.NONE_OF}:
        assert isinstance(rule.value, tuple)
        chosen = pa_pandas.Check.isin if rule.kind is RuleKind.ONE_OF else pa_pandas.Check.notin
        return chosen([_value(one, stored) for one in rule.value])
    if rule.kind is RuleKind.PATTERN:
        # Python's `$` also stands before a last line break, RE2's only at the end: a difference that is meant.
        return pa_pandas.Check.str_contains(str(rule.value).replace("$", r"\Z"))
    assert rule.kind in {RuleKind.SHORTEST, RuleKind.LONGEST}
    low, high = (rule.value, None) if rule.kind is RuleKind.SHORTEST else (None, rule.value)
    return pa_pandas.Check.str_length(low, high)


def _value(value: Any, stored: pa.DataType) -> Any:
    if pa.types.is_timestamp(stored):
        return pd.Timestamp(value, tz=stored.tz) if stored.tz else pd.Timestamp(value)
    if pa.types.is_date(stored):
        return dt.date.fromisoformat(value)
    if pa.types.is_time(stored):
        return dt.time.fromisoformat(value)
    return Decimal(str(value)) if pa.types.is_decimal(stored) else value


def frame(table: pa.Table) -> pd.DataFrame:
    """The table as pandas holds it without losing a digit."""
    return table.to_pandas(types_mapper=_NULLABLE.get)


def failing_rows(column: Column, rule: Rule, table: pa.Table) -> list[int]:
    """The rows, from 1, that pandera says break one rule."""
    stored = table.schema.field(column.name).type
    schema = pa_pandas.DataFrameSchema({column.name: pa_pandas.Column(checks=check(rule, stored), nullable=True)})
    return _rows(schema, frame(table.select([column.name])))


def null_rows(column: Column, table: pa.Table) -> list[int]:
    """The rows, from 1, that pandera says have no value."""
    schema = pa_pandas.DataFrameSchema({column.name: pa_pandas.Column(nullable=False)})
    return _rows(schema, frame(table.select([column.name])))


def shared_rows(names: tuple[str, ...], table: pa.Table) -> list[int]:
    """The rows, from 1, that pandera says share the values of columns; it is given those without null only.

    pandera takes two nulls for the same value: a difference that is meant.
    """
    present = frame(table.select(list(names))).dropna()
    if len(names) == 1:
        schema = pa_pandas.DataFrameSchema({names[0]: pa_pandas.Column(unique=True, report_duplicates="all")})
    else:
        schema = pa_pandas.DataFrameSchema(unique=list(names), report_duplicates="all")
    return _rows(schema, present)


def _rows(schema: pa_pandas.DataFrameSchema, table: pd.DataFrame) -> list[int]:
    try:
        schema.validate(table, lazy=True)
    except pandera.errors.SchemaErrors as error:
        cases = error.failure_cases
        assert cases["index"].notna().all(), cases.to_string()  # a check that raised is no count
        return sorted({int(row) + 1 for row in cases["index"]})
    return []


def rejects_null(contract: Contract, name: str) -> bool:
    """Whether the contract refuses a missing value there."""
    column = contract.column(name)
    return column is not None and column.policy.on_null in {OnNull.REJECT, None}


JUDGED_BY_PANDERA = {Kind.STRING, Kind.INTEGER, Kind.NUMBER, Kind.BOOLEAN, Kind.DATE, Kind.TIMESTAMP, Kind.TIME}
