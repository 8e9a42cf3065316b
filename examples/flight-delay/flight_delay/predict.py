"""Scores a table of flights: the key and the probability of being late. The label is not needed."""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd
from threadpoolctl import threadpool_limits

from flight_delay import model as model_files
from flight_delay.features import training_features


def predict(folder: Path, flights: pd.DataFrame) -> pd.DataFrame:
    """`flight_id` and `score`, one row a flight, in the order given."""
    classifier, features = model_files.load(folder), training_features(flights).to_numpy()
    with threadpool_limits(
        limits=1
    ):  # it takes half a second; threads would spend more on waiting for each other
        scores = classifier.predict_proba(features)[:, 1]
    return pd.DataFrame({"flight_id": flights["flight_id"], "score": scores})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder written by train")
    parser.add_argument("--data", type=Path, required=True, help="Parquet file of flights")
    parser.add_argument("--out", type=Path, required=True, help="Parquet file to write")
    arguments = parser.parse_args()
    predict(arguments.model, pd.read_parquet(arguments.data)).to_parquet(arguments.out, index=False)


if __name__ == "__main__":
    main()
