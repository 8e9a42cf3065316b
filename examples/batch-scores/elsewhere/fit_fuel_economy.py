"""Fits the fuel model and packs it as the tar that this repository fetches.

It stands for another team's tool: nothing of it is needed to score. Run like make_data.py, with the terms:
`elsewhere/fit_fuel_economy.py weight year`. The tar is the same, byte for byte, whenever it is made.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
import tarfile
from pathlib import Path

import numpy as np
from make_data import cars, is_held_out

ARTIFACT = Path(__file__).parents[1] / "artifacts" / "fuel-economy.tar"
LOGARITHMS = {"weight", "horsepower", "displacement"}


def fit(columns: list[str]) -> dict[str, object]:
    """Least squares on the logarithm of miles a gallon, on the cars that are not held out."""
    table = cars()
    table = table[table["miles_per_gallon"].notna() & ~table["name"].map(is_held_out)]
    stand_in = {column: float(table[column].median()) for column in columns}
    used = table[columns].fillna(stand_in).astype("float64")
    for column in LOGARITHMS.intersection(columns):
        used[column] = np.log(used[column])
    design = np.column_stack([np.ones(len(used)), used.to_numpy()])
    intercept, *slopes = np.linalg.lstsq(design, np.log(table["miles_per_gallon"].to_numpy()), rcond=None)[
        0
    ].tolist()
    terms = [
        {"column": column, "log": column in LOGARITHMS, "null": stand_in[column], "slope": round(slope, 10)}
        for column, slope in zip(columns, slopes, strict=True)
    ]
    return {"target": "log", "intercept": round(intercept, 10), "terms": terms, "cars": len(table)}


def main() -> None:
    content = (json.dumps(fit(sys.argv[1:]), indent=1) + "\n").encode()
    member = tarfile.TarInfo("model.json")
    member.size, member.mode = len(content), 0o644
    ARTIFACT.parent.mkdir(exist_ok=True)
    with tarfile.open(ARTIFACT, "w", format=tarfile.USTAR_FORMAT) as archive:
        archive.addfile(member, io.BytesIO(content))
    print(content.decode(), "sha256:", hashlib.sha256(ARTIFACT.read_bytes()).hexdigest())


if __name__ == "__main__":
    main()
