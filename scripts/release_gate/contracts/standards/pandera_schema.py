"""A contract as a pandera schema, for code that validates frames in memory. Importing it costs over half a second."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandera.pandas as pandera
import yaml

from release_gate.contracts.contract import Column, Contract, Kind, OnNull, Rule, RuleKind

_CHECKS: dict[RuleKind, Callable[..., pandera.Check]] = {
    RuleKind.AT_LEAST: pandera.Check.greater_than_or_equal_to,
    RuleKind.ABOVE: pandera.Check.greater_than,
    RuleKind.AT_MOST: pandera.Check.less_than_or_equal_to,
    RuleKind.BELOW: pandera.Check.less_than,
    RuleKind.STARTS_WITH: pandera.Check.str_startswith,
    RuleKind.ENDS_WITH: pandera.Check.str_endswith,
    RuleKind.PATTERN: pandera.Check.str_contains,
}
_DTYPES = {
    Kind.STRING: "string",
    Kind.INTEGER: "int64",
    Kind.NUMBER: "float64",
    Kind.BOOLEAN: "bool",
    Kind.DATE: "date",
}
_STORED = {"float": "float32", "double": "float64", "halffloat": "float16"}


def schema(contract: Contract) -> pandera.DataFrameSchema:
    """The contract's columns, rules, null policy and keys as pandera understands them; see `left_out` for the rest."""
    columns = {column.name: _column(column) for column in contract.columns}
    return pandera.DataFrameSchema(
        columns,
        unique=list(contract.key) if len(contract.key) > 1 else None,
        strict=contract.closed,
        ordered=contract.ordered,
        name=contract.table,
    )


def left_out(contract: Contract) -> list[str]:
    """What a pandera schema can't say, in words."""
    found = [
        f"column '{column.name}': {rule}" for column in contract.columns for rule in column.rules if not _known(rule)
    ]
    found += [f"{one.name or one.metric}: {one.bounds}" for one in contract.measures]
    found += [f"unique together: {', '.join(names)}" for names in contract.unique_together]
    return found + [f"check `{one.name}` in Python" for one in contract.custom]


def written(contract: Contract) -> str:
    """The schema as pandera's own YAML, with version, owner and policy under `metadata`, which pandera leaves alone."""
    document: dict[str, Any] = yaml.safe_load(str(schema(contract).to_yaml()))
    policy = {column.name: _policy(column) for column in contract.columns}
    rows = {"rows_at_least": contract.rows_least, "rows_at_most": contract.rows_most}
    told = {"version": contract.version, "owner": contract.owner, **rows, "policy": policy}
    document["metadata"] = {key: value for key, value in told.items() if value is not None}
    lost = "".join(f"# Not in this schema: {' '.join(one.split())}\n" for one in left_out(contract))
    return lost + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)


def _column(column: Column) -> pandera.Column:
    key_alone = column.unique
    return pandera.Column(
        _dtype(column),
        [_check(rule) for rule in column.rules if _known(rule)],
        nullable=column.policy.on_null not in {OnNull.REJECT, None},
        unique=key_alone,
        required=column.required,
        description=column.description,
    )


def _dtype(column: Column) -> str | None:
    stored = column.storage or ""
    if column.kind is Kind.TIMESTAMP:
        unit = stored[len("timestamp[") :].split("]")[0].split(",")[0] if stored else "us"
        return f"datetime64[{unit}, UTC]" if column.zone else f"datetime64[{unit}]"
    if column.kind is Kind.INTEGER:
        # pandas' own integers hold no null; its nullable ones are written with a capital.
        name = stored or "int64"
        keeps = column.policy.on_null not in {OnNull.REJECT, None}
        return name.replace("int", "Int").replace("uI", "UI") if keeps else name
    return _STORED.get(stored) or _DTYPES.get(column.kind)


def _known(rule: Rule) -> bool:
    return rule.kind in {*_CHECKS, RuleKind.ONE_OF, RuleKind.NONE_OF, RuleKind.SHORTEST, RuleKind.LONGEST}


def _check(rule: Rule) -> pandera.Check:
    options: dict[str, Any] = {"raise_warning": True} if rule.warns else {}
    if rule.kind in _CHECKS:
        return _CHECKS[rule.kind](rule.value, **options)
    if rule.kind in {RuleKind.ONE_OF, RuleKind.NONE_OF}:
        chosen = pandera.Check.isin if rule.kind is RuleKind.ONE_OF else pandera.Check.notin
        return chosen(list(rule.value) if isinstance(rule.value, tuple) else [rule.value], **options)
    low, high = (rule.value, None) if rule.kind is RuleKind.SHORTEST else (None, rule.value)
    return pandera.Check.str_length(low, high, **options)


def _policy(column: Column) -> dict[str, Any]:
    said = column.policy
    on_null: Any = said.on_null.value if said.on_null else None
    if said.impute is not None:
        on_null = {"impute": said.impute}
    backfill: Any = said.backfill.how if said.backfill else None
    if said.backfill and (said.backfill.who or said.backfill.since):
        backfill = {"how": said.backfill.how, "who": said.backfill.who, "since": said.backfill.since}
    written_ = {
        "on_null": on_null,
        "on_invalid": said.invalid_words if said.on_invalid else None,
        "backfill": backfill,
        "sensitive": said.sensitive or None,
    }
    return {key: value for key, value in written_.items() if value is not None}
