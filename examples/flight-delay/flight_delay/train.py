"""Trains the model on the joined history: fixed seed, one thread, the same bytes every time."""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from flight_delay import model as model_files
from flight_delay.features import training_features

SEED = 20130101
HISTORY = Path("data/flights.parquet")


def read_history(path: Path) -> pd.DataFrame:
    """The rows to learn from."""
    return pd.read_parquet(path)


def fit(history: pd.DataFrame) -> HistGradientBoostingClassifier:
    """A forest of boosted trees; empty weather needs no imputing, the trees have a branch for it."""
    classifier = HistGradientBoostingClassifier(
        learning_rate=0.05,
        max_iter=150,
        max_leaf_nodes=15,
        min_samples_leaf=1000,
        early_stopping=False,
        random_state=SEED,
    )
    # Sums over several threads depend on how many there are; over one they do not.
    with threadpool_limits(limits=1):
        return classifier.fit(training_features(history).to_numpy(), history["late"].to_numpy())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=HISTORY, help=f"training rows (default {HISTORY})")
    parser.add_argument("--out", type=Path, required=True, help="folder to write the model to")
    arguments = parser.parse_args()
    history = read_history(arguments.data)
    model_files.save(fit(history), arguments.out)
    print(f"trained on {len(history):,} flights of {history['date'].nunique()} days")


if __name__ == "__main__":
    main()
