"""scripts/pin: the copy of the repository in which every own reference is resolved."""

import importlib.machinery
import importlib.util
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from tests.workflows.places import PROJECT

IMAGE = "docker://ghcr.io/octo-air/release-gate@sha256:" + "0" * 64


def load() -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("pin", str(PROJECT / "scripts/pin"))
    spec = importlib.util.spec_from_loader("pin", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("line", "resolved"),
    [
        ("      - uses: $/actions/report", "      - uses: octo-air/release-gate/actions/report@v1"),
        ("        uses: '$/actions/report' # ours", "        uses: octo-air/release-gate/actions/report@v1 # ours"),
        ("    uses: $/.github/workflows/gate.yml", "    uses: octo-air/release-gate/.github/workflows/gate.yml@v1"),
        ("      - uses: $/.github/actions/begin", "      - uses: octo-air/release-gate/.github/actions/begin@v1"),
        ("      - uses: $/", "      - uses: octo-air/release-gate@v1"),
        ("  image: ../../Dockerfile # why", f"  image: {IMAGE} # why"),
        ("  image: Dockerfile", f"  image: {IMAGE}"),
    ],
)
def test_every_way_to_name_ourselves_is_resolved(line: str, resolved: str) -> None:
    assert load().pinned(line, "octo-air/release-gate", "v1", IMAGE) == (resolved, 1)


@pytest.mark.parametrize(
    "line",
    [
        "      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1",
        "        uses: ./.github/actions/release-gate-setup",
        "  # uses: $/actions/report is what this stood for",
        "      image: python:3.12-slim",
        "  description: image: Dockerfile",
    ],
)
def test_what_is_not_ours_stays(line: str) -> None:
    assert load().pinned(line, "octo-air/release-gate", "v1", IMAGE) == (line, 0)


def test_the_copy_holds_no_reference_to_the_running_commit(tmp_path: Path) -> None:
    options = ["--repository", "octo-air/release-gate", "--ref", "v1", "--image", IMAGE]
    subprocess.run([PROJECT / "scripts/pin", tmp_path / "copy", *options], check=True, capture_output=True)
    pin = load()
    definitions = pin.definitions(tmp_path / "copy")
    assert len(definitions) == len(pin.definitions(PROJECT)) > 10
    assert not [line for file in definitions for line in pin.left(file.read_text())]
    assert not (tmp_path / "copy/.git").exists()
    assert not (tmp_path / "copy/.venv").exists()


def test_a_form_that_pin_does_not_know_is_reported_not_copied_in_silence() -> None:
    assert load().left("jobs: {gate: {uses: $/.github/workflows/gate.yml}}") != []


def test_pin_refuses_a_folder_in_use_and_an_image_that_is_no_prebuilt_one(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder, image, words in ((tmp_path, IMAGE, "not empty"), (tmp_path / "new", "Dockerfile", "docker://NAME")):
        done = subprocess.run(
            [PROJECT / "scripts/pin", folder, "--repository", "o/r", "--ref", "v1", "--image", image],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2
        assert words in done.stderr
