"""The events of a model's history, as they stand in the ledger: one record a release action, never changed.

>>> event = Event(sequence=1, at="2026-01-01T00:00:00Z", actor="octocat", kind="held", because="the pager rang")
>>> Event.parse(event.to_json()) == event
True
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError

from release_gate.verdict import Outcome, Value

SCHEMA = 1
MAXIMUM_BYTES = 1024 * 1024
"""An event larger than this is refused unread: ours stay below 10 kB."""

KINDS = {
    "registered": "the package is stored and known",
    "judged": "gates judged the package",
    "approved": "the owner agreed to release it",
    "deployed": "its rollout begins; nothing is routed to it yet",
    "stepping": "it is about to take a share of traffic",
    "stepped": "it takes that share: read back from the target and proven by smoke tests",
    "promoted": "it passed its bake, or was published again where no rollout is declared, and serves all traffic",
    "taking-back": "its traffic is about to go back to the version before",
    "taken-back": "the version before serves all traffic again; the rollout is over",
    "rolling-back": "an earlier package is about to take all traffic; no rollout goes on from here",
    "rolled-back": "an earlier package serves again",
    "settled": "something that was owed is done",
    "blocked": "the package may not serve again",
    "unblocked": "the block was lifted",
    "held": "releases are frozen",
    "lifted": "the hold was lifted",
    "drilled": "a rollback was rehearsed",
    "alerted": "monitoring told the owner of something",
}
"""What each kind of event means. An unknown kind (of a newer version) is kept and shown, and changes no state."""

Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
Line = Annotated[str, Field(max_length=2000)]


class Judged(Value):
    """A verdict the event relies on: the gate, how it ended, and the sha256 of its file."""

    gate: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=80)]
    outcome: Outcome
    identity: Digest


class Stage(Value):
    """A part of a rollout: a share of traffic, and the seconds for which it is watched."""

    share: Annotated[float, Field(gt=0, le=1)]
    seconds: Annotated[float, Field(ge=0)]


class Schedule(Value):
    """A rollout as it was begun: what is declared later changes later rollouts only. Times in seconds.

    `watched` is False for tables of predictions: what proves those is compared before the pointer moves.
    """

    stages: Annotated[tuple[Stage, ...], Field(min_length=1, max_length=51)]
    lease: Annotated[float, Field(gt=0)]
    wait_at_most: Annotated[float, Field(ge=1)] = 3.0
    least_requests: Annotated[int, Field(ge=1)] = 1
    watched: bool = True


class Draft(Value):
    """An event before it has a place in the history.

    `serves` says what brings the package to its users: registering is all there is where no rollout is declared,
    the first time (`registered`) and when an earlier package is published again (`promoted`).
    `commit`, `tree` and `compared` stand with `registered`: what the package was built from this time (the tree is that
    of the configuration's folder), and the production it was judged against (none for a first release).
    `schedule` stands with `deployed`, `step` (from 1) and `share` with `stepping` and `stepped`.
    `replaces` is the package that loses its traffic by a rollback. `blocks`: what loses its traffic (the package of
    `taken-back`, the one replaced of `rolled-back`) may not serve again, and releases are held, by this same event:
    no kill can come between.
    `owed` lists the effects that are owed from here on; None leaves that list as it was.
    """

    at: datetime
    actor: Annotated[str, Field(min_length=1, max_length=200)]
    run: Line | None = None
    kind: Annotated[str, Field(pattern=r"^[a-z][a-z-]*$", max_length=40)]
    package: Digest | None = None
    verdicts: Annotated[tuple[Judged, ...], Field(max_length=100)] = ()
    because: Line = ""
    serves: Literal["on-registration", "after-rollout"] | None = None
    commit: Annotated[str, Field(pattern=r"^[0-9a-f]{40,64}$")] | None = None
    tree: Annotated[str, Field(pattern=r"^[0-9a-f]{40,64}$")] | None = None
    compared: Digest | None = None
    schedule: Schedule | None = None
    step: Annotated[int, Field(ge=1, le=51)] | None = None
    share: Annotated[float, Field(ge=0, le=1)] | None = None
    replaces: Digest | None = None
    blocks: bool | None = None
    owed: Annotated[tuple[Line, ...], Field(max_length=100)] | None = None


class Event(Draft):
    """An event in its place: numbered from 1, tied to the one before by that one's sha256."""

    sequence: Annotated[int, Field(ge=1, le=99_999_999)]
    previous: Digest | None = None

    def to_json(self) -> bytes:
        """The bytes that stand in the ledger, and of which the next event holds the sha256."""
        fields = self.model_dump(mode="json", exclude_none=True)
        first = ("sequence", "previous", "at", "actor", "run", "kind")
        ordered = {"schema": SCHEMA, **{name: fields.pop(name) for name in first if name in fields}, **fields}
        return (json.dumps(ordered, indent=1, ensure_ascii=False) + "\n").encode()

    @classmethod
    def parse(cls, text: bytes) -> Self:
        """Read an event.

        Raises:
            ValueError: what is wrong with it, in one line.
        """
        if len(text) > MAXIMUM_BYTES:
            raise ValueError(f"it holds {len(text):,} bytes; {MAXIMUM_BYTES:,} is the most")
        try:
            fields: Any = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"it is not JSON: {error}") from error
        schema = fields.pop("schema", None) if isinstance(fields, dict) else None
        if schema != SCHEMA:
            raise ValueError(f"it has schema {schema!r}; this version reads schema {SCHEMA}")
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            raise ValueError(f"{place}: {first['msg']}") from error


def identity(content: bytes) -> str:
    """The identity of bytes: what the next event holds of the one before."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
