"""Reports that the golden files show, made of verdicts as the gates write them."""

from __future__ import annotations

from datetime import UTC, datetime

from release_gate.findings import finding
from release_gate.gates.overall import Handed, Overall, judge
from release_gate.gates.threshold_tables import COLUMNS as WRITTEN
from release_gate.report.page import Origin
from release_gate.verdict import Finding, Scalar, Severity, Subject, Table, Verdict, Where

HEAD = "7d865e959b2466918c9863afca942d0fb89d7c9a"
ORIGIN = Origin(
    head=HEAD,
    run_url="https://github.com/octo-air/flight-delay/actions/runs/9001",
    files_url=f"https://github.com/octo-air/flight-delay/blob/{HEAD}",
)
NEEDED = {
    "schema-check": False,
    "transform-tests": False,
    "build-candidate": False,
    "endpoint-test": False,
    "threshold-comparison": False,
    "rollback-readiness": False,
}
STARTED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PACKAGE = Subject(kind="package", name="flight-delay", identity="sha256:" + "3f" * 32)
PRODUCTION = Subject(kind="production", name="flight-delay", identity="sha256:" + "b1" * 32)
EVALUATION = Subject(kind="data", name="data/evaluation.parquet", identity="sha256:" + "0a" * 32)
FLIGHTS = Subject(kind="data", name="data/flights.parquet", identity="sha256:" + "77" * 32)
CONTRACT = Subject(kind="contract", name="contracts/flights.yml", identity="sha256:" + "c5" * 32)

COLUMNS = ["metric", "slice", "candidate", "production", "difference", "interval", "bar", "outcome"]


def found(
    severity: str,
    code: str,
    message: str,
    remedy: str = "See the gate's page.",
    where: Where | None = None,
    **evidence: Scalar | list[Scalar],
) -> Finding:
    """Any finding, whether or not the gate of its code stands already."""
    return Finding(
        code=code,
        severity=Severity(severity),
        message=message,
        remedy=remedy,
        where=where or Where(),
        evidence=evidence,
    )


def verdict(gate: str, outcome: str = "pass", model: str = "flight-delay", **fields: object) -> Verdict:
    """A gate's verdict with the subjects it would name."""
    subjects = {
        "schema-check": [CONTRACT, FLIGHTS],
        "build-candidate": [PACKAGE, EVALUATION],
        "endpoint-test": [PACKAGE],
        "threshold-comparison": [PACKAGE, PRODUCTION, EVALUATION],
        "rollback-readiness": [PRODUCTION],
    }.get(gate, [])
    seconds = {"schema-check": 1.84, "transform-tests": 6.2, "build-candidate": 42.7, "endpoint-test": 3.31}
    return Verdict.model_validate(
        {
            "gate": gate,
            "model": model,
            "outcome": outcome,
            "started": STARTED,
            "seconds": seconds.get(gate, 2.05),
            "tool": "release-gate 0.1.0",
            "subjects": subjects,
            **fields,
        }
    )


def together(*verdicts: Verdict, model: str = "flight-delay", known: tuple[Finding, ...] = ()) -> Overall:
    """The verdicts as they come together after crossing jobs as JSON."""
    handed = [Handed(f"{model}/verdicts/{one.gate}.json", one.gate, one.to_json()) for one in verdicts]
    return judge(model, NEEDED, handed, known)


def thresholds(*rows: list[Scalar]) -> Table:
    """Rows of `COLUMNS`, filled up to what the gate writes."""
    rest = {"rows": 5208, "role": "guard", "power if as good": 0.912, "rows for 80 % power": 3110}
    full = [{**rest, **dict(zip(COLUMNS, row, strict=True))} for row in rows]
    return Table(
        title="Candidate against its bars", columns=WRITTEN, rows=[[one[name] for name in WRITTEN] for one in full]
    )


def ready(**fields: object) -> Verdict:
    """The verdict of rollback-readiness, as the gate writes it."""
    rows: list[list[Scalar]] = [
        [
            "last known good version",
            f"{PRODUCTION.identity}, proven 2026-01-01 10:00Z by a rollout that it passed",
            "pass",
        ],
        [
            "how traffic goes back",
            "Caddy at 127.0.0.1:2019 routes 127.0.0.1:8080 back; release-gate rollback --model flight-delay",
            "pass",
        ],
        ["data migrations", "none is new (since production's commit 4fe1c0d2ab)", "pass"],
        ["who decides", "@octo-air, at all hours", "pass"],
        ["what would prove it", "version, golden predictions; beside them health (smoke.yml)", "pass"],
    ]
    columns = ["question", "answer", "outcome"]
    table = Table(title="Could it be taken back?", columns=columns, rows=rows)
    return verdict("rollback-readiness", **{"tables": [table], **fields})  # type: ignore[arg-type]


