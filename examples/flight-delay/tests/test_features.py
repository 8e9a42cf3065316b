"""Each path by itself. That both agree on the contract's rows is asked by release-gate (transform-tests)."""

import math
import re
from pathlib import Path

import pandas as pd
import pytest

from flight_delay.features import (
    CARRIER_CODES,
    FEATURES,
    ORIGIN_CODES,
    celsius,
    number,
    request_features,
    serving_features,
    training_features,
)


@pytest.mark.parametrize(("fahrenheit", "expected"), [(32.0, 0.0), (212.0, 100.0), (-40.0, -40.0)])
def test_fahrenheit_becomes_celsius(fahrenheit, expected):
    assert celsius(fahrenheit) == expected


def test_a_request_becomes_the_units_of_the_model(record):
    made = dict(zip(FEATURES, request_features(record), strict=True))
    assert made["carrier"] == 9.0
    assert made["origin"] == 2.0
    assert made["minute_of_day"] == 18 * 60 + 5
    assert made["weekday"] == 0.0  # 8 July 2013 was a Monday
    assert made["distance_km"] == pytest.approx(344.4, abs=0.01)
    assert made["temperature_c"] == pytest.approx(30.0)
    assert made["dew_point_spread_c"] == pytest.approx(10.0)
    assert made["wind_speed_ms"] == pytest.approx(4.4704)
    assert made["precipitation_mm"] == pytest.approx(12.7)
    assert made["visibility_km"] == pytest.approx(16.09344)


def test_a_null_reading_stays_empty(record):
    made = dict(zip(FEATURES, request_features(record), strict=True))
    assert math.isnan(made["wind_direction"])
    assert math.isnan(made["pressure"])
    assert math.isnan(number(None))


def test_an_airline_never_seen_is_empty_on_both_sides(frame):
    frame["carrier"] = "ZZ"
    assert training_features(frame)["carrier"].isna().all()
    assert serving_features(frame)["carrier"].isna().all()


def test_training_gives_every_feature_as_a_number(frame):
    made = training_features(frame)
    assert list(made.columns) == FEATURES
    assert (made.dtypes == "float64").all()
    assert made.index.equals(frame.index)


def test_every_airline_and_airport_of_the_contract_has_its_own_code(record):
    contract = (Path(__file__).parents[1] / "contracts" / "flights.yml").read_text(encoding="utf-8")
    for feature, codes in (("carrier", CARRIER_CODES), ("origin", ORIGIN_CODES)):
        known = re.search(rf"name: {feature}\n.*?validValues: \[(.*?)\]", contract, re.DOTALL)
        assert [name.strip('" ') for name in known[1].split(",")] == list(codes)
        assert [request_features(record | {feature: name})[FEATURES.index(feature)] for name in codes] == [
            *range(len(codes))
        ]


def test_training_counts_minutes_from_midnight_and_days_from_monday(frame):
    frame["scheduled_departure"] = pd.to_datetime(["2013-07-08 18:05", "2013-07-14 00:59"])
    made = training_features(frame)
    assert made["minute_of_day"].tolist() == [18 * 60 + 5, 59]
    assert made["weekday"].tolist() == [0, 6]


def test_training_converts_a_whole_column(frame):
    made = training_features(frame)
    for name, raw, factor in (
        ("wind_speed_ms", "wind_speed", 0.44704),
        ("precipitation_mm", "precip", 25.4),
        ("visibility_km", "visib", 1.609344),
    ):
        assert made[name].tolist() == pytest.approx((frame[raw] * factor).tolist())
        assert frame[raw].max() > 0
    assert made["temperature_c"].tolist() == pytest.approx([30.0, 0.0])
    assert made["dew_point_spread_c"].tolist() == pytest.approx([10.0, 5.0])
    assert made["distance_km"].tolist() == pytest.approx([344.4, 2253.1], abs=0.05)
    assert made["pressure"].isna().tolist() == [True, False]


def test_serving_gives_every_feature_as_a_number(record):
    made = serving_features(pd.DataFrame([record]))
    assert list(made.columns) == FEATURES
    assert (made.dtypes == "float64").all()
