import pandas as pd
import pytest

from flight_delay import data


def utc(*moments):
    return pd.Series(pd.to_datetime(list(moments), utc=True)).dt.as_unit("us")


@pytest.fixture
def weather():
    hours = pd.DataFrame({"origin": ["EWR", "EWR", "JFK"], "temp": [50.0, 60.0, 70.0]})
    for name in set(data.WEATHER) - {"temp"}:
        hours[name] = 1.0
    hours["observed"] = utc("2013-01-01 10:00", "2013-01-01 11:00", "2013-01-01 11:00")
    return hours


def flights(*due, origin="EWR", delays=None):
    return pd.DataFrame({"origin": origin, "due": utc(*due), "dep_delay": delays or [0.0] * len(due)})


def test_weather_is_what_was_known_an_hour_before(weather):
    joined = data.join_weather(flights("2013-01-01 12:59", "2013-01-01 13:00"), weather)
    assert joined["temp"].tolist() == [50.0, 60.0]


def test_weather_comes_from_the_same_airport(weather):
    assert data.join_weather(flights("2013-01-01 14:00", origin="JFK"), weather)["temp"].tolist() == [70.0]


def test_a_flight_without_weather_keeps_its_row(weather):
    joined = data.join_weather(flights("2013-01-01 11:00", "2013-01-02 20:00"), weather)
    assert len(joined) == 2
    assert joined["temp"].isna().all()


def test_recent_lateness_counts_only_what_had_happened():
    # The question about the flight of 12:00 is asked at 11:00; what was due after 10:45 is not settled yet.
    due = ["2013-01-01 07:44", "2013-01-01 08:00", "2013-01-01 10:45", "2013-01-01 10:46", "2013-01-01 12:00"]
    table = flights(*due, delays=[99.0, 16.0, 15.0, 99.0, 99.0])
    assert data.recent_late_share(table).iloc[-1] == 0.5


def test_a_cancelled_flight_counts_as_late():
    table = flights("2013-01-01 10:00", "2013-01-01 12:00", delays=[float("nan"), 0.0])
    assert data.recent_late_share(table).iloc[-1] == 1.0


def test_no_flight_before_means_no_share():
    assert data.recent_late_share(flights("2013-01-01 05:00")).isna().all()


def test_a_broken_wind_sensor_is_emptied():
    assert data.read_weather()["wind_speed"].max() < data.FASTEST_PLAUSIBLE_WIND_MPH


def test_the_missing_data_package_is_named(monkeypatch):
    monkeypatch.setattr(data, "SOURCE", "no_such_package")
    with pytest.raises(SystemExit, match="uv sync"):
        data.source_file("flights.csv.zip")


def test_no_day_stands_on_both_sides_of_the_split():
    days = pd.date_range("2013-01-01", "2013-12-31")
    history, held_out = data.split(pd.DataFrame({"scheduled_departure": days}))
    assert history["scheduled_departure"].max() < held_out["scheduled_departure"].min()
    assert len(history) == 273