def _slices(count: int = 12) -> list[list[Scalar]]:
    names = ["EWR", "JFK", "LGA", "AA", "B6", "DL", "EV", "MQ", "UA", "US", "VX", "WN"]
    return [
        [
            "roc_auc",
            f"{'origin' if index < 3 else 'carrier'}={names[index % 12]}",
            0.7312 + index / 400,
            0.7291 + index / 500,
            0.0021 + index / 2000,
            f"{-0.004 + index / 2000:+.3f} … {0.009 + index / 2000:+.3f}",
            "no worse by 0.03",
            "pass",
        ]
        for index in range(count)
    ]


def good() -> Overall:
    overall: list[Scalar] = [
        "roc_auc",
        "all rows",
        0.7421,
        0.7359,
        0.0062,
        "+0.001 … +0.011",
        "≥ 0.70, no worse by 0.01",
        "pass",
    ]
    note = found(
        "note",
        "config-default",
        "flight-delay: `registry` is not given: the registry is the folder .release-gate/registry",
    )
    slow = found(
        "warning",
        "endpoint-slow",
        "p95 latency is 184 ms, near the bar of 200 ms",
        "Look at the slowest requests.",
        Where(step="latency"),
        p95_ms=184.2,
        bar_ms=200,
    )
    return together(
        verdict("schema-check", findings=[note]),
        verdict("transform-tests"),
        verdict("build-candidate"),
        verdict("endpoint-test", findings=[slow]),
        verdict("threshold-comparison", tables=[thresholds(overall, *_slices())]),
        ready(),
    )


def unit_changed() -> Overall:
    disagree = found(
        "error",
        "transforms-disagree",
        "`distance_km` differs between training and serving in 200 of 200 rows: training 1,609.3 times serving",
        "Compute the column in one function that training and serving both call.",
        Where(file="flight_delay/features.py", line=41, column="distance_km", table="features"),
        rows=200,
        training=[2248.2, 1400.1],
        serving=[1.397, 0.87],
    )
    fell = found(
        "error",
        "threshold-missed",
        "roc_auc is 0.6802, 0.0557 below production (0.7359): the whole interval lies beyond the 0.01 allowed",
        "Find what changed for all rows: the features first, then the training data.",
        Where(metric="roc_auc"),
        interval="-0.061 … -0.050",
    )
    piece = found(
        "error",
        "threshold-missed",
        "roc_auc where origin=JFK fell by 0.071, more than the 0.03 allowed",
        "Compare the features of these rows with production's.",
        Where(metric="roc_auc", slice="origin=JFK"),
    )
    rows = _slices()
    rows[1][2:8] = [0.6611, 0.7321, -0.071, "-0.090 … -0.052", "no worse by 0.03", "fail"]
    rows[5][2:8] = [0.7011, 0.7331, -0.032, "-0.049 … +0.004", "no worse by 0.03", "inconclusive"]
    whole: list[Scalar] = [
        "roc_auc",
        None,
        0.6802,
        0.7359,
        -0.0557,
        "-0.061 … -0.050",
        "≥ 0.70, no worse by 0.01",
        "fail",
    ]
    guard = found(
        "warning",
        "threshold-inconclusive",
        "roc_auc where carrier=DL may have fallen: 411 rows can't tell (they would show a drop of 0.048)",
        where=Where(metric="roc_auc", slice="carrier=DL"),
    )
    return together(
        verdict("schema-check"),
        verdict("transform-tests", "fail", findings=[disagree]),
        verdict("build-candidate"),
        verdict("endpoint-test"),
        verdict("threshold-comparison", "fail", findings=[fell, piece, guard], tables=[thresholds(whole, *rows)]),
        ready(),
    )


def first_release() -> Overall:
    note = found("note", "first-release", "nothing is in production: judged by absolute thresholds only")
    row: list[Scalar] = ["roc_auc", "all rows", 0.7359, None, None, "0.729 … 0.743", "≥ 0.70", "pass"]
    return together(
        verdict("schema-check"),
        verdict("transform-tests"),
        verdict("build-candidate"),
        verdict("endpoint-test"),
        verdict(
            "threshold-comparison",
            findings=[note],
            tables=[thresholds(row)],
            subjects=[PACKAGE, EVALUATION],
        ),
        ready(subjects=[]),
    )


