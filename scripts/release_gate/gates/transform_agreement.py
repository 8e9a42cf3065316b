"""Where training and serving differ, as findings."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from release_gate.findings import finding
from release_gate.gates.transform_facts import Agreement, Changed, Disagreement, Mode, Raised
from release_gate.verdict import Finding, Scalar, Severity, Where

COLUMNS = 10
"""Columns named one by one; further ones are counted."""
WORDS: dict[Mode, str] = {
    "alone": "row by row",
    "together": "in one request",
    "few": "a few rows at a time",
    "shuffled": "in one request in another order",
}
"""How serving was asked."""


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
    found += [_raised(one, agreement.rows, data) for one in agreement.raised]
    found += [_changed(one, agreement.rows, data) for one in agreement.changed]
    if found:
        return [*found, *_differences(agreement, data)]
    if agreement.failed is not None:
        return [finding("agreement-unproven", f"training and serving could not be compared: {agreement.failed}")]
    if agreement.rows == 0:
        return [finding("agreement-unproven", f"{data} has no rows to compare training and serving on")]
    differences = _differences(agreement, data)
    if not differences and agreement.columns == 0:
        return [finding("agreement-unproven", "the transforms returned no columns to compare")]
    return [*differences, *_lesser(agreement)]


def without_values(agreement: Agreement, names: Collection[str]) -> Agreement:
    """The same, without a value of the columns named: those of sensitive features appear in no output."""
    shown = (one.model_copy(update={"examples": ()}) if one.column in names else one for one in agreement.disagreements)
    return agreement.model_copy(update={"disagreements": tuple(shown)})


def following(breach: Finding, differing: Collection[str]) -> Finding:
    """A breach as a warning where the sides disagree on its column: that blocks, and is its likely cause."""
    follows = breach.severity is Severity.ERROR and breach.where.column in differing
    return breach.model_copy(update={"severity": Severity.WARNING}) if follows else breach


def how(modes: Iterable[Mode]) -> str:
    """In which ways serving was asked, in words."""
    return ", ".join(WORDS[one] for one in modes)


def _raised(one: Raised, rows: int, data: str) -> Finding:
    on = f"{one.rows} of {rows} rows{_asked(one.mode)}" if one.side == "serving" else "the sampled rows together"
    first = f", first on row {one.row} of {data}" if one.row is not None else ""
    message = f"the {one.side} transform raised on {on}{first}: {one.error}"
    return finding("transform-raised", message, where=Where(file=one.file, line=one.line))


def _changed(one: Changed, rows: int, data: str) -> Finding:
    first = f" (on {one.rows} of {rows} requests, first row {one.row} of {data})"
    if one.mode != "alone":
        first = _asked(one.mode)
    given = f"{one.given} row{'s' * (one.given != 1)}"
    message = f"the {one.side} transform was given {given} and returned {one.returned}"
    # One answer to several rows is what a transform gives that was written for one.
    single = one.mode != "alone" and one.returned == 1
    remedy = (
        "Return one row of features for each row of the request; if a request never holds more than one, declare "
        "`transforms.serving_rows: one`."
    )
    message += first if one.row is not None else ""
    return finding("transform-rows-changed", message, remedy=remedy if single else None)


def _asked(mode: Mode) -> str:
    return "" if mode == "alone" else f", asked {WORDS[mode]}"


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
    found += [_differs(one, agreement, data) for one in agreement.disagreements[:COLUMNS]]
    left = max(agreement.disagreeing_columns, len(agreement.disagreements)) - COLUMNS
    if left > 0:
        found.append(finding("transforms-disagree", f"{left} more columns differ; see the table"))
    return found


def _differs(one: Disagreement, agreement: Agreement, data: str) -> Finding:
    first = one.examples[0] if one.examples else None
    example = (
        f"; row {first.row} of {data}: training {_value(first.training)}, serving {_value(first.serving)}"
        if first
        else ""
    )
    # Said only where it tells something: the neighbours of a row then decide what its features are.
    asked = f" when serving is asked {how(one.modes)}" if set(one.modes) < set(agreement.modes) else ""
    kinds = next((kind for kind in agreement.retyped if kind.column == one.column), None)
    types = f"; training makes {kinds.training}, serving {kinds.serving}" if kinds else ""
    message = f"column '{one.column}' differs on {one.count} of {agreement.rows} rows{asked}{example}{types}"
    evidence: dict[str, Scalar | Sequence[Scalar]] = {"count": one.count, "rows": agreement.rows}
    if asked:
        evidence["asked"] = list(one.modes)
    return finding("transforms-disagree", message, where=Where(column=one.column), evidence=evidence)


def _lesser(agreement: Agreement) -> list[Finding]:
    """What is to be said where every value may agree: order, kinds, and a tolerance that is for nothing."""
    found = []
    if agreement.reordered:
        found.append(finding("transforms-order", "serving returns the columns of training in a different order"))
    differing = {one.column for one in agreement.disagreements}
    for one in agreement.retyped:
        if one.column not in differing:
            message = f"column '{one.column}': training makes {one.training}, serving {one.serving}, of equal values"
            found.append(finding("transforms-types", message, where=Where(column=one.column)))
    if agreement.unused:
        names = ", ".join(agreement.unused[:COLUMNS])
        found.append(finding("tolerance-unused", f"`transforms.tolerance` names what training does not make: {names}"))
    return found


def _value(value: Scalar) -> str:
    return "null" if value is None else f"{value:.10g}" if isinstance(value, float) else repr(value)
