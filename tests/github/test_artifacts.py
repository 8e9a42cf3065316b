"""Artifacts made by an enemy: each is refused whole, with its name, and nothing of it is written anywhere."""

from __future__ import annotations

import contextlib
import io
import stat
import struct
import warnings
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.github.artifacts import MOST_FILES, ArtifactRefused, unpack

GOOD = "flight-delay/verdicts/schema-check.json"


def packed(*entries: tuple[str | zipfile.ZipInfo, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two files of one name are what we want
        for name, content in entries:
            archive.writestr(name, content)
    return target.getvalue()


def special(name: str, kind: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (kind | 0o777) << 16
    return info


def refused(content: bytes) -> str:
    with pytest.raises(ArtifactRefused) as refusal:
        unpack(content, "release-gate-verdicts-build-all-1")
    return refusal.value.findings[0].code


def test_verdicts_come_out_with_model_and_gate() -> None:
    found = unpack(packed(("flight-delay/", b""), ("flight-delay/verdicts/", b""), (GOOD, b"{}")), "a")
    assert [(one.model, one.gate, one.path, one.content) for one in found] == [
        ("flight-delay", "schema-check", GOOD, b"{}")
    ]


@pytest.mark.parametrize(
    "path",
    [
        "../x.json",
        "a/../../verdicts/x.json",
        "/etc/passwd",
        "C:/x",
        "..\\x",
        "a/verdicts/../../../x.json",
        "\\\\host\\x",
    ],
)
def test_a_path_out_of_its_folder(path: str) -> None:
    assert refused(packed((path, b"{}"))) == "artifact-path"


def test_a_name_that_hides_its_end_behind_a_nul() -> None:
    honest = packed((GOOD + "/../../x", b"{}"))
    assert refused(honest.replace(b"json/../../x", b"json\0../../x")) == "artifact-path"


@pytest.mark.parametrize(
    "path", ["x.json", "a/b/c.json", "a/verdicts/x.sh", "a/verdicts/X.json", "A/verdicts/x.json", "a/verdicts/x/y.json"]
)
def test_a_file_that_is_no_verdict(path: str) -> None:
    assert refused(packed((path, b"{}"))) == "artifact-unexpected"


def test_a_folder_that_holds_bytes() -> None:
    assert refused(packed(("flight-delay/", b"surprise"))) == "artifact-unexpected"


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK])
def test_links_and_devices(kind: int) -> None:
    assert refused(packed((special(GOOD, kind), b"/etc/passwd"))) == "artifact-link"


def test_two_files_of_one_name_or_of_names_that_differ_in_case() -> None:
    assert refused(packed((GOOD, b"{}"), (GOOD, b"[]"))) == "artifact-duplicate"
    folders = packed(("flight-delay/", b""), ("FLIGHT-delay/", b""))
    assert refused(folders) == "artifact-duplicate"


def test_a_hundred_megabytes_of_text() -> None:
    assert refused(packed((GOOD, b"text " * 20_000_000))) == "artifact-zip-bomb"
    # Not packed at all it is no bomb, and too large all the same.
    assert refused(packed((GOOD, b"x" * 5_000_000), compression=zipfile.ZIP_STORED)) == "artifact-too-large"


def test_many_files_that_are_too_large_together() -> None:
    import random

    noise = random.Random(1).randbytes(3_000_000)
    many = [(f"m/verdicts/g{index}.json", noise) for index in range(6)]
    assert refused(packed(*many, compression=zipfile.ZIP_STORED)) == "artifact-too-large"


def test_a_bomb_of_zeros() -> None:
    assert refused(packed((GOOD, b"\0" * 3_000_000))) == "artifact-zip-bomb"


def test_a_bomb_that_lies_about_its_size_gives_no_more_than_it_admits() -> None:
    content = bytearray(packed((GOOD, b"\0" * 200_000)))
    place = content.index(b"PK\x01\x02") + 24  # uncompressed size in the central directory
    content[place : place + 4] = struct.pack("<I", 100)
    assert refused(bytes(content)) in ("artifact-broken", "artifact-zip-bomb")


def test_too_many_files() -> None:
    many = [(f"m/verdicts/g{index}.json", b"") for index in range(MOST_FILES + 1)]
    assert refused(packed(*many)) == "artifact-too-many-files"


def test_an_encrypted_file() -> None:
    content = bytearray(packed((GOOD, b"{}")))
    content[content.index(b"PK\x01\x02") + 8] |= 1
    assert refused(bytes(content)) == "artifact-encrypted"


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip", packed((GOOD, b"{}"))[:-30], packed((GOOD, b"{}"))[40:]])
def test_what_is_no_zip(content: bytes) -> None:
    assert refused(content) == "artifact-broken"


def test_a_compression_nobody_knows() -> None:
    content = bytearray(packed((GOOD, b"{}")))
    content[content.index(b"PK\x01\x02") + 10] = 77
    content[8] = 77
    assert refused(bytes(content)) == "artifact-broken"


@given(st.data())
def test_bytes_changed_anywhere_give_verdicts_or_a_refusal(data: st.DataObject) -> None:
    content = bytearray(packed((GOOD, b'{"schema": 1}'), ("flight-delay/verdicts/endpoint-test.json", b"{}")))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ArtifactRefused):
        assert all("/" not in one.model + one.gate for one in unpack(bytes(content), "a"))
