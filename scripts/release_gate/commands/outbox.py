"""What a target owes to the ledger since rollbacks that could not record: handed over before any release goes on."""

from __future__ import annotations

from collections.abc import Sequence

from release_gate.commands.hands import Hands
from release_gate.findings import BadInput, CannotJudge
from release_gate.lifecycle.events import Draft, Event


def pay(hands: Hands) -> None:
    """Hand to the ledger what the target owes it since rollbacks that could not record: before any release goes on.

    What can't be read stays owed, for a person to look at; what can be is paid all the same.

    Raises:
        CannotJudge: the ledger can't be reached still.
        BadInput: `outbox-broken`: what is owed can't be read.
    """
    unreadable: ValueError | None = None
    for owed in hands.target.owes():
        try:
            draft = Draft.model_validate_json(owed)
        except ValueError as error:
            unreadable = error
            continue
        hands.target.paid(owed, _paid(hands, draft))
    if unreadable is not None:
        message = f"what the target owes to the ledger can't be read: {unreadable}"
        raise BadInput.because("outbox-broken", message) from unreadable


def _paid(hands: Hands, draft: Draft) -> int:
    """The ledger has the event; its sequence, or the last one where it had it before."""

    def decide(events: Sequence[Event]) -> Draft | None:
        known(hands, events)
        written = any(one.kind == draft.kind and one.at == draft.at and one.package == draft.package for one in events)
        return None if written else draft

    event, before = hands.ledger.append(decide)
    return event.sequence if event is not None else len(before)


def known(hands: Hands, events: Sequence[Event]) -> None:
    """Hold a history against what the target knows of it.

    Raises:
        CannotJudge: `ledger-unreachable`: a folder that was not mounted looks like one in which nothing ever happened;
            `target-ahead`: events that the target obeys are gone.
    """
    obeyed = hands.target.obeyed()
    if not events and (obeyed or hands.target.kept()):
        message = "the ledger holds no event at all, though the target keeps versions that were released"
        raise CannotJudge.because("ledger-unreachable", message)
    if obeyed > len(events):
        message = f"the target obeys event {obeyed}, the ledger ends at {len(events)}: later events are gone"
        raise CannotJudge.because("target-ahead", message)
