"""The written forms of a registry: told apart, written back as they were, and refused in words with their place."""

from __future__ import annotations

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.config import ModelConfig, json_schema, parsed
from release_gate.documents import parse
from release_gate.findings import BadInput
from release_gate.registries import Branch, Bucket, Folder, Registries, place

BASE = """\
version: 1
model: flights
owner: "@octo-air"
contracts: {contract.yml: rows.parquet}
candidate: {train: train, predict: predict}
evaluation: {data: rows.parquet, key: id, label: late}
thresholds: [{metric: roc_auc, at_least: 0.7}]
"""


def read(written: str) -> ModelConfig:
    return parsed(parse(f"{BASE}registry: {written}\n".encode(), "release-gate.yml")).models[0]


@pytest.mark.parametrize(
    ("written", "packages", "ledger"),
    [
        ("releases", Folder(path="releases"), Folder(path="releases")),
        ("../shared/releases", Folder(path="../shared/releases"), Folder(path="../shared/releases")),
        ("s3://models/flights/", Bucket(url="s3://models/flights"), Bucket(url="s3://models/flights")),
        ("gs://models", Bucket(url="gs://models"), Bucket(url="gs://models")),
        ("file:///srv/models", Bucket(url="file:///srv/models"), Bucket(url="file:///srv/models")),
        ("branch:release-gate", Branch(name="release-gate"), Branch(name="release-gate")),
        (
            "{packages: az://models/flights, ledger: branch:ledgers/flights}",
            Bucket(url="az://models/flights"),
            Branch(name="ledgers/flights"),
        ),
    ],
)
def test_a_place_is_told_by_its_form(written: str, packages: object, ledger: object) -> None:
    found = read(written).registry
    assert (found.packages, found.ledger) == (packages, ledger)
    again: object = found.model_dump(mode="json")
    assert (Registries.model_validate(again) if isinstance(again, dict) else Registries.of(str(again))) == found


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("s3://AKIAKEY:hunter/22@models/flights", "'s3:…@models/flights'"),
        (f"s3://AKIAKEY:hunter{'/' * 90}22@models", "'s3:…@models'"),
        ("s3:AKIAKEY:hunter22@models", "'s3:…@models'"),
        ("az://models/flights?sig=hunter22", "'az://models/flights?…'"),
        ("https://octocat:hunter22@host/x", "'https:…@host/x'"),
        ("S3://models", "'S3://models'"),
    ],
)
def test_credentials_in_a_registry_are_refused_and_not_quoted(written: str, shown: str) -> None:
    with pytest.raises(BadInput) as refused:
        read(written)
    (found,) = refused.value.findings
    assert f"(it is {shown})" in found.message
    assert "hunter" not in found.model_dump_json()


@pytest.mark.parametrize(
    ("written", "place_of", "words"),
    [
        ("5", "8:1", "write a folder"),
        ("[releases]", "8:1", "write a folder"),
        ('""', "8:1", "write a folder"),
        ("oci://ghcr.io/octo-air/flights", "8:1", "'oci:' names no kind of registry"),
        ("S3://models", "8:1", "'S3:' names no kind of registry"),
        ("s3:/models", "8:1", "write a bucket as s3://bucket/prefix"),
        ("s3://", "8:1", "write a bucket as s3://bucket/prefix"),
        ("s3://models/../other", "8:1", "write a bucket as s3://bucket/prefix"),
        ("s3://key:secret@models", "8:1", "holds no credentials"),
        ("s3://models?versionId=1", "8:1", "holds no credentials and no query"),
        ("file://models", "8:1", "write a bucket as s3://bucket/prefix"),
        ("'branch:'", "8:1", "the name of a branch"),
        ("branch:a..b", "8:1", "the name of a branch"),
        ("branch:-f", "8:1", "the name of a branch"),
        ("branch:a.lock", "8:1", "the name of a branch"),
        ("branch:a/.b", "8:1", "the name of a branch"),
        ("{packages: s3://models}", "8:1", "'registry.ledger': this key is needed"),
        ("{packages: s3://models, ledgr: branch:x}", "8:", "did you mean 'ledger'?"),
        ("{packages: ftp://models, ledger: branch:x}", "8:12", "'registry.packages': 'ftp:' names no kind"),
    ],
)
def test_what_is_no_place_is_refused_in_words(written: str, place_of: str, words: str) -> None:
    with pytest.raises(BadInput) as refusal:
        read(written)
    (found,) = refusal.value.findings
    assert words in found.message
    assert str(found.where).startswith(f"release-gate.yml:{place_of}")


def test_the_default_is_the_folder_of_ours_and_editors_are_told_so() -> None:
    assert str(parsed(parse(BASE.encode(), "release-gate.yml")).models[0].registry) == ".release-gate/registry"
    described = json_schema()["properties"]["registry"]
    assert described["default"] == ".release-gate/registry"


@pytest.mark.parametrize(
    ("value", "valid"),
    [
        ("releases", True),
        ({"packages": "s3://models", "ledger": "branch:x"}, True),
        ({"packages": "s3://models"}, False),
        ({"packages": "s3://models", "ledger": "x", "other": "y"}, False),
        (5, False),
        ("", False),
    ],
)
def test_the_schema_for_editors_knows_both_forms(value: object, valid: bool) -> None:
    described = json_schema()["properties"]["registry"]
    assert jsonschema.Draft202012Validator(described).is_valid(value) is valid


def test_two_places_are_said_as_two() -> None:
    found = read("{packages: s3://models, ledger: branch:release-gate}").registry
    assert str(found) == "s3://models (packages) and branch:release-gate (ledger)"


@given(st.text(max_size=60))
def test_any_text_is_a_place_that_is_written_back_as_it_was_or_is_refused(written: str) -> None:
    try:
        found = place(written)
    except ValueError:
        return
    assert place(str(found)) == found
    assert str(found).rstrip("/") == written.rstrip("/")
