"""Small packages for tests."""

from __future__ import annotations

from pathlib import Path

from release_gate.files import sha256
from release_gate.lifecycle.package import Contents, Environment, Golden, Package, Use
from release_gate.registry.layers import Layers, make_layers
from release_gate.registry.packages import seal

COMMIT, TREE = "c" * 40, "d" * 40


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def layers(folder: Path, *, model: str = "weights", code: str = "print('hello')\n") -> Layers:
    tree = write(folder / "tree", {"app/run.py": code, "lock.txt": "# nothing\n"})
    write(folder / "trained", {"weights.bin": model, "deep/er.json": "{}"})
    named = {"app/run.py": tree / "app/run.py", "lock.txt": tree / "lock.txt"}
    return make_layers(folder / "layers", code=named, model=folder / "trained", lock=("lock.txt", tree / "lock.txt"))


def contents(made: Layers, folder: Path, **change: object) -> Contents:
    lock = folder / "tree" / "lock.txt"
    facts = Contents(
        model="tiny",
        tree=TREE,
        producer="release-gate test",
        files=made.files,
        environment=Environment(kind="requirements", lock="lock.txt", sha256=sha256(lock)),
        delivery="none",
        use=Use(predict="python run.py", key="id"),
        golden=Golden(through="predict", rows=[{"id": 1, "x": None}], scores=[0.1 + 0.2]),
    )
    return facts.model_copy(update=change)


def package(folder: Path, layout: Path, *, commit: str | None = COMMIT, model: str = "weights") -> Package:
    made = layers(folder, model=model)
    return seal(layout, made, contents(made, folder), commit=commit)
