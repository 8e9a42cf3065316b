import json
import math

import numpy as np
import pandas as pd
import pytest

from batch_scores import rain_train
from batch_scores.rain_features import FEATURES, day_features, serving_features, training_features
from batch_scores.rain_predict import predict


@pytest.fixture
def days():
    return pd.DataFrame(
        {
            "day_id": ["SEA-2012-01-07", "SEA-2012-07-07"],
            "month": [1, 7],
            "precipitation": [math.e - 1, 0.0],
            "temp_max": [7.2, 25.0],
            "temp_min": [2.8, 12.0],
            "wind": [2.3, 3.0],
            "rain_days_of_7": [5, 0],
        }
    )


def test_a_wet_day_becomes_numbers(days):
    made = day_features(days.to_dict("records")[0])
    assert made["wet"] == 1.0
    assert made["log_precipitation"] == pytest.approx(1.0)
    assert made["temperature_range"] == pytest.approx(4.4)


def test_a_table_becomes_numbers(days):
    made = training_features(days)
    assert list(made.columns) == FEATURES
    assert (made.dtypes == "float64").all()
    assert made["wet"].tolist() == [1.0, 0.0]
    assert made["temperature_range"].tolist() == pytest.approx([4.4, 13.0])


def test_one_night_has_the_same_columns(days):
    assert list(serving_features(days.tail(1)).columns) == FEATURES


def test_the_fit_finds_the_slope_that_made_the_data():
    random = np.random.default_rng(1)
    features = random.normal(size=(20_000, 2))
    label = random.uniform(size=20_000) < 1 / (1 + np.exp(-(0.5 + 2 * features[:, 0])))
    coefficients, _, _ = rain_train.fit(features, label.astype("float64"))
    assert coefficients == pytest.approx([0.5, 2.0, 0.0], abs=0.1)


def test_scores_are_chances_and_keep_the_order(days, tmp_path):
    size = len(FEATURES)
    model = {
        "features": FEATURES,
        "coefficients": [0.0] * (size + 1),
        "means": [0.0] * size,
        "deviations": [1.0] * size,
    }
    (tmp_path / "model.json").write_text(json.dumps(model))
    scored = predict(tmp_path, days)
    assert scored["day_id"].tolist() == days["day_id"].tolist()
    assert scored["score"].tolist() == [0.5, 0.5]


def test_a_model_of_other_features_is_refused(days, tmp_path):
    (tmp_path / "model.json").write_text(json.dumps({"features": ["moon"]}))
    with pytest.raises(SystemExit, match="fit again"):
        predict(tmp_path, days)
