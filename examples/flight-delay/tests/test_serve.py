"""The server answers over a real socket, with a model trained on a few flights."""

import threading
import time

import httpx
import numpy as np
import pandas as pd
import pytest
import uvicorn

from flight_delay import model as model_files
from flight_delay import predict, train
from flight_delay.serve import create_app


@pytest.fixture(scope="module")
def history():
    random = np.random.default_rng(0)
    rows = 4000
    weather = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "precip", "pressure", "visib"]
    table = pd.DataFrame(random.uniform(0, 100, (rows, len(weather))), columns=weather)
    table["flight_id"] = [f"flight-{row}" for row in range(rows)]
    table["scheduled_departure"] = pd.date_range("2013-03-01", periods=rows, freq="7min")
    table["origin"] = random.choice(["EWR", "JFK", "LGA"], rows)
    table["carrier"] = random.choice(["UA", "DL"], rows)
    table["distance"] = random.integers(100, 3000, rows)
    table["recent_late_share"] = random.uniform(0, 1, rows)
    table["late"] = table["recent_late_share"] > 0.5
    return table


@pytest.fixture(scope="module")
def folder(history, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    model_files.save(train.fit(history), folder)
    return folder


@pytest.fixture(scope="module")
def client(folder):
    server = uvicorn.Server(uvicorn.Config(create_app(folder, "1.2.3"), port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        yield client
    server.should_exit = True
    thread.join(timeout=20)


def test_health_names_the_version(client):
    assert client.get("/health").json() == {"status": "ok", "version": "1.2.3"}


def test_rows_are_answered_in_order(client, record):
    rows = [
        record | {"flight_id": name, "recent_late_share": share} for name, share in (("b", 0.9), ("a", 0.1))
    ]
    predictions = client.post("/predict", json={"rows": rows}).json()["predictions"]
    assert [prediction["flight_id"] for prediction in predictions] == ["b", "a"]
    assert predictions[0]["score"] > predictions[1]["score"]


def test_a_table_is_scored_in_order_without_its_label(folder, history):
    scored = predict.predict(folder, history.head(20).drop(columns="late"))
    assert list(scored.columns) == ["flight_id", "score"]
    assert scored["flight_id"].tolist() == history.head(20)["flight_id"].tolist()
    assert scored["score"].between(0, 1).all()


@pytest.mark.parametrize(
    "broken",
    [
        {"origin": "BOS"},
        {"distance": -1},
        {"recent_late_share": 1.5},
        {"scheduled_departure": "soon"},
        {"temp": "hot"},
    ],
)
def test_an_impossible_value_is_refused(client, record, broken):
    assert client.post("/predict", json={"rows": [record | broken]}).status_code == 422


def test_a_null_reading_is_answered_but_a_missing_one_is_refused(client, record):
    assert client.post("/predict", json={"rows": [record | {"temp": None}]}).status_code == 200
    del record["temp"]
    assert client.post("/predict", json={"rows": [record]}).status_code == 422


def test_malformed_bodies_are_refused(client):
    assert (
        client.post("/predict", content="{", headers={"content-type": "application/json"}).status_code == 422
    )
    assert client.post("/predict", json={"rows": []}).status_code == 422
    assert client.post("/predict", json={}).status_code == 422


def test_training_twice_gives_the_same_bytes(history, folder, tmp_path):
    model_files.save(train.fit(history), tmp_path)
    assert (tmp_path / "model.skops").read_bytes() == (folder / "model.skops").read_bytes()


def test_a_model_of_other_features_is_refused(folder, tmp_path):
    for name in ("model.skops", "features.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    (tmp_path / "features.json").write_text('["altitude"]')
    with pytest.raises(SystemExit, match="train again"):
        model_files.load(tmp_path)
