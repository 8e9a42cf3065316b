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
    "deployed": "it takes a first share of traffic",
    "promoted": "it passed its bake, or was published again where no rollout is declared, and serves all traffic",
    "rolled-back": "an earlier package serves again",
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


class Draft(Value):
    """An event before it has a place in the history.

    `serves` says what brings the package to its users: registering is all there is where no rollout is declared,
    the first time (`registered`) and when an earlier package is published again (`promoted`).
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
