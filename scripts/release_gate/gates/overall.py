"""The verdicts of one model together: is any missing, may each speak for its gate, do they speak of the same things?

Verdicts cross job boundaries, so what arrives is a claim: a job that ran the caller's code may speak only for the
gates that ran there, and none may speak of another package than the one that was built.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from release_gate.findings import finding
from release_gate.verdict import Finding, Outcome, Severity, Verdict, VerdictUnreadable, Where

if TYPE_CHECKING:
    from release_gate.config import ModelConfig

SCHEMA, TRANSFORMS, BUILD, ENDPOINT, THRESHOLDS, READINESS = (
    "schema-check",
    "transform-tests",
    "build-candidate",
    "endpoint-test",
    "threshold-comparison",
    "rollback-readiness",
)
ORDER = (SCHEMA, TRANSFORMS, BUILD, ENDPOINT, THRESHOLDS, READINESS)
"""The gates of a pull request, in the order in which a report shows them."""

MAY_SPEAK: dict[str, frozenset[str]] = {
    "build": frozenset({TRANSFORMS, BUILD, ENDPOINT}),
    "judge": frozenset({SCHEMA, THRESHOLDS, READINESS}),
}
"""The job whose artifact carries a verdict → the gates that run there. The build job runs the caller's code."""

_ONE_PACKAGE = (BUILD, ENDPOINT, THRESHOLDS)
_WITHOUT_BUILD = frozenset({"package-missing", "build-facts-missing", "candidate-missing"})
"""What a gate finds where build-candidate left it nothing to judge."""


@dataclass(frozen=True)
class Handed:
    """A file that claims to be a verdict: where it came from, the gate its name says, what it holds."""

    file: str
    gate: str
    content: bytes
    source: str | None = None


