"""Turns counts into findings, as each column's policy declares: reject, tell, or quarantine up to a share."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping

from release_gate.contracts.contract import Column, Contract, OnInvalid, OnNull, RuleKind
from release_gate.contracts.counts import Broken, ColumnCount, Counts, Fit, KeyCount
from release_gate.contracts.examples import evidence, shown
from release_gate.contracts.measured import custom_findings, drift_findings, exactly, measure_findings
from release_gate.contracts.storage import kind
from release_gate.findings import finding
from release_gate.verdict import Finding, Scalar, Severity, Where

_CODES = {
    **dict.fromkeys((RuleKind.AT_LEAST, RuleKind.ABOVE, RuleKind.AT_MOST, RuleKind.BELOW), "value-range"),
    **dict.fromkeys((RuleKind.ONE_OF, RuleKind.NONE_OF), "value-set"),
    **dict.fromkeys((RuleKind.SHORTEST, RuleKind.LONGEST), "value-length"),
    **dict.fromkeys((RuleKind.PATTERN, RuleKind.STARTS_WITH, RuleKind.ENDS_WITH), "value-pattern"),
    **dict.fromkeys((RuleKind.FEWEST_ITEMS, RuleKind.MOST_ITEMS, RuleKind.DISTINCT_ITEMS), "value-items"),
    RuleKind.MULTIPLE_OF: "value-multiple",
}
_NULL_WORDS = {OnNull.KEEP: "kept", OnNull.IMPUTE: "to be imputed", OnNull.DROP_ROW: "their rows to be dropped"}


def data_findings(contract: Contract, counts: Counts, accepted: Mapping[str, float] | None = None) -> list[Finding]:
    """Every breach of the contract; a file that was not parted into columns, or has no rows, is only that.

    `accepted` holds the share of nulls (0 to 1) by column of the data that was accepted last.
    """
    if counts.delimiter is not None:
        mark = {"\t": "a tab"}.get(counts.delimiter, f"'{counts.delimiter}'")
        message = f"the file is not parted by commas: its only column holds {mark}"
        return [finding("table-delimiter", message, where=Where(table=counts.table))]
    found = [*_shape(contract, counts)]
    if counts.rows == 0:
        # A file without a single column is empty and nothing else; of one with columns their names are judged too.
        nothing = not (counts.columns or counts.undeclared or counts.repeated)
        told = "the file is empty: no columns and no rows" if nothing else "the table has no rows"
        empty = finding("table-empty", told, where=Where(table=counts.table))
        return [empty] if nothing else [empty, *found]
    found += _rows(contract, counts)
    for count in counts.columns:
        column = contract.column(count.name)
        if column is not None:
            found += _column(column, count, counts)
    found += [_key(key, contract, counts) for key in counts.keys if key.rows]
    found += _keys_without_column(contract, counts)
    found += [*measure_findings(counts, contract.sensitive), *custom_findings(counts)]
    found += drift_findings(contract, counts, accepted)
    return found + _nulls_handled(contract, counts)


def within_share(column: Column, count: ColumnCount, rows: int) -> bool:
    """Whether a column's invalid rows are no more than its contract lets be clipped, set to null or quarantined."""
    return count.invalid <= exactly(column.policy.limit) * rows


