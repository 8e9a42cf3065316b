"""What endpoint-test concludes from the checks a server was put to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from release_gate.findings import finding
from release_gate.lifecycle.package import Package
from release_gate.verdict import Finding, Outcome, Subject, Table, Verdict, Where, concluded

GATE = "endpoint-test"
Check = tuple[str, float, str, Finding | None]
"""Name, seconds, detail, and the finding of a check that failed."""


UNASKED = {
    "golden": "smoke-golden-unasked",
    "version": "smoke-version-unasked",
    "malformed": "smoke-malformed-unasked",
}
"""What smoke.yml asks for nowhere → the code that says so."""


def unproven(unasked: Sequence[str], file: str) -> tuple[Finding, ...]:
    """A finding for each thing that no check of a smoke file asks for."""
    told = {
        "golden": "no check asks for the recorded predictions, so the server may predict anything",
        "version": "no check expects `{version}`, so another version than the packaged one may answer",
        "malformed": "no check posts something malformed and expects 4xx",
    }
    return tuple(finding(UNASKED[what], told[what], where=Where(file=file)) for what in unasked)


@dataclass(frozen=True)
class Tested:
    """What was seen: the checks, the seconds until the server was ready, what went wrong around them, and what the
    checks can't prove because none asks for it."""

    checks: tuple[Check, ...]
    ready: float | None = None
    problems: tuple[Finding, ...] = ()
    unproven: tuple[Finding, ...] = ()


def judge(package: Package, tested: Tested | None, started: datetime) -> Verdict:
    """The verdict on a package's server; None: the package serves nothing."""
    subject = Subject(kind="package", name=package.model, identity=package.digest)
    if tested is None:
        note = finding("serve-absent", f"{package.model} declares no server: delivery is {package.contents.delivery}")
        outcome, findings, tables = Outcome.SKIPPED, [note], []
    else:
        failed = [problem for *_, problem in tested.checks if problem is not None]
        # A server that died is one reason, however many checks it left unanswered.
        findings = _once([*tested.problems, *failed, *tested.unproven])
        # A list of checks that ran to no result proves nothing.
        outcome = concluded(findings) if tested.checks else Outcome.FAIL
        tables = [_table(tested)]
    return Verdict(
        gate=GATE,
        model=package.model,
        outcome=outcome,
        findings=findings,
        tables=tables,
        subjects=[subject],
        started=started,
    )


def _once(findings: list[Finding]) -> list[Finding]:
    return [found for number, found in enumerate(findings) if found not in findings[:number]]


def _table(tested: Tested) -> Table:
    ready = "never" if tested.ready is None else f"{tested.ready:.1f} s"
    return Table(
        title=f"Checks of the packaged server (ready after: {ready})",
        columns=["check", "outcome", "seconds", "detail"],
        rows=[[name, "fail" if wrong else "pass", seconds, detail] for name, seconds, detail, wrong in tested.checks],
    )
