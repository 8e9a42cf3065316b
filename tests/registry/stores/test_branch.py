"""A branch of a real remote: added to without force by many at once, read whole, the clone left as it was."""

from __future__ import annotations

import hashlib
import os
import subprocess
import threading
from pathlib import Path

import pytest

from release_gate.findings import CannotJudge, Refused
from release_gate.registry.stores import branch as branch_module
from release_gate.registry.stores import git as git_module
from release_gate.registry.stores.failures import Unreachable
from release_gate.registry.stores.git import Failed
from release_gate.registry.stores.parts import Part
from tests.registry.conftest import Repositories


def refused(action: object) -> tuple[type, str, str, str]:
    with pytest.raises(Refused) as refusal:
        action()  # type: ignore[operator]
    (found,) = refusal.value.findings
    return type(refusal.value), found.code, found.message, found.remedy


def part(path: Path, content: bytes, key: str) -> Part:
    path.write_bytes(content)
    return Part(key, path, f"sha256:{hashlib.sha256(content).hexdigest()}", len(content))


def state_of(repositories: Repositories, name: str) -> tuple[str, ...]:
    """All of a clone that must not change: work tree, index, branches, refs, objects, depth."""
    git = repositories.git
    return (
        git("status", "--porcelain", "--branch", at=name),
        git("for-each-ref", at=name),
        git("count-objects", "-v", at=name),
        git("ls-files", "-s", at=name),
        git("rev-list", "--count", "HEAD", at=name),
        git("config", "--local", "--list", at=name),
    )


def test_a_key_is_written_once_by_whichever_clone(repositories: Repositories) -> None:
    before = [state_of(repositories, name) for name in ("one", "two")]
    one, two = repositories.store("one"), repositories.store("two")
    assert one.get("a/b") is None
    assert list(one.keys("")) == []
    assert list(one.read("a")) == []
    assert one.put_new("a/b", b"one")
    assert not two.put_new("a/b", b"two")
    assert not two.put_new("a/b", b"one"), "another writer of the same bytes is another writer"
    assert two.put_new("ab", b"beside")
    assert one.put_new("a/a", b"")
    assert (two.get("a/b"), two.get("a/a"), two.get("no")) == (b"one", b"", None)
    assert list(one.keys("a")) == ["a/a", "a/b"]
    assert list(one.read("")) == [("a/a", b""), ("a/b", b"one"), ("ab", b"beside")]
    assert [state_of(repositories, name) for name in ("one", "two")] == before


def test_the_first_commit_stands_alone_and_each_one_adds_a_file(repositories: Repositories) -> None:
    store = repositories.store()
    for number in range(3):
        store.put_new(f"ledger/m/{number}", b"event")
    log = repositories.git("log", "--format=%an %s", "release-gate", at="remote.git").splitlines()
    assert log == [f"release-gate ledger/m/{number}" for number in (2, 1, 0)]
    assert "[skip ci]" in repositories.git("log", "-1", "--format=%b", "release-gate", at="remote.git")
    files = repositories.git("ls-tree", "-r", "--name-only", "release-gate", at="remote.git").split()
    assert files == [f"ledger/m/{number}" for number in range(3)], "no file of the code"


