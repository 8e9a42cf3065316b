"""Turns a contract into a pandera schema: the one place that knows pandera. Importing it costs over a second.

Types are judged apart (a logical type has several exact ones), so the schema's columns carry none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pandera.pandas as pandera
import pyarrow as pa
import pyarrow.compute as pc

from release_gate.contracts.contract import Column, Contract, Kind, OnNull, Rule, RuleKind

Series = Any
"""A pandas Series; its element type is known only from the data."""


def dataframe_schema(contract: Contract) -> pandera.DataFrameSchema:
    """The contract as a pandera schema; each check's `name` is its rule in words."""
    columns = {
        column.name: pandera.Column(
            checks=[check(column, rule) for rule in column.rules],
            nullable=column.policy.on_null not in {OnNull.REJECT, None},
            unique=column.unique,
            required=True,
        )
        for column in contract.columns
    }
    return pandera.DataFrameSchema(columns, unique=list(contract.key) or None, name=contract.table)


def check(column: Column, rule: Rule) -> pandera.Check:
    """One rule as a pandera check on values without nulls, with bounds of the column's own type.

    Raises:
        ValueError: a pattern that RE2 does not read (it takes linear time, and in exchange no look-around).
    """
    value = rule.value
    makers: dict[RuleKind, Callable[..., pandera.Check]] = {
        RuleKind.AT_LEAST: pandera.Check.ge,
        RuleKind.ABOVE: pandera.Check.gt,
        RuleKind.AT_MOST: pandera.Check.le,
        RuleKind.BELOW: pandera.Check.lt,
    }
    if rule.kind in makers:
        return makers[rule.kind](_bound(column.kind, value), name=str(rule))
    if rule.kind in {RuleKind.ONE_OF, RuleKind.NONE_OF}:
        chosen = pandera.Check.isin if rule.kind is RuleKind.ONE_OF else pandera.Check.notin
        values = value if isinstance(value, tuple) else (value,)
        return chosen([_bound(column.kind, one) for one in values], name=str(rule))
    if rule.kind is RuleKind.MULTIPLE_OF:
        return pandera.Check(lambda series: _multiple(series, float(str(value))), name=str(rule))
    if rule.kind is RuleKind.PATTERN:
        _compiled(str(value))
        return pandera.Check(lambda series: _matches(series, str(value)), name=str(rule))
    low, high = (value, None) if rule.kind is RuleKind.SHORTEST else (None, value)
    return pandera.Check.str_length(low, high, name=str(rule))


def _bound(kind: Kind, value: Any) -> Any:
    """A bound as values of the column are compared: times in UTC without zone, times of day as durations."""
    if kind in {Kind.DATE, Kind.TIMESTAMP}:
        moment = pd.Timestamp(value)
        return moment if moment.tzinfo is None else moment.tz_convert("UTC").tz_localize(None)
    if kind is Kind.TIME:
        parts = str(value).count(":")
        return pd.Timedelta(str(value) + ":00" * (2 - parts))
    return value


def _matches(series: Series, pattern: str) -> Series:
    """Whether the pattern is found in each text; `^` and `$` mean the text's ends, as in the standard."""
    found = pc.match_substring_regex(pa.array(series, type=pa.string()), pattern)
    return pd.Series(found.to_numpy(zero_copy_only=False), index=series.index)


def _compiled(pattern: str) -> None:
    try:
        pc.match_substring_regex(pa.array([""]), pattern)
    except pa.ArrowInvalid as error:
        raise ValueError(str(error)) from error


def _multiple(series: Series, step: float) -> Series:
    """Multiples up to rounding: 0.3 is a multiple of 0.1."""
    steps = series.astype("float64") / step
    return (steps - steps.round()).abs() <= 1e-9 * steps.abs().clip(lower=1.0)
