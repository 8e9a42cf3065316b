"""Scores days: the chance of rain on the day after."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd

from batch_scores.rain_features import FEATURES, training_features


def predict(folder: Path, days: pd.DataFrame) -> pd.DataFrame:
    """`day_id` and `score`, one row a day, in the order given."""
    model = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    if model["features"] != FEATURES:
        message = f"{folder}: fitted on {model['features']}, this code makes {FEATURES}; fit again"
        raise SystemExit(message)
    scaled = (training_features(days).to_numpy() - model["means"]) / np.array(model["deviations"])
    intercept, *slopes = model["coefficients"]
    chance = 1 / (1 + np.exp(-(intercept + scaled @ np.array(slopes))))
    return pd.DataFrame({"day_id": days["day_id"], "score": chance})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    predict(arguments.model, pd.read_parquet(arguments.data)).to_parquet(arguments.out, index=False)


if __name__ == "__main__":
    main()
