"""What endpoint-test concludes from the checks a server was put to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from release_gate.findings import finding
from release_gate.lifecycle.package import Package
from release_gate.verdict import Finding, Outcome, Subject, Table, Verdict, concluded

GATE = "endpoint-test"
Check = tuple[str, float, str, Finding | None]
"""Name, seconds, detail, and the finding of a check that failed."""


@dataclass(frozen=True)
class Tested:
    """What was seen: the checks, the seconds until the server was ready, and what went wrong around them."""

    checks: tuple[Check, ...]
    ready: float | None = None
    problems: tuple[Finding, ...] = ()


def judge(package: Package, tested: Tested | None, started: datetime) -> Verdict:
    """The verdict on a package's server; None: the package serves nothing."""
    subject = Subject(kind="package", name=package.model, identity=package.digest)
    if tested is None:
        note = finding("serve-absent", f"{package.model} declares no server: delivery is {package.contents.delivery}")
        outcome, findings, tables = Outcome.SKIPPED, [note], []
    else:
        failed = [problem for *_, problem in tested.checks if problem is not None]
        # A server that died is one reason, however many checks it left unanswered.
        findings = _once([*tested.problems, *failed])
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