def _shape(contract: Contract, counts: Counts) -> Iterator[Finding]:
    # Without a header the first row stands in its place, and a name may be a value.
    foreign = bool(counts.missing) and not counts.columns
    secret = foreign and bool(contract.sensitive)
    others = () if secret else counts.undeclared
    for name in counts.missing:
        column = contract.column(name)
        near = difflib.get_close_matches(name.lower(), [other.lower() for other in others], n=1)
        real = next((other for other in others if near and other.lower() == near[0]), None)
        hint = f"; did '{real}' take its place?" if real else ""
        promised = {"type": column.kind.value} if column else {}
        message = f"the column '{name}' is missing{hint}"
        yield finding("column-missing", message, where=Where(table=counts.table, column=name), evidence=promised)
    for name in counts.repeated:
        where = Where(table=counts.table, column=name)
        yield finding("column-repeated", f"the column '{name}' stands there more than once", where=where)
    if counts.undeclared:
        names = ", ".join(one or "''" for one in others[:20]) + (" and more" if len(others) > 20 else "")
        message = f"{_many(len(counts.undeclared), 'column')} without a contract"
        message += f": {names}" if names else ", whose names may be values of a sensitive column"
        message += "; not one column of the contract is there: does the file lack its header?" if foreign else ""
        names_found = {"columns": others[:100]}
        severity = Severity.ERROR if contract.closed else None
        where = Where(table=counts.table)
        yield finding("column-undeclared", message, where=where, severity=severity, evidence=names_found)
    if contract.ordered and counts.misplaced:
        order = ", ".join(column.name for column in contract.columns[:20])
        message = f"the columns stand in another order than declared: {order}"
        yield finding("column-order", message, where=Where(table=counts.table))


def _rows(contract: Contract, counts: Counts) -> Iterator[Finding]:
    where, rows = Where(table=counts.table), counts.rows
    if contract.rows_least is not None and rows < contract.rows_least:
        message = f"{_many(rows, 'row')}; the contract asks for at least {contract.rows_least:,}"
        yield finding("rows-too-few", message, where=where, evidence={"rows": rows, "least": contract.rows_least})
    if contract.rows_most is not None and rows > contract.rows_most:
        message = f"{_many(rows, 'row')}; the contract allows {contract.rows_most:,} at most"
        yield finding("rows-too-many", message, where=where, evidence={"rows": rows, "most": contract.rows_most})


def _column(column: Column, count: ColumnCount, counts: Counts) -> Iterator[Finding]:
    where = Where(table=counts.table, column=column.name)
    promised = f"{column.kind.value}{_zone(column)}"
    if count.fit is Fit.WRONG:
        narrow = column.storage if kind(count.found or "") is column.kind else None
        message = f"holds {count.found}, the contract says {narrow or promised}"
        said: dict[str, Scalar | list[Scalar]] = {"found": count.found, "promised": promised}
        if count.misfits:
            verb = "does" if count.misfits == 1 else "do"
            message += f": {_part(count.misfits, counts.rows)} {verb} not fit{shown(count.misfit_examples)}"
            said |= evidence(count.misfits, count.misfit_examples)
        yield finding("column-type", message, where=where, evidence=said)
    elif count.fit is Fit.STORAGE:
        # Whether a float would be rounded to another one is not looked at.
        fits = "" if column.storage in {"double", "float", "halffloat"} else "; every value fits"
        message = f"is stored as {count.found}, the contract says {column.storage or promised}{fits}"
        yield finding("column-storage", message, where=where, evidence={"found": count.found})
    if count.nulls and column.policy.on_null in {OnNull.REJECT, None}:
        message = f"{_part(count.nulls, counts.rows)} without a value, which the contract rejects"
        message += shown(count.null_examples)
        yield finding("null-rejected", message, where=where, evidence=evidence(count.nulls, count.null_examples))
    elif count.nulls == counts.rows:
        yield finding("column-all-null", "not one row has a value", where=where)
    for rule, cause in count.unjudgeable:
        message = f"`{rule}` can't be judged: {cause}"
        yield finding("rule-unjudgeable", message, where=column.where if column.where.file else where)
    yield from _invalid(column, count, counts)
    for one in count.broken:
        if one.rule is not None and one.rule.warns:
            yield _broken(column, one, counts, Severity.WARNING)


