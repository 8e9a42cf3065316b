"""A table of predictions is whole at every moment, also where a run that writes it is killed at any effect."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from release_gate import files
from release_gate.files import sha256
from release_gate.serving import prediction_table
from release_gate.serving.prediction_table import MANIFEST, PredictionTable, Scored

DIGEST = f"sha256:{'a' * 64}"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Killed(BaseException):
    """The process ends here."""


def put(table: PredictionTable, name: str, content: str) -> None:
    table.prepare()
    made = table.folder / f".{name}.made.part"
    made.write_text(content)
    scored = Scored(input="0" * 64, output=sha256(made), rows=1, scored=NOW)
    table.put(name, made, scored, key="id", score="score")


def contents(table: PredictionTable) -> dict[str, str]:
    return {name: table.file(name).read_text() for name in table.entries()}


def test_a_partition_put_is_there_and_told(tmp_path: Path) -> None:
    table = PredictionTable(tmp_path, DIGEST)
    assert table.faults() == [f"{tmp_path / ('a' * 12)} holds no table of {DIGEST}"]
    put(table, "b", "1")
    put(table, "a", "2")
    put(table, "b", "3")
    read = PredictionTable(tmp_path, DIGEST)
    assert (contents(read), read.faults()) == ({"a": "2", "b": "3"}, [])
    assert (read.key, read.score) == ("id", "score")
    assert sorted(path.name for path in read.folder.iterdir()) == [MANIFEST, "a.parquet", "b.parquet"]


def test_files_that_were_changed_or_lost_are_faults(tmp_path: Path) -> None:
    table = PredictionTable(tmp_path, DIGEST)
    for name in "abc":
        put(table, name, name)
    assert table.faults() == []
    table.file("a").write_text("x")
    table.file("b").unlink()
    assert table.faults() == [f"{table.file('a')} is not what was scored", f"{table.file('b')} is lost"]
    table.retire(["b"])
    assert table.faults() == [f"{table.file('a')} is not what was scored"]


@pytest.mark.parametrize("content", ["{", '{"version": "sha256:other", "partitions": {}}', "[]"])
def test_a_manifest_that_is_broken_or_of_another_version_proves_nothing(tmp_path: Path, content: str) -> None:
    table = PredictionTable(tmp_path, DIGEST)
    put(table, "a", "1")
    (table.folder / MANIFEST).write_text(content)
    assert table.entries() == {}
    assert table.faults()


def test_a_manifest_can_not_lead_out_of_its_folder(tmp_path: Path) -> None:
    table = PredictionTable(tmp_path, DIGEST)
    put(table, "a", "1")
    manifest = json.loads((table.folder / MANIFEST).read_text())
    manifest["partitions"]["../outside"] = manifest["partitions"]["a"]
    (table.folder / MANIFEST).write_text(json.dumps(manifest))
    assert table.entries() == {}


def steps(table: PredictionTable) -> list[Callable[[], None]]:
    return [
        lambda: put(table, "a", "first"),
        lambda: put(table, "b", "first"),
        lambda: put(table, "a", "second"),
        lambda: put(table, "a", "third"),
    ]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(30))
def test_killed_at_any_write_the_table_is_whole_and_done_again_it_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int, *, after: bool
) -> None:
    table, seen = PredictionTable(tmp_path, DIGEST), 0
    replace, write = Path.replace, files.write_whole

    def faulty(effect: Callable[..., object]) -> Callable[..., object]:
        def done(*given: object) -> object:
            nonlocal seen
            seen += 1
            if seen - 1 == at and not after:
                raise Killed
            result = effect(*given)
            assert not PredictionTable(tmp_path, DIGEST).faults() or "a" not in table.entries()
            if seen - 1 == at:
                raise Killed
            return result

        return done

    done = 0
    with monkeypatch.context() as patch:
        patch.setattr(prediction_table, "write_whole", faulty(write))
        patch.setattr(Path, "replace", faulty(replace))
        try:
            for step in steps(table):
                step()
                done += 1
        except Killed:
            pass
    left = PredictionTable(tmp_path, DIGEST)
    if left.entries():
        assert left.faults() == []
        assert set(contents(left).values()) <= {"first", "second", "third"}
    for step in steps(left)[done:]:
        step()
    assert (contents(left), left.faults()) == ({"a": "third", "b": "first"}, [])
    assert not list(left.folder.glob(".*"))
