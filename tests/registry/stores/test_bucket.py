"""A bucket behind a real S3 API: exclusive, whole, and honest about what it could not find out."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from release_gate.bucket_settings import settings
from release_gate.findings import BadInput, CannotJudge, Refused
from release_gate.registry.stores import bucket as bucket_module
from release_gate.registry.stores.bucket import BucketStore
from release_gate.registry.stores.failures import Unreachable
from release_gate.registry.stores.parts import Part
from tests.registry.conftest import S3


def store(s3: S3, url: str | None = None, **environment: str) -> BucketStore:
    return BucketStore(url or s3.url, {**s3.environment, **environment}, patience=1.0)


def refused(action: object) -> tuple[type, str, str, str]:
    with pytest.raises(Refused) as refusal:
        action()  # type: ignore[operator]
    (found,) = refusal.value.findings
    return type(refusal.value), found.code, found.message, found.remedy


def part(path: Path, content: bytes, key: str = "packages/blobs/sha256/x") -> Part:
    path.write_bytes(content)
    return Part(key, path, f"sha256:{hashlib.sha256(content).hexdigest()}", len(content))


@pytest.mark.parametrize("kind", ["s3", "file"])
def test_a_key_is_written_once(s3: S3, tmp_path: Path, kind: str) -> None:
    made = store(s3, None if kind == "s3" else f"file://{tmp_path}/bucket")
    assert made.get("a/b") is None
    assert list(made.keys("a")) == []
    assert made.put_new("a/b", b"one")
    assert not made.put_new("a/b", b"two")
    assert not made.put_new("a/b", b"one"), "another writer of the same bytes is another writer"
    assert made.put_new("ab", b"beside")
    assert made.put_new("a/a", b"")
    assert (made.get("a/b"), made.get("a/a")) == (b"one", b"")
    assert list(made.keys("a")) == ["a/a", "a/b"]
    assert list(made.keys("")) == ["a/a", "a/b", "ab"]
    assert list(made.read("a/")) == [("a/a", b""), ("a/b", b"one")]


@pytest.mark.parametrize("key", ["../a", "/a", "a//b", "", "a\nb"])
def test_a_key_can_not_leave_the_prefix(s3: S3, key: str) -> None:
    with pytest.raises(ValueError, match="below the store"):
        store(s3).put_new(key, b"")


def test_of_many_writers_at_once_one_wins(s3: S3) -> None:
    won: list[str] = []

    def write(name: str) -> None:
        if store(s3).put_new("the/key", name.encode()):
            won.append(name)

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcdef"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert store(s3).get("the/key") == won[0].encode()


def test_a_put_whose_answer_is_lost_is_found_by_reading_again(s3: S3) -> None:
    s3.fault("lost")
    assert store(s3).put_new("a", b"ours")


def test_a_put_without_an_answer_that_another_writer_beat_is_not_ours(s3: S3) -> None:
    made = store(s3)
    assert made.put_new("a", b"theirs")
    s3.fault("lost")
    assert not made.put_new("a", b"ours")


def test_a_put_that_was_refused_for_a_moment_is_tried_again(s3: S3) -> None:
    s3.fault("down")
    assert store(s3).put_new("a", b"one")
    s3.fault("conflict")
    assert store(s3).put_new("b", b"one")


def test_a_put_never_answered_says_that_nothing_is_there(s3: S3) -> None:
    s3.fault("down", 99)
    kind, code, message, _ = refused(lambda: store(s3).put_new("a", b"one"))
    assert (kind, code) == (Unreachable, "registry-unreachable")
    assert f"{s3.url}/a" in message
    assert "nothing is there" in message


def test_nobody_answering_is_told_with_what_is_not_known(s3: S3) -> None:
    made = store(s3, AWS_ENDPOINT_URL="http://127.0.0.1:9")
    for action in (lambda: made.get("a"), lambda: list(made.keys("a"))):
        assert refused(action)[:2] == (Unreachable, "registry-unreachable")
    assert "whether it was written is not known" in refused(lambda: made.put_new("a", b""))[2]


def test_a_refusal_names_key_cause_and_the_rights_needed(s3: S3) -> None:
    s3.fault("refused")
    _, code, message, remedy = refused(lambda: store(s3).put_new("a", b"one"))
    assert code == "registry-refused"
    assert f"{s3.url}/a refuses" in message
    assert "403 Forbidden: AccessDenied, Access Denied" in message
    assert "s3:PutObject" in remedy


def test_a_bucket_that_does_not_exist_is_named(s3: S3, tmp_path: Path) -> None:
    made = store(s3, "s3://nowhere-at-all/models")
    one = part(tmp_path / "x", b"x")
    for action in (
        lambda: made.put_new("a", b""),
        lambda: made.get("a"),
        lambda: list(made.keys("a")),
        lambda: made.bring([one]),
    ):
        _, code, message, _ = refused(action)
        assert code == "registry-missing"
        assert "s3://nowhere-at-all/models: there is no such bucket" in message


def test_no_credentials_at_all_are_said_to_be_none() -> None:
    _, code, message, remedy = refused(lambda: BucketStore("az://models", {}).get("a"))
    assert (code, "no credentials were found" in message) == ("registry-refused", True)
    assert "AZURE_STORAGE_ACCOUNT_NAME" in remedy


def test_credentials_pass_unencrypted_only_within_this_machine(s3: S3) -> None:
    made = store(s3, AWS_ENDPOINT_URL="http://storage.example:9000")
    kind, code, message, _ = refused(lambda: made.get("a"))
    assert (kind, code) == (BadInput, "registry-refused")
    assert "not encrypted" in message


def test_settings_come_from_the_variables_that_each_cloud_reads() -> None:
    assert settings("s3", {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_REGION": "", "HOME": "/"}) == {
        "aws_region": "eu-west-1"
    }
    both = {"AWS_ENDPOINT_URL": "https://a", "AWS_ENDPOINT_URL_S3": "https://b"}
    assert settings("s3", both) == {"aws_region": "us-east-1", "aws_endpoint_url": "https://b"}
    assert settings("gs", {"GOOGLE_APPLICATION_CREDENTIALS": "/k.json"}) == {
        "google_application_credentials": "/k.json"
    }


def test_a_large_file_is_brought_in_parts_once_and_proven_when_it_is_there(s3: S3, tmp_path: Path) -> None:
    one = part(tmp_path / "large", os.urandom(40_000_000))
    store(s3).bring([one])
    store(s3).bring([one])
    assert b"".join(store(s3).pieces(one.key)) == one.path.read_bytes()
    assert len(store(s3).get(one.key) or b"") == bucket_module.MOST, "what is too large comes only in part"


def test_a_file_that_is_not_what_its_digest_says_never_arrives(s3: S3, tmp_path: Path) -> None:
    one = part(tmp_path / "x", os.urandom(20_000_000))
    one.path.write_bytes(one.path.read_bytes()[:-1] + b"!")
    _, code, message, _ = refused(lambda: store(s3).bring([one]))
    assert (code, one.digest in message) == ("package-corrupt", True)
    assert store(s3).get(one.key) is None


def test_a_stored_blob_with_wrong_bytes_is_named_and_not_built_upon(s3: S3, tmp_path: Path) -> None:
    one = part(tmp_path / "x", b"right")
    store(s3).put_new(one.key, b"wrong")
    _, code, message, _ = refused(lambda: store(s3).bring([one]))
    assert (code, f"stored already in {s3.url}: {one.key}" in message) == ("package-corrupt", True)


class TestKept:
    """What was read before is not fetched again, and never stands in for what changed."""

    def store(self, s3: S3, tmp_path: Path) -> BucketStore:
        return BucketStore(s3.url, s3.environment, cache=tmp_path / "cache", patience=1.0)

    def test_only_what_is_new_is_fetched(self, s3: S3, tmp_path: Path) -> None:
        for number in range(40):
            self.store(s3, tmp_path).put_new(f"l/{number:02}", b"event")
        first = list(self.store(s3, tmp_path).read("l"))
        s3.fault("refused", 99, match="/l/", method="GET")
        assert list(self.store(s3, tmp_path).read("l")) == first
        s3.fault("none", 0)
        self.store(s3, tmp_path).put_new("l/new", b"new")
        assert dict(self.store(s3, tmp_path).read("l"))["l/new"] == b"new"

    def test_what_was_changed_or_taken_away_is_seen(self, s3: S3, tmp_path: Path) -> None:
        for number in range(40):
            self.store(s3, tmp_path).put_new(f"l/{number:02}", b"event")
        list(self.store(s3, tmp_path).read("l"))
        s3.asked("PUT", f"/{s3.bucket}/models/l/07", b"forge")
        s3.asked("DELETE", f"/{s3.bucket}/models/l/08")
        found = dict(self.store(s3, tmp_path).read("l"))
        assert (found["l/07"], "l/08" in found, len(found)) == (b"forge", False, 39)

    @pytest.mark.parametrize("content", [b"", b"[]", b'{"l/00": 5}', b'{"l/00": ["x"]}', b"\xff"])
    def test_a_file_that_makes_no_sense_keeps_nothing(self, s3: S3, tmp_path: Path, content: bytes) -> None:
        for number in range(33):
            self.store(s3, tmp_path).put_new(f"l/{number:02}", b"event")
        list(self.store(s3, tmp_path).read("l"))
        (kept,) = (tmp_path / "cache" / "objects").iterdir()
        kept.write_bytes(content)
        assert len(list(self.store(s3, tmp_path).read("l"))) == 33

    def test_what_is_no_text_is_fetched_each_time(self, s3: S3, tmp_path: Path) -> None:
        for number in range(33):
            self.store(s3, tmp_path).put_new(f"l/{number:02}", b"\xff")
        for _ in range(2):
            assert {content for _, content in self.store(s3, tmp_path).read("l")} == {b"\xff"}
        assert not (tmp_path / "cache").exists()


MEMORY = """
import re, sys
from pathlib import Path
from release_gate.registry.stores.bucket import BucketStore
from release_gate.registry.stores.parts import Part
import hashlib, os
path = Path(sys.argv[2])
store = BucketStore(sys.argv[1], os.environ)
with path.open("rb") as file:
    digest = hashlib.file_digest(file, "sha256").hexdigest()
part = Part("large", path, f"sha256:{digest}", path.stat().st_size)
store.bring([part])
assert sum(len(piece) for piece in store.pieces("large")) == part.size
print(int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from /proc")
def test_a_large_file_takes_little_memory_there_and_back(s3: S3, tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(400_000_000)
    words = [sys.executable, "-c", MEMORY, f"file://{tmp_path}/bucket", str(tmp_path / "large")]
    paths = {"PYTHONPATH": os.pathsep.join(["scripts", "."])}
    done = subprocess.run(words, capture_output=True, text=True, check=True, env={**s3.environment, **paths})
    assert int(done.stdout) <= 300, "MB of memory"


def test_unknown_failures_of_a_bucket_are_no_tracebacks(tmp_path: Path) -> None:
    (tmp_path / "bucket").write_text("a file where the bucket should be")
    with pytest.raises(CannotJudge):
        BucketStore(f"file://{tmp_path}/bucket", {}).put_new("a", b"")
