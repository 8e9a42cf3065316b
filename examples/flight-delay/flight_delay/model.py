"""Writes the model to a folder and reads it back, without pickle and without bytes that depend on the run.

The format is skops: arrays and a description in JSON, loaded only into types named here, so that whoever
opens a model file runs no code of a stranger. skops stamps files with the time and names them by memory
address; `canonical` takes both out, so that equal models are equal files.
"""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import skops.io
from sklearn.ensemble import HistGradientBoostingClassifier

from flight_delay.features import FEATURES

MODEL_FILE = "model.skops"
FEATURES_FILE = "features.json"
TRUSTED = ["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"]
BEGINNING = (1980, 1, 1, 0, 0, 0)
ADDRESS = re.compile(r'(?<="__id__": )\d+|(?<=")\d+(?=\.npy")')


def save(model: HistGradientBoostingClassifier, folder: Path) -> None:
    """Write the model and the names of the features it expects."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MODEL_FILE).write_bytes(canonical(skops.io.dumps(model)))
    (folder / FEATURES_FILE).write_text(json.dumps(FEATURES, indent=1) + "\n", encoding="utf-8")


def load(folder: Path) -> HistGradientBoostingClassifier:
    """Read a model, and refuse one that was fitted on other features than this code makes."""
    expected = json.loads((folder / FEATURES_FILE).read_text(encoding="utf-8"))
    if expected != FEATURES:
        message = f"{folder}: the model was fitted on {expected}, this code makes {FEATURES}; train again"
        raise SystemExit(message)
    return skops.io.load(folder / MODEL_FILE, trusted=TRUSTED)


def canonical(dumped: bytes) -> bytes:
    """The same skops archive with objects numbered in order of appearance and no time of writing."""
    numbers: dict[str, str] = {}
    written = io.BytesIO()
    with ZipFile(io.BytesIO(dumped)) as before, ZipFile(written, "w", ZIP_DEFLATED) as after:
        schema = before.read("schema.json").decode()
        schema = ADDRESS.sub(lambda found: numbers.setdefault(found[0], str(len(numbers))), schema)
        after.writestr(entry("schema.json"), schema)
        for name in sorted(
            set(before.namelist()) - {"schema.json"}, key=lambda n: int(numbers[Path(n).stem])
        ):
            after.writestr(entry(f"{numbers[Path(name).stem]}.npy"), before.read(name))
    return written.getvalue()


def entry(name: str) -> ZipInfo:
    info = ZipInfo(name, BEGINNING)
    info.compress_type = ZIP_DEFLATED
    return info