@dataclass(frozen=True)
class Overall:
    """What a release of one model may count on: verdicts in the order of the gates, and what is wrong with them."""

    model: str
    outcome: Outcome
    verdicts: tuple[Verdict, ...]
    findings: tuple[Finding, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def errors(self) -> list[tuple[str, Finding]]:
        """Every reason to block with the gate that gives it: gates that fail before those that could not judge."""
        rank = (Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.ERROR)
        blocking = sorted(
            (verdict for verdict in self.verdicts if verdict.outcome in rank), key=lambda one: rank.index(one.outcome)
        )
        found = [(verdict.gate, one) for verdict in blocking for one in verdict.of(Severity.ERROR)]
        found += [("report", one) for one in self.findings if one.severity is Severity.ERROR]
        causes = [(gate, one) for gate, one in found if gate not in self.waiting]
        return causes or found

    @property
    def waiting(self) -> frozenset[str]:
        """The gates that only repeat that the build left no package; the build's own reasons say what to do."""
        if any(verdict.gate == BUILD and verdict.outcome is Outcome.PASS for verdict in self.verdicts):
            return frozenset()
        return frozenset(
            verdict.gate
            for verdict in self.verdicts
            if verdict.gate != BUILD
            and (errors := verdict.of(Severity.ERROR))
            and all(one.code in _WITHOUT_BUILD for one in errors)
        )


def required(model: ModelConfig) -> dict[str, bool]:
    """The gates that must have judged a model → whether each may have been skipped."""
    gates = {SCHEMA: False, BUILD: False, ENDPOINT: model.candidate.serve is None, THRESHOLDS: False}
    gates[READINESS] = False
    if model.transforms is not None:
        gates[TRANSFORMS] = False
    return {gate: gates[gate] for gate in ORDER if gate in gates}


def stricter(one: dict[str, bool], other: dict[str, bool]) -> dict[str, bool]:
    """What two configurations demand together: a gate that either needs, skipped only where both allow it."""
    needed = {gate: one.get(gate, True) and other.get(gate, True) for gate in {**one, **other}}
    return {gate: needed[gate] for gate in ORDER if gate in needed}


def judge(model: str, needed: dict[str, bool], handed: Sequence[Handed], known: Sequence[Finding] = ()) -> Overall:
    """All verdicts of a model as one; `known` is what was already found wrong while gathering them."""
    found = list(known)
    accepted: dict[str, Verdict] = {}
    unusable: set[str] = set()
    for one in handed:
        read = _read(model, one)
        if isinstance(read, Finding):
            found.append(read)
            unusable.add(one.gate)
        elif read.gate in accepted:
            found.append(_refused(one, f"a second verdict of {one.gate}; which one counts can't be known"))
        else:
            accepted[one.gate] = read
            found.extend(_contradiction(one, read))
    missing = tuple(gate for gate in needed if gate not in accepted and gate not in unusable)
    found.extend(
        finding("verdict-missing", f"{gate} left no verdict, so nothing is known of it", where=Where(step=gate))
        for gate in missing
    )
    found.extend(_skipped(accepted, needed))
    found.extend(_disagreements(accepted))
    verdicts = tuple(sorted(accepted.values(), key=lambda verdict: _place(verdict.gate)))
    outcomes = [verdict.outcome for verdict in verdicts]
    if any(one.severity is Severity.ERROR for one in found):
        outcomes.append(Outcome.ERROR)
    outcome = Outcome.worst(outcomes)
    # Nothing but skipped gates is nothing judged: never a pass.
    outcome = Outcome.ERROR if outcome is Outcome.SKIPPED else outcome
    return Overall(model, outcome, verdicts, tuple(found), missing)


def _place(gate: str) -> tuple[int, str]:
    return (ORDER.index(gate) if gate in ORDER else len(ORDER), gate)


def _read(model: str, one: Handed) -> Verdict | Finding:
    if one.source is not None and one.gate not in MAY_SPEAK.get(one.source, frozenset()):
        return _refused(one, f"the job '{one.source}' may not speak for {one.gate}")
    try:
        verdict = Verdict.parse(one.content)
    except VerdictUnreadable as error:
        message = f"the verdict of {one.gate} can't be used: {error.cause}"
        return finding(error.code, message, where=Where(step=one.gate), evidence={"file": one.file})
    if verdict.gate != one.gate:
        return _refused(one, f"the file is named for {one.gate} and speaks for {verdict.gate}")
    if verdict.model != model:
        return _refused(one, f"it stands with the model {model} and speaks of {verdict.model}")
    return verdict


def _refused(one: Handed, why: str) -> Finding:
    message = f"a verdict was refused: {why}"
    return finding("verdict-not-allowed", message, where=Where(step=one.gate), evidence={"file": one.file})


def _contradiction(one: Handed, verdict: Verdict) -> list[Finding]:
    errors = len(verdict.of(Severity.ERROR))
    if verdict.outcome not in (Outcome.PASS, Outcome.SKIPPED) or not errors:
        return []
    message = f"the verdict of {verdict.gate} says {verdict.outcome} and holds {errors} errors"
    return [finding("verdict-contradicts", message, where=Where(step=one.gate), evidence={"file": one.file})]


def _skipped(accepted: dict[str, Verdict], needed: dict[str, bool]) -> list[Finding]:
    return [
        finding("verdict-skipped", f"{gate} was skipped, and this model needs it", where=Where(step=gate))
        for gate, may_skip in needed.items()
        if gate in accepted and accepted[gate].outcome is Outcome.SKIPPED and not may_skip
    ]


def _disagreements(accepted: dict[str, Verdict]) -> list[Finding]:
    """Two verdicts that name one thing by two identities, or a verdict on another package than was built."""
    judged = {
        gate: verdict for gate, verdict in accepted.items() if verdict.outcome in (Outcome.PASS, Outcome.INCONCLUSIVE)
    }
    found = []
    packages = {
        gate: {subject.identity for subject in judged[gate].subjects if subject.kind == "package"}
        for gate in _ONE_PACKAGE
        if gate in judged
    }
    built = packages.get(BUILD, set())
    for gate, identities in packages.items():
        if len(identities) != 1:
            message = f"{gate} must name the one package it judged; it names {len(identities)}"
            found.append(finding("verdict-subjects-disagree", message, where=Where(step=gate)))
        elif BUILD in packages and len(built) == 1 and identities != built:
            message = f"{gate} judged package {min(identities)}; build-candidate sealed {min(built)}"
            found.append(finding("verdict-subjects-disagree", message, where=Where(step=gate)))
    named: dict[tuple[str, str], dict[str, frozenset[str]]] = {}
    for gate, verdict in judged.items():
        for subject in verdict.subjects:
            if subject.kind != "package":
                by_gate = named.setdefault((subject.kind, subject.name), {})
                by_gate[gate] = by_gate.get(gate, frozenset()) | {subject.identity}
    for (kind, name), by_gate in named.items():
        # One gate may judge a thing in two versions, as the policy of base and head; two gates must judge the same.
        if len(set(by_gate.values())) > 1:
            told = "; ".join(f"{gate} judged {' and '.join(sorted(those))}" for gate, those in by_gate.items())
            found.append(finding("verdict-subjects-disagree", f"not the same {kind} {name}: {told}"))
    return found
