"""Findings made from the table of codes, and the exception that carries them to the one error boundary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

from release_gate.codes import CODES
from release_gate.verdict import Finding, Scalar, Severity, Where

LONGEST = 19_000
"""Characters of a message, which may quote what we were given: a little less than a verdict takes."""


def finding(
    code: str,
    message: str,
    *,
    where: Where | None = None,
    remedy: str | None = None,
    severity: Severity | None = None,
    evidence: Mapping[str, Scalar | Sequence[Scalar]] | None = None,
) -> Finding:
    """A finding of a known code; `remedy` and `severity` default to the table's.

    Raises:
        KeyError: a code that the table does not have: a mistake of ours, never of a user.
    """
    known = CODES[code]
    return Finding(
        code=code,
        severity=severity or known.severity,
        message=message if len(message) <= LONGEST else f"{message[:LONGEST]} … ({len(message):,} characters)",
        remedy=remedy or known.remedy,
        where=where or Where(),
        evidence={
            name: list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
            for name, value in (evidence or {}).items()
        },
    )


class Refused(Exception):
    """A command can't go on: the findings say why; `exit_code` says whose turn it is.

    Raised by any room, turned into text and an exit status by the one error boundary in `cli.py`.
    """

    exit_code = 2

    def __init__(self, *findings: Finding) -> None:
        super().__init__("; ".join(str(found) for found in findings))
        self.findings = findings

    @classmethod
    def because(
        cls,
        code: str,
        message: str,
        *,
        where: Where | None = None,
        remedy: str | None = None,
        evidence: Mapping[str, Scalar | Sequence[Scalar]] | None = None,
    ) -> Self:
        """A refusal for one reason."""
        return cls(finding(code, message, where=where, remedy=remedy, evidence=evidence))


class BadInput(Refused):
    """What we were given is wrong: the user mends it (exit code 2)."""


class CannotJudge(Refused):
    """The world did not let us judge: network, disk, permissions (exit code 4)."""

    exit_code = 4
