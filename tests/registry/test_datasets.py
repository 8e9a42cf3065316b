"""Identities of data and contracts."""

from __future__ import annotations

import hashlib
from pathlib import Path

from release_gate.registry.datasets import contract_of, contracts_of, datasets_of
from tests.registry.making import write


def test_data_are_named_by_the_sha256_of_their_bytes_and_left_out_when_absent(tmp_path: Path) -> None:
    write(tmp_path, {"b.csv": "1"})
    (found,) = datasets_of(tmp_path, ["b.csv", "b.csv", "absent.csv"])
    assert found.identity == f"sha256:{hashlib.sha256(b'1').hexdigest()}"


def test_the_version_of_a_contract_is_the_one_it_says(tmp_path: Path) -> None:
    files = {
        "odcs.yml": "apiVersion: v3.1.0\nversion: 1.2.0\n",
        "pandera.yaml": "schema_type: dataframe\nversion: 0.35.0\nmetadata: {version: 3.0.0}\n",
        "none.yml": "schema_type: dataframe\nversion: 0.35.0\n",
        "list.yml": "[1]",
        "broken.yml": "a: [",
    }
    found = contracts_of(write(tmp_path, files), dict.fromkeys([*files, "absent.yml"], "data"))
    assert {one.name: one.version for one in found} == {
        "odcs.yml": "1.2.0",
        "pandera.yaml": "3.0.0",
        "none.yml": None,
        "list.yml": None,
        "broken.yml": None,
    }


def test_a_contract_that_is_not_there_or_lies_outside_is_none(tmp_path: Path) -> None:
    write(tmp_path, {"in/a.yml": "version: 1.0.0\n", "out.yml": "version: 1.0.0\n"})
    root = tmp_path / "in"
    (root / "link.yml").symlink_to(tmp_path / "out.yml")
    found = contract_of(root, "a.yml")
    assert found is not None
    assert found.version == "1.0.0"
    assert [contract_of(root, name) for name in ("none.yml", "../out.yml", "link.yml", ".")] == [None] * 4
