"""Scores cars with a model that another team fits: miles a gallon, from coefficients in a JSON file.

The file says for each term which column it takes, whether of its logarithm, and what stands in for a null:
`{"target": "log", "intercept": 11, "terms": [{"column": "weight", "log": true, "null": 2800, "slope": -1}]}`
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


def miles_per_gallon(model: Mapping[str, Any], car: Mapping[str, Any]) -> float:
    """The fitted value for one car."""
    total = float(model["intercept"])
    for term in model["terms"]:
        value = car[term["column"]]
        if value is None or value != value:  # null, or the NaN that some writers put for it
            value = term["null"]
        total += term["slope"] * (math.log(value) if term["log"] else value)
    return math.exp(total) if model["target"] == "log" else total


def main() -> None:
    parser = argparse.ArgumentParser(description="miles a gallon")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    model = json.loads((arguments.model / "model.json").read_text(encoding="utf-8"))
    cars = pq.read_table(arguments.data).to_pylist()
    scores = {
        "car_id": [car["car_id"] for car in cars],
        "score": [miles_per_gallon(model, car) for car in cars],
    }
    pq.write_table(pa.table(scores), arguments.out)


if __name__ == "__main__":
    main()
