"""Sealing, opening, unpacking, copying: the same inputs give the same digest, and no wrong byte goes unseen."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from release_gate.findings import BadInput
from release_gate.registry import blobs
from release_gate.registry.layers import unpack
from release_gate.registry.packages import copy, open_package, seal
from tests.registry.making import COMMIT, TREE, contents, layers, package


def blob(layout: Path, digest: str) -> Path:
    return layout / "blobs" / "sha256" / digest.removeprefix("sha256:")


def manifest(layout: Path) -> tuple[str, dict[str, Any]]:
    digest = json.loads((layout / "index.json").read_bytes())["manifests"][0]["digest"]
    return digest, json.loads(blob(layout, digest).read_bytes())


def refused(layout: Path, digest: str | None = None) -> tuple[str, str]:
    with pytest.raises(BadInput) as refusal:
        open_package(layout, digest)
    (found,) = refusal.value.findings
    return found.code, found.message


def test_a_package_comes_back_as_it_was_sealed(tmp_path: Path) -> None:
    made = package(tmp_path, tmp_path / "out")
    sealed = open_package(tmp_path / "out", made.digest)
    assert sealed.package == made
    assert (made.source.commit, made.source.tree) == (COMMIT, TREE)
    code, model = unpack(sealed.layers, tmp_path / "unpacked")
    assert (code / "app/run.py").read_text() == "print('hello')\n"
    assert (code / "lock.txt").read_text() == "# nothing\n"
    assert (model / "deep/er.json").read_text() == "{}"
    assert made.contents.golden is not None
    assert made.contents.golden.rows == [{"id": 1, "x": None}], "a null is a value, not an absence"


def test_the_layout_is_one_that_oci_tools_read(tmp_path: Path) -> None:
    made = package(tmp_path, tmp_path / "out")
    assert json.loads((tmp_path / "out" / "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
    digest, document = manifest(tmp_path / "out")
    assert digest == made.digest
    assert document["artifactType"] == "application/vnd.release-gate.package.v1"
    for descriptor in (document["config"], *document["layers"]):
        assert blob(tmp_path / "out", descriptor["digest"]).stat().st_size == descriptor["size"]


def test_identical_inputs_give_an_identical_digest_wherever_and_whenever(tmp_path: Path) -> None:
    digests = set()
    for name, time in (("one", 0), ("another/deep", 10**9)):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        made = layers(folder)
        for path in folder.rglob("*"):
            os.utime(path, (time, time))
        digests.add(seal(folder / "out", made, contents(made, folder), commit=None).digest)
        # The commit is told beside the package: the same tree under another commit is the same version.
        digests.add(seal(folder / "out", made, contents(made, folder), commit=COMMIT).digest)
    assert len(digests) == 1


@pytest.mark.parametrize("change", [{"model": "other"}, {"code": "print('other')\n"}])
def test_another_byte_gives_another_digest(tmp_path: Path, change: dict[str, str]) -> None:
    made = layers(tmp_path / "b", **change)
    assert (
        seal(tmp_path / "o", made, contents(made, tmp_path / "b"), commit=None).digest
        != package(tmp_path, tmp_path / "out").digest
    )


Break = Callable[[Path, dict[str, Any]], object]


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "code", "named"),
    [
        (lambda out, doc: flip(blob(out, doc["layers"][0]["digest"])), "package-corrupt", "code layer"),
        (lambda out, doc: flip(blob(out, doc["layers"][1]["digest"])), "package-corrupt", "model layer"),
        (lambda out, doc: flip(blob(out, doc["layers"][2]["digest"])), "package-corrupt", "lock layer"),
        (lambda out, doc: flip(blob(out, doc["config"]["digest"])), "package-corrupt", "description"),
        (lambda out, doc: flip(blob(out, manifest(out)[0])), "package-corrupt", "manifest"),
        (lambda out, doc: blob(out, doc["layers"][1]["digest"]).unlink(), "package-incomplete", "model layer"),
        (lambda out, doc: blob(out, doc["config"]["digest"]).unlink(), "package-incomplete", "description"),
        (
            lambda out, doc: blob(out, doc["layers"][1]["digest"]).open("ab").write(b"more"),
            "package-corrupt",
            "instead of",
        ),
        (lambda out, doc: (out / "index.json").unlink(), "package-missing", "no OCI image layout"),
        (lambda out, doc: (out / "index.json").write_text("{"), "package-corrupt", "index"),
        (lambda out, doc: (out / "index.json").write_text("[]"), "package-corrupt", "lists no manifests"),
        (lambda out, doc: (out / "index.json").write_text('{"manifests": []}'), "package-missing", "0 packages"),
        (
            lambda out, doc: (out / "index.json").write_text('{"manifests": [{"digest": "sha256:../../x"}]}'),
            "package-corrupt",
            "no sha256 digest",
        ),
        (lambda out, doc: shutil.rmtree(out), "package-missing", "out/"),
    ],
)
def test_damage_is_named(tmp_path: Path, damage: Break, code: str, named: str) -> None:
    package(tmp_path, tmp_path / "out")
    damage(tmp_path / "out", manifest(tmp_path / "out")[1])
    found, message = refused(tmp_path / "out")
    assert found == code
    assert named in message


def rewritten(layout: Path, change: Callable[[dict[str, Any]], object], *, config: bool = False) -> None:
    """A package whose digests are right and whose contents are not: someone's who can seal."""
    _, document = manifest(layout)
    if config:
        inside = json.loads(blob(layout, document["config"]["digest"]).read_bytes())
        change(inside)
        content = json.dumps(inside).encode()
        document["config"] |= {"digest": blobs.put(layout, content), "size": len(content)}
    else:
        change(document)
    content = json.dumps(document).encode()
    listed = {"manifests": [{"digest": blobs.put(layout, content), "size": len(content)}]}
    (layout / "index.json").write_text(json.dumps(listed))


