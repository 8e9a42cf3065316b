"""Faults of the kind people really make, planted one at a time in both examples: each gives exactly its code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from release_gate.codes import CODES
from release_gate.commands.check import GATES
from tests.examples.conftest import EXAMPLES, Repository, errors

pytestmark = pytest.mark.examples

FLIGHTS, HELD_OUT = "data/flights.parquet", "data/evaluation.parquet"
CONTRACT = "contracts/flights.yml"


@dataclass(frozen=True)
class Fault:
    """One way to break a repository, the gate that must see it, and the one code it must give."""

    gate: str
    code: str
    plant: Callable[[Repository], object]
    needs: tuple[str, ...] = ()
    name: str = ""

    def __str__(self) -> str:
        return self.name or self.code


def cell(path: str, column: str, value: Any, row: int = 5) -> Callable[[Repository], object]:
    """One value of a table changed."""

    def change(repository: Repository) -> None:
        def put(frame: Any) -> Any:
            frame.loc[row, column] = value
            return frame

        repository.table(path, put)

    return change


def frame(path: str, change: Callable[[Any], Any]) -> Callable[[Repository], object]:
    """A whole table changed."""
    return lambda repository: repository.table(path, change)


def edit(path: str, old: str, new: str) -> Callable[[Repository], object]:
    """A text changed."""
    return lambda repository: repository.edit(path, old, new)


def patch(name: str) -> Callable[[Repository], object]:
    """One of the examples' pull requests."""
    return lambda repository: repository.git("apply", str(EXAMPLES / "pull-requests" / name))


UNTESTED = (
    "\n\ndef kelvin(celsius: float) -> float:\n    if celsius < -273:\n        raise ValueError\n    return celsius\n"
)


def append(path: str, text: str) -> Callable[[Repository], object]:
    """Text added to the end of a file."""
    return lambda repository: (repository.folder / path).write_text((repository.folder / path).read_text() + text)


