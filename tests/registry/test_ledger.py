"""The chain: what was written stays, what was tampered with is named, two writers never share a number."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from release_gate.findings import CannotJudge
from release_gate.lifecycle.events import Draft, Event, identity
from release_gate.registry import ledger as ledger_module
from release_gate.registry.ledger import Ledger
from release_gate.registry.memory import Memory
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


Edit = Callable[[dict[int, bytes], int, int], None]


def swapped(history: dict[int, bytes], one: int, other: int) -> None:
    history[one], history[other] = history[other], history[one]


def taken_out(history: dict[int, bytes], one: int, _: int) -> None:
    """Taken out, and those after it moved up, so that no number is missing."""
    for number in range(one, len(history)):
        history[number] = history[number + 1]
    del history[len(history)]


def put_between(history: dict[int, bytes], one: int, other: int) -> None:
    for number in range(len(history), one - 1, -1):
        history[number + 1] = history[number]
    history[one] = history[other]


def altered(history: dict[int, bytes], one: int, other: int) -> None:
    content = bytearray(history[one])
    content[other * 7 % len(content)] ^= 1
    history[one] = bytes(content)


def removed(history: dict[int, bytes], one: int, _: int) -> None:
    del history[one]


@settings(max_examples=40)
@given(
    edit=st.sampled_from([swapped, taken_out, put_between, altered, removed]),
    one=st.integers(1, 5),
    other=st.integers(1, 5),
)
def test_whoever_saw_the_newest_event_notices_any_change(
    tmp_path_factory: pytest.TempPathFactory, edit: Edit, one: int, other: int
) -> None:
    folder = tmp_path_factory.mktemp("ledger")
    memory = Memory(folder / "cache", lambda: "here", "flights")
    written = Ledger(FolderStore(folder), "flights", memory)
    for number in range(5):
        written.append(lambda _, number=number: draft(f"event {number}"))  # type: ignore[misc]
    before = {number: file(folder, number).read_bytes() for number in range(1, 6)}
    history = dict(before)
    edit(history, one, other)
    for number in range(1, 8):
        file(folder, number).unlink(missing_ok=True)
        if number in history:
            file(folder, number).write_bytes(history[number])
    if history == before:
        assert len(written.read()) == 5
        return
    with pytest.raises(CannotJudge) as refusal:
        written.read()
    (found,) = refusal.value.findings
    assert found.code in ("ledger-broken", "ledger-shortened")
    assert "ledger/flights/" in found.message


def test_a_store_that_brings_one_key_at_a_time_does_as_well(tmp_path: Path) -> None:
    class Plain:
        def __init__(self, inner: FolderStore) -> None:
            self.put_new, self.get, self.keys = inner.put_new, inner.get, inner.keys

    store = Plain(FolderStore(tmp_path))
    Ledger(store, "flights").append(lambda _: draft("one"))
    assert [event.because for event in Ledger(store, "flights").read()] == ["one"]
    file(tmp_path, 1).write_bytes(b"")
    with pytest.raises(CannotJudge, match="not JSON"):
        Ledger(store, "flights").read()


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
