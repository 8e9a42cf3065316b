"""Fits the rain model: a logistic regression in plain numpy, stored as JSON."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd

from batch_scores.rain_features import FEATURES, training_features

ROUNDS = 25
RIDGE = 1.0
DIGITS = 10  # more would be the noise of the machine's arithmetic


def fit(features: np.ndarray, label: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coefficients (intercept first), means and deviations, by Newton's method with a small ridge."""
    means, deviations = features.mean(axis=0), features.std(axis=0)
    design = np.column_stack([np.ones(len(features)), (features - means) / deviations])
    penalty = np.diag([0.0] + [RIDGE] * features.shape[1])
    coefficients = np.zeros(design.shape[1])
    for _ in range(ROUNDS):
        chance = 1 / (1 + np.exp(-design @ coefficients))
        slope = design.T @ (label - chance) - penalty @ coefficients
        curvature = design.T @ (design * (chance * (1 - chance))[:, None]) + penalty
        coefficients = coefficients + np.linalg.solve(curvature, slope)
    return coefficients, means, deviations


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data/rain.parquet"))
    parser.add_argument("--out", type=Path, required=True, help="folder to write the model to")
    arguments = parser.parse_args()
    days = pd.read_parquet(arguments.data)
    features, label = training_features(days).to_numpy(), days["rain_tomorrow"].to_numpy(dtype="float64")
    names = ("coefficients", "means", "deviations")
    fitted = zip(names, fit(features, label), strict=True)
    model = {
        "features": FEATURES,
        **{name: [round(v, DIGITS) for v in values.tolist()] for name, values in fitted},
    }
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "model.json").write_text(json.dumps(model, indent=1) + "\n", encoding="utf-8")
    print(f"fitted on {len(days):,} days")


if __name__ == "__main__":
    main()
