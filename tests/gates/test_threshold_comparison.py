"""The gate: each fault yields exactly its code, each role weighs as declared, and the words say what happened."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from release_gate.config import Risk
from release_gate.gates.scored_rows import Evaluation, Predictions
from release_gate.gates.threshold_comparison import judge
from release_gate.gates.threshold_policy import Policy
from release_gate.gates.threshold_tables import COLUMNS
from release_gate.thresholds import Threshold
from release_gate.verdict import Outcome, Severity, Subject, Verdict

COUNT = 1200
RANDOM = np.random.default_rng(4)
LABELS = (RANDOM.random(COUNT) < 0.4).astype(float)
NOISE = RANDOM.normal(size=COUNT)
KEYS = np.array([f"r{index}" for index in range(COUNT)], dtype=object)
CARRIER = np.array(["UA", "B6", "HA"], dtype=object)[np.arange(COUNT) % 3]
DATE = np.arange(COUNT) // 20
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def squeezed(strength: float, extra: float = 0.0) -> Any:
    noise = NOISE + extra * np.random.default_rng(9).normal(size=COUNT)
    return 1 / (1 + np.exp(-(strength * (LABELS - 0.5) + noise)))


GOOD, BAD = squeezed(1.5), squeezed(0.3)
ALIKE = squeezed(1.5, 0.1)
EVALUATION = Evaluation(
    "evaluation.parquet", KEYS, LABELS, DATE, {"carrier": CARRIER}, key="id", label="late", group="date"
)
GOAL = Threshold(metric="roc_auc", at_least=0.7, no_worse_than_production_by=0.05)
GUARD = Threshold(metric="roc_auc", no_worse_than_production_by=0.12, slices=("carrier",), role="guard")


def judged(
    candidate: Any = ALIKE,
    production: Any = GOOD,
    thresholds: Sequence[Threshold] = (GOAL, GUARD),
    *,
    evaluation: Evaluation = EVALUATION,
    keys: Any = None,
    base: Policy | None = None,
    risk: Risk | None = None,
    production_keys: Any = None,
) -> Verdict:
    given = evaluation.keys if keys is None else keys
    policies = [Policy("release-gate.yml", tuple(thresholds), risk or Risk()), *([base] if base else [])]
    theirs = evaluation.keys if production_keys is None else production_keys
    return judge(
        model="m",
        policies=policies,
        evaluation=evaluation,
        candidate=Predictions("candidate", "candidate.parquet", given, candidate),
        production=None if production is None else Predictions("production", "production.parquet", theirs, production),
        subjects=[Subject(kind="data", name="evaluation.parquet", identity="sha256:" + "0" * 64)],
        seed=7,
        started=NOW,
    )


def codes(verdict: Verdict) -> list[str]:
    return [found.code for found in verdict.findings]


def small(count: int) -> Evaluation:
    return Evaluation(
        "evaluation.parquet", KEYS[:count], LABELS[:count], None, {"carrier": CARRIER[:count]}, key="id", label="late"
    )


def test_a_candidate_as_good_as_production_passes_with_nothing_to_say() -> None:
    verdict = judged()
    assert verdict.outcome is Outcome.PASS
    assert verdict.findings == []
    assert verdict.subjects[0].kind == "data"
    table = verdict.tables[0]
    assert table.columns == COLUMNS
    assert [row[:3] for row in table.rows] == [
        ["roc_auc", "all rows", 1200],
        ["roc_auc", "all rows", 1200],
        ["roc_auc", "carrier=B6", 400],
        ["roc_auc", "carrier=HA", 400],
        ["roc_auc", "carrier=UA", 400],
    ]
    assert {row[9] for row in table.rows} == {"pass"}
    assert all(0 < float(row[10] or 0) <= 1 and int(row[11] or 0) > 0 for row in table.rows)
    assert Verdict.parse(verdict.to_json()) == verdict


def test_the_drawing_holds_an_interval_and_a_bar_for_each_slice() -> None:
    drawn = {plot.title: plot.data for plot in judged().plots}
    assert set(drawn) == {"roc_auc: at least", "roc_auc: no worse than production by"}
    slices = drawn["roc_auc: no worse than production by"]
    assert slices["label"] == ["all rows", "carrier=B6", "carrier=HA", "carrier=UA"]
    assert slices["bar"] == [-0.05, -0.12, -0.12, -0.12]
    for low, point, high in zip(slices["low"], slices["point"], slices["high"], strict=True):
        assert float(low or 0) < float(point or 0) < float(high or 0)


def test_a_proven_loss_says_how_much_how_sure_and_what_is_allowed() -> None:
    harmed = np.where(CARRIER == "HA", BAD, ALIKE)
    verdict = judged(harmed, thresholds=[GUARD])
    assert codes(verdict) == ["worse-than-production"]
    assert verdict.outcome is Outcome.FAIL
    found = verdict.findings[0]
    assert found.where.slice == "carrier=HA"
    assert found.message.startswith("roc_auc in carrier=HA is 0.5")
    assert ", production has 0.8" in found.message
    assert "worse by 0." in found.message
    assert "(95 % sure by at least 0." in found.message
    assert found.message.endswith("at most 0.12 is allowed")
    assert found.evidence["rows"] == 400


@pytest.mark.parametrize("bar", [{"no_worse_than_production_by": 0.05}, {"at_least": 0.9}, {"at_most": 0.1}])
def test_a_proven_miss_says_nothing_of_rows_that_would_make_it_pass(bar: dict[str, Any]) -> None:
    verdict = judged(BAD, thresholds=[plain(**bar)])
    (found,) = verdict.findings
    assert set(found.evidence) == {"rows", "candidate", "production", "bar"}
    assert "would make it" not in found.message
    (row,) = verdict.tables[0].rows
    told = dict(zip(COLUMNS, row, strict=True))
    assert (told["outcome"], told["power if as good"], told["rows for 80 % power"]) == ("fail", None, None)
    open_ = judged(thresholds=[plain(no_worse_than_production_by=0.001)]).findings[0]
    assert {"power", "rows_needed", "outlook"} < set(open_.evidence)


def test_slices_that_nothing_can_judge_are_told_with_their_reasons() -> None:
    verdict = judged(thresholds=[GUARD.model_copy(update={"least_rows": 401})])
    (found,) = verdict.findings
    assert found.message == (
        "roc_auc is judged nowhere by carrier: B6 (400 rows, 401 needed), HA (400 rows, 401 needed), "
        "UA (400 rows, 401 needed)"
    )
    assert (found.where.slice, found.evidence) == ("carrier", {"slices": ["B6", "HA", "UA"]})
    empty = judged(thresholds=[GUARD], evaluation=carriers(np.ones(COUNT, dtype=bool), None))
    assert empty.findings[0].message == "roc_auc is judged nowhere by carrier: it has no value in any row"
    assert empty.tables == []


def test_one_slice_is_no_slices() -> None:
    one = judged(thresholds=[GUARD], evaluation=carriers(np.arange(COUNT) == 0))
    assert one.findings[0].message == "roc_auc is not judged in 1 slice of carrier: XX (1 row, 30 needed)"
    alone = plain(no_worse_than_production_by=0.001, slices=("carrier",), role="guard")
    same = judged(thresholds=[alone], evaluation=carriers(np.ones(COUNT, dtype=bool)))
    assert "in 1 of 1 slice of carrier" in same.findings[0].message


@pytest.mark.parametrize("metric", ["roc_auc", "log_loss", "rmse"])
def test_no_difference_is_zero_without_a_sign(metric: str) -> None:
    verdict = judged(GOOD, GOOD.copy(), [plain(metric=metric, no_worse_than_production_by=0)])
    assert dict(zip(COLUMNS, verdict.tables[0].rows[0], strict=True))["interval"] == "0 to 0"
    assert "-0" not in repr(verdict.tables[0].rows).replace("e-0", "")
    drawn = verdict.plots[0].data
    assert [repr(drawn[name][0]) for name in ("low", "point", "high")] == ["0.0"] * 3
    assert codes(verdict) == ["predictions-identical"]
    assert verdict.findings[0].severity is Severity.NOTE


@pytest.mark.parametrize(
    ("bar", "guessed"),
    [
        ({"metric": "balanced_accuracy", "at_least": 0.5}, True),
        ({"metric": "balanced_accuracy", "at_least": 0.55}, False),
        ({"metric": "roc_auc", "at_least": 0.5, "at_most": 0.99}, False),
        ({"metric": "accuracy", "at_least": 0.1}, False),
    ],
)
def test_what_guessing_reaches_is_known_of_some_metrics(bar: dict[str, Any], guessed: bool) -> None:
    assert ("bar-no-better-than-guessing" in codes(judged(production=None, thresholds=[plain(**bar)]))) is guessed


def plain(**bar: Any) -> Threshold:
    return Threshold.model_validate({"metric": "roc_auc", **bar})


NUMBERS = np.linspace(-2, 2, COUNT)


def without(column: Any, *positions: int, value: Any = None) -> Any:
    changed = np.array(column, dtype=object)
    changed[list(positions)] = value
    return changed


def carriers(where: Any, value: Any = "XX") -> Evaluation:
    """The evaluation with another carrier in some rows."""
    return replace(EVALUATION, slices={"carrier": without(CARRIER, *np.flatnonzero(where), value=value)})


CASES: Mapping[str, tuple[list[str], dict[str, Any]]] = {
    "below a floor": (["metric-below-bar"], {"thresholds": [plain(at_least=0.95)]}),
    "above a cap on an error": (["metric-above-bar"], {"thresholds": [plain(metric="log_loss", at_most=0.1)]}),
    "above a cap on a gain": (["metric-above-bar"], {"thresholds": [plain(at_most=0.6)]}),
    "below a floor under an error": (["metric-below-bar"], {"thresholds": [plain(metric="brier", at_least=0.9)]}),
    "worse than production": (
        ["worse-than-production"],
        {"candidate": BAD, "thresholds": [plain(no_worse_than_production_by=0.05)]},
    ),
    "a worse error than production": (
        ["worse-than-production"],
        {"candidate": BAD, "thresholds": [plain(metric="log_loss", no_worse_than_production_by=0.01)]},
    ),
    "an open goal": (["inconclusive-goal"], {"thresholds": [plain(at_least=0.85)]}),
    "an open comparison": (
        ["inconclusive-goal"],
        {"evaluation": small(60), "thresholds": [plain(no_worse_than_production_by=0.001)]},
    ),
    "an open guard": (["inconclusive-guard"], {"thresholds": [plain(at_least=0.85, role="guard")]}),
    "too few rows for a goal": (["inconclusive-goal"], {"evaluation": small(20), "thresholds": [GOAL]}),
    "too few rows for a guard": (
        ["inconclusive-guard"],
        {"evaluation": small(20), "thresholds": [plain(at_least=0.1, role="guard")]},
    ),
    "too few groups": (
        ["few-groups", "inconclusive-goal"],
        {"evaluation": replace(EVALUATION, groups=np.arange(COUNT) % 3), "thresholds": [plain(at_least=0.1)]},
    ),
    "few groups": (
        ["few-groups"],
        {"evaluation": replace(EVALUATION, groups=np.arange(COUNT) % 8), "thresholds": [plain(at_least=0.1)]},
    ),
    "a small slice": (["slice-too-small"], {"thresholds": [GUARD], "evaluation": carriers(np.arange(COUNT) < 20)}),
    "small slices of a guard": (["slices-unjudged"], {"thresholds": [GUARD.model_copy(update={"least_rows": 401})]}),
    "small slices of a goal": (
        ["slices-unjudged"],
        {"thresholds": [GUARD.model_copy(update={"least_rows": 401, "role": "goal"})]},
    ),
    "one column of two whose slices are too small": (
        ["slices-unjudged"],
        {
            "thresholds": [GUARD.model_copy(update={"slices": ("carrier", "date")})],
            "evaluation": replace(EVALUATION, slices={"carrier": CARRIER, "date": DATE}),
        },
    ),
    "slices of one class each": (
        ["slices-unjudged"],
        {"thresholds": [GUARD], "evaluation": replace(EVALUATION, slices={"carrier": LABELS})},
    ),
    "a column to slice by that holds only nulls": (
        ["slices-unjudged"],
        {"thresholds": [GUARD], "evaluation": carriers(np.ones(COUNT, dtype=bool), None)},
    ),
    "a column of NaN to slice by": (
        ["slices-unjudged"],
        {"thresholds": [GUARD], "evaluation": replace(EVALUATION, slices={"carrier": np.full(COUNT, np.nan)})},
    ),
    "small slices of an absolute bar on a first release": (
        ["slices-unjudged"],
        {"production": None, "thresholds": [plain(at_least=0.6, slices=("carrier",), least_rows=401, role="guard")]},
    ),
    "small slices of a comparison on a first release": (
        ["no-production-first-release", "slice-too-small"],
        {"production": None, "thresholds": [plain(at_least=0.7), GUARD.model_copy(update={"least_rows": 401})]},
    ),
    "too few rows for a comparison on a first release": (
        ["no-production-first-release"],
        {
            "production": None,
            "thresholds": [plain(metric="brier", at_most=0.9, least_rows=2), plain(no_worse_than_production_by=0.01)],
            "evaluation": small(20),
        },
    ),
    "the same scores as production": (["predictions-identical"], {"candidate": GOOD.copy()}),
    "a first release that guessing would clear": (
        ["bar-no-better-than-guessing"],
        {"production": None, "thresholds": [plain(at_least=0.5)]},
    ),
    "a bar of guessing beside another": (
        [],
        {"production": None, "thresholds": [plain(at_least=0.5), plain(metric="brier", at_most=0.3)]},
    ),
    "a bar of guessing beside production": ([], {"thresholds": [plain(at_least=0.5)]}),
    "an absent column to slice by": (
        ["slice-column-missing"],
        {"thresholds": [GOAL, plain(at_least=0.1, slices=("origin",))]},
    ),
    "no rows": (["evaluation-empty"], {"evaluation": small(0)}),
    "a key twice": (["evaluation-key"], {"evaluation": replace(EVALUATION, keys=without(KEYS, 1, value="r0"))}),
    "no key": (["evaluation-key"], {"evaluation": replace(EVALUATION, keys=without(KEYS, 1))}),
    "no label": (["label-missing"], {"evaluation": replace(EVALUATION, labels=without(LABELS, 3))}),
    "labels in words": (["label-not-numeric"], {"evaluation": replace(EVALUATION, labels=CARRIER)}),
    "labels of three kinds": (
        ["label-not-binary"],
        {"evaluation": replace(EVALUATION, labels=without(LABELS, 3, value=2))},
    ),
    "labels all alike": (["single-class"], {"evaluation": replace(EVALUATION, labels=np.zeros(COUNT))}),
    "no group": (["group-missing"], {"evaluation": replace(EVALUATION, groups=without(DATE, 3))}),
    "a row without prediction": (["prediction-rows-missing"], {"keys": KEYS[1:], "candidate": ALIKE[1:]}),
    "a row that production lacks": (
        ["prediction-rows-missing"],
        {"production_keys": KEYS[1:], "production": GOOD[1:]},
    ),
    "a row of nowhere": (
        ["prediction-rows-unknown"],
        {"keys": np.append(KEYS, "stranger"), "candidate": np.append(ALIKE, 0.5)},
    ),
    "rows of no name": (
        ["prediction-rows-unknown"],
        {"keys": np.append(KEYS, [None, None]), "candidate": np.append(ALIKE, [0.5, 0.5])},
    ),
    "a row twice": (
        ["prediction-rows-duplicated"],
        {"keys": np.append(KEYS, "r0"), "candidate": np.append(ALIKE, 0.5)},
    ),
    "a score of NaN": (["prediction-not-finite"], {"candidate": without(ALIKE, 0, value=np.nan)}),
    "an infinite score": (["prediction-not-finite"], {"candidate": without(ALIKE, 0, value=np.inf)}),
    "a score of null": (["prediction-not-finite"], {"production": without(GOOD, 0)}),
    "scores in words": (["prediction-not-finite"], {"candidate": CARRIER}),
    "scores that are no probabilities": (
        ["prediction-not-probability"],
        {"candidate": ALIKE + 1, "thresholds": [plain(metric="log_loss", at_most=9)]},
    ),
    "a candidate that says one thing": (
        ["constant-scores"],
        {"candidate": np.full(COUNT, 0.4), "thresholds": [plain(metric="brier", at_most=0.5)]},
    ),
    "a production that says one thing": (["production-constant-scores"], {"production": np.full(COUNT, 0.4)}),
    "a first release": (["no-production-first-release"], {"production": None, "thresholds": [GOAL]}),
    "a first release without absolute bar": (
        ["no-production-first-release", "first-release-without-absolute-bar"],
        {"production": None, "thresholds": [GUARD]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_fault_yields_exactly_its_code(name: str) -> None:
    expected, given = CASES[name]
    cut = given.get("evaluation", EVALUATION)
    if len(cut.keys) < COUNT:
        given = {"candidate": ALIKE[: len(cut.keys)], "production": GOOD[: len(cut.keys)], **given}
    verdict = judged(**given)
    assert codes(verdict) == expected
    blocking = {found.code for found in verdict.of(Severity.ERROR)}
    if blocking - {"inconclusive-goal", "slices-unjudged"}:
        assert verdict.outcome is Outcome.FAIL
    else:
        assert verdict.outcome is (Outcome.INCONCLUSIVE if blocking else Outcome.PASS)
    Verdict.parse(verdict.to_json())


def test_a_slice_of_one_class_is_named_and_the_others_are_judged() -> None:
    alone = replace(EVALUATION, labels=np.where(CARRIER == "HA", 0.0, LABELS))
    verdict = judged(thresholds=[GUARD], evaluation=alone)
    assert codes(verdict) == ["single-class"]
    assert verdict.outcome is Outcome.PASS
    assert "HA (all 400 labels are 0)" in verdict.findings[0].message
    assert len(verdict.tables[0].rows) == 2


def test_rows_without_a_slice_are_a_slice_of_their_own() -> None:
    holes = replace(EVALUATION, slices={"carrier": without(CARRIER, *range(0, 300, 3))})
    assert "carrier=(none)" in [row[1] for row in judged(evaluation=holes).tables[0].rows]


def test_values_that_read_alike_are_one_slice() -> None:
    mixed = np.array([1, "1", None, float("nan")], dtype=object)[np.arange(COUNT) % 4]
    rows = judged(evaluation=replace(EVALUATION, slices={"carrier": mixed}), thresholds=[GUARD]).tables[0].rows
    assert [row[1:3] for row in rows] == [["carrier=(none)", 600], ["carrier=1", 600]]


def test_an_open_guard_says_the_smallest_drop_it_could_have_seen() -> None:
    guard = plain(no_worse_than_production_by=0.001, slices=("carrier",), role="guard")
    verdict = judged(thresholds=[guard])
    assert codes(verdict) == ["inconclusive-guard"]
    assert verdict.outcome is Outcome.PASS
    assert "in 3 of 3 slices of carrier" in verdict.findings[0].message
    assert "Smallest drop against production these rows would have caught" in verdict.findings[0].message
    assert "carrier=UA (400 rows): 0.0" in verdict.findings[0].message


def test_an_open_goal_says_the_power_and_the_rows_it_needs() -> None:
    found = judged(thresholds=[plain(no_worse_than_production_by=0.001)]).findings[0]
    assert found.code == "inconclusive-goal"
    assert "With 1,200 rows an equally good candidate passes in " in found.message
    assert "rows would make it 80 %" in found.message
    margin = judged(ALIKE, thresholds=[plain(no_worse_than_production_by=0)]).findings[0]
    assert "a margin of 0 leaves no room" in margin.message
    floor = judged(thresholds=[plain(at_least=0.86)]).findings[0]
    assert "'at least 0.86' is neither met nor missed for certain" in floor.message


def test_values_that_never_vary_prove_nothing() -> None:
    flat = replace(EVALUATION, labels=np.zeros(COUNT), groups=None)
    bar = Threshold(metric="mae", at_most=0.5)
    scores = np.where(np.arange(COUNT) % 2, 0.3, -0.3)
    verdict = judged(scores, None, [bar], evaluation=flat)
    assert codes(verdict) == ["inconclusive-goal"]
    assert "nothing varies in them" in verdict.findings[0].message
    assert verdict.tables[0].rows[0][6] == "unknown"
    assert verdict.plots == []


def test_identical_predictions_pass_any_margin_and_a_floor_still_judges() -> None:
    assert judged(GOOD, GOOD.copy(), [plain(no_worse_than_production_by=0)]).outcome is Outcome.PASS
    both = judged(BAD, BAD.copy(), [plain(at_least=0.75, no_worse_than_production_by=0)])
    assert codes(both) == ["predictions-identical", "metric-below-bar"]


def test_rows_may_come_in_any_order() -> None:
    shuffled = np.random.default_rng(1).permutation(COUNT)
    assert judged(ALIKE[shuffled], keys=KEYS[shuffled]) == judged()


def test_regression_takes_any_numbers() -> None:
    lengths = replace(EVALUATION, labels=NUMBERS)
    error = Threshold(metric="rmse", at_most=0.3, no_worse_than_production_by=0.05)
    bars = [error, Threshold(metric="r2", at_least=0.9)]
    near = NUMBERS + 0.2 * NOISE
    assert codes(judged(near, near + 0.01, bars, evaluation=lengths)) == []
    worse = judged(NUMBERS + 0.6 * NOISE, near, bars, evaluation=lengths)
    assert sorted(codes(worse)) == ["metric-above-bar", "metric-below-bar", "worse-than-production"]
    assert "worse by 0.38" in next(one.message for one in worse.findings if one.code == "worse-than-production")


def test_keys_of_another_type_say_so() -> None:
    numbered = replace(EVALUATION, keys=np.arange(COUNT))
    verdict = judged(evaluation=numbered, keys=KEYS, production_keys=numbered.keys)
    assert codes(verdict) == ["prediction-rows-missing", "prediction-rows-unknown"]
    assert "keys are int64 in the data, " in verdict.findings[0].message


class TestTheBase:
    """The bars of the base judge beside those of the head, so that a loosened bar helps nobody before it is merged."""

    def test_a_loosened_bar_still_holds(self) -> None:
        loose, strict = plain(at_least=0.1), plain(at_least=0.95)
        base = Policy("base.yml", (strict,), base=True)
        verdict = judged(thresholds=[loose], base=base)
        assert codes(verdict) == ["metric-below-bar"]
        assert verdict.findings[0].where.file == "base.yml"
        assert judged(thresholds=[loose]).outcome is Outcome.PASS

    def test_the_same_bars_are_judged_and_told_once(self) -> None:
        strict = plain(at_least=0.95)
        verdict = judged(thresholds=[strict], base=Policy("base.yml", (strict,), base=True))
        assert verdict == judged(thresholds=[strict])
        tight = judged(thresholds=[strict], base=Policy("base.yml", (strict, GOAL), base=True))
        assert codes(tight) == ["metric-below-bar"]
        assert tight.findings[0].where.file is None

    def test_a_raised_risk_helps_nobody_either(self) -> None:
        bar = plain(at_least=0.85)
        lax = Risk(wrong_pass=0.49)
        assert judged(thresholds=[bar], risk=lax).outcome is Outcome.PASS
        assert judged(thresholds=[bar], risk=lax, base=Policy("base.yml", (bar,), base=True)).outcome is (
            Outcome.INCONCLUSIVE
        )


def test_a_column_of_thousands_of_values_stays_within_the_limits_of_a_verdict() -> None:
    count = 40_000
    random = np.random.default_rng(3)
    labels = (random.random(count) < 0.5).astype(float)
    scores = np.clip(labels * 0.2 + random.random(count) * 0.8, 0, 1)
    planes = Evaluation(
        "e", np.arange(count), labels, None, {"plane": pd.Series(np.arange(count) % 1300).astype(str).to_numpy()}
    )
    bars = [Threshold(metric="accuracy", at_least=0.999, slices=("plane",), role="goal")]
    verdict = judged(scores, None, bars, evaluation=planes)
    assert len(verdict.tables[0].rows) == 1000
    assert "the worst 1,000 of 1,300" in verdict.tables[0].title
    assert verdict.outcome is Outcome.FAIL
    assert len(Verdict.parse(verdict.to_json()).findings) == 2 * 41  # missed and open
