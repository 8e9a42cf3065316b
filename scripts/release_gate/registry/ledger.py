"""The append-only history of a model: numbered events, each tied to the one before, none ever changed.

Two writers at once: one wins the next number, the other reads again and decides again. The chain shows every
event that was changed, taken out or put in between; it can't show that the newest ones were taken off the end:
whoever must know keeps the identity of the last event elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from release_gate.edges import Store
from release_gate.findings import CannotJudge
from release_gate.lifecycle.events import Draft, Event, identity
from release_gate.verdict import Where

ATTEMPTS = 100

Decide = Callable[[Sequence[Event]], Draft | None]


class Ledger:
    """The history of one model in a store, under `ledger/<model>/`."""

    def __init__(self, store: Store, model: str) -> None:
        self._store = store
        self._prefix = f"ledger/{model}"

    def read(self) -> list[Event]:
        """Every event, oldest first, the chain verified.

        Raises:
            CannotJudge: `ledger-broken`, naming the first event that is not what it should be.
        """
        return self._read()[0]

    def append(self, decide: Decide) -> tuple[Event | None, list[Event]]:
        """Append what `decide` makes of the history, or nothing where it says None.

        Returns the event and the history it was decided on. `decide` is asked again when another writer came
        first, with that writer's event in the history.

        Raises:
            CannotJudge: `ledger-broken`, or `ledger-contended` after many lost attempts.
        """
        for _ in range(ATTEMPTS):
            events, last = self._read()
            draft = decide(events)
            if draft is None:
                return None, events
            event = Event(sequence=len(events) + 1, previous=last, **dict(draft))
            if self._store.put_new(self._key(event.sequence), event.to_json()):
                return event, events
        raise CannotJudge.because(
            "ledger-contended", f"{ATTEMPTS} attempts to append to {self._prefix} came second to other writers"
        )

    def _read(self) -> tuple[list[Event], str | None]:
        events: list[Event] = []
        last: str | None = None
        for number, key in enumerate(self._store.keys(self._prefix), start=1):
            expected = self._key(number)
            if key != expected:
                raise _broken(expected, f"it is missing; {key} stands in its place")
            content = self._store.get(key) or b""
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
        return events, last

    def _key(self, number: int) -> str:
        return f"{self._prefix}/{number:08}.json"


def _broken(key: str, cause: str) -> CannotJudge:
    return CannotJudge.because("ledger-broken", f"event {key}: {cause}", where=Where(file=key))
