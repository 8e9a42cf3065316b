"""Running totals of one version's answers: what targets count and sources read."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from release_gate.verdict import Value

Total = Annotated[int, Field(ge=0, le=10**15, strict=True)]


class Counts(Value):
    """Answers so far. They only rise; a fall means that who counts began anew. `slow` is None where nobody measures."""

    requests: Total
    errors: Total
    slow: Total | None = None

    @model_validator(mode="after")
    def _parts_of_the_whole(self) -> Counts:
        if self.errors > self.requests or (self.slow or 0) > self.requests:
            raise ValueError(f"{self.errors} errors and {self.slow or 0} slow answers among {self.requests}")
        return self
