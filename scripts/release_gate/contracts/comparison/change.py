"""One difference between two versions of a contract."""

from __future__ import annotations

from dataclasses import dataclass

from release_gate.change_kinds import KINDS, Weight
from release_gate.contracts.contract import NOWHERE
from release_gate.verdict import Where


@dataclass(frozen=True)
class Change:
    """A change of a documented kind; `column` is None where it concerns the table.

    `given` is what it weighs by the configuration; without one, what it means to readers.
    """

    kind: str
    what: str
    column: str | None = None
    where: Where = NOWHERE
    given: Weight | None = None

    @property
    def readers(self) -> Weight:
        """What it means to code that reads the data."""
        return KINDS[self.kind].readers

    @property
    def writers(self) -> Weight:
        """What it means to code that writes the data."""
        return KINDS[self.kind].writers

    @property
    def weight(self) -> Weight:
        """What the version must tell of it."""
        return self.given or self.readers

    def __str__(self) -> str:
        """`column 'km': the column is removed`, or what happened to the table."""
        return f"column '{self.column}': {self.what}" if self.column else self.what