def added(path: str, text: str) -> Callable[[Repository], object]:
    """A file that was not there."""

    def change(repository: Repository) -> None:
        (repository.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (repository.folder / path).write_text(text)

    return change


ONE_WAY = added("db/migrations/0002_gauge.up.sql", "ALTER TABLE rain ADD gauge text;\n")


def without(path: str) -> Callable[[Repository], object]:
    """A file deleted."""
    return lambda repository: (repository.folder / path).unlink()


def config(old: str, new: str) -> Callable[[Repository], object]:
    """The configuration changed."""
    return edit("release-gate.yml", old, new)


def train(command: str) -> Callable[[Repository], object]:
    """Another command to train with."""

    def change(repository: Repository) -> None:
        file = repository.folder / "release-gate.yml"
        lines = file.read_text().splitlines()
        at = next(index for index, line in enumerate(lines) if line.startswith("  train:"))
        lines[at] = f"  train: {command}"
        file.write_text("\n".join(lines) + "\n")

    return change


PREDICT = "flight_delay/predict.py"
SERVE = "flight_delay/serve.py"
IN_FLIGHTS = [
    Fault("schema-check", "null-rejected", cell(FLIGHTS, "carrier", None)),
    Fault("schema-check", "value-range", cell(FLIGHTS, "distance", -5)),
    Fault("schema-check", "value-set", cell(FLIGHTS, "carrier", "ZZ")),
    Fault("schema-check", "value-pattern", cell(FLIGHTS, "flight_id", "the first")),
    Fault("schema-check", "rows-too-few", frame(FLIGHTS, lambda table: table[table["wind_dir"].notna()])),
    Fault("schema-check", "column-missing", frame(FLIGHTS, lambda table: table.drop(columns="humid"))),
    Fault("schema-check", "column-type", frame(FLIGHTS, lambda table: table.astype({"distance": str}))),
    Fault("schema-check", "table-empty", frame(FLIGHTS, lambda table: table.iloc[:0])),
    Fault("schema-check", "file-missing", without(FLIGHTS)),
    Fault(
        "schema-check",
        "contract-null-undeclared",
        edit(CONTRACT, "property: onNull", "property: onnull_later"),
        name="policy-gone",
    ),
    Fault("transform-tests", "transforms-disagree", patch("flight-delay/unit-changed.patch")),
    Fault(
        "transform-tests", "tests-failed", edit("tests/test_features.py", "assert ", "assert not "), name="tests-failed"
    ),
    Fault("transform-tests", "transform-missing", config(":serving_features", ":online_features")),
    Fault("build-candidate", "train-failed", train('python -c "raise SystemExit(3)"')),
    Fault("build-candidate", "train-timed-out", train("sleep 60\n  train_limit: 1s")),
    Fault("build-candidate", "model-empty", train('python -c "pass"')),
    Fault("build-candidate", "prediction-rows-missing", edit(PREDICT, ".to_parquet(", ".iloc[1:].to_parquet(")),
    Fault(
        "build-candidate",
        "prediction-not-finite",
        edit(PREDICT, '"score": scores}', '"score": scores / (scores > 0.1)}'),
    ),
    Fault(
        "build-candidate",
        "predict-failed",
        config("candidate:\n", "candidate:\n  files: [flight_delay/predict.py]\n"),
        name="file-forgotten",
    ),
    Fault(
        "build-candidate",
        "serve-disagrees-with-predict",
        edit(SERVE, "score=float(score)", "score=round(float(score), 2)"),
    ),
    Fault(
        "endpoint-test", "smoke-json", edit(SERVE, '"RELEASE_GATE_VERSION"', '"MODEL_VERSION"'), ("build-candidate",)
    ),
    Fault(
        "endpoint-test",
        "smoke-status",
        edit(SERVE, "list[Flight] = Field(min_length=1, ", "list[Flight] = Field("),
        ("build-candidate",),
    ),
    Fault("threshold-comparison", "slice-column-missing", config("[origin, carrier]", "[origin, airline]")),
    Fault(
        "threshold-comparison",
        "candidate-missing",
        lambda repository: (repository.run / "build" / "candidate.parquet").unlink(),
    ),
]
IN_SCORES = [
    Fault("schema-check", "key-duplicate", cell("data/rain.parquet", "day_id", "SEA-2012-01-10", 20)),
    Fault(
        "transform-tests",
        "tests-none-collected",
        edit("release-gate.yml", "[tests/test_rain.py]", "[tests/conftest.py]"),
    ),
    Fault(
        "transform-tests", "coverage-too-low", append("batch_scores/rain_features.py", UNTESTED), name="untested-code"
    ),
    Fault("build-candidate", "evaluation-column-missing", config("label: rain_tomorrow", "label: rain")),
    Fault(
        "build-candidate",
        "prediction-column-missing",
        edit("batch_scores/rain_predict.py", '"score": chance', '"chance": chance'),
    ),
    Fault("threshold-comparison", "label-missing", cell("data/rain_evaluation.parquet", "rain_tomorrow", None)),
    Fault(
        "threshold-comparison", "worse-than-production", patch("batch-scores/gauge-removed.patch"), ("build-candidate",)
    ),
    Fault("rollback-readiness", "migration-irreversible", ONE_WAY),
    Fault(
        "rollback-readiness", "migration-unreadable", added("db/versions/2.py", 'down_revision = "1"\ndef upgrade(:\n')
    ),
]


@pytest.mark.parametrize("fault", IN_FLIGHTS, ids=str)
def test_a_fault_in_flights_gives_exactly_its_code(flights: Repository, fault: Fault) -> None:
    expect(flights, fault)


@pytest.mark.parametrize("fault", IN_SCORES, ids=str)
def test_a_fault_in_batch_scores_gives_exactly_its_code(scores: Repository, fault: Fault) -> None:
    expect(scores, fault)


def expect(repository: Repository, fault: Fault) -> None:
    fault.plant(repository)
    for gate in fault.needs:
        assert errors(repository.gate(gate)) == set()
    assert errors(repository.gate(fault.gate)) == {fault.code}


def test_at_least_twenty_faults_of_different_codes_are_planted() -> None:
    codes = {fault.code for fault in (*IN_FLIGHTS, *IN_SCORES)}
    assert codes <= set(CODES)
    assert len(codes) >= 20


def skew(monkeypatch: pytest.MonkeyPatch) -> None:
    """build-candidate without its comparison of server and predict; all it makes is needed by those after it."""
    from release_gate.gates import build_candidate

    monkeypatch.setattr(build_candidate, "agreement", lambda *_: [])


@pytest.mark.parametrize(
    ("gate", "fault", "where"),
    [
        ("schema-check", cell("data/rain.parquet", "wind", -3.0), "scores"),
        ("transform-tests", edit("tests/test_rain.py", "assert ", "assert not "), "scores"),
        ("threshold-comparison", patch("batch-scores/gauge-removed.patch"), "scores"),
        ("rollback-readiness", ONE_WAY, "scores"),
        ("endpoint-test", edit(SERVE, '"RELEASE_GATE_VERSION"', '"MODEL_VERSION"'), "flights"),
        ("build-candidate", edit(SERVE, "score=float(score)", "score=round(float(score), 2)"), "flights"),
    ],
)
def test_without_a_gate_its_fault_goes_through(
    gate: str,
    fault: Callable[[Repository], object],
    where: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    repository: Repository = request.getfixturevalue(where)
    fault(repository)
    with monkeypatch.context() as removed:
        if gate == "build-candidate":
            skew(removed)
        others = {name: errors(repository.gate(name)) for name in GATES if name != gate or gate == "build-candidate"}
    assert set().union(*others.values()) == set(), others
    assert errors(repository.gate(gate)) != set()


@pytest.mark.parametrize(
    ("name", "gate", "code"),
    [
        ("digest-forgotten", "build-candidate", "candidate-digest"),
        ("sheet-delivered-twice", "schema-check", "value-duplicate"),
    ],
)
def test_the_second_model_of_the_repository_is_gated_by_itself(
    scores: Repository, name: str, gate: str, code: str
) -> None:
    patch(f"batch-scores/{name}.patch")(scores)
    fuel = Repository(scores.folder, "fuel-economy")
    assert code in errors(fuel.gate(gate))
    assert errors(scores.gate(gate)) == set()


def test_a_good_pull_request_passes_every_gate(scores: Repository) -> None:
    patch("batch-scores/good.patch")(scores)
    assert scores.command("check") == 0
    comment = (scores.run / "comment.md").read_text()
    assert "may be merged" in comment
    assert not list(Path(scores.folder).rglob("*.part"))
