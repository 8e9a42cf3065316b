"""May this package be registered: is all known of it that must be, and did every gate pass it, and not another?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from release_gate.config import ModelConfig
from release_gate.findings import finding
from release_gate.gates.overall import BUILD, SCHEMA, THRESHOLDS, TRANSFORMS, Overall
from release_gate.lifecycle.events import Event
from release_gate.lifecycle.package import Package
from release_gate.lifecycle.state import fold
from release_gate.verdict import Finding, Outcome, Scalar, Subject, Table, Verdict, Where

GATE = "publish-artifact"
HEADING = re.compile(r"^\s{0,3}#{1,6}\s+intended use\b.*$", re.IGNORECASE | re.MULTILINE)


def missing_facts(
    package: Package,
    card: str | None,
    shown: str,
    data: Iterable[str],
    contracts: Iterable[str],
    *,
    changed: bool = False,
) -> list[Finding]:
    """A finding for each thing that must be known of a package and is not; `shown` names the card's file.

    `changed`: the card is not the one of the package's commit.
    """
    contents = package.contents
    found: list[Finding] = []
    if card is None:
        found.append(finding("publish-card-missing", f"{shown} does not exist", where=Where(file=shown)))
    elif not intended_use(card):
        message = f"{shown} has no heading `Intended use` with text below"
        found.append(finding("publish-use-missing", message, where=Where(file=shown)))
    elif changed:
        message = f"{shown} is not as commit {package.source.commit} has it, which the package was built from"
        found.append(finding("publish-card-changed", message, where=Where(file=shown)))
    known = {subject.name for subject in contents.datasets}
    for name in data:
        if name not in known:
            message = f"the package does not say which {name} it was made with: the file was not there"
            found.append(finding("publish-data-missing", message, where=Where(table=name)))
    if package.source.commit is None or contents.dirty:
        cause = "was built from files that no commit holds" if package.source.commit else "names no commit"
        found.append(finding("publish-commit-missing", f"the package {cause}"))
    sealed = [*contents.contracts, *([contents.features] if contents.features else [])]
    versions = {contract.name: contract.version for contract in sealed}
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


def verdict_problems(package: Package, model: ModelConfig, overall: Overall) -> list[Finding]:
    """Everything that keeps the gates' verdicts from letting this package go on.

    `overall` holds them to each other; what is added here holds them to the package.
    """
    found = list(overall.findings)
    disagreeing = {one.where.step for one in found if one.code == "verdict-subjects-disagree"}
    for verdict in overall.verdicts:
        if verdict.outcome is Outcome.PASS:
            # That two gates judged different packages is told once.
            found.extend([] if verdict.gate in disagreeing else _other_package(package, verdict))
            found.extend(_other_things(package, model, verdict))
        elif verdict.outcome is not Outcome.SKIPPED:
            found.append(finding("publish-verdict-not-passing", f"{verdict.gate} ended with {verdict.outcome}"))
    return found


def _other_package(package: Package, verdict: Verdict) -> list[Finding]:
    packages = {subject.identity for subject in verdict.subjects if subject.kind == "package"}
    if packages <= {package.digest}:
        return []
    message = f"{verdict.gate} judged {', '.join(sorted(packages))}, not {package.digest}"
    return [finding("publish-verdict-other-subject", message)]


def _other_things(package: Package, model: ModelConfig, verdict: Verdict) -> list[Finding]:
    """What a passing verdict judged, or does not say that it judged, of the data, contracts and code packaged."""
    contents = package.contents
    held = {("data", subject.name): subject.identity for subject in contents.datasets}
    held |= {("contract", contract.name): contract.identity for contract in contents.contracts}
    if contents.features is not None:
        held["contract", contents.features.name] = contents.features.identity
    code = {file.path.removeprefix("code/"): file.sha256 for file in contents.files if file.path.startswith("code/")}
    held |= {("code", name): f"sha256:{sha256}" for name, sha256 in code.items()}
    named = {(subject.kind, subject.name) for subject in verdict.subjects}
    messages = [
        f"{verdict.gate} judged {subject.name} as {subject.identity}, not as packaged"
        for subject in verdict.subjects
        if held.get((subject.kind, subject.name), subject.identity) != subject.identity
    ]
    messages += [
        f"the verdict of {verdict.gate} does not say which {name} it judged"
        for kind, name in _must_name(model).get(verdict.gate, ())
        if (kind, name) in held and (kind, name) not in named
    ]
    return [finding("publish-verdict-other-subject", message) for message in messages]


def _must_name(model: ModelConfig) -> dict[str, list[tuple[str, str]]]:
    """The data and contracts each gate judges by the configuration, and so says that it judged."""
    evaluation, tables = ("data", model.evaluation.data), [("data", name) for name in model.contracts.values()]
    contracts = [("contract", name) for name in model.contracts]
    features = model.transforms.features if model.transforms is not None else None
    return {
        SCHEMA: list(dict.fromkeys([*contracts, *tables])),
        TRANSFORMS: [*tables[:1], *([("contract", features)] if features is not None else [])],
        BUILD: [evaluation],
        THRESHOLDS: [evaluation],
    }


def compared_with(overall: Overall) -> frozenset[str]:
    """The production packages that the candidate was compared with: one, or none on a first release."""
    return frozenset(
        subject.identity
        for verdict in overall.verdicts
        if verdict.gate == THRESHOLDS
        for subject in verdict.subjects
        if subject.kind == "production"
    )


def next_event(
    events: Sequence[Event], digest: str, compared: frozenset[str], *, rollout: bool = False, behind: bool = False
) -> str | Finding:
    """The kind of event that registers a package after this history, or why there is none to append.

    `rollout`: registering does not make it production. `behind`: its commit is older than production's.
    """
    state = fold(events)
    if digest in state.blocked:
        block = next(one for one in reversed(events) if digest in (one.package, one.replaces) and _blocks(one))
        return finding(
            "publish-blocked", f"{digest} was blocked by {block.actor}: {block.because or 'no reason given'}"
        )
    if digest == state.production:
        return finding("publish-twice", f"{digest} is registered already and is production")
    if behind:
        return finding("publish-backwards", f"{digest} is of an older commit than production, {state.production}")
    if compared != ({state.production} if state.production else set()):
        # Also where another publisher was faster: what was judged is not better than what came meanwhile.
        judged = f"compared with {', '.join(sorted(compared))}" if compared else "judged as a first release"
        message = f"{digest} was {judged}; production is now {state.production or 'nothing'}"
        return finding("publish-production-moved", message)
    if rollout and state.registered[-1:] == (digest,) and state.compared.get(digest, "") == state.production:
        return finding("publish-twice", f"{digest} is registered already and waits for its rollout")
    return "promoted" if digest in state.registered and not rollout else "registered"


def reverted(events: Sequence[Event], digest: str) -> str | None:
    """The package at fault for a hold that this one ends: main builds, bit for bit, what a rollback brought back.

    Whoever asks must know as well that the commit comes after the one at fault, or a job run again would lift it.
    """
    state = fold(events)
    at_fault = state.hold.package if state.hold is not None else None
    return at_fault if at_fault is not None and digest == state.production and at_fault in state.blocked else None


def _blocks(event: Event) -> bool:
    return event.kind == "blocked" or bool(event.blocks)


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
    if contents.features is not None:
        rows.append(["feature contract", f"{contents.features.name} version {contents.features.version}"])
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
