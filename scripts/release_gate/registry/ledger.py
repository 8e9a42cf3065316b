"""The append-only history of a model: numbered events, each tied to the one before, none ever changed.

Two writers at once: one wins the next number, the other reads again and decides again. The chain shows every
event that was changed, taken out or put in between; it can't show that the newest ones were taken off the end.
For that each machine remembers the newest event it has seen (memory.py); one that never saw the ledger can't tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, runtime_checkable

from release_gate.edges import Store
from release_gate.findings import CannotJudge
from release_gate.lifecycle.events import Draft, Event, identity
from release_gate.registry.memory import Memory
from release_gate.registry.stores.failures import Unreachable
from release_gate.verdict import Where

ATTEMPTS = 100

Decide = Callable[[Sequence[Event]], Draft | None]


@runtime_checkable
class Whole(Protocol):
    """A store that brings much at once."""

    def read(self, prefix: str) -> Iterator[tuple[str, bytes]]:
        """The keys below a prefix, sorted, with what stands under each."""
        ...


class Ledger:
    """The history of one model in a store, under `ledger/<model>/`; `memory` is of the newest event seen here."""

    def __init__(self, store: Store, model: str, memory: Memory | None = None) -> None:
        self._store, self._memory = store, memory
        self._prefix = f"ledger/{model}"

    def read(self) -> list[Event]:
        """Every event, oldest first, the chain verified.

        Raises:
            CannotJudge: `ledger-broken`, naming the first event that is not what it should be; `ledger-shortened`,
                `ledger-unreachable`.
        """
        with self._reached():
            return self._read()[0]

    def append(self, decide: Decide) -> tuple[Event | None, list[Event]]:
        """Append what `decide` makes of the history, or nothing where it says None.

        Returns the event and the history it was decided on. `decide` is asked again when another writer came
        first, with that writer's event in the history.

        Raises:
            CannotJudge: as `read`, and `ledger-contended` after many lost attempts. After `ledger-unreachable` the
                event may have been written, or not: whoever reads the ledger next finds out.
        """
        for _ in range(ATTEMPTS):
            with self._reached():
                events, last = self._read()
            draft = decide(events)
            if draft is None:
                return None, events
            event = Event(sequence=len(events) + 1, previous=last, **dict(draft))
            content = event.to_json()
            with self._reached():
                written = self._store.put_new(self._key(event.sequence), content)
            if written:
                if self._memory is not None:
                    self._memory.keep(event.sequence, identity(content))
                return event, events
        raise CannotJudge.because(
            "ledger-contended", f"{ATTEMPTS} attempts to append to {self._prefix} came second to other writers"
        )

    def _read(self) -> tuple[list[Event], str | None]:
        events: list[Event] = []
        last: str | None = None
        remembered = self._memory.last() if self._memory is not None else None
        same = remembered is None
        for number, (key, content) in enumerate(_contents(self._store, self._prefix), start=1):
            expected = self._key(number)
            if key != expected:
                raise _broken(expected, f"it is missing; {key} stands in its place")
            try:
                event = Event.parse(content)
            except ValueError as error:
                raise _broken(key, str(error)) from error
            if event.sequence != number:
                raise _broken(key, f"it says it is event {event.sequence}")
            if event.previous != last:
                before = self._key(number - 1) if number > 1 else "nothing"
                raise _broken(key, f"it follows {event.previous or 'nothing'}, but {before} is {last or 'the start'}")
            events.append(event)
            last = identity(content)
            same = same or (number, last) == remembered
        if self._memory is not None:
            if remembered is not None and not same:
                raise self._shortened(remembered, len(events))
            if last is not None:
                self._memory.keep(len(events), last)
        return events, last

    def _shortened(self, remembered: tuple[int, str], length: int) -> CannotJudge:
        key = self._key(remembered[0])
        stands = "another event stands there" if remembered[0] <= length else f"the ledger ends at event {length}"
        told = f"event {key} ({remembered[1]}) was seen from this machine and is gone: {stands}"
        kept = f"; this is remembered in {self._memory.file}" if self._memory else ""
        return CannotJudge.because("ledger-shortened", f"{told}{kept}", where=Where(file=key))

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except Unreachable as error:
            raise Unreachable.because("ledger-unreachable", f"{self._prefix}: {error.findings[0].message}") from error

    def _key(self, number: int) -> str:
        return f"{self._prefix}/{number:08}.json"


def _contents(store: Store, prefix: str) -> Iterator[tuple[str, bytes]]:
    if isinstance(store, Whole):
        return store.read(prefix)
    return ((key, store.get(key) or b"") for key in store.keys(prefix))


def _broken(key: str, cause: str) -> CannotJudge:
    return CannotJudge.because("ledger-broken", f"event {key}: {cause}", where=Where(file=key))
