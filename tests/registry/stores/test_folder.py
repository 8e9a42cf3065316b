"""Keys in a folder: exclusive, whole, and inside it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from release_gate.registry.stores.folder import FolderStore


def test_a_key_is_written_once(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    assert store.get("a/b") is None
    assert store.put_new("a/b", b"one")
    assert not store.put_new("a/b", b"two")
    assert store.get("a/b") == b"one"
    assert list(store.keys("a")) == ["a/b"]
    assert list(store.keys("")) == ["a/b"]
    assert list(store.keys("none")) == []


def test_a_file_system_without_links_is_still_exclusive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    store = FolderStore(tmp_path)
    assert store.put_new("a", b"one")
    assert not store.put_new("a", b"two")
    assert (store.get("a"), [path.name for path in tmp_path.iterdir()]) == (b"one", ["a"])


def test_another_failure_of_the_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "link", full)
    with pytest.raises(OSError, match="full"):
        FolderStore(tmp_path).put_new("a", b"one")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("key", ["../a", "/a", "a//b", "a/./b", "", "a\0b"])
def test_a_key_can_not_leave_the_store(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="below the store"):
        FolderStore(tmp_path).get(key)
