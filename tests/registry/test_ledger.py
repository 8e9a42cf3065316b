"""The chain: what was written stays, what was tampered with is named, two writers never share a number."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from release_gate.findings import CannotJudge
from release_gate.lifecycle.events import Draft, Event, identity
from release_gate.registry import ledger as ledger_module
from release_gate.registry.ledger import Ledger
from release_gate.registry.stores.folder import FolderStore

AT = datetime(2026, 1, 1, tzinfo=UTC)


def draft(because: str) -> Draft:
    return Draft(at=AT, actor="octocat", kind="registered", package=f"sha256:{1:064x}", because=because)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    made = Ledger(FolderStore(tmp_path), "flights")
    for number in range(3):
        made.append(lambda _, number=number: draft(f"event {number}"))  # type: ignore[misc]
    return made


def file(tmp_path: Path, number: int) -> Path:
    return tmp_path / "ledger" / "flights" / f"{number:08}.json"


def test_each_event_holds_the_sha256_of_the_one_before(ledger: Ledger, tmp_path: Path) -> None:
    history = ledger.read()
    assert [event.because for event in history] == ["event 0", "event 1", "event 2"]
    assert history[0].previous is None
    assert history[2].previous == identity(file(tmp_path, 2).read_bytes())


PREVIOUS = b'"previous": "sha256:' + b"0" * 64 + b'", '


def forged(content: bytes) -> bytes:
    return content.replace(b"event 1", b"event !")


@pytest.mark.parametrize(
    ("number", "change", "named"),
    [
        (2, forged, "00000003.json: it follows"),
        (
            1,
            lambda content: content.replace(b'"sequence": 1', b'"sequence": 9'),
            "00000001.json: it says it is event 9",
        ),
        (2, lambda content: content[: len(content) // 2], "00000002.json: it is not JSON"),
        (3, lambda _: b"", "00000003.json: it is not JSON"),
        (1, lambda content: content.replace(b'"sequence"', PREVIOUS + b'"sequence"'), "00000001.json: it follows"),
    ],
)
def test_a_changed_or_cut_event_is_named(
    ledger: Ledger, tmp_path: Path, number: int, change: Callable[[bytes], bytes], named: str
) -> None:
    path = file(tmp_path, number)
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(CannotJudge) as refusal:
        ledger.read()
    (found,) = refusal.value.findings
    assert found.code == "ledger-broken"
    assert f"ledger/flights/{named}" in found.message
    assert str(found.where).startswith("ledger/flights/")


def test_an_event_taken_out_is_named_and_nothing_is_appended_after_it(ledger: Ledger, tmp_path: Path) -> None:
    file(tmp_path, 2).unlink()
    with pytest.raises(CannotJudge, match=r"00000002\.json: it is missing"):
        ledger.append(lambda _: draft("after"))
    assert not file(tmp_path, 4).exists()


def test_the_loser_of_a_race_decides_again_on_what_the_winner_wrote(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    first, second = Ledger(store, "m"), Ledger(store, "m")
    seen: list[int] = []

    def decide(events: object) -> Draft:
        seen.append(len(events))  # type: ignore[arg-type]
        if len(seen) == 1:
            second.append(lambda _: draft("the winner"))
        return draft("the loser")

    event, before = first.append(decide)
    assert seen == [0, 1]
    assert event is not None
    assert (event.sequence, len(before)) == (2, 1)


def test_many_writers_at_once_leave_one_whole_chain(tmp_path: Path) -> None:
    def write(name: str) -> None:
        for number in range(5):
            Ledger(FolderStore(tmp_path), "m").append(lambda _, number=number: draft(f"{name} {number}"))  # type: ignore[misc]

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    history = Ledger(FolderStore(tmp_path), "m").read()
    assert [event.sequence for event in history] == list(range(1, 21))
    assert {event.because for event in history} == {f"{name} {number}" for name in "abcd" for number in range(5)}
    assert not list(tmp_path.rglob("*.part"))


def test_a_writer_that_always_loses_gives_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Busy(FolderStore):
        def put_new(self, key: str, content: bytes) -> bool:
            return False

    monkeypatch.setattr(ledger_module, "ATTEMPTS", 3)
    with pytest.raises(CannotJudge) as refusal:
        Ledger(Busy(tmp_path), "m").append(lambda _: draft("x"))
    assert [found.code for found in refusal.value.findings] == ["ledger-contended"]


def test_an_event_on_disk_is_readable_json_with_its_schema_first(ledger: Ledger, tmp_path: Path) -> None:
    assert next(iter(json.loads(file(tmp_path, 1).read_bytes()))) == "schema"
    assert Event.parse(file(tmp_path, 1).read_bytes()).kind == "registered"