def crashed() -> Overall:
    """Training failed, so that what comes after it could not judge; the endpoint's job left nothing."""
    tail = (
        "the command ended with status 1; its last lines:\nTraceback (most recent call last):\n"
        '  File "train.py", line 12\nMemoryError'
    )
    failed = found(
        "error", "train-failed", tail, "Run the command by hand in the environment of the lock file.", status=1
    )
    absent = found("error", "candidate-missing", "there are no predictions of the candidate", "See build-candidate.")
    return together(
        verdict("schema-check"),
        verdict("transform-tests"),
        verdict("build-candidate", "error", findings=[failed]),
        verdict("threshold-comparison", "error", findings=[absent]),
        ready(),
    )


def several() -> list[Overall]:
    scores = [
        verdict(gate, model="batch-scores", subjects=[PACKAGE] if gate.startswith(("build", "end", "thr")) else [])
        for gate in ("schema-check", "transform-tests", "build-candidate", "endpoint-test")
    ]
    unsure = found(
        "error",
        "threshold-inconclusive",
        "average_precision can't be proven: 96 rows, about 1,400 are needed",
        "Add evaluation rows, or declare the threshold a guard.",
        Where(metric="average_precision"),
    )
    row: list[Scalar] = [
        "average_precision",
        None,
        0.412,
        0.409,
        0.003,
        "-0.08 … +0.09",
        "no worse by 0.02",
        "inconclusive",
    ]
    scores.append(
        verdict("threshold-comparison", "inconclusive", "batch-scores", findings=[unsure], tables=[thresholds(row)])
    )
    scores.append(ready(model="batch-scores"))
    return [good(), together(*scores, model="batch-scores")]


def oversized() -> Overall:
    rows: list[list[Scalar]] = [
        ["roc_auc", f"tailnum=N{index:05d}", 0.7, 0.69, 0.01, "-0.01 … +0.03", "no worse by 0.03", "pass"]
        for index in range(1990)
    ]
    errors = [
        found(
            "error",
            "value-null",
            f"column c{index} is null in {index + 1} rows. " + "Much is told of it. " * 40,
            "Fill it. " * 60,
            Where(table="flights", column=f"c{index}"),
            samples=["x" * 300] * 20,
        )
        for index in range(300)
    ]
    return together(
        verdict("schema-check", "fail", findings=errors),
        verdict(
            "transform-tests", findings=[found("note", "config-default", f"note {index} " * 50) for index in range(99)]
        ),
        verdict("build-candidate"),
        verdict("endpoint-test"),
        verdict("threshold-comparison", tables=[thresholds(*rows)]),
        ready(),
    )


ATTACK = (
    "<img src=https://evil.example/p.png onerror=alert(1)> ![x](https://evil.example/x.png) "
    "[click](javascript:alert(1)) @octo-air/owners #12 GH-7 https://evil.example/login www.evil.example "
    "a@evil.example | extra | column | `a``b` **bold** _it_ ~~no~~ $x$ <!-- release-gate:comment v1 --> --> "
    "</details></table> &lt;b&gt; \\| \u202egnp.exe\u202c\x1b[31m\x07 ::error::forged ##[error]forged"
)


def hostile() -> Overall:
    commands = "::error file=x::forged\n  ::add-mask::a\n##[add-mask]b"
    lines = f"{ATTACK}\n{commands}\n```\n# {ATTACK}\n<!-- release-gate:comment -->"
    attack: dict[str, list[Scalar]] = {ATTACK[:190]: [ATTACK, "EOF", 1]}
    bad = found(
        "error",
        "value-range",
        lines,
        f"{ATTACK}\n::set-output name=outcome::pass",
        Where(file="../../evil/`x`|<b>", line=3),
        **attack,
    )
    worse = found("warning", "value-range", "- [ ] 1. # > ::warning::x", "```", Where(file="a](x)<b>|`.py", line=1))
    row: list[Scalar] = [ATTACK, "a|b\nc", float("nan"), float("inf"), -float("inf"), "`|`", "\\|", "fail"]
    table = Table(title=ATTACK, columns=[*COLUMNS[:7], "outcome"], rows=[row, ["short"], [*row, "long", "longer"]])
    fine = Subject(kind="data", name="|`<b>@octocat", identity="sha256:`|<script>")
    return together(
        verdict("schema-check", "fail", findings=[bad, worse], subjects=[fine], tool="[x](y)|<b>`"),
        verdict("transform-tests"),
        verdict("build-candidate"),
        verdict("endpoint-test"),
        verdict("threshold-comparison", "fail", findings=[bad], tables=[table]),
        ready(),
        known=(finding("artifact-link", f"the artifact holds {ATTACK!r}"),),
    )
