"""Flights as they come from the source and as they come in a request."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest


@pytest.fixture
def record() -> dict[str, Any]:
    """One flight of a request, after JSON."""
    return {
        "flight_id": "20130708-1805-LGA-MQ3340",
        "date": "2013-07-08",
        "scheduled_departure": "2013-07-08T18:05:00",
        "origin": "LGA",
        "dest": "DCA",
        "carrier": "MQ",
        "flight": 3340,
        "distance": 214,
        "recent_late_share": 0.625,
        "temp": 86.0,
        "dewp": 68.0,
        "humid": 54.8,
        "wind_dir": None,
        "wind_speed": 10.0,
        "precip": 0.5,
        "pressure": None,
        "visib": 10.0,
    }


@pytest.fixture
def frame() -> pd.DataFrame:
    """Two rows of the table."""
    return pd.DataFrame(
        {
            "scheduled_departure": pd.to_datetime(["2013-07-08T18:05:00", "2013-01-01T05:15:00"]),
            "origin": ["LGA", "EWR"],
            "carrier": ["MQ", "UA"],
            "distance": [214, 1400],
            "recent_late_share": [0.625, None],
            "temp": [86.0, 32.0],
            "dewp": [68.0, 23.0],
            "humid": [54.8, 61.6],
            "wind_dir": [None, 250.0],
            "wind_speed": [10.0, 8.1],
            "precip": [0.5, 0.0],
            "pressure": [None, 1012.3],
            "visib": [10.0, 10.0],
        }
    )
