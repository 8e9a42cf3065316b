"""Turns raw rows into what the model sees: all at once for training, one request at a time for serving.

There are two ways in, because they have different needs: training transforms a quarter of a million rows
together, serving transforms one record between two HTTP messages, without building a table. Whatever can be
shared is shared (the order of the columns, the codes, the units); the rest must agree, row by row.

Units: the source speaks °F, mph, inches and miles; the model sees °C, m/s, mm and km.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from math import nan
from typing import Any, TypeVar

import pandas as pd

CARRIERS = ("9E", "AA", "AS", "B6", "DL", "EV", "F9", "FL", "HA", "MQ", "OO", "UA", "US", "VX", "WN", "YV")
ORIGINS = ("EWR", "JFK", "LGA")
FEATURES = [
    "carrier",
    "origin",
    "minute_of_day",
    "weekday",
    "distance_km",
    "recent_late_share",
    "temperature_c",
    "dew_point_spread_c",
    "humidity",
    "wind_direction",
    "wind_speed_ms",
    "precipitation_mm",
    "pressure",
    "visibility_km",
]

KM_PER_MILE = 1.609344
MS_PER_MPH = 0.44704
MM_PER_INCH = 25.4

CARRIER_CODES = {name: float(code) for code, name in enumerate(CARRIERS)}
ORIGIN_CODES = {name: float(code) for code, name in enumerate(ORIGINS)}

Fahrenheit = TypeVar("Fahrenheit", float, pd.Series)


def celsius(fahrenheit: Fahrenheit) -> Fahrenheit:
    """°F to °C, for one number or a column."""
    return (fahrenheit - 32.0) * 5.0 / 9.0


def training_features(frame: pd.DataFrame) -> pd.DataFrame:
    """All rows of a table at once."""
    due = frame["scheduled_departure"]
    temperature = celsius(frame["temp"])
    columns = {
        "carrier": frame["carrier"].map(CARRIER_CODES),
        "origin": frame["origin"].map(ORIGIN_CODES),
        "minute_of_day": due.dt.hour * 60 + due.dt.minute,
        "weekday": due.dt.day_of_week,
        "distance_km": frame["distance"] * KM_PER_MILE,
        "recent_late_share": frame["recent_late_share"],
        "temperature_c": temperature,
        "dew_point_spread_c": temperature - celsius(frame["dewp"]),
        "humidity": frame["humid"],
        "wind_direction": frame["wind_dir"],
        "wind_speed_ms": frame["wind_speed"] * MS_PER_MPH,
        "precipitation_mm": frame["precip"] * MM_PER_INCH,
        "pressure": frame["pressure"],
        "visibility_km": frame["visib"] * KM_PER_MILE,
    }
    return pd.DataFrame(columns, index=frame.index)[FEATURES].astype("float64")


def request_features(record: Mapping[str, Any]) -> list[float]:
    """One record of a request, in the order of FEATURES."""
    due = record["scheduled_departure"]
    if isinstance(due, str):
        due = datetime.fromisoformat(due)
    temperature = celsius(number(record["temp"]))
    return [
        CARRIER_CODES.get(record["carrier"], nan),
        ORIGIN_CODES.get(record["origin"], nan),
        float(due.hour * 60 + due.minute),
        float(due.weekday()),
        number(record["distance"]) * KM_PER_MILE,
        number(record["recent_late_share"]),
        temperature,
        temperature - celsius(number(record["dewp"])),
        number(record["humid"]),
        number(record["wind_dir"]),
        number(record["wind_speed"]) * MS_PER_MPH,
        number(record["precip"]) * MM_PER_INCH,
        number(record["pressure"]),
        number(record["visib"]) * KM_PER_MILE,
    ]


def number(value: float | None) -> float:
    """A number of a JSON message: null is a reading that is not there."""
    return nan if value is None else float(value)


def serving_features(frame: pd.DataFrame) -> pd.DataFrame:
    """The records of a request, each for itself."""
    rows = [request_features(record) for record in frame.to_dict("records")]
    return pd.DataFrame(rows, columns=FEATURES, index=frame.index, dtype="float64")
