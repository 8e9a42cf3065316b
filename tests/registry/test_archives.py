"""Archives written the same everywhere, and those of strangers unpacked safely or not at all."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.findings import BadInput
from release_gate.registry.archives import Limits, extract, is_archive, safe_name, write_tar
from release_gate.verdict import Where


def tar(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w") as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def test_a_tar_depends_on_names_contents_and_the_executable_bit_only(tmp_path: Path) -> None:
    written = []
    for folder, mode, time in (("one", 0o600, 0), ("two", 0o644, 10**9)):
        path = tmp_path / folder / ("a" * 150)
        path.parent.mkdir()
        path.write_text("content")
        path.chmod(mode)
        os.utime(path, (time, time))
        out = io.BytesIO()
        write_tar(out, [("z", path), ("a" * 150, path)])
        written.append(out.getvalue())
    assert written[0] == written[1]
    (tmp_path / "one" / ("a" * 150)).chmod(0o755)
    out = io.BytesIO()
    write_tar(out, [("z", tmp_path / "one" / ("a" * 150)), ("a" * 150, tmp_path / "two" / ("a" * 150))])
    assert out.getvalue() != written[0]


def test_tar_and_zip_come_out_as_they_went_in(tmp_path: Path) -> None:
    run = member("run.sh")
    run.mode = 0o755
    archive = tar(tmp_path / "a.tar", (member("d", tarfile.DIRTYPE), b""), (member("d/x"), b"1"), (run, b"2"))
    (tmp_path / "t").mkdir()
    assert [path.relative_to(tmp_path / "t").as_posix() for path in extract(archive, tmp_path / "t")] == [
        "d/x",
        "run.sh",
    ]
    assert (tmp_path / "t" / "run.sh").stat().st_mode & 0o777 == 0o755
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as zipped:
        zipped.writestr("d/", "")
        zipped.writestr("d/x", "1")
    (tmp_path / "z").mkdir()
    assert extract(tmp_path / "a.zip", tmp_path / "z")[0].read_text() == "1"


def test_a_tar_that_ends_with_a_zip_is_still_a_tar(tmp_path: Path) -> None:
    inside = io.BytesIO()
    with zipfile.ZipFile(inside, "w") as zipped:
        zipped.writestr("wrong", "wrong")
    archive = tar(tmp_path / "a.tar", (member("model.skops"), inside.getvalue()))
    assert zipfile.is_zipfile(archive), "which is what made this go wrong"
    (tmp_path / "t").mkdir()
    assert [path.name for path in extract(archive, tmp_path / "t")] == ["model.skops"]


HOSTILE = {
    "a link": [(member("l", tarfile.SYMTYPE, "/etc/passwd"), b"")],
    "a hard link": [(member("l", tarfile.LNKTYPE, "x"), b"")],
    "a device": [(member("n", tarfile.CHRTYPE), b"")],
    "a pipe": [(member("n", tarfile.FIFOTYPE), b"")],
    "an absolute name": [(member("/etc/x"), b"1")],
    "a name that leads out": [(member("a/../../x"), b"1")],
    "a backslash": [(member("a\\..\\x"), b"1")],
    "a drive": [(member("C:x"), b"1")],
    "a control character": [(member("a\nb"), b"1")],
    "a name twice": [(member("a"), b"1"), (member("./a"), b"2")],
    "a file where a folder is": [(member("a"), b"1"), (member("a/b"), b"2")],
    "more files than allowed": [(member(str(number)), b"1") for number in range(5)],
    "more bytes than allowed": [(member("a"), b"1" * 2000)],
    "too long a name": [(member("a" * 100), b"1")],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_tar(tmp_path: Path, name: str) -> None:
    (tmp_path / "in").mkdir()
    archive = tar(tmp_path / "a.tar", *HOSTILE[name])
    with pytest.raises(BadInput) as refusal:
        extract(archive, tmp_path / "in", limits=Limits(files=4, bytes=1000, name=50))
    assert [found.code for found in refusal.value.findings] == ["archive-unsafe"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar", "in"]


def test_hostile_zip(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("l")
    link.external_attr = 0o120777 << 16
    bomb = zipfile.ZipInfo("b")
    bomb.compress_type = zipfile.ZIP_DEFLATED
    for number, (info, content) in enumerate([(link, b"/etc/passwd"), (bomb, b"0" * 10_000_000)]):
        path = tmp_path / f"{number}.zip"
        with zipfile.ZipFile(path, "w") as zipped:
            zipped.writestr(info, content)
        (tmp_path / str(number)).mkdir()
        with pytest.raises(BadInput, match="archive-unsafe"):
            extract(path, tmp_path / str(number), limits=Limits(bytes=1_000_000))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no", b"neither", b"\x1f\x8b broken"])
def test_what_is_no_archive_is_broken(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.tar").write_bytes(content)
    with pytest.raises(BadInput) as refusal:
        extract(tmp_path / "a.tar", tmp_path)
    assert [found.code for found in refusal.value.findings] == ["archive-broken"]


def test_a_cut_archive_is_broken(tmp_path: Path) -> None:
    archive = tar(tmp_path / "a.tar", (member("x"), b"1" * 5000))
    archive.write_bytes(archive.read_bytes()[:2000])
    (tmp_path / "t").mkdir()
    with pytest.raises(BadInput, match="archive-broken"):
        extract(archive, tmp_path / "t")


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_a_name_that_is_let_through_stays_inside(name: str) -> None:
    try:
        safe = safe_name(name, Where(file="a"))
    except BadInput:
        return
    assert Path("/folder", safe).resolve().is_relative_to("/folder")
    assert ".." not in Path(safe).parts


def test_model_files_that_are_zips_inside_are_no_archives() -> None:
    assert not any(is_archive(name) for name in ("model.skops", "weights.npz", "model.pt", "model.keras", "model"))
    assert all(is_archive(name) for name in ("model.tar", "M.TAR.GZ", "model.tgz", "model.zip"))
