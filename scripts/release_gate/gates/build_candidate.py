"""What build-candidate concludes: training and serving agree, and what was built is named by its identity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from release_gate.findings import finding
from release_gate.lifecycle.package import Package, largest_difference
from release_gate.verdict import Finding, Scalar, Subject, Table, Verdict, concluded

GATE = "build-candidate"


@dataclass(frozen=True)
class Built:
    """What a build made: nothing in it says whether it is good."""

    package: Package
    production: str | None
    evaluation: Subject
    rows: int
    sizes: Mapping[str, int]
    seconds: Mapping[str, float]
    notes: Sequence[Finding] = field(default_factory=tuple)


def agreement(served: Sequence[float], predicted: Sequence[float], tolerance: float) -> list[Finding]:
    """Nothing where the server gives each row the score that `predict` gave it."""
    apart = [
        number
        for number, pair in enumerate(zip(served, predicted, strict=True))
        if largest_difference([pair[0]], [pair[1]]) > tolerance
    ]
    if not apart:
        return []
    first = apart[0]
    message = (
        f"{len(apart)} of {len(served)} rows get another score from the server than from predict, by up to "
        f"{largest_difference(served, predicted):.3g} ({tolerance:g} is allowed): "
        f"row {first} got {served[first]:.6g} and {predicted[first]:.6g}"
    )
    return [finding("serve-disagrees-with-predict", message, evidence={"rows": len(apart)})]


def judge(built: Built, started: datetime) -> Verdict:
    """The verdict on a build that came to its end."""
    package = built.package
    subjects = [
        Subject(kind="package", name=package.model, identity=package.digest),
        built.evaluation,
        *(subject for subject in package.contents.datasets if subject != built.evaluation),
    ]
    notes = list(built.notes)
    if built.production is None:
        notes.append(finding("first-release", f"{package.model} has no version in production yet"))
    else:
        subjects.append(Subject(kind="production", name=package.model, identity=built.production))
    if package.contents.tree is not None and not package.contents.dirty:
        subjects.append(Subject(kind="code", name="tree", identity=f"git:{package.contents.tree}"))
    golden = package.contents.golden
    rows: list[list[Scalar]] = [
        ["package", package.digest],
        ["production", built.production or "none"],
        ["files", len(package.contents.files)],
    ]
    rows.extend([f"{name} (bytes)", size] for name, size in built.sizes.items())
    rows.append(["environment", package.contents.environment.lock])
    rows.append(["evaluation rows predicted", built.rows])
    rows.append(["golden predictions", f"{len(golden.rows)} through {golden.through}" if golden else "none"])
    rows.extend([f"{name} (s)", seconds] for name, seconds in built.seconds.items())
    table = Table(title="What was built", columns=["", "value"], rows=rows)
    return Verdict(
        gate=GATE,
        model=package.model,
        outcome=concluded(notes),
        findings=notes,
        tables=[table],
        subjects=subjects,
        started=started,
    )
