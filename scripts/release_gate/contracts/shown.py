"""A contract as people read it: what holds for the table, each column with its policy, all measures; and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from release_gate.contracts.contract import Bounds, Column, Contract, Measure, Metric
from release_gate.verdict import Scalar, Table

_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
NOT_DECLARED = "not declared"


def tables(contract: Contract) -> list[Table]:
    """The head, the columns, and what is measured or checked over the whole table, where anything is."""
    columns = _counted(len(contract.columns), "column")
    title = f"{contract.name} {contract.version or 'without a version'}: {columns}"
    found = [
        Table(title=title, columns=["table", contract.table], rows=[[name, value] for name, value in _head(contract)]),
        Table(
            title="Columns",
            columns=["column", "type", "rules", "on null", "on invalid", "backfill", "description"],
            rows=[_row(contract, column) for column in contract.columns][:2000],
        ),
    ]
    checks: list[list[Scalar]] = [_check(one.name, one.columns, words(one), one.warns) for one in contract.measures]
    checks += [
        _check(one.name, (one.column,) if one.column else (), "keeps the check in Python", one.warns)
        for one in contract.custom
    ]
    if checks:
        found.append(Table(title="Measures and checks", columns=["name", "of", "must be", "else"], rows=checks[:2000]))
    return found


def words(measure: Measure) -> str:
    """What a measure must be: `null values: at most 5 %`, `age of the newest row: at most 2 days`."""
    bounds = measure.bounds
    if measure.metric is Metric.AGE:
        return f"{measure.metric}: {_age(bounds)}"
    query = f" `{' '.join(measure.query.split())}`" if measure.query else ""
    rules = f" ({'; '.join(map(str, measure.rules))})" if measure.rules else ""
    values = f" ({', '.join('null' if one is None else str(one) for one in measure.values)})" if measure.values else ""
    return f"{measure.metric}{query}{rules}{values}: {bounds}{' %' * measure.share}"


def plain(contract: Contract) -> dict[str, Any]:
    """The contract as JSON has it."""
    return {
        "name": contract.name,
        "version": contract.version,
        "owner": contract.owner,
        "table": contract.table,
        "format": contract.format,
        "key": list(contract.key),
        "unique_together": [list(names) for names in contract.unique_together],
        "rows": {"least": contract.rows_least, "most": contract.rows_most},
        "closed": contract.closed,
        "ordered": contract.ordered,
        "reference": contract.reference,
        "measures": [
            {"name": one.name, "columns": list(one.columns), "must_be": words(one), "warns": one.warns}
            for one in contract.measures
        ],
        "custom": [{"name": one.name, "column": one.column, "warns": one.warns} for one in contract.custom],
        "columns": [_plain(column) for column in contract.columns],
    }


def _plain(column: Column) -> dict[str, Any]:
    said, backfill = column.policy, column.policy.backfill
    return {
        "column": column.name,
        "type": column.kind.value,
        "storage": column.storage,
        "zone": column.zone,
        "required": column.required,
        "unique": column.unique,
        "rules": [{"rule": rule.kind.value, "value": rule.value, "warns": rule.warns} for rule in column.rules],
        "on_null": said.on_null.value if said.on_null else None,
        "impute": said.impute,
        "null_share_drift": said.drift,
        "on_invalid": said.on_invalid.value if said.on_invalid else None,
        "up_to": said.share or None,
        "backfill": {"how": backfill.how, "who": backfill.who, "since": backfill.since} if backfill else None,
        "sensitive": said.sensitive,
        "since": column.since,
        "description": column.description,
    }


def _head(contract: Contract) -> Iterator[tuple[str, str]]:
    """What holds for the table; what is not said is shown too, since it decides something."""
    yield "owner", contract.owner or NOT_DECLARED
    yield "key", ", ".join(contract.key) or NOT_DECLARED
    if contract.unique_together:
        yield "unique together", "; ".join(", ".join(names) for names in contract.unique_together)
    bounds = (("at least", contract.rows_least), ("at most", contract.rows_most))
    yield "rows", ", ".join(f"{said} {number:,}" for said, number in bounds if number is not None) or NOT_DECLARED
    ages = [f"{', '.join(one.columns)}: {_age(one.bounds)}" for one in contract.measures if one.metric is Metric.AGE]
    yield "freshness", "; ".join(ages) or NOT_DECLARED
    yield "other columns", "refused" if contract.closed else "warned of"
    if contract.ordered:
        yield "order of columns", "as declared"
    if contract.reference:
        yield "schema in Python", contract.reference


def _row(contract: Contract, column: Column) -> list[Scalar]:
    said = column.policy
    zones = {None: "", True: ", with time zone", False: ", without time zone"}
    kind = f"{column.kind}{f' ({column.storage})' if column.storage else ''}{zones[column.zone]}"
    marks = {
        "key": column.name in contract.key,
        "unique": column.unique,
        "sensitive": said.sensitive,
        "may be absent": not column.required,
        f"since {column.since}": column.since is not None,
    }
    rules = [f"{rule}{' (only warned of)' * rule.warns}" for rule in column.rules]
    promised = "; ".join([*(name for name, holds in marks.items() if holds), *rules])
    backfill = str(said.backfill) if said.backfill else NOT_DECLARED
    return [column.name, kind, promised, _on_null(column), said.invalid_words, backfill, column.description or ""]


def _on_null(column: Column) -> str:
    said = column.policy
    imputed = "" if said.impute is None else f" {said.impute}"
    drift = "" if said.drift is None else f", share moves by at most {said.drift * 100:g}%"
    return f"{said.on_null}{imputed}{drift}" if said.on_null else NOT_DECLARED + drift


def _check(name: str | None, columns: tuple[str, ...], must_be: str, warns: bool) -> list[Scalar]:
    return [name or "", ", ".join(columns) or "the table", must_be, "warned of" if warns else "rejected"]


def _age(bounds: Bounds) -> str:
    if bounds.least is None and bounds.most is not None:
        return f"{'below' if bounds.most_excluded else 'at most'} {_duration(bounds.most)}"
    return f"{bounds} seconds"


def _duration(seconds: float) -> str:
    """In the largest unit that leaves no rest: `36 hours`."""
    name, size = next(((name, size) for name, size in _UNITS if seconds % size == 0), ("second", 1))
    return _counted(seconds / size, name)


def _counted(number: float, name: str) -> str:
    return f"{number:,g} {name}{'s' * (number != 1)}"
