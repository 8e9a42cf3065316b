"""Writes a table as its contract declares it to be read: clipped, set to null, imputed, rows dropped or left out.

What is written keeps the contract, so that doing it again to what was written changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from release_gate.contracts.contract import Contract, Kind, OnInvalid, OnNull, RuleKind
from release_gate.contracts.expressions import limit, literal, storable, typed
from release_gate.contracts.values import Judged
from release_gate.files import file_whole
from release_gate.on_demand import ibis, on_demand
from release_gate.tables.checks import ColumnChecks, once, under_names
from release_gate.tables.quarantine import conditions
from release_gate.tables.relation import Unanswered
from release_gate.tables.scan import Scanned

_TYPES = on_demand("ibis.expr.datatypes")
_SCALES = {"s": 0, "ms": 3, "us": 6, "ns": 9}
_LOW = {RuleKind.AT_LEAST, RuleKind.ABOVE}


def unwritable(contract: Contract) -> list[tuple[str, str]]:
    """Columns whose declared behaviour can't be applied, and why."""
    found = []
    for column in contract.columns:
        said = column.policy
        if said.on_null is OnNull.IMPUTE and said.impute is None:
            found.append((column.name, "missing values are to be imputed, and the contract does not say by what"))
        if said.on_invalid is OnInvalid.CLIP:
            excluded = [rule for rule in column.rules if rule.kind in {RuleKind.ABOVE, RuleKind.BELOW}]
            if excluded and column.kind is not Kind.INTEGER:
                found.append((column.name, f"nothing can be clipped to `{excluded[0]}`: there is no nearest value"))
    return found


def write_clean(path: Path, scanned: Scanned, proof: Callable[[Path], None] = lambda _: None) -> int:
    """Write every column of the table, declared ones as their policy says; returns how many rows are left.

    Call it only for a table that passed: what is rejected is not mended here. `proof` is shown the whole file before it
    takes its name, and raises where it does not keep what is promised.

    Raises:
        Unanswered: the engine refuses, or a value can't be stored.
    """
    relation = scanned.relation
    rows = _without_quarantined(relation.table, scanned.checks)
    declared = {one.name: one for one in scanned.checks}
    columns: dict[str, Any] = {}
    for found in relation.shape.columns:
        one = declared.get(found.name)
        columns[found.name] = relation.table[found.held] if one is None else _mended(one, relation.table[found.held])
    mended = rows.select(**{f"m{place}": value for place, value in enumerate(columns.values())})
    dropping = [
        mended[f"m{place}"].notnull()
        for place, name in enumerate(columns)
        if name in declared and declared[name].judged.column.policy.on_null is OnNull.DROP_ROW
    ]
    kept = mended.filter(dropping) if dropping else mended
    renamed = under_names(kept, {name: kept[f"m{place}"] for place, name in enumerate(columns)})
    with file_whole(path) as written:
        left = relation.write(renamed, str(written))
        proof(written)
    return left


def _without_quarantined(table: Any, checks: Iterable[ColumnChecks]) -> Any:
    found = [
        condition
        for one in checks
        if one.judged.column.policy.on_invalid is OnInvalid.QUARANTINE
        for condition, _ in conditions(one)
    ]
    return table.filter(~once(found)) if found else table


def _mended(one: ColumnChecks, held: Any) -> Any:
    """The value of a column after its policy: what is invalid first, then what is missing, be it so from the first."""
    judged = one.judged
    said, value = judged.column.policy, judged.value
    if judged.found.storage == "null":
        value = ibis.null(stored(judged))
    elif value is None:
        return held  # a nested value: no rule judges it, and none mends it
    if said.on_invalid is OnInvalid.CLIP:
        value = _clipped(one, value)
    elif said.on_invalid is OnInvalid.SET_NULL and conditions(one):
        value = ibis.ifelse(once(condition for condition, _ in conditions(one)), ibis.null(), value)
    if said.on_null is OnNull.IMPUTE and said.impute is not None:
        value = value.fill_null(_imputed(judged))
    return value.cast(stored(judged))


def _imputed(judged: Judged) -> Any:
    """The value that takes the place of a missing one, as the column stores it.

    Raises:
        Unanswered: the column can't store it.
    """
    said = judged.column.policy.impute
    try:
        value = typed(said, judged.column.kind)
        held = storable(value, judged)
    except ValueError as error:
        raise Unanswered(f"column '{judged.column.name}': {error}") from error
    if not held:
        raise Unanswered(f"column '{judged.column.name}' is stored as {judged.found.storage}, which can't hold {said}")
    return literal(value, judged)


def _clipped(one: ColumnChecks, value: Any) -> Any:
    """The nearest value within the ranges; of integers an excluded bound's neighbour."""
    for check in one.checks:
        rule = check.rule
        if not rule.kind.is_range or rule.warns:
            continue
        bound = limit(rule, one.judged)
        if rule.kind in {RuleKind.ABOVE, RuleKind.BELOW}:
            bound += 1 if rule.kind is RuleKind.ABOVE else -1
        edge = literal(bound, one.judged)
        beyond = value < edge if rule.kind in _LOW else value > edge
        value = ibis.ifelse(beyond, edge, value)
    return value


def stored(judged: Judged) -> Any:
    """The type of the written column: the data's own, of text the one that its contract names."""
    found, column = judged.found, judged.column
    if not found.text and found.storage not in {"uuid", "null"}:
        return found.dtype
    exact = column.storage or ""
    if column.kind is Kind.TIMESTAMP:
        scale = next((places for unit, places in _SCALES.items() if exact.startswith(f"timestamp[{unit}")), 6)
        return _TYPES.Timestamp(timezone="UTC" if column.zone else None, scale=scale)
    if column.kind is Kind.INTEGER and "int" in exact:
        return exact
    if column.kind is Kind.NUMBER and exact in {"float", "halffloat"}:
        return "float32"
    if column.kind is Kind.NUMBER and exact.startswith("decimal128"):
        return exact.replace("decimal128", "decimal")
    named = {Kind.INTEGER: "int64", Kind.NUMBER: "float64", Kind.BOOLEAN: "boolean", Kind.DATE: "date"}
    return {**named, Kind.TIME: "time"}.get(column.kind, "string")
