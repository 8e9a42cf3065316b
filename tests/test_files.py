"""Files appear whole or not at all, whatever happens meanwhile."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from release_gate.files import folder_whole, sha256, write_whole


def test_a_file_is_replaced_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "a" / "b" / "c.json"
    write_whole(file, b"one")
    write_whole(file, b"two")
    assert file.read_bytes() == b"two"
    assert [path.name for path in file.parent.iterdir()] == ["c.json"]
    assert sha256(file) == "3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3"


def test_a_failed_write_leaves_the_old_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "c.json"
    write_whole(file, b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(file, b"new")
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_appears_only_when_it_is_filled(tmp_path: Path) -> None:
    folder = tmp_path / "package"
    for content in ("first", "second"):
        with folder_whole(folder) as building:
            (building / "inside").mkdir()
            (building / "inside" / "file").write_text(content)
            assert not folder.exists() or (folder / "inside" / "file").read_text() == "first"
    assert (folder / "inside" / "file").read_text() == "second"

    def fail() -> None:
        with folder_whole(folder) as building:
            (building / "half").write_text("x")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert [path.name for path in tmp_path.iterdir()] == ["package"]
    assert not (folder / "half").exists()


@pytest.mark.parametrize("moment", [0.0, 0.02, 0.05, 0.1])
def test_a_kill_never_leaves_a_half_filled_folder(tmp_path: Path, moment: float) -> None:
    code = (
        "import sys; from pathlib import Path; from release_gate.files import folder_whole\n"
        "while True:\n"
        "    with folder_whole(Path(sys.argv[1])) as building:\n"
        "        for name in range(20): (building / str(name)).write_text('x')\n"
        "    print('.', flush=True)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "p")], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.read(1)
    time.sleep(moment)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert not (tmp_path / "p").exists() or len(list((tmp_path / "p").iterdir())) == 20


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_writes_belongs_to_the_owner_of_the_folder(tmp_path: Path) -> None:
    os.chown(tmp_path, 1001, 1001)
    write_whole(tmp_path / "a" / "b", b"x")
    with folder_whole(tmp_path / "c") as building:
        (building / "d").write_text("x")
    for name in ("a", "a/b", "c", "c/d"):
        assert (tmp_path / name).stat().st_uid == 1001