@pytest.mark.parametrize(
    ("change", "config", "code"),
    [
        (lambda doc: doc.update(artifactType="other"), False, "package-newer"),
        (lambda doc: doc["layers"].pop(), False, "package-incomplete"),
        (lambda doc: doc.pop("config"), False, "package-corrupt"),
        (lambda doc: doc.update(layers=5), False, "package-corrupt"),
        (lambda doc: doc["layers"].append({"mediaType": "unknown"}), False, "package-corrupt"),
        (lambda inside: inside.update(schema=2), True, "package-newer"),
        (lambda inside: inside.update(extra=1), True, "package-corrupt"),
        (lambda inside: inside["environment"].update(sha256="0" * 64), True, "package-corrupt"),
    ],
)
def test_a_well_sealed_package_of_the_wrong_shape_is_refused(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], config: bool, code: str
) -> None:
    package(tmp_path, tmp_path / "out")
    rewritten(tmp_path / "out", change, config=config)
    assert refused(tmp_path / "out")[0] == code


def test_files_that_are_not_listed_are_not_unpacked_for_use(tmp_path: Path) -> None:
    package(tmp_path, tmp_path / "out")
    rewritten(tmp_path / "out", lambda inside: inside["files"].pop(), config=True)
    with pytest.raises(BadInput, match=r"package-corrupt: .*model/weights\.bin"):
        unpack(open_package(tmp_path / "out").layers, tmp_path / "unpacked")


def test_a_seal_that_fails_leaves_the_package_that_was_there(tmp_path: Path) -> None:
    before = package(tmp_path, tmp_path / "out")
    made = layers(tmp_path / "b", model="other")
    flip(blob(made.layout, made.descriptors["model"]["digest"]))
    with pytest.raises(BadInput, match="package-corrupt"):
        seal(tmp_path / "out", made, contents(made, tmp_path / "b"), commit=None)
    assert open_package(tmp_path / "out").package == before
    assert not list(tmp_path.glob(".*"))


def test_a_registry_holds_several_packages_each_found_by_digest(tmp_path: Path) -> None:
    digests = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        digests.append(package(tmp_path / name, tmp_path / name / "out", model=name).digest)
        copy(open_package(tmp_path / name / "out"), tmp_path / "registry")
        copy(open_package(tmp_path / name / "out"), tmp_path / "registry")
    assert len(blobs.index(tmp_path / "registry")) == 2
    for digest in digests:
        assert open_package(tmp_path / "registry", digest).package.source.commit == COMMIT
    assert refused(tmp_path / "registry")[0] == "package-missing"
    assert refused(tmp_path / "registry", f"sha256:{0:064x}")[0] == "package-missing"


def test_copying_over_a_damaged_blob_does_not_pass_it_on(tmp_path: Path) -> None:
    made = package(tmp_path, tmp_path / "out")
    sealed = open_package(tmp_path / "out")
    copy(sealed, tmp_path / "registry")
    (tmp_path / "registry" / "index.json").unlink()
    flip(blob(tmp_path / "registry", sealed.layers.descriptors["model"]["digest"]))
    with pytest.raises(BadInput, match="package-corrupt"):
        copy(sealed, tmp_path / "registry")
    assert not (tmp_path / "registry" / "index.json").exists(), made.digest


LARGE = """
import re, sys
from pathlib import Path
from tests.registry.making import contents
from release_gate.registry.layers import make_layers, unpack
from release_gate.registry.packages import copy, open_package, seal
root = Path(sys.argv[1])
(root / "tree").mkdir(); (root / "trained").mkdir()
(root / "tree" / "lock.txt").write_text("#")
with (root / "trained" / "large.bin").open("wb") as file:
    file.truncate(int(sys.argv[2]))
made = make_layers(root / "layers", code={}, model=root / "trained", lock=("lock.txt", root / "tree" / "lock.txt"))
seal(root / "out", made, contents(made, root), commit=None)
sealed = open_package(root / "out")
unpack(sealed.layers, root / "unpacked")
copy(sealed, root / "registry")
# Not ru_maxrss: it remembers the process that started this one.
print(int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from /proc")
def test_a_large_model_passes_through_in_pieces(tmp_path: Path) -> None:
    size = int(os.environ.get("LARGE_MODEL_BYTES", "200000000"))
    words = [sys.executable, "-c", LARGE, str(tmp_path), str(size)]
    paths = {"PYTHONPATH": os.pathsep.join(["scripts", "."])}
    done = subprocess.run(words, capture_output=True, text=True, check=True, env={**os.environ, **paths})
    assert int(done.stdout) <= 150, "MB of memory"