def _invalid(column: Column, count: ColumnCount, counts: Counts) -> Iterator[Finding]:
    if not count.invalid:
        return
    where, said = Where(table=counts.table, column=column.name), column.policy
    blocking = [one for one in count.broken if one.rule is None or not one.rule.warns]
    rules = "; ".join(f"{_many(one.rows, 'row')} {_breach(one, column)}{shown(one.examples)}" for one in blocking)
    rows_shown = evidence(count.invalid, tuple(row for one in blocking for row in one.examples))
    part = _part(count.invalid, counts.rows)
    if said.share and not within_share(column, count, counts.rows):
        message = f"{part} invalid, more than declared (`{said.invalid_words}`): {rules}"
        yield finding("invalid-exceeded", message, where=where, evidence=rows_shown)
        return
    if said.on_invalid is OnInvalid.QUARANTINE:
        kept = f"; the rows are in {counts.quarantine}" if counts.quarantine else ""
        message = f"{part} quarantined (up to {said.share * 100:g}% may be): {rules}{kept}"
        yield finding("rows-quarantined", message, where=where, evidence=rows_shown)
        return
    handled = []
    for one in blocking:
        if _mended(column, one):
            handled.append(one)
        else:
            yield _broken(column, one, counts)
    if handled:
        rules = "; ".join(f"{_part(one.rows, counts.rows)} {_breach(one, column)}" for one in handled)
        message = f"invalid values, declared `{said.invalid_words}`: {rules}"
        yield finding("invalid-handled", message, where=where, evidence=rows_shown)


def _broken(column: Column, one: Broken, counts: Counts, severity: Severity | None = None) -> Finding:
    code = "value-unreadable" if one.rule is None else _CODES[one.rule.kind]
    message = f"{_part(one.rows, counts.rows)} {_breach(one, column)}{shown(one.examples)}"
    where = Where(table=counts.table, column=column.name)
    return finding(code, message, where=where, severity=severity, evidence=evidence(one.rows, one.examples))


def _mended(column: Column, broken: Broken) -> bool:
    """Whether the declared behaviour mends it: clipping mends only what is out of a range."""
    if column.policy.on_invalid is OnInvalid.CLIP:
        return broken.rule is not None and broken.rule.kind.is_range
    return column.policy.on_invalid is OnInvalid.SET_NULL


def _key(key: KeyCount, contract: Contract, counts: Counts) -> Finding:
    names = ", ".join(key.columns)
    code = "key-duplicate" if key.columns == contract.key else "value-duplicate"
    message = f"{_part(key.rows, counts.rows)} sharing their {names} with another row{shown(key.examples)}"
    where = Where(table=counts.table, column=names)
    return finding(code, message, where=where, evidence=evidence(key.rows, key.examples))


def _keys_without_column(contract: Contract, counts: Counts) -> Iterator[Finding]:
    """Keys of which an optional column is absent: no row can be told from another by them."""
    optional = {column.name for column in contract.columns if not column.required}
    absent = optional - {count.name for count in counts.columns} - set(counts.repeated)
    for columns in ((contract.key,) if contract.key else ()) + contract.unique_together:
        lost = [name for name in columns if name in absent]
        if lost:
            names = ", ".join(columns)
            message = f"that no two rows share their {names} can't be judged: the table has no column '{lost[0]}'"
            yield finding("rule-unjudgeable", message, where=Where(table=counts.table, column=names))


def _nulls_handled(contract: Contract, counts: Counts) -> list[Finding]:
    """One note for each declared behaviour, naming the columns whose nulls it meets."""
    notes = []
    for behaviour, words in _NULL_WORDS.items():
        met = [
            f"{count.name} {count.nulls:,}"
            for count in counts.columns
            if 0 < count.nulls < counts.rows
            and (column := contract.column(count.name))
            and column.policy.on_null is behaviour
        ]
        if met:
            message = f"missing values, {words} as declared: {', '.join(met)}"
            notes.append(finding("null-handled", message, where=Where(table=counts.table)))
    return notes


def _breach(broken: Broken, column: Column) -> str:
    return broken.rule.breach if broken.rule is not None else f"not readable as {column.kind.value}{_zone(column)}"


def _zone(column: Column) -> str:
    return "" if column.zone is None else " with a time zone" if column.zone else " without a time zone"


def _many(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _part(number: int, rows: int) -> str:
    return (
        f"{_many(number, 'row')} ({number / rows:.2%})"
        if number * 10_000 >= rows
        else f"{_many(number, 'row')} (<0.01%)"
    )
