"""Could this change be taken back: to what, how, with which data, fed with what, by whom, and proven by what?"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from release_gate.config import ModelConfig
from release_gate.findings import finding
from release_gate.gates import readiness_words as words
from release_gate.gates.feature_compatibility import broken
from release_gate.lifecycle.deciders import deciders
from release_gate.lifecycle.events import Event
from release_gate.lifecycle.migration_files import Migration, Problem
from release_gate.lifecycle.package import Contract
from release_gate.lifecycle.state import fold
from release_gate.verdict import Finding, Outcome, Scalar, Severity, Subject, Table, Verdict, Where, concluded

GATE = "rollback-readiness"
TITLE = "Could it be taken back?"

Known = Literal["exists", "organisation", "missing", "may not look"]


@dataclass(frozen=True)
class Person:
    """Somebody who is to decide, and what GitHub says of the name."""

    name: str
    known: Known
    because: str = ""


@dataclass(frozen=True)
class Found:
    """Migrations that are new, `since` what (in words), and the text of every file that was read."""

    migrations: Sequence[Migration]
    since: str
    texts: Mapping[str, str | None]


@dataclass(frozen=True)
class Smoke:
    """The checks of a smoke file, by name, and those of them that prove which version answers or what it predicts."""

    checks: Sequence[str]
    proving: Sequence[str]


@dataclass(frozen=True)
class Features:
    """The feature contract that the version to go back to needs, and that of the same name in this checkout.

    `unread` says why the need could not be read.
    """

    version: str
    needed: Contract | None = None
    here: Contract | None = None
    unread: str | None = None


@dataclass(frozen=True)
class Facts:
    """What was gathered. `ledger` says where the ledger is missing, in words; `people` is None where nobody was
    asked; `unanswered` are GitHub's refusals; `smoke` is a finding where the file can't be used; `features` is None
    where no version needs any."""

    events: Sequence[Event]
    found: Found
    smoke: Smoke | tuple[Finding, ...]
    people: Sequence[Person] | None = None
    unanswered: Sequence[Finding] = ()
    ledger: str | None = None
    features: Features | None = None


class Answer(NamedTuple):
    """One of the answers: what is said, and what is found on the way."""

    question: str
    said: str
    findings: list[Finding]


def judge(model: ModelConfig, facts: Facts, started: datetime) -> Verdict:
    """The answers; what keeps a rollback from working blocks."""
    answers = [
        _version(model, facts),
        Answer("how traffic goes back", words.way_back(model), []),
        _migrations(facts.found),
        *([_features(facts.features)] if facts.features is not None else []),
        _owner(model, facts, started),
        _smoke(model, facts.smoke),
    ]
    findings = [one for answer in answers for one in answer.findings]
    rows: list[list[Scalar]] = [[one.question, one.said, concluded(one.findings).value] for one in answers]
    outcome = concluded(findings)
    if facts.unanswered and all(one in facts.unanswered for one in findings if one.severity is Severity.ERROR):
        outcome = Outcome.ERROR
    production = fold(facts.events).production
    subjects = [_text_of(facts.found.texts)] if facts.found.texts else []
    if production is not None:
        subjects.append(Subject(kind="production", name=model.model, identity=production))
    return Verdict(
        gate=GATE,
        model=model.model,
        outcome=outcome,
        findings=findings,
        tables=[Table(title=TITLE, columns=["question", "answer", "outcome"], rows=rows)],
        subjects=subjects,
        started=started,
    )


def _text_of(texts: Mapping[str, str | None]) -> Subject:
    """All migrations read, as one subject: their names and texts."""
    digest = hashlib.sha256()
    for name, text in sorted(texts.items()):
        for part in (name, "" if text is None else text):
            content = part.encode(errors="surrogatepass")
            digest.update(len(content).to_bytes(8) + content)
    return Subject(kind="code", name="new migrations", identity=f"sha256:{digest.hexdigest()}")


def _version(model: ModelConfig, facts: Facts) -> Answer:
    state = fold(facts.events)
    question = "last known good version"
    if state.production is None and state.last_known_good is None:
        said = "none yet: nothing is in production" + (f" ({facts.ledger})" if facts.ledger else "")
        told = facts.ledger or "the ledger names no version in production"
        return Answer(question, said, [finding("readiness-first-release", told)])
    if state.last_known_good is not None:
        return Answer(question, words.proven(facts.events, state.last_known_good), [])
    said = words.unproven(facts.events, state.production or "")
    if model.rollout is None:
        # Nothing proves a version where nothing is rolled out; what was published before is what there is.
        return Answer(question, f"{said}; no rollout is declared that could prove it", [])
    return Answer(question, said, [finding("readiness-unproven", said)])


CODE: Mapping[str, str] = {
    "irreversible": "migration-irreversible",
    "loses": "migration-loses-data",
    "unreadable": "migration-unreadable",
}


def _migrations(found: Found) -> Answer:
    findings = [
        finding(CODE[problem.kind], _told(one, problem), where=Where(file=one.file, line=problem.line))
        for one in found.migrations
        for problem in one.problems
    ]
    # Errors first: a verdict holds 2,000 findings at most.
    findings.sort(key=lambda one: one.severity is not Severity.ERROR)
    kept = findings[:1000]
    return Answer("data migrations", words.migrations(found.migrations, found.since), kept)


def _told(one: Migration, problem: Problem) -> str:
    says = {
        "irreversible": f"{one.tool} can't take {one.file} back: {problem.because}",
        "loses": f"{one.file} drops data that no way back returns: {problem.because}",
        "unreadable": f"{one.file}: {problem.because}",
    }
    return says[problem.kind]


def _features(features: Features) -> Answer:
    question, needed = "features", features.needed
    if needed is None:
        told = f"what {features.version} needs can't be read: {features.unread}"
        return Answer(question, told, [finding("features-unread", told)])
    named = f"{needed.name} {needed.version or 'without a version'}"
    cause = broken(needed, features.here)
    if cause is None:
        return Answer(question, f"{features.version} needs {named}, which is kept here", [])
    told = f"{features.version} was made with features by {named}; {cause}"
    return Answer(question, told, [finding("features-incompatible", told, where=Where(file=needed.name))])


def _owner(model: ModelConfig, facts: Facts, now: datetime) -> Answer:
    owner = model.owner
    said = words.deciding(owner, deciders(owner, now))
    if facts.people is None:
        listed = owner.persons(owner.names)[1]
        hint = f"; there, the people of {', '.join(listed)} must be listed or readable" if listed else ""
        return Answer("who decides", said, [finding("owner-unverified", f"nobody was looked up on GitHub{hint}")])
    found = [one for person in facts.people if (one := _unresolved(person)) is not None]
    return Answer("who decides", said, [*found, *facts.unanswered])


def _unresolved(person: Person) -> Finding | None:
    because = f": {person.because}" if person.because else ""
    tellings: dict[Known, Callable[[], Finding | None]] = {
        "exists": lambda: None,
        "organisation": lambda: finding("owner-organisation", f"{person.name} is an organisation, not a person"),
        "missing": lambda: finding("owner-unknown", f"{person.name} does not resolve{because}"),
        "may not look": lambda: finding(
            "owner-team-unlisted" if "/" in person.name else "owner-not-shown",
            f"{person.name} can't be looked up by this token{because}",
        ),
    }
    return tellings[person.known]()


def _smoke(model: ModelConfig, smoke: Smoke | tuple[Finding, ...]) -> Answer:
    question = "what would prove it"
    serves = words.delivery(model) == "endpoint"
    if model.rollout is not None and model.rollout.target.batch is not None:
        return Answer(question, "its table of predictions: each file is what was scored, by its hash", [])
    if not serves:
        return Answer(question, "no server: the recorded predictions, asked again through predict", [])
    if isinstance(smoke, tuple):
        return Answer(question, f"nothing: {model.smoke} can't be used", list(smoke))
    if not smoke.proving:
        message = f"none of the {len(smoke.checks)} checks asks for the recorded predictions or the version"
        found = finding("smoke-proves-nothing", message, where=Where(file=model.smoke))
        return Answer(question, f"nothing: {message}", [found])
    rest = [one for one in smoke.checks if one not in smoke.proving]
    others = f"; beside them {', '.join(rest)}" if rest else ""
    return Answer(question, f"{', '.join(smoke.proving)}{others} ({model.smoke})", [])
