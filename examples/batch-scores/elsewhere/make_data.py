"""Writes the tables of data/ from the PyPI package vega_datasets (real weather of Seattle, real cars).

It stands for the other system that delivers these tables and runs in an environment of its own:
`uv run --no-project --with-requirements elsewhere/requirements.txt elsewhere/make_data.py`
"""

from __future__ import annotations

import re
from pathlib import Path
from zlib import crc32

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from vega_datasets import local_data

DATA = Path(__file__).parents[1] / "data"
RAIN = pa.schema(
    {
        "day_id": pa.string(),
        "week": pa.string(),
        "month": pa.int64(),
        **dict.fromkeys(["precipitation", "temp_max", "temp_min", "wind"], pa.float64()),
        "rain_days_of_7": pa.int64(),
        "rain_tomorrow": pa.bool_(),
    }
)
CARS = pa.schema(
    {
        "car_id": pa.string(),
        "name": pa.string(),
        "year": pa.int64(),
        "origin": pa.string(),
        "cylinders": pa.int64(),
        "displacement": pa.float64(),
        "horsepower": pa.float64(),
        "weight": pa.int64(),
        "acceleration": pa.float64(),
    }
)


def rain() -> pd.DataFrame:
    """Days of 2012 to 2015 with the week before and the truth of the day after."""
    days = local_data.seattle_weather().sort_values("date")
    wet = days["precipitation"] > 0
    days["day_id"] = "SEA-" + days["date"].dt.strftime("%Y-%m-%d")
    days["week"] = days["date"].dt.strftime("%G-W%V")
    days["month"] = days["date"].dt.month
    days["rain_days_of_7"] = wet.rolling(7).sum()
    days["rain_tomorrow"] = wet.shift(-1)
    return days.iloc[6:-1].astype({"rain_days_of_7": "int64", "rain_tomorrow": "bool"})


def cars() -> pd.DataFrame:
    """Cars of 1970 to 1982; the id holds a counter, because three were tested twice."""
    table = local_data.cars().rename(columns=str.lower).rename(columns={"weight_in_lbs": "weight"})
    table["year"] = pd.to_datetime(table["year"]).dt.year
    named = (
        table["year"].astype(str) + "-" + [re.sub(r"[^a-z0-9]+", "-", name.lower()) for name in table["name"]]
    )
    table["car_id"] = named + "-" + (named.groupby(named).cumcount() + 1).astype(str)
    return table


def is_held_out(name: str) -> bool:
    """A quarter of the car names, all years of a name together, so that no twin was learned from."""
    return crc32(name.encode()) % 4 == 0


def write(table: pd.DataFrame, schema: pa.Schema, name: str) -> None:
    arrow = pa.Table.from_pandas(table, schema, preserve_index=False).replace_schema_metadata()
    pq.write_table(arrow, DATA / f"{name}.parquet")
    print(f"{name}: {len(table)} rows")


def main() -> None:
    DATA.mkdir(exist_ok=True)
    days = rain()
    is_evaluation = days["date"].dt.year == 2015
    write(days[~is_evaluation], RAIN, "rain")
    write(days[is_evaluation], RAIN, "rain_evaluation")
    table = cars()
    write(table, CARS, "cars")
    known = table[table["miles_per_gallon"].notna() & table["name"].map(is_held_out)]
    write(known, CARS.append(pa.field("miles_per_gallon", pa.float64())), "cars_evaluation")


if __name__ == "__main__":
    main()
