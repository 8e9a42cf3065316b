"""What the rain model sees of a day: a whole table to learn from, or the one day that just ended."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

FEATURES = ["wet", "log_precipitation", "temperature_range", "coldest", "wind"]


def training_features(frame: pd.DataFrame) -> pd.DataFrame:
    """All days of a table at once."""
    columns = {
        "wet": frame["precipitation"] > 0,
        "log_precipitation": np.log1p(frame["precipitation"]),
        "temperature_range": frame["temp_max"] - frame["temp_min"],
        "coldest": frame["temp_min"],
        "wind": frame["wind"],
    }
    return pd.DataFrame(columns, index=frame.index)[FEATURES].astype("float64")


def day_features(day: Mapping[str, Any]) -> dict[str, float]:
    """The day that just ended."""
    return {
        "wet": float(day["precipitation"] > 0),
        "log_precipitation": math.log1p(day["precipitation"]),
        "temperature_range": day["temp_max"] - day["temp_min"],
        "coldest": day["temp_min"],
        "wind": day["wind"],
    }


def serving_features(frame: pd.DataFrame) -> pd.DataFrame:
    """The days that tonight's run is about, each for itself."""
    rows = [day_features(day) for day in frame.to_dict("records")]
    return pd.DataFrame(rows, columns=FEATURES, index=frame.index, dtype="float64")
