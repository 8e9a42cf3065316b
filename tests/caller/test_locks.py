from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.caller.locks import EXPORTS, find_lock, unpinned
from release_gate.findings import BadInput

HASH = "sha256:" + "a" * 64


def refused(folder: Path, named: str | None = None) -> BadInput:
    with pytest.raises(BadInput) as caught:
        find_lock(folder, named)
    assert len(caught.value.findings) == 1
    return caught.value


def test_uv_goes_before_pylock_and_requirements(tmp_path: Path) -> None:
    for name in ("requirements.txt", "pylock.toml", "uv.lock"):
        (tmp_path / name).write_text("numpy==2.1\n")
        assert find_lock(tmp_path).path.name == name


@pytest.mark.parametrize(
    ("name", "kind"),
    [("uv.lock", "uv"), ("pylock.gpu.toml", "pylock"), ("locks/gpu.txt", "requirements"), ("gpu.lock", "requirements")],
)
def test_a_lock_can_be_named(tmp_path: Path, name: str, kind: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("numpy==2.1\n")
    assert find_lock(tmp_path, name).kind == kind


def test_the_digest_follows_the_bytes_and_those_of_the_development_file(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("numpy==2.1\n")
    first = find_lock(tmp_path).digest
    (tmp_path / "requirements-dev.txt").write_text("pytest==8.4\n")
    second = find_lock(tmp_path).digest
    (tmp_path / "requirements.txt").write_text("numpy==2.2\n")
    assert len({first, second, find_lock(tmp_path).digest}) == 3


def test_no_lock_is_said(tmp_path: Path) -> None:
    assert refused(tmp_path).findings[0].code == "lock-missing"


def test_a_named_lock_that_is_not_there_is_said(tmp_path: Path) -> None:
    (tmp_path / "uv.lock").write_text("")
    found = refused(tmp_path, "other.lock").findings[0]
    assert (found.code, found.where.file) == ("lock-missing", "other.lock")


@pytest.mark.parametrize("name", EXPORTS)
@pytest.mark.parametrize("given", [False, True])
def test_a_lock_of_another_tool_is_answered_with_how_to_export_it(tmp_path: Path, name: str, given: bool) -> None:
    (tmp_path / name).write_text("")
    found = refused(tmp_path, name if given else None).findings[0]
    assert found.code == "lock-unsupported"
    assert EXPORTS[name] in found.remedy


def test_an_exported_file_goes_before_the_lock_it_came_from(tmp_path: Path) -> None:
    (tmp_path / "poetry.lock").write_text("")
    (tmp_path / "requirements.txt").write_text("numpy==2.1\n")
    assert find_lock(tmp_path).kind == "requirements"


def test_a_file_of_no_known_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "setup.py").write_text("")
    assert refused(tmp_path, "setup.py").findings[0].code == "lock-unsupported"


def test_requirements_that_are_not_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_bytes(b"numpy==2.1\n\xff\xfe")
    assert refused(tmp_path).findings[0].code == "file-unreadable"


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_a_loose_requirement_is_refused_with_its_line(tmp_path: Path, file: str) -> None:
    (tmp_path / "requirements.txt").write_text("numpy==2.1\n")
    (tmp_path / file).write_text("# tools\npandas==2.2\nscipy>=1\nflask\n")
    found = refused(tmp_path).findings[0]
    assert (found.code, found.where.file, found.where.line) == ("lock-unpinned", file, 3)
    assert "`scipy>=1` and 1 more" in found.message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing\n\n",
        "numpy==2.1",
        "numpy == 2.1.0rc1  # why",
        "uvicorn[standard]==0.3 ; python_version < '3.13'",
        f"numpy==2.1 \\\n    --hash={HASH} \\\n    --hash={HASH}\n",
        "--index-url https://index.example/simple\n--require-hashes",
        f"pkg @ https://files.example/pkg-1.whl#{HASH.replace(':', '=')}",
        "torch===2.1+cpu",
    ],
)
def test_pinned_requirements_pass(text: str) -> None:
    assert unpinned(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "numpy",
        "numpy>=2",
        "numpy==2.*",
        "numpy==2.1,<3",
        "numpy~=2.1",
        "-e .",
        "-r other.txt",
        "git+https://x/y.git",
        "pkg @ https://files.example/pkg-1.whl",
        "./local.whl",
        "numpy>=2 --hash=sha256:aa",
    ],
)
def test_anything_that_may_change_by_itself_is_loose(text: str) -> None:
    assert [line for line, _ in unpinned(f"a==1\n{text}\n")] == [2]


@given(st.text(max_size=200))
def test_any_text_is_judged(text: str) -> None:
    for line, requirement in unpinned(text):
        assert 1 <= line <= len(text.splitlines())
        assert requirement
