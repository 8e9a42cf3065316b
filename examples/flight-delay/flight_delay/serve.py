"""Answers over HTTP how likely flights are to be late."""

from __future__ import annotations

import argparse
import os
from datetime import datetime
from pathlib import Path
from typing import Annotated

import numpy as np
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from threadpoolctl import threadpool_limits

from flight_delay import model as model_files
from flight_delay.features import request_features

MOST_ROWS = 1000
# A reading may be null, as the contract says, but it may not be left out: that is a broken client.
Share = Annotated[float, Field(ge=0, le=1)] | None
Percent = Annotated[float, Field(ge=0, le=100)] | None
Degrees = Annotated[float, Field(ge=0, le=360)] | None
Temperature = Annotated[float, Field(ge=-60, le=130)] | None
Positive = Annotated[float, Field(ge=0, le=120)] | None
Pressure = Annotated[float, Field(ge=870, le=1085)] | None


class Flight(BaseModel):
    """One flight, as in contracts/flights.yml without the label; the rest of a row is ignored."""

    model_config = ConfigDict(allow_inf_nan=False)

    flight_id: str = Field(min_length=1, max_length=64)
    scheduled_departure: datetime
    origin: str = Field(pattern=r"^(EWR|JFK|LGA)$")
    carrier: str = Field(pattern=r"^[A-Z0-9]{2}$")
    distance: float = Field(ge=10, le=6000)
    recent_late_share: Share
    temp: Temperature
    dewp: Temperature
    humid: Percent
    wind_dir: Degrees
    wind_speed: Positive
    precip: Positive
    pressure: Pressure
    visib: Positive


class Request(BaseModel):
    """The flights asked about."""

    rows: list[Flight] = Field(min_length=1, max_length=MOST_ROWS)


class Prediction(BaseModel):
    """The answer for one flight."""

    flight_id: str
    score: float


class Answer(BaseModel):
    """One prediction a row, in the order asked."""

    predictions: list[Prediction]


def create_app(folder: Path, version: str) -> FastAPI:
    """The application around the model of a folder."""
    app = FastAPI(title="flight-delay", version=version)
    classifier = model_files.load(folder)

    # Not in worker threads: a prediction takes a millisecond, and OpenMP is limited in one thread only.
    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok", "version": version}

    @app.post("/predict")
    async def predict(request: Request) -> Answer:
        features = np.array([request_features(row.model_dump()) for row in request.rows], dtype="float64")
        scores = classifier.predict_proba(features)[:, 1]
        pairs = zip(request.rows, scores, strict=True)
        return Answer(
            predictions=[Prediction(flight_id=row.flight_id, score=float(score)) for row, score in pairs]
        )

    return app


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder written by train")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    # One row needs one core; threads that wait for each other make the slowest answers on a busy machine.
    threadpool_limits(limits=1)
    version = os.environ.get("RELEASE_GATE_VERSION", "unversioned")
    # On every answer, also on one that fails: a client's log must tell which version it was.
    headers = [("X-Model-Version", version)]
    app = create_app(arguments.model, version)
    uvicorn.run(app, host=arguments.host, port=arguments.port, log_level="warning", headers=headers)


if __name__ == "__main__":
    main()
