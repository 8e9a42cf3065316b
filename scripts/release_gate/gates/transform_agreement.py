"""Where training and serving differ, as findings."""

from __future__ import annotations

from release_gate.findings import finding
from release_gate.gates.transform_facts import Agreement
from release_gate.verdict import Finding, Scalar, Where

COLUMNS = 10
"""Columns named one by one; further ones are counted."""


def differences(agreement: Agreement, data: str) -> list[Finding]:
    """Every reason not to believe that both sides compute the same; `data` names the file of the rows."""
    found = [
        finding(
            "transform-missing",
            f"{one.reference} can't be loaded: {one.error}",
            where=Where(file=one.file, line=one.line),
        )
        # A function named for both sides is missing once.
        for one in dict.fromkeys(agreement.missing)
    ]
    for raised in agreement.raised:
        rows = f"{raised.rows} of {agreement.rows} rows" if raised.side == "serving" else "the sampled rows together"
        first = f", first on row {raised.row} of {data}" if raised.row is not None else ""
        message = f"the {raised.side} transform raised on {rows}{first}: {raised.error}"
        found.append(finding("transform-raised", message, where=Where(file=raised.file, line=raised.line)))
    for changed in agreement.changed:
        first = f" (on {changed.rows} of {agreement.rows} requests, first row {changed.row} of {data})"
        given = f"{changed.given} row{'s' * (changed.given != 1)}"
        message = f"the {changed.side} transform was given {given} and returned {changed.returned}"
        found.append(finding("transform-rows-changed", message + (first if changed.row is not None else "")))
    if found:
        return [*found, *_differences(agreement, data)]
    if agreement.failed is not None:
        return [finding("agreement-unproven", f"training and serving could not be compared: {agreement.failed}")]
    if agreement.rows == 0:
        return [finding("agreement-unproven", f"{data} has no rows to compare training and serving on")]
    differences = _differences(agreement, data)
    if not differences and agreement.columns == 0:
        return [finding("agreement-unproven", "the transforms returned no columns to compare")]
    if agreement.reordered:
        differences.append(finding("transforms-order", "serving returns the columns of training in a different order"))
    return differences


def _differences(agreement: Agreement, data: str) -> list[Finding]:
    found = []
    for side, other, names in (
        ("training", "serving", agreement.only_training),
        ("serving", "training", agreement.only_serving),
    ):
        if names:
            shown = ", ".join(names[:COLUMNS]) + (f" and {len(names) - COLUMNS} more" if len(names) > COLUMNS else "")
            message = f"{len(names)} column{'s' * (len(names) > 1)} that {side} makes and {other} does not: {shown}"
            found.append(finding("transforms-disagree", message, evidence={"columns": names[:50]}))
    for one in agreement.disagreements[:COLUMNS]:
        first = one.examples[0] if one.examples else None
        example = (
            f"; row {first.row} of {data}: training {_value(first.training)}, serving {_value(first.serving)}"
            if first
            else ""
        )
        message = f"column '{one.column}' differs on {one.count} of {agreement.rows} rows{example}"
        evidence: dict[str, Scalar] = {"count": one.count, "rows": agreement.rows}
        found.append(finding("transforms-disagree", message, where=Where(column=one.column), evidence=evidence))
    left = max(agreement.disagreeing_columns, len(agreement.disagreements)) - COLUMNS
    if left > 0:
        found.append(finding("transforms-disagree", f"{left} more columns differ; see the table"))
    return found


def _value(value: Scalar) -> str:
    return "null" if value is None else f"{value:.10g}" if isinstance(value, float) else repr(value)