def test_many_writers_on_two_machines_lose_nothing_and_win_once(repositories: Repositories) -> None:
    won: list[tuple[int, str]] = []

    def write(clone: str, name: str) -> None:
        store = repositories.store(clone)
        for number in range(4):
            if store.put_new(f"k/{number}", name.encode()):
                won.append((number, name))
            assert store.put_new(f"own/{name}/{number}", b"mine")

    threads = [threading.Thread(target=write, args=args) for args in (("one", "a"), ("two", "b"), ("one", "c"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(number for number, _ in won) == [0, 1, 2, 3]
    kept = dict(repositories.store().read("k"))
    assert kept == {f"k/{number}": name.encode() for number, name in won}
    assert len(list(repositories.store().keys("own"))) == 12
    # As many commits as files: nobody's commit was pushed away.
    assert repositories.git("rev-list", "--count", "release-gate", at="remote.git").strip() == "16"


def test_a_reader_sees_what_others_wrote_after_it_read(repositories: Repositories) -> None:
    reader, writer = repositories.store("two"), repositories.store("one")
    assert list(reader.keys("a")) == []
    writer.put_new("a/1", b"x")
    assert reader.get("a/1") == b"x"
    assert list(reader.keys("a")) == ["a/1"]


def test_a_hook_that_says_no_is_told_with_its_words_and_a_remedy(repositories: Repositories) -> None:
    hook = repositories.hook("pre-receive", "echo 'branches need a review' >&2; exit 1")
    _, code, message, remedy = refused(lambda: repositories.store().put_new("a", b""))
    assert code == "registry-refused"
    assert "branches need a review" in message
    assert "branch release-gate of " in message
    assert "contents: write" in remedy
    hook.unlink()
    assert repositories.store().put_new("a", b"")


def test_a_remote_that_is_gone_is_unreachable(repositories: Repositories) -> None:
    store = repositories.store()
    assert store.put_new("a", b"")
    repositories.remote.rename(repositories.folder / "gone")
    assert refused(lambda: list(store.keys("")))[:2] == (Unreachable, "registry-unreachable")
    kind, code, message, _ = refused(lambda: store.put_new("b", b""))
    assert (kind, code) == (Unreachable, "registry-unreachable")
    assert "whether it was written is not known" in message
    assert refused(lambda: repositories.store("two").get("a"))[0] is Unreachable


def test_a_push_whose_answer_is_lost_is_found_by_reading_again(
    repositories: Repositories, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = git_module.Git.run

    def losing(self: git_module.Git, *arguments: str, **options: object) -> bytes:
        done = run(self, *arguments, **options)  # type: ignore[arg-type]
        if arguments[0] == "push":
            raise Failed("no answer within 60 s", lost=True)
        return done

    monkeypatch.setattr(git_module.Git, "run", losing)
    assert repositories.store().put_new("a", b"ours")
    assert repositories.git("rev-list", "--count", "release-gate", at="remote.git").strip() == "1"


def test_a_push_that_got_lost_before_another_writer_came_is_not_ours(
    repositories: Repositories, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = git_module.Git.run
    other = repositories.store("two")
    times: list[int] = []

    def losing(self: git_module.Git, *arguments: str, **options: object) -> bytes:
        if arguments[0] == "push" and not times:
            times.append(1)
            assert other.put_new("a", b"theirs")
            raise Failed("no answer within 60 s", lost=True)
        return run(self, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(git_module.Git, "run", losing)
    assert not repositories.store().put_new("a", b"ours")
    assert repositories.store().get("a") == b"theirs"


def test_pushes_that_are_never_answered_end(repositories: Repositories, monkeypatch: pytest.MonkeyPatch) -> None:
    run = git_module.Git.run

    def lost(self: git_module.Git, *arguments: str, **options: object) -> bytes:
        if arguments[0] == "push":
            raise Failed("no answer within 60 s", lost=True)
        return run(self, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(git_module.Git, "run", lost)
    kind, _, message, _ = refused(lambda: repositories.store().put_new("a", b""))
    assert (kind, "no answer within 60 s" in message) == (Unreachable, True)


def test_a_writer_that_always_loses_gives_up(repositories: Repositories, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(branch_module, "ATTEMPTS", 3)
    # The remote's own way to let somebody else win every time.
    repositories.hook("pre-receive", "echo 'cannot lock ref' >&2; exit 1")
    assert refused(lambda: repositories.store().put_new("a", b""))[1] == "registry-contended"


def test_a_git_that_answers_too_late_is_ended(repositories: Repositories, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    slow = tmp_path / "bin" / "git"
    slow.write_text("#!/bin/sh\nsleep 30\n")
    slow.chmod(0o755)
    known = {**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}
    git = git_module.Git(tmp_path / "repository.git", known)
    (tmp_path / "repository.git").mkdir()
    with pytest.raises(Failed, match=r"no answer within 0 s") as failure:
        git.run("fetch", limit=0.2)
    assert failure.value.lost


def test_large_files_come_only_when_they_are_asked_for(repositories: Repositories, tmp_path: Path) -> None:
    parts = [part(tmp_path / name, os.urandom(size), f"p/{name}") for name, size in (("a", 3_000_000), ("b", 10))]
    writer, reader = repositories.store("one"), repositories.store("two")
    writer.bring(parts)
    writer.bring(parts)
    assert repositories.git("rev-list", "--count", "release-gate", at="remote.git").strip() == "1", "twice is once"
    assert [(key, len(content)) for key, content in reader.read("p")] == [("p/a", 1024 * 1024 + 1), ("p/b", 10)]
    (kept,) = (repositories.folder / "cache of two" / "branches").glob("*.git")
    size = sum(path.stat().st_size for path in kept.rglob("*") if path.is_file())
    assert size < 1_000_000
    assert b"".join(reader.pieces("p/a")) == parts[0].path.read_bytes()
    assert reader.put_new("after", b""), "what is not here does not keep a commit from being made"
    with pytest.raises(FileNotFoundError):
        next(reader.pieces("p/none"))


def test_of_what_is_too_large_to_be_read_only_the_beginning_comes(
    repositories: Repositories, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(branch_module, "MOST", 1000)
    store = repositories.store()
    store.bring([part(tmp_path / "a", b"x" * 9_000_000, "p/a")])
    assert store.get("p/a") == b"x" * 1001


def test_a_remote_that_sends_everything_does_as_well(repositories: Repositories, tmp_path: Path) -> None:
    repositories.git("config", "uploadpack.allowFilter", "false", at="remote.git")
    one = part(tmp_path / "a", os.urandom(3_000_000), "p/a")
    repositories.store("one").bring([one])
    reader = repositories.store("two")
    assert [len(content) for _, content in reader.read("p")] == [1024 * 1024 + 1]
    assert b"".join(reader.pieces("p/a")) == one.path.read_bytes()


def test_what_is_too_large_or_wrong_is_refused_before_anything_is_pushed(
    repositories: Repositories, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = repositories.store()
    one = part(tmp_path / "a", b"right", "p/a")
    one.path.write_bytes(b"wrong")
    assert refused(lambda: store.bring([one]))[1] == "package-corrupt"
    monkeypatch.setattr(branch_module, "LARGEST", 1000)
    _, code, message, remedy = refused(lambda: store.bring([part(tmp_path / "b", b"x" * 1001, "p/b")]))
    assert (code, "1,001 bytes" in message) == ("package-too-large", True)
    assert "packages: s3://" in remedy
    assert list(store.keys("")) == []


def test_another_content_under_a_digest_is_named(repositories: Repositories, tmp_path: Path) -> None:
    repositories.store().put_new("p/a", b"something else")
    _, code, message, _ = refused(lambda: repositories.store("two").bring([part(tmp_path / "a", b"right", "p/a")]))
    assert (code, "holds something else under p/a" in message) == ("package-corrupt", True)


def test_a_cache_that_was_spoilt_is_named(repositories: Repositories) -> None:
    store = repositories.store()
    assert store.put_new("a", b"")
    (kept,) = (repositories.folder / "cache of one" / "branches").glob("*.git")
    for path in [*kept.rglob("*.pack"), *kept.glob("objects/??/*")]:
        path.unlink()
    with pytest.raises(CannotJudge) as refusal:
        store.put_new("b", b"")
    assert str(kept) in refusal.value.findings[0].message
    assert "Delete that folder" in refusal.value.findings[0].remedy


def test_the_folder_outlives_another_clone_of_the_same_remote(repositories: Repositories) -> None:
    first, second = repositories.store("one", machine="shared"), repositories.store("one", machine="shared")
    assert first.put_new("a", b"")
    assert second.put_new("b", b"")
    assert list(first.keys("")) == ["a", "b"]
    assert subprocess.run(["git", "fsck"], cwd=repositories.remote, check=True, capture_output=True).returncode == 0


def test_locks_that_a_killed_git_left_stand_in_nobodys_way(repositories: Repositories) -> None:
    store = repositories.store()
    assert store.put_new("ledger/m/00000001.json", b"one")
    cache = next(repositories.folder.glob("cache of one/**/HEAD")).parent
    for name in ("shallow.lock", "refs/heads/release-gate.lock"):
        (cache / name).parent.mkdir(parents=True, exist_ok=True)
        (cache / name).write_bytes(b"")
    assert list(repositories.store().keys("ledger")) == ["ledger/m/00000001.json"]
    assert repositories.store().put_new("ledger/m/00000002.json", b"two")
