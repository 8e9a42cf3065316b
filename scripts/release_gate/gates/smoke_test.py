"""What smoke-test concludes from the checks a serving version was put to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from release_gate.findings import finding
from release_gate.gates.endpoint_test import Check, unproven
from release_gate.verdict import Finding, Outcome, Severity, Subject, Table, Verdict, concluded

GATE = "smoke-test"
_IDENTITY = re.compile(r"[a-z0-9]+:\S{1,480}")


def unasked(what: Sequence[str], file: str, *, restoring: bool = False) -> tuple[Finding, ...]:
    """A finding for each thing that no check asks for, so that an answer proves little.

    Where neither recorded predictions nor the version are asked for, anything may answer: that proves no release, and
    only a rollback (`restoring`) goes on with a warning. Of a sealed package endpoint-test has asked for both.
    """
    refused = not restoring and {"golden", "version"} <= set(what)
    found = unproven(what, file)
    return found if refused else tuple(one.model_copy(update={"severity": Severity.WARNING}) for one in found)


def judge(
    model: str,
    url: str,
    checks: Sequence[Check],
    started: datetime,
    *,
    version: str | None = None,
    versions: Sequence[str] = (),
    unproven: Sequence[Finding] = (),
) -> Verdict:
    """The verdict on what answers at an address; `versions` are those that may answer where there are several."""
    findings = [problem for *_, problem in checks if problem is not None]
    findings += unproven
    if len(versions) > 1:
        findings.append(finding("smoke-partly", f"{' and '.join(sorted(versions))} answer at {url}"))
    named = version is not None and _IDENTITY.fullmatch(version) is not None
    return Verdict(
        gate=GATE,
        model=model,
        # A list of checks that ran to no result proves nothing.
        outcome=concluded(findings) if checks else Outcome.FAIL,
        findings=findings,
        tables=[_table(url, checks)],
        subjects=[Subject(kind="package", name=model, identity=version)] if named and version else [],
        started=started,
    )


def _table(url: str, checks: Sequence[Check]) -> Table:
    return Table(
        title=f"Checks of what answers at {url}",
        columns=["check", "outcome", "seconds", "detail"],
        rows=[[name, "fail" if wrong else "pass", seconds, detail] for name, seconds, detail, wrong in checks],
    )
