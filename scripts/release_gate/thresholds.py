"""One threshold as it is declared: the metrics it can name, and why a bar that can't fail is refused."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from release_gate.verdict import Value

METRICS = {
    # name: is more better
    "roc_auc": True, "average_precision": True, "accuracy": True, "balanced_accuracy": True,
    "precision": True, "recall": True, "f1": True, "log_loss": False, "brier": False,
    "rmse": False, "mae": False, "r2": True,
}  # fmt: skip
"""The metrics a threshold can name, and whether more is better."""
MetricName = Literal[
    "roc_auc", "average_precision", "accuracy", "balanced_accuracy", "precision", "recall", "f1",
    "log_loss", "brier", "rmse", "mae", "r2",
]  # fmt: skip
LEAST = {name: 0.0 for name in METRICS if name != "r2"}
"""The lowest value a metric can take, where there is one: a floor at or below it holds for every model."""
MOST = {name: 1.0 for name in METRICS if name not in ("log_loss", "rmse", "mae")}
"""The highest value a metric can take, where there is one: a cap at or above it holds for every model."""
GUESSING = {"roc_auc": 0.5, "balanced_accuracy": 0.5, "r2": 0.0}
"""What a model reaches that knows nothing of the rows, where that does not depend on them."""


class Threshold(Value):
    """One bar a candidate must clear, over all rows or in every slice."""

    metric: Annotated[MetricName, Field(description="what is measured")]
    at_least: Annotated[float | None, Field(allow_inf_nan=False, description="the metric must not be below this")] = (
        None
    )
    at_most: Annotated[float | None, Field(allow_inf_nan=False, description="the metric must not be above this")] = None
    no_worse_than_production_by: Annotated[
        float | None,
        Field(ge=0, allow_inf_nan=False, description="largest loss against production, in units of the metric"),
    ] = None
    slices: Annotated[tuple[str, ...], Field(description="columns; the bar holds in each of their values")] = ()
    role: Annotated[
        Literal["goal", "guard"],
        Field(description="goal: must be proven, inconclusive blocks; guard: blocks on proven harm only"),
    ] = "goal"
    least_rows: Annotated[int, Field(ge=2, description="a slice with fewer rows is reported, not judged")] = 30

    @field_validator("at_least", "at_most", "no_worse_than_production_by")
    @classmethod
    def _can_fail(cls, value: float | None, info: ValidationInfo) -> float | None:
        """Refuse a bar that every model clears: it would look like a judgement and be none."""
        metric = info.data.get("metric")
        if value is None or metric is None:
            return value
        least, most = LEAST.get(metric), MOST.get(metric)
        if info.field_name == "at_least" and least is not None and value <= least:
            raise ValueError(f"this bar can never fail: {metric} is never below {least:g}")
        if info.field_name == "at_most" and most is not None and value >= most:
            raise ValueError(f"this bar can never fail: {metric} is never above {most:g}")
        relative = info.field_name == "no_worse_than_production_by"
        if relative and least is not None and most is not None and value >= most - least:
            raise ValueError(f"this bar can never fail: {metric} lies between {least:g} and {most:g}")
        return value

    @model_validator(mode="after")
    def _some_bar(self) -> Threshold:
        if self.at_least is None and self.at_most is None and self.no_worse_than_production_by is None:
            raise ValueError("give at least one of at_least, at_most, no_worse_than_production_by")
        return self

    @property
    def absolute(self) -> bool:
        """Whether it judges a model that has nothing to be compared with."""
        return self.at_least is not None or self.at_most is not None
