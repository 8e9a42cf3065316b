"""May this package be registered: is all known of it that must be, and did every gate pass it, and not another?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime

from release_gate.findings import finding
from release_gate.lifecycle.package import Package
from release_gate.verdict import Finding, Outcome, Scalar, Subject, Table, Verdict, VerdictUnreadable, Where

GATE = "publish-artifact"
GATES = ("schema-check", "transform-tests", "build-candidate", "endpoint-test", "threshold-comparison")
"""The gates of a release, each of which must have left a verdict."""
BOUND = ("build-candidate", "endpoint-test", "threshold-comparison")
"""Those that judge the package itself: their verdicts must name its digest."""
HEADING = re.compile(r"^\s{0,3}#{1,6}\s+intended use\b.*$", re.IGNORECASE | re.MULTILINE)


def missing_facts(
    package: Package, card: str | None, shown: str, data: Iterable[str], contracts: Iterable[str]
) -> list[Finding]:
    """A finding for each thing that must be known of a package and is not; `shown` names the card's file."""
    contents = package.contents
    found: list[Finding] = []
    if card is None:
        found.append(finding("publish-card-missing", f"{shown} does not exist", where=Where(file=shown)))
    elif not intended_use(card):
        message = f"{shown} has no heading `Intended use` with text below"
        found.append(finding("publish-use-missing", message, where=Where(file=shown)))
    known = {subject.name for subject in contents.datasets}
    for name in data:
        if name not in known:
            message = f"the package does not say which {name} it was made with: the file was not there"
            found.append(finding("publish-data-missing", message, where=Where(table=name)))
    if package.source.commit is None or contents.dirty:
        cause = "was built from files that no commit holds" if package.source.commit else "names no commit"
        found.append(finding("publish-commit-missing", f"the package {cause}"))
    versions = {contract.name: contract.version for contract in contents.contracts}
    for name in contracts:
        if versions.get(name) is None:
            message = "has no version" if name in versions else "was not there when the package was built"
            found.append(finding("publish-contract-missing", f"{name} {message}", where=Where(file=name)))
    return found


def intended_use(card: str) -> str:
    """The text below the heading `Intended use` of a model card, up to the next heading; empty without.

    Comments are no text: a drafted card holds nothing else there.
    """
    card = re.sub(r"<!--.*?(?:-->|\Z)", "", card, flags=re.DOTALL)
    heading = HEADING.search(card)
    if heading is None:
        return ""
    return re.split(r"^\s{0,3}#{1,6}\s", card[heading.end() :], maxsplit=1, flags=re.MULTILINE)[0].strip()


def verdict_problems(package: Package, verdicts: Mapping[str, Verdict | VerdictUnreadable]) -> list[Finding]:
    """A finding for each gate whose verdict does not let this package go on."""
    found: list[Finding] = []
    for gate in GATES:
        verdict = verdicts.get(gate)
        if verdict is None:
            found.append(finding("publish-verdict-missing", f"{gate} left no verdict"))
        elif isinstance(verdict, VerdictUnreadable):
            found.append(finding("publish-verdict-unreadable", f"the verdict of {gate}: {verdict.cause}"))
        elif verdict.gate != gate or verdict.model != package.model:
            message = f"the file for {gate} of {package.model} is the verdict of {verdict.gate} of {verdict.model}"
            found.append(finding("publish-verdict-other-subject", message))
        elif verdict.outcome not in (Outcome.PASS, Outcome.SKIPPED):
            found.append(finding("publish-verdict-not-passing", f"{gate} ended with {verdict.outcome}"))
        else:
            found.extend(_other_subjects(package, gate, verdict))
    return found


def _other_subjects(package: Package, gate: str, verdict: Verdict) -> list[Finding]:
    """What a passing verdict judged that is not what the package holds."""
    packages = {subject.identity for subject in verdict.subjects if subject.kind == "package"}
    if packages - {package.digest}:
        message = f"{gate} judged {', '.join(sorted(packages))}, not {package.digest}"
        return [finding("publish-verdict-other-subject", message)]
    if gate in BOUND and not packages:
        return [finding("publish-verdict-other-subject", f"the verdict of {gate} does not say which package it judged")]
    contents = package.contents
    held = {("data", subject.name): subject.identity for subject in contents.datasets}
    held |= {("contract", contract.name): contract.identity for contract in contents.contracts}
    return [
        finding("publish-verdict-other-subject", f"{gate} judged {subject.name} as {subject.identity}, not as packaged")
        for subject in verdict.subjects
        if held.get((subject.kind, subject.name), subject.identity) != subject.identity
    ]


def concluded(package: Package, owner: str, use: str, notes: list[Finding], started: datetime) -> Verdict:
    """The verdict on a package that was published, or was published before."""
    contents = package.contents
    rows: list[list[Scalar]] = [
        ["package", package.digest],
        ["owner", owner],
        ["intended use", use[:300]],
        ["commit", package.source.commit],
    ]
    rows.extend(["data", f"{data.name} {data.identity}"] for data in contents.datasets)
    rows.extend(["contract", f"{one.name} version {one.version}"] for one in contents.contracts)
    rows.append(["lock", f"{contents.environment.lock} sha256:{contents.environment.sha256}"])
    subject = Subject(kind="package", name=package.model, identity=package.digest)
    return Verdict(
        gate=GATE,
        model=package.model,
        outcome=Outcome.PASS,
        findings=notes,
        tables=[Table(title="What was registered", columns=["", "value"], rows=rows)],
        subjects=[subject],
        started=started,
    )
