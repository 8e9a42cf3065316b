"""Turns what was measured over whole tables, and checks of the caller's Python, into findings."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from fractions import Fraction

from release_gate.contracts.contract import Contract, Measure, Metric
from release_gate.contracts.counts import Counts, CustomCount, Measured
from release_gate.contracts.examples import evidence, shown
from release_gate.findings import finding
from release_gate.verdict import Finding, Scalar, Severity, Where

_MOST_DIGITS = 17
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def measure_findings(counts: Counts, sensitive: Collection[str] = ()) -> Iterator[Finding]:
    """A finding for each measure out of its bounds, and for each that came to no number.

    A number that may itself be a value of a `sensitive` column is judged and not shown.
    """
    for one in counts.measures:
        if counts.rows == 0 and one.measure.metric is not Metric.ROWS:
            continue  # that the table is empty is said already
        if one.value is None:
            message = f"{_title(one.measure)} can't be judged: {one.cause}"
            yield finding("measure-unjudgeable", message, where=_where(one.measure, counts))
            continue
        if one.ahead:
            rows = f"{one.ahead:,} row{'' if one.ahead == 1 else 's'}"
            message = f"{_title(one.measure)}: {rows} from the future left out, of which no age can be told"
            yield finding("data-ahead", message, where=_where(one.measure, counts), evidence={"rows": one.ahead})
        if not one.measure.bounds.hold(one.value):
            yield _breach(one, one.value, counts, hidden=_tells(one.measure, sensitive))


def custom_findings(counts: Counts) -> Iterator[Finding]:
    """A finding for each check of the caller's Python that failed or could not be run."""
    for one in counts.custom:
        where = Where(table=counts.table, column=one.check.column)
        if one.cause is not None:
            yield finding(
                "custom-check-unrun", f"the check `{one.check.name}` could not be run: {one.cause}", where=where
            )
        elif one.rows:
            yield _custom(one, where)


def drift_findings(contract: Contract, counts: Counts, accepted: Mapping[str, float] | None) -> Iterator[Finding]:
    """Columns whose share of nulls moved further than declared from that of the last accepted data.

    `accepted` holds that share (0 to 1) by column; None where no data was accepted before.
    """
    watched = [column for column in contract.columns if column.policy.drift is not None]
    if not watched or not counts.rows:
        return
    held = {one.name: one for one in counts.columns}
    unknown = [column.name for column in watched if column.name in held and column.name not in (accepted or {})]
    if unknown or accepted is None:
        names = ", ".join(unknown[:5]) + (" and more" if len(unknown) > 5 else "")
        message = f"no earlier data to compare the share of nulls with: {names}"
        yield finding("null-drift-unknown", message, where=Where(table=counts.table))
    for column in watched:
        if accepted is None or column.name not in held or column.name not in accepted:
            continue
        before, now = accepted[column.name], held[column.name].nulls / counts.rows
        drift = exactly(column.policy.drift or 0.0)
        if abs(Fraction(held[column.name].nulls, counts.rows) - exactly(before)) > drift:
            left, right = _apart(now, before, drift)
            message = f"{left} of the rows have no value, {right} had none in the last accepted data"
            message += f"; the contract lets it move by {float(drift * 100):g} points"
            where = Where(table=counts.table, column=column.name)
            yield finding("null-share-drifted", message, where=where, evidence={"before": before, "now": now})


def exactly(share: float) -> Fraction:
    """A share as it was written or counted: 0.29, which no float is, so that 29 rows of 100 are no more than it."""
    return Fraction(share).limit_denominator(10**9)


def _apart(now: float, before: float, drift: Fraction) -> tuple[str, str]:
    """Two shares with as many digits as show that they are further apart than allowed."""
    shown = [(f"{now:.{digits}%}", f"{before:.{digits}%}") for digits in range(2, 13)]
    far = (one for one in shown if abs(_percent(one[0]) - _percent(one[1])) > drift * 100)
    return next(far, shown[-1])


def _percent(text: str) -> Fraction:
    return Fraction(text.removesuffix("%"))


def _breach(one: Measured, value: float, counts: Counts, *, hidden: bool) -> Finding:
    measure = one.measure
    severity = Severity.WARNING if measure.warns else None
    code = "data-stale" if measure.metric is Metric.AGE else "measure-breached"
    bounds = str(measure.bounds)
    if hidden:
        asked = _aged(measure) if measure.metric is Metric.AGE else bounds
        told = f"not what the contract asks for, {asked}; the number is left out, since it may be a sensitive value"
    elif measure.metric is Metric.AGE:
        told = f"{age(value)}, the contract asks for {_aged(measure)}"
    elif measure.share:
        told = f"{_digits(measure, value, 4)}% of the rows, the contract asks for {bounds}%"
    else:
        told = f"{_digits(measure, value, 10)}, the contract asks for {bounds}"
    message = f"{_title(measure)}: {told}"
    where = _where(measure, counts)
    held: dict[str, Scalar | list[Scalar]] = {"bounds": bounds} if hidden else {"value": value, "bounds": bounds}
    return finding(code, message, where=where, severity=severity, evidence=held)


def _digits(measure: Measure, value: float, least: int) -> str:
    """A number with as many digits as show that it is out of its bounds."""
    rounded = (f"{value:,.{digits}g}" for digits in range(least, _MOST_DIGITS))
    return next((text for text in rounded if not measure.bounds.hold(float(text.replace(",", "")))), repr(value))


def _tells(measure: Measure, sensitive: Collection[str]) -> bool:
    """Whether the number may be a sensitive value: an age is a moment, and a query may return whatever it meets."""
    if measure.metric is Metric.AGE:
        return not set(measure.columns).isdisjoint(sensitive)
    return measure.metric is Metric.QUERY and bool(sensitive)


def _custom(one: CustomCount, where: Where) -> Finding:
    severity = Severity.WARNING if one.check.warns else None
    rows = f"{one.rows:,} row{'' if one.rows == 1 else 's'}"
    message = f"{rows} {'fails' if one.rows == 1 else 'fail'} the check `{one.check.name}`{shown(one.examples)}"
    return finding(
        "custom-check-failed", message, where=where, severity=severity, evidence=evidence(one.rows, one.examples)
    )


def _title(measure: Measure) -> str:
    words = measure.metric.value
    if measure.metric is Metric.INVALID and measure.rules:
        words += f" (not {' or not '.join(map(str, measure.rules[:3]))})"
    return f"'{measure.name}' ({words})" if measure.name else words


def _where(measure: Measure, counts: Counts) -> Where:
    return Where(table=counts.table, column=", ".join(measure.columns) or None)


def age(seconds: float) -> str:
    """A length of time in its two largest units: `2 d 3 h`."""
    left, parts = abs(int(seconds)), []
    for size, unit in _UNITS:
        if left >= size:
            parts.append(f"{left // size} {unit}")
            left %= size
    words = " ".join(parts[:2]) or "0 s"
    return words if seconds >= 0 else f"{words} in the future"


def _aged(measure: Measure) -> str:
    most = measure.bounds.most
    return f"at most {age(most)}" if most is not None else str(measure.bounds)
